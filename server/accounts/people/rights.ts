import type { ProfilePatch } from '../../../shared/account.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { deleted } from '../../platform/db/deletions.ts';
import { AppError } from '../../platform/errors.ts';

const DAY_MS = 24 * 3_600_000;

/** Changes the account's data about its owner. */
export async function correctProfile(tx: Tx, accountId: string, patch: ProfilePatch): Promise<void> {
  const { name, marketing } = patch;
  const columns = {
    ...(name === undefined ? {} : { name }),
    ...(marketing === undefined ? {} : { marketing: marketing ? 1 : 0 }),
  };
  if (Object.keys(columns).length === 0) return;
  await tx.updateTable('account').set(columns).where('id', '=', accountId).execute();
  changed(tx, accountId, 'account', accountId);
}

/** Stores that the terms, and the age that they require, were accepted. */
export async function acceptTerms(tx: Tx, accountId: string, version: string, at: number): Promise<void> {
  await tx.updateTable('account').set({ terms_version: version, terms_at: at }).where('id', '=', accountId).execute();
  changed(tx, accountId, 'account', accountId);
}

/** Closes an account: it gets no more answers and is deleted after the given days. Closing it again changes nothing. */
export async function closeAccount(
  tx: Tx,
  accountId: string,
  { days, at }: { days: number; at: number },
): Promise<{ closedAt: number; goneAt: number; isNew: boolean }> {
  const made = { closed_at: at, gone_at: at + days * DAY_MS };
  const { numUpdatedRows } = await tx
    .updateTable('account')
    .set(made)
    .where('id', '=', accountId)
    .where('gone_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 1n) {
    deleted(tx, { what: 'closing', id: accountId, goneAt: made.gone_at });
    changed(tx, accountId, 'account', accountId);
    return { closedAt: made.closed_at, goneAt: made.gone_at, isNew: true };
  }
  const row = await tx
    .selectFrom('account')
    .select(['closed_at', 'gone_at'])
    .where('id', '=', accountId)
    .executeTakeFirst();
  if (!row || row.gone_at === null) throw new AppError('unauthorized', 'This account has ended.');
  return { closedAt: row.closed_at ?? row.gone_at, goneAt: row.gone_at, isNew: false };
}

/** Ids of the accounts that are closed and not deleted yet. */
export async function closingAccounts(db: Reader): Promise<string[]> {
  const rows = await db.selectFrom('account').select('id').where('gone_at', 'is not', null).execute();
  return rows.map(({ id }) => id);
}

/** Reopens a closed account. An open one stays as it is. */
export async function keepAccount(tx: Tx, accountId: string): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('account')
    .set({ closed_at: null, gone_at: null })
    .where('id', '=', accountId)
    .where('gone_at', 'is not', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return;
  deleted(tx, { what: 'kept', id: accountId });
  changed(tx, accountId, 'account', accountId);
}
