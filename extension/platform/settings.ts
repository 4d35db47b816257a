import * as vscode from 'vscode';
import { Disposable } from './dispose.ts';
import { parseServerUrl, type ServerUrl } from './serverUrl.ts';

/** The extension's settings, read at each use so that a change counts at once. */
export class Settings extends Disposable {
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  /** The server's address changed to another one. */
  readonly onDidChangeServerUrl = this.changed.event;

  constructor() {
    super();
    let before = this.raw();
    this._register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (!event.affectsConfiguration('perigee.serverUrl') || this.raw() === before) return;
        before = this.raw();
        this.changed.fire();
      }),
    );
  }

  /** The server's address, or what is wrong with the one that is set. */
  serverUrl(): ServerUrl {
    return parseServerUrl(this.raw());
  }

  private raw(): string {
    return vscode.workspace.getConfiguration('perigee').get<string>('serverUrl', '');
  }
}
