import { type Kysely, type Migration, sql } from 'kysely';

/** An answer may end at its length limit. It then counts as complete and can be continued. */
export const cutShort: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table message add column cut_short bigint`.execute(db);
  },
};
