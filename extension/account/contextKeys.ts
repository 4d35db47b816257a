import * as vscode from 'vscode';
import { Disposable } from '../platform/dispose.ts';
import type { Session } from './session/session.ts';

/** Sets the editor's context keys, so that it offers only the commands that apply. Until set, a key is undefined. */
export class ContextKeys extends Disposable {
  private readonly told = new Map<string, unknown>();

  constructor(private readonly session: Session) {
    super();
    this._register(session.onDidChange(() => this.tell()));
  }

  private tell(): void {
    const { state, account } = this.session;
    const isHere = state.kind !== 'signedOut';
    this.set('perigee.account', isHere ? account?.kind : undefined);
    this.set('perigee.connection', state.kind);
    this.set('perigee.termsDue', isHere && account?.termsDue !== undefined);
  }

  private set(key: string, value: unknown): void {
    if (this.told.get(key) === value) return;
    this.told.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  }
}
