import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { AcceptedFile } from '../../../extension/edit/changes/proposal.ts';
import type { StaleFiles } from '../../../extension/edit/checkpoints/checkpointDialogs.ts';
import { Checkpoints } from '../../../extension/edit/checkpoints/checkpoints.ts';
import { ProposalScene } from './proposalScene.ts';

const BEFORE = 'one\ntwo\nthree\nfour\nfive\n';
const AFTER = 'one\nTWO\nthree\nfour\nfive\nsix\n';
const log = { info: () => {}, warn: () => {}, error: () => {} };
const source = { title: 'Edit of a test', runId: 'a run' };

describe('checkpoints', () => {
  let scene: ProposalScene;
  let checkpoints: Checkpoints;
  let asked: StaleFiles[];
  let isAgreed: boolean;
  const open = (bounds?: { checkpoints: number; bytes: number }) =>
    new Checkpoints(scene.uri('storage'), log, bounds, async (ask) => {
      asked.push(ask);
      return isAgreed;
    });
  const stored = async () =>
    (await vscode.workspace.fs.readDirectory(scene.uri('storage/checkpoints'))).map(([name]) => name);

  beforeEach(() => {
    scene = new ProposalScene();
    asked = [];
    isAgreed = false;
    checkpoints = open();
  });
  afterEach(async () => {
    checkpoints.dispose();
    await scene.dispose();
  });

  /** An updated, a new, a moved and a deleted file, as they are when they were accepted. */
  async function accept(): Promise<{ id: string; files: AcceptedFile[] }> {
    const uri = (name: string) => scene.uri(name).toString();
    const files: AcceptedFile[] = [
      { uri: uri('a.txt'), before: BEFORE, after: AFTER },
      { uri: uri('n.txt'), before: undefined, after: 'fresh\n' },
      { uri: uri('m.txt'), movedTo: uri('moved/m.txt'), before: BEFORE, after: AFTER },
      { uri: uri('d.txt'), before: BEFORE, after: undefined },
    ];
    await scene.write('a.txt', AFTER);
    await scene.write('n.txt', 'fresh\n');
    await scene.write('moved/m.txt', AFTER);
    return { id: await checkpoints.record({ source, files }), files };
  }
  const ACCEPTED = { 'a.txt': AFTER, 'n.txt': 'fresh\n', 'm.txt': undefined, 'moved/m.txt': AFTER, 'd.txt': undefined };
  const TAKEN_BACK = {
    ...{ 'a.txt': BEFORE, 'n.txt': undefined, 'm.txt': BEFORE, 'moved/m.txt': undefined, 'd.txt': BEFORE },
  };
  async function onDisk() {
    const texts: Record<string, string | undefined> = {};
    for (const name of Object.keys(ACCEPTED)) texts[name] = await scene.disk(name);
    return texts;
  }
  const state = async (id: string) => (await checkpoints.list()).find((one) => one.id === id)?.state;

  it('list what was accepted, newest first, with what it did to each file', async () => {
    const first = await accept();
    const second = await checkpoints.record({
      source: { title: 'Second' },
      files: [{ uri: scene.uri('a.txt').toString(), before: 'a\n', after: 'a\nb\n' }],
    });
    const list = await checkpoints.list();
    assert.deepEqual(
      list.map(({ id, state, source: { title } }) => [id, state, title]),
      [
        [second, 'applied', 'Second'],
        [first.id, 'applied', 'Edit of a test'],
      ],
    );
    assert.deepEqual(
      list[1]!.files.map(({ path, change, added, removed }) => [path, change, added, removed]),
      [
        [scene.path('a.txt'), 'updated', 2, 1],
        [scene.path('n.txt'), 'created', 1, 0],
        [scene.path('moved/m.txt'), 'moved', 2, 1],
        [scene.path('d.txt'), 'deleted', 0, 5],
      ],
    );
  });

  it('are taken back as a whole, applied again, and both undone by one undo', async () => {
    const { id } = await accept();
    assert.deepEqual(await onDisk(), ACCEPTED);
    await scene.show('a.txt');
    assert.equal(await checkpoints.takeBack(id), 'done');
    assert.deepEqual(await onDisk(), TAKEN_BACK);
    assert.equal(await state(id), 'takenBack');

    await scene.show('a.txt');
    await vscode.commands.executeCommand('undo');
    await scene.until(async () => (await scene.disk('moved/m.txt')) !== undefined);
    assert.equal(await scene.text('a.txt'), AFTER);
    await vscode.commands.executeCommand('redo');
    await scene.until(async () => (await scene.disk('d.txt')) !== undefined);
    assert.equal(await scene.text('a.txt'), BEFORE);
    await vscode.workspace.saveAll();

    assert.equal(await checkpoints.applyAgain(id), 'done');
    assert.deepEqual(await onDisk(), ACCEPTED);
    assert.equal(await state(id), 'applied');
    assert.deepEqual(asked, []);
  });

  it('leave what was changed elsewhere in a file, and its unsaved changes unsaved', async () => {
    const { id } = await accept();
    await scene.insert('a.txt', 3, 'typed\n');
    assert.equal(await checkpoints.takeBack(id), 'done');
    assert.equal(await scene.text('a.txt'), 'one\ntwo\nthree\ntyped\nfour\nfive\n');
    assert.equal(await scene.disk('a.txt'), AFTER);
  });

  it('write nothing when a file was changed in their way, and say which lines', async () => {
    const { id } = await accept();
    await scene.write('a.txt', AFTER.replace('TWO', 'II'));
    const before = await onDisk();
    assert.equal(await checkpoints.takeBack(id), 'blocked');
    assert.deepEqual(await onDisk(), before);
    assert.equal(await state(id), 'applied');
    const [ask] = asked;
    assert.equal(ask?.others, 3);
    assert.deepEqual(
      ask?.stale.map(({ change, lines }) => [change.uri, lines]),
      [[scene.uri('a.txt').toString(), [{ start: 2, end: 2 }]]],
    );
    const left = await vscode.workspace.openTextDocument(ask!.accepted(ask!.stale[0]!.change));
    assert.equal(left.getText(), AFTER, 'what it is compared with is the file as it was accepted');
  });

  it('are taken back of the others when that is wished, and later of the rest', async () => {
    const { id } = await accept();
    await scene.write('n.txt', 'fresh\nand more\n');
    await scene.write('d.txt', 'another file\n');
    isAgreed = true;
    assert.equal(await checkpoints.takeBack(id), 'partly');
    assert.deepEqual(await onDisk(), { ...TAKEN_BACK, 'n.txt': 'fresh\nand more\n', 'd.txt': 'another file\n' });
    assert.equal(await state(id), 'applied');
    const files = (await checkpoints.list())[0]!.files.map(({ isTakenBack }) => isTakenBack);
    assert.deepEqual(files, [true, false, true, false]);

    await scene.write('n.txt', 'fresh\n');
    await vscode.workspace.fs.delete(scene.uri('d.txt'));
    assert.equal(await checkpoints.takeBack(id), 'done');
    assert.deepEqual(await onDisk(), TAKEN_BACK);
  });

  it('tell what is in the way also when there is nothing else to take back', async () => {
    await scene.write('a.txt', 'all new\n');
    const file = { uri: scene.uri('a.txt').toString(), before: BEFORE, after: AFTER };
    const id = await checkpoints.record({ source, files: [file] });
    assert.equal(await checkpoints.takeBack(id), 'blocked');
    assert.deepEqual(
      asked.map(({ others, stale }) => [others, stale.length]),
      [[0, 1]],
    );
    assert.equal(await scene.disk('a.txt'), 'all new\n');
  });

  it('have nothing to do where the editor’s own undo was faster', async () => {
    const { id } = await accept();
    await scene.write('a.txt', BEFORE);
    await vscode.workspace.fs.delete(scene.uri('n.txt'));
    assert.equal(await checkpoints.takeBack(id), 'done');
    assert.deepEqual(await onDisk(), TAKEN_BACK);
    assert.deepEqual(asked, []);
  });

  it('know what the editor’s own undo took back, what its redo applied again, and the undo of a take back', async () => {
    await scene.write('a.txt', BEFORE);
    const editor = await scene.show('a.txt');
    await editor.edit((edit) => edit.replace(new vscode.Range(0, 0, 9, 0), AFTER));
    const file = { uri: scene.uri('a.txt').toString(), before: BEFORE, after: AFTER };
    const id = await checkpoints.record({ source, files: [file] });
    const becomes = async (wanted: 'applied' | 'takenBack') => {
      while ((await state(id)) !== wanted) {
        await new Promise<void>((resolve) => {
          const listening = checkpoints.onDidChange(() => {
            listening.dispose();
            resolve();
          });
        });
      }
    };
    await vscode.commands.executeCommand('undo');
    await becomes('takenBack');
    await vscode.commands.executeCommand('redo');
    await becomes('applied');
    assert.equal(await checkpoints.takeBack(id), 'done');
    await scene.show('a.txt');
    await vscode.commands.executeCommand('undo');
    await becomes('applied');
    assert.equal(await scene.text('a.txt'), AFTER);
    assert.equal(await checkpoints.takeBack(id), 'done');
    assert.equal(await scene.text('a.txt'), BEFORE);
    assert.deepEqual(scene.messages.told, []);
  });

  it('say so where all of it was taken back by hand', async () => {
    await scene.write('a.txt', AFTER);
    const file = { uri: scene.uri('a.txt').toString(), before: BEFORE, after: AFTER };
    const id = await checkpoints.record({ source, files: [file] });
    await scene.write('a.txt', BEFORE);
    assert.equal(await checkpoints.takeBack(id), 'done');
    await scene.messages.next(/^It was no longer in the file; nothing changed\.$/);
    assert.equal(await state(id), 'takenBack');
  });

  it('survive a reload of the window', async () => {
    const { id } = await accept();
    await checkpoints.takeBack(id);
    checkpoints.dispose();
    checkpoints = open();
    assert.equal(await state(id), 'takenBack');
    assert.equal(await checkpoints.applyAgain(id), 'done');
    assert.deepEqual(await onDisk(), ACCEPTED);
  });

  it('are bounded in number and in size, the oldest dropped', async () => {
    checkpoints.dispose();
    checkpoints = open({ checkpoints: 3, bytes: 6_000 });
    const record = (text: string) =>
      checkpoints.record({ source, files: [{ uri: scene.uri('a.txt').toString(), before: '', after: text }] });
    const small = [await record('1'), await record('2'), await record('3'), await record('4')];
    assert.deepEqual(
      (await checkpoints.list()).map(({ id }) => id),
      small.slice(1).reverse(),
    );
    const large = await record('x'.repeat(5_950));
    assert.deepEqual(
      (await checkpoints.list()).map(({ id }) => id),
      [large],
    );
    assert.deepEqual((await stored()).sort(), [`${large}.json`, `${large}.texts.json`]);
    await record('x'.repeat(7_000));
    assert.equal((await checkpoints.list()).length, 1, 'what is too large is not kept, and drops nothing');
  });

  it('are lost one by one when their files are damaged', async () => {
    const [damaged, cut, whole] = [await accept(), await accept(), await accept()];
    await scene.write(`storage/checkpoints/${damaged.id}.json`, '{"version": 1, "id":');
    await scene.write(`storage/checkpoints/${cut.id}.texts.json`, '[{"before"');
    await scene.write('storage/checkpoints/notes.json', '[]');
    checkpoints.dispose();
    checkpoints = open();
    assert.deepEqual((await checkpoints.list()).map(({ id }) => id).sort(), [cut.id, whole.id].sort());
    assert.equal(await checkpoints.takeBack(cut.id), 'failed');
    assert.deepEqual(await onDisk(), ACCEPTED);
    assert.equal(await checkpoints.takeBack(whole.id), 'done');
  });
});
