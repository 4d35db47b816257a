import * as vscode from 'vscode';
import type { Log } from './log.ts';

/**
 * Registers what only some editors have. Others lack the API, or refuse it to extensions; that must not end the
 * activation, and with it all of Perigee. `what` is for the log.
 */
export function whereThere(what: string, log: Log, register: () => vscode.Disposable): vscode.Disposable {
  try {
    return register();
  } catch (error) {
    log.warn(`This editor refuses ${what}: ${error}`);
    return new vscode.Disposable(() => {});
  }
}
