import { REFUND_CLASSES } from '../../../shared/constants.ts';
import type { Reason } from '../../../shared/runs.ts';
import type { Policy } from '../../platform/config/config.ts';
import type { Reader } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';

const COUNTED = (Object.keys(REFUND_CLASSES) as Reason[]).filter((code) => REFUND_CLASSES[code].cap === 'uncharged');

/**
 * When an account with too many uncharged answers may go on; null if it may now. Failures are never charged, but the
 * house pays for them, so failing on purpose must be limited. Failures that only the house can cause do not count: see
 * the table of refund classes.
 */
export async function waitForUncharged(
  db: Reader,
  policy: Policy['refunds']['uncharged'],
  accountId: string,
  now: number,
): Promise<number | null> {
  const windowMs = policy.withinMinutes * 60_000;
  const rows = await selectUncharged.all(db, { accountId, from: now - windowMs, to: now + SKEW_MS });
  const newestFirst = rows.map(({ at }) => at).sort((a, b) => b - a);
  const oldest = newestFirst[policy.runs - 1];
  return oldest === undefined ? null : oldest + windowMs;
}

/** The largest clock difference between nodes. */
const SKEW_MS = 1_000;

/** In no order: SQLite's sorter costs more than the rest of the query, and there are few, because so many are refused. */
const selectUncharged = prepared((db, p: { accountId: string; from: number; to: number }) =>
  db
    .selectFrom('log_entry')
    .innerJoin('wallet', 'wallet.ledger_id', 'log_entry.ledger_id')
    .select('log_entry.at')
    .where('wallet.account_id', '=', p.accountId)
    .where('log_entry.kind', '=', 'not_charged')
    .where('log_entry.reason_code', 'in', COUNTED)
    .where('log_entry.at', '>', p.from)
    // The log is append-only: leave out lines written before the clock was set back.
    .where('log_entry.at', '<=', p.to),
);
