import { sql } from 'kysely';
import type { Database } from '../../server/platform/db/database.ts';

/** Resolves once a transaction waits for another; at once on SQLite, where writers queue before they begin. */
export async function somebodyWaits(db: Database): Promise<void> {
  if (db.engine === 'sqlite') return;
  const waiting = sql<{ n: number }>`select count(*) as n from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  while (Number((await waiting.execute(db.read)).rows[0]!.n) === 0);
}
