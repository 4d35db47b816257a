import * as vscode from 'vscode';
import type { Message } from './messages.ts';

/** How long a message in the status bar stays. */
const STATUS_MS = 8_000;

/** Shows a message; the button that the user presses. */
export async function showMessage<B extends string>({ severity, text, buttons }: Message<B>): Promise<B | undefined> {
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
