import { MIN_OUTPUT_TOKENS, worstCase } from '../../../shared/money/pricing.ts';
import { balanceOf } from '../../accounts/people/store.ts';
import { AppError } from '../../platform/errors.ts';
import { requireStanding } from '../../platform/http/standing.ts';
import { type Caller, insufficient, shuttingDown } from './admit.ts';
import { refuseFailures, refuseLimited } from './limited.ts';
import { findRun } from './runs.ts';
import type { TurnDeps } from './turn.ts';

/** A member `"id"` with a UUID in a JSON text. */
const ID = /"id"\s*:\s*"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"/gi;

/**
 * Refuses a large run by its first KB if that part already shows that it can't be admitted: reading and parsing the
 * rest would cost a hundred times as much. Only `admitRun` admits runs. A retry of an admitted run passes if its id is
 * in this part.
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
  // The least that a run can cost with any model.
  const least = models.map(({ price, maxOutputTokens }) =>
    worstCase(price, 1, Math.min(MIN_OUTPUT_TOKENS, maxOutputTokens)),
  );
  const neededMicro = Math.min(...least);
  if (availableMicro < neededMicro) throw insufficient(deps, caller, { availableMicro, amountMicro: neededMicro });
}
