import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import { Scene, selectionOf } from './editModel.ts';
import { after, answer, before, selectionDeeds } from './editSelection.ts';

describe('Edit Selection', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.dispose());

  const { insert, undo, edit } = selectionDeeds(() => scene);
  const name = () => scene.document.uri.path;

  it('restores the lines when the answer fails in the middle, and tries again with the same request', async () => {
    await scene.open(before);
    await scene.ask(1, 4);
    scene.runs.write('```\nTWO\nthree\n');
    await scene.until(() => scene.text.includes('TWO'));
    await insert(0, 0, 'above\n');
    scene.messages.press('Retry');
    scene.runs.fail();
    const told = await scene.messages.next(/The model service failed/);
    assert.equal(told, 'The model service failed. It stopped answering. The file is as it was. Not charged.');
    await scene.until(() => scene.runs.requests.length === 2);
    assert.equal(scene.text, `above\n${before}`);
    const [first, second] = scene.runs.requests;
    assert.notEqual(first!.id, second!.id);
    assert.deepEqual(selectionOf(second!).selection, { start: 2, end: 5, text: 'two\nthree\nfour\nfive' });
    scene.runs.write(answer);
    scene.runs.done();
    await scene.reviewed(2);
    assert.equal(scene.text, `above\n${after}`);
  });

  it('sends the same request again after a start that nobody answered', async () => {
    await scene.open(before);
    scene.runs.refusal = new BackendError(
      'offline',
      localProblem('Perigee cannot be reached', 'Nothing listens there.'),
    );
    scene.messages.press('Retry');
    await scene.ask(1, 4);
    assert.match(await scene.messages.next(/cannot be reached/), /Nothing listens there. The file is as it was./);
    scene.runs.write(answer);
    scene.runs.done();
    await scene.reviewed(2);
  });

  it('restores the lines on a stop', async () => {
    await scene.open(before);
    await scene.ask(1, 4);
    scene.runs.write('```\nTWO\nthree\n');
    await scene.until(() => scene.text.includes('TWO'));
    scene.edits.stopEdit();
    assert.equal(await scene.messages.next(/Stopped/), 'Stopped. Nothing was changed. Charged 1 credit.');
    assert.equal(scene.text, before);
    await scene.idle();
  });

  it('keeps what was written, if asked to, after a stop', async () => {
    await scene.open(before);
    await scene.ask(1, 4);
    scene.runs.write('```\nTWO\nthree\n');
    await scene.until(() => scene.text.includes('TWO'));
    scene.messages.press('Keep what was written');
    scene.edits.stopEdit();
    await scene.reviewed(1);
    assert.equal(scene.text, before.replace('two', 'TWO'));
    await undo();
    assert.equal(scene.text, before);
  });

  it('stops when it is undone while it writes', async () => {
    await scene.open(before);
    await scene.ask(1, 4);
    scene.runs.write('```\nTWO\nthree\n');
    await scene.until(() => scene.text.includes('TWO'));
    await undo();
    await scene.idle();
    assert.equal(scene.text, before);
    assert.equal(scene.runs.stopped.length, 1);
  });

  it('says so when nothing would change', async () => {
    await scene.open(before);
    await scene.ask(1, 4);
    scene.runs.write('```\ntwo\nthree\nfour\nfive\n```');
    scene.runs.done();
    assert.equal(
      await scene.messages.next(/No change/),
      `No change suggested for lines 2–5 of ${name()}. Not charged: nothing could be applied.`,
    );
    await scene.idle();
  });

  it('says what the model said when it answers in words', async () => {
    await scene.open(before, 'javascript');
    await scene.ask(1, 4);
    scene.runs.write('I need to see more of the file first.');
    scene.runs.done();
    await scene.messages.next(/answered in words, so nothing was changed: “I need to see more of the file first.”/);
    assert.equal(scene.text, before);
  });

  it('goes on while another file is shown, and is there on return', async () => {
    await scene.open(before);
    const { document } = scene;
    await scene.ask(1, 4);
    const other = await vscode.workspace.openTextDocument({ content: 'other' });
    await vscode.window.showTextDocument(other);
    scene.runs.write(answer);
    scene.runs.done();
    await scene.until(() => document.getText() === after);
    await scene.reviewed(2);
    scene.editor = await vscode.window.showTextDocument(document);
    await undo();
    assert.equal(scene.text, before);
    await scene.idle();
  });

  it('is taken back by undo when its file was hidden in the middle of the writing', async () => {
    await scene.open(before);
    const { document } = scene;
    await scene.ask(1, 4);
    scene.runs.write('```\nTWO\n');
    await scene.until(() => scene.text.includes('TWO'));
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content: 'other' }));
    scene.runs.write(answer.slice(8));
    scene.runs.done();
    await scene.until(() => document.getText() === after);
    await scene.reviewed(2);
    scene.editor = await vscode.window.showTextDocument(document);
    await undo();
    assert.equal(scene.text, before);
    await scene.idle();
  });

  it('lets a formatter change what is around the hunks, and refuses what it changed in them', async () => {
    const formatter = vscode.languages.registerDocumentFormattingEditProvider('plaintext', {
      provideDocumentFormattingEdits(document) {
        const all = new vscode.Range(0, 0, document.lineCount, 0);
        const text = document.getText().replace('one', 'ONE').replace('three', '  three').replace('HALF', 'Half');
        return [vscode.TextEdit.replace(all, text)];
      },
    });
    await edit();
    await vscode.commands.executeCommand('editor.action.formatDocument');
    formatter.dispose();
    assert.match(scene.text, /ONE\nTWO\n {2}three/);
    await scene.edits.reviews.rejectAllHunks();
    assert.match(await scene.messages.next(/not taken back/), /^Hunk 2 was/);
    assert.equal(scene.text, 'ONE\ntwo\n  three\nfour\nFIVE\nFIVE AND A Half\nsix\n');
  });

  it('goes on over a save in the middle of the writing', async () => {
    const uri = vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, 'numbers.txt');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(before));
    scene.editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    await scene.ask(1, 4);
    assert.equal(selectionOf(scene.runs.requests[0]!).path, 'numbers.txt');
    scene.runs.write('```\nTWO\n');
    await scene.until(() => scene.text.includes('TWO'));
    await scene.document.save();
    scene.runs.write(answer.slice(8));
    scene.runs.done();
    await scene.reviewed(2);
    assert.equal(scene.text, after);
    await undo();
    assert.equal(scene.text, before);
    await scene.idle();
    await scene.document.save();
    await vscode.workspace.fs.delete(uri);
  });

  it('changes nothing in a file that the editor holds read-only', async () => {
    const folder = vscode.workspace.workspaceFolders![0]!;
    const uri = vscode.Uri.joinPath(folder.uri, 'locked.txt');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(before));
    const files = vscode.workspace.getConfiguration('files');
    await files.update('readonlyInclude', { '**/locked.txt': true }, vscode.ConfigurationTarget.Workspace);
    scene.editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    await scene.ask(1, 4);
    scene.runs.write(answer);
    await scene.messages.next(/file is read-only. Nothing changed./);
    assert.equal(scene.text, before);
    assert.equal(scene.runs.stopped.length, 1);
    await files.update('readonlyInclude', undefined, vscode.ConfigurationTarget.Workspace);
    await vscode.workspace.fs.delete(uri);
  });

  it('ends when its file is closed', async () => {
    // A file of its own, opened as a person does: what an extension opened before is kept by the editor for a while.
    const uri = vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, 'src/closed.txt');
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode('a\nb\nc\nd\ne\nf\n'));
    await vscode.commands.executeCommand('vscode.open', uri);
    await scene.until(() => vscode.window.activeTextEditor?.document.fileName.endsWith('closed.txt') ?? false);
    scene.editor = vscode.window.activeTextEditor!;
    await scene.ask(1, 4);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    await scene.messages.next(/was closed/);
    await scene.idle();
    assert.equal(scene.runs.stopped.length, 1);
    await vscode.workspace.fs.delete(uri);
  });

  it('refuses what is read-only or a notebook, in words', async () => {
    const uri = vscode.Uri.parse('perigee-original:/a.txt');
    scene.editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    await scene.edits.editSelection('do it');
    const refusal = await scene.messages.next(/read-only/);
    assert.deepEqual(scene.messages.modal, [refusal]);
    assert.equal(scene.runs.requests.length, 0);
  });

  it('refuses more than a megabyte, in words', async () => {
    await scene.open('x'.repeat(1_000_001));
    await scene.edits.editSelection('do it');
    const refusal = await scene.messages.next(/More than 1 MB/);
    assert.deepEqual(scene.messages.modal, [refusal]);
  });
});
