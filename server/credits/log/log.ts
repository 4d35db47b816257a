import { type Selectable, type SqlBool, sql } from 'kysely';
import type { LogAnswer, LogEntry } from '../../../shared/credits.ts';
import type { Reason } from '../../../shared/runs.ts';
import { iso } from '../../platform/clock.ts';
import type { Database, Reader } from '../../platform/db/database.ts';
import type { LogEntryRow } from '../../platform/db/schema.ts';
import { csvLine } from '../../platform/values/csv.ts';
import { readSums } from './usage.ts';

/** Filters the token log. Times are epoch milliseconds; `to` is exclusive. */
export interface LogFilter {
  kind?: LogEntry['kind'];
  model?: string;
  tool?: string;
  /** The id of an API key. */
  key?: string;
  conversation?: string;
  from?: number;
  to?: number;
}

/**
 * A page of the token log, newest first; `before` is the `before` of the previous page. An account that took guests
 * over has several ledgers. Each is queried for its newest lines by its index, because a join would sort all lines.
 */
export async function listLog(
  db: Reader,
  accountId: string,
  page: { before?: number; limit: number } & LogFilter,
): Promise<LogAnswer> {
  const ledgers = await db.selectFrom('wallet').select('ledger_id').where('account_id', '=', accountId).execute();
  const found: Selectable<LogEntryRow>[] = [];
  for (const { ledger_id } of ledgers) found.push(...(await pageOf(db, ledger_id, page)));
  const rows = found.toSorted((a, b) => b.seq - a.seq);
  const shown = rows.slice(0, page.limit);
  return { entries: shown.map(toLogEntry), before: rows.length > page.limit ? String(shown.at(-1)!.seq) : null };
}

function pageOf(db: Reader, ledgerId: string, page: { before?: number; limit: number } & LogFilter) {
  let query = db.selectFrom('log_entry').selectAll().where('ledger_id', '=', ledgerId);
  if (page.before !== undefined) query = query.where('seq', '<', page.before);
  if (page.kind !== undefined) query = query.where('kind', '=', page.kind);
  // Must be word for word the condition of the partial index of rare lines.
  if (page.kind !== undefined && page.kind !== 'charge') query = query.where(sql<SqlBool>`kind <> 'charge'`);
  if (page.model !== undefined) query = query.where('model', '=', page.model);
  if (page.tool !== undefined) query = query.where('tool', '=', page.tool);
  if (page.key !== undefined) query = query.where('key_id', '=', page.key);
  if (page.conversation !== undefined) query = query.where('conversation_id', '=', page.conversation);
  if (page.from !== undefined) query = query.where('at', '>=', page.from);
  if (page.to !== undefined) query = query.where('at', '<', page.to);
  return query
    .orderBy('seq', 'desc')
    .limit(page.limit + 1)
    .execute();
}

/** How many lines are read at a time for the CSV file. */
const AT_ONCE = 500;

/** The token log as a CSV file, in pieces: at most one page is in memory. Amounts are micro-credits. */
export async function* logCsv(db: Reader, accountId: string, filter: LogFilter = {}): AsyncGenerator<string> {
  yield csvLine([
    ...['at', 'kind', 'amount_micro', 'balance_micro', 'reason', 'reason_code', 'model', 'tool', 'run', 'conversation'],
    ...['input_tokens', 'cached_input_tokens', 'output_tokens', 'estimated', 'key', 'key_id'],
  ]);
  let before: number | undefined;
  do {
    const page = await listLog(db, accountId, { ...filter, before, limit: AT_ONCE });
    if (page.entries.length > 0) yield page.entries.map(csvLineOf).join('');
    before = page.before === null ? undefined : Number(page.before);
  } while (before !== undefined);
}

function csvLineOf(entry: LogEntry): string {
  const { usage } = entry;
  return csvLine([
    ...[entry.at, entry.kind, entry.amountMicro, entry.balanceMicro, entry.reason, entry.reasonCode, entry.model],
    ...[entry.tool, entry.runId, entry.conversationId],
    ...[usage?.inputTokens, usage?.cachedInputTokens, usage?.outputTokens, usage?.estimated],
    ...[entry.key?.name, entry.key?.id],
  ]);
}

/** What one conversation, or the calls by one API key, cost. */
export interface ChargeSum {
  conversationId: string | null;
  key: { id: string; name: string } | null;
  chargedMicro: number;
  runs: number;
}

/**
 * Charges since `since` by conversation and by API key, largest first. Their refunds are subtracted, whenever they were
 * made. A key has its newest name.
 */
export async function sumCharges(db: Database, accountId: string, since: number): Promise<ChargeSum[]> {
  const query = db.read
    .selectFrom('log_entry')
    .innerJoin('wallet', 'wallet.ledger_id', 'log_entry.ledger_id')
    .leftJoin('log_entry as refund', (join) =>
      join.on('refund.id', '=', sql<string>`'refund:' || log_entry.run_id`).on('refund.kind', '=', 'refund'),
    )
    .select((eb) => [
      'log_entry.conversation_id as conversationId',
      'log_entry.key_id as keyId',
      'log_entry.key_name as keyName',
      sql<number | string>`sum(-log_entry.amount - coalesce(refund.amount, 0))`.as('chargedMicro'),
      eb.fn.countAll<number | string>().as('runs'),
    ])
    .where('wallet.account_id', '=', accountId)
    .where('log_entry.at', '>=', since)
    .where('log_entry.kind', '=', 'charge')
    .groupBy(['log_entry.conversation_id', 'log_entry.key_id', 'log_entry.key_name'])
    // The newest name of a key first.
    .orderBy((eb) => eb.fn.max('log_entry.seq'), 'desc');
  const sums = new Map<string, ChargeSum>();
  for (const { conversationId, keyId, keyName, ...row } of await readSums(db, query.compile())) {
    const id = keyId ?? conversationId ?? '';
    const key = keyId === null ? null : { id: keyId, name: keyName ?? '' };
    const sum = sums.get(id) ?? { conversationId: key ? null : conversationId, key, chargedMicro: 0, runs: 0 };
    sums.set(id, sum);
    sum.chargedMicro += Number(row.chargedMicro);
    sum.runs += Number(row.runs);
  }
  return [...sums.values()].sort((a, b) => b.chargedMicro - a.chargedMicro);
}

/** A finished run's final charge, and the reason if it was less than its price. */
export async function readCharge(db: Reader, runId: string): Promise<{ chargedMicro: number; reason?: Reason }> {
  const lines = await db
    .selectFrom('log_entry')
    .select(['amount', 'reason_code'])
    .where('id', 'in', [`run:${runId}`, `refund:${runId}`])
    .orderBy('seq', 'desc')
    .execute();
  const codes = lines.flatMap((line) => (line.reason_code as Reason | null) ?? []);
  return { chargedMicro: lines.reduce((sum, { amount }) => sum - amount, 0), reason: codes[0] };
}

/** How many refunds the account got for this reason after `since`. */
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
    tool: row.tool ?? undefined,
    key: row.key_id === null ? undefined : { id: row.key_id, name: row.key_name ?? '' },
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
