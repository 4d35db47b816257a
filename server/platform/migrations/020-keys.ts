import { type Kysely, type Migration, sql } from 'kysely';

/** API keys, and which key a hold and a line of the token log belong to. */
export const keys: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`create table api_key (
        id text primary key, account_id text not null references account(id) on delete cascade, name text not null,
        secret_hash text not null unique, hint text not null, models text, monthly_micro bigint check (monthly_micro > 0),
        expires_at bigint, created_at bigint not null, last_used_at bigint, revoked_at bigint)`,
      sql`create index api_key_account on api_key (account_id)`,
      sql`create index api_key_revoked on api_key (revoked_at) where revoked_at is not null`,

      // Keys make many small calls, so the sum of a month is kept, not computed for each.
      sql`create table key_month (
        key_id text not null, from_at bigint not null, to_at bigint not null, ledger_id text not null,
        micro bigint not null check (micro >= 0), primary key (key_id, from_at))`,
      sql`create index key_month_ledger on key_month (ledger_id)`,

      sql`alter table hold add column key_id text`,
      sql`alter table hold add column key_name text`,
      sql`create index hold_key on hold (key_id, created_at) where key_id is not null`,
      sql`alter table log_entry add column key_id text`,
      sql`alter table log_entry add column key_name text`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
