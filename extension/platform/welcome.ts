import * as vscode from 'vscode';

/** Shows the welcome tour: the walkthrough, the first file to open in front of it, and the chat beside them. */
export async function welcome(file: string | undefined): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', 'perigee.perigee#start', false);
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  if (folder && file) {
    // Only the sample's folder has this file.
    await vscode.window
      .showTextDocument(vscode.Uri.joinPath(folder, file), { preview: false })
      .then(undefined, () => {});
  }
  await vscode.commands.executeCommand('perigee.chat.focus');
}
