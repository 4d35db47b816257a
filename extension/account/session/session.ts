import type { Memento } from 'vscode';
import type { Account, AccountAnswer, Balance, Notice } from '../../../shared/account.ts';
import type { TokenAnswer } from '../../../shared/auth.ts';
import { changesAt, realTimers, type Timers, Waking } from '../../../shared/waking.ts';
import { Disposable } from '../../platform/dispose.ts';
import { Emitter, firesWithin } from '../../platform/emitter.ts';
import { BackendError, localProblem } from '../../platform/server/backendError.ts';
import { Backoff } from '../../platform/server/backoff.ts';
import type { Credential } from '../../platform/server/wire.ts';
import { Connection } from './connection.ts';
import { Entry, type EntryDeps, type Grant } from './entry.ts';
import { Credentials } from './member.ts';
import { Renewal } from './renewal.ts';
import { Gone, type SessionState } from './state.ts';
import type { Kept } from './tokens.ts';

/** How long to wait for a token from another window that may have just signed this guest in. */
const GUEST_GRACE_MS = 500;

export interface SessionDeps extends EntryDeps {
  memory: Memento;
  timers?: Timers;
}

/** Who is signed in on the current server, the balance, and the one connection that receives changes. */
export class Session extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  private readonly conversationChanged = this._register(new Emitter<string>());
  private readonly connected = this._register(new Emitter<void>());
  private readonly passed = this._register(new Emitter<void>());
  /** An instant has passed at which the balance changes by time alone; the session reads it again. */
  readonly onDidPass = this.passed.event;
  /** State, account or balance changed. */
  readonly onDidChange = this.changed.event;
  /** A conversation changed on the server. The value is its id, or empty if any may have changed. */
  readonly onDidChangeConversation = this.conversationChanged.event;
  /** The connection opened (again). Changes during the gap were not reported. */
  readonly onDidConnect = this.connected.event;

  private readonly ended = new AbortController();
  private readonly gone: Gone;
  private readonly credentials: Credentials;
  private readonly entry: Entry;
  private readonly renewal: Renewal;
  private readonly backoff = new Backoff();
  private current: SessionState = { kind: 'connecting' };
  private who: Account | null = null;
  private left: Balance | null = null;
  private told: Notice[] = [];
  private bounds: AccountAnswer['limits'] = {};
  private connection: Connection | undefined;
  private readonly waking: Waking;
  private beginning: Promise<void> | undefined;
  private making: Promise<Kept> | undefined;

  constructor(private readonly deps: SessionDeps) {
    super();
    const { backend, tokens, memory, clock } = deps;
    this.credentials = new Credentials(clock);
    this.entry = new Entry(deps);
    this.gone = new Gone(memory, () => this.address());
    this.renewal = this._register(
      new Renewal(backend, tokens, this.credentials, (error, who) => this.failed(error, who)),
    );
    this.waking = new Waking(() => this.timePassed(), deps.timers);
    this._register({ dispose: () => this.waking.stop() });
    this._register(tokens.onDidChange(() => void this.adopt()));
    this._register(
      backend.onDidChangeBalance((balance) => {
        this.left = balance;
        this.watchTime();
        this.changed.fire();
      }),
    );
    this._register({
      dispose: () => {
        this.ended.abort(new Error('disposed'));
        this.connection?.close();
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

  /** The notices for the account owner. */
  get notices(): readonly Notice[] {
    return this.told;
  }

  /** What the account may do here. Empty before the server has said so. */
  get limits(): AccountAnswer['limits'] {
    return this.bounds;
  }

  /** Connects with the stored account. Makes no guest, but signs in the single user of this machine. */
  async start(): Promise<void> {
    const kept = await this.deps.tokens.get();
    if (kept?.kind !== 'member' && !this.gone.get()) await this.entry.enterLocally();
    await this.adopt();
  }

  /** Handles a changed server address: another server has another account. */
  changeServer(): Promise<void> {
    return this.start();
  }

  /** Connects, and retries until the server answers. Makes a guest at the first use. Does nothing after a sign-out. */
  begin(): Promise<void> {
    this.beginning ??= this.beginUntilReached().finally(() => {
      this.beginning = undefined;
    });
    return this.beginning;
  }

  private async beginUntilReached(): Promise<void> {
    for (let attempt = 0; !this.ended.signal.aborted; attempt++) {
      try {
        await this.credential();
        return;
      } catch (error) {
        if (BackendError.from(error).kind !== 'offline') return;
      }
      await this.backoff.wait(attempt, this.ended.signal).catch(() => {});
    }
  }

  /** Starts again as a guest, by the user's choice, after `left` or `expired`. Rejects with a `BackendError`. */
  async beginAnew(): Promise<void> {
    await this.gone.forget();
    await this.credential();
  }

  /** Signs in the single user of this machine, if the server was started here. Resolves to whether it worked. */
  async enterLocally(): Promise<boolean> {
    return this.entry.enterLocally();
  }

  /** Signs in with a grant. Rejects with a `BackendError`. */
  signIn(grant: Grant): Promise<TokenAnswer> {
    return this.entry.signIn(grant);
  }

  /** Forgets the account on this machine, and ends a member's session. False if the server was not reached. */
  async leave(): Promise<boolean> {
    const { backend, tokens } = this.deps;
    const kept = await tokens.get();
    await this.gone.remember('left', kept?.kind ?? 'guest');
    if (kept) await tokens.drop(kept);
    await this.adopt();
    if (kept?.kind !== 'member') return true;
    try {
      await backend.signOut(this.credentials.of(kept));
      return true;
    } catch (error) {
      return BackendError.from(error).problem.code === 'unauthorized';
    }
  }

  /** Tries again at once, without waiting for the next retry. */
  async reconnect(): Promise<void> {
    this.deps.backend.retryNow();
    this.backoff.wake();
    if (this.current.kind === 'ok') return;
    const kept = await this.deps.tokens.get();
    if (kept) this.connect(kept);
    else await this.adopt();
  }

  /**
   * Calls the server as the current account, or as a new guest if there is none yet. A 401 ends the session, unless
   * another window has stored a newer token: then the session continues with that one. A lost connection shows in the
   * session's state. Rethrows each failure as a `BackendError`.
   */
  async call<T>(use: (who: Credential) => Promise<T>): Promise<T> {
    const who = await this.credential();
    try {
      return await use(who);
    } catch (error) {
      await this.failed(error, who);
      const kept = isUnauthorized(error) ? await this.deps.tokens.get() : undefined;
      if (!kept || kept.token === who.token) throw error;
    }
    const newer = await this.credential();
    try {
      return await use(newer);
    } catch (error) {
      await this.failed(error, newer);
      throw error;
    }
  }

  /** The credential for calls. Makes a guest if that is allowed. Rejects with a `BackendError`. */
  async credential(): Promise<Credential> {
    const kept = await this.kept();
    this.renewal.look(kept);
    return this.credentials.of(kept);
  }

  private async kept(): Promise<Kept> {
    const stored = await this.deps.tokens.get();
    if (stored) {
      if (stored.token !== this.connection?.who.token || this.connection.isClosed) this.connect(stored);
      return stored;
    }
    if (this.gone.get()) {
      const problem = localProblem('Not signed in', this.gone.state().detail, 'unauthorized');
      throw new BackendError('refused', { ...problem, status: 401 });
    }
    this.making ??= this.makeAccount().finally(() => {
      this.making = undefined;
    });
    return this.making;
  }

  /** Updates the session's state after a failed call of `who`. */
  async failed(error: unknown, who?: Credential): Promise<void> {
    // A failure at the server of before says nothing about this one.
    if (!(error instanceof BackendError) || (who && who.server !== this.address())) return;
    if (error.problem.code === 'unauthorized' && who?.token) {
      await this.refused(who.token);
    } else if (error.kind === 'refused') {
      if (this.current.kind === 'connecting') this.set({ kind: 'offline', detail: error.problem.detail });
    } else {
      const wasOk = this.current.kind === 'ok';
      this.set({ kind: error.kind, detail: error.problem.detail });
      // The event connection may not have noticed yet. A new one finds out and reconnects.
      const kept = wasOk && who ? await this.deps.tokens.get() : undefined;
      if (kept && kept.token === who?.token) this.connect(kept);
    }
  }

  /** The server refused this token. Another window may have a newer one, or may be signing its guest in. */
  private async refused(token: string): Promise<void> {
    const { tokens, log } = this.deps;
    await this.entry.settled();
    let kept = await tokens.get();
    if (kept?.kind === 'guest' && kept.token === token) {
      await firesWithin(tokens.onDidChange, GUEST_GRACE_MS);
      kept = await tokens.get();
    }
    if (kept?.token === token) {
      log.warn('The server refused the token; it is dropped.');
      await this.gone.remember('expired', kept.kind);
      await tokens.drop(kept);
    }
    await this.adopt();
  }

  private async makeAccount(): Promise<Kept> {
    const { tokens, log } = this.deps;
    this.set({ kind: 'connecting' });
    try {
      if (await this.entry.enterLocally()) {
        const member = await tokens.get();
        if (member) return member;
      }
      const kept = await this.entry.enterAsGuest();
      this.connect(kept);
      return kept;
    } catch (error) {
      this.set(
        error instanceof BackendError && error.kind !== 'refused'
          ? { kind: error.kind, detail: error.problem.detail }
          : { kind: 'signedOut', why: 'new', detail: BackendError.from(error).problem.detail },
      );
      log.warn(`No guest account was made: ${BackendError.from(error).message}`);
      throw error;
    }
  }

  /** Follows the stored account: connects with it, or becomes signed out. */
  private async adopt(): Promise<void> {
    const server = this.deps.serverUrl();
    const kept = await this.deps.tokens.get();
    const { connection } = this;
    if (this.isDisposed || (kept && kept.token === connection?.who.token && !connection.isClosed)) return;
    connection?.close();
    this.connection = undefined;
    this.renewal.watch(kept);
    if ('wrong' in server) {
      this.set({ kind: 'wrongServer', detail: server.wrong });
    } else if (kept) {
      // An account is back after `left` or `expired`, perhaps from another window.
      await this.gone.forget();
      // A new token for the same account changes nothing that is shown.
      if (kept.kind === 'guest' || kept.account.id !== this.who?.id) this.forget();
      this.connect(kept);
    } else this.set(this.gone.state());
  }

  private connect(kept: Kept): void {
    const who = this.credentials.of(kept);
    if (this.isDisposed) return;
    this.connection?.close();
    if (this.current.kind !== 'ok') this.set({ kind: 'connecting' });
    const connection = new Connection(this.deps.backend, who, this.backoff, {
      account: (answer) => this.take(answer),
      failed: (error) => this.failed(error, who),
      connected: () => {
        this.deps.log.info('Connected.');
        this.connected.fire();
      },
      disconnected: ({ kind, problem, message }) => {
        this.deps.log.warn(`Disconnected: ${message}`);
        this.set({ kind: kind === 'refused' ? 'offline' : kind, detail: problem.detail });
      },
      conversation: (id) => this.conversationChanged.fire(id),
    });
    this.connection = connection;
    void connection.run();
  }

  private take(answer: AccountAnswer): void {
    this.who = answer.account;
    this.left = answer.balance;
    this.told = answer.notices;
    this.bounds = answer.limits;
    this.watchTime();
    this.set({ kind: 'ok' });
  }

  private watchTime(): void {
    const { now } = this.deps.timers ?? realTimers;
    this.waking.watch(changesAt(this.who, this.left, now(), this.told));
  }

  /** The last balance is out of date. The client computes nothing itself but asks the server. */
  private timePassed(): void {
    void this.connection?.read();
    this.passed.fire();
    this.changed.fire();
  }

  private forget(): void {
    this.who = null;
    this.left = null;
    this.told = [];
    this.bounds = {};
    this.waking.stop();
    if (this.current.kind === 'ok') this.current = { kind: 'connecting' };
  }

  private set(state: SessionState): void {
    if (state.kind === 'wrongServer' || state.kind === 'signedOut') this.forget();
    this.current = state;
    this.changed.fire();
  }

  private address(): string {
    const server = this.deps.serverUrl();
    return 'url' in server ? server.url : '';
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof BackendError && error.problem.code === 'unauthorized';
}
