import { type Kysely, type Migration, sql } from 'kysely';

/** Prices in force and when each change was announced; and which notices were mailed to whom. */
export const notices: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`create table price_in_force (model text primary key, price text not null)`,
      // A price is identified by its hash: the announcement stays the same if the price moves to another day, or from
      // the changes to the list.
      sql`create table price_announcement (
        model text not null, price_hash text not null, announced_at bigint not null, counts_from bigint not null,
        primary key (model, price_hash))`,
      sql`create table notice_mail (
        account_id text not null references account(id) on delete cascade, notice_id text not null,
        claimed_at bigint not null, sent_at bigint, primary key (notice_id, account_id))`,
      sql`create index notice_mail_account on notice_mail (account_id)`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
