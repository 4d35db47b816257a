import type { Reason } from '../../../shared/runs.ts';
import { settleHold, voidHold } from '../../credits/holds/store.ts';
import { correctUse } from '../../credits/limits/limits.ts';
import { cost } from '../../credits/rules/pricing.ts';
import type { Clock } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { RunRow } from '../../platform/db/schema.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Ending } from './receive.ts';
import { closeRun, priceOf } from './runs.ts';

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
 * Stores a run's end with `store`, retrying while the database has trouble; recovery takes over if this gives up.
 * `onMisfit` gives the ending for values that the database refuses, which no retry would change. Returns null if the
 * run had been ended already, or could not be.
 */
export async function endStubbornly<E extends Pick<Settled, 'absorbedMicro' | 'reason'>>(
  deps: { db: Database; log: Log; metrics: Metrics; leaseMs: number },
  runId: string,
  planned: Ending,
  onMisfit: (error: unknown) => Ending,
  store: (tx: Tx, ending: Ending) => Promise<E | null>,
): Promise<E | null> {
  const { db, log, metrics } = deps;
  let ending = planned;
  for (let wait = 100; ; wait *= 2) {
    try {
      const ended = await db.write((tx) => store(tx, ending));
      // Null: recovery has already ended and counted it.
      if (!ended) return null;
      metrics.runEnded(ending.state, ending.usage);
      if (ended.reason) metrics.absorbed(ended.reason, ended.absorbedMicro);
      return ended;
    } catch (error) {
      log.error({ runId, err: error }, 'an answer could not be ended; trying again');
      // The database is fine, but this ending can't be stored: retrying it would fail for ever.
      if (ending === planned && isMisfit(error)) {
        ending = onMisfit(error);
        continue;
      }
      if (wait > deps.leaseMs) return null;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Whether the values caused the error: PostgreSQL's data exceptions, SQLite's mismatch, and JavaScript's own. */
function isMisfit(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  const isData = typeof code === 'string' && /^(22...|SQLITE_MISMATCH)$/.test(code);
  return isData || error instanceof RangeError || error instanceof TypeError;
}
