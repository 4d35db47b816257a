import { readSuspension } from '../../accounts/cases/sanctions.ts';
import { waitForUncharged } from '../../credits/holds/uncharged.ts';
import { countRun, limitsOf, readLimits } from '../../credits/limits/limits.ts';
import { isExceeded, type LimitState } from '../../credits/rules/limitWindow.ts';
import { rateLimitFields, secondsUntil } from '../../credits/rules/rateLimitFields.ts';
import { iso } from '../../platform/clock.ts';
import type { Policy } from '../../platform/config/config.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { RunRow } from '../../platform/db/schema.ts';
import { AppError } from '../../platform/errors.ts';
import type { AppEnv } from '../../platform/http/env.ts';
import { requireStanding } from '../../platform/http/standing.ts';

/** Refuses an account whose recent answers failed too often. */
export async function refuseFailures(db: Reader, policy: Policy, accountId: string, at: number): Promise<void> {
  const { uncharged } = policy.refunds;
  const waitUntil = await waitForUncharged(db, uncharged, accountId, at);
  if (waitUntil === null) return;
  const limit = { limit: uncharged.runs, left: 0, needed: 1, windowSeconds: uncharged.withinMinutes * 60 };
  throw new AppError(
    'rate_limited',
    `${uncharged.runs} answers in ${uncharged.withinMinutes} minutes ended without a result, and none was charged. Try again later.`,
    { retryAt: iso(waitUntil), limit: { name: 'uncharged', ...limit } },
    { headers: { 'retry-after': String(secondsUntil(waitUntil, at)) } },
  );
}

/** Refuses an account that was suspended since the request came. Call it with the wallet locked: see `suspend`. */
export async function refuseSuspended(
  tx: Tx,
  { accountId, accountPage }: Pick<AppEnv['Variables'], 'accountId' | 'accountPage'>,
  at: number,
): Promise<void> {
  const suspended = await readSuspension(tx, accountId, at);
  requireStanding({ suspended, goneAt: null, termsDue: null, accountPage });
}

type LimitedCaller = Pick<AppEnv['Variables'], 'accountId' | 'accountKind' | 'tier' | 'isLocal'>;

/** Counts the run against the account's limits, or refuses it with the limit that takes longest to free up. */
export async function countOrRefuse(
  tx: Tx,
  policy: Policy,
  caller: LimitedCaller,
  run: RunRow,
  tokens: number,
): Promise<LimitState[]> {
  const limits = limitsOf(policy.limits, caller);
  if (!limits) return [];
  const at = run.created_at;
  const counted = { accountId: caller.accountId, runId: run.id, model: run.model, tokens, at };
  const { kind, states } = await countRun(tx, limits, counted);
  if (kind === 'limited') throw limited(states, run.model, at);
  return states;
}

/** Refuses an account that has no room for a run of any size. Counts nothing. */
export async function refuseLimited(db: Reader, policy: Policy, caller: LimitedCaller, at: number): Promise<void> {
  const limits = limitsOf(policy.limits, caller);
  if (!limits) return;
  // The model is empty, because the request isn't known yet.
  const states = await readLimits(db, limits, { accountId: caller.accountId, model: '', tokens: 1, at });
  if (states.some(isExceeded)) throw limited(states, '', at);
}

function limited(states: readonly LimitState[], model: string, at: number): AppError {
  const last = states.filter(isExceeded).toSorted((a, b) => b.freeAt! - a.freeAt!)[0]!;
  const { name, limit, left, needed } = last;
  const what = {
    requests: `${limit} requests a minute are allowed.`,
    'model-requests': `${limit} requests a minute to ${model} are allowed.`,
    tokens: `${limit} tokens a minute are allowed; ${left} are left, and this may take ${needed}.`,
    uncharged: '',
    searches: '',
  }[name];
  const wait = secondsUntil(last.freeAt!, at);
  return new AppError(
    'rate_limited',
    `${what} Nothing was started: try again in ${wait} s.`,
    { retryAt: iso(last.freeAt!), limit: { name, limit, left, needed, windowSeconds: 60 } },
    { headers: { 'retry-after': String(wait), ...rateLimitFields(states, at) } },
  );
}
