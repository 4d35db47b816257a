import { type RawBuilder, sql } from 'kysely';

/** (h) is here as far as the books know of it; the model service's own bill is outside. */
export type Invariant = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j';

/** One query, and what it asks of each of its rows: reading a journal of millions is what takes time. */
export interface Pass {
  checks: { invariant: Invariant; what: string }[];
  /** What should not be: each with an `id`, and by its bits which of the checks it breaks. */
  rows: RawBuilder<{ id: string; broken: unknown }>;
}

/** What is asked of a row; `broken` is a condition on it. */
export interface Question {
  invariant: Invariant;
  what: string;
  broken: RawBuilder<unknown>;
}

/** Asks all questions of each row of `from`, whose ids are `id`. */
export function pass(id: RawBuilder<unknown>, from: RawBuilder<unknown>, questions: Question[]): Pass {
  const bits = questions.map(({ broken }, i) => sql`case when ${broken} then ${sql.lit(2 ** i)} else 0 end`);
  return {
    checks: questions,
    rows: sql`select id, broken from (select ${id} as id, ${sql.join(bits, sql` + `)} as broken from ${from}) x
      where broken <> 0`,
  };
}

/** A query of its own: for what is rare, and found by an index. */
export function check(invariant: Invariant, what: string, rows: RawBuilder<unknown>): Pass {
  return { checks: [{ invariant, what }], rows: sql`select id, 1 as broken from (${rows}) x` };
}

/** The index of what is no charge is used only where that is said. Of a transfer, or of a line of the token log. */
export const RARE = sql`kind <> 'charge'`;
