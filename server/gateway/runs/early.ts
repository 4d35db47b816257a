import { MIN_OUTPUT_TOKENS, worstCase } from '../../../shared/money/pricing.ts';
import { balanceOf } from '../../accounts/people/store.ts';
import { AppError } from '../../platform/errors.ts';
import { requireStanding } from '../../platform/http/standing.ts';
import { type Caller, insufficient, shuttingDown } from './admit.ts';
import { refuseFailures, refuseLimited } from './limited.ts';
import { findRun } from './runs.ts';
import type { TurnDeps } from './turn.ts';

/** A JSON text's member `"id"` that is a UUID. */
const ID = /"id"\s*:\s*"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"/gi;

/**
 * Refuses a large run by its first KB, where everything that stands there says already that it can't be admitted: to read
 * and to parse the rest would cost a hundred times as much. What is admitted is decided by `admitRun` alone. A run that was
 * admitted before is told, as long as its id stands in what has come.
 */
export async function refuseEarly(deps: TurnDeps, caller: Caller, head: string): Promise<void> {
  const { db, policy, catalog } = deps;
  for (const [, id] of head.matchAll(ID)) {
    const known = await findRun(db.read, id!);
    if (known?.account_id === caller.accountId) return;
  }
  requireStanding(caller);
  if (deps.draining.aborted) throw shuttingDown();
  if (!head.trimStart().startsWith('{'))
    throw new AppError('invalid_request', 'A run is a JSON object. Nothing was started.');
  if (caller.isLocal) return;
  const at = deps.clock.now();
  await refuseFailures(db.read, policy, caller.accountId, at);
  await refuseLimited(db.read, policy, caller, at);
  const { availableMicro } = await balanceOf(db.read, policy, caller.accountId, at);
  const models = await catalog.list(caller.accountKind);
  if (models.length === 0) return;
  // Of any model, the least that a run can cost.
  const least = models.map(({ price, maxOutputTokens }) =>
    worstCase(price, 1, Math.min(MIN_OUTPUT_TOKENS, maxOutputTokens)),
  );
  const neededMicro = Math.min(...least);
  if (availableMicro < neededMicro) throw insufficient(deps, caller, { availableMicro, amountMicro: neededMicro });
}
