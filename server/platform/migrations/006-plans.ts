import { type Kysely, type Migration, sql } from 'kysely';

/** Plans. A hold stores its share of a plan beside its share of credits, and in `plan_use` for the windows. */
export const plans: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      // The table is rebuilt, because SQLite can't change a check.
      sql`create table new_hold (
        id text primary key, ledger_id text not null, run_id text not null unique,
        state text not null check (state in ('pending','posted','voided','expired')),
        amount bigint not null check (amount >= 0), plan bigint not null default 0 check (plan >= 0),
        promotional bigint not null check (promotional >= 0), purchased bigint not null check (purchased >= 0),
        posted_amount bigint not null default 0, created_at bigint not null, resolved_at bigint,
        check (plan + promotional + purchased = amount), check (posted_amount >= 0 and posted_amount <= amount),
        check (state = 'posted' or posted_amount = 0), check ((state = 'pending') = (resolved_at is null)))`,
      sql`insert into new_hold
        (id, ledger_id, run_id, state, amount, promotional, purchased, posted_amount, created_at, resolved_at)
        select id, ledger_id, run_id, state, amount, promotional, purchased, posted_amount, created_at, resolved_at
        from hold`,
      sql`drop table hold`,
      sql`alter table new_hold rename to hold`,
      sql`create index hold_open on hold (ledger_id) where state = 'pending'`,
      sql`create table plan_use (
        hold_id text primary key, ledger_id text not null, amount bigint not null check (amount >= 0),
        at bigint not null)`,
      sql`create index plan_use_window on plan_use (ledger_id, at)`,
      sql`create table subscription (
        id text primary key, ledger_id text not null, plan text not null, windows text not null,
        interval text not null check (interval in ('month','year')),
        state text not null check (state in ('active','ended')), period_start bigint not null,
        period_end bigint not null, is_cancelled bigint not null default 0, payment_ref text unique,
        created_at bigint not null, check (period_end > period_start))`,
      // One active plan per ledger, even after two purchases at the same instant.
      sql`create unique index subscription_active on subscription (ledger_id) where state = 'active'`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
