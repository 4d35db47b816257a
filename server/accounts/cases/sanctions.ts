import { tryLockWallet } from '../../credits/journal/journal.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import { suspensionOf } from '../sessions/tokens.ts';

// The operator's decisions about an account. Each function returns false if there is no such account.

/**
 * Refuses the account's requests from now until `until` (epoch ms; null: until an operator restores it), and stops its
 * running answers on every node. Its owner reads `why`.
 */
export async function suspend(
  tx: Tx,
  runs: { stopRunsOf(tx: Tx, accountId: string): Promise<number> },
  accountId: string,
  { why, until, at }: { why: string; until: number | null; at: number },
): Promise<boolean> {
  const isThere = await update(tx, accountId, { suspended_at: at, suspended_until: until, suspended_why: why });
  if (!isThere) return false;
  // An answer that is being admitted has the lock: it is stopped as well. A later one finds the suspension.
  await tryLockWallet(tx, accountId);
  await runs.stopRunsOf(tx, accountId);
  return true;
}

/** The suspension of an account that is in force at `now`. */
export async function readSuspension(
  db: Reader,
  accountId: string,
  now: number,
): Promise<ReturnType<typeof suspensionOf>> {
  const row = await selectSuspension.first(db, { accountId });
  return row ? suspensionOf(row, now) : null;
}

const selectSuspension = prepared((db, p: { accountId: string }) =>
  db.selectFrom('account').select(['suspended_at', 'suspended_until', 'suspended_why']).where('id', '=', p.accountId),
);

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
