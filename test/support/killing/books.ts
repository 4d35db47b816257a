import assert from 'node:assert/strict';
import { auditLive } from '../../../server/credits/audit/audit.ts';
import type { Database } from '../../../server/platform/db/database.ts';
import type { StripeDouble } from '../../doubles/stripe.ts';
import type { BillEntry, UpstreamDouble } from '../../doubles/upstream.ts';

const MICRO_PER_CENT = 1_000_000;

/** What clients were told before the server was killed, and the proofs that the books say the same. */
export class Books {
  /** What each run cost, as its client was told. */
  readonly told = new Map<string, number>();
  /** The calls whose clients had the end of the answer. */
  readonly whole = new Set<string>();
  /** The requests whose clients had an empty answer, or were told that they failed and cost nothing. */
  readonly free = new Set<string>();
  /** Answers of this round that ended before the model service reported their usage to the server. */
  unreported = 0;
  #billed = 0;
  #seq = 0;

  constructor(
    private readonly db: Database,
    private readonly upstream: UpstreamDouble,
    private readonly stripe: StripeDouble,
  ) {}

  /** Proves a round whose server was killed, when no run of it is open any more. */
  async prove(): Promise<void> {
    assert.deepEqual(await auditLive(this.db, Date.now(), 0), []);
    await this.#proveWhole();
    await this.#proveFree();
    await this.#proveCosts();
    await this.#provePayments();
    await this.#proveBill();
  }

  /** Checks that each call that was answered whole is charged. */
  async #proveWhole(): Promise<void> {
    const whole = [...this.whole];
    const query = this.db.read.selectFrom('log_entry').select('run_id').where('kind', '=', 'charge');
    const charged = whole.length > 0 ? await query.where('run_id', 'in', whole).execute() : [];
    assert.equal(charged.length, whole.length, 'calls that were answered whole and are not charged once');
    this.whole.clear();
  }

  /** Checks that no request is charged whose client had nothing of it. */
  async #proveFree(): Promise<void> {
    const free = [...this.free];
    const query = this.db.read
      .selectFrom('log_entry')
      .innerJoin('run', 'run.id', 'log_entry.run_id')
      .select('run.id')
      .where('log_entry.kind', '=', 'charge')
      .where('log_entry.amount', '!=', 0);
    const charged = free.length > 0 ? await query.where('run.request_id', 'in', free).execute() : [];
    assert.deepEqual(charged, [], 'calls that failed or were empty, and are charged');
    this.free.clear();
  }

  /** Checks that each run costs what its client was told. */
  async #proveCosts(): Promise<void> {
    const runs = [...this.told.keys()];
    if (runs.length === 0) return;
    const rows = await this.db.read
      .selectFrom('log_entry')
      .select((eb) => ['run_id', eb.fn.sum<number | string>('amount').as('sum')])
      .where('run_id', 'in', runs)
      .groupBy('run_id')
      .execute();
    const charged = new Map(rows.map(({ run_id, sum }) => [run_id, 0 - Number(sum)]));
    for (const [run, micro] of this.told) assert.equal(charged.get(run), micro, `run ${run}`);
    this.told.clear();
  }

  /** Checks that every payment that Stripe took was credited once. */
  async #provePayments(): Promise<void> {
    const { paid } = await this.db.read
      .selectFrom('payment')
      .select((eb) => eb.fn.sum<number | string | null>('amount_cents').as('paid'))
      .where('state', '=', 'paid')
      .executeTakeFirstOrThrow();
    assert.equal(Number(paid ?? 0), this.stripe.takenCents);
    const { bought } = await this.db.read
      .selectFrom('transfer')
      .select((eb) => eb.fn.sum<number | string | null>('amount').as('bought'))
      .where('kind', '=', 'purchase')
      .executeTakeFirstOrThrow();
    assert.equal(Number(bought ?? 0), this.stripe.takenCents * MICRO_PER_CENT);
  }

  /**
   * Invariant (h), as far as a killed server can know. Each usage that the server recorded as reported stands on the model
   * service's own bill, and no two stand for the same call. What is only on the bill is of answers that were cut off.
   */
  async #proveBill(): Promise<void> {
    const { bill } = this.upstream;
    const theirs = new Map<string, number>();
    for (const entry of bill.slice(this.#billed).filter(({ reported }) => reported))
      theirs.set(usageOf(entry), (theirs.get(usageOf(entry)) ?? 0) + 1);
    this.#billed = bill.length;
    const rows = await this.db.read
      .selectFrom('log_entry')
      .select(['seq', 'run_id', 'input_tokens', 'cached_input_tokens', 'output_tokens', 'estimated'])
      .where('seq', '>', this.#seq)
      .where('kind', 'in', ['charge', 'not_charged'])
      .orderBy('seq')
      .execute();
    this.#seq = Number(rows.at(-1)?.seq ?? this.#seq);
    for (const row of rows) {
      const [inputTokens, cachedInputTokens, outputTokens] = [
        Number(row.input_tokens),
        Number(row.cached_input_tokens),
        Number(row.output_tokens),
      ];
      // An answer of which nothing was reported before it failed.
      if (row.estimated !== 0 || inputTokens + outputTokens === 0) continue;
      const usage = usageOf({ inputTokens, cachedInputTokens, outputTokens });
      const left = theirs.get(usage) ?? 0;
      assert.ok(
        left > 0,
        `run ${row.run_id} is recorded with ${usage}, which the model service never billed or only once`,
      );
      theirs.set(usage, left - 1);
    }
    const unrecorded = [...theirs].filter(([, calls]) => calls > 0);
    const calls = unrecorded.reduce((sum, [, count]) => sum + count, 0);
    assert.ok(calls <= this.unreported, `${calls} calls are billed and not recorded: ${unrecorded.join(', ')}`);
    this.unreported = 0;
  }
}

const usageOf = (entry: Pick<BillEntry, 'inputTokens' | 'cachedInputTokens' | 'outputTokens'>) =>
  `${entry.inputTokens} input, ${entry.cachedInputTokens} cached, ${entry.outputTokens} output`;
