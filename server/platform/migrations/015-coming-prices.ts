import { type Kysely, type Migration, sql } from 'kysely';

/** What was announced beside the price in force: it comes to count while servers run, and whoever starts later must know. */
export const comingPrices: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table price_in_force add column coming text not null default '[]'`.execute(db);
  },
};
