import { type RawBuilder, sql } from 'kysely';

/** (h) is checked only as far as the books show it; the upstream's own bill is outside. */
export type Invariant = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j';

/** One query that checks several conditions on each row, because reading a journal of millions is the slow part. */
export interface Pass {
  checks: { invariant: Invariant; what: string }[];
  /** The rows that break a check: each has an `id`, and bits that say which checks it breaks. */
  rows: RawBuilder<{ id: string; broken: unknown }>;
}

/** A check of one row; `broken` is the SQL condition for a violation. */
export interface Question {
  invariant: Invariant;
  what: string;
  broken: RawBuilder<unknown>;
}

/** Checks all questions on each row of `from`; `id` is the row's id. */
export function pass(id: RawBuilder<unknown>, from: RawBuilder<unknown>, questions: Question[]): Pass {
  const bits = questions.map(({ broken }, i) => sql`case when ${broken} then ${sql.lit(2 ** i)} else 0 end`);
  return {
    checks: questions,
    rows: sql`select id, broken from (select ${id} as id, ${sql.join(bits, sql` + `)} as broken from ${from}) x
      where broken <> 0`,
  };
}

/** A check with its own query, for rare rows that an index finds. */
export function check(invariant: Invariant, what: string, rows: RawBuilder<unknown>): Pass {
  return { checks: [{ invariant, what }], rows: sql`select id, 1 as broken from (${rows}) x` };
}

/** The condition of the partial indexes of `transfer` and `log_entry`: engines use them only if a query repeats it. */
export const RARE = sql`kind <> 'charge'`;
