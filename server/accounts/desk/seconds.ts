import type { DecisionKind } from '../../../shared/decisions.ts';
import type { Tx } from '../../platform/db/database.ts';
import { requireReviewer } from '../cases/decide.ts';
import { recordAct } from '../reviewers/acts.ts';
import { findSeconds, type Looks } from './lists.ts';

/**
 * Keeps how another reviewer judges a decided case, once, from which nothing follows for the account. False if the case
 * waits for no second look of this reviewer.
 */
export async function giveSecondLook(
  tx: Tx,
  looks: Looks,
  { number, kind, why, at }: { number: number; kind: DecisionKind; why: string; at: number },
): Promise<boolean> {
  await requireReviewer(tx, looks.reviewerId, at);
  if (!(await findSeconds(tx, looks, [number])).has(number)) return false;
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('second_look')
    .values({ flag_number: number, reviewer_id: looks.reviewerId, kind, why, at })
    .onConflict((oc) => oc.column('flag_number').doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n) return false;
  await recordAct(tx, { at, by: { reviewerId: looks.reviewerId }, act: 'second_look', flag: number, detail: kind });
  return true;
}
