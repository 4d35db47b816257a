import type { Database } from './db/database.ts';
import type { Schema } from './db/schema.ts';

/** Clocks of nodes differ by less; what is further ahead was stored before the clock was set back. */
const SKEW_MS = 1_000;

/** A stored time by which somebody may have to wait: at most so far ahead of now, 0 for what has happened. */
export interface StoredTime {
  table: keyof Schema;
  column: string;
  aheadMs: number;
}

/**
 * After the clock was set back: what was stored lies too far ahead, and whoever waits for it would wait for the clock as
 * well. It counts as if it were of this instant: neither until that time comes again, nor not at all. A job of its own, for
 * what a refused request finds out is undone with it. Returns how many there were.
 */
export async function bringBack({ read, write }: Database, times: readonly StoredTime[], now: number): Promise<number> {
  let all = 0;
  for (const { table, column, aheadMs } of times) {
    const ref = read.dynamic.ref<string>(column);
    const latest = now + aheadMs;
    const isAhead = read
      .selectFrom(table)
      .select(ref)
      .where(ref, '>', latest + SKEW_MS)
      .limit(1);
    if (!(await isAhead.executeTakeFirst())) continue;
    const { numUpdatedRows } = await write((tx) =>
      tx
        .updateTable(table)
        .set({ [column]: latest } as never)
        .where(ref, '>', latest)
        .executeTakeFirst(),
    );
    all += Number(numUpdatedRows);
  }
  return all;
}
