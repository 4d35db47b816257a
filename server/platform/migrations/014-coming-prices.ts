import { type Kysely, type Migration, sql } from 'kysely';

/**
 * What was announced beside the price in force, and when: it comes to count while servers run, and whoever starts later must
 * know. Null of a model whose price was kept before this: then it was announced when `price_announcement` says.
 */
export const comingPrices: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table price_in_force add column coming text`.execute(db);
  },
};
