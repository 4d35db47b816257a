import { type Kysely, type Migration, sql } from 'kysely';

/**
 * What a ledger owes, cached beside what it has: whoever ends a hold has that row in hand, and pays the debt from what gets
 * free. The indexes by which debts were summed from the journal serve nobody any more.
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
