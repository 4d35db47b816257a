import type { Reader } from '../platform/db/database.ts';

/** How many answers may go uncharged in the window before the account has to wait. */
const MAX_UNCHARGED = 12;
const UNCHARGED_WINDOW_MS = 10 * 60_000;

/**
 * When an account may go on that has had too many answers which cost it nothing, or null if it may now. What fails is never
 * charged; but the house pays for it, so failing on purpose must not be endless.
 */
export async function waitForUncharged(db: Reader, accountId: string, now: number): Promise<number | null> {
  const rows = await db
    .selectFrom('log_entry')
    .innerJoin('wallet', 'wallet.ledger_id', 'log_entry.ledger_id')
    .select('log_entry.at')
    .where('wallet.account_id', '=', accountId)
    .where('log_entry.kind', '=', 'not_charged')
    .where('log_entry.at', '>', now - UNCHARGED_WINDOW_MS)
    .orderBy('log_entry.at', 'desc')
    .limit(MAX_UNCHARGED)
    .execute();
  return rows.length < MAX_UNCHARGED ? null : rows.at(-1)!.at + UNCHARGED_WINDOW_MS;
}
