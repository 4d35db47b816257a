import type { Policy } from '../../platform/config/config.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import { TABLES } from '../../platform/db/tables.ts';
import {
  freeAt,
  isExceeded,
  type LimitState,
  type Limits,
  limitStates,
  MINUTE_MS,
  minuteStart,
} from '../rules/limitWindow.ts';

/** The caller's limits; null: none. */
export function limitsOf(
  policy: Policy['limits'],
  caller: { accountKind: 'guest' | 'member'; tier: number; isLocal: boolean },
): Limits | null {
  if (caller.isLocal) return policy.local ?? null;
  return caller.accountKind === 'guest' ? policy.guest : (policy.tiers[caller.tier] ?? policy.tiers.at(-1)!);
}

/** A run that is about to start; `tokens` are its estimated input plus its output limit. */
export interface LimitedRun {
  accountId: string;
  runId: string;
  model: string;
  tokens: number;
  at: number;
}

/** `states`: every limit, after the run was counted or as it refused the run. */
export type LimitAnswer = { kind: 'counted'; states: LimitState[] } | { kind: 'limited'; states: LimitState[] };

/**
 * Counts a run against the account's limits, or says which limits are full and until when. The caller has locked the
 * account's wallet, so that nodes count runs one after the other.
 */
export async function countRun(tx: Tx, limits: Limits, run: LimitedRun): Promise<LimitAnswer> {
  const states = await readLimits(tx, limits, run);
  if (states.some(isExceeded)) return { kind: 'limited', states };
  const { tokens } = run;
  await insertUse.run(tx, { ...run, tokens: Math.min(tokens, limits.tokensPerMinute) });
  const counted = states.map((s) => ({ ...s, left: s.left - s.needed, freeAt: s.freeAt ?? run.at + MINUTE_MS }));
  return { kind: 'counted', states: counted };
}

/** The limits as a run would find them, without counting it. A full limit says when it has room again. */
export async function readLimits(db: Reader, limits: Limits, run: Omit<LimitedRun, 'runId'>): Promise<LimitState[]> {
  const from = minuteStart(run.at);
  const row = await selectSums.first(db, { ...run, from });
  const sums = {
    requests: Number(row?.requests ?? 0),
    modelRequests: Number(row?.model_requests ?? 0),
    tokens: Number(row?.tokens ?? 0),
    firstAt: row?.first_at ?? null,
    firstOfModelAt: row?.first_of_model_at ?? null,
  };
  const states = limitStates(limits, sums, run.tokens);
  if (!states.some(isExceeded)) return states;
  const uses = await selectUses.all(db, { accountId: run.accountId, from });
  return states.map((s) => (isExceeded(s) ? { ...s, freeAt: freeAt(s, uses, run.model) } : s));
}

/** Replaces a run's reserved tokens with those it used: 0 if nothing is charged. */
export async function correctUse(tx: Tx, runId: string, tokens: number): Promise<void> {
  await updateTokens.run(tx, { runId, tokens });
}

/** Deletes runs that no limit counts any more. An hour is far more than clocks differ. */
export async function purgeLimitUses(tx: Tx, now: number): Promise<void> {
  await tx
    .deleteFrom('limit_use')
    .where('at', '<', now - TABLES.limit_use.over)
    .execute();
}

const selectSums = prepared((db, p: { accountId: string; model: string; from: number }) =>
  db
    .selectFrom('limit_use')
    .select((eb) => [
      eb.fn.countAll<number | string>().as('requests'),
      eb.fn.sum<number | string | null>('tokens').as('tokens'),
      eb.fn.count<number | string>(eb.case().when('model', '=', p.model).then(eb.ref('at')).end()).as('model_requests'),
      eb.fn.min('at').as('first_at'),
      eb.fn.min(eb.case().when('model', '=', p.model).then(eb.ref('at')).end()).as('first_of_model_at'),
    ])
    .where('account_id', '=', p.accountId)
    .where('at', '>', p.from),
);

const selectUses = prepared((db, p: { accountId: string; from: number }) =>
  db
    .selectFrom('limit_use')
    .select(['model', 'tokens', 'at'])
    .where('account_id', '=', p.accountId)
    .where('at', '>', p.from),
);

const insertUse = prepared((db, p: LimitedRun) =>
  db
    .insertInto('limit_use')
    .values({ run_id: p.runId, account_id: p.accountId, model: p.model, tokens: p.tokens, at: p.at }),
);

const updateTokens = prepared((db, p: { runId: string; tokens: number }) =>
  db.updateTable('limit_use').set({ tokens: p.tokens }).where('run_id', '=', p.runId),
);
