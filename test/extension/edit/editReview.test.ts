import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { FilePlan } from '../../../extension/edit/engine/edits.ts';
import { planEdits } from '../../../extension/edit/engine/planning/plan.ts';
import { AnswerReader } from '../../../extension/edit/engine/reading/answerReader.ts';
import { sampleFile } from '../window.ts';
import { block, Scene } from './editModel.ts';

const lines = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`);
const before = `${lines.join('\n')}\n`;
const changed = (...numbers: number[]) =>
  numbers.reduce((text, number) => text.replace(`line ${number}\n`, `LINE ${number}\n`), before);
const change = (number: number) => block(`line ${number}`, `LINE ${number}`);

/** The plan of an answer for one file. */
function planOf(text: string, answer: string): FilePlan & { kind: 'update' } {
  const reader = new AnswerReader('a.txt');
  const [plan] = planEdits([...reader.feed(answer), ...reader.end()], () => text);
  assert.ok(plan?.kind === 'update', JSON.stringify(plan));
  return plan;
}

/** Lives that documents lead beside an edit: each while it is written, and while it is reviewed. */
describe('a review', () => {
  let scene: Scene;
  const files: vscode.Uri[] = [];
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(async () => {
    await scene.dispose();
    for (const uri of files.splice(0)) await vscode.workspace.fs.delete(uri);
  });

  const source = { title: 'Apply to a.txt' };
  const undo = () => vscode.commands.executeCommand('undo');
  const review = () => scene.edits.running[0]!;
  const shown = (text: string) => scene.until(() => scene.text.includes(text));

  /** A file on the disk in an editor. */
  async function openFile(
    name: string,
    show: (document: vscode.TextDocument) => Thenable<vscode.TextEditor> = vscode.window.showTextDocument,
  ): Promise<vscode.Uri> {
    const uri = sampleFile(name);
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(before));
    files.push(uri);
    scene.editor = await show(await vscode.workspace.openTextDocument(uri));
    return uri;
  }

  async function withSetting(section: string, name: string, value: unknown, body: () => Promise<void>): Promise<void> {
    const settings = vscode.workspace.getConfiguration(section);
    await settings.update(name, value, vscode.ConfigurationTarget.Workspace);
    try {
      await body();
    } finally {
      await settings.update(name, undefined, vscode.ConfigurationTarget.Workspace);
    }
  }

  describe('of a plan that is ready', () => {
    it('shows its hunks at once, and one undo takes them back', async () => {
      await scene.open(before);
      const isOpen = await scene.edits.review(scene.document, planOf(before, change(3) + change(9)), source);
      assert.ok(isOpen, scene.messages.told.join());
      assert.equal(scene.text, changed(3, 9));
      await scene.reviewed(2);
      assert.equal(scene.edits.reviews.status.text, '$(diff) 2 hunks to review');
      await scene.edits.reviews.acceptHunk({ review: review().id, hunk: 1 });
      assert.equal(scene.edits.reviews.status.text, '$(diff) 1 hunk to review');
      await undo();
      assert.equal(scene.text, before);
      await scene.idle();
      assert.equal(scene.edits.reviews.status.text, undefined);
      assert.equal(scene.accepted.length, 0, 'what was undone is no checkpoint');
    });

    it('tells in the hover over a hunk what it removes, with its actions', async () => {
      await scene.open(before);
      const answer = change(3) + block('line 7\nline 8', 'line 7') + block('line 10', 'line 10\nline 10a');
      await scene.edits.review(scene.document, planOf(before, answer), source);
      await scene.reviewed(3);
      const over = async (line: number, character = 1) => {
        const at = new vscode.Position(line, character);
        const hovers: vscode.Hover[] = await vscode.commands.executeCommand(
          'vscode.executeHoverProvider',
          scene.document.uri,
          at,
        );
        const told = hovers
          .flatMap(({ contents }) => contents)
          .map((each) => (typeof each === 'string' ? each : each.value));
        return told.filter((text) => text.includes('Perigee')).join('\n');
      };
      assert.match(await over(2), /1 line removed by Perigee:\s+```plaintext\s+line 3\s+```[\s\S]*Reject.*Compare/);
      assert.match(await over(6, 'line 7'.length), /1 line removed by Perigee:\s+```plaintext\s+line 8\s+```/);
      assert.match(await over(9), /^Added by Perigee\s+\[Accept\]\(command:perigee\.acceptHunk\?.*Reject[^·]*$/);
      assert.equal(await over(0), '');
      assert.equal(await over(6), '', 'a hunk without lines is told behind the line above it');
      review().accept([1]);
      assert.equal(await over(2), '');
    });

    it('finds its lines when the file was changed elsewhere since', async () => {
      await scene.open(`above\n${before}`);
      assert.ok(await scene.edits.review(scene.document, planOf(before, change(3)), source));
      assert.equal(scene.text, `above\n${changed(3)}`);
    });

    it('writes nothing when its lines were changed since, and says which', async () => {
      const now = before.replace('line 9', 'mine');
      await scene.open(now);
      assert.equal(await scene.edits.review(scene.document, planOf(before, change(3) + change(9)), source), false);
      assert.equal(
        await scene.messages.next(/no longer fits/),
        `Apply to a.txt: nothing was changed, for it no longer fits. The lines that it replaces were changed since. See line 9 of ${scene.document.uri.path}.`,
      );
      assert.equal(scene.text, now);
      assert.equal(scene.edits.running.length, 0);
    });

    it('shows a file that nobody sees', async () => {
      const uri = sampleFile('unseen.txt');
      await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(before));
      files.push(uri);
      const document = await vscode.workspace.openTextDocument(uri);
      assert.ok(await scene.edits.review(document, planOf(before, change(3)), source));
      assert.equal(vscode.window.activeTextEditor?.document, document);
    });

    it('asks about lines that an earlier one has, and takes others beside it', async () => {
      await scene.open(before);
      assert.ok(await scene.edits.review(scene.document, planOf(before, change(3)), source));
      const elsewhere = planOf(scene.text, change(9));
      assert.ok(await scene.edits.review(scene.document, elsewhere, source));
      assert.equal(scene.text, changed(3, 9));
      assert.equal(scene.edits.running.length, 2);
      assert.equal(scene.edits.reviews.status.text, '$(diff) 2 hunks to review');
      const same = planOf(scene.text, block('LINE 3', 'Line Three'));
      assert.equal(await scene.edits.review(scene.document, same, source), false);
      await scene.messages.next(/neither accepted nor rejected/);
      assert.equal(scene.text, changed(3, 9));
      scene.messages.press('Accept all and go on');
      assert.ok(await scene.edits.review(scene.document, same, source));
      assert.equal(scene.text, changed(3, 9).replace('LINE 3', 'Line Three'));
      await undo();
      assert.equal(scene.text, changed(3, 9));
    });

    it('goes from hunk to hunk, round and back, and to those of another file', async () => {
      const other = await vscode.workspace.openTextDocument({ content: before });
      await scene.open(before);
      assert.ok(await scene.edits.review(scene.document, planOf(before, change(3) + change(9)), source));
      const line = () => vscode.window.activeTextEditor!.selection.active.line;
      scene.editor.selection = new vscode.Selection(0, 0, 0, 0);
      const seen: number[] = [];
      for (const way of [1, 1, 1, -1] as const) {
        await scene.edits.reviews.goToHunk(way);
        seen.push(line());
      }
      assert.deepEqual(seen, [2, 8, 2, 8]);
      await vscode.window.showTextDocument(other);
      await scene.edits.reviews.goToHunk(1);
      assert.equal(vscode.window.activeTextEditor!.document, scene.document);
      assert.equal(line(), 2);
    });
  });

  it('of a whole file puts only what differs into the editor', async () => {
    await openFile('whole.txt');
    await scene.askFile();
    scene.runs.write(`whole.txt\n\`\`\`\n${changed(2, 11)}\`\`\`\n`);
    scene.runs.done();
    await scene.reviewed(2);
    assert.equal(scene.text, changed(2, 11));
    await undo();
    assert.equal(scene.text, before);
  });

  it('goes on through a save with a formatter, while it is written and after', async () => {
    await openFile('formatted.txt');
    const formatter = vscode.languages.registerDocumentFormattingEditProvider('plaintext', {
      provideDocumentFormattingEdits(document) {
        const all = new vscode.Range(0, 0, document.lineCount, 0);
        const text = document.getText();
        return [
          vscode.TextEdit.replace(
            all,
            `${text.startsWith('// ok\n') ? '' : '// ok\n'}${text.replace('line 6', 'line six')}`,
          ),
        ];
      },
    });
    await withSetting('editor', 'formatOnSave', true, async () => {
      await scene.askFile();
      scene.runs.write(change(3));
      await shown('LINE 3');
      await scene.document.save();
      assert.equal(scene.text, `// ok\n${changed(3).replace('line 6', 'line six')}`);
      scene.runs.write(change(9) + change(6));
      scene.runs.done();
      await scene.messages.next(/Line 6 was changed while Perigee was writing/);
      await scene.reviewed(2);
      await scene.document.save();
      const formatted = (text: string) => `// ok\n${text.replace('line 6', 'line six')}`;
      assert.equal(scene.text, formatted(changed(3, 9)));
      await scene.edits.reviews.rejectAllHunks();
      assert.equal(scene.text, formatted(before));
    });
    formatter.dispose();
    await scene.document.save();
  });

  it('is taken back by one undo after a save in the middle, and comes again by one redo', async () => {
    await openFile('saved.txt');
    await scene.askFile();
    scene.runs.write(change(3));
    await shown('LINE 3');
    await scene.document.save();
    scene.runs.write(change(9));
    scene.runs.done();
    await scene.reviewed(2);
    await undo();
    assert.equal(scene.text, before);
    await scene.idle();
    await vscode.commands.executeCommand('redo');
    assert.equal(scene.text, changed(3, 9));
  });

  it('is taken back by one undo when its file was hidden in the middle', async () => {
    await scene.open(before);
    const { document } = scene;
    await scene.askFile();
    scene.runs.write(change(3));
    await shown('LINE 3');
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content: 'other' }));
    scene.runs.write(change(9));
    scene.runs.done();
    await scene.reviewed(2);
    scene.editor = await vscode.window.showTextDocument(document);
    assert.equal(scene.text, changed(3, 9));
    await undo();
    assert.equal(scene.text, before);
    await scene.idle();
  });

  it('ends with its file, while it is written and after', async () => {
    const open = async (document: vscode.TextDocument) => {
      await vscode.commands.executeCommand('vscode.open', document.uri);
      await scene.until(() => vscode.window.activeTextEditor?.document.uri.toString() === document.uri.toString());
      return vscode.window.activeTextEditor!;
    };
    for (const isDone of [false, true]) {
      await openFile(`closed${isDone}.txt`, open);
      await scene.askFile();
      scene.runs.write(change(3));
      await shown('LINE 3');
      if (isDone) {
        scene.runs.done();
        await scene.reviewed(1);
      }
      await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
      await scene.idle();
      assert.equal(scene.runs.stopped.length, 1);
    }
  });

  it('tells what stays undecided in a file that was saved and closed, and takes it back on request', async () => {
    // What an extension opens stays open for a while after its editor; what the user opens doesn't.
    const uri = sampleFile('undecided.txt');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(before));
    files.push(uri);
    await vscode.commands.executeCommand('vscode.open', uri);
    await scene.until(() => vscode.window.activeTextEditor?.document.uri.toString() === uri.toString());
    scene.editor = vscode.window.activeTextEditor!;
    await scene.askFile();
    scene.runs.write(`${change(3)}${change(9)}`);
    scene.runs.done();
    await scene.reviewed(2);
    await scene.document.save();
    scene.messages.press('Take back');
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    assert.match(await scene.messages.next(/closed with/), /^undecided\.txt was closed with 2 hunks undecided\./);
    assert.deepEqual(
      scene.accepted.map(({ files: [file] }) => [file?.before, file?.after]),
      [[before, changed(3, 9)]],
    );
    await scene.until(() => scene.takenBack.length > 0);
    assert.deepEqual(scene.takenBack, ['checkpoint 1']);
  });

  it('ends when the file is reverted to what is on the disk', async () => {
    await openFile('reverted.txt');
    await scene.askFile();
    scene.runs.write(change(3));
    await shown('LINE 3');
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await scene.idle();
    assert.equal(scene.text, before);
    assert.equal(scene.runs.stopped.length, 1);
  });

  it('follows its lines when the file is changed on the disk, as by a switch of branch', async () => {
    const uri = await openFile('branch.txt');
    await scene.askFile();
    scene.runs.write(change(3));
    await shown('LINE 3');
    await scene.document.save();
    const other = `// other branch\n${changed(3).replace('line 6', 'line six')}`;
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(other));
    await scene.shows(other);
    scene.runs.write(change(6) + change(9));
    scene.runs.done();
    await scene.messages.next(/Line 6 was changed while Perigee was writing/);
    await scene.reviewed(2);
    assert.equal(scene.text, other.replace('line 9', 'LINE 9'));
    await scene.edits.reviews.rejectAllHunks();
    assert.equal(scene.text, `// other branch\n${before.replace('line 6', 'line six')}`);
    await scene.document.save();
  });

  it('of lines and of the file go on side by side', async () => {
    await scene.open(before);
    await scene.askFile();
    scene.runs.write(change(9));
    await shown('LINE 9');
    const [whole] = scene.runs.requests;
    await scene.ask(1, 2);
    scene.runs.write('```\nline two\nline three\n```');
    scene.runs.done();
    await shown('line three');
    scene.runs.writeTo(whole!.id, change(3) + change(11));
    scene.runs.doneWith(whole!.id);
    await scene.until(() => scene.edits.running.every(({ phase }) => phase === 'reviewing'));
    const both = changed(9, 11).replace('line 2\nline 3', 'line two\nline three');
    assert.equal(scene.text, both);
    await scene.messages.next(/Line 3 was changed while Perigee was writing/);
    const [file, selection] = scene.edits.running;
    await scene.edits.reviews.rejectAllHunks({ review: selection!.id });
    assert.equal(scene.text, changed(9, 11));
    await scene.edits.reviews.rejectAllHunks({ review: file!.id });
    assert.equal(scene.text, before);
  });

  it('changes nothing in a file that the editor holds read-only', async () => {
    await openFile('locked.txt');
    await withSetting('files', 'readonlyInclude', { '**/locked.txt': true }, async () => {
      await scene.askFile();
      scene.runs.write(change(3));
      await scene.messages.next(/file is read-only. Nothing changed./);
      assert.equal(await scene.edits.review(scene.document, planOf(before, change(3)), source), false);
      await scene.messages.next(/file is read-only. Nothing changed./);
      const told = scene.messages.told.length;
      const why = 'VS Code takes no changes for locked.txt: the file is read-only. Nothing changed.';
      const tried = await scene.edits.tryReview(scene.document, planOf(before, change(3)), source);
      assert.deepEqual(tried, { isShown: false, why });
      assert.equal(scene.messages.told.length, told, 'the caller tells it');
      assert.equal(scene.text, before);
      await scene.idle();
    });
  });

  it('refuses a cell of a notebook, in words', async () => {
    const cells = [new vscode.NotebookCellData(vscode.NotebookCellKind.Code, 'print(1)', 'python')];
    const notebook = await vscode.workspace.openNotebookDocument('jupyter-notebook', new vscode.NotebookData(cells));
    const { document } = notebook.cellAt(0);
    await scene.edits.editFile({ document, instruction: 'do it' });
    await scene.messages.next(/does not edit notebooks yet/);
    assert.equal(await scene.edits.review(document, planOf('print(1)', block('print(1)', 'print(2)')), source), false);
    assert.equal(scene.runs.requests.length, 0);
  });

  it('works in a virtual file system, and says why not in one that is read-only', async () => {
    const memory = new MemoryFiles();
    const mounts = [
      vscode.workspace.registerFileSystemProvider('perigee-test-memory', memory),
      vscode.workspace.registerFileSystemProvider('perigee-test-locked', memory, { isReadonly: true }),
    ];
    const open = async (scheme: string) => {
      const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(`${scheme}:/a.txt`));
      scene.editor = await vscode.window.showTextDocument(document);
    };
    await open('perigee-test-memory');
    await scene.askFile();
    scene.runs.write(change(3));
    scene.runs.done();
    await scene.reviewed(1);
    await scene.document.save();
    assert.equal(memory.text, changed(3));
    await scene.edits.reviews.acceptAllHunks();
    await open('perigee-test-locked');
    await scene.edits.editFile({ instruction: 'do it' });
    await scene.messages.next(/read-only/);
    for (const mount of mounts) mount.dispose();
  });

  it('refuses a file that no model can read at once, in words', async () => {
    await scene.open('x'.repeat(1_000_001));
    await scene.edits.editFile({ instruction: 'do it' });
    const refusal = await scene.messages.next(/larger than 1 MB/);
    assert.deepEqual(scene.messages.modal, [refusal]);
  });
});

/** One file in memory. */
class MemoryFiles implements vscode.FileSystemProvider {
  text = before;
  private readonly changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.changed.event;
  private mtime = 1;
  watch = () => new vscode.Disposable(() => {});
  stat = () => ({ type: vscode.FileType.File, ctime: 0, mtime: this.mtime, size: this.text.length });
  readDirectory = () => [['a.txt', vscode.FileType.File]] as [string, vscode.FileType][];
  readFile = () => new TextEncoder().encode(this.text);
  writeFile(_uri: vscode.Uri, content: Uint8Array) {
    this.text = new TextDecoder().decode(content);
    this.mtime++;
  }
  createDirectory() {}
  delete() {}
  rename() {}
}
