import { type Kysely, type Migration, sql } from 'kysely';

/** The name of a symbol that is attached to a message. */
export const symbols: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table attachment add column name text`.execute(db);
  },
};
