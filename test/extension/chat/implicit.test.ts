import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { ImplicitContext } from '../../../extension/chat/context/implicitContext.ts';
import type { Chip } from '../../../extension/chat/protocol.ts';
import { whyNotUnasked } from '../../../extension/platform/unasked.ts';
import { itBesideNode, noGit, perigee, sampleFile } from '../window.ts';
import { Scene } from './chatScene.ts';

const id = () => crypto.randomUUID();
const implicit = ({ chips }: { chips: Chip[] }) => chips.find((chip) => chip.implicit);
const scratch: vscode.Uri[] = [];

async function write(path: string, text: string | Uint8Array): Promise<vscode.Uri> {
  const uri = sampleFile(path);
  await vscode.workspace.fs.writeFile(uri, typeof text === 'string' ? new TextEncoder().encode(text) : text);
  scratch.push(uri);
  return uri;
}
async function show(uri: vscode.Uri): Promise<vscode.TextEditor> {
  const document = await vscode.workspace.openTextDocument(uri);
  // Where the cursor was when the file was open before is forgotten.
  return vscode.window.showTextDocument(document, { preview: false, selection: new vscode.Range(0, 0, 0, 0) });
}
async function closeAll(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}
/** What goes along of what is in front, as soon as it was looked at. */
async function seen(): Promise<ReturnType<ImplicitContext['beside']> & { why?: string }> {
  const context = new ImplicitContext();
  try {
    await new Promise<void>((done) => context.onDidChange(done));
    let why: string | undefined;
    try {
      context.inFront();
    } catch (error) {
      why = (error as Error).message;
    }
    return { ...context.beside({ text: '', chips: [] }), why };
  } finally {
    context.dispose();
  }
}
async function nothing(why: RegExp): Promise<void> {
  const found = await seen();
  assert.equal(found.chip, undefined);
  assert.match(found.why ?? '', why);
}

describe('what the editor shows goes along with a question', () => {
  let scene: Scene;
  before(async () => {
    // The extension's own chat is there first.
    await perigee();
  });
  beforeEach(async () => {
    await closeAll();
    scene = new Scene();
    scene.say({ type: 'ready' });
  });
  afterEach(async () => {
    scene.controller.dispose();
    await closeAll();
    for (const uri of scratch.splice(0).reverse())
      await vscode.workspace.fs.delete(uri, { recursive: true }).then(undefined, () => {});
  });

  /** Sends a text as the page would, with the chip that it shows. Resolves to what was attached. */
  async function send(text: string, part: { replaces?: string; implicit?: string | undefined } = {}) {
    const sent = scene.requests.length;
    const shown = implicit(scene.last('surroundings')!.value)?.id;
    const message = { type: 'send' as const, requestId: id(), text, chatId: scene.chatId, implicit: shown, ...part };
    scene.say(JSON.parse(JSON.stringify(message)));
    const told = scene.told.length;
    while (!scene.told.slice(told).some(({ type }) => type === 'sent' || type === 'notSent'))
      await new Promise((done) => setTimeout(done));
    const request = scene.requests[sent];
    return request?.kind === 'chat' ? (request.input.attachments ?? []) : undefined;
  }

  it('the ten lines that are selected, with path and language, as the chip says', async () => {
    const editor = await show(sampleFile('src/client.ts'));
    editor.selection = new vscode.Selection(1, 3, 11, 0);
    const chip = implicit(await scene.surroundings((value) => implicit(value)?.implicit === 'selection'))!;
    assert.deepEqual([chip.label, chip.path, chip.range], ['client.ts:2–11', 'src/client.ts', { start: 1, end: 10 }]);
    assert.equal(chip.lines, 10);
    const text = editor.document.getText().split('\n').slice(1, 11).join('\n');
    assert.equal(chip.tokens, Math.ceil(new TextEncoder().encode(text).length / 4));
    assert.deepEqual(await send('Explain this function'), [
      { kind: 'selection', path: 'src/client.ts', range: { start: 1, end: 10 }, languageId: 'typescript', text },
    ]);
  });

  it('the visible part where nothing is selected, and it follows the editor', async () => {
    const uri = await write('long.txt', Array.from({ length: 2000 }, (_, i) => `line ${i}`).join('\n'));
    const editor = await show(uri);
    const first = implicit(await scene.surroundings((value) => implicit(value)?.implicit === 'visible'))!;
    assert.deepEqual([first.label, first.range?.start], ['long.txt, visible part', 0]);
    editor.revealRange(new vscode.Range(1000, 0, 1000, 0), vscode.TextEditorRevealType.AtTop);
    const next = implicit(await scene.surroundings((value) => (implicit(value)?.range?.start ?? 0) > 900))!;
    const [sent] = (await send('What is this?'))!;
    assert.ok(sent && 'text' in sent && sent.visible && sent.kind === 'selection');
    assert.deepEqual(sent.range, next.range);
    assert.match(sent.text, /^line 9\d\d\n|^line 1000\n/);
    assert.ok(sent.text.split('\n').length < 300);
    editor.selection = new vscode.Selection(1500, 0, 1500, 4);
    await scene.surroundings((value) => implicit(value)?.label === 'long.txt:1501');
  });

  it('a whole file, counted without the empty line after its last line break', async () => {
    await show(await write('three.txt', 'a\nb\nc\n'));
    const chip = implicit(await scene.surroundings((value) => implicit(value)?.label === 'three.txt, visible part'))!;
    assert.deepEqual([chip.lines, chip.range], [3, { start: 0, end: 3 }]);
    const [sent] = (await send('What is this?'))!;
    assert.equal('text' in sent! && sent.text, 'a\nb\nc\n');
  });

  it('what is folded away is not visible, and stays', async () => {
    const uri = await write('folded.txt', ['a', ...Array.from({ length: 50 }, () => '  hidden'), 'b'].join('\n'));
    await show(uri);
    await vscode.commands.executeCommand('editor.foldAll');
    const { chips } = await scene.surroundings((value) => (implicit(value)?.tokens ?? 99) < 10);
    assert.equal(implicit({ chips })?.lines, 2);
    assert.equal(chips.length, 1);
    const [sent] = (await send('What is this?'))!;
    assert.equal('text' in sent! && sent.text, 'a\n…\nb');
  });

  it('unless it is removed: that holds for its file in this chat, also in another host, until it is turned on again', async () => {
    const editor = await show(sampleFile('src/client.ts'));
    const first = await scene.surroundings((value) => implicit(value) !== undefined);
    scene.say({ type: 'detach', id: implicit(first)!.id });
    await scene.surroundings(({ leftOut }) => leftOut?.label === 'client.ts, visible part');
    editor.selection = new vscode.Selection(0, 0, 2, 0);
    const still = await scene.surroundings(({ leftOut }) => leftOut?.label === 'client.ts:1–2');
    assert.equal(implicit(still), undefined);
    assert.deepEqual(await send('A question'), []);
    const reloaded = new Scene(scene.windowMemory, scene.memory);
    reloaded.say({ type: 'ready' });
    await reloaded.surroundings(({ leftOut }) => leftOut?.label === 'client.ts:1–2');
    reloaded.controller.dispose();
    // Another file was not removed.
    await show(sampleFile('src/totals.py'));
    await scene.surroundings((value) => implicit(value)?.path === 'src/totals.py');
    await show(sampleFile('src/client.ts'));
    await scene.surroundings(({ leftOut }) => leftOut !== undefined);
    scene.say({ type: 'attachImplicit' });
    await scene.surroundings((value) => implicit(value)?.path === 'src/client.ts');
    assert.equal((await send('Another'))!.length, 1);
  });

  it('not after the key that turns it off, and again after the next', async () => {
    await show(sampleFile('src/client.ts'));
    await scene.surroundings((value) => implicit(value) !== undefined);
    await scene.controller.toggleImplicitContext();
    await scene.surroundings(({ chips, leftOut }) => chips.length === 0 && leftOut !== undefined);
    await scene.controller.toggleImplicitContext();
    await scene.surroundings((value) => implicit(value) !== undefined);
  });

  it('never where the setting is off, in whichever place', async () => {
    await show(sampleFile('src/client.ts'));
    await scene.surroundings((value) => implicit(value) !== undefined);
    const settings = vscode.workspace.getConfiguration('perigee.chat');
    try {
      await settings.update('implicitContext', false, vscode.ConfigurationTarget.Global);
      await scene.surroundings(({ chips, leftOut }) => chips.length === 0 && leftOut === undefined);
      await settings.update('implicitContext', true, vscode.ConfigurationTarget.Workspace);
      await nothing(/perigee\.chat\.implicitContext is off/);
    } finally {
      await settings.update('implicitContext', undefined, vscode.ConfigurationTarget.Global);
      await settings.update('implicitContext', undefined, vscode.ConfigurationTarget.Workspace);
      await vscode.workspace.fs.delete(sampleFile('.vscode'), { recursive: true }).then(undefined, () => {});
    }
  });

  it('never where the setting is off for the language of the file', async () => {
    await show(sampleFile('src/client.ts'));
    await scene.surroundings((value) => implicit(value) !== undefined);
    const settings = vscode.workspace.getConfiguration('perigee.chat', { languageId: 'typescript' });
    try {
      await settings.update('implicitContext', false, vscode.ConfigurationTarget.Global, true);
      await scene.surroundings(({ chips, leftOut }) => chips.length === 0 && leftOut === undefined);
      await nothing(/perigee\.chat\.implicitContext is off/);
      await show(sampleFile('README.md'));
      await scene.surroundings((value) => implicit(value) !== undefined);
    } finally {
      await settings.update('implicitContext', undefined, vscode.ConfigurationTarget.Global, true);
    }
  });

  it('no other than the page showed, and none with an earlier message that is edited', async () => {
    await show(sampleFile('src/client.ts'));
    await scene.surroundings((value) => implicit(value) !== undefined);
    assert.deepEqual(await send('Nothing was shown', { implicit: undefined }), []);
    assert.deepEqual(await send('Something else was shown', { implicit: 'implicit selection file:///etc/passwd' }), []);
    assert.deepEqual(await send('Edited', { replaces: id() }), []);
  });

  it('no visible part of a file that is attached whole; a selection of it still does', async () => {
    const editor = await show(sampleFile('src/client.ts'));
    await scene.surroundings((value) => implicit(value) !== undefined);
    scene.say({ type: 'attach', kind: 'file' });
    const whole = await scene.surroundings(({ chips }) => chips.some(({ kind }) => kind === 'file'));
    assert.equal(implicit(whole), undefined);
    editor.selection = new vscode.Selection(0, 0, 3, 0);
    await scene.surroundings((value) => implicit(value)?.implicit === 'selection');
    scene.say({ type: 'attach', kind: 'selection' });
    const both = await scene.surroundings(({ chips }) => chips.length === 2 && !implicit({ chips }));
    assert.deepEqual(
      both.chips.map(({ kind }) => kind),
      ['file', 'selection'],
    );
  });

  it('a selection of 5 MB is too large, which is said, and the question goes without it', async () => {
    const uri = await write('big.txt', `${'x'.repeat(99)}\n`.repeat(52_000));
    const editor = await show(uri);
    editor.selection = new vscode.Selection(0, 0, 51_999, 0);
    const { leftOut, chips } = await scene.surroundings((value) => value.leftOut?.label === 'big.txt:1–51999');
    assert.match(leftOut?.why ?? '', /too large to go along unasked: 5,200 KB, and at most 100 KB do\. Select less/);
    assert.deepEqual(chips, []);
    assert.deepEqual(await send('What is this?'), []);
  });

  it('of a very long line only what is selected', async () => {
    const uri = await write('packed.js', `${'a;'.repeat(60_000)}wanted();${'b;'.repeat(60_000)}`);
    const editor = await show(uri);
    await scene.surroundings(({ leftOut }) => /at most 20 KB/.test(leftOut?.why ?? ''));
    editor.selection = new vscode.Selection(0, 120_000, 0, 120_009);
    await scene.surroundings((value) => implicit(value)?.label === 'packed.js:1');
    const [sent] = (await send('What is this?'))!;
    assert.equal('text' in sent! && sent.text, 'wanted();');
  });

  it('nothing of a file that was ignored since it was shown: the question is kept, with the reason', async () => {
    const uri = await write('notes.txt', 'some notes');
    await show(uri);
    await scene.surroundings((value) => implicit(value)?.label === 'notes.txt, visible part');
    await write('.gitignore', 'notes.*');
    assert.equal(await send('What are these?'), undefined);
    const { problem } = scene.last('notSent')!;
    assert.match(
      problem.detail,
      /notes\.txt is among the files that this workspace leaves out.*Send the question again/,
    );
    await scene.surroundings(({ chips }) => chips.length === 0);
    assert.deepEqual(await send('What are these?'), []);
  });

  describe('but nothing of', () => {
    for (const name of ['.env', '.env.local', '.npmrc', 'id_ed25519', 'server.pem', 'credentials.json', 'prod.tfvars'])
      it(`${name}, selected or not`, async () => {
        const editor = await show(await write(name, 'KEY=secret\n'));
        await nothing(/may hold secrets\. Attach it yourself/);
        editor.selection = new vscode.Selection(0, 0, 0, 10);
        await nothing(/may hold secrets/);
      });

    it('files that ignore files leave out, nested ones and negations read as Git does', async () => {
      await write('.gitignore', 'out/\n*.log\n!kept.log\n');
      await write('src/.gitignore', '/generated.ts');
      for (const path of ['out/deep/a.ts', 'a.log', 'src/generated.ts']) {
        await show(await write(path, 'text'));
        await nothing(/among the files that this workspace leaves out/);
      }
      await show(await write('kept.log', 'text'));
      assert.equal((await seen()).chip?.path, 'kept.log');
      scratch.push(sampleFile('out'));
    });

    it('files that the settings exclude, by their folder and by a file beside them too', async () => {
      const settings = vscode.workspace.getConfiguration();
      const place = vscode.ConfigurationTarget.Global;
      try {
        await settings.update('files.exclude', { '**/private': true, '**/*.js': { when: '$(basename).ts' } }, place);
        await settings.update('search.exclude', { 'vendor/**': true, '**/shown': false }, place);
        await write('both.ts', 'text');
        for (const path of ['private/a.ts', 'vendor/b/c.ts', 'both.js']) {
          await show(await write(path, 'text'));
          await nothing(/among the files that this workspace leaves out/);
        }
        for (const path of ['alone.js', 'shown/a.ts']) {
          await show(await write(path, 'text'));
          assert.equal((await seen()).chip?.path, path);
        }
        scratch.push(...['private', 'vendor', 'shown'].map(sampleFile));
      } finally {
        await settings.update('files.exclude', undefined, place);
        await settings.update('search.exclude', undefined, place);
      }
    });

    itBesideNode('a file outside the workspace, or one that a link leads to', noGit, async () => {
      // By names that the bundle for the web doesn't look for.
      const module = (name: string) => import(name);
      const { mkdtemp, rm, symlink, writeFile }: typeof import('node:fs/promises') = await module('node:fs/promises');
      const { join }: typeof import('node:path') = await module('node:path');
      const { tmpdir }: typeof import('node:os') = await module('node:os');
      const elsewhere = await mkdtemp(join(tmpdir(), 'perigee-outside-'));
      try {
        await writeFile(join(elsewhere, 'a.txt'), 'of somebody else');
        await show(vscode.Uri.file(join(elsewhere, 'a.txt')));
        await nothing(/^Perigee sends only files of the workspace/);
        for (const [name, target] of [
          ['link.txt', join(elsewhere, 'a.txt')],
          ['linked', elsewhere],
        ] as const) {
          await symlink(target, sampleFile(name).fsPath);
          scratch.push(sampleFile(name));
        }
        for (const path of ['link.txt', 'linked/a.txt']) {
          await show(sampleFile(path));
          await nothing(/is reached through a link/);
        }
      } finally {
        await rm(elsewhere, { recursive: true });
      }
    });

    it('a new file that is not saved', async () => {
      await show((await vscode.workspace.openTextDocument({ content: 'TOKEN=1' })).uri);
      await nothing(/^Perigee sends only files of the workspace/);
      await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    });

    it('what only looks like a file of the workspace: a cell of a notebook, a former version, output, a proposal', async () => {
      const file = sampleFile('src/client.ts');
      for (const scheme of ['vscode-notebook-cell', 'git', 'output', 'untitled', 'perigee-proposed', 'vscode-vfs'])
        assert.match(
          (await whyNotUnasked(file.with({ scheme }))) ?? '',
          /^Perigee sends only files of the workspace/,
          scheme,
        );
      const outside = file.with({ path: file.path.replace('/src/', '/src/../../../') });
      assert.match((await whyNotUnasked(outside)) ?? '', /^Perigee sends only files of the workspace/);
    });

    it('the former side of a comparison: only the one that can be edited', async () => {
      const former = await write('former.txt', 'what was there before');
      await vscode.commands.executeCommand('vscode.diff', former, sampleFile('src/client.ts'));
      assert.equal((await seen()).chip?.path, 'src/client.ts');
    });

    it('what is in front of an output that has the focus: the file behind it stays the one in front', async () => {
      await show(sampleFile('src/client.ts'));
      const output = vscode.window.createOutputChannel('Somewhere else');
      try {
        output.appendLine('words');
        output.show();
        assert.equal((await seen()).chip?.path, 'src/client.ts');
      } finally {
        output.dispose();
        await vscode.commands.executeCommand('workbench.action.closePanel');
      }
    });

    it('a binary file, or one without a word in it', async () => {
      await show(await write('blank.txt', ' \n\n\t\n'));
      await nothing(/shows no text/);
      const editor = await show(await write('data.txt', 'PK'));
      // As it is shown to somebody who opens it in spite of the editor's warning.
      await editor.edit((edit) => edit.insert(new vscode.Position(0, 2), '\u0003\u0000 and more'));
      assert.ok(editor.document.getText().includes('\0'));
      await nothing(/shows no text/);
      await vscode.commands.executeCommand('workbench.action.files.revert');
    });

    it('a workspace that is not trusted', async () => {
      const uri = sampleFile('src/client.ts');
      assert.equal(await whyNotUnasked(uri), undefined);
      assert.match((await whyNotUnasked(uri, { isTrusted: false })) ?? '', /do not trust/);
    });

    it('a file that is gone, and what can not be judged', async () => {
      const uri = await write('gone.txt', 'text');
      await vscode.workspace.fs.delete(uri);
      assert.match((await whyNotUnasked(uri)) ?? '', /could not be found out/);
    });
  });
});
