import * as vscode from 'vscode';

/** Shows a newcomer around: the walkthrough, the file to begin with in front of it, and the chat beside them. */
export async function welcome(file: string | undefined): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', 'perigee.perigee#start', false);
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  if (folder && file) {
    // Another folder than the sample's has no such file.
    await vscode.window
      .showTextDocument(vscode.Uri.joinPath(folder, file), { preview: false })
      .then(undefined, () => {});
  }
  await vscode.commands.executeCommand('perigee.chat.focus');
}
