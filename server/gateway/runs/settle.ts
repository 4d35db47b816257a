import type { Reason } from '../../../shared/runs.ts';
import { settleHold, voidHold } from '../../credits/holds/store.ts';
import { correctUse } from '../../credits/limits/limits.ts';
import { cost } from '../../credits/rules/pricing.ts';
import type { Clock } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import { type Database, isUnavailable, type Tx } from '../../platform/db/database.ts';
import type { RunRow } from '../../platform/db/schema.ts';
import type { RunEnd } from '../../platform/http/env.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Admitted, Ending } from './receive.ts';
import { closeRun, isEndedAs, priceOf } from './runs.ts';

export interface SettleDeps {
  clock: Clock;
  log: Log;
  /** The node that owns the run. */
  node: string;
}

/** A run whose end is stored, as far as money is concerned. */
export interface Settled {
  /** The run's account now: a guest may have joined an account meanwhile. */
  accountId: string;
  at: number;
  chargedMicro: number;
  /** The cost that nobody was charged for, and why. */
  absorbedMicro: number;
  reason: Reason | undefined;
}

/**
 * Ends a run and its hold: the state, the money and the limits. Its caller stores the rest of the ending in the same
 * transaction. Returns null if the run had already been ended or belongs to another node.
 */
export async function settleRun(
  tx: Tx,
  { clock, node, log }: SettleDeps,
  run: RunRow,
  ending: Ending,
  lastSeq: number,
): Promise<Settled | null> {
  const at = clock.now();
  const { state, usage, produced } = ending;
  const accountId = await closeRun(tx, { id: run.id, node, state, usage, lastSeq, at });
  if (accountId === null) return null;
  const use = { runId: run.id, conversationId: run.conversation_id, model: run.model, tool: run.device, usage };
  const price = priceOf(run);
  // Impossible usage counts neither for the price nor for the limits.
  const counted = ending.charged ?? usage;
  const costMicro = cost(price, counted, produced);
  const billedMicro = Math.max(costMicro, cost(price, usage, produced));
  const resolution = ending.free
    ? await voidHold(tx, use, ending.free, billedMicro, at)
    : await settleHold(tx, use, costMicro, at, billedMicro - costMicro);
  if (resolution.kind === 'resolved_before') throw new Error('an open run whose hold was resolved');
  await correctUse(tx, run.id, ending.free ? 0 : counted.inputTokens + counted.outputTokens);
  const chargedMicro = resolution.kind === 'posted' ? resolution.chargedMicro : 0;
  const absorbedMicro = resolution.kind === 'posted' ? resolution.absorbedMicro : billedMicro;
  const beyond = resolution.kind === 'posted' && absorbedMicro > 0;
  if (beyond) log.error({ runId: run.id, absorbedMicro }, 'a run cost more than its hold');
  return { accountId, at, chargedMicro, absorbedMicro, reason: ending.free ?? (beyond ? 'beyond_hold' : undefined) };
}

/** Stores the end of a call: its money and its state. Its text is nowhere. Null if it had already been ended. */
export async function endCall(tx: Tx, deps: SettleDeps, run: RunRow, ending: Ending): Promise<Settled | null> {
  const settled = await settleRun(tx, deps, run, ending, 0);
  if (settled) changed(tx, settled.accountId, 'balance', settled.accountId);
  return settled;
}

/**
 * Stores a run's end with `store`, retrying as long as the database is away: what the model said and what it costs is
 * known here alone. After other trouble, and at a shutdown, it gives up after a lease, and recovery takes over.
 * `onMisfit` gives the ending for values that the database refuses, which no retry would change. Returns null if the
 * run had been ended by another node, or if this function can't tell that it is.
 *
 * A connection that breaks in the commit tells nobody whether it took place. Then a later attempt finds the run ended as
 * it was going to be, by this node.
 */
export async function endStubbornly(
  deps: { db: Database; log: Log; metrics: Metrics; node: string; leaseMs: number; draining: AbortSignal },
  { run, notes }: Pick<Admitted, 'run' | 'notes'>,
  planned: Ending,
  onMisfit: (error: unknown) => Ending,
  store: (tx: Tx, ending: Ending) => Promise<Settled | null>,
): Promise<Settled | null> {
  const { db, log, metrics, leaseMs, draining } = deps;
  let ending = planned;
  let unconfirmed: Settled | null = null;
  let waitedMs = 0;
  for (let wait = 100; ; wait = Math.min(2 * wait, leaseMs / 4)) {
    try {
      const ended = await db.writeFirst(async (tx) => {
        const settled = await store(tx, ending);
        if (settled) unconfirmed = settled;
        else if (unconfirmed && (await isEndedAs(tx, run.id, deps.node, ending.state))) {
          tellEnd(tx, run, unconfirmed);
          return unconfirmed;
        }
        return settled;
      });
      // Null: recovery has already ended and counted it.
      if (!ended) return null;
      metrics.runEnded(ending.state, ending.usage);
      if (ended.reason) metrics.absorbed(ended.reason, ended.absorbedMicro);
      notes?.ends(endOf(run, ending, ended));
      return ended;
    } catch (error) {
      log.error({ runId: run.id, err: error }, 'an answer could not be ended; trying again');
      // The database is fine, but this ending can't be stored: retrying it would fail for ever.
      if (ending === planned && isMisfit(error)) {
        ending = onMisfit(error);
        continue;
      }
      const isAway = isUnavailable(error) && !draining.aborted;
      if (!isAway && waitedMs > leaseMs) return null;
      await new Promise((resolve) => setTimeout(resolve, wait));
      waitedMs += wait;
    }
  }
}

/** Those who listen were not told after a commit that was not confirmed. */
function tellEnd(tx: Tx, run: RunRow, { accountId }: Settled): void {
  changed(tx, `run:${run.id}`, 'events', run.id);
  changed(tx, accountId, 'balance', accountId);
  if (run.conversation_id !== null) changed(tx, accountId, 'conversation', run.conversation_id);
}

/** For the record of requests. */
export function endOf(run: RunRow, { state, usage, problem }: Ending, settled: Settled): RunEnd {
  const { accountId, chargedMicro, reason } = settled;
  return { accountId, model: run.model, state, code: problem?.code, reason, usage, chargedMicro };
}

/** Whether the values caused the error: PostgreSQL's data exceptions, SQLite's mismatch, and JavaScript's own. */
function isMisfit(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  const isData = typeof code === 'string' && /^(22...|SQLITE_MISMATCH)$/.test(code);
  return isData || error instanceof RangeError || error instanceof TypeError;
}
