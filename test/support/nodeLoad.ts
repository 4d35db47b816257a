import assert from 'node:assert/strict';
import type { CheckoutAnswer } from '../../shared/credits.ts';
import type { Problem } from '../../shared/problems.ts';
import type { StripeDouble, StripeEvent } from '../doubles/stripe.ts';
import { Client, endOf, textOf } from './client.ts';
import { at, eventually, type Nodes, query } from './nodes.ts';

const MICRO_PER_CENT = 1_000_000;

/** Clients that ask and pay at all nodes, while the test breaks something, and remember what they were told. */
export class Load {
  /** What each run cost, as its client was told. */
  readonly told = new Map<string, number>();
  /** How each run ended, as its client was told. */
  readonly ends: Record<string, number> = {};
  /** What was refused, by status and code. */
  readonly refused: Record<string, number> = {};
  /** When a start was accepted last. */
  acceptedAt = 0;
  paidCents = 0;
  #undelivered: StripeEvent[] = [];
  #stopped = false;
  #hands: Promise<void>[] = [];

  private constructor(
    private readonly nodes: Nodes,
    private readonly clients: Client[],
    private readonly stripe: StripeDouble | null,
  ) {}

  static async begin(nodes: Nodes, hands: number, stripe: StripeDouble | null = null): Promise<Load> {
    const clients: Client[] = [];
    for (let n = 0; n < 4; n++) clients.push(await Client.guest(nodes.all[n % nodes.all.length]!.url));
    const ids = clients.map(({ accountId }) => accountId);
    if (stripe)
      await query(
        nodes.databaseUrl,
        "update account set kind = 'member', terms_version = '1', tier = 0 where id = any($1)",
        [ids],
      );
    const load = new Load(nodes, clients, stripe);
    load.#hands = Array.from({ length: hands }, (_, n) => load.#hand(n));
    return load;
  }

  /** Resolves once `count` more answers have been told. */
  async more(count: number): Promise<void> {
    const until = this.told.size + count;
    await eventually(async () => this.told.size >= until);
  }

  async #hand(n: number): Promise<void> {
    for (let turn = n; !this.#stopped; turn++) {
      const node = this.nodes.all[turn % this.nodes.all.length]!;
      const client = at(node, this.clients[turn % this.clients.length]!);
      if (this.stripe && turn % 9 === 0) await this.#buy(client);
      else await this.#ask(client);
    }
  }

  async #ask(client: Client): Promise<void> {
    const request = client.chat(`question ${crypto.randomUUID()}`);
    const started = await client.start(request);
    if (started.status !== 202) return this.#refuse(started);
    this.acceptedAt = Date.now();
    const { seen, end } = await this.#read(request.id, client);
    this.told.set(request.id, end.data.chargedMicro ?? 0);
    const name = end.type === 'done' ? end.data.state : `error ${end.data.code}`;
    this.ends[name] = (this.ends[name] ?? 0) + 1;
    if (name === 'complete') assert.equal(seen, 'word0 word1 word2 word3 ', 'a whole answer has its whole text');
  }

  /** Reads a run at any node until it is told the end, as an editor does. */
  async #read(runId: string, client: Client) {
    return eventually(async () => {
      for (const node of this.nodes.all)
        try {
          const events = await at(node, client).events(runId);
          return { seen: textOf(events), end: endOf(events) };
        } catch {
          // Its stream broke, or it can't read now.
        }
      return null;
    });
  }

  async #buy(client: Client): Promise<void> {
    const asked = await client.request<CheckoutAnswer>('POST', '/api/credits/checkout', { pack: 'pack-5' });
    if (asked.status !== 200) return this.#refuse(asked);
    const [event] = this.stripe!.pay(/cs_\w+/.exec(asked.body.url)![0]);
    // Twice at once, as Stripe may.
    const statuses = await Promise.all([1, 2].map(() => this.stripe!.deliver(client.url, event!)));
    if (statuses.includes(204)) this.paidCents += 500;
    else this.#undelivered.push(event!);
  }

  async #refuse({ status, body }: { status: number; body: Problem }): Promise<void> {
    const name = `${status} ${body.code}`;
    this.refused[name] = (this.refused[name] ?? 0) + 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#hands);
  }

  /** What clients were told is in the books, once; refusals were named. Returns a line to print. */
  async prove(allowed: RegExp = /^503 unavailable$/): Promise<string> {
    const strange = Object.keys(this.refused).filter((name) => !allowed.test(name));
    assert.deepEqual(strange, [], JSON.stringify(this.refused));
    const url = this.nodes.databaseUrl;
    const rows = await query<{ run_id: string; micro: string; rows: string }>(
      url,
      "select run_id, sum(amount) as micro, count(*) as rows from log_entry where run_id is not null and kind = 'charge' group by run_id",
    );
    const charged = new Map(rows.map(({ run_id, micro }) => [run_id, 0 - Number(micro)]));
    for (const [run, micro] of this.told) assert.equal(charged.get(run) ?? 0, micro, `run ${run}`);
    if (this.stripe) {
      const bought = "select coalesce(sum(amount), 0) as micro from transfer where kind = 'purchase'";
      const creditedAt = async () => Number((await query<{ micro: string }>(url, bought))[0]!.micro) / MICRO_PER_CENT;
      assert.ok((await creditedAt()) >= this.paidCents, 'every payment that was confirmed is there');
      // Stripe sends again what was not confirmed.
      const [node] = this.nodes.all;
      for (const event of this.#undelivered) assert.equal(await this.stripe.deliver(node!.url, event), 204);
      assert.equal(await creditedAt(), this.stripe.takenCents, 'every payment is there once');
    }
    const told = { answers: this.told.size, ends: this.ends, refused: this.refused, paidCents: this.paidCents };
    return JSON.stringify(told);
  }
}
