import assert from 'node:assert/strict';
import type { Memento, SecretStorage } from 'vscode';
import { Session, type SessionState } from '../../extension/account/session.ts';
import { Tokens } from '../../extension/account/tokens.ts';
import type { AccountSignal, Backend } from '../../extension/backend.ts';
import { BackendError, localProblem } from '../../extension/backendError.ts';
import { Emitter } from '../../extension/platform/emitter.ts';
import type { AccountAnswer, Balance, GuestAnswer } from '../../shared/account.ts';

const refused = (code: 'unauthorized' | 'too_many_guests') =>
  new BackendError('refused', { ...localProblem('No', 'what to do', code), status: 400 });

/** The machine's secret storage: all windows have it together. */
class Secrets {
  readonly values = new Map<string, string>();
  private readonly changed = new Emitter<{ key: string }>();
  readonly onDidChange = this.changed.event as unknown as SecretStorage['onDidChange'];
  get = async (key: string) => this.values.get(key);
  keys = async () => [...this.values.keys()];
  async store(key: string, value: string) {
    this.values.set(key, value);
    this.changed.fire({ key });
  }
  async delete(key: string) {
    this.values.delete(key);
    this.changed.fire({ key });
  }
}

class Memory {
  readonly values = new Map<string, unknown>();
  get = (key: string) => this.values.get(key) as never;
  keys = () => [...this.values.keys()];
  update = async (key: string, value: unknown) => {
    if (value === undefined) this.values.delete(key);
    else this.values.set(key, value);
  };
}

/** The server's side: accounts by token, and a connection for changes that the test holds in its hands. */
class Server {
  guests = 0;
  valid = new Set<string>();
  failGuest: BackendError | undefined;
  private readonly balances = new Emitter<Balance>();
  onDidChangeBalance = this.balances.event;
  connections: { token: string; push(signal: AccountSignal | BackendError): void }[] = [];
  retryNow() {}
  async guest(): Promise<GuestAnswer> {
    if (this.failGuest) throw this.failGuest;
    const token = `token ${++this.guests}`;
    this.valid.add(token);
    return { token, account: this.accountOf(token).account };
  }
  async account(token: string): Promise<AccountAnswer> {
    if (!this.valid.has(token)) throw refused('unauthorized');
    const answer = this.accountOf(token);
    this.balances.fire(answer.balance);
    return answer;
  }
  async *accountEvents(token: string, signal: AbortSignal): AsyncGenerator<AccountSignal> {
    if (!this.valid.has(token)) throw refused('unauthorized');
    const queue: (AccountSignal | BackendError)[] = [{ type: 'connected' }];
    let wake = () => {};
    const push = (value: AccountSignal | BackendError) => {
      queue.push(value);
      wake();
    };
    this.connections.push({ token, push });
    signal.addEventListener('abort', () => wake());
    for (;;) {
      if (signal.aborted) throw signal.reason;
      const next = queue.shift();
      if (next instanceof BackendError) throw next;
      if (next) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  private accountOf(token: string): AccountAnswer {
    const balance: Balance = {
      availableMicro: 10_000_000,
      pendingMicro: 0,
      ofMicro: 10_000_000,
      promotionalMicro: 10_000_000,
      purchasedMicro: 0,
      guestMessagesLeft: 10,
      windows: [],
    };
    return { account: { id: token, kind: 'guest', createdAt: '' }, balance, limits: {}, notices: [] };
  }
}

const log = { info() {}, warn() {}, error() {} };

describe('the session', () => {
  let server: Server;
  let secrets: Secrets;
  let sessions: Session[];
  let url: string;

  beforeEach(() => {
    server = new Server();
    secrets = new Secrets();
    sessions = [];
    url = 'http://one';
  });
  afterEach(() => {
    for (const session of sessions) session.dispose();
  });

  /** Another window of the same machine. */
  function open(memory = new Memory()): Session {
    const serverUrl = () => ({ url });
    const tokens = new Tokens(secrets as unknown as SecretStorage, serverUrl);
    const session = new Session(server as unknown as Backend, tokens, serverUrl, memory as unknown as Memento, log);
    sessions.push(session);
    return session;
  }

  async function until(session: Session, kind: SessionState['kind']): Promise<void> {
    if (session.state.kind === kind) return;
    await new Promise<void>((resolve) => {
      const listening = session.onDidChange(() => {
        if (session.state.kind !== kind) return;
        listening.dispose();
        resolve();
      });
    });
  }

  it('makes no account by itself', async () => {
    const session = open();
    await session.start();
    assert.deepEqual([session.state.kind, server.guests], ['signedOut', 0]);
  });

  it('becomes a guest at the first need, once, however many ask', async () => {
    const session = open();
    await session.start();
    const tokens = await Promise.all([session.token(), session.token(), session.call(async (token) => token)]);
    assert.deepEqual(new Set(tokens), new Set(['token 1']));
    await until(session, 'ok');
    assert.equal(session.account?.kind, 'guest');
    assert.equal(session.balance?.guestMessagesLeft, 10);
  });

  it('takes over the account that another window made', async () => {
    const [first, second] = [open(), open()];
    await Promise.all([first.start(), second.start()]);
    await first.token();
    await until(second, 'ok');
    assert.equal(server.guests, 1);
    assert.equal(await second.token(), 'token 1');
  });

  it('has one account in two windows that start at the same instant', async () => {
    const [first, second] = [open(), open()];
    await Promise.all([first.token(), second.token()]);
    await Promise.all([until(first, 'ok'), until(second, 'ok')]);
    assert.equal(await first.token(), await second.token());
    assert.equal(secrets.values.size, 1);
  });

  it('drops a refused token, makes no new guest unasked, and begins anew on a click', async () => {
    const session = open();
    await session.token();
    await until(session, 'ok');
    server.valid.clear();
    await assert.rejects(
      session.call((token) => server.account(token) as never),
      BackendError,
    );
    assert.equal(session.state.kind === 'signedOut' && session.state.why, 'expired');
    assert.equal(secrets.values.size, 0);
    await session.begin();
    await assert.rejects(
      session.token(),
      (error) => error instanceof BackendError && error.problem.code === 'unauthorized',
    );
    assert.equal(server.guests, 1);
    await session.beginAnew();
    await until(session, 'ok');
    assert.equal(server.guests, 2);
  });

  it('stays signed out over a restart', async () => {
    const memory = new Memory();
    const session = open(memory);
    await session.token();
    await session.leave();
    session.dispose();
    const again = open(memory);
    await again.start();
    await again.begin();
    assert.equal(again.state.kind === 'signedOut' && again.state.why, 'left');
    assert.equal(server.guests, 1);
  });

  it('says why no guest is admitted', async () => {
    server.failGuest = refused('too_many_guests');
    const session = open();
    await session.begin();
    assert.equal(session.state.kind === 'signedOut' && session.state.detail, 'what to do');
  });

  it('is offline when the connection breaks and back when it is there again', async () => {
    const session = open();
    await session.token();
    await until(session, 'ok');
    const connection = server.connections.at(-1)!;
    connection.push({ type: 'disconnected', error: BackendError.offline('nothing listens there') });
    await until(session, 'offline');
    assert.equal(session.balance?.guestMessagesLeft, 10, 'what was known is kept');
    connection.push({ type: 'connected' });
    await until(session, 'ok');
  });

  it('passes on which conversation changed', async () => {
    const session = open();
    await session.token();
    await until(session, 'ok');
    const told = new Promise((resolve) => session.onDidChangeConversation(resolve));
    server.connections.at(-1)!.push({ type: 'change', change: { topic: 'conversation', id: 'c' } });
    assert.equal(await told, 'c');
  });

  it('never shows one server the token of another', async () => {
    const session = open();
    await session.token();
    await until(session, 'ok');
    url = 'http://two';
    await session.changeServer();
    assert.equal(session.state.kind, 'signedOut');
    assert.equal(session.account, null);
    assert.equal(await session.token(), 'token 2');
    url = 'http://one';
    await session.changeServer();
    await until(session, 'ok');
    assert.equal(await session.token(), 'token 1');
  });
});
