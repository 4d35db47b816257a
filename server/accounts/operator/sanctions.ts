import { changed } from '../../platform/db/changes.ts';
import type { Tx } from '../../platform/db/database.ts';

// The operator's decisions about an account. Each function returns false if there is no such account.

/**
 * Refuses the account's requests from now until `until` (epoch ms; null: until an operator restores it). Its owner
 * reads `why`.
 */
export function suspend(
  tx: Tx,
  accountId: string,
  { why, until, at }: { why: string; until: number | null; at: number },
): Promise<boolean> {
  return update(tx, accountId, { suspended_at: at, suspended_until: until, suspended_why: why });
}

export function restore(tx: Tx, accountId: string): Promise<boolean> {
  return update(tx, accountId, { suspended_at: null, suspended_until: null, suspended_why: null });
}

/** Sets the minimum tier of limits. Purchases may raise it. */
export function setTier(tx: Tx, accountId: string, tier: number): Promise<boolean> {
  return update(tx, accountId, { tier, given_tier: tier });
}

type Decided =
  | { suspended_at: number | null; suspended_until: number | null; suspended_why: string | null }
  | { tier: number; given_tier: number };

async function update(tx: Tx, accountId: string, columns: Decided): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('account')
    .set(columns)
    .where('id', '=', accountId)
    .where('merged_into', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return false;
  changed(tx, accountId, 'account', accountId);
  return true;
}
