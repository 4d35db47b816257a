import { sql } from 'kysely';
import type { Database } from '../../server/platform/db/database.ts';

/** Makes every such change of a table fail, until the returned function is called. */
export async function breakTable(
  db: Database,
  table: string,
  change: 'insert' | 'update',
): Promise<() => Promise<void>> {
  const run = (text: string) => db.write((tx) => sql.raw(text).execute(tx));
  if (db.engine === 'sqlite') {
    await run(`create trigger broken before ${change} on ${table} begin select raise(abort, 'broken'); end`);
    return async () => void (await run('drop trigger broken'));
  }
  await run(`create or replace function broken() returns trigger language plpgsql as
    $$ begin raise exception 'broken'; end $$`);
  await run(`create trigger broken before ${change} on ${table} for each row execute function broken()`);
  return async () => void (await run(`drop trigger broken on ${table}`));
}
