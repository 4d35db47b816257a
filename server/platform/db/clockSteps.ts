import type { Database } from './database.ts';
import type { Schema } from './schema.ts';

/** The clocks of nodes differ by less. A time further ahead was stored before the clock was set back. */
const SKEW_MS = 1_000;

/** A stored time that can make a request wait. The most that it can be ahead of now; 0 for past events. */
export interface StoredTime {
  table: keyof Schema;
  column: string;
  aheadMs: number;
}

/**
 * Detects that the clock was set back, and repairs earlier stored times: at the first check, and after each step back.
 */
export class ClockSteps {
  #latest = Number.POSITIVE_INFINITY;

  constructor(
    private readonly db: Database,
    private readonly times: readonly StoredTime[],
  ) {}

  async look(now: number): Promise<void> {
    // The repair scans the tables, so run it only after a step back.
    if (now < this.#latest) await bringBack(this.db, this.times, now);
    this.#latest = now;
  }
}

/**
 * Repairs stored times after the clock was set back. A time further ahead than possible becomes the latest possible
 * one, so that no request waits for the clock to catch up. It is a separate job, because a refused request would roll
 * back the repair. Returns the number of changed rows.
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
