import { moneyText } from '../../../shared/money/money.ts';
import { iso } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { PaymentRow } from '../../platform/db/schema.ts';
import { postedOf, readFunds, writeLog } from '../journal/journal.ts';
import { lockLedger } from '../journal/purchases.ts';
import { cancelPlan, endPlan, renewPlan, startPlan } from '../plans/plans.ts';
import type { PlanWindow } from '../rules/planWindows.ts';
import { type CreditingDeps, note, type Outcome, type Told } from './paymentNotes.ts';
import {
  findBySubscription,
  findPayment,
  lockPayment,
  lockUnchanged,
  recordEvent,
  updatePayment,
  wasRecorded,
} from './payments.ts';
import type { SubscriptionFacts } from './stripe.ts';

/** Each retry means that another update came first, and a plan has only a few events at a time. */
const TRIES = 12;
/** Stripe charges nothing more in these states. */
const GONE = new Set(['canceled', 'incomplete_expired']);
/** No more is paid in these states. An unpaid subscription is ended at Stripe: a late payment would buy nothing. */
const OVER = new Set([...GONE, 'unpaid']);

/**
 * Updates a plan to its subscription's current state at the payment service. Events only say that something may have
 * changed, so their order and number don't matter. `paymentId` is set if a checkout reported the subscription.
 */
export async function syncPlan(
  deps: CreditingDeps,
  ref: string,
  told: Told | null,
  paymentId: string | null = null,
): Promise<Outcome> {
  const { db, log } = deps;
  for (let tries = 0; tries < TRIES; tries++) {
    if (told && (await wasRecorded(db.read, told.id))) return 'seen';
    let payment = await findBySubscription(db.read, ref);
    if (!payment && paymentId !== null) payment = await findPayment(db.read, paymentId);
    const facts = await deps.stripe.readSubscription(ref);
    if (!payment && facts.paymentId !== null) payment = await findPayment(db.read, facts.paymentId);
    if (!payment || payment.plan === null) return note(deps, told, 'foreign', 'a subscription to nothing of ours');
    const misfit = subscriptionMisfit(payment, facts);
    if (misfit) return note(deps, told, 'misfit', misfit);
    const seen = payment;
    // A second plan is cancelled and refunded, which nobody can undo: only once Stripe says that the first one goes on.
    const other = payment.paid_at === null && facts.invoice?.isPaid ? await findOther(db.read, payment) : undefined;
    if (other) await syncPlan(deps, other, null);
    const outcome = await db.write((tx) => apply(tx, deps, seen, facts, told));
    // Another update came first, and the facts read may be older than it.
    if (outcome === 'changed') continue;
    if (outcome === 'surplus')
      await settleLeftover(deps, payment.id).catch((err) => log.warn({ err }, 'tried again later'));
    if (outcome === 'unclaimed')
      log.error({ paymentId: payment.id }, 'a plan was paid for an account that was deleted: it is ended, refund it');
    return outcome;
  }
  throw new Error('credits: a plan changes faster than it can be read');
}

/** The subscription of the ledger's active plan, if it is paid for by another payment. */
async function findOther(db: Reader, payment: PaymentRow): Promise<string | undefined> {
  const row = await db
    .selectFrom('subscription')
    .select('payment_ref')
    .where('ledger_id', '=', payment.ledger_id)
    .where('state', '=', 'active')
    .where('id', '<>', payment.id)
    .executeTakeFirst();
  return row?.payment_ref ?? undefined;
}

function subscriptionMisfit(payment: PaymentRow, facts: SubscriptionFacts): string | null {
  if (facts.paymentId !== payment.id) return 'the subscription names another payment';
  if (payment.subscription_ref !== null && payment.subscription_ref !== facts.ref) return 'another subscription of it';
  if (facts.amountCents !== payment.amount_cents) return 'the price differs';
  if (facts.currency !== payment.currency) return 'the currency differs';
  if (facts.interval !== payment.interval) return 'the interval differs';
  if (facts.invoice && facts.invoice.currency !== payment.currency) return 'the currency of an invoice differs';
  if (facts.invoice?.isPaid && facts.invoice.subtotalCents !== payment.amount_cents) return 'the amount differs';
  return null;
}

async function apply(
  tx: Tx,
  deps: CreditingDeps,
  seen: PaymentRow,
  facts: SubscriptionFacts,
  told: Told | null,
): Promise<Outcome | 'changed'> {
  const at = deps.clock.now();
  const row = await lockUnchanged(tx, seen);
  if (!row) return 'changed';
  if (told && !(await recordEvent(tx, { ...told, payment_id: row.id, outcome: 'done', at }))) return 'seen';
  const isOver = OVER.has(facts.status);
  const isPaid = facts.invoice?.isPaid === true && !isOver;
  const isLate = facts.status === 'past_due' && facts.invoice !== null && !facts.invoice.isPaid;
  await updatePayment(tx, row.id, {
    subscription_ref: facts.ref,
    customer: facts.customer,
    is_live: GONE.has(facts.status) ? 0 : 1,
    url: isLate ? facts.invoice!.url : row.paid_at === null && !isPaid && !isOver ? row.url : null,
  });
  const accountId = await lockLedger(tx, row.ledger_id);
  if (accountId !== null) changed(tx, accountId, 'balance', accountId);
  if (row.paid_at === null) {
    if (isPaid) return begin(tx, row, facts, accountId, at);
    if (isOver) await updatePayment(tx, row.id, { state: 'failed' });
    else if (row.state === 'open') await updatePayment(tx, row.id, { state: 'processing' });
    return 'done';
  }
  if (row.state !== 'paid' || accountId === null) return 'nothing';
  if (isOver) {
    if (await endPlan(tx, row.id)) await tellOfPlan(tx, row, 'over', `Your plan ${row.name} has ended`, at);
    return 'done';
  }
  if (isPaid) await renew(tx, row, facts, at);
  if (isLate)
    await tellOfPlan(
      tx,
      row,
      `late:${facts.invoice!.id}`,
      `Your plan ${row.name} could not be renewed: its payment failed`,
      at,
    );
  await cancelPlan(tx, row.id, facts.isCancelled);
  return 'done';
}

const periodOf = (row: PaymentRow, facts: SubscriptionFacts) => ({
  plan: row.plan!,
  windows: JSON.parse(row.windows!) as PlanWindow[],
  interval: row.interval!,
  from: facts.from,
  to: facts.to,
});

async function begin(
  tx: Tx,
  row: PaymentRow,
  facts: SubscriptionFacts,
  accountId: string | null,
  at: number,
): Promise<Outcome> {
  if (accountId === null) {
    await updatePayment(tx, row.id, { state: 'unclaimed', paid_at: at });
    return 'unclaimed';
  }
  // A paid period counts at once, even if this machine's clock is behind.
  const period = { ...periodOf(row, facts), from: Math.min(facts.from, at) };
  const hasStarted = await startPlan(tx, { ...period, id: row.id, accountId, paymentRef: facts.ref, at });
  await updatePayment(tx, row.id, { state: hasStarted ? 'paid' : 'surplus', paid_at: at });
  if (!hasStarted) return 'surplus';
  if (facts.isCancelled) await cancelPlan(tx, row.id, true);
  await tellOfPlan(tx, row, 'begun', `Your plan ${row.name} has begun, paid for until ${day(facts.to)}`, at);
  return 'done';
}

async function renew(tx: Tx, row: PaymentRow, facts: SubscriptionFacts, at: number): Promise<void> {
  const before = await tx.selectFrom('subscription').select('period_end').where('id', '=', row.id).executeTakeFirst();
  const isRenewed = await renewPlan(tx, row.id, periodOf(row, facts));
  if (isRenewed && before && before.period_end < facts.to)
    await tellOfPlan(
      tx,
      row,
      `until:${facts.to}`,
      `Your plan ${row.name} was renewed, paid for until ${day(facts.to)}`,
      at,
    );
}

/**
 * Ends a subscription that gives nothing: a second plan (its money is refunded, too), one whose account is gone, or one
 * whose plan was ended here. Throws if the payment service doesn't answer; the job then tries again.
 */
export async function settleLeftover({ db, clock, log, stripe }: CreditingDeps, paymentId: string): Promise<void> {
  const payment = await findPayment(db.read, paymentId);
  if (!payment?.subscription_ref) return;
  const ref = payment.subscription_ref;
  const facts = await stripe.readSubscription(ref);
  // End it before the refund, or the next period would charge again.
  if (!GONE.has(facts.status)) await stripe.endSubscription(ref);
  const isSurplus = payment.state === 'surplus';
  const hasGoneBack = isSurplus && facts.invoice !== null && (await stripe.refundInvoice(facts.invoice.id));
  await db.write(async (tx) => {
    const row = await lockPayment(tx, paymentId);
    await updatePayment(tx, paymentId, { is_live: 0, ...(row.state === 'surplus' ? { state: 'returned' } : {}) });
    if (row.state !== 'surplus') return;
    const money = moneyText(row.amount_cents, row.currency);
    const what = 'A second plan was paid for while you had one: it was cancelled';
    const reason = hasGoneBack
      ? `${what}, and ${money} go back to you`
      : `${what}. What was paid for it is given back by hand: ask whoever runs this server`;
    await tellOfPlan(tx, row, 'surplus', reason, clock.now());
  });
  if (isSurplus && !hasGoneBack)
    log.error({ paymentId }, 'a second plan was cancelled, and its money could not be given back: refund it by hand');
  log.info({ paymentId, state: payment.state }, 'a plan that nobody has was ended at the payment service');
}

/** Writes a line about a plan to the token log, once. It moves no credits. */
export async function tellOfPlan(tx: Tx, row: PaymentRow, what: string, reason: string, at: number): Promise<void> {
  const id = `plan:${row.id}:${what}`;
  const before = await tx.selectFrom('log_entry').select('id').where('id', '=', id).executeTakeFirst();
  if (before) return;
  const balance = postedOf(await readFunds(tx, row.ledger_id));
  await writeLog(tx, row.ledger_id, { id, kind: 'plan', amount: 0, balance, reason: `${reason}.`, at });
}

const day = (ms: number) => iso(ms).slice(0, 10);
