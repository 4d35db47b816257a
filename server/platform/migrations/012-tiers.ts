import { type Kysely, type Migration, sql } from 'kysely';

/** The tier that a person gave, beside the one that applies: the latter follows what is bought, down as well as up. */
export const tiers: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`alter table account add column given_tier bigint not null default 0`,
      // Whoever has bought nothing has it from a person.
      sql`update account set given_tier = tier where tier > 0 and not exists (
        select 1 from payment join wallet on wallet.ledger_id = payment.ledger_id
        where wallet.account_id = account.id and payment.state = 'paid' and payment.pack is not null)`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
