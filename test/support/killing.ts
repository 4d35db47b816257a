import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditLive } from '../../server/credits/audit/audit.ts';
import { grant } from '../../server/credits/holds/store.ts';
import { startPlan } from '../../server/credits/plans/plans.ts';
import { parseConfig } from '../../server/platform/config/config.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { openDatabase } from '../../server/platform/db/open.ts';
import { createLog } from '../../server/platform/log.ts';
import type { CheckoutAnswer } from '../../shared/credits.ts';
import type { RunRequest } from '../../shared/runs.ts';
import { StripeDouble, type StripeEvent } from '../doubles/stripe.ts';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { Client } from './client.ts';
import { type Engine, freshDatabase, SECRET, ServerProcess } from './server.ts';

const C = 1_000_000;
const LEASE_MS = 500;
/** How many operations run at the same time. */
const HANDS = 8;
/** The longest time that a round works before its server is killed. */
const WORK_MS = 1000;
const much = { requestsPerMinute: 1e6, modelRequestsPerMinute: 1e6, tokensPerMinute: 1e12 };
const TOKENS = { mode: 'tokens', inputMicro: 60 * C, cachedInputMicro: 15 * C, outputMicro: 250 * C };
const POLICY = {
  models: [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 1000, price: TOKENS }],
  guests: { messages: 10_000 },
  limits: { guest: much, tiers: [much] },
  refunds: { perDay: 1000, uncharged: { runs: 100_000 } },
};

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
}

/**
 * Runs the real server as a process of its own, under load, and kills it again and again at times from a seed, on one
 * database. After each kill it starts the server again and checks its books from outside.
 */
export class Killing {
  readonly toll: Toll = { rounds: 0, answers: 0, cutOff: 0, payments: 0 };
  /** The cost by run that a client was told before the server was killed. */
  readonly #told = new Map<string, number>();
  /** The calls whose clients had the end of the answer. */
  readonly #whole = new Set<string>();
  readonly #started = new Map<string, { client: Client; request: RunRequest }>();
  /** Events that the server did not accept. Stripe sends them again. */
  #untold: StripeEvent[] = [];
  #regulars: Client[] = [];
  #server!: ServerProcess;
  #db!: Database;

  private constructor(
    private readonly database: { url: string; remove(): Promise<void> },
    private readonly upstream: UpstreamDouble,
    private readonly stripe: StripeDouble,
    private readonly dir: string,
  ) {}

  static async begin(engine: Engine): Promise<Killing> {
    const dir = await mkdtemp(join(tmpdir(), 'perigee-killing-'));
    await writeFile(join(dir, 'config.json'), JSON.stringify(POLICY));
    const upstream = await new UpstreamDouble({ models: ['double'] }).start();
    upstream.usually({ pieces: Array.from({ length: 12 }, (_, n) => `word${n} `), everyMs: 4 });
    const killing = new Killing(await freshDatabase(engine), upstream, await StripeDouble.start(), dir);
    await killing.#start();
    const { database } = parseConfig({ DATABASE_URL: killing.database.url, SECRET }, () => '{}');
    killing.#db = await openDatabase(database, createLog('silent'), { alongside: true });
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
    let isDead = false;
    const hand = async (one: () => number) => {
      while (!isDead) {
        const client = clients[Math.floor(one() * clients.length)]!;
        // The connection breaks with the server, at any point of the work.
        await this.#work(client, one).catch((error) => {
          if (!isDead && !isCut(error)) throw error;
        });
      }
    };
    const hands = Array.from({ length: HANDS }, () => hand(random(Math.floor(next() * 2 ** 32))));
    const working = Promise.all(hands);
    await Promise.race([working, new Promise((resolve) => setTimeout(resolve, 20 + next() * WORK_MS))]);
    isDead = true;
    await this.#server.kill();
    await working;
    this.toll.cutOff += (await this.#open()).length;
    await this.#start();
    await this.#settled();
    await this.#proveAll(clients.slice(this.#regulars.length));
    this.toll.rounds++;
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
    if (what < 0.4) return this.#call(client, next() < 0.5);
    const isEdit = what > 0.75;
    const request = isEdit ? client.edit('better', 'let a = 1;') : client.chat(`question ${next()}`);
    this.#started.set(request.id, { client, request });
    const { status } = await client.start(request);
    if (status !== 202) return;
    if (what > 0.65 && what < 0.75) await client.stop(request.id);
    const events = await client.events(request.id);
    const end = events.at(-1);
    if (end?.type !== 'done') return;
    this.#told.set(request.id, end.data.chargedMicro);
    this.toll.answers++;
    if (!isEdit) return;
    // From here, the run may be refunded, and its client may not learn of it.
    this.#told.delete(request.id);
    const { status: told, body } = await client.outcome(request.id, 0, 1);
    if (told === 200) this.#told.set(request.id, end.data.chargedMicro - body.refundedMicro);
  }

  /** Calls as a tool does. What it has whole was charged. */
  async #call(client: Client, stream: boolean): Promise<void> {
    const response = await fetch(`${client.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${client.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'double', stream, messages: [{ role: 'user', content: 'a question' }] }),
    });
    const text = await response.text();
    if (response.status !== 200 || (stream && !text.endsWith('data: [DONE]\n\n'))) return;
    this.#whole.add(/"chatcmpl-([0-9a-f-]+)"/.exec(text)![1]!);
    this.toll.answers++;
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
    assert.deepEqual(await auditLive(this.#db, Date.now(), 0), []);
    await this.#proveTold();
    await this.#provePayments();
    await this.#proveBill();
    for (const newcomer of newcomers) {
      const { status, body } = await this.#at(newcomer).account();
      assert.deepEqual([status, body.balance.pendingMicro], [200, 0], 'nothing is held where nothing runs');
    }
    await this.#proveRead();
  }

  /** Checks that each run costs what its client was told, and that each call that was answered whole is charged. */
  async #proveTold(): Promise<void> {
    const whole = [...this.#whole];
    const query = this.#db.read.selectFrom('log_entry').select('run_id').where('kind', '=', 'charge');
    const charged = whole.length > 0 ? await query.where('run_id', 'in', whole).execute() : [];
    assert.equal(charged.length, whole.length, 'calls that were answered whole and are not charged');
    this.#whole.clear();
    await this.#proveCosts();
  }

  async #proveCosts(): Promise<void> {
    const runs = [...this.#told.keys()];
    if (runs.length === 0) return;
    const rows = await this.#db.read
      .selectFrom('log_entry')
      .select((eb) => ['run_id', eb.fn.sum<number | string>('amount').as('sum')])
      .where('run_id', 'in', runs)
      .groupBy('run_id')
      .execute();
    const charged = new Map(rows.map(({ run_id, sum }) => [run_id, 0 - Number(sum)]));
    for (const [run, micro] of this.#told) assert.equal(charged.get(run), micro, `run ${run}`);
    this.#told.clear();
  }

  /** Checks that every payment that Stripe took was credited once. */
  async #provePayments(): Promise<void> {
    const { paid } = await this.#db.read
      .selectFrom('payment')
      .select((eb) => eb.fn.sum<number | string | null>('amount_cents').as('paid'))
      .where('state', '=', 'paid')
      .executeTakeFirstOrThrow();
    assert.equal(Number(paid ?? 0), this.stripe.takenCents);
    const { bought } = await this.#db.read
      .selectFrom('transfer')
      .select((eb) => eb.fn.sum<number | string | null>('amount').as('bought'))
      .where('kind', '=', 'purchase')
      .executeTakeFirstOrThrow();
    // 1 credit is 1 cent.
    assert.equal(Number(bought ?? 0), this.stripe.takenCents * C);
  }

  /**
   * Invariant (h), as far as a killed server can know: the model service reported at least the usage that the server
   * recorded as reported.
   */
  async #proveBill(): Promise<void> {
    const ours = await this.#db.read
      .selectFrom('log_entry')
      .select((eb) => eb.fn.sum<number | string | null>('output_tokens').as('output'))
      .where('estimated', '=', 0)
      .executeTakeFirstOrThrow();
    const theirs = this.upstream.bill.filter(({ reported }) => reported);
    const output = theirs.reduce((sum, entry) => sum + entry.outputTokens, 0);
    assert.ok(Number(ours.output ?? 0) <= output, `${ours.output} output tokens were reported, of ${output}`);
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

/** Whether an error of `fetch` means that the connection broke. */
const isCut = (error: unknown) => error instanceof TypeError || (error as { name?: string }).name === 'AbortError';
