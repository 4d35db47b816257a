import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { PROPOSED_SCHEME, ProposedContents, proposedUri } from '../../../extension/edit/proposals/proposedContents.ts';
import { change, create, move, ProposalScene, remove } from './proposalScene.ts';

const A = 'one\ntwo\nthree\nfour\nfive\nsix\n';

describe('a proposal of many files', () => {
  let scene: ProposalScene;
  beforeEach(() => {
    scene = new ProposalScene();
  });
  afterEach(() => scene.dispose());

  /** An update, one in a closed file, a new, a moved and a deleted file. */
  async function proposeAll() {
    await scene.write('a.txt', A);
    await scene.write('b.txt', A);
    await scene.write('m.txt', A);
    await scene.write('d.txt', A);
    return scene.propose(
      change('a.txt', ['two'], ['TWO']),
      change('b.txt', ['five'], ['FIVE', 'AND A HALF']),
      create('new/n.txt', ['fresh']),
      move('m.txt', 'moved/m.txt'),
      change('m.txt', ['three'], ['THREE']),
      remove('d.txt'),
    );
  }

  const before = { 'a.txt': A, 'b.txt': A, 'm.txt': A, 'd.txt': A, 'new/n.txt': undefined, 'moved/m.txt': undefined };
  const after = {
    'a.txt': 'one\nTWO\nthree\nfour\nfive\nsix\n',
    'b.txt': 'one\ntwo\nthree\nfour\nFIVE\nAND A HALF\nsix\n',
    'm.txt': undefined,
    'd.txt': undefined,
    'new/n.txt': 'fresh\n',
    'moved/m.txt': 'one\ntwo\nTHREE\nfour\nfive\nsix\n',
  };
  async function onDisk() {
    const texts: Record<string, string | undefined> = {};
    for (const name of Object.keys(before)) texts[name] = await scene.disk(name);
    return texts;
  }

  it('touches nothing before it is accepted, also when files are saved by themselves', async () => {
    const files = vscode.workspace.getConfiguration('files');
    const usual = files.inspect('autoSave')?.globalValue;
    await files.update('autoSave', 'afterDelay', vscode.ConfigurationTarget.Global);
    await files.update('autoSaveDelay', 50, vscode.ConfigurationTarget.Global);
    try {
      const proposal = await proposeAll();
      await scene.show('a.txt');
      for (const file of proposal.files) await scene.proposals.show(file);
      await scene.proposals.showAll(proposal);
      // Something else is saved by itself, so that there was time to.
      await scene.write('other.txt', 'x\n');
      await scene.insert('other.txt', 0, 'y\n');
      await scene.until(async () => (await scene.disk('other.txt')) === 'y\nx\n');
      assert.deepEqual(await onDisk(), before);
      assert.equal(await scene.text('a.txt'), A);
    } finally {
      await files.update('autoSave', usual, vscode.ConfigurationTarget.Global);
      await files.update('autoSaveDelay', undefined, vscode.ConfigurationTarget.Global);
    }
  });

  it('is accepted as one step that one undo takes back, new, moved and deleted files included', async () => {
    const proposal = await proposeAll();
    await scene.show('a.txt');
    await scene.proposals.acceptAll(proposal);
    await scene.until(async () => (await scene.disk('b.txt')) === after['b.txt']);
    assert.deepEqual(await onDisk(), after);
    assert.equal(scene.proposals.list.proposals.length, 0);

    await scene.show('a.txt');
    await vscode.commands.executeCommand('undo');
    await scene.until(async () => (await scene.text('b.txt')) === A && (await scene.disk('m.txt')) !== undefined);
    assert.equal(await scene.text('a.txt'), A);
    assert.equal(await scene.text('m.txt'), A);
    assert.equal(await scene.disk('moved/m.txt'), undefined);
    assert.equal(await scene.disk('new/n.txt'), undefined);
    assert.equal(await scene.disk('d.txt'), A);
  });

  it('tells what was accepted, so that it can be taken back', async () => {
    const proposal = await proposeAll();
    scene.messages.press('Take back');
    await scene.proposals.acceptAll(proposal);
    await scene.messages.next(/^Applied to a\.txt and 4 more\.$/);
    await scene.until(() => scene.takenBack.length > 0);
    const [accepted] = scene.recorded;
    assert.equal(accepted?.source.title, proposal.source.title);
    assert.deepEqual(
      accepted?.files.map(({ uri, movedTo, before, after }) => [
        uri.split(`${scene.folder}/`)[1],
        movedTo?.split(`${scene.folder}/`)[1],
        before,
        after,
      ]),
      [
        ['a.txt', undefined, A, after['a.txt']],
        ['b.txt', undefined, A, after['b.txt']],
        ['new/n.txt', undefined, undefined, 'fresh\n'],
        ['m.txt', 'moved/m.txt', A, after['moved/m.txt']],
        ['d.txt', undefined, A, undefined],
      ],
    );
    assert.deepEqual(scene.takenBack, ['a checkpoint']);
  });

  it('says at length why a file was refused, by its row and after the others were accepted', async () => {
    await scene.write('a.txt', A);
    await scene.write('b.txt', A);
    const proposal = await scene.propose(change('a.txt', ['two'], ['TWO']), change('b.txt', ['nowhere'], ['TWO']));
    const report = () => vscode.window.visibleTextEditors.find(({ document }) => /-report$/.test(document.uri.scheme));
    await scene.proposals.show(scene.file(proposal, 'b.txt'));
    await scene.until(() => report() !== undefined);
    assert.match(report()!.document.getText(), /b\.txt[\s\S]+Looked for[\s\S]+nowhere/);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    await scene.until(() => report() === undefined);

    scene.messages.press('Show why');
    await scene.proposals.acceptAll(proposal);
    await scene.messages.next(/^Applied to a\.txt\. 1 file could not be changed\.$/);
    await scene.until(() => report() !== undefined);
    assert.match(report()!.document.getText(), /nowhere/);
  });

  it('is accepted file by file', async () => {
    const proposal = await proposeAll();
    await scene.proposals.accept(scene.file(proposal, 'b.txt'));
    assert.equal(await scene.disk('b.txt'), after['b.txt']);
    assert.equal(await scene.disk('a.txt'), A);
    await scene.proposals.reject(scene.file(proposal, 'd.txt'));
    await scene.proposals.acceptAll(proposal);
    assert.deepEqual(await onDisk(), { ...after, 'd.txt': A });
    assert.equal(scene.proposals.list.proposals.length, 0);
    assert.equal(scene.recorded.length, 2);
  });

  it('rejects only what no acceptance has taken yet: what was rejected does not land afterwards', async () => {
    for (const isAll of [true, false]) {
      // Names of their own: a document that is open follows the disk late.
      const [a, b] = isAll ? ['a.txt', 'b.txt'] : ['c.txt', 'd.txt'];
      await scene.write(a, A);
      await scene.write(b, A);
      const proposal = await scene.propose(change(a, ['two'], ['TWO']), change(b, ['two'], ['TWO']));
      await scene.write(b, 'another\n');
      let answer = (_button: string) => {};
      const asked = new Promise<void>((isAsked) => {
        const ask = () =>
          new Promise<string>((resolve) => {
            answer = resolve;
            isAsked();
          });
        Object.defineProperty(vscode.window, 'showWarningMessage', { value: ask, configurable: true, writable: true });
      });
      const order: string[] = [];
      const accepting = scene.proposals.acceptAll(proposal).then(() => order.push('accepted'));
      await asked;
      const files = [...proposal.files];
      const rejection = isAll ? scene.proposals.rejectAll(proposal) : scene.proposals.reject(undefined, files);
      const rejecting = rejection.then(() => order.push('rejected'));
      // Time enough for a rejection that waits for nobody.
      assert.equal(await scene.disk(a), A);
      answer('Accept the other file');
      await Promise.all([accepting, rejecting]);
      assert.deepEqual(order, ['accepted', 'rejected']);
      assert.equal(await scene.disk(a), A.replace('two', 'TWO'));
      assert.equal(scene.file(proposal, a).state, 'accepted');
      assert.equal(await scene.disk(b), 'another\n');
      assert.ok(!scene.proposals.list.proposals.includes(proposal));
    }
    await scene.until(() => scene.recorded.length === 2);
  });

  it('keeps what was accepted so that it can be taken back, also where a file cannot be opened', async () => {
    await scene.write('a.txt', A);
    const proposal = await scene.propose(change('a.txt', ['two'], ['TWO']), create('n.bin', ['a\0b']));
    scene.messages.press('Accept All');
    await scene.proposals.acceptAll(proposal);
    assert.match(scene.messages.modal.join(), /n\.bin gets characters that can’t be seen \(⟨U\+0000⟩\)/);
    await scene.messages.next(/^Applied to .+ and 1 more\.$/);
    assert.equal(await scene.disk('a.txt'), A.replace('two', 'TWO'));
    assert.deepEqual(
      scene.recorded[0]?.files.map(({ after }) => after),
      [A.replace('two', 'TWO'), 'a\0b\n'],
    );
  });

  it('asks by name before all is accepted, where a file can run commands or change the editor', async () => {
    const proposal = await scene.propose(create('n.txt', ['fresh']), create('.vscode/tasks.json', ['{}']));
    const item = (name: string) => scene.proposals.tree.getTreeItem(scene.file(proposal, name));
    assert.equal((item('.vscode/tasks.json').iconPath as vscode.ThemeIcon).id, 'warning');
    assert.match((item('.vscode/tasks.json').tooltip as vscode.MarkdownString).value, /look.*before.*you.*accept/);
    assert.equal(item('n.txt').iconPath, vscode.ThemeIcon.File);

    await scene.proposals.acceptAll(proposal);
    assert.match(scene.messages.modal.join(), /\.vscode\/tasks\.json can run commands/);
    assert.equal(scene.messages.modal.length, 1);
    assert.equal(await scene.disk('n.txt'), undefined);

    scene.messages.press('Accept All');
    await scene.proposals.acceptAll(proposal);
    assert.equal(scene.messages.modal.length, 2);
    assert.equal(await scene.disk('.vscode/tasks.json'), '{}\n');
    assert.equal(await scene.disk('n.txt'), 'fresh\n');
  });

  it('leaves everything as it was when it is rejected', async () => {
    const proposal = await proposeAll();
    await scene.proposals.show(scene.file(proposal, 'a.txt'));
    await scene.proposals.rejectAll(proposal);
    assert.deepEqual(await onDisk(), before);
    assert.equal(scene.proposals.list.proposals.length, 0);
    const { tabs } = vscode.window.tabGroups.activeTabGroup;
    assert.ok(!tabs.some(({ input }) => input instanceof vscode.TabInputTextDiff), 'its diffs are closed');
  });

  it('closes the diff of a decided file that opens late', async () => {
    const proposal = await proposeAll();
    const file = scene.file(proposal, 'a.txt');
    const shown = proposedUri(file);
    await scene.proposals.reject(file);
    await scene.show('b.txt');
    // As a click on its row, just before, does on a busy machine.
    await vscode.commands.executeCommand('vscode.diff', scene.uri('a.txt'), shown, 'a.txt (proposed)');
    const isOpen = () =>
      vscode.window.tabGroups.all.some(({ tabs }) => tabs.some(({ label }) => label === 'a.txt (proposed)'));
    await scene.until(() => !isOpen());
    assert.deepEqual(await onDisk(), before);
  });

  it('closes the diffs that the editor restores from an earlier window', async () => {
    await scene.write('a.txt', A);
    const proposed = vscode.Uri.from({
      scheme: PROPOSED_SCHEME,
      path: scene.uri('a.txt').path,
      query: 'proposal=1&file=2&side=after',
    });
    await vscode.commands.executeCommand('vscode.diff', scene.uri('a.txt'), proposed, 'a.txt (proposed)');
    const contents = new ProposedContents(scene.proposals.list);
    const { tabGroups } = vscode.window;
    const isOpen = () => tabGroups.all.some(({ tabs }) => tabs.some(({ label }) => label === 'a.txt (proposed)'));
    await scene.until(() => !isOpen());
    contents.dispose();
  });

  it('decides nothing that is not in front, where the diff in front is of a proposal that is gone', async () => {
    const [gone, proposal] = [await proposeAll(), await proposeAll()];
    scene.proposals.list.remove(gone);
    await scene.proposals.show(scene.file(gone, 'a.txt'));
    for (const decide of ['accept', 'reject', 'acceptAll', 'rejectAll'] as const) await scene.proposals[decide]();
    assert.deepEqual(await onDisk(), before);
    assert.deepEqual(scene.proposals.list.proposals, [proposal]);
    assert.ok(proposal.files.every(({ state }) => state === 'open'));
  });

  it('shows a file as it is now and as it would be', async () => {
    const proposal = await proposeAll();
    await scene.proposals.show(scene.file(proposal, 'a.txt'));
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab!;
    assert.equal(tab.label, 'a.txt (proposed)');
    assert.ok(tab.input instanceof vscode.TabInputTextDiff);
    assert.equal(tab.input.original.toString(), scene.uri('a.txt').toString());
    const shown = async () =>
      (await vscode.workspace.openTextDocument((tab.input as vscode.TabInputTextDiff).modified)).getText();
    assert.equal(await shown(), after['a.txt']);
    await scene.insert('a.txt', 5, 'typed\n');
    await scene.until(async () => (await shown()) === 'one\nTWO\nthree\nfour\nfive\ntyped\nsix\n');
  });

  it('goes on to the next file when the one whose diff is in front is accepted', async () => {
    const proposal = await proposeAll();
    await scene.proposals.show(scene.file(proposal, 'a.txt'));
    await scene.proposals.accept();
    assert.equal(vscode.window.tabGroups.activeTabGroup.activeTab?.label, 'b.txt (proposed)');
    assert.equal(await scene.disk('a.txt'), after['a.txt']);
    assert.equal(await scene.disk('b.txt'), A);
  });

  it('hands the hunks of a file to its editor, fitted to what stands there now', async () => {
    await scene.write('a.txt', A);
    const proposal = await scene.propose(change('a.txt', ['five'], ['FIVE']));
    await scene.insert('a.txt', 0, 'typed\n');
    await scene.proposals.review(scene.file(proposal, 'a.txt'));
    const [document, plan] = scene.reviewed[0]!;
    assert.equal(document.uri.toString(), scene.uri('a.txt').toString());
    assert.equal(plan.after, 'typed\none\ntwo\nthree\nfour\nFIVE\nsix\n');
    assert.deepEqual(
      plan.hunks.map(({ startLine }) => startLine),
      [5],
    );
    assert.equal(scene.proposals.list.proposals.length, 0);
  });

  it('grows while the answer comes, and can be accepted only when it is whole', async () => {
    await scene.write('a.txt', A);
    const open = scene.proposals.begin({ title: 'Streaming' });
    const plan = { kind: 'create' as const, path: scene.path('n.txt'), after: 'x\n', hunks: [] };
    open.update([plan]);
    await scene.until(() => scene.proposals.list.proposals[0]?.files.length === 1);
    const [proposal] = scene.proposals.list.proposals;
    const { id } = proposal!.files[0]!;
    await scene.proposals.acceptAll(proposal);
    await scene.messages.next(/still being written/);
    assert.equal(await scene.disk('n.txt'), undefined);
    const counts = await open.finish([{ ...plan, after: 'x\ny\n' }]);
    assert.deepEqual(counts, { files: 1, refused: 0 });
    assert.equal(proposal!.files[0]!.id, id);
    await scene.proposals.acceptAll(proposal);
    assert.equal(await scene.disk('n.txt'), 'x\ny\n');
  });

  it('ends the answer when it is rejected in the middle, and does not come back', async () => {
    let isStopped = false;
    const stop = () => {
      isStopped = true;
    };
    const open = scene.proposals.begin({ title: 'Streaming' }, stop);
    const plan = { kind: 'create' as const, path: scene.path('n.txt'), after: 'x\n', hunks: [] };
    open.update([plan]);
    await scene.until(() => scene.proposals.list.proposals[0]?.files.length === 1);
    await scene.proposals.rejectAll(scene.proposals.list.proposals[0]);
    assert.ok(isStopped);
    open.update([{ ...plan, after: 'y\n' }]);
    assert.deepEqual(await open.fail('It was stopped.'), { files: 0, refused: 0 });
    assert.equal(scene.proposals.list.proposals.length, 0);
  });

  it('leaves a file rejected that was rejected while the answer came', async () => {
    const open = scene.proposals.begin({ title: 'Streaming' });
    const plan = (name: string, after: string) => ({
      kind: 'create' as const,
      path: scene.path(name),
      after,
      hunks: [],
    });
    open.update([plan('n.txt', 'x\n')]);
    await scene.until(() => scene.proposals.list.proposals[0]?.files.length === 1);
    const [proposal] = scene.proposals.list.proposals;
    await scene.proposals.reject(proposal!.files[0]);
    assert.deepEqual(await open.finish([plan('n.txt', 'x\n'), plan('m.txt', 'm\n')]), { files: 1, refused: 0 });
    assert.deepEqual(
      proposal!.files.map(({ state }) => state),
      ['rejected', 'open'],
    );
  });

  it('says what may be missing when the answer ended early', async () => {
    const open = scene.proposals.begin({ title: 'Streaming' });
    open.update([{ kind: 'create', path: scene.path('n.txt'), after: 'x\n', hunks: [] }]);
    assert.deepEqual(await open.fail('The model service failed.'), { files: 1, refused: 0 });
    const [proposal] = scene.proposals.list.proposals;
    assert.deepEqual([proposal?.phase, proposal?.why], ['ended', 'The model service failed.']);
    const empty = scene.proposals.begin({ title: 'Nothing came' });
    assert.deepEqual(await empty.fail('The model service failed.'), { files: 0, refused: 0 });
    assert.equal(scene.proposals.list.proposals.length, 1);
  });
});
