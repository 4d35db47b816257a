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

/** The limits of whoever asks; null: none. */
export function limitsOf(
  policy: Policy['limits'],
  caller: { accountKind: 'guest' | 'member'; tier: number; isLocal: boolean },
): Limits | null {
  if (caller.isLocal) return policy.local ?? null;
  return caller.accountKind === 'guest' ? policy.guest : (policy.tiers[caller.tier] ?? policy.tiers.at(-1)!);
}

/** A run that is about to begin; `tokens` are its input's estimate and its output limit. */
export interface LimitedRun {
  accountId: string;
  runId: string;
  model: string;
  tokens: number;
  at: number;
}

/** `states`: every limit, as it is after the run was counted, or as it refused it. */
export type LimitAnswer = { kind: 'counted'; states: LimitState[] } | { kind: 'limited'; states: LimitState[] };

/**
 * Counts a run against the account's limits, or says which of them has no room and when it has. The account's wallet is
 * locked by the one who calls, so that runs on any node are counted one after the other.
 */
export async function countRun(tx: Tx, limits: Limits, run: LimitedRun): Promise<LimitAnswer> {
  const states = await readLimits(tx, limits, run);
  if (states.some(isExceeded)) return { kind: 'limited', states };
  const { tokens } = run;
  await insertUse.run(tx, { ...run, tokens: Math.min(tokens, limits.tokensPerMinute) });
  const counted = states.map((s) => ({ ...s, left: s.left - s.needed, freeAt: s.freeAt ?? run.at + MINUTE_MS }));
  return { kind: 'counted', states: counted };
}

/** The limits as they are for a run, which is not counted; one that has no room says when it has. */
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

/** What a run used in the end, in place of what was reserved for it: 0 where nothing is charged. */
export async function correctUse(tx: Tx, runId: string, tokens: number): Promise<void> {
  await updateTokens.run(tx, { runId, tokens });
}

/** Runs that no limit looks at any more; an hour is far beyond what clocks are wrong by. */
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
