import type { Database } from './database.ts';
import type { Schema } from './schema.ts';

/** Clocks of nodes differ by less; what is further ahead was stored before the clock was set back. */
const SKEW_MS = 1_000;

/** A stored time by which somebody may have to wait: at most so far ahead of now, 0 for what has happened. */
export interface StoredTime {
  table: keyof Schema;
  column: string;
  aheadMs: number;
}

/** Finds out that the clock was set back, and repairs what was stored before: at the first look, and after each step back. */
export class ClockSteps {
  #latest = Number.POSITIVE_INFINITY;

  constructor(
    private readonly db: Database,
    private readonly times: readonly StoredTime[],
  ) {}

  async look(now: number): Promise<void> {
    // A look at the tables is a scan of them.
    if (now < this.#latest) await bringBack(this.db, this.times, now);
    this.#latest = now;
  }
}

/**
 * Repairs stored times after the clock was set back: one further ahead than possible becomes the latest possible one, so that
 * nobody waits for the clock to catch up. A job of its own, for a refused request would undo the repair. Returns how many
 * rows were changed.
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
