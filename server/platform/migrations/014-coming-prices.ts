import { type Kysely, type Migration, sql } from 'kysely';

/**
 * Announced price changes and when they were announced, stored beside the price in force. A change takes effect while
 * servers run, and a server that starts later must know it. Null for a model stored before this migration: then
 * `price_announcement` has the time.
 */
export const comingPrices: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table price_in_force add column coming text`.execute(db);
  },
};
