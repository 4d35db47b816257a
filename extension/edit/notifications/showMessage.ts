import * as vscode from 'vscode';
import type { Problem } from '../../../shared/problems.ts';
import { plainMessage } from '../../platform/plainMessage.ts';
import type { Message } from '../words/messages.ts';

/** How long a message in the status bar stays. */
const STATUS_MS = 8_000;

/** Shows a message and resolves to the button that the user presses. */
export async function showMessage<B extends string>(message: Message<B>): Promise<B | undefined> {
  const { severity, buttons } = message;
  const text = plainMessage(message.text);
  switch (severity) {
    case 'status':
      if (text !== '') vscode.window.setStatusBarMessage(text, STATUS_MS);
      return undefined;
    case 'info':
      return vscode.window.showInformationMessage(text, ...buttons);
    case 'warning':
      return vscode.window.showWarningMessage(text, ...buttons);
    case 'error':
      return vscode.window.showErrorMessage(text, ...buttons);
  }
}

/** Opens the account page where it tells what became of a request. */
export function showRequest({ requestId }: Problem): void {
  void vscode.commands.executeCommand('perigee.openAccount', `requests/${requestId}`);
}
