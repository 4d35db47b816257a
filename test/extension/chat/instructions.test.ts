import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { ChatGuidance } from '../../../extension/chat/context/guidance.ts';
import { Emitter } from '../../../extension/platform/emitter.ts';
import { type Guidance, Instructions } from '../../../extension/platform/instructions/instructions.ts';
import { whyNotUnasked } from '../../../extension/platform/unasked.ts';
import { itBesideNode, noGit, perigee, sampleFile } from '../window.ts';
import { Scene } from './chatScene.ts';

const scratch: vscode.Uri[] = [];
async function write(path: string, text: string | Uint8Array): Promise<vscode.Uri> {
  const uri = sampleFile(path);
  await vscode.workspace.fs.writeFile(uri, typeof text === 'string' ? new TextEncoder().encode(text) : text);
  scratch.push(uri);
  return uri;
}
const TS = '.github/instructions/ts.instructions.md';
const forTs = '---\napplyTo: "**/*.{ts,tsx}"\n---\nUse tabs.';

/** What goes along with a question about files of the sample, by a reader of its own. */
async function found(about: string[] = [], whyNot?: ConstructorParameters<typeof Instructions>[0]): Promise<Guidance> {
  const instructions = new Instructions(whyNot);
  try {
    return await instructions.for(about.map(sampleFile));
  } finally {
    instructions.dispose();
  }
}
const paths = ({ instructions }: Guidance) => instructions.map(({ path }) => path);

describe('instructions', () => {
  before(async () => {
    await perigee();
  });
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    for (const uri of [...scratch.splice(0), sampleFile('.github')])
      await vscode.workspace.fs.delete(uri, { recursive: true }).then(undefined, () => {});
  });

  it('are those of the workspace, as their files say, and the globs of each decide about files', async () => {
    await write('AGENTS.md', 'Be brief.\n');
    await write('.github/copilot-instructions.md', 'Use British spelling.');
    await write(TS, forTs);
    await write('.github/instructions/deep/py.instructions.md', '---\napplyTo: src/*.py, *.pyi\n---\nUse 3.12.');
    await write('.github/instructions/all.instructions.md', "---\napplyTo: '**'\n---\nAlways.");
    await write('.github/instructions/none.instructions.md', 'Without globs it belongs to no question.');
    await write('.github/instructions/readme.md', 'No instructions.');
    const always = ['.github/copilot-instructions.md', 'AGENTS.md'];
    const all = '.github/instructions/all.instructions.md';
    assert.deepEqual(paths(await found()), [...always, all]);
    const both = await found(['src/client.ts', 'src/totals.py']);
    assert.deepEqual(paths(both), [...always, all, '.github/instructions/deep/py.instructions.md', TS]);
    assert.deepEqual(paths(await found(['src/client.ts'])), [...always, all, TS]);
    assert.deepEqual(both.instructions[1], { path: 'AGENTS.md', text: 'Be brief.\n' });
    assert.equal(both.instructions.at(-1)!.text, forTs, 'word for word');
    assert.deepEqual(both.leftOut, []);
  });

  it('are none of a workspace that is not trusted, and none that is ignored: that is told', async () => {
    await write('AGENTS.md', 'Be brief.');
    const untrusted = await found([], (uri) => whyNotUnasked(uri, { isTrusted: false }));
    assert.deepEqual(untrusted.instructions, []);
    assert.match(untrusted.leftOut[0]!.why, /^You do not trust this workspace/);
    await write('.gitignore', 'AGENTS.md');
    const ignored = await found();
    assert.deepEqual(ignored.instructions, []);
    assert.match(ignored.leftOut[0]!.why, /^AGENTS\.md is among the files that this workspace leaves out/);
  });

  itBesideNode('never follow a link, of a file or a folder, in the workspace or out of it', noGit, async () => {
    const module = (name: string) => import(name);
    const { mkdtemp, rm, symlink, writeFile, mkdir }: typeof import('node:fs/promises') =
      await module('node:fs/promises');
    const { join }: typeof import('node:path') = await module('node:path');
    const { tmpdir }: typeof import('node:os') = await module('node:os');
    const elsewhere = await mkdtemp(join(tmpdir(), 'perigee-outside-'));
    try {
      await writeFile(join(elsewhere, 'secret'), 'of somebody else');
      await mkdir(join(elsewhere, 'instructions'));
      await writeFile(join(elsewhere, 'instructions', 'a.instructions.md'), '---\napplyTo: "**"\n---\nelsewhere');
      await symlink(join(elsewhere, 'secret'), sampleFile('AGENTS.md').fsPath);
      await mkdir(sampleFile('.github').fsPath, { recursive: true });
      await symlink(join(elsewhere, 'instructions'), sampleFile('.github/instructions').fsPath);
      scratch.push(sampleFile('AGENTS.md'));
      const { instructions, leftOut } = await found(['src/client.ts']);
      assert.deepEqual(instructions, []);
      assert.equal(leftOut.length, 2);
      for (const { why } of leftOut) assert.match(why, /is reached through a link/);
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  it('are bounded: what is too much in all is cut, which the model and the user are told', async () => {
    await write('.github/copilot-instructions.md', 'é'.repeat(10_000));
    await write('AGENTS.md', 'x'.repeat(20_000));
    await write(TS, forTs);
    const { instructions, leftOut } = await found(['src/client.ts']);
    const bytes = instructions.reduce((sum, { text }) => sum + new TextEncoder().encode(text).length, 0);
    assert.equal(bytes, 32 * 1024);
    assert.match(instructions[1]!.text, /^x{12000,}\n\(cut here\)$/);
    assert.deepEqual(
      leftOut.map(({ path, why }) => [path, why.split(':', 1)[0]]),
      [
        ['AGENTS.md', 'Sent in part'],
        [TS, 'Not sent'],
      ],
    );
  });

  it('that are no text, too large or blank are not read', async () => {
    await write('AGENTS.md', new Uint8Array([0xff, 0xfe, 0, 1]));
    await write('.github/copilot-instructions.md', 'x'.repeat(1_000_001));
    await write('.github/instructions/blank.instructions.md', ' \n');
    const { instructions, leftOut } = await found();
    assert.deepEqual(instructions, []);
    assert.deepEqual(
      leftOut.map(({ why }) => why),
      ['copilot-instructions.md is larger than 1 MB.', 'AGENTS.md can’t be read as text.'],
    );
  });

  it('are matched in time, whatever globs a stranger writes, and ask for nothing by what they say', async () => {
    const globs = ['{a,b}'.repeat(300), '*a'.repeat(900), `${'{'.repeat(900)}x`, '**/'.repeat(600)];
    for (const [at, glob] of globs.entries())
      await write(`.github/instructions/${at}.instructions.md`, `---\napplyTo: ${glob}b\n---\nHostile.`);
    await write('AGENTS.md', '---\ntools: [run]\napplyTo: nothing\n---\n[Run](command:workbench.action.reloadWindow)');
    const { instructions } = await found(['src/client.ts']);
    assert.deepEqual(paths({ instructions, leftOut: [] }), ['AGENTS.md']);
    assert.match(instructions[0]!.text, /^---\ntools: \[run\]/, 'a text like any other');
  });

  it('are also the user’s own, everywhere, and a workspace can not set them', async () => {
    const settings = vscode.workspace.getConfiguration('perigee.instructions');
    const { Global, Workspace } = vscode.ConfigurationTarget;
    try {
      await settings.update('text', '  Answer in French.\n', Global);
      await write('AGENTS.md', 'Be brief.');
      const { instructions } = await found([], (uri) => whyNotUnasked(uri, { isTrusted: false }));
      assert.deepEqual(instructions, [{ text: 'Answer in French.' }]);
      await settings.update('enabled', false, Workspace);
      assert.deepEqual(await found(['src/client.ts']), { instructions: [], leftOut: [] });
    } finally {
      await settings.update('text', undefined, Global);
      await settings.update('enabled', undefined, Workspace);
      await vscode.workspace.fs.delete(sampleFile('.vscode'), { recursive: true }).then(undefined, () => {});
    }
  });

  it('of a folder go along unless it turns them off, and two folders of one name keep theirs apart', async () => {
    const { workspace } = vscode;
    const folders = ['one', 'two', 'off'].map((name, index) => ({ uri: sampleFile(name), name: 'app', index }));
    for (const { uri } of folders) await write(`${uri.path.split('/').at(-1)}/AGENTS.md`, `Of ${uri.path}`);
    const real = Object.getOwnPropertyDescriptors(workspace);
    const { getConfiguration } = workspace;
    const replace = (name: keyof typeof workspace, how: PropertyDescriptor) =>
      Object.defineProperty(workspace, name, { ...how, configurable: true });
    try {
      replace('workspaceFolders', { get: () => folders });
      const nothing = { dispose: () => {} };
      const watcher = {
        ...nothing,
        onDidCreate: () => nothing,
        onDidChange: () => nothing,
        onDidDelete: () => nothing,
      };
      replace('createFileSystemWatcher', { value: () => watcher });
      replace('asRelativePath', { value: () => 'app/AGENTS.md' });
      replace('getConfiguration', {
        value: (section?: string, scope?: vscode.Uri) =>
          String(scope) === String(folders[2]!.uri)
            ? { inspect: () => ({ workspaceFolderValue: false }) }
            : getConfiguration(section, scope),
      });
      const { instructions } = await found([], async () => undefined);
      assert.deepEqual(instructions, [
        { path: 'app/AGENTS.md', text: `Of ${folders[0]!.uri.path}` },
        { path: 'app/AGENTS.md (2)', text: `Of ${folders[1]!.uri.path}` },
      ]);
    } finally {
      for (const name of ['workspaceFolders', 'createFileSystemWatcher', 'asRelativePath', 'getConfiguration'] as const)
        Object.defineProperty(workspace, name, real[name]!);
      for (const { uri } of folders) await workspace.fs.delete(uri, { recursive: true });
    }
  });

  it('are not held up by one that can not be judged, nor by what stands in one', async () => {
    await write('AGENTS.md', 'Be brief.');
    await write(TS, `---\nx: ${'['.repeat(6000)}${']'.repeat(6000)}\napplyTo: "**"\n---\nUse tabs.`);
    const { instructions, leftOut } = await found([], async ({ path }) => {
      if (path.endsWith('AGENTS.md')) throw new Error('The disk is gone.');
      return undefined;
    });
    assert.deepEqual(paths({ instructions, leftOut }), [TS]);
    assert.deepEqual(leftOut, [{ path: 'AGENTS.md', why: 'AGENTS.md can’t be read as text.' }]);
  });

  it('go along as the files are when a question is sent, though no watcher has told of them', async () => {
    const instructions = new Instructions();
    try {
      assert.deepEqual(paths(await instructions.for([])), []);
      await write('AGENTS.md', 'Be brief.');
      const told = new Promise<void>((done) => instructions.onDidChange(() => done()));
      assert.deepEqual(await instructions.take([]), [{ path: 'AGENTS.md', text: 'Be brief.' }]);
      // So that it is shown, too.
      await told;
      assert.deepEqual(paths(await instructions.for([])), ['AGENTS.md']);
    } finally {
      instructions.dispose();
    }
  });

  it('are shown as the last look found them, though an earlier one ends later', async () => {
    const changed = new Emitter<void>();
    const looks: ((guidance: Guidance) => void)[] = [];
    const guidance = new ChatGuidance({
      onDidChange: changed.event,
      for: () => new Promise<Guidance>((done) => looks.push(done)),
      take: async () => [],
      look: async () => {},
    });
    const shown = () => guidance.shown([], { text: '', chips: [] }, []);
    const told = new Promise<void>((done) => guidance.onDidChange(() => shown() && done()));
    shown();
    changed.fire();
    assert.equal(looks.length, 2);
    looks[0]!({ instructions: [], leftOut: [] });
    looks[1]!({ instructions: [{ path: 'AGENTS.md', text: 'Be brief.' }], leftOut: [] });
    await told;
    assert.equal(shown()!.files.length, 1);
    assert.equal(looks.length, 2);
    guidance.dispose();
  });

  describe('in the chat', () => {
    let scene: Scene;
    beforeEach(() => {
      scene = new Scene();
      scene.say({ type: 'ready' });
    });
    afterEach(() => scene.dispose());
    const sentWith = async (text: string, part?: { replaces: string }) => {
      const { request } = await scene.send(text, part);
      return request?.kind === 'chat' ? request.input.instructions : undefined;
    };

    it('are shown as they come and change, and go along as shown with the files of the question', async () => {
      await scene.surroundings(({ instructions }) => instructions === undefined);
      await write(TS, forTs);
      await write('AGENTS.md', 'Be brief.');
      const { instructions } = await scene.surroundings((value) => value.instructions?.files.length === 1);
      assert.deepEqual(instructions, { files: [{ path: 'AGENTS.md', tokens: 3 }], leftOut: [] });
      assert.deepEqual(await sentWith('Hello'), [{ path: 'AGENTS.md', text: 'Be brief.' }]);
      await vscode.window.showTextDocument(sampleFile('src/client.ts'));
      await scene.surroundings((value) => value.instructions?.files.length === 2);
      assert.deepEqual(
        (await sentWith('And this?'))?.map(({ path }) => path),
        ['AGENTS.md', TS],
      );
    });

    it('stay out of a chat that the user left them out of, of an edited message, which has its own, and of an answer that goes on', async () => {
      await write('AGENTS.md', 'Be brief.');
      await scene.surroundings((value) => value.instructions?.files.length === 1);
      scene.say({ type: 'instructions', on: false });
      await scene.surroundings(({ instructions }) => instructions?.isOut === true);
      assert.equal(await sentWith('Hello'), undefined);
      scene.say({ type: 'instructions', on: true });
      await scene.surroundings(({ instructions }) => instructions?.isOut === undefined);
      assert.equal((await sentWith('Again'))?.length, 1);
      assert.equal(await sentWith('Edited', { replaces: crypto.randomUUID() }), undefined);
      const before = scene.requests.length;
      scene.say({ type: 'continue', runId: crypto.randomUUID() });
      while (scene.requests.length === before) await new Promise((done) => setTimeout(done));
      const { input } = scene.requests.at(-1)!;
      assert.equal('instructions' in input ? input.instructions : undefined, undefined);
    });
  });
});
