import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grant } from '../../../server/credits/holds/store.ts';
import { startPlan } from '../../../server/credits/plans/plans.ts';
import { parseConfig } from '../../../server/platform/config/config.ts';
import type { Database } from '../../../server/platform/db/database.ts';
import { openDatabase } from '../../../server/platform/db/open.ts';
import { createLog } from '../../../server/platform/log.ts';
import type { CheckoutAnswer } from '../../../shared/credits.ts';
import type { RunRequest } from '../../../shared/runs.ts';
import { StripeDouble, type StripeEvent } from '../../doubles/stripe.ts';
import { UpstreamDouble } from '../../doubles/upstream.ts';
import { Client } from '../client.ts';
import { CHAT, MESSAGES, RESPONSES } from '../dialects.ts';
import { query } from '../nodes.ts';
import { type Engine, freshDatabase, SECRET, ServerProcess } from '../server.ts';
import { Books } from './books.ts';
import { anyScript } from './faults.ts';

const C = 1_000_000;
const LEASE_MS = 500;
/** How many operations run at the same time. */
const HANDS = 8;
/** How long the database is locked in an outage. */
const LOCK_MS = 150;
/** How many calls a model service gets at most in a round, before its server is killed. */
const CALLS = 20;
/** The longest time from the last of them to the kill. An answer takes about as long. */
const WAIT_MS = 100;
const much = { requestsPerMinute: 1e6, modelRequestsPerMinute: 1e6, tokensPerMinute: 1e12 };
const TOKENS = { mode: 'tokens', inputMicro: 60 * C, cachedInputMicro: 15 * C, outputMicro: 250 * C };
const POLICY = {
  models: [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 1000, price: TOKENS }],
  guests: { messages: 10_000 },
  limits: { guest: much, tiers: [much] },
  refunds: { perDay: 1000, uncharged: { runs: 100_000 } },
};

/** What a tool speaks, the end of a stream that is whole, and the id of its run. */
const DIALECTS = [
  { ...CHAT, whole: /\ndata: \[DONE\]\n\n$/, id: /"chatcmpl-([0-9a-f-]+)"/ },
  { ...MESSAGES, whole: /\nevent: message_stop\n/, id: /"msg_([0-9a-f-]+)"/ },
  { ...RESPONSES, whole: /\nevent: response\.(completed|incomplete)\n/, id: /"resp_([0-9a-f-]+)"/ },
];
/** What the editor says when another extension asks by its session. */
const FOR_EXTENSION = { 'perigee-for': 'acme.helper', 'perigee-daily-cap': String(1000 * C) };

/** Pseudorandom numbers from 0 up to 1 from a seed (mulberry32, public domain). */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Totals of all rounds, so that a run without real kills can't pass. */
export interface Toll {
  rounds: number;
  answers: number;
  /** Runs that were open when their server was killed. */
  cutOff: number;
  payments: number;
  /** Calls that tools made. */
  calls: number;
  /** Failures of the model service. */
  faults: number;
  /** Times at which the database dropped its connections, or was locked. */
  outages: number;
}

/**
 * Runs the real server as a process of its own, under load, and kills it again and again at times from a seed, on one
 * database. After each kill it starts the server again and checks its books from outside.
 */
export class Killing {
  readonly toll: Toll = { rounds: 0, answers: 0, cutOff: 0, payments: 0, calls: 0, faults: 0, outages: 0 };
  readonly #started = new Map<string, { client: Client; request: RunRequest }>();
  /** Events that the server did not accept. Stripe sends them again. */
  #untold: StripeEvent[] = [];
  #regulars: Client[] = [];
  #server!: ServerProcess;
  #db!: Database;
  #books!: Books;
  /** Decides what the model service does. */
  #luck: () => number = Math.random;
  #calls = 0;
  #waiting: { due: number; resolve: () => void }[] = [];

  private constructor(
    private readonly database: { url: string; remove(): Promise<void> },
    private readonly upstream: UpstreamDouble,
    private readonly stripe: StripeDouble,
    private readonly dir: string,
    private readonly engine: Engine,
  ) {}

  static async begin(engine: Engine): Promise<Killing> {
    const dir = await mkdtemp(join(tmpdir(), 'perigee-killing-'));
    await writeFile(join(dir, 'config.json'), JSON.stringify(POLICY));
    const upstream = await new UpstreamDouble({ models: ['double'] }).start();
    const killing = new Killing(await freshDatabase(engine), upstream, await StripeDouble.start(), dir, engine);
    upstream.usually(() => {
      killing.#calls++;
      for (const { due, resolve } of killing.#waiting) if (due <= killing.#calls) resolve();
      const { script, fault } = anyScript(killing.#luck);
      if (fault) killing.toll.faults++;
      return script;
    });
    await killing.#start();
    const { database } = parseConfig({ DATABASE_URL: killing.database.url, SECRET }, () => '{}');
    killing.#db = await openDatabase(database, createLog('silent'), { alongside: true });
    killing.#books = new Books(killing.#db, upstream, killing.stripe);
    killing.#regulars = [await killing.#guest(), await killing.#member(), await killing.#member({ hasPlan: true })];
    return killing;
  }

  async end(): Promise<void> {
    await this.#server?.kill();
    await this.#db?.close();
    await this.upstream.stop();
    await this.stripe.stop();
    await this.database.remove();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** One round: work, kill, restart, check of the books. */
  async round(seed: number): Promise<void> {
    const next = random(seed);
    const clients = [...this.#regulars, await this.#guest(), await this.#member()];
    this.#luck = random(Math.floor(next() * 2 ** 32));
    let isDead = false;
    const hand = async (one: () => number) => {
      while (!isDead) {
        const client = clients[Math.floor(one() * clients.length)]!;
        // The connection breaks with the server, at any point of the work.
        await this.#work(client, one).catch((error) => {
          if (!isDead && !isCut(error) && !isRefused(error)) throw error;
        });
      }
    };
    const hands = Array.from({ length: HANDS }, () => hand(random(Math.floor(next() * 2 ** 32))));
    const working = Promise.all(hands);
    const calls = Math.floor(next() * CALLS);
    const outage = next() < 0.3 ? this.#asked(Math.floor(next() * calls)).then(() => this.#outage()) : null;
    await Promise.race([working, this.#asked(calls).then(() => pause(next() * WAIT_MS))]);
    isDead = true;
    await this.#server.kill();
    await working;
    await outage;
    this.#waiting = [];
    const { length: cutOff } = await this.#open();
    this.toll.cutOff += cutOff;
    this.#books.unreported += cutOff;
    await this.#start();
    await this.#settled();
    await this.#proveAll(clients.slice(this.#regulars.length));
    this.toll.rounds++;
  }

  /** Resolves once the model service has had this many calls more. Not after a time: on a busy machine, nothing happens in it. */
  #asked(calls: number): Promise<void> {
    if (calls === 0) return Promise.resolve();
    const due = this.#calls + calls;
    return new Promise((resolve) => this.#waiting.push({ due, resolve }));
  }

  /** PostgreSQL drops all connections, as when it restarts; SQLite's file is locked, as by a command of the operator's. */
  async #outage(): Promise<void> {
    this.toll.outages++;
    const others = 'datname = current_database() and pid <> pg_backend_pid()';
    if (this.engine === 'postgres')
      await query(this.database.url, `select pg_terminate_backend(pid) from pg_stat_activity where ${others}`);
    else await this.#db.write(() => pause(LOCK_MS));
  }

  async #start(): Promise<void> {
    const env = { LEASE_MS: `${LEASE_MS}`, LOG_LEVEL: 'info', PERIGEE_CONFIG: join(this.dir, 'config.json') };
    this.#server = await ServerProcess.start(this.database.url, this.upstream.url, { ...env, ...this.stripe.env });
    this.#regulars = this.#regulars.map((client) => this.#at(client));
  }

  /** The same account on the server that runs now. */
  #at = (client: Client) => new Client(this.#server.url, client.token, client.accountId);

  #guest = () => Client.guest(this.#server.url);

  /** A member with credits. Made without sign-in, which is not tested here. */
  async #member({ hasPlan = false } = {}): Promise<Client> {
    const client = await this.#guest();
    const { accountId } = client;
    const at = Date.now();
    await this.#db.write(async (tx) => {
      const member = { kind: 'member' as const, terms_version: '1', tier: 0 };
      await tx.updateTable('account').set(member).where('id', '=', accountId).execute();
      const given = { accountId, amountMicro: 1000 * C, requestId: `killing:${accountId}`, reason: 'To be spent', at };
      await grant(tx, given);
      const windows = [{ name: '5 hours', hours: 5, limitMicro: 50 * C }];
      const period = { plan: 'a-plan', windows, interval: 'month' as const, from: at, to: at + 30 * 86_400_000 };
      if (hasPlan) await startPlan(tx, { ...period, id: crypto.randomUUID(), accountId, paymentRef: null, at });
    });
    return client;
  }

  async #work(client: Client, next: () => number): Promise<void> {
    const what = next();
    if (what < 0.05) return void (await client.log('?limit=20'));
    if (what < 0.15) return this.#buy(client);
    if (what < 0.4) return this.#call(client, next);
    const isEdit = what > 0.75;
    const request = isEdit ? client.edit(questionOf(next), 'let a = 1;') : client.chat(questionOf(next));
    this.#started.set(request.id, { client, request });
    const { status } = await client.start(request);
    if (status !== 202) return;
    if (what > 0.65 && what < 0.75) {
      this.#books.unreported++;
      await client.stop(request.id);
    }
    const events = await client.events(request.id);
    const end = events.at(-1);
    if (end?.type !== 'done' && end?.type !== 'error') return;
    this.#books.told.set(request.id, end.data.chargedMicro ?? 0);
    if (end.type === 'error') return;
    this.toll.answers++;
    if (!isEdit) return;
    // From here, the run may be refunded, and its client may not learn of it.
    this.#books.told.delete(request.id);
    const { status: told, body } = await client.outcome(request.id, 0, 1);
    if (told === 200) this.#books.told.set(request.id, end.data.chargedMicro - body.refundedMicro);
  }

  /** Calls as a tool does. What it has whole is charged; an empty answer, or one that it is told has failed, is not. */
  async #call(client: Client, next: () => number): Promise<void> {
    const { path, ask, failed, whole, id } = DIALECTS[Math.floor(next() * DIALECTS.length)]!;
    const stream = next() < 0.6;
    const leaving = new AbortController();
    this.toll.calls++;
    const response = await fetch(client.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${client.token}`,
        'content-type': 'application/json',
        ...(next() < 0.2 ? FOR_EXTENSION : {}),
      },
      body: JSON.stringify({ ...ask(questionOf(next)), stream }),
      signal: leaving.signal,
    });
    if (stream && next() < 0.1) {
      this.#books.unreported++;
      leaving.abort();
      return;
    }
    let text = '';
    let isBroken = false;
    try {
      for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) text += piece;
    } catch (error) {
      // The server breaks off a stream after it has told the failure.
      if (!isCut(error)) throw error;
      isBroken = true;
    }
    const requestId = response.headers.get('x-request-id')!;
    if (response.status === 200 && (stream ? whole.test(text) : !isBroken)) {
      if (text.includes('piece0')) this.#books.whole.add(id.exec(text)![1]!);
      else this.#books.free.add(requestId);
      this.toll.answers++;
    } else if (response.status !== 200 || failed.test(text.slice(text.lastIndexOf('\n\n', text.length - 3) + 2)))
      if (!MAY_BE_CHARGED.test(text)) this.#books.free.add(requestId);
  }

  /** Buys a pack. Stripe sends an undelivered event again later. */
  async #buy(client: Client): Promise<void> {
    const { status, body } = await client.request<CheckoutAnswer>('POST', '/api/credits/checkout', { pack: 'pack-5' });
    if (status !== 200) return;
    const events = this.stripe.pay(/cs_\w+/.exec(body.url)![0]);
    this.toll.payments++;
    this.#untold.push(...events);
    const [event] = events;
    // Twice at once, because Stripe may do that.
    await Promise.all([1, 2].map(() => this.stripe.deliver(this.#server.url, event!)));
  }

  async #open(): Promise<string[]> {
    const open = await this.#db.read.selectFrom('run').select('id').where('state', '=', 'running').execute();
    return open.map(({ id }) => id);
  }

  /** Waits until the new server has ended the runs that the killed one left open. */
  async #settled(): Promise<void> {
    while ((await this.#open()).length > 0) await new Promise((resolve) => setTimeout(resolve, LEASE_MS / 10));
  }

  async #proveAll(newcomers: Client[]): Promise<void> {
    for (const event of this.#untold) assert.equal(await this.stripe.deliver(this.#server.url, event), 204);
    this.#untold = [];
    await this.#books.prove();
    for (const newcomer of newcomers) {
      const { status, body } = await this.#at(newcomer).account();
      assert.deepEqual([status, body.balance.pendingMicro], [200, 0], 'nothing is held where nothing runs');
    }
    await this.#proveRead();
  }

  /** Checks that every run has an end with a reason, and that its conversation is readable. */
  async #proveRead(): Promise<void> {
    for (const { client, request } of this.#started.values()) {
      const { status, body } = await this.#at(client).conversation(request.conversationId);
      if (status === 404) continue;
      assert.equal(status, 200);
      const answer = body.messages.find(({ role }) => role === 'assistant');
      if (!answer) continue;
      assert.ok(answer.state && answer.state !== 'running', `${request.id} is ${answer.state}`);
      if (answer.chargedMicro === 0 && answer.state !== 'stopped') assert.ok(answer.reason, `${request.id}: why?`);
    }
    this.#started.clear();
  }
}

/** Questions differ in length, so that a bill tells them apart. */
const questionOf = (next: () => number) => `${'word '.repeat(next() * 200)}${next()}`;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What a client is told where the end of its answer could not be stored. */
const MAY_BE_CHARGED = /Look at your credits/;

/** Whether a client could not read its answer, because the database was away. */
const isRefused = (error: unknown) => (error as Error).message.startsWith('no events: 503 ');

/** Whether an error of `fetch` means that the connection broke. */
const isCut = (error: unknown) => error instanceof TypeError || (error as { name?: string }).name === 'AbortError';
