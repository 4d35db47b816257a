import type { Reader, Tx } from '../../platform/db/database.ts';
import { hashSecret } from '../../platform/secrets.ts';

/** The data stored with each kind of code. */
export interface CodeData {
  /** A person who has signed in with a provider, in a browser that has yet to confirm. */
  identified: { provider: string; subject: string; email: string | null; emailVerified: boolean; name: string | null };
  /** Sent to an editor's callback; exchanged with the challenge's verifier. */
  authorization: { challenge: string; name: string; tool: string };
  /** Opens the member's page. */
  page: Record<string, never>;
  /** Published at startup; signs in this machine's single user (see `local.ts`). */
  local: Record<string, never>;
}
export type CodePurpose = keyof CodeData;

/** Stores a code of 32 random bytes, hashed, for one use. */
export async function insertCode<P extends CodePurpose>(
  tx: Tx,
  made: { code: string; purpose: P; accountId: string | null; data: CodeData[P]; expiresAt: number },
): Promise<void> {
  const row = {
    hash: hashSecret(made.code),
    purpose: made.purpose,
    account_id: made.accountId,
    data: JSON.stringify(made.data),
    expires_at: made.expiresAt,
  };
  await tx.insertInto('one_time_code').values(row).execute();
}

/** Uses up a code: of concurrent calls, only one gets its data. Null if the code is unknown, used or expired. */
export async function redeemCode<P extends CodePurpose>(tx: Tx, purpose: P, code: string, now: number) {
  const row = await tx
    .deleteFrom('one_time_code')
    .where('hash', '=', hashSecret(code))
    .where('purpose', '=', purpose)
    .returningAll()
    .executeTakeFirst();
  return row && row.expires_at > now ? { accountId: row.account_id, data: JSON.parse(row.data) as CodeData[P] } : null;
}

/** Reads a code's data without using it up. */
export async function peekCode<P extends CodePurpose>(db: Reader, purpose: P, code: string, now: number) {
  const row = await db
    .selectFrom('one_time_code')
    .selectAll()
    .where('hash', '=', hashSecret(code))
    .where('purpose', '=', purpose)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row ? { accountId: row.account_id, data: JSON.parse(row.data) as CodeData[P] } : null;
}

export async function purgeCodes(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('one_time_code').where('expires_at', '<=', now).execute();
}
