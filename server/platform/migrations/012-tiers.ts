import { type Kysely, type Migration, sql } from 'kysely';

/** The tier that the operator gave, stored beside the tier in force: the latter also follows purchases, up and down. */
export const tiers: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`alter table account add column given_tier bigint not null default 0`,
      // An account that has bought nothing has its tier from the operator.
      sql`update account set given_tier = tier where tier > 0 and not exists (
        select 1 from payment join wallet on wallet.ledger_id = payment.ledger_id
        where wallet.account_id = account.id and payment.state = 'paid' and payment.pack is not null)`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
