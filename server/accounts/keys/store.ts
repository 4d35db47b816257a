import type { Selectable } from 'kysely';
import { type ApiKey, type KeyPatch, type KeyRequest, MAX_KEYS } from '../../../shared/keys.ts';
import { spentInMonth } from '../../credits/holds/keyMonths.ts';
import { monthOf } from '../../credits/rules/keyMonth.ts';
import { iso } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { ApiKeyRow } from '../../platform/db/schema.ts';
import { hashSecret } from '../../platform/secrets.ts';
import { hintOf } from '../../platform/values/apiKeys.ts';

/**
 * Stores a key; its secret only as a hash. False, and nothing is stored, if the account has the most keys that it can
 * have.
 */
export async function insertKey(
  tx: Tx,
  made: { id: string; accountId: string; secret: string; at: number } & KeyRequest,
): Promise<boolean> {
  const { id, accountId, secret, at, name, models = null, monthlyMicro = null, expiresAt = null } = made;
  // A no-op update, because it locks the row on both engines: keys made at the same time are counted one by one.
  await tx.updateTable('account').set({ id: accountId }).where('id', '=', accountId).execute();
  if ((await liveKeys(tx, accountId).select('id').execute()).length >= MAX_KEYS) return false;
  const row: Selectable<ApiKeyRow> = {
    id,
    account_id: accountId,
    name,
    secret_hash: hashSecret(secret),
    hint: hintOf(secret),
    models: models && JSON.stringify([...new Set(models)]),
    monthly_micro: monthlyMicro,
    expires_at: expiresAt === null ? null : Date.parse(expiresAt),
    created_at: at,
    last_used_at: null,
    revoked_at: null,
  };
  await tx.insertInto('api_key').values(row).execute();
  changed(tx, accountId, 'keys', accountId);
  return true;
}

/** The account's keys that are not revoked, the newest first. */
export async function listKeys(db: Reader, accountId: string, now: number): Promise<ApiKey[]> {
  const rows = await liveKeys(db, accountId).selectAll().orderBy('created_at', 'desc').orderBy('id', 'desc').execute();
  const spent = await spentInMonth(
    db,
    rows.map(({ id }) => id),
    now,
  );
  return rows.map((row) => toKey(row, spent.get(row.id) ?? 0, now));
}

export async function findKey(db: Reader, accountId: string, id: string, now: number): Promise<ApiKey | null> {
  const row = await liveKeys(db, accountId).selectAll().where('id', '=', id).executeTakeFirst();
  return row ? toKey(row, (await spentInMonth(db, [id], now)).get(id) ?? 0, now) : null;
}

/** False if it is revoked or isn't this account's. */
export async function changeKey(tx: Tx, accountId: string, id: string, patch: KeyPatch): Promise<boolean> {
  const { name, models, monthlyMicro, expiresAt } = patch;
  const { numUpdatedRows } = await tx
    .updateTable('api_key')
    .set({
      // At least one column, so that an empty change is a valid statement.
      account_id: accountId,
      ...(name === undefined ? {} : { name }),
      ...(models === undefined ? {} : { models: models && JSON.stringify([...new Set(models)]) }),
      ...(monthlyMicro === undefined ? {} : { monthly_micro: monthlyMicro }),
      ...(expiresAt === undefined ? {} : { expires_at: expiresAt === null ? null : Date.parse(expiresAt) }),
    })
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  changed(tx, accountId, 'keys', accountId);
  return true;
}

/**
 * Revokes a key at once, on every node: each call looks the key up. Its open streams end. Returns the key's name; null
 * if it is revoked already or isn't this account's. Without an account, the key of any account.
 */
export async function revokeKey(tx: Tx, accountId: string | null, id: string, at: number): Promise<string | null> {
  let query = tx.updateTable('api_key').set({ revoked_at: at }).where('id', '=', id).where('revoked_at', 'is', null);
  if (accountId !== null) query = query.where('account_id', '=', accountId);
  const row = await query.returning(['name', 'account_id']).executeTakeFirst();
  if (!row) return null;
  changed(tx, `key:${id}`, 'ended', id);
  changed(tx, row.account_id, 'keys', row.account_id);
  return row.name;
}

/** Revokes every key there is: after a restore, one that was revoked since the backup would be valid again. */
export async function revokeEveryKey(tx: Tx, at: number): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('api_key')
    .set({ revoked_at: at })
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Keys that were revoked before that instant. */
export const revokedKeys = (db: Reader, before: number) => db.selectFrom('api_key').where('revoked_at', '<', before);

const liveKeys = (db: Reader, accountId: string) =>
  db.selectFrom('api_key').where('account_id', '=', accountId).where('revoked_at', 'is', null);

export const modelsOf = (row: Pick<ApiKeyRow, 'models'>): string[] | null =>
  row.models === null ? null : (JSON.parse(row.models) as string[]);

function toKey(row: Selectable<ApiKeyRow>, spentMicro: number, now: number): ApiKey {
  const { id, name, hint } = row;
  return {
    id,
    name,
    hint,
    models: modelsOf(row),
    monthlyMicro: row.monthly_micro,
    spentMicro,
    resetsAt: iso(monthOf(now).to),
    expiresAt: row.expires_at === null ? null : iso(row.expires_at),
    createdAt: iso(row.created_at),
    lastUsedAt: row.last_used_at === null ? null : iso(row.last_used_at),
  };
}
