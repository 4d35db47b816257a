import { changed } from '../platform/changes.ts';
import type { Tx } from '../platform/db/database.ts';

/** Raises the tier of an account that has bought enough for it; one that is higher already, by whomever, stays. */
export async function raiseTier(tx: Tx, accountId: string, tier: number): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('account')
    .set({ tier })
    .where('id', '=', accountId)
    .where((eb) => eb.or([eb('tier', 'is', null), eb('tier', '<', tier)]))
    .executeTakeFirst();
  if (numUpdatedRows === 1n) changed(tx, accountId, 'account', accountId);
}
