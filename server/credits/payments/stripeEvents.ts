import { z } from 'zod';
import { changed } from '../../platform/db/changes.ts';
import { lockLedger } from '../journal/purchases.ts';
import { endPlan } from '../plans/plans.ts';
import { applyCheckout, applyMoneyBack, type MoneyBack } from './crediting.ts';
import { type CreditingDeps, note, type Outcome, type Told } from './paymentNotes.ts';
import { findByIntent, findPayment, recordEvent, wasRecorded } from './payments.ts';
import { settleLeftover, syncPlan, tellOfPlan } from './planPayments.ts';
import type { CheckoutFacts } from './stripe.ts';
import { unreadable } from './stripe.ts';

// An event has the shape of the API version that the webhook was set up with at Stripe. So read only fields that have
// been the same for years, and ask Stripe for the rest.

const ref = z
  .union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)])
  .nullish()
  .transform((value) => value ?? null);

const CheckoutSchema = z.object({
  id: z.string(),
  metadata: z.record(z.string(), z.string()).nullish(),
  mode: z.string(),
  status: z.string().nullish(),
  payment_status: z.string(),
  amount_total: z.number().nullish(),
  currency: z.string().nullish(),
  payment_intent: ref,
  subscription: ref,
  customer: ref,
  url: z.string().nullish(),
});

const SubscriptionSchema = z.object({ id: z.string() });

const InvoiceSchema = z.object({
  /** The field's place before 2025. */
  subscription: ref,
  parent: z.object({ subscription_details: z.object({ subscription: ref }).nullish() }).nullish(),
});

const ChargeSchema = z.object({
  payment_intent: ref,
  amount: z.int(),
  amount_refunded: z.int(),
  currency: z.string(),
  metadata: z.record(z.string(), z.string()).nullish(),
});

const DisputeSchema = z.object({
  id: z.string(),
  amount: z.int().min(1),
  currency: z.string(),
  payment_intent: ref,
  status: z.string(),
});

function read<T>(schema: z.ZodType<T>, object: unknown): T {
  const parsed = schema.safeParse(object);
  if (!parsed.success) throw unreadable();
  return parsed.data;
}

/** Acts once on an event with a valid signature. An event that is not about our payments is only recorded. */
export async function applyEvent(
  deps: CreditingDeps,
  { id, type, object }: { id: string; type: string; object: unknown },
): Promise<Outcome> {
  const told = { id, type };
  if (await wasRecorded(deps.db.read, id)) return 'seen';
  if (type.startsWith('checkout.session.')) return checkoutEvent(deps, told, read(CheckoutSchema, object));
  if (type === 'invoice.paid' || type === 'invoice.payment_failed') {
    const invoice = read(InvoiceSchema, object);
    const subscription = invoice.parent?.subscription_details?.subscription ?? invoice.subscription;
    return subscription
      ? syncPlan(deps, subscription, told)
      : note(deps, told, 'foreign', 'an invoice of no subscription');
  }
  if (type === 'customer.subscription.updated' || type === 'customer.subscription.deleted')
    return syncPlan(deps, read(SubscriptionSchema, object).id, told);
  if (type === 'charge.refunded') {
    const charge = read(ChargeSchema, object);
    const back = {
      kind: 'refund' as const,
      cents: charge.amount_refunded,
      currency: charge.currency,
      state: 'taken' as const,
    };
    if (back.cents < 1) return note(deps, told, 'misfit', 'a refund of nothing');
    const isWhole = charge.amount_refunded >= charge.amount;
    return moneyBackEvent(deps, told, charge.payment_intent, back, isWhole);
  }
  if (type.startsWith('charge.dispute.')) {
    const { id: disputeId, amount, currency, payment_intent, status } = read(DisputeSchema, object);
    // An inquiry withholds no money, and neither did a prevented dispute.
    if (status.startsWith('warning_') || status === 'prevented') return note(deps, told, 'foreign', 'a mere inquiry');
    const state = status === 'won' ? ('returned' as const) : ('taken' as const);
    const back = { kind: 'dispute' as const, disputeId, cents: amount, currency, state };
    return moneyBackEvent(deps, told, payment_intent, back, state === 'taken');
  }
  // Rare: a bank reports it days later, and the event does not say which of several refunds failed. The operator
  // decides.
  if (type === 'refund.failed')
    return note(deps, told, 'misfit', 'a refund failed whose credits were taken back: grant them again by hand');
  // The webhook may be set up to send further events. None of them is about money.
  return 'nothing';
}

async function checkoutEvent(
  deps: CreditingDeps,
  told: Told,
  session: z.infer<typeof CheckoutSchema>,
): Promise<Outcome> {
  const facts: CheckoutFacts = {
    sessionId: session.id,
    paymentId: session.metadata?.perigee_payment ?? null,
    mode: session.mode,
    status: session.status ?? null,
    paymentStatus: session.payment_status,
    amountCents: session.amount_total ?? null,
    currency: session.currency ?? null,
    paymentIntent: session.payment_intent,
    subscriptionRef: session.subscription,
    customer: session.customer,
    url: session.url ?? null,
    hasFailed: told.type === 'checkout.session.async_payment_failed',
  };
  const payment = facts.paymentId === null ? undefined : await findPayment(deps.db.read, facts.paymentId);
  if (!payment) return note(deps, told, 'foreign', 'a checkout of nothing of ours');
  return applyCheckout(deps, payment, facts, told);
}

async function moneyBackEvent(
  deps: CreditingDeps,
  told: Told,
  paymentIntent: string | null,
  back: MoneyBack,
  isWhole: boolean,
): Promise<Outcome> {
  if (paymentIntent === null) return note(deps, told, 'foreign', 'money back of no payment of ours');
  const known = await findByIntent(deps.db.read, paymentIntent);
  if (known) return applyMoneyBack(deps, known, back, told);
  // Either the checkout's own event has not arrived yet, or it is a plan, whose invoices have their own payment
  // intents.
  const of = await deps.stripe.readIntent(paymentIntent);
  const payment = of.paymentId === null ? undefined : await findPayment(deps.db.read, of.paymentId);
  if (payment && payment.pack !== null) return applyMoneyBack(deps, payment, back, told);
  if (of.subscriptionRef !== null && isWhole) return planMoneyBack(deps, told, of.subscriptionRef, of.invoiceId, back);
  if (of.subscriptionRef !== null && back.state === 'returned') return planMoneyStays(deps, told, back.disputeId!);
  return note(deps, told, 'foreign', 'money back of no payment of ours, or of a part of a plan’s');
}

/** A plan's period was refunded in full or is disputed. If it is the current period, the plan ends at once. */
async function planMoneyBack(
  deps: CreditingDeps,
  told: Told,
  ref: string,
  invoiceId: string | null,
  { kind, cents, disputeId }: MoneyBack,
): Promise<Outcome> {
  const { db, clock, stripe } = deps;
  const facts = await stripe.readSubscription(ref);
  let payment = facts.paymentId === null ? undefined : await findPayment(db.read, facts.paymentId);
  if (payment && payment.paid_at === null) {
    // Events come in any order. Start the plan first; otherwise a later event would start it after this one, which acts
    // only once.
    await syncPlan(deps, ref, null, payment.id);
    payment = await findPayment(db.read, payment.id);
  }
  if (payment?.state !== 'paid' || facts.invoice?.id !== invoiceId)
    return note(deps, told, 'foreign', 'money back of a plan that has ended, or of a period before');
  const hasEnded = await db.write(async (tx) => {
    const at = clock.now();
    if (!(await recordEvent(tx, { ...told, payment_id: payment.id, outcome: 'done', at }))) return false;
    // Referrals must not count it as a payment.
    const reversal = { payment_id: payment.id, kind, cents, state: 'taken' as const, at };
    await tx
      .insertInto('payment_reversal')
      .values({ id: disputeId ?? `refund:${payment.id}:${invoiceId}`, ...reversal })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const accountId = await lockLedger(tx, payment.ledger_id);
    if (!(await endPlan(tx, payment.id))) return false;
    await tellOfPlan(tx, payment, 'back', `Your plan ${payment.name} has ended, for its payment went back`, at);
    if (accountId !== null) changed(tx, accountId, 'balance', accountId);
    return true;
  });
  if (hasEnded) await settleLeftover(deps, payment.id);
  return 'done';
}

/** A dispute about a plan was won: the payment counts again. The plan has ended and does not restart. */
async function planMoneyStays({ db, clock }: CreditingDeps, told: Told, disputeId: string): Promise<Outcome> {
  return db.write(async (tx) => {
    const row = await tx
      .updateTable('payment_reversal')
      .set({ state: 'returned' })
      .where('id', '=', disputeId)
      .returning('payment_id')
      .executeTakeFirst();
    const event = { ...told, payment_id: row?.payment_id ?? null, outcome: 'done' as const, at: clock.now() };
    return (await recordEvent(tx, event)) ? 'done' : 'seen';
  });
}
