import { type Kysely, type Migration, sql } from 'kysely';

/** An answer may have ended at its length limit: it is complete, and can go on. */
export const cutShort: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table message add column cut_short bigint`.execute(db);
  },
};
