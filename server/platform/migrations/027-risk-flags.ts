import { type Kysely, type Migration, sql } from 'kysely';

/** What was judged of an account's use, what its owner has declared about it, and the flags that a person looks at. */
export const riskFlags: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`create table risk_standing (
        account_id text primary key references account(id) on delete cascade, since bigint not null,
        judge_at bigint not null, judged_at bigint, persons_since bigint, advice text)`,
      sql`create index risk_standing_due on risk_standing (judge_at)`,
      sql`create table risk_context (
        account_id text primary key references account(id) on delete cascade, own_gateway integer not null,
        several_machines integer not null, automation_keys text not null, is_team integer not null)`,
      // A flag outlives its account without a name.
      sql`create table risk_flag (
        number bigint primary key, account_id text references account(id) on delete set null,
        kind text not null check (kind in ('sharing','not_enough','referrals','operator')), dossier text not null,
        opened_at bigint not null, ended_at bigint)`,
      sql`create unique index risk_flag_open on risk_flag (account_id, kind) where ended_at is null`,
      sql`create index risk_flag_ended on risk_flag (ended_at) where ended_at is not null`,
      sql`create table risk_pause (name text primary key, since bigint not null, why text not null)`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
