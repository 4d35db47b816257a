import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('the extension host', () => {
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
