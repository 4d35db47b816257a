import type { Plan } from '../../platform/config/paymentConfig.ts';
import type { Reader } from '../../platform/db/database.ts';
import type { PaymentRow } from '../../platform/db/schema.ts';
import { readNote } from './checkoutNote.ts';
import { applyCheckout } from './crediting.ts';
import type { CreditingDeps } from './paymentNotes.ts';
import { createPayment, findPayment } from './payments.ts';
import { syncPlan } from './planPayments.ts';
import type { StripeService } from './stripe.ts';
import { applyEvent } from './stripeEvents.ts';

const HOUR_MS = 3_600_000;
/** A checkout stays open for a day at Stripe. One more hour for clocks that differ. */
const CHECKOUT_MS = 25 * HOUR_MS;
/** A dispute from before the backup may be decided after it: banks take up to four months. */
const DISPUTE_MS = 180 * 24 * HOUR_MS;

/** Payments since `since` that an older database did not know of. */
export interface PaidSince {
  /** Credited packs and begun plans. */
  credited: number;
  /** Booked refunds and disputes. */
  reversed: number;
  /** Paid checkouts of packs that belong to no account: Stripe's ids. */
  unclaimed: string[];
  /** Subscriptions that belong to no account, and still charge: Stripe's ids. */
  subscriptions: string[];
}

export type SinceDeps = CreditingDeps & { policy: { plans: readonly Plan[] } };
type Checkout = Awaited<ReturnType<StripeService['checkoutsSince']>>[number];

/**
 * Asks Stripe for all payments, refunds and disputes since `since` (epoch ms), and books those that are missing, by the
 * same functions as Stripe's events: running it again changes nothing. Throws `payment_service_failed` if Stripe does
 * not answer; what was booked until then stays.
 */
export async function applyPaidSince(deps: SinceDeps, since: number): Promise<PaidSince> {
  const { db, log, stripe } = deps;
  const before = await countOf(db.read);
  const unclaimed: string[] = [];
  const subscriptions: string[] = [];
  const seen = new Set<string>();
  // First update every known plan: a member may have bought another one only because the first had ended. If Stripe
  // does not answer, nothing else is decided.
  for (const { subscription_ref } of await livePlans(db.read)) await syncPlan(deps, subscription_ref!, null);
  // Oldest first, because the first of two plans counts.
  for (const checkout of (await stripe.checkoutsSince(since - CHECKOUT_MS)).reverse()) {
    if (checkout.paymentId === null) continue;
    seen.add(checkout.paymentId);
    const payment = await findOrRemake(deps, checkout);
    const outcome = payment && (await applyCheckout(deps, payment, checkout, null));
    if (checkout.paymentStatus !== 'paid') continue;
    const isLost = !payment || outcome === 'misfit' || (await findPayment(db.read, payment.id))?.state === 'unclaimed';
    if (!isLost) continue;
    if (checkout.subscriptionRef === null) unclaimed.push(checkout.sessionId);
    else subscriptions.push(checkout.subscriptionRef);
  }
  // Payments with a slow method, from earlier checkouts.
  for (const payment of await waiting(db.read)) {
    if (seen.has(payment.id)) continue;
    try {
      await applyCheckout(deps, payment, await stripe.readCheckout(payment.session_id!), null);
    } catch (err) {
      // A payment that Stripe no longer knows does not stop the others. The job asks about it again.
      log.warn({ err, paymentId: payment.id }, 'a payment from before the backup could not be asked about');
    }
  }
  for (const charge of await stripe.refundedSince(since - CHECKOUT_MS)) {
    if (charge.amount_refunded < 1) continue;
    const id = `asked:${charge.id}:${charge.amount_refunded}`;
    await applyEvent(deps, { id, type: 'charge.refunded', object: charge });
  }
  for (const dispute of (await stripe.disputesSince(since - DISPUTE_MS)).reverse()) {
    const id = `asked:${dispute.id}:${dispute.status}`;
    await applyEvent(deps, { id, type: 'charge.dispute.updated', object: dispute });
  }
  const after = await countOf(db.read);
  return { credited: after.paid - before.paid, reversed: after.reversed - before.reversed, unclaimed, subscriptions };
}

/**
 * A checkout's payment: the row in the database, or one made from the checkout's note if it was begun after the backup.
 */
async function findOrRemake(deps: SinceDeps, checkout: Checkout): Promise<PaymentRow | undefined> {
  const { db, policy } = deps;
  const known = await findPayment(db.read, checkout.paymentId!);
  if (known || checkout.status === 'expired') return known;
  const note = readNote(checkout.note, policy.plans);
  const { amountCents, currency } = checkout;
  if (!note || amountCents === null || amountCents < 1 || currency === null) return undefined;
  return db.write(async (tx) => {
    // The checkout belongs to another server with its own books, or to an account created after the backup.
    const ledger = await tx
      .selectFrom('balance')
      .select('ledger_id')
      .where('ledger_id', '=', note.ledger_id)
      .executeTakeFirst();
    if (!ledger) return undefined;
    const money = { amount_cents: amountCents, currency };
    return createPayment(tx, { ...note, ...money }, checkout.createdAt);
  });
}

const livePlans = (db: Reader): Promise<PaymentRow[]> =>
  db
    .selectFrom('payment')
    .selectAll()
    .where('state', '=', 'paid')
    .where('is_live', '=', 1)
    .where('subscription_ref', 'is not', null)
    .orderBy('created_at')
    .execute();

const waiting = (db: Reader): Promise<PaymentRow[]> =>
  db
    .selectFrom('payment')
    .selectAll()
    .where('state', 'in', ['open', 'processing'])
    .where('session_id', 'is not', null)
    .orderBy('created_at')
    .execute();

async function countOf(db: Reader): Promise<{ paid: number; reversed: number }> {
  const count = (rows: { n: number | string }) => Number(rows.n);
  const paid = db.selectFrom('payment').where('state', '=', 'paid');
  const reversed = db.selectFrom('payment_reversal');
  return {
    paid: count(await paid.select((eb) => eb.fn.countAll<number | string>().as('n')).executeTakeFirstOrThrow()),
    reversed: count(await reversed.select((eb) => eb.fn.countAll<number | string>().as('n')).executeTakeFirstOrThrow()),
  };
}
