import type { Plan } from '../../platform/config/paymentConfig.ts';
import type { Reader } from '../../platform/db/database.ts';
import type { BackupFacts } from '../../platform/db/restoring.ts';
import type { PaymentRow } from '../../platform/db/schema.ts';
import { installationOf, readNote } from './checkoutNote.ts';
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
  /** Some of these name no installation, so they may be another server's. */
  mayBeOthers: boolean;
  /** Paid checkouts of other installations with a ledger of this database: its copies', or its own before SECRET changed. */
  ofCopies: string[];
}

export type SinceDeps = CreditingDeps & {
  policy: { plans: readonly Plan[] };
  /** The fingerprint of SECRET. */
  installation: string;
};
type Checkout = Awaited<ReturnType<StripeService['checkoutsSince']>>[number];

/**
 * Asks Stripe for all payments, refunds and disputes since a backup, and books those that are missing, by the same
 * functions as Stripe's events: running it again changes nothing. Checkouts of other installations than this one, now
 * and when the backup was made, are left alone. Throws `payment_service_failed` if Stripe does not answer; what was
 * booked until then stays.
 */
export async function applyPaidSince(
  deps: SinceDeps,
  { takenAt: since, secret }: Pick<BackupFacts, 'takenAt' | 'secret'>,
): Promise<PaidSince> {
  const { db, log, stripe } = deps;
  const before = await countOf(db.read);
  const unclaimed: string[] = [];
  const subscriptions: string[] = [];
  const ofCopies: string[] = [];
  let mayBeOthers = false;
  const seen = new Set<string>();
  // First update every known plan: a member may have bought another one only because the first had ended. If Stripe
  // does not answer, nothing else is decided.
  for (const { subscription_ref } of await livePlans(db.read)) await syncPlan(deps, subscription_ref!, null);
  // Oldest first, because the first of two plans counts.
  for (const checkout of (await stripe.checkoutsSince(since - CHECKOUT_MS)).reverse()) {
    if (checkout.paymentId === null) continue;
    seen.add(checkout.paymentId);
    const known = await findPayment(db.read, checkout.paymentId);
    const installation = installationOf(checkout.note);
    if (!known && installation !== null && ![deps.installation, secret].includes(installation)) {
      if (checkout.paymentStatus === 'paid' && (await namesLedger(deps, checkout))) ofCopies.push(checkout.sessionId);
      continue;
    }
    const payment = known ?? (await remake(deps, checkout));
    const outcome = payment && (await applyCheckout(deps, payment, checkout, null));
    if (checkout.paymentStatus !== 'paid') continue;
    const isLost = !payment || outcome === 'misfit' || (await findPayment(db.read, payment.id))?.state === 'unclaimed';
    if (!isLost) continue;
    mayBeOthers ||= installation === null && !payment;
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
  const [credited, reversed] = [after.paid - before.paid, after.reversed - before.reversed];
  return { credited, reversed, unclaimed, subscriptions, mayBeOthers, ofCopies };
}

/** The payment of a checkout that was begun after the backup, made from the checkout's note. */
async function remake({ db, policy }: SinceDeps, checkout: Checkout): Promise<PaymentRow | undefined> {
  if (checkout.status === 'expired') return undefined;
  const note = readNote(checkout.note, policy.plans);
  const { amountCents, currency } = checkout;
  if (!note || amountCents === null || amountCents < 1 || currency === null) return undefined;
  return db.write(async (tx) => {
    // Not here: the account was created after the backup, or the checkout is an old one of another server.
    if (!(await hasLedger(tx, note.ledger_id))) return undefined;
    const money = { amount_cents: amountCents, currency };
    return createPayment(tx, { ...note, ...money }, checkout.createdAt);
  });
}

async function namesLedger({ db, policy }: SinceDeps, { note }: Checkout): Promise<boolean> {
  const ledgerId = readNote(note, policy.plans)?.ledger_id;
  return ledgerId !== undefined && hasLedger(db.read, ledgerId);
}

async function hasLedger(db: Reader, ledgerId: string): Promise<boolean> {
  const row = await db
    .selectFrom('balance')
    .select('ledger_id')
    .where('ledger_id', '=', ledgerId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
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
