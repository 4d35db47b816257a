import type { ExpressionBuilder } from 'kysely';
import { changed } from '../../platform/db/changes.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { Schema } from '../../platform/db/schema.ts';

/**
 * Sets a member's tier to the bought one, or to the one that the operator gave if that is higher. A refund lowers it
 * again: otherwise the highest limits would cost nothing.
 */
export async function followBought(tx: Tx, accountId: string, bought: number): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('account')
    .set((eb) => ({ tier: higher(eb, bought) }))
    .where('id', '=', accountId)
    .where('kind', '=', 'member')
    .where((eb) => eb('tier', 'is distinct from', higher(eb, bought)))
    .executeTakeFirst();
  if (numUpdatedRows === 1n) changed(tx, accountId, 'account', accountId);
}

const higher = (eb: ExpressionBuilder<Schema, 'account'>, bought: number) =>
  eb.case().when('given_tier', '>', bought).then(eb.ref('given_tier')).else(bought).end();
