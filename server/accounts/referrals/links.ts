import type { Ids } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';

// An account's own link, by which others join.

/** The code of an account's own link, created on first use. */
export async function linkCode(tx: Tx, ids: Ids, accountId: string, at: number): Promise<string> {
  await tx
    .insertInto('referral_link')
    .values({ account_id: accountId, code: newCode(ids), created_at: at, revoked_at: null })
    .onConflict((conflict) => conflict.column('account_id').doNothing())
    .execute();
  return (await findCode(tx, accountId))!;
}

/** The code if it exists already. */
export async function findCode(db: Reader, accountId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('referral_link')
    .select('code')
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return row?.code;
}

/** The account that owns a link; null if the code is unknown, or the link was revoked. */
export async function ownerOfLink(db: Reader, code: string): Promise<string | null> {
  if (!/^[A-Za-z0-9_-]{12}$/.test(code)) return null;
  const row = await db
    .selectFrom('referral_link')
    .select('account_id')
    .where('code', '=', code)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row?.account_id ?? null;
}

/** Whether a person's decision has ended what the account's link earns. */
export async function isRevoked(db: Reader, accountId: string): Promise<boolean> {
  const row = await db
    .selectFrom('referral_link')
    .select('revoked_at')
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return row !== undefined && row.revoked_at !== null;
}

/** From now on nobody joins by the account's link, and it earns nothing, what is due already included. */
export async function revokeLink(tx: Tx, ids: Ids, accountId: string, at: number): Promise<void> {
  // An account without a link gets one that is revoked.
  await tx
    .insertInto('referral_link')
    .values({ account_id: accountId, code: newCode(ids), created_at: at, revoked_at: at })
    .onConflict((conflict) => conflict.column('account_id').doUpdateSet({ revoked_at: at }))
    .execute();
  changed(tx, accountId, 'balance', accountId);
}

/** The link works again. What came due meanwhile is paid. */
export async function restoreLink(tx: Tx, accountId: string): Promise<void> {
  await tx.updateTable('referral_link').set({ revoked_at: null }).where('account_id', '=', accountId).execute();
  changed(tx, accountId, 'balance', accountId);
}

const newCode = (ids: Ids) => ids.secret().slice(0, 12);
