import { type Kysely, type Migration, sql } from 'kysely';

/**
 * The journal is read whole, by its holds, or for what is rare in it: an index of every transfer's two accounts cost each
 * charge two writes more, for the few that are about debts. What is no charge has indexes that a charge doesn't touch.
 */
export const books: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`drop index transfer_debit`,
      sql`drop index transfer_credit`,
      sql`create index transfer_lent on transfer (debit) where kind = 'debt'`,
      sql`create index transfer_repaid on transfer (credit) where kind in ('repayment', 'forgiven')`,
      sql`create index transfer_rare on transfer (kind, request_id) where kind <> 'charge'`,
      sql`create index log_entry_absorbed on log_entry (run_id) where absorbed > 0`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
