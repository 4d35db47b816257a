import * as vscode from 'vscode';
import { Disposable } from '../platform/dispose.ts';
import type { Session } from './session/session.ts';
import type { Tokens } from './session/tokens.ts';

const ID = 'perigee';
/** The only scope. The editor treats a request without scopes as one that no provider answers. */
const SCOPES = ['account'];

/** The account in the editor's Accounts menu. */
export class AccountProvider extends Disposable implements vscode.AuthenticationProvider {
  private readonly changed = this._register(
    new vscode.EventEmitter<vscode.AuthenticationProviderAuthenticationSessionsChangeEvent>(),
  );
  readonly onDidChangeSessions = this.changed.event;
  private known: vscode.AuthenticationSession | undefined;
  private isAskedFor = false;

  constructor(
    private readonly session: Session,
    private readonly tokens: Tokens,
    private readonly ways: { signIn(): Promise<void>; leave(): Promise<void> },
  ) {
    super();
    this._register(vscode.authentication.registerAuthenticationProvider(ID, 'Perigee', this));
    this._register(tokens.onDidChange(() => void this.look()));
    this._register(session.onDidChange(() => void this.look()));
  }

  async getSessions(): Promise<vscode.AuthenticationSession[]> {
    const kept = await this.tokens.get();
    if (kept?.kind !== 'member') return [];
    // Other extensions may ask for the token. It is useless to them without this editor's key, so it stays here.
    return [{ id: kept.account.id, account: kept.account, scopes: SCOPES, accessToken: '' }];
  }

  async createSession(): Promise<vscode.AuthenticationSession> {
    await this.ways.signIn();
    const [made] = await this.getSessions();
    if (!made) throw new Error('Nobody was signed in.');
    return made;
  }

  removeSession(): Promise<void> {
    return this.ways.leave();
  }

  /** Reports the account to the Accounts menu, and asks there for a new sign-in after the session expired. */
  private async look(): Promise<void> {
    const [now] = await this.getSessions();
    const before = this.known;
    this.known = now;
    if (now?.id !== before?.id || now?.account.label !== before?.account.label) {
      this.changed.fire({ added: now ? [now] : [], removed: before ? [before] : [], changed: [] });
    }
    const { state } = this.session;
    const isExpired = state.kind === 'signedOut' && state.why === 'expired' && state.was === 'member';
    // Puts "Sign in" with a badge into the menu. The editor removes it after a sign-in.
    if (isExpired && !now && !this.isAskedFor) void vscode.authentication.getSession(ID, SCOPES, {});
    this.isAskedFor = isExpired;
  }
}
