import { type CompiledQuery, type Expression, type SqlBool, sql } from 'kysely';
import type { UsageAnswer, UsageBy, UsageRow } from '../../../shared/credits.ts';
import { iso } from '../../platform/clock.ts';
import { type Database, type Reader, TookTooLong } from '../../platform/db/database.ts';
import { AppError } from '../../platform/errors.ts';
import { csvLine } from '../../platform/values/csv.ts';

/** Every current time zone differs from UTC by a multiple of this, so each day starts at such a boundary. */
const QUARTER_MS = 900_000;

/** The period from `from` up to, not including, `to` (epoch milliseconds). */
export interface UsageQuery {
  from: number;
  to: number;
  by: UsageBy;
  /** The IANA time zone of the days. */
  zone: string;
}

/** The cost and usage of runs, summed. Their refunds are subtracted, whenever they were made. */
export async function sumUsage(db: Database, accountId: string, query: UsageQuery): Promise<UsageAnswer> {
  const nameOf = query.by === 'day' ? dayOf(query.zone) : (key: string | number | null) => String(key ?? '');
  const rows = new Map<string, UsageRow>();
  if (query.by === 'day') for (const day of daysOf(query)) rows.set(day, nothing(day));
  const total = nothing('');
  const found = await readSums(db, sumsQuery(db, accountId, query).compile());
  // A key that was renamed has a sum for each of its names. The newest name comes last.
  for (const sum of found.toSorted((a, b) => Number(a.latest) - Number(b.latest))) {
    const key = nameOf(sum.key);
    const row = rows.get(key) ?? nothing(key);
    rows.set(key, row);
    if (sum.name !== null) row.name = sum.name;
    for (const into of [row, total]) {
      into.chargedMicro += Number(sum.micro);
      into.runs += Number(sum.runs);
      into.inputTokens += Number(sum.input);
      into.cachedInputTokens += Number(sum.cached);
      into.outputTokens += Number(sum.output);
    }
  }
  const { key: _, ...sums } = total;
  const list = [...rows.values()];
  if (query.by !== 'day') list.sort((a, b) => b.chargedMicro - a.chargedMicro || a.key.localeCompare(b.key));
  return { by: query.by, from: iso(query.from), to: iso(query.to), zone: query.zone, rows: list, total: sums };
}

/** The rows of a usage as a CSV file. Credits are micro-credits. */
export function usageCsv({ by, rows }: UsageAnswer): string {
  const named = by === 'key' ? ['key', 'key_id'] : [by];
  const head = [...named, 'runs', 'input_tokens', 'cached_input_tokens', 'output_tokens', 'charged_micro'];
  const lines = rows.map((row) => [
    ...(by === 'key' ? [row.name, row.key] : [row.key]),
    ...[row.runs, row.inputTokens, row.cachedInputTokens, row.outputTokens, row.chargedMicro],
  ]);
  return [head, ...lines].map(csvLine).join('');
}

/** Runs a query that sums up a token log. Throws `usage_too_slow`. */
export async function readSums<T>(db: Database, query: CompiledQuery<T>): Promise<T[]> {
  try {
    return await db.readBounded(query);
  } catch (error) {
    if (!(error instanceof TookTooLong)) throw error;
    throw new AppError('usage_too_slow', 'There are too many runs to sum up at once. Choose a shorter time.');
  }
}

const nothing = (key: string): UsageRow => ({
  key,
  chargedMicro: 0,
  runs: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
});

/** The column to group by. Integer division gives integers on both engines. */
const keyOf = (by: UsageBy) =>
  ({
    day: sql<number | string | null>`charge.at / ${sql.lit(QUARTER_MS)}`,
    model: sql<number | string | null>`charge.model`,
    tool: sql<number | string | null>`charge.tool`,
    key: sql<number | string | null>`charge.key_id`,
  })[by];

const nameOf = (by: UsageBy) =>
  by === 'key' ? sql<string | null>`charge.key_name` : sql<string | null>`cast(null as text)`;

const number = (text: string) => sql<number | string>`${sql.raw(text)}`;

/** One query, so that both parts see the same state. */
const sumsQuery = (db: Database, accountId: string, query: UsageQuery) =>
  sumRuns(db.read, accountId, query)
    .where(inTime(db.engine))
    .unionAll(sumRefunds(db.read, accountId, query));

/** Lets the time limit of `readBounded` end a long sum on SQLite. Checked at every 64th line, because it takes time. */
const inTime = (engine: Database['engine']): Expression<SqlBool> =>
  engine === 'sqlite' ? sql<SqlBool>`(charge.seq % 64 <> 0 or in_time() = 1)` : sql<SqlBool>`true`;

function sumRuns(db: Reader, accountId: string, { from, to, by }: UsageQuery) {
  return db
    .selectFrom('log_entry as charge')
    .select([
      keyOf(by).as('key'),
      nameOf(by).as('name'),
      number('max(charge.seq)').as('latest'),
      number('sum(-charge.amount)').as('micro'),
      number('count(*)').as('runs'),
      number('coalesce(sum(charge.input_tokens), 0)').as('input'),
      number('coalesce(sum(charge.cached_input_tokens), 0)').as('cached'),
      number('coalesce(sum(charge.output_tokens), 0)').as('output'),
    ])
    .where(isOf('charge.ledger_id', accountId))
    .where('charge.kind', '=', 'charge')
    .where('charge.at', '>=', from)
    .where('charge.at', '<', to)
    .groupBy([keyOf(by), nameOf(by)]);
}

/** Refunds are few, so the query starts from them. */
function sumRefunds(db: Reader, accountId: string, { from, to, by }: UsageQuery) {
  return (
    db
      .selectFrom('log_entry as refund')
      .innerJoin('log_entry as charge', (join) =>
        join.onRef('charge.run_id', '=', 'refund.run_id').on(sql<SqlBool>`charge.kind in ('charge', 'not_charged')`),
      )
      .select([
        keyOf(by).as('key'),
        nameOf(by).as('name'),
        number('max(charge.seq)').as('latest'),
        number('sum(-refund.amount)').as('micro'),
        number('0').as('runs'),
        number('0').as('input'),
        number('0').as('cached'),
        number('0').as('output'),
      ])
      .where(isOf('refund.ledger_id', accountId))
      // Must be word for word the condition of the partial index of rare lines.
      .where(sql<SqlBool>`refund.kind <> 'charge'`)
      .where('refund.kind', '=', 'refund')
      .where('charge.at', '>=', from)
      .where('charge.at', '<', to)
      .groupBy([keyOf(by), nameOf(by)])
  );
}

const isOf = (column: string, accountId: string): Expression<SqlBool> =>
  sql<SqlBool>`${sql.ref(column)} in (select ledger_id from wallet where account_id = ${accountId})`;

/** Maps a quarter of an hour to its day in the zone, as 2027-01-31. */
function dayOf(zone: string): (quarter: string | number | null) => string {
  const day = dayFormat(zone);
  return (quarter) => day.format(Number(quarter) * QUARTER_MS);
}

/** Every day that overlaps the period, in order. */
function daysOf({ from, to, zone }: UsageQuery): Set<string> {
  const day = dayFormat(zone);
  const days = new Set<string>();
  // In steps of half a day, so that no day is missed when the clocks change.
  for (let at = from; at < to; at += 12 * 3_600_000) days.add(day.format(at));
  if (to > from) days.add(day.format(to - 1));
  return days;
}

/** Throws a RangeError for an unknown time zone. */
export function dayFormat(zone: string): Intl.DateTimeFormat {
  // The en-CA locale writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });
}
