import { moneyText } from '../../../shared/money/money.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { PaymentRow } from '../../platform/db/schema.ts';
import { lockLedger, purchase, returnPurchase, reversePurchase } from '../journal/purchases.ts';
import { reversedMicro, tierReached } from '../rules/paymentRules.ts';
import { type CreditingDeps, note, type Outcome, type Told } from './paymentNotes.ts';
import { boughtCents, lockPayment, recordEvent, reversalsOf, updatePayment } from './payments.ts';
import { syncPlan } from './planPayments.ts';
import type { CheckoutFacts } from './stripe.ts';

/**
 * Applies the payment service's facts about a checkout: from an event, on return from its page, or because the job
 * asked. The first of these credits it; the others find it credited. Everything is verified against our own row.
 */
export async function applyCheckout(
  deps: CreditingDeps,
  payment: PaymentRow,
  facts: CheckoutFacts,
  told: Told | null,
): Promise<Outcome> {
  const misfit = checkoutMisfit(payment, facts);
  if (misfit) return note(deps, told, 'misfit', misfit);
  if (payment.plan !== null && facts.subscriptionRef !== null)
    return syncPlan(deps, facts.subscriptionRef, told, payment.id);
  const { db, clock, log } = deps;
  const outcome = await db.write(async (tx): Promise<Outcome> => {
    const at = clock.now();
    if (told && !(await recordEvent(tx, { ...told, payment_id: payment.id, outcome: 'done', at }))) return 'seen';
    const row = await lockPayment(tx, payment.id);
    await updatePayment(tx, row.id, {
      session_id: facts.sessionId,
      payment_intent: facts.paymentIntent ?? row.payment_intent,
      customer: facts.customer ?? row.customer,
      url: facts.status === 'open' ? (facts.url ?? row.url) : null,
    });
    if (row.paid_at !== null) return 'nothing';
    // A payment counts whatever state was stored before: events come in any order.
    if (facts.paymentStatus === 'paid') return creditPack(tx, deps, row, at);
    const waits = row.state === 'open' || row.state === 'processing';
    if (facts.status === 'expired' && row.state === 'open') await updatePayment(tx, row.id, { state: 'expired' });
    else if (facts.hasFailed && waits) await updatePayment(tx, row.id, { state: 'failed' });
    else if (facts.status === 'complete' && row.state === 'open')
      await updatePayment(tx, row.id, { state: 'processing' });
    else return 'nothing';
    return 'done';
  });
  if (outcome === 'unclaimed')
    log.error(
      { paymentId: payment.id },
      'a payment came for an account that was deleted: nothing is credited, refund it',
    );
  return outcome;
}

/** Why a checkout does not match our payment; null if it matches. */
function checkoutMisfit(payment: PaymentRow, facts: CheckoutFacts): string | null {
  if (facts.paymentId !== payment.id) return 'the checkout names another payment';
  if (payment.session_id !== null && facts.sessionId !== payment.session_id) return 'another checkout of this payment';
  if (facts.mode !== (payment.plan === null ? 'payment' : 'subscription')) return 'the mode differs';
  if (facts.amountCents !== payment.amount_cents) return 'the amount differs';
  if (facts.currency !== payment.currency) return 'the currency differs';
  if (payment.plan !== null && facts.paymentStatus === 'paid' && facts.subscriptionRef === null)
    return 'a plan without its subscription';
  return null;
}

async function creditPack(tx: Tx, deps: CreditingDeps, row: PaymentRow, at: number): Promise<Outcome> {
  const accountId = await lockLedger(tx, row.ledger_id);
  const state = accountId === null ? 'unclaimed' : 'paid';
  await updatePayment(tx, row.id, { state, paid_at: at });
  if (accountId === null) return 'unclaimed';
  const reason = `Bought for ${moneyText(row.amount_cents, row.currency)}: ${row.name}`;
  await purchase(tx, {
    ledgerId: row.ledger_id,
    cause: row.id,
    amountMicro: row.credits_micro,
    reason,
    at,
  });
  // A refund or dispute may have arrived before the payment.
  const latest = (await reversalsOf(tx, row.id)).at(-1);
  if (latest) await reverseTo(tx, { ...row, state }, latest, at);
  await updateTier(tx, deps, row, accountId);
  changed(tx, accountId, 'balance', accountId);
  return 'done';
}

/** Purchases in another currency than today's change no tier, because the list of tiers is in today's currency. */
async function updateTier(tx: Tx, { policy, followBought }: CreditingDeps, row: PaymentRow, accountId: string) {
  if (row.currency !== policy.currency) return;
  await followBought(tx, accountId, tierReached(await boughtCents(tx, row.ledger_id, row.currency), policy.tierCents));
}

/** Money of a pack that was refunded, or withheld by the payer's bank. `returned`: the bank gave it back to us. */
export interface MoneyBack {
  kind: 'refund' | 'dispute';
  /** The dispute's id. A refund has none; its id is made from the total refunded so far. */
  disputeId?: string;
  /** For a refund: the total refunded so far. */
  cents: number;
  currency: string;
  state: 'taken' | 'returned';
}

/** Takes back or returns a pack's credits as `back` says. Repeated or reordered events give the same result. */
export async function applyMoneyBack(
  deps: CreditingDeps,
  payment: PaymentRow,
  back: MoneyBack,
  told: Told,
): Promise<Outcome> {
  if (back.currency !== payment.currency) return note(deps, told, 'misfit', 'the currency of what went back differs');
  const { db, clock } = deps;
  return db.write(async (tx): Promise<Outcome> => {
    const at = clock.now();
    if (!(await recordEvent(tx, { ...told, payment_id: payment.id, outcome: 'done', at }))) return 'seen';
    const row = await lockPayment(tx, payment.id);
    const reversal =
      back.kind === 'refund' ? await addRefund(tx, row, back.cents, at) : await addDispute(tx, row, back, at);
    if (!reversal || row.state !== 'paid') return reversal ? 'done' : 'nothing';
    const accountId = await lockLedger(tx, row.ledger_id);
    await reverseTo(tx, row, reversal, at);
    if (accountId !== null) {
      await updateTier(tx, deps, row, accountId);
      changed(tx, accountId, 'balance', accountId);
    }
    return 'done';
  });
}

/** Adds what a total of `centsSoFar` exceeds the refunds before it by; null if it adds nothing. */
async function addRefund(tx: Tx, row: PaymentRow, centsSoFar: number, at: number): Promise<{ id: string } | null> {
  const refunds = (await reversalsOf(tx, row.id)).filter((one) => one.kind === 'refund');
  const before = refunds.reduce((sum, one) => sum + one.cents, 0);
  if (centsSoFar <= before) return null;
  const id = `refund:${row.id}:${centsSoFar}`;
  const reversal = {
    id,
    payment_id: row.id,
    kind: 'refund' as const,
    cents: centsSoFar - before,
    state: 'taken' as const,
  };
  await tx
    .insertInto('payment_reversal')
    .values({ ...reversal, at })
    .execute();
  return { id };
}

/** A dispute stays open until it is won; after that, older events no longer count. Null: nothing new. */
async function addDispute(
  tx: Tx,
  row: PaymentRow,
  { disputeId, cents, state }: MoneyBack,
  at: number,
): Promise<{ id: string } | null> {
  const id = disputeId!;
  const made = await tx
    .insertInto('payment_reversal')
    .values({ id, payment_id: row.id, kind: 'dispute', cents, state, at })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (made.numInsertedOrUpdatedRows === 1n) return { id };
  if (state === 'taken') return null;
  const { numUpdatedRows } = await tx
    .updateTable('payment_reversal')
    .set({ state: 'returned' })
    .where('id', '=', id)
    .where('payment_id', '=', row.id)
    .where('state', '=', 'taken')
    .executeTakeFirst();
  return numUpdatedRows === 1n ? { id } : null;
}

/** Adjusts the credits taken back for a payment to what its reversals require now; `cause` is the latest reversal. */
async function reverseTo(tx: Tx, row: PaymentRow, cause: { id: string }, at: number): Promise<void> {
  const sold = { amountCents: row.amount_cents, creditsMicro: row.credits_micro };
  const due = reversedMicro(sold, await reversalsOf(tx, row.id));
  const more = due - row.reversed_micro;
  if (more === 0) return;
  const money = moneyText(row.amount_cents, row.currency);
  const movement = { ledgerId: row.ledger_id, cause: cause.id, amountMicro: Math.abs(more), at };
  const isRefund = cause.id.startsWith('refund:');
  if (more < 0) await returnPurchase(tx, { ...movement, reason: `The dispute about your payment of ${money} is over` });
  else
    await reversePurchase(tx, {
      ...movement,
      reason: isRefund
        ? `Your payment of ${money} was refunded, in part or whole: credits taken back`
        : `Your payment of ${money} is disputed at your bank: credits taken back`,
    });
  await updatePayment(tx, row.id, { reversed_micro: due });
}
