import { createHash } from 'node:crypto';
import type { Reader, Tx } from '../platform/db/database.ts';

/** Tokens are 32 random bytes, so a plain hash hides them; only the hash is stored. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export interface Caller {
  tokenId: string;
  accountId: string;
  accountKind: 'guest' | 'member';
  lastUsedAt: number;
}

/** Whose token this is; null if it is unknown or revoked. */
export async function findCaller(db: Reader, token: string): Promise<Caller | null> {
  const row = await db
    .selectFrom('token')
    .innerJoin('account', 'account.id', 'token.account_id')
    .select(['token.id', 'token.account_id', 'token.last_used_at', 'account.kind'])
    .where('token.token_hash', '=', hashToken(token))
    .where('token.revoked_at', 'is', null)
    .executeTakeFirst();
  if (!row) return null;
  return { tokenId: row.id, accountId: row.account_id, accountKind: row.kind, lastUsedAt: row.last_used_at };
}

export async function insertToken(
  tx: Tx,
  made: { id: string; accountId: string; token: string; at: number },
): Promise<void> {
  await tx
    .insertInto('token')
    .values({
      id: made.id,
      account_id: made.accountId,
      token_hash: hashToken(made.token),
      created_at: made.at,
      last_used_at: made.at,
      revoked_at: null,
    })
    .execute();
}

/** Remembers that a token and its account are in use. */
export async function touch(tx: Tx, caller: Caller, at: number): Promise<void> {
  await tx.updateTable('token').set({ last_used_at: at }).where('id', '=', caller.tokenId).execute();
  await tx.updateTable('account').set({ last_active_at: at }).where('id', '=', caller.accountId).execute();
}
