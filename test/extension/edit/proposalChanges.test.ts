import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { change, create, move, ProposalScene, remove } from './proposalScene.ts';

const A = 'one\ntwo\nthree\nfour\nfive\nsix\n';

describe('a proposal whose files change before it is accepted', () => {
  let scene: ProposalScene;
  beforeEach(() => {
    scene = new ProposalScene();
  });
  afterEach(() => scene.dispose());

  it('keeps what was typed elsewhere, and leaves a file unsaved that was so', async () => {
    await scene.write('a.txt', A);
    const proposal = await scene.propose(change('a.txt', ['five'], ['FIVE']));
    await scene.insert('a.txt', 0, 'typed\n');
    await scene.proposals.acceptAll(proposal);
    const document = await vscode.workspace.openTextDocument(scene.uri('a.txt'));
    assert.equal(document.getText(), 'typed\none\ntwo\nthree\nfour\nFIVE\nsix\n');
    assert.ok(document.isDirty, 'what was not saved before is not saved by the acceptance');
    assert.equal(await scene.disk('a.txt'), A);
  });

  it('moves no cursor and leaves the other lines alone', async () => {
    await scene.write('a.txt', A);
    const proposal = await scene.propose(change('a.txt', ['two'], ['TWO', 'AND A HALF']));
    const editor = await scene.show('a.txt');
    editor.selection = new vscode.Selection(4, 2, 4, 2);
    const changed: vscode.Range[] = [];
    const heard = vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (document === editor.document) changed.push(...contentChanges.map(({ range }) => range));
    });
    await scene.proposals.acceptAll(proposal);
    heard.dispose();
    assert.deepEqual(
      changed.map(({ start, end }) => [start.line, end.line]),
      [[1, 1]],
    );
    assert.deepEqual([editor.selection.active.line, editor.selection.active.character], [5, 2]);
  });

  it('refuses a file whose lines were changed, and accepts the rest only when the user agrees', async () => {
    await scene.write('a.txt', A);
    await scene.write('b.txt', A);
    const proposal = await scene.propose(change('a.txt', ['two'], ['TWO']), change('b.txt', ['two'], ['TWO']));
    await scene.insert('a.txt', 1, 'typed in front of ');
    await scene.proposals.acceptAll(proposal);
    await scene.messages.next(/does not fit any more/);
    assert.equal(await scene.disk('b.txt'), A, 'nothing happens without an answer');
    assert.equal(scene.file(proposal, 'a.txt').state, 'stale');

    scene.messages.press('Accept the other file');
    await scene.proposals.acceptAll(proposal);
    assert.equal(await scene.disk('b.txt'), A.replace('two', 'TWO'));
    assert.equal(await scene.text('a.txt'), A.replace('two', 'typed in front of two'));
    const [left] = scene.proposals.list.proposals;
    assert.deepEqual(
      left?.files.map(({ state }) => state),
      ['stale', 'accepted'],
    );
  });

  it('fits again when the lines are as they were', async () => {
    await scene.write('a.txt', A);
    const proposal = await scene.propose(change('a.txt', ['two'], ['TWO']));
    const state = () => scene.file(proposal, 'a.txt').state;
    await scene.insert('a.txt', 1, 'typed in front of ');
    await scene.until(() => state() === 'stale');
    await vscode.commands.executeCommand('undo');
    await scene.until(() => state() === 'open');
  });

  it('follows a file that another program writes', async () => {
    await scene.write('a.txt', A);
    await scene.show('a.txt');
    const proposal = await scene.propose(change('a.txt', ['five'], ['FIVE']));
    await scene.write('a.txt', `zero\n${A}`);
    await scene.proposals.acceptAll(proposal);
    assert.equal(await scene.disk('a.txt'), `zero\n${A.replace('five', 'FIVE')}`);
  });

  const gone: [title: string, happens: () => Promise<void>, told: RegExp][] = [
    ['was deleted', async () => vscode.workspace.fs.delete(scene.uri('a.txt')), /is gone/],
    ['was moved', async () => vscode.workspace.fs.rename(scene.uri('a.txt'), scene.uri('z.txt')), /is gone/],
    ['became binary', async () => scene.write('a.txt', new Uint8Array([1, 0, 2])), /binary/],
    [
      'became a folder',
      async () => {
        await vscode.workspace.fs.delete(scene.uri('a.txt'));
        await vscode.workspace.fs.createDirectory(scene.uri('a.txt'));
      },
      /folder/,
    ],
  ];
  for (const [title, happens, told] of gone) {
    it(`changes nothing in a file that ${title}`, async () => {
      await scene.write('a.txt', A);
      const proposal = await scene.propose(change('a.txt', ['two'], ['TWO']));
      await happens();
      const before = await scene.disk('a.txt');
      await scene.proposals.acceptAll(proposal);
      await scene.messages.next(told);
      assert.equal(await scene.disk('a.txt'), before);
      assert.equal(scene.file(proposal, 'a.txt').state, 'stale');
    });
  }

  it('writes over no file that came to the place of a new or a moved one', async () => {
    await scene.write('m.txt', A);
    const proposal = await scene.propose(create('n.txt', ['fresh']), move('m.txt', 'to.txt'));
    await scene.write('n.txt', 'theirs\n');
    await scene.write('to.txt', 'theirs\n');
    await scene.proposals.acceptAll(proposal);
    await scene.messages.next(/Nothing was changed/);
    assert.equal(await scene.disk('n.txt'), 'theirs\n');
    assert.equal(await scene.disk('to.txt'), 'theirs\n');
    assert.equal(await scene.disk('m.txt'), A);
  });

  it('deletes no file that was changed', async () => {
    await scene.write('d.txt', A);
    const proposal = await scene.propose(remove('d.txt'));
    await scene.insert('d.txt', 0, 'typed\n');
    await scene.proposals.acceptAll(proposal);
    await scene.messages.next(/was changed since, so it is not deleted/);
    assert.equal(await scene.disk('d.txt'), A);
  });

  it('moves a file with what is unsaved in it', async () => {
    await scene.write('m.txt', A);
    const proposal = await scene.propose(move('m.txt', 'sub/to.txt'), change('m.txt', ['five'], ['FIVE']));
    await scene.insert('m.txt', 0, 'typed\n');
    await scene.proposals.acceptAll(proposal);
    assert.equal(await scene.disk('m.txt'), undefined);
    assert.equal(await scene.text('sub/to.txt'), `typed\n${A.replace('five', 'FIVE')}`);
  });

  it('keeps two proposals for one file apart', async () => {
    await scene.write('a.txt', A);
    const first = await scene.propose(change('a.txt', ['two'], ['TWO']));
    const second = await scene.propose(change('a.txt', ['five'], ['FIVE']));
    const rival = await scene.propose(change('a.txt', ['two'], ['another two']));
    await scene.proposals.acceptAll(first);
    await scene.proposals.acceptAll(second);
    assert.equal(await scene.disk('a.txt'), A.replace('two', 'TWO').replace('five', 'FIVE'));
    await scene.proposals.acceptAll(rival);
    await scene.messages.next(/was not changed/);
    assert.equal(await scene.disk('a.txt'), A.replace('two', 'TWO').replace('five', 'FIVE'));
  });

  it('accepts what is accepted twice at once only once', async () => {
    await scene.write('a.txt', A);
    const proposal = await scene.propose(change('a.txt', ['two'], ['TWO', 'AND A HALF']));
    await Promise.all([scene.proposals.acceptAll(proposal), scene.proposals.acceptAll(proposal)]);
    assert.equal(await scene.disk('a.txt'), A.replace('two', 'TWO\nAND A HALF'));
    assert.equal(scene.recorded.length, 1);
  });

  it('keeps line ends, byte order mark and the missing last line end', async () => {
    await scene.write('w.txt', '\uFEFFone\r\ntwo\r\nthree');
    const proposal = await scene.propose(change('w.txt', ['two', 'three'], ['TWO', 'three', 'four']));
    await scene.proposals.acceptAll(proposal);
    const bytes = await vscode.workspace.fs.readFile(scene.uri('w.txt'));
    assert.equal(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), '\uFEFFone\r\nTWO\r\nthree\r\nfour');
  });

  it('tells what saving made of a file, for that is what can be taken back', async () => {
    await scene.write('a.txt', A);
    const formatter = vscode.languages.registerDocumentFormattingEditProvider(
      { pattern: '**/a.txt' },
      { provideDocumentFormattingEdits: () => [vscode.TextEdit.replace(new vscode.Range(0, 0, 0, 3), 'formatted')] },
    );
    const settings = vscode.workspace.getConfiguration('editor');
    await settings.update('formatOnSave', true, vscode.ConfigurationTarget.Global);
    try {
      const proposal = await scene.propose(change('a.txt', ['five'], ['FIVE']));
      await scene.proposals.acceptAll(proposal);
    } finally {
      await settings.update('formatOnSave', undefined, vscode.ConfigurationTarget.Global);
      formatter.dispose();
    }
    const formatted = A.replace('five', 'FIVE').replace('one', 'formatted');
    assert.equal(await scene.disk('a.txt'), formatted);
    assert.equal(scene.recorded[0]?.files[0]?.after, formatted);
    assert.equal(scene.recorded[0]?.files[0]?.before, A);
  });

  it('loses nothing when the editor takes no changes', async () => {
    await scene.write('a.txt', A);
    await scene.write('b.txt', A);
    const proposal = await scene.propose(change('a.txt', ['two'], ['TWO']), create('n.txt', ['x']));
    const { applyEdit } = vscode.workspace;
    Object.defineProperty(vscode.workspace, 'applyEdit', {
      value: async () => false,
      configurable: true,
      writable: true,
    });
    try {
      await scene.proposals.acceptAll(proposal);
    } finally {
      Object.defineProperty(vscode.workspace, 'applyEdit', { value: applyEdit, configurable: true, writable: true });
    }
    await scene.messages.next(/refused the changes/);
    assert.deepEqual(
      scene.proposals.list.proposals[0]?.files.map(({ state }) => state),
      ['open', 'open'],
    );
    assert.equal(await scene.disk('a.txt'), A);
    await scene.proposals.acceptAll(proposal);
    assert.equal(await scene.disk('a.txt'), A.replace('two', 'TWO'));
  });
});
