import { purchase } from '../../server/credits/journal/purchases.ts';
import { createPayment, updatePayment } from '../../server/credits/payments/payments.ts';
import type { Tx } from '../../server/platform/db/database.ts';

/** Books 1 dollar of paid credits, as a verified payment does. */
export async function payFor(
  tx: Tx,
  { id, ledgerId, creditsMicro }: { id: string; ledgerId: string; creditsMicro: number },
  at: number,
): Promise<void> {
  const offer = { pack: 'a-pack', plan: null, interval: null, name: 'a pack', windows: null };
  const money = { amount_cents: 100, currency: 'usd', credits_micro: creditsMicro };
  await createPayment(tx, { id, ledger_id: ledgerId, ...offer, ...money }, at);
  await updatePayment(tx, id, { state: 'paid', paid_at: at });
  await purchase(tx, { ledgerId, cause: id, amountMicro: creditsMicro, reason: 'Bought for the test', at });
}

/** Records a refund, or its reversal, as an event of the payment service does. */
export async function noteMoneyBack(
  tx: Tx,
  back: { paymentId: string; cause: string; state: 'taken' | 'returned'; reversedMicro: number },
  at: number,
): Promise<void> {
  const row = { id: back.cause, payment_id: back.paymentId, kind: 'dispute' as const, cents: 100, at };
  if (back.state === 'taken')
    await tx
      .insertInto('payment_reversal')
      .values({ ...row, state: 'taken' })
      .execute();
  else await tx.updateTable('payment_reversal').set({ state: 'returned' }).where('id', '=', back.cause).execute();
  await updatePayment(tx, back.paymentId, { reversed_micro: back.reversedMicro });
}
