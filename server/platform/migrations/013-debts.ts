import { type Kysely, type Migration, sql } from 'kysely';

/**
 * Caches a ledger's debt beside its balance: ending a hold reads that row anyway, and pays the debt from the freed
 * credits. The indexes that summed debts from the journal are no longer needed.
 */
export const debts: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`alter table balance add column owed bigint not null default 0 check (owed >= 0)`,
      sql`update balance set owed =
          coalesce((select sum(amount) from transfer where kind = 'debt' and debit = 'debt:' || ledger_id), 0)
          - coalesce((select sum(amount) from transfer
              where kind in ('repayment', 'forgiven') and credit = 'debt:' || ledger_id), 0)
        where kind = 'purchased'`,
      sql`drop index transfer_lent`,
      sql`drop index transfer_repaid`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
