import { type Selectable, sql } from 'kysely';
import type { LogAnswer, LogEntry } from '../../shared/credits.ts';
import type { Reason } from '../../shared/runs.ts';
import { iso } from '../platform/clock.ts';
import type { Reader } from '../platform/db/database.ts';
import type { LogEntryRow } from '../platform/db/schema.ts';

/** A page of the token log, newest first; `before` is the `before` of the page before it. */
export async function listLog(
  db: Reader,
  accountId: string,
  page: { before?: number; limit: number },
): Promise<LogAnswer> {
  let query = db
    .selectFrom('log_entry')
    .innerJoin('wallet', 'wallet.ledger_id', 'log_entry.ledger_id')
    .selectAll('log_entry')
    .where('wallet.account_id', '=', accountId);
  if (page.before !== undefined) query = query.where('log_entry.seq', '<', page.before);
  const rows = await query
    .orderBy('log_entry.seq', 'desc')
    .limit(page.limit + 1)
    .execute();
  const shown = rows.slice(0, page.limit);
  return { entries: shown.map(toLogEntry), before: rows.length > page.limit ? String(shown.at(-1)!.seq) : null };
}

/** What was charged since `since`, by conversation, most first; what of it was refunded, whenever, is taken off. */
export function sumCharges(db: Reader, accountId: string, since: number) {
  return db
    .selectFrom('log_entry')
    .innerJoin('wallet', 'wallet.ledger_id', 'log_entry.ledger_id')
    .leftJoin('log_entry as refund', (join) =>
      join.on('refund.id', '=', sql<string>`'refund:' || log_entry.run_id`).on('refund.kind', '=', 'refund'),
    )
    .select((eb) => [
      'log_entry.conversation_id as conversationId',
      sql<number | string>`sum(-log_entry.amount - coalesce(refund.amount, 0))`.as('chargedMicro'),
      eb.fn.countAll<number | string>().as('runs'),
    ])
    .where('wallet.account_id', '=', accountId)
    .where('log_entry.at', '>=', since)
    .where('log_entry.kind', '=', 'charge')
    .groupBy('log_entry.conversation_id')
    .orderBy('chargedMicro', 'desc')
    .execute();
}

/** How many refunds the account got after `since` for that reason. */
export async function countRefunds(db: Reader, accountId: string, reason: Reason, since: number): Promise<number> {
  const { count } = await db
    .selectFrom('log_entry')
    .innerJoin('wallet', 'wallet.ledger_id', 'log_entry.ledger_id')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .where('wallet.account_id', '=', accountId)
    .where('log_entry.kind', '=', 'refund')
    .where('log_entry.reason_code', '=', reason)
    .where('log_entry.at', '>', since)
    .executeTakeFirstOrThrow();
  return Number(count);
}

function toLogEntry(row: Selectable<LogEntryRow>): LogEntry {
  return {
    id: row.id,
    kind: row.kind,
    amountMicro: row.amount,
    balanceMicro: row.balance,
    reason: row.reason,
    reasonCode: (row.reason_code as Reason | null) ?? undefined,
    model: row.model ?? undefined,
    runId: row.run_id ?? undefined,
    conversationId: row.conversation_id ?? undefined,
    usage:
      row.input_tokens === null
        ? undefined
        : {
            inputTokens: row.input_tokens,
            cachedInputTokens: row.cached_input_tokens ?? 0,
            outputTokens: row.output_tokens ?? 0,
            estimated: row.estimated === 1,
          },
    at: iso(row.at),
  };
}
