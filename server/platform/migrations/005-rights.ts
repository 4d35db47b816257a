import { type Kysely, type Migration, sql } from 'kysely';

/** What the account owner decides: whether to get mail that is not a notice, and when to close the account. */
export const rights: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`alter table account add column marketing bigint not null default 0`,
      sql`alter table account add column closed_at bigint`,
      sql`alter table account add column gone_at bigint`,
      sql`create index account_gone on account (gone_at) where gone_at is not null`,
      sql`create index account_idle_guest on account (last_active_at) where kind = 'guest'`,
      sql`create index account_merged on account (merged_into) where merged_into is not null`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
