import { assertAmount } from './ledger.ts';

// Rules from money to credits: arithmetic only. Money is in the units of `shared/money/money.ts`.

/** A pack as it was sold. */
export interface Sold {
  amountCents: number;
  creditsMicro: number;
}

/** Money of a payment that was refunded or is withheld. A dispute that was won is `returned`. */
export interface Reversed {
  cents: number;
  state: 'taken' | 'returned';
}

/** Credits to take back for a payment: in proportion, rounded in the buyer's favour; all of them for a full refund. */
export function reversedMicro(sold: Sold, reversals: readonly Reversed[]): number {
  for (const { cents } of reversals) assertAmount(cents);
  const cents = reversals.reduce((sum, one) => sum + (one.state === 'taken' ? one.cents : 0), 0);
  if (cents >= sold.amountCents) return sold.creditsMicro;
  // The product can exceed the largest safe integer.
  return Number((BigInt(sold.creditsMicro) * BigInt(cents)) / BigInt(sold.amountCents));
}

/** Splits `amountMicro` into what is free to be taken, and what was already spent and becomes a debt. */
export function splitReversal(freeMicro: number, amountMicro: number): { takenMicro: number; owedMicro: number } {
  assertAmount(freeMicro);
  assertAmount(amountMicro);
  const takenMicro = Math.min(freeMicro, amountMicro);
  return { takenMicro, owedMicro: amountMicro - takenMicro };
}

/** Splits income: it pays the debt first. */
export function splitIncome(owedMicro: number, amountMicro: number): { repaidMicro: number; freeMicro: number } {
  assertAmount(owedMicro);
  assertAmount(amountMicro);
  const repaidMicro = Math.min(owedMicro, amountMicro);
  return { repaidMicro, freeMicro: amountMicro - repaidMicro };
}

/** The tier that purchases of `boughtCents` reach. `tierCents` are the thresholds of tier 1, 2 and so on. */
export function tierReached(boughtCents: number, tierCents: readonly number[]): number {
  return tierCents.filter((cents) => boughtCents >= cents).length;
}
