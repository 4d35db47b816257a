import { type SqlBool, sql } from 'kysely';
import { iso } from '../../platform/clock.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { PaymentEventRow, PaymentReversalRow, PaymentRow, PaymentTable } from '../../platform/db/schema.ts';
import { TABLES } from '../../platform/db/tables.ts';

// The payment rows: what was ordered, and what is known about its payment.

type NewPayment = Pick<
  PaymentTable,
  'id' | 'ledger_id' | 'pack' | 'plan' | 'interval' | 'name' | 'windows' | 'amount_cents' | 'currency' | 'credits_micro'
> & { customer?: string | null };

/** Stores a checkout before it is created at the payment service. */
export async function createPayment(tx: Tx, payment: NewPayment, at: number): Promise<PaymentRow> {
  const none = {
    session_id: null,
    payment_intent: null,
    subscription_ref: null,
    customer: null,
    url: null,
    paid_at: null,
  };
  return tx
    .insertInto('payment')
    .values({ ...none, ...payment, state: 'open', created_at: at, asked_at: 0 })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function findPayment(db: Reader, id: string): Promise<PaymentRow | undefined> {
  return db.selectFrom('payment').selectAll().where('id', '=', id).executeTakeFirst();
}

export function findBySubscription(db: Reader, ref: string): Promise<PaymentRow | undefined> {
  return db.selectFrom('payment').selectAll().where('subscription_ref', '=', ref).executeTakeFirst();
}

export function findByIntent(db: Reader, paymentIntent: string): Promise<PaymentRow | undefined> {
  return db.selectFrom('payment').selectAll().where('payment_intent', '=', paymentIntent).executeTakeFirst();
}

const ofAccount = (db: Reader, accountId: string) =>
  db
    .selectFrom('payment')
    .innerJoin('wallet', 'wallet.ledger_id', 'payment.ledger_id')
    .where('wallet.account_id', '=', accountId);

/** A payment of this account; undefined for ids of other accounts and ids that don't exist. */
export function findOwnPayment(db: Reader, accountId: string, id: string): Promise<PaymentRow | undefined> {
  return ofAccount(db, accountId).selectAll('payment').where('payment.id', '=', id).executeTakeFirst();
}

/**
 * The account's customer id at the payment service: of the plan that renews, else of the newest payment. It is never
 * another account's customer.
 */
export async function findCustomer(db: Reader, accountId: string): Promise<string | null> {
  const row = await ofAccount(db, accountId)
    .select('payment.customer')
    .where('payment.customer', 'is not', null)
    .orderBy('payment.is_live', 'desc')
    .orderBy('payment.created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.customer ?? null;
}

/** What the account has paid for, newest first. */
export function paidBy(db: Reader, accountId: string, limit: number): Promise<PaymentRow[]> {
  return ofAccount(db, accountId)
    .selectAll('payment')
    .where('payment.paid_at', 'is not', null)
    .orderBy('payment.paid_at', 'desc')
    .orderBy('payment.id', 'desc')
    .limit(limit)
    .execute();
}

/** When the account's checkouts after `since` were started, oldest first. */
export async function checkoutsSince(db: Reader, ledgerId: string, since: number): Promise<number[]> {
  const rows = await db
    .selectFrom('payment')
    .select('created_at')
    .where('ledger_id', '=', ledgerId)
    .where('created_at', '>', since)
    .orderBy('created_at')
    .execute();
  return rows.map((row) => row.created_at);
}

/** Locks and returns the payment, so that other updates of it wait. A no-op update: it works on both engines. */
export function lockPayment(tx: Tx, id: string): Promise<PaymentRow> {
  return tx
    .updateTable('payment')
    .set((eb) => ({ version: eb.ref('version') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Like `lockPayment`, but undefined if the payment was changed after it was read as `seen`. */
export function lockUnchanged(tx: Tx, seen: PaymentRow): Promise<PaymentRow | undefined> {
  return tx
    .updateTable('payment')
    .set({ version: seen.version + 1 })
    .where('id', '=', seen.id)
    .where('version', '=', seen.version)
    .returningAll()
    .executeTakeFirst();
}

export async function updatePayment(
  tx: Tx,
  id: string,
  columns: Partial<
    Pick<
      PaymentRow,
      | 'state'
      | 'session_id'
      | 'payment_intent'
      | 'subscription_ref'
      | 'customer'
      | 'is_live'
      | 'url'
      | 'reversed_micro'
      | 'paid_at'
    >
  >,
): Promise<void> {
  await tx.updateTable('payment').set(columns).where('id', '=', id).execute();
}

/**
 * The total paid for packs in this currency, less what went back, in cents. A payment that was refunded and disputed is
 * subtracted once.
 */
export async function boughtCents(db: Reader, ledgerId: string, currency: string): Promise<number> {
  const packs = await db
    .selectFrom('payment')
    .select('amount_cents')
    .select((eb) =>
      eb
        .selectFrom('payment_reversal')
        .select((sum) => sum.fn.sum<number | string | null>('cents').as('cents'))
        .whereRef('payment_id', '=', 'payment.id')
        .where('state', '=', 'taken')
        .as('back'),
    )
    .where('ledger_id', '=', ledgerId)
    .where('currency', '=', currency)
    .where('state', '=', 'paid')
    .where('pack', 'is not', null)
    .execute();
  return packs.reduce((sum, { amount_cents, back }) => sum + Math.max(0, amount_cents - Number(back ?? 0)), 0);
}

export function reversalsOf(db: Reader, paymentId: string): Promise<PaymentReversalRow[]> {
  return db
    .selectFrom('payment_reversal')
    .selectAll()
    .where('payment_id', '=', paymentId)
    .orderBy('at')
    .orderBy('id')
    .execute();
}

/** Records an event. False if it was recorded before: then the caller must not act on it. */
export async function recordEvent(tx: Tx, event: PaymentEventRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('payment_event')
    .values(event)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function wasRecorded(db: Reader, eventId: string): Promise<boolean> {
  const row = await db.selectFrom('payment_event').select('id').where('id', '=', eventId).executeTakeFirst();
  return row !== undefined;
}

/** The account's payments, oldest first, and their reversals, as in its export. */
export async function paymentsOf(db: Reader, accountId: string) {
  const rows = await ofAccount(db, accountId)
    .selectAll('payment')
    .orderBy('payment.created_at')
    .orderBy('payment.id')
    .execute();
  const ids = rows.map(({ id }) => id);
  const back =
    ids.length > 0 ? await db.selectFrom('payment_reversal').selectAll().where('payment_id', 'in', ids).execute() : [];
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    state: row.state,
    amount: row.amount_cents,
    currency: row.currency,
    creditsMicro: row.credits_micro,
    createdAt: iso(row.created_at),
    paidAt: row.paid_at === null ? null : iso(row.paid_at),
    reversals: back
      .filter((reversal) => reversal.payment_id === row.id)
      .map(({ kind, cents, state, at }) => ({ kind, state, amount: cents, at: iso(at) })),
  }));
}

/** Keeps events longer than payment services retry them. */
export async function purgePaymentEvents(tx: Tx, now: number): Promise<void> {
  await tx
    .deleteFrom('payment_event')
    .where('at', '<', now - TABLES.payment_event.over)
    .execute();
}

const FIRST_AFTER_MS = 60_000;
const AT_MOST_EVERY_MS = 45_000;
const AT_ONCE = 50;

/**
 * Payments to ask the payment service about, because an event may be missing: open ones, a minute after their start and
 * then ever more rarely; plans whose period is over; paid subscriptions without a plan, and surplus payments. A clock
 * that was set back delays none.
 */
export function duePayments(db: Reader, now: number): Promise<PaymentRow[]> {
  return db
    .selectFrom('payment')
    .leftJoin('subscription', (join) =>
      join.onRef('subscription.id', '=', 'payment.id').on('subscription.state', '=', 'active'),
    )
    .selectAll('payment')
    .where((eb) =>
      eb.or([
        eb.and([
          eb('payment.state', 'in', ['open', 'processing']),
          eb.or([eb('payment.created_at', '<=', now - FIRST_AFTER_MS), eb('payment.created_at', '>', now)]),
          // A new payment is asked about more often.
          sql<SqlBool>`(${now} - payment.asked_at) * 10 >= ${now} - payment.created_at`,
        ]),
        eb('payment.state', '=', 'surplus'),
        eb.and([
          eb('payment.is_live', '=', 1),
          eb.or([eb('subscription.id', 'is', null), eb('subscription.period_end', '<=', now)]),
        ]),
      ]),
    )
    .where((eb) => eb.or([eb('payment.asked_at', '<=', now - AT_MOST_EVERY_MS), eb('payment.asked_at', '>', now)]))
    .orderBy('payment.asked_at')
    .limit(AT_ONCE)
    .execute();
}

/** Lets one node ask, at most every `everyMs`. False: another node asks, or has just asked. */
export async function claimAsking(tx: Tx, id: string, everyMs: number, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('payment')
    .set({ asked_at: now })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('asked_at', '<=', now - everyMs), eb('asked_at', '>', now)]))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
