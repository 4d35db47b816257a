import type { CheckoutRequest, CurrentPlan, OffersAnswer, PaymentAnswer } from '../../../shared/credits.ts';
import { type Ids, iso } from '../../platform/clock.ts';
import type { Pack, Plan } from '../../platform/config/paymentConfig.ts';
import type { Reader } from '../../platform/db/database.ts';
import type { PaymentRow } from '../../platform/db/schema.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import { readBalance } from '../holds/balance.ts';
import { lockWallet } from '../journal/journal.ts';
import { readOwed } from '../journal/purchases.ts';
import { findPlan } from '../plans/plans.ts';
import { noteOf } from './checkoutNote.ts';
import { applyCheckout } from './crediting.ts';
import type { CreditingDeps } from './paymentNotes.ts';
import {
  checkoutsSince,
  claimAsking,
  createPayment,
  duePayments,
  findCustomer,
  findOwnPayment,
  findPayment,
  reversalsOf,
  updatePayment,
} from './payments.ts';
import { settleLeftover, syncPlan } from './planPayments.ts';

const HOUR_MS = 3_600_000;
/** Checkouts that an account may start in an hour. The payment service creates each, and limits their number. */
const PER_HOUR = 20;
/** How often the payment service is asked at most when a client polls. */
const CHECK_EVERY_MS = 1_000;
/**
 * If the answer that created a checkout never came, the page's address is unknown and the checkout can't be paid. At
 * Stripe it expires after a day.
 */
const LOST_MS = 25 * HOUR_MS;

export interface SaleDeps extends CreditingDeps {
  ids: Ids;
  /** The fingerprint of SECRET. */
  installation: string;
  policy: CreditingDeps['policy'] & { packs: readonly Pack[]; plans: readonly Plan[] };
}

/** What is sold, and what the account has of it. `isSold` is false, and the offer empty, if nothing is sold. */
export async function readOffers(
  db: Reader,
  policy: SaleDeps['policy'],
  isSold: boolean,
  accountId: string,
  now: number,
): Promise<OffersAnswer> {
  const ledgerId = await ownLedger(db, accountId);
  return {
    sold: isSold,
    currency: policy.currency,
    packs: isSold ? [...policy.packs] : [],
    plans: isSold ? [...policy.plans] : [],
    current: await readCurrent(db, policy, ledgerId, now),
    owedMicro: await readOwed(db, ledgerId),
  };
}

/** Starts a checkout: stores its row, then creates the page at the payment service that the browser goes to. */
export async function startCheckout(
  deps: SaleDeps,
  accountId: string,
  request: CheckoutRequest,
  home: string,
): Promise<{ checkoutId: string; url: string }> {
  const { db, clock, ids, stripe, policy } = deps;
  const offer = offerOf(policy, request);
  const payment = await db.write(async (tx) => {
    const at = clock.now();
    const ledgerId = await lockWallet(tx, accountId);
    // A given plan is replaced by a paid one.
    if (offer.plan !== null && (await findPlan(tx, ledgerId, at))?.payment_ref)
      throw new AppError(
        'plan_active',
        'You have a plan. Nothing was started. To take another plan, cancel this one first and wait for its end. You can buy packs at any time.',
      );
    const begun = await checkoutsSince(tx, ledgerId, at - HOUR_MS);
    if (begun.length >= PER_HOUR)
      throw new AppError(
        'rate_limited',
        `You have started ${PER_HOUR} payments in an hour. Finish one of them, or start another one later.`,
        { retryAt: iso(begun.at(-PER_HOUR)! + HOUR_MS) },
      );
    const customer = await findCustomer(tx, accountId);
    return createPayment(
      tx,
      { ...offer, id: ids.next(), ledger_id: ledgerId, currency: policy.currency, customer },
      at,
    );
  });
  const { sessionId, url } = await stripe.createCheckout(payment, home, noteOf(payment, deps.installation));
  if (url === null) throw new Error('stripe: a new checkout without its page');
  await db.write((tx) => updatePayment(tx, payment.id, { session_id: sessionId, url }));
  return { checkoutId: payment.id, url };
}

function offerOf({ packs, plans }: SaleDeps['policy'], request: CheckoutRequest) {
  const unknown = (what: string) =>
    new AppError('offer_unknown', `This ${what} is not on sale, or not any more. Look at the offers again.`);
  if ('pack' in request) {
    const pack = packs.find(({ id }) => id === request.pack);
    if (!pack) throw unknown('pack');
    const { id, name, cents, creditsMicro } = pack;
    return {
      pack: id,
      plan: null,
      interval: null,
      name,
      windows: null,
      amount_cents: cents,
      credits_micro: creditsMicro,
    };
  }
  const plan = plans.find(({ id }) => id === request.plan);
  if (!plan) throw unknown('plan');
  return {
    pack: null,
    plan: plan.id,
    interval: request.interval,
    name: plan.name,
    windows: JSON.stringify(plan.windows),
    amount_cents: request.interval === 'month' ? plan.monthCents : plan.yearCents,
    credits_micro: 0,
  };
}

/** Called on return from the page. Asks the payment service instead of waiting for its event, and returns the state. */
export async function checkPayment(
  deps: SaleDeps,
  accountId: string,
  id: string,
  home: string,
): Promise<PaymentAnswer> {
  const { db, clock } = deps;
  const payment = await findOwnPayment(db.read, accountId, id);
  if (!payment) throw notFound('payment');
  const waits = payment.state === 'open' || payment.state === 'processing';
  if (waits && (await db.write((tx) => claimAsking(tx, id, CHECK_EVERY_MS, clock.now()))))
    await ask(deps, payment, home);
  const row = (await findPayment(db.read, id))!;
  return {
    checkoutId: id,
    state: await stateOf(db.read, row),
    name: row.name,
    creditsMicro: row.credits_micro,
    ...(row.state === 'open' && row.url !== null ? { url: row.url } : {}),
    balance: await readBalance(db.read, accountId, null, clock.now()),
  };
}

/** `home` is set when a user asks, who may have to continue the checkout; null for the job. */
async function ask(deps: SaleDeps, payment: PaymentRow, home: string | null): Promise<void> {
  const { stripe, clock, db } = deps;
  if (payment.session_id !== null) {
    await applyCheckout(deps, payment, await stripe.readCheckout(payment.session_id), null);
  } else if (home !== null) {
    const note = noteOf(payment, deps.installation);
    await applyCheckout(deps, payment, await stripe.createCheckout(payment, home, note), null);
  } else if (clock.now() - payment.created_at > LOST_MS) {
    await db.write((tx) => updatePayment(tx, payment.id, { state: 'expired' }));
  }
}

export async function stateOf(db: Reader, row: PaymentRow): Promise<PaymentAnswer['state']> {
  if (row.state === 'surplus' || row.state === 'returned') return 'refunded';
  if (row.state !== 'paid' || row.pack === null) return row.state;
  const taken = (await reversalsOf(db, row.id)).filter((one) => one.state === 'taken');
  if (taken.some((one) => one.kind === 'dispute')) return 'disputed';
  return row.reversed_micro === row.credits_micro ? 'refunded' : 'paid';
}

/** Ends the account's plan with the paid period, or lets it renew after all. */
export async function setPlanCancelled(deps: SaleDeps, accountId: string, isCancelled: boolean): Promise<CurrentPlan> {
  const { db, stripe } = deps;
  const ledgerId = await ownLedger(db.read, accountId);
  const plan = await findActive(db.read, ledgerId);
  if (!plan) throw new AppError('no_plan', 'You have no plan to change. The offers show the plans on sale.');
  if (plan.payment_ref === null)
    throw new AppError('no_plan', 'Your plan was a gift: it costs nothing and ends by itself.');
  await stripe.setCancelled(plan.payment_ref, isCancelled);
  await syncPlan(deps, plan.payment_ref, null);
  const current = await readCurrent(db.read, deps.policy, ledgerId, deps.clock.now());
  if (!current) throw new AppError('no_plan', 'Your plan has ended. The offers show the plans on sale.');
  return current;
}

/**
 * For the job: stops the renewal of plans whose accounts their owners have closed, so that no more money is taken. If
 * the payment service fails, the job tries again at its next run.
 */
export async function stopRenewals(deps: SaleDeps, accountIds: readonly string[]): Promise<void> {
  for (const accountId of accountIds) {
    try {
      const plan = await findActive(deps.db.read, await ownLedger(deps.db.read, accountId));
      if (plan?.payment_ref && plan.is_cancelled === 0) await setPlanCancelled(deps, accountId, true);
    } catch (err) {
      deps.log.warn({ err, accountId }, 'the plan of an account that was closed still renews; tried again later');
    }
  }
}

/**
 * For the job: asks about all payments that wait, so that a payment is credited even if no event arrived and the user
 * did not return. A failure of one payment does not stop the others. Returns how many were asked about.
 */
export async function askAboutPayments(deps: SaleDeps): Promise<number> {
  const { db, clock, log } = deps;
  const due = await duePayments(db.read, clock.now());
  let asked = 0;
  for (const payment of due) {
    if (!(await db.write((tx) => claimAsking(tx, payment.id, CHECK_EVERY_MS, clock.now())))) continue;
    asked++;
    try {
      if (payment.paid_at === null) await ask(deps, payment, null);
      else if ((await findActive(db.read, payment.ledger_id))?.id === payment.id)
        await syncPlan(deps, payment.subscription_ref!, null);
      else await settleLeftover(deps, payment.id);
    } catch (error) {
      const cause = error instanceof AppError ? (error.cause ?? error) : error;
      log.warn({ paymentId: payment.id, err: cause }, 'the payment service was asked in vain; again later');
    }
  }
  return asked;
}

/** Also finds a plan whose payment is late and which therefore does not count. */
function findActive(db: Reader, ledgerId: string) {
  return db
    .selectFrom('subscription')
    .select(['id', 'payment_ref', 'is_cancelled'])
    .where('ledger_id', '=', ledgerId)
    .where('state', '=', 'active')
    .executeTakeFirst();
}

async function ownLedger(db: Reader, accountId: string): Promise<string> {
  const row = await db
    .selectFrom('wallet')
    .select('ledger_id')
    .where('account_id', '=', accountId)
    .where('is_own', '=', 1)
    .executeTakeFirst();
  if (!row) throw new AppError('unauthorized', 'This account has ended.');
  return row.ledger_id;
}

async function readCurrent(
  db: Reader,
  { plans }: SaleDeps['policy'],
  ledgerId: string,
  now: number,
): Promise<CurrentPlan | null> {
  const row = await db
    .selectFrom('subscription')
    .leftJoin('payment', 'payment.id', 'subscription.id')
    .select(['subscription.plan', 'subscription.interval', 'subscription.period_end', 'subscription.is_cancelled'])
    .select(['payment.name', 'payment.amount_cents', 'payment.currency', 'payment.url'])
    .where('subscription.ledger_id', '=', ledgerId)
    .where('subscription.state', '=', 'active')
    // A cancelled plan ends without an update of its row.
    .where((eb) => eb.or([eb('subscription.is_cancelled', '=', 0), eb('subscription.period_end', '>', now)]))
    .executeTakeFirst();
  if (!row) return null;
  return {
    plan: row.plan,
    name: row.name ?? plans.find(({ id }) => id === row.plan)?.name ?? row.plan,
    interval: row.interval,
    until: iso(row.period_end),
    renews: row.is_cancelled === 0,
    cents: row.amount_cents,
    currency: row.currency,
    ...(row.url === null ? {} : { payUrl: row.url }),
  };
}
