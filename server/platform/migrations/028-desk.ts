import { type Kysely, type Migration, sql } from 'kysely';

/** Reviewers, what they decide about flagged accounts, and the appeals against it. */
export function desk(engine: 'sqlite' | 'postgres'): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const bytes = sql.raw(engine === 'postgres' ? 'bytea' : 'blob');
      const serial = sql.raw(
        engine === 'postgres' ? 'bigint generated always as identity primary key' : 'integer primary key autoincrement',
      );
      const statements = [
        sql`create table reviewer (
          account_id text primary key references account(id) on delete cascade, added_at bigint not null, ended_at bigint,
          setup_hash text, setup_until bigint, factor text, factor_at bigint, last_step bigint)`,
        sql`create table desk_session (
          session_id text primary key references session(id) on delete cascade,
          account_id text not null references account(id) on delete cascade, opened_at bigint not null,
          used_at bigint not null, by_code integer not null)`,
        // Decisions outlive the account, and who decided, without a name.
        sql`create table decision (
          id text primary key, flag_number bigint not null references risk_flag(number) on delete cascade,
          step integer not null, account_id text references account(id) on delete set null,
          kind text not null check (kind in ('nothing','ask','warn','reset','referrals','suspend','close')),
          why text, rule text not null, until_at bigint, delete_at bigint, taken_micro bigint,
          reviewer_id text references account(id) on delete set null, is_operators integer not null, at bigint not null,
          answer text, answered_at bigint, unique (flag_number, step))`,
        sql`create index decision_of_account on decision (account_id)`,
        sql`create index decision_to_delete on decision (delete_at) where delete_at is not null`,
        sql`create table appeal (
          decision_id text primary key references decision(id) on delete cascade,
          account_id text references account(id) on delete set null, at bigint not null, time text, use_case text,
          numbers_may_be_used integer not null, outcome text check (outcome in ('upheld','reversed')), decided_at bigint,
          reviewer_id text references account(id) on delete set null, is_operators integer not null, why text)`,
        sql`create index appeal_open on appeal (at) where outcome is null`,
        sql`create table appeal_picture (
          id text primary key, decision_id text not null references decision(id) on delete cascade,
          account_id text not null references account(id) on delete cascade, is_sent integer not null,
          width integer not null, height integer not null, bytes ${bytes} not null, at bigint not null)`,
        sql`create index appeal_picture_of_decision on appeal_picture (decision_id)`,
        sql`create index appeal_picture_waiting on appeal_picture (at) where is_sent = 0`,
        sql`create table second_look (
          flag_number bigint primary key references risk_flag(number) on delete cascade,
          reviewer_id text references account(id) on delete set null, kind text not null, why text not null,
          at bigint not null)`,
        // Who saw and did what at the desk.
        sql`create table desk_act (
          id ${serial}, at bigint not null, reviewer_id text references account(id) on delete set null,
          is_operators integer not null, act text not null, flag_number bigint, detail text)`,
        sql`create index desk_act_at on desk_act (at)`,
        sql`alter table referral_link add column revoked_at bigint`,
      ];
      for (const statement of statements) await statement.execute(db);
    },
  };
}
