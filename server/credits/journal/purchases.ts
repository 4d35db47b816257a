import { inCredits } from '../../../shared/money/amounts.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { TransferRow } from '../../platform/db/schema.ts';
import { assertAmount, available, debtAccount, fundAccount, HOUSE } from '../rules/ledger.ts';
import { splitIncome, splitReversal } from '../rules/paymentRules.ts';
import { addPosted, lockWalletOf, post, postedOf, readFunds, writeLog } from './journal.ts';

// Credits that are bought, and taken back when the money goes back. A transfer's id is its kind and cause, so each is
// made once.

/**
 * Locks a ledger against other holds and payments. Returns its account's id, or null if the account was deleted: the
 * ledger goes on under an id that names no one.
 */
export async function lockLedger(tx: Tx, ledgerId: string): Promise<string | null> {
  const accountId = await lockWalletOf(tx, ledgerId);
  // A deleted account has no wallet to lock, so lock the balance, too.
  await tx
    .updateTable('balance')
    .set((eb) => ({ posted: eb.ref('posted') }))
    .where('ledger_id', '=', ledgerId)
    .where('kind', '=', 'purchased')
    .execute();
  return accountId;
}

interface Movement {
  ledgerId: string;
  /** The unique id of the payment, refund or dispute. */
  cause: string;
  amountMicro: number;
  /** Shown in the token log, without a full stop. */
  reason: string;
  at: number;
}

/**
 * Credits a purchase; it pays debts first. The caller has locked the ledger. Throws and changes nothing for an invalid
 * amount, an amount above what a balance can hold, or a payment that was credited before (unique).
 */
export async function purchase(tx: Tx, bought: Movement): Promise<{ repaidMicro: number; freeMicro: number }> {
  const { ledgerId, cause, amountMicro, at } = bought;
  assertSold(amountMicro);
  const before = await readFunds(tx, ledgerId);
  if (!Number.isSafeInteger(postedOf(before) + amountMicro))
    throw new RangeError('credits: more than a balance can hold');
  const { repaidMicro, freeMicro } = splitIncome(await readOwed(tx, ledgerId), amountMicro);
  const purchased = fundAccount('purchased', ledgerId);
  const move = transfers(tx, cause, at);
  await move('purchase', HOUSE.payments, purchased, amountMicro);
  await move('repayment', purchased, debtAccount(ledgerId), repaidMicro);
  await addPurchased(tx, ledgerId, freeMicro, -repaidMicro);
  await writeLine(tx, bought, `purchase:${cause}`, 'purchase', freeMicro, {
    more: repaidMicro > 0 ? `${inCredits(repaidMicro)} of them paid what was owed` : null,
  });
  const after = await readFunds(tx, ledgerId);
  await tx
    .updateTable('wallet')
    .set({ of_micro: available(after) })
    .where('ledger_id', '=', ledgerId)
    .execute();
  return { repaidMicro, freeMicro };
}

/**
 * Takes back the credits of a reversed payment: as much as is free of the bought credits. The rest was spent already
 * and becomes a debt, in its own journal account; no balance goes below zero. The caller has locked the ledger.
 */
export async function reversePurchase(tx: Tx, back: Movement): Promise<{ takenMicro: number; owedMicro: number }> {
  const { ledgerId, cause, amountMicro, at } = back;
  assertSold(amountMicro);
  const { purchased } = await readFunds(tx, ledgerId);
  const { takenMicro, owedMicro } = splitReversal(purchased.posted - purchased.pending, amountMicro);
  const move = transfers(tx, cause, at);
  await move('reversal', fundAccount('purchased', ledgerId), HOUSE.payments, takenMicro);
  await move('debt', debtAccount(ledgerId), HOUSE.payments, owedMicro);
  await addPurchased(tx, ledgerId, -takenMicro, owedMicro);
  await writeLine(tx, back, `reversal:${cause}`, 'reversal', -takenMicro, {
    more:
      owedMicro > 0
        ? `${inCredits(owedMicro)} were spent or held already: they are paid first by what gets free or is bought`
        : null,
  });
  return { takenMicro, owedMicro };
}

/** Gives back what `reversePurchase` took, after a dispute was won. The debt is forgiven first. */
export async function returnPurchase(tx: Tx, back: Movement): Promise<{ repaidMicro: number; freeMicro: number }> {
  const { ledgerId, cause, amountMicro, at } = back;
  assertSold(amountMicro);
  const { repaidMicro, freeMicro } = splitIncome(await readOwed(tx, ledgerId), amountMicro);
  const move = transfers(tx, cause, at);
  await move('forgiven', HOUSE.payments, debtAccount(ledgerId), repaidMicro);
  await move('return', HOUSE.payments, fundAccount('purchased', ledgerId), freeMicro);
  await addPurchased(tx, ledgerId, freeMicro, -repaidMicro);
  await writeLine(tx, back, `return:${cause}`, 'reversal', freeMicro, {
    more: repaidMicro > 0 ? `${inCredits(repaidMicro)} are owed no more` : null,
  });
  return { repaidMicro, freeMicro };
}

/**
 * Pays the debt from bought credits that a hold's end or a refund freed: an account in debt may not spend them. The
 * caller has locked the ledger's wallet. `cause` is unique.
 */
export async function repayFreed(tx: Tx, ledgerId: string, cause: string, at: number): Promise<void> {
  const { purchased } = await readFunds(tx, ledgerId);
  const { repaidMicro } = splitIncome(await readOwed(tx, ledgerId), purchased.posted - purchased.pending);
  if (repaidMicro === 0) return;
  await transfers(tx, cause, at)('repayment', fundAccount('purchased', ledgerId), debtAccount(ledgerId), repaidMicro);
  await addPurchased(tx, ledgerId, -repaidMicro, -repaidMicro);
  const reason = 'Bought credits that got free paid what was owed';
  const line = { ledgerId, cause, amountMicro: repaidMicro, reason, at };
  await writeLine(tx, line, `repayment:${cause}`, 'reversal', -repaidMicro, { more: null });
}

/** A ledger's debt: bought credits that were spent before their payment was reversed. */
export async function readOwed(db: Reader, ledgerId: string): Promise<number> {
  const row = await db
    .selectFrom('balance')
    .select('owed')
    .where('ledger_id', '=', ledgerId)
    .where('kind', '=', 'purchased')
    .executeTakeFirst();
  return row?.owed ?? 0;
}

function assertSold(amountMicro: number): void {
  assertAmount(amountMicro);
  if (amountMicro === 0) throw new RangeError('ledger: not an amount: 0');
}

function transfers(tx: Tx, cause: string, at: number) {
  return async (kind: TransferRow['kind'], debit: string, credit: string, amount: number) => {
    if (amount === 0) return;
    await post(tx, { id: `${kind}:${cause}`, debit, credit, amount, kind, request_id: cause, hold_id: null, at });
  };
}

const addPurchased = (tx: Tx, ledgerId: string, amountMicro: number, owedMicro: number) =>
  addPosted(tx, { ledgerId, fund: 'purchased', amountMicro, owedMicro, under: 'a payment' });

async function writeLine(
  tx: Tx,
  { ledgerId, reason, at }: Movement,
  id: string,
  kind: 'purchase' | 'reversal',
  amount: number,
  { more }: { more: string | null },
): Promise<void> {
  const balance = postedOf(await readFunds(tx, ledgerId));
  await writeLog(tx, ledgerId, { id, kind, amount, balance, reason: more ? `${reason}. ${more}.` : `${reason}.`, at });
}
