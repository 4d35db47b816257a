import { type Expression, type SqlBool, sql } from 'kysely';
import type { UsageAnswer, UsageBy, UsageRow } from '../../../shared/credits.ts';
import { iso } from '../../platform/clock.ts';
import type { Reader } from '../../platform/db/database.ts';

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

/** The cost and usage of runs, summed for a chart. Their refunds are subtracted, whenever they were made. */
export async function sumUsage(db: Reader, accountId: string, query: UsageQuery): Promise<UsageAnswer> {
  const nameOf = query.by === 'day' ? dayOf(query.zone) : (key: string | number | null) => String(key ?? '');
  const rows = new Map<string, UsageRow>();
  if (query.by === 'day') for (const day of daysOf(query)) rows.set(day, nothing(day));
  const total = nothing('');
  for (const sum of [...(await sumRuns(db, accountId, query)), ...(await sumRefunds(db, accountId, query))]) {
    const key = nameOf(sum.key);
    const row = rows.get(key) ?? nothing(key);
    rows.set(key, row);
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
  })[by];

const number = (text: string) => sql<number | string>`${sql.raw(text)}`;

function sumRuns(db: Reader, accountId: string, { from, to, by }: UsageQuery) {
  return db
    .selectFrom('log_entry as charge')
    .select([
      keyOf(by).as('key'),
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
    .groupBy(keyOf(by))
    .execute();
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
      .groupBy(keyOf(by))
      .execute()
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
