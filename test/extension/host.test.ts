import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { inWorker, perigee } from './window.ts';

describe('the extension host', () => {
  it(`is ${inWorker ? 'a web worker, without anything of Node' : 'beside Node'}, and the extension is in it`, async () => {
    const { WorkerGlobalScope: Worker } = globalThis as { WorkerGlobalScope?: new () => unknown };
    const isWorker = Worker !== undefined && globalThis instanceof Worker;
    const hasNode = typeof process !== 'undefined' && typeof process.versions?.node === 'string';
    assert.deepEqual({ isWorker, hasNode }, { isWorker: inWorker, hasNode: !inWorker });
    if (inWorker) assert.throws(() => require('node:fs'.slice(0)), /node:fs/);
    const api = await perigee();
    // Another host's exports can't be reached; another realm's objects would have another prototype.
    assert.equal(Object.getPrototypeOf(api), Object.prototype);
    const { extensionUri } = vscode.extensions.getExtension('perigee.perigee')!;
    assert.equal(extensionUri.scheme, inWorker ? 'http' : 'file');
    assert.equal(vscode.workspace.workspaceFolders?.[0]?.uri.scheme, inWorker ? 'vscode-remote' : 'file');
  });

  it('edits a file of the workspace and takes it back with one undo', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0];
    assert.ok(folder, 'a workspace folder is open');
    const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, 'src/totals.py'));
    const editor = await vscode.window.showTextDocument(document);
    const before = document.getText();
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), '# first\n'));
    assert.equal(document.getText(), `# first\n${before}`);
    await vscode.commands.executeCommand('undo');
    assert.equal(document.getText(), before);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  });
});
