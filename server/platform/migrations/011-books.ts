import { type Kysely, type Migration, sql } from 'kysely';

/**
 * The journal is read as a whole, by hold, or for its rare kinds. Indexes on both accounts of every transfer cost each
 * charge two more writes, and only the few transfers about debts used them. These indexes leave charges out.
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
