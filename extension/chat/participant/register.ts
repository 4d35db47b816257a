import * as vscode from 'vscode';
import type { Participant } from './participant.ts';

/** As package.json has it in `contributes.chatParticipants`. */
const ID = 'perigee.perigee';

/** `@perigee` in VS Code's own chat. Does nothing where the editor has no chat. It is loaded at the first question. */
export function registerParticipant(
  extensionUri: vscode.Uri,
  participant: () => Promise<Participant>,
): vscode.Disposable {
  const { createChatParticipant } = vscode.chat ?? {};
  if (typeof createChatParticipant !== 'function') return new vscode.Disposable(() => {});
  const made = createChatParticipant(ID, async (...question) => (await participant()).answer(...question));
  made.iconPath = vscode.Uri.joinPath(extensionUri, 'extension/media/icon.png');
  return made;
}
