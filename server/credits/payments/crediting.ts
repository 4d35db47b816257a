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
 * What the payment service says of a checkout: by an event, on return from its page, or because it was asked. Whichever is
 * first credits it, and the others find it credited. All is verified against our own row.
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
    // Money that came counts, whatever was told before it: events come in any order.
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

/** Why a checkout is not the one that this payment asked for; null if it is. */
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
  // What went back before this was told.
  const latest = (await reversalsOf(tx, row.id)).at(-1);
  if (latest) await reverseTo(tx, { ...row, state }, latest, at);
  await updateTier(tx, deps, row, accountId);
  changed(tx, accountId, 'balance', accountId);
  return 'done';
}

/** What was bought in another currency reached what it did: the list of tiers is in the one of today. */
async function updateTier(tx: Tx, { policy, followBought }: CreditingDeps, row: PaymentRow, accountId: string) {
  if (row.currency !== policy.currency) return;
  await followBought(tx, accountId, tierReached(await boughtCents(tx, row.ledger_id, row.currency), policy.tierCents));
}

/** Money of a pack that went back, or is withheld by the payer's bank; `returned`: the bank gave it back to us. */
export interface MoneyBack {
  kind: 'refund' | 'dispute';
  /** A dispute's own; refunds go by what has gone back so far. */
  disputeId?: string;
  /** Of a refund: all that has gone back so far. */
  cents: number;
  currency: string;
  state: 'taken' | 'returned';
}

/** Takes back, or gives back, what `back` says of a pack's credits; told twice or in any order it comes to the same. */
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

/** What a refund of so much in all adds to those before it; null: nothing. */
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

/** A dispute is open until it is won, and once that is told nothing older counts. Null: nothing new. */
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

/** Brings what is taken back of a payment's credits to what is due by now; `cause` is what changed it. */
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
