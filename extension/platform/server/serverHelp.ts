import * as vscode from 'vscode';

const COMMAND = 'npm run server';

/** Explains how to start a server, for people who run their own. */
export async function explainServer(): Promise<void> {
  const copy = 'Copy Command';
  const settings = 'Change Address';
  const choice = await vscode.window.showInformationMessage(
    `Perigee needs a server. To start one on this machine, run "${COMMAND}" in Perigee's folder. Or set the address of another server.`,
    copy,
    settings,
  );
  if (choice === copy) await vscode.env.clipboard.writeText(COMMAND);
  if (choice === settings) await vscode.commands.executeCommand('perigee.openSettings');
}
