import { type Kysely, type Migration, sql } from 'kysely';

/** A run may repair an edit. An edit is repaired once at most; a failed repair does not count. */
export const repairs: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table run add column repairs text`.execute(db);
    await sql`create unique index run_repairs on run (repairs)
      where repairs is not null and state in ('running','complete','stopped')`.execute(db);
  },
};
