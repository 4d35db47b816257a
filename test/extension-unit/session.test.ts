import assert from 'node:assert/strict';
import type { Memento, SecretStorage } from 'vscode';
import type { Grant } from '../../extension/account/session/entry.ts';
import { InstallKey } from '../../extension/account/session/installKey.ts';
import { Session } from '../../extension/account/session/session.ts';
import { ServerClock } from '../../extension/account/session/signingKey.ts';
import type { SessionState } from '../../extension/account/session/state.ts';
import { Tokens } from '../../extension/account/session/tokens.ts';
import type { AccountSignal, Backend } from '../../extension/backend.ts';
import { Emitter } from '../../extension/platform/emitter.ts';
import { BackendError, localProblem } from '../../extension/platform/server/backendError.ts';
import type { Credential } from '../../extension/platform/server/wire.ts';
import type { AccountAnswer, Balance, GuestAnswer } from '../../shared/account.ts';
import type { TokenAnswer, TokenRequest } from '../../shared/auth.ts';
import type { Timers } from '../../shared/waking.ts';
import { Secrets } from './secrets.ts';

const refused = (code: 'unauthorized' | 'too_many_guests' | 'invalid_grant') =>
  new BackendError('refused', { ...localProblem('No', 'what to do', code), status: 400 });

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
  windows: Balance['windows'] = [];
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
    await this.gate;
    return { token, account: this.accountOf(token).account };
  }
  /** The codes that can be exchanged, each once. */
  codes = new Set<string>();
  exchanged: TokenRequest[] = [];
  refreshed: string[] = [];
  signedOut: string[] = [];
  /** How long a member's token lives, in seconds. */
  life = 1000;
  private members = 0;
  /** Held open by a test: what is asked waits for it. */
  gate: Promise<void> = Promise.resolve();
  async exchange(_who: Credential, request: TokenRequest): Promise<TokenAnswer> {
    this.exchanged.push(request);
    const code = 'code' in request ? request.code : 'local_token' in request ? request.local_token : '';
    if (!this.codes.delete(code)) throw refused('invalid_grant');
    // The guest ends before the one who signs in has the answer.
    if (request.guest_token) this.end(request.guest_token);
    await this.gate;
    return this.memberAnswer();
  }
  async refresh({ token }: Credential): Promise<TokenAnswer> {
    if (!this.valid.has(token!)) throw refused('unauthorized');
    this.refreshed.push(token!);
    return this.memberAnswer();
  }
  async signOut({ token }: Credential): Promise<void> {
    this.signedOut.push(token!);
    this.end(token!);
  }
  /** Ends a token, and closes what listens with it. */
  end(token: string): void {
    this.valid.delete(token);
    for (const connection of this.connections) if (connection.token === token) connection.push(refused('unauthorized'));
  }
  private memberAnswer(): TokenAnswer {
    const token = `member ${++this.members}`;
    this.valid.add(token);
    const { account } = this.accountOf(token);
    return { access_token: token, token_type: 'DPoP', expires_in: this.life, account };
  }
  async account({ token }: { token: string | null }): Promise<AccountAnswer> {
    if (!token || !this.valid.has(token)) throw refused('unauthorized');
    const answer = this.accountOf(token);
    this.balances.fire(answer.balance);
    return answer;
  }
  async *accountEvents(who: Credential, signal: AbortSignal): AsyncGenerator<AccountSignal> {
    const token = who.token!;
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
      windows: this.windows,
    };
    const isMember = token.startsWith('member');
    const account = isMember
      ? ({ id: 'the member', kind: 'member', email: 'you@example.org', createdAt: '' } as const)
      : ({ id: token, kind: 'guest', createdAt: '' } as const);
    return { account, balance, limits: {}, notices: [] };
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
  function open(
    memory = new Memory(),
    localGrant: () => Promise<Grant | null> = async () => null,
    timers?: Timers,
  ): Session {
    const serverUrl = () => ({ url });
    const tokens = new Tokens(secrets as unknown as SecretStorage, serverUrl);
    const session = new Session({
      backend: server as unknown as Backend,
      tokens,
      installKey: new InstallKey(secrets as unknown as SecretStorage),
      clock: new ServerClock(),
      serverUrl,
      memory: memory as unknown as Memento,
      log,
      localGrant,
      timers,
    });
    sessions.push(session);
    return session;
  }
  const tokenOf = async (session: Session) => (await session.credential()).token;
  const grant = (code: string): Grant => {
    server.codes.add(code);
    return { grant_type: 'authorization_code', code, code_verifier: 'v'.repeat(43) };
  };

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

  it('reads the balance afresh once an instant has passed at which a window frees up', async () => {
    let now = Date.parse('2026-11-21T10:00:00Z');
    let due: (() => void) | undefined;
    const timers: Timers = { now: () => now, random: () => 0, set: (act) => (due = act), clear: () => {} };
    const window = { name: '5 hours', usedMicro: 5, limitMicro: 5, nextFreeMicro: 5, allFreeAt: null };
    server.windows = [{ ...window, nextFreeAt: '2026-11-21T11:00:00Z' }];
    const session = open(new Memory(), async () => null, timers);
    await session.start();
    await session.credential();
    await until(session, 'ok');
    const passed: string[] = [];
    session.onDidPass(() => passed.push('passed'));
    server.windows = [];
    due!();
    assert.deepEqual([passed, session.balance?.windows.length], [[], 1], 'not before it');
    now += 3_700_000;
    due!();
    assert.deepEqual(passed, ['passed']);
    await new Promise<void>((resolve) => {
      const listening = session.onDidChange(() => {
        if (session.balance?.windows.length !== 0) return;
        listening.dispose();
        resolve();
      });
    });
  });

  it('makes no account by itself', async () => {
    const session = open();
    await session.start();
    assert.deepEqual([session.state.kind, server.guests], ['signedOut', 0]);
  });

  it('becomes a guest at the first need, once, however many ask', async () => {
    const session = open();
    await session.start();
    const tokens = await Promise.all([tokenOf(session), tokenOf(session), session.call(async (who) => who.token)]);
    assert.deepEqual(new Set(tokens), new Set(['token 1']));
    await until(session, 'ok');
    assert.equal(session.account?.kind, 'guest');
    assert.equal(session.balance?.guestMessagesLeft, 10);
  });

  it('takes over the account that another window made', async () => {
    const [first, second] = [open(), open()];
    await Promise.all([first.start(), second.start()]);
    await tokenOf(first);
    await until(second, 'ok');
    assert.equal(server.guests, 1);
    assert.equal(await tokenOf(second), 'token 1');
  });

  it('has one account in two windows that start at the same instant', async () => {
    const [first, second] = [open(), open()];
    await Promise.all([tokenOf(first), tokenOf(second)]);
    await Promise.all([until(first, 'ok'), until(second, 'ok')]);
    assert.equal(await tokenOf(first), await tokenOf(second));
    assert.equal(secrets.values.size, 1);
  });

  it('drops a refused token, makes no new guest unasked, and begins anew on a click', async () => {
    const session = open();
    await tokenOf(session);
    await until(session, 'ok');
    server.valid.clear();
    await assert.rejects(
      session.call((who) => server.account(who)),
      BackendError,
    );
    assert.equal(session.state.kind === 'signedOut' && session.state.why, 'expired');
    assert.equal(secrets.values.size, 0);
    await session.begin();
    await assert.rejects(
      tokenOf(session),
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
    await tokenOf(session);
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
    await tokenOf(session);
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
    await tokenOf(session);
    await until(session, 'ok');
    const told = new Promise((resolve) => session.onDidChangeConversation(resolve));
    server.connections.at(-1)!.push({ type: 'change', change: { topic: 'conversation', id: 'c' } });
    assert.equal(await told, 'c');
  });

  it('never shows one server the token of another', async () => {
    const session = open();
    await tokenOf(session);
    await until(session, 'ok');
    url = 'http://two';
    await session.changeServer();
    assert.equal(session.state.kind, 'signedOut');
    assert.equal(session.account, null);
    assert.equal(await tokenOf(session), 'token 2');
    url = 'http://one';
    await session.changeServer();
    await until(session, 'ok');
    assert.equal(await tokenOf(session), 'token 1');
  });

  it('signs in, takes the guest along, and is a member in every window', async () => {
    const [first, second] = [open(), open()];
    await tokenOf(first);
    await Promise.all([until(first, 'ok'), until(second, 'ok')]);
    const answer = await first.signIn(grant('code'));
    assert.equal(server.exchanged.at(-1)?.guest_token, 'token 1');
    assert.equal(answer.account.kind, 'member');
    const isMember = (session: Session) => session.account?.kind === 'member' && session.state.kind === 'ok';
    for (const session of [first, second]) await untilSo(session, () => isMember(session));
    assert.equal(await tokenOf(second), 'member 1');
  });

  it('is never signed out while the guest that is here becomes a member', async () => {
    const session = open();
    await tokenOf(session);
    await until(session, 'ok');
    const states: string[] = [];
    session.onDidChange(() => states.push(session.state.kind));
    let answer = () => {};
    server.gate = new Promise((resolve) => (answer = resolve));
    const signingIn = session.signIn(grant('code'));
    // The server has ended the guest and told its connection, before the answer is there.
    const told = session.call((who) => server.account(who));
    await new Promise((later) => setImmediate(later));
    answer();
    await signingIn;
    await told;
    await untilSo(session, () => session.account?.kind === 'member' && session.state.kind === 'ok');
    assert.ok(!states.includes('signedOut'), states.join());
  });

  it('goes on with the newer token that another window got, also for a call that was refused with the older', async () => {
    const [first, second] = [open(), open()];
    await first.signIn(grant('code'));
    await Promise.all([until(first, 'ok'), until(second, 'ok')]);
    const newer = secrets.values.get('token http://one')!.replace('member 1', 'member 9');
    let tries = 0;
    const called = await second.call(async (who) => {
      if (tries++ > 0) return who.token;
      server.valid.add('member 9');
      server.valid.delete('member 1');
      await secrets.store('token http://one', newer);
      throw refused('unauthorized');
    });
    assert.equal(called, 'member 9');
    assert.equal(second.state.kind, 'ok');
    assert.ok(secrets.values.has('token http://one'));
  });

  it('gets the next token when less than half of its life is left, and not before', async () => {
    const session = open();
    await session.signIn(grant('code'));
    await until(session, 'ok');
    await tokenOf(session);
    assert.deepEqual(server.refreshed, []);
    age(0.49);
    await tokenOf(session);
    assert.deepEqual(server.refreshed, []);
    age(0.02);
    const isNew = untilToken('member 2');
    assert.equal(await tokenOf(session), 'member 1', 'nobody waits for it');
    await isNew;
    assert.equal(await tokenOf(session), 'member 2');
    assert.deepEqual(server.refreshed, ['member 1']);
    assert.equal(session.state.kind, 'ok', 'nothing that is shown has changed');
  });

  it('has one stored token where two windows get the next one in the same instant, and both go on', async () => {
    const [first, second] = [open(), open()];
    await first.signIn(grant('code'));
    await Promise.all([until(first, 'ok'), until(second, 'ok')]);
    age(0.6);
    const isNew = untilToken('member');
    await Promise.all([tokenOf(first), tokenOf(second)]);
    await isNew;
    const stored = (): string => JSON.parse(secrets.values.get('token http://one')!).token;
    await untilSo(first, () => server.connections.at(-1)?.token === stored());
    assert.equal(await tokenOf(first), await tokenOf(second));
    assert.equal(await first.call(async (who) => (await server.account(who)).account.id), 'the member');
    assert.deepEqual([first.state.kind, second.state.kind], ['ok', 'ok']);
  });

  it('says to a member whose session has ended: sign in again, and makes no guest', async () => {
    const session = open();
    await session.signIn(grant('code'));
    await until(session, 'ok');
    server.end('member 1');
    await until(session, 'signedOut');
    const { state } = session;
    assert.ok(state.kind === 'signedOut');
    assert.deepEqual([state.why, state.was], ['expired', 'member']);
    assert.match(state.detail, /Sign in again/);
    await session.begin();
    assert.equal(server.guests, 0);
    await session.signIn(grant('another'));
    await until(session, 'ok');
  });

  it('ends the session on the server when a member signs out, and says so after a restart', async () => {
    const memory = new Memory();
    const session = open(memory);
    await session.signIn(grant('code'));
    await until(session, 'ok');
    assert.equal(await session.leave(), true);
    assert.deepEqual(server.signedOut, ['member 1']);
    const again = open(memory);
    await again.start();
    assert.ok(again.state.kind === 'signedOut' && again.state.was === 'member' && again.state.why === 'left');
  });

  it('gives no server the code that was meant for another', async () => {
    const session = open();
    let answer = () => {};
    server.gate = new Promise((resolve) => (answer = resolve));
    const signingIn = session.signIn(grant('code'));
    signingIn.catch(() => {});
    await new Promise((later) => setImmediate(later));
    url = 'http://two';
    answer();
    await assert.rejects(signingIn, /changed meanwhile/);
    assert.deepEqual([...secrets.values.keys()], ['install key']);
  });

  it('keeps no guest of one server for another, and says nothing there of a failure here', async () => {
    const session = open();
    let answer = () => {};
    server.gate = new Promise((resolve) => (answer = resolve));
    const making = session.credential();
    making.catch(() => {});
    await new Promise((later) => setImmediate(later));
    url = 'http://two';
    await session.changeServer();
    answer();
    await assert.rejects(making, /changed meanwhile/);
    assert.deepEqual([...secrets.values.keys()], []);
    server.gate = Promise.resolve();
    const here = await session.credential();
    await until(session, 'ok');
    await session.failed(BackendError.offline('gone'), { ...here, server: 'http://one' });
    assert.equal(session.state.kind, 'ok');
  });

  it('reads a guest’s token as it was stored before there were members', async () => {
    secrets.values.set('token http://one', 'token 7');
    server.valid.add('token 7');
    const session = open();
    await session.start();
    await until(session, 'ok');
    assert.equal(await tokenOf(session), 'token 7');
  });

  describe('on a server of one’s own', () => {
    const local = (...tokens: string[]) => {
      let reads = 0;
      return async (): Promise<Grant> => ({
        grant_type: 'urn:perigee:grant-type:local',
        local_token: tokens[Math.min(reads++, tokens.length - 1)]!,
        device_name: 'here',
        tool: 'test',
      });
    };

    it('is signed in at the start without a question, and takes the guest along', async () => {
      const guest = open();
      await tokenOf(guest);
      await until(guest, 'ok');
      guest.dispose();
      server.codes.add('l1');
      const session = open(new Memory(), local('l1'));
      await session.start();
      await until(session, 'ok');
      assert.equal(session.account?.kind, 'member');
      assert.equal(server.exchanged.at(-1)?.guest_token, 'token 1');
    });

    it('reads the next token when another editor has used this one', async () => {
      server.codes.add('l2');
      const session = open(new Memory(), local('used', 'l2'));
      await session.start();
      await until(session, 'ok');
      assert.equal(session.account?.kind, 'member');
    });

    it('becomes a guest where the token is worth nothing', async () => {
      const session = open(new Memory(), local('stale'));
      await session.start();
      assert.equal(session.state.kind, 'signedOut');
      await tokenOf(session);
      await until(session, 'ok');
      assert.equal(session.account?.kind, 'guest');
    });

    it('does not sign in whoever has signed out', async () => {
      const memory = new Memory();
      server.codes.add('l1').add('l2');
      const session = open(memory, local('l1', 'l2'));
      await session.start();
      await until(session, 'ok');
      await session.leave();
      const again = open(memory, local('l2'));
      await again.start();
      assert.equal(again.state.kind, 'signedOut');
      assert.ok(server.codes.has('l2'));
    });
  });

  /** Makes the stored token older by a part of its life. */
  function age(part: number): void {
    const kept = JSON.parse(secrets.values.get('token http://one')!);
    const ms = (kept.until - kept.since) * part;
    secrets.values.set('token http://one', JSON.stringify({ ...kept, since: kept.since - ms, until: kept.until - ms }));
  }

  function untilToken(beginning: string): Promise<void> {
    const before = secrets.values.get('token http://one');
    return new Promise((resolve) => {
      const listening = secrets.onDidChange(() => {
        const stored = secrets.values.get('token http://one');
        if (stored === before || !stored?.includes(`"${beginning}`)) return;
        listening.dispose();
        resolve();
      });
    });
  }

  async function untilSo(session: Session, isSo: () => boolean): Promise<void> {
    while (!isSo())
      await new Promise<void>((resolve) => {
        const listening = session.onDidChange(() => {
          listening.dispose();
          resolve();
        });
      });
  }
});
