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
/** A checkout is open for a day at Stripe; an hour more for two clocks that differ. */
const CHECKOUT_MS = 25 * HOUR_MS;
/** A dispute that was begun before can be decided since: banks take up to four months. */
const DISPUTE_MS = 180 * 24 * HOUR_MS;

/** What a database that is older than `since` did not know of money. */
export interface PaidSince {
  /** Packs that were credited, and plans that began. */
  credited: number;
  /** Refunds and disputes that were booked. */
  reversed: number;
  /** Checkouts of packs that were paid and belong to no account: by Stripe's id. */
  unclaimed: string[];
  /** Subscriptions that belong to no account, and go on charging: by Stripe's id. */
  subscriptions: string[];
}

export type SinceDeps = CreditingDeps & { policy: { plans: readonly Plan[] } };
type Checkout = Awaited<ReturnType<StripeService['checkoutsSince']>>[number];

/**
 * Asks Stripe for all that was paid, refunded and disputed since `since` (epoch ms), and credits or takes back what isn't
 * yet, by the ways of the events that told it the first time: doing so again changes nothing. Throws
 * `payment_service_failed` where Stripe gives no answer; what was credited until then stays.
 */
export async function applyPaidSince(deps: SinceDeps, since: number): Promise<PaidSince> {
  const { db, log, stripe } = deps;
  const before = await countOf(db.read);
  const unclaimed: string[] = [];
  const subscriptions: string[] = [];
  const seen = new Set<string>();
  // First what became of every plan: a member who bought another one since may do so only because it has ended. Where Stripe
  // does not say, nothing else is decided.
  for (const { subscription_ref } of await livePlans(db.read)) await syncPlan(deps, subscription_ref!, null);
  // Oldest first: the first of two plans counts.
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
  // Slow payments of checkouts before.
  for (const payment of await waiting(db.read)) {
    if (seen.has(payment.id)) continue;
    try {
      await applyCheckout(deps, payment, await stripe.readCheckout(payment.session_id!), null);
    } catch (err) {
      // One that Stripe doesn't know any more keeps none of the others; the job asks about it again.
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

/** The payment that a checkout is of: as it stands here, or as its note says if it was begun after the backup. */
async function findOrRemake(deps: SinceDeps, checkout: Checkout): Promise<PaymentRow | undefined> {
  const { db, policy } = deps;
  const known = await findPayment(db.read, checkout.paymentId!);
  if (known || checkout.status === 'expired') return known;
  const note = readNote(checkout.note, policy.plans);
  const { amountCents, currency } = checkout;
  if (!note || amountCents === null || amountCents < 1 || currency === null) return undefined;
  return db.write(async (tx) => {
    // Another server's, with books of its own, or of an account that was made since.
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
