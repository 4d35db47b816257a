import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { CommitMessages } from '../../../extension/edit/actions/commitMessage.ts';
import { MessageBox } from '../../../extension/edit/actions/messageBox.ts';
import { openGit, type Repository } from '../../../extension/platform/git.ts';
import { BackendError } from '../../../extension/platform/server/backendError.ts';
import { describeWhere, inWorker, noGit, sampleFile, until } from '../window.ts';
import { Messages, ScriptedRuns } from './editModel.ts';

/** More of the git extension's repository than Perigee needs. */
type RealRepository = Repository & {
  state: { onDidChange: vscode.Event<void> };
  add(paths: string[]): Promise<void>;
  revert(paths: string[]): Promise<void>;
  commit(message: string): Promise<void>;
  createBranch(name: string, checkout: boolean, ref?: string): Promise<void>;
  deleteBranch(name: string, force?: boolean): Promise<void>;
  checkout(treeish: string): Promise<void>;
  merge(ref: string): Promise<void>;
  mergeAbort(): Promise<void>;
};

const bytes = (text: string) => new TextEncoder().encode(text);

describeWhere(!inWorker, 'Commit Message', noGit, () => {
  const readme = sampleFile('README.md');
  const fresh = sampleFile('src/fresh.ts');
  let repository: RealRepository;
  let original: Uint8Array;
  let runs: ScriptedRuns;
  let messages: Messages;
  let commits: CommitMessages;

  /** The box as it is on the screen. */
  const screen = () => vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'vscode-scm');
  const shows = (text: string) => until(vscode.workspace.onDidChangeTextDocument, () => screen()?.getText() === text);

  before(async function () {
    const git = (await openGit()) as { openRepository(root: vscode.Uri): Promise<RealRepository | null> } | undefined;
    const found = await git?.openRepository(sampleFile(''));
    // No git on the machine: there is nothing to write a message for.
    if (!found) return this.skip();
    repository = found;
    original = await vscode.workspace.fs.readFile(readme);
    await vscode.commands.executeCommand('workbench.view.scm');
    await until(vscode.workspace.onDidOpenTextDocument, () => screen() !== undefined);
  });

  beforeEach(() => {
    runs = new ScriptedRuns();
    messages = new Messages();
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    commits = new CommitMessages({ runs, isGuest: () => false, log });
  });

  afterEach(async () => {
    commits.dispose();
    messages.dispose();
    if (!repository) return;
    repository.inputBox.value = '';
    // What one test wrote must not come back from the screen in the next.
    await shows('');
    if (repository.state.indexChanges.length > 0) {
      await repository.revert(repository.state.indexChanges.map(({ uri }) => uri.fsPath));
    }
    await vscode.workspace.fs.writeFile(readme, original);
    await vscode.workspace.fs.delete(fresh).then(undefined, () => {});
    await repository.status();
  });

  async function change(): Promise<void> {
    await vscode.workspace.fs.writeFile(readme, bytes(`A new first line\n${new TextDecoder().decode(original)}`));
  }

  /** Asks as the button does, and returns once the model was asked. */
  async function ask(): Promise<{ over: Promise<void> }> {
    const before = runs.requests.length;
    const over = commits.write({ rootUri: repository.rootUri });
    await until(runs.onDidCall, () => runs.requests.length > before);
    return { over };
  }

  /** The model writes `text`, which is then in the box as far as it may be. */
  async function write(text: string): Promise<void> {
    const taken = new Promise<void>((resolve) => {
      const listening = runs.onDidTake(() => {
        listening.dispose();
        resolve();
      });
    });
    runs.write(text);
    await taken;
  }

  const input = () => {
    const asked = runs.requests.at(-1)!.input;
    assert.ok('selection' in asked);
    return asked;
  };

  it('comes into the box line by line, and its outcome is told', async () => {
    await change();
    const { over } = await ask();
    await write('```\nDescribe the first');
    assert.equal(repository.inputBox.value, '');
    await write(' line\n\nIt');
    assert.equal(repository.inputBox.value, 'Describe the first line');
    runs.write(' says what comes.\n```\n');
    runs.done();
    await over;
    assert.equal(repository.inputBox.value, 'Describe the first line\n\nIt says what comes.');
    assert.deepEqual(runs.outcomes, [{ applied: 1, refused: 0 }]);
    assert.deepEqual(messages.told, [], 'in passing, in the status bar');
  });

  it('is asked for with all changes, new files too, when none is staged', async () => {
    await change();
    await vscode.workspace.fs.writeFile(fresh, bytes('export const fresh = 1;\n'));
    const { over } = await ask();
    const { path, languageId, selection, before, after, instruction } = input();
    assert.deepEqual(
      { path, languageId, selection, before },
      { path: 'COMMIT_EDITMSG', languageId: 'git-commit', selection: { start: 0, end: 0, text: '' }, before: '' },
    );
    assert.match(after, /^# -+ >8 -+\n/);
    assert.match(after, /^\+A new first line$/m);
    assert.match(after, /^\+\+\+ b\/src\/fresh\.ts\n@@ -0,0 \+1,1 @@\n\+export const fresh = 1;$/m);
    assert.match(instruction, /^Write the commit message [^\n]*\n/);
    assert.match(instruction, /\n- orders: first version$/);
    commits.stop();
    await over;
  });

  it('is asked for with the staged changes alone when there are any', async () => {
    await change();
    await vscode.workspace.fs.writeFile(fresh, bytes('export const fresh = 1;\n'));
    await repository.add([fresh.fsPath]);
    const { over } = await ask();
    assert.match(input().after, /^\+export const fresh = 1;$/m);
    assert.doesNotMatch(input().after, /A new first line/);
    commits.stop();
    await over;
  });

  it('is asked for with the biggest file cut when the changes are very long', async () => {
    await change();
    await vscode.workspace.fs.writeFile(fresh, bytes('const same = 1;\n'.repeat(5_000)));
    const { over } = await ask();
    assert.match(input().after, /^\+A new first line$/m);
    assert.match(input().after, /^# \d+ more lines of this file are left out\.$/m);
    assert.ok(input().after.length < 31_000, `${input().after.length} characters`);
    commits.stop();
    await over;
  });

  it('goes on from what stands in the box, which can be restored', async () => {
    await change();
    repository.inputBox.value = 'readme: desc';
    messages.press('Restore what stood there');
    const { over } = await ask();
    assert.equal(input().selection.text, 'readme: desc');
    assert.match(input().instruction, /has begun the message/);
    runs.write('```\nreadme: describe the first line\n```');
    runs.done();
    await over;
    assert.equal(await messages.next(/written/), 'The commit message is written. Charged 1 credit.');
    assert.equal(repository.inputBox.value, 'readme: desc');
  });

  it('says so when it would change nothing', async () => {
    await change();
    repository.inputBox.value = 'readme: describe';
    const { over } = await ask();
    runs.write('```\nreadme: describe\n```');
    runs.done();
    await over;
    await messages.next(/suggests no other commit message/);
    assert.equal(repository.inputBox.value, 'readme: describe');
  });

  it('leaves the box to whoever types there meanwhile', async () => {
    await change();
    const { over } = await ask();
    await write('```\nDescribe\n');
    await shows('Describe');
    repository.inputBox.value = 'Describe it myself';
    await shows('Describe it myself');
    runs.write('\nMore.\n');
    await over;
    assert.equal(repository.inputBox.value, 'Describe it myself');
    assert.deepEqual(runs.stopped, [runs.requests[0]!.id]);
    assert.deepEqual(runs.outcomes, [{ applied: 0, refused: 1 }]);
    await messages.next(/changed meanwhile\. The message stays as it is now\./);
  });

  it('stops at a keystroke in the box, before anything more comes', async () => {
    await change();
    const { over } = await ask();
    await write('```\nDescribe\n');
    await vscode.commands.executeCommand('workbench.scm.action.focusNextInput');
    await vscode.commands.executeCommand('type', { text: '!' });
    await over;
    assert.equal(repository.inputBox.value, 'Describe!');
    await messages.next(/changed meanwhile/);
  });

  it('has a key stroke again that was written over, since it came in the same moment', async () => {
    await change();
    const { over } = await ask();
    await write('```\nDescribe\n');
    await vscode.commands.executeCommand('workbench.scm.action.focusNextInput');
    const typed = vscode.commands.executeCommand('type', { text: '!' });
    runs.write('\nMore.\n');
    await typed;
    await over;
    await shows('Describe!');
    await messages.next(/changed meanwhile/);
  });

  it('is no stranger’s when the box comes on the screen while it is written', async () => {
    const rootUri = vscode.Uri.file('/elsewhere');
    const query = `rootUri=${encodeURIComponent(String(rootUri))}`;
    const uri = vscode.Uri.from({ scheme: 'vscode-scm', path: 'git/elsewhere', query });
    let shown = '';
    const changed = new vscode.EventEmitter<vscode.Uri>();
    const screen = vscode.workspace.registerTextDocumentContentProvider('vscode-scm', {
      onDidChange: changed.event,
      provideTextDocumentContent: () => shown,
    });
    const box = new MessageBox({ rootUri, inputBox: { value: '' } });
    let isTouched = false;
    box.begin(() => {
      isTouched = true;
    });
    try {
      for (const text of ['Say', 'Say what', 'Say what for']) box.write(text);
      shown = 'Say';
      const document = await vscode.workspace.openTextDocument(uri);
      const becomes = async (text: string) => {
        shown = text;
        changed.fire(uri);
        await until(vscode.workspace.onDidChangeTextDocument, () => document.getText() === text);
      };
      await becomes('Say what');
      await becomes('Say what for');
      assert.equal(isTouched, false);
      // Once it was reported, the same text is somebody else's.
      await becomes('Say what');
      assert.equal(isTouched, true);
    } finally {
      box.dispose();
      screen.dispose();
      changed.dispose();
    }
  });

  it('is as it was after a stop', async () => {
    await change();
    repository.inputBox.value = 'mine';
    const { over } = await ask();
    await write('```\nDescribe\n');
    assert.equal(repository.inputBox.value, 'Describe');
    commits.stop();
    assert.equal(repository.inputBox.value, 'mine');
    await over;
    await messages.next(/^Stopped; the commit message is as it was\. Charged 1 credit\.$/);
    assert.deepEqual(runs.outcomes, []);
  });

  it('is as it was after a failure, and can be tried again', async () => {
    await change();
    messages.press('Retry');
    const { over } = await ask();
    await write('```\nDescribe\n');
    runs.fail();
    await over;
    await messages.next(
      /^The model service failed\. It stopped answering\. The commit message is as it was\. Not charged\.$/,
    );
    await until(runs.onDidCall, () => runs.requests.length === 2);
    assert.notEqual(runs.requests[1]!.id, runs.requests[0]!.id);
    commits.stop();
    await messages.next(/^Stopped/);
    assert.equal(repository.inputBox.value, '');
  });

  it('is asked for by the same request when nobody answered the first', async () => {
    await change();
    runs.refusal = BackendError.offline('The connection broke.');
    messages.press('Retry');
    await commits.write({ rootUri: repository.rootUri });
    await messages.next(/^Perigee cannot be reached\. The connection broke\./);
    await until(runs.onDidCall, () => runs.requests.length === 1);
    commits.stop();
    await messages.next(/^Stopped/);
  });

  it('is left alone by an answer that has none', async () => {
    await change();
    repository.inputBox.value = 'mine';
    const { over } = await ask();
    runs.write('```\n```');
    runs.done();
    await over;
    await messages.next(/wrote no commit message; nothing was changed/);
    assert.equal(repository.inputBox.value, 'mine');
    assert.deepEqual(runs.outcomes, [{ applied: 0, refused: 0 }]);
  });

  it('is not asked for without changes', async () => {
    await commits.write({ rootUri: repository.rootUri });
    await messages.next(/There are no uncommitted changes/);
    assert.deepEqual(runs.requests, []);
  });

  it('is not asked for in the middle of a merge', async () => {
    await repository.createBranch('other', true);
    const commit = async (uri: vscode.Uri, text: string) => {
      await vscode.workspace.fs.writeFile(uri, bytes(text));
      await repository.add([uri.fsPath]);
      await repository.commit('a commit');
    };
    try {
      await commit(readme, 'theirs\n');
      await repository.checkout('main');
      await commit(readme, 'ours\n');
      await repository.merge('other').catch(() => {});
      await commits.write({ rootUri: repository.rootUri });
      await messages.next(/A merge is in progress, and some files have conflicts/);
      await vscode.workspace.fs.writeFile(readme, original);
      await repository.add([readme.fsPath]);
      await commits.write({ rootUri: repository.rootUri });
      await messages.next(/A merge is in progress, and git has written its message/);
      assert.deepEqual(runs.requests, []);
    } finally {
      await repository.mergeAbort().catch(() => {});
      // The others find the sample as it was.
      await commit(readme, new TextDecoder().decode(original));
      await repository.deleteBranch('other', true);
    }
  });
});

describeWhere(inWorker, 'Commit Message without git', 'there is git', () => {
  it('says so', async () => {
    const messages = new Messages();
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const commits = new CommitMessages({ runs: new ScriptedRuns(), isGuest: () => false, log });
    try {
      await commits.write();
      await messages.next(/git extension is turned off or not there/);
    } finally {
      commits.dispose();
      messages.dispose();
    }
  });
});
