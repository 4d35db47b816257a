import type { ExpressionBuilder } from 'kysely';
import { changed } from '../../platform/db/changes.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { Schema } from '../../platform/db/schema.ts';

/**
 * Sets the tier of a member to what it has bought, or to what a person gave it if that is higher. It falls again when what
 * was bought is refunded: the highest limits would else cost nothing.
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
