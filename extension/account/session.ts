import type { Memento } from 'vscode';
import type { Account, Balance } from '../../shared/account.ts';
import type { Backend } from '../backend.ts';
import { BackendError, localProblem } from '../backendError.ts';
import { Backoff } from '../platform/backoff.ts';
import { Disposable } from '../platform/dispose.ts';
import { Emitter } from '../platform/emitter.ts';
import type { Log } from '../platform/log.ts';
import type { ServerUrl } from '../platform/serverUrl.ts';
import type { Tokens } from './tokens.ts';

/**
 * `signedOut`: `new` never had an account here, `left` signed out, `expired` was refused by the server (401); only `new`
 * may become a guest without being asked.
 */
export type SessionState =
  | { kind: 'signedOut'; why: 'new' | 'left' | 'expired'; detail: string }
  | { kind: 'connecting' }
  | { kind: 'ok' }
  | { kind: 'offline' | 'wrongServer'; detail: string };

const SIGNED_OUT = {
  new: 'Start as a guest: no sign-up, nothing to pay.',
  left: 'You are signed out. You can start again as a new guest.',
  expired: 'This server no longer knows this account. You can go on as a new guest; what you typed is kept.',
} as const;

/** Who is signed in on the current server, what is left, and the one connection that hears of changes. */
export class Session extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  private readonly conversationChanged = this._register(new Emitter<string>());
  private readonly connected = this._register(new Emitter<void>());
  /** State, account or balance changed. */
  readonly onDidChange = this.changed.event;
  /** A conversation changed on the server; the value is its id. */
  readonly onDidChangeConversation = this.conversationChanged.event;
  /** The connection is there (again): whatever changed meanwhile was not told. */
  readonly onDidConnect = this.connected.event;

  private readonly ended = new AbortController();
  private current: SessionState = { kind: 'connecting' };
  private who: Account | null = null;
  private left: Balance | null = null;
  private connection: (AbortController & { token?: string }) | undefined;
  private readonly backoff = new Backoff();
  private beginning: Promise<void> | undefined;
  private making: Promise<string> | undefined;
  private refreshing: Promise<void> | undefined;
  private refreshAgain = false;

  constructor(
    private readonly backend: Backend,
    private readonly tokens: Tokens,
    private readonly serverUrl: () => ServerUrl,
    private readonly memory: Memento,
    private readonly log: Log,
  ) {
    super();
    this._register(tokens.onDidChange(() => void this.adopt()));
    this._register(
      backend.onDidChangeBalance((balance) => {
        this.left = balance;
        this.changed.fire();
      }),
    );
    this._register({
      dispose: () => {
        this.ended.abort(new Error('disposed'));
        this.connection?.abort(new Error('disposed'));
      },
    });
  }

  get state(): SessionState {
    return this.current;
  }

  get account(): Account | null {
    return this.who;
  }

  get balance(): Balance | null {
    return this.left;
  }

  /** Connects with the token that is stored, if there is one. Makes no account. */
  async start(): Promise<void> {
    await this.adopt();
  }

  /** Connects, as a guest if this is the first use, trying until the server is there. Does nothing once signed out. */
  begin(): Promise<void> {
    this.beginning ??= this.beginUntilReached().finally(() => {
      this.beginning = undefined;
    });
    return this.beginning;
  }

  private async beginUntilReached(): Promise<void> {
    for (let attempt = 0; !this.ended.signal.aborted; attempt++) {
      try {
        await this.token();
        return;
      } catch (error) {
        if (BackendError.from(error).kind !== 'offline') return;
      }
      await this.backoff.wait(attempt, this.ended.signal).catch(() => {});
    }
  }

  /** A deliberate new beginning after `left` or `expired`. Rejects with a `BackendError`. */
  async beginAnew(): Promise<void> {
    await this.memory.update(this.goneKey(), undefined);
    await this.token();
  }

  /** Forgets the account on this machine. */
  async leave(): Promise<void> {
    const token = await this.tokens.get();
    await this.memory.update(this.goneKey(), 'left');
    if (token) await this.tokens.drop(token);
    await this.adopt();
  }

  /** The server's address changed: another server, another account. */
  async changeServer(): Promise<void> {
    await this.adopt();
  }

  /** Tries again at once instead of waiting for the next turn. */
  async reconnect(): Promise<void> {
    this.backend.retryNow();
    this.backoff.wake();
    if (this.current.kind === 'ok') return;
    const token = await this.tokens.get();
    if (token) void this.connect(token);
    else await this.adopt();
  }

  /**
   * Calls the server with the token, as a new guest if there is none yet. A 401 ends the session, a lost connection is
   * shown everywhere; either is thrown on as a `BackendError`.
   */
  async call<T>(use: (token: string) => Promise<T>): Promise<T> {
    const token = await this.token();
    try {
      return await use(token);
    } catch (error) {
      await this.failed(error, token);
      throw error;
    }
  }

  /** The token; makes a guest if that is allowed. Rejects with a `BackendError`. */
  async token(): Promise<string> {
    const stored = await this.tokens.get();
    if (stored) {
      if (stored !== this.connection?.token) void this.connect(stored);
      return stored;
    }
    const why = this.memory.get<'left' | 'expired'>(this.goneKey());
    if (why) {
      throw new BackendError('refused', {
        ...localProblem('Not signed in', SIGNED_OUT[why], 'unauthorized'),
        status: 401,
      });
    }
    this.making ??= this.makeGuest().finally(() => {
      this.making = undefined;
    });
    return this.making;
  }

  /** A call with this token failed: takes from it what concerns everybody. */
  async failed(error: unknown, token?: string): Promise<void> {
    if (!(error instanceof BackendError)) return;
    if (error.problem.code === 'unauthorized' && token) {
      this.log.warn('The server refused the token; it is dropped.');
      await this.memory.update(this.goneKey(), 'expired');
      await this.tokens.drop(token);
      await this.adopt();
    } else if (error.kind === 'refused') {
      if (this.current.kind === 'connecting') this.set({ kind: 'offline', detail: error.problem.detail });
    } else {
      const wasOk = this.current.kind === 'ok';
      this.set({ kind: error.kind, detail: error.problem.detail });
      // The connection for events may not have noticed yet; a new one finds out and comes back by itself.
      if (wasOk && token) void this.connect(token);
    }
  }

  private async makeGuest(): Promise<string> {
    this.set({ kind: 'connecting' });
    try {
      const { token } = await this.backend.guest();
      const kept = await this.tokens.keep(token);
      void this.connect(kept);
      return kept;
    } catch (error) {
      this.set(
        error instanceof BackendError && error.kind !== 'refused'
          ? { kind: error.kind, detail: error.problem.detail }
          : { kind: 'signedOut', why: 'new', detail: BackendError.from(error).problem.detail },
      );
      this.log.warn(`No guest account was made: ${BackendError.from(error).message}`);
      throw error;
    }
  }

  /** Follows what is stored now: connects with it, or is signed out. */
  private async adopt(): Promise<void> {
    const server = this.serverUrl();
    const token = await this.tokens.get();
    if (this.isDisposed || (token !== undefined && token === this.connection?.token)) return;
    this.connection?.abort(new Error('replaced'));
    this.connection = undefined;
    if ('wrong' in server) {
      this.set({ kind: 'wrongServer', detail: server.wrong });
    } else if (token) {
      // A new token after `left` or `expired`, perhaps made by another window.
      if (this.memory.get(this.goneKey())) await this.memory.update(this.goneKey(), undefined);
      this.forget();
      void this.connect(token);
    } else {
      const why = this.memory.get<'left' | 'expired'>(this.goneKey()) ?? 'new';
      this.set({ kind: 'signedOut', why, detail: SIGNED_OUT[why] });
    }
  }

  private async connect(token: string): Promise<void> {
    this.connection?.abort(new Error('replaced'));
    if (this.isDisposed) return;
    const connection = Object.assign(new AbortController(), { token });
    this.connection = connection;
    if (this.current.kind !== 'ok') this.set({ kind: 'connecting' });
    try {
      for await (const signal of this.backend.accountEvents(token, connection.signal)) {
        if (connection.signal.aborted) return;
        if (signal.type === 'connected') {
          await this.refresh(token);
          // Connected, but the account could not be read: some failure of the server's that may pass.
          for (let attempt = 0; this.current.kind !== 'ok' && !connection.signal.aborted; attempt++) {
            await this.backoff.wait(attempt, connection.signal);
            await this.refresh(token);
          }
          if (connection.signal.aborted) return;
          this.log.info('Connected.');
          this.connected.fire();
        } else if (signal.type === 'disconnected') {
          this.log.warn(`Disconnected: ${signal.error.message}`);
          const { kind, problem } = signal.error;
          this.set({ kind: kind === 'refused' ? 'offline' : kind, detail: problem.detail });
        } else if (signal.change.topic === 'conversation') this.conversationChanged.fire(signal.change.id);
        else void this.refresh(token);
      }
    } catch (error) {
      if (connection.signal.aborted) return;
      this.connection = undefined;
      await this.failed(error, token);
    }
  }

  /** Fetches account and balance; several wishes meanwhile become one more fetch. Never rejects. */
  private refresh(token: string): Promise<void> {
    if (this.refreshing) {
      this.refreshAgain = true;
      return this.refreshing;
    }
    this.refreshing = (async () => {
      try {
        do {
          this.refreshAgain = false;
          const answer = await this.backend.account(token);
          if (token !== (await this.tokens.get())) return;
          this.who = answer.account;
          this.left = answer.balance;
          this.set({ kind: 'ok' });
        } while (this.refreshAgain);
      } catch (error) {
        await this.failed(error, token);
      } finally {
        this.refreshing = undefined;
      }
    })();
    return this.refreshing;
  }

  private forget(): void {
    this.who = null;
    this.left = null;
  }

  private set(state: SessionState): void {
    if (state.kind === 'wrongServer' || state.kind === 'signedOut') this.forget();
    this.current = state;
    this.changed.fire();
  }

  private goneKey(): string {
    const server = this.serverUrl();
    return `gone ${'url' in server ? server.url : ''}`;
  }
}
