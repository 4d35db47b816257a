import { type Kysely, type Migration, sql } from 'kysely';

/** Payments: checkouts and their outcomes, the events of the payment service, and reversals. */
export const payments: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`create table payment (
        id text primary key, ledger_id text not null, pack text, plan text, interval text, name text not null,
        windows text, amount_cents bigint not null check (amount_cents > 0), currency text not null,
        credits_micro bigint not null check (credits_micro >= 0),
        state text not null
          check (state in ('open','processing','paid','failed','expired','unclaimed','surplus','returned')),
        session_id text unique, payment_intent text unique, subscription_ref text unique,
        is_live bigint not null default 0, url text, reversed_micro bigint not null default 0,
        version bigint not null default 0, created_at bigint not null, asked_at bigint not null, paid_at bigint,
        check ((pack is null) <> (plan is null)), check ((plan is null) = (interval is null)),
        check ((pack is null) = (credits_micro = 0)),
        check (reversed_micro >= 0 and reversed_micro <= credits_micro),
        check ((state in ('paid','unclaimed','surplus','returned')) = (paid_at is not null)))`,
      sql`create index payment_ledger on payment (ledger_id, created_at)`,
      sql`create index payment_waiting on payment (asked_at)
        where state in ('open','processing','surplus') or is_live = 1`,
      // Refunds and disputes of a payment, each recorded once at most.
      sql`create table payment_reversal (
        id text primary key, payment_id text not null references payment(id),
        kind text not null check (kind in ('refund','dispute')), cents bigint not null check (cents > 0),
        state text not null check (state in ('taken','returned')), at bigint not null)`,
      sql`create index payment_reversal_payment on payment_reversal (payment_id)`,
      // An event's row is inserted in the same transaction that acts on the event.
      sql`create table payment_event (
        id text primary key, type text not null, payment_id text, outcome text not null, at bigint not null)`,
      sql`create index payment_event_at on payment_event (at)`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
