import { assertAmount } from './ledger.ts';

// What money means in credits: arithmetic alone. Its amounts are those of `shared/money/money.ts`.

/** A pack as it was sold. */
export interface Sold {
  amountCents: number;
  creditsMicro: number;
}

/** What of a payment went back to who paid, or is withheld; a dispute that was won is `returned`. */
export interface Reversed {
  cents: number;
  state: 'taken' | 'returned';
}

/** The credits of a payment that are to be taken back: in proportion, in the buyer's favour, all of them for all of it. */
export function reversedMicro(sold: Sold, reversals: readonly Reversed[]): number {
  for (const { cents } of reversals) assertAmount(cents);
  const cents = reversals.reduce((sum, one) => sum + (one.state === 'taken' ? one.cents : 0), 0);
  if (cents >= sold.amountCents) return sold.creditsMicro;
  // Their product can be beyond what a number holds exactly.
  return Number((BigInt(sold.creditsMicro) * BigInt(cents)) / BigInt(sold.amountCents));
}

/** What of `amountMicro` is still there to be taken, and what was spent already and so is owed. */
export function splitReversal(freeMicro: number, amountMicro: number): { takenMicro: number; owedMicro: number } {
  assertAmount(freeMicro);
  assertAmount(amountMicro);
  const takenMicro = Math.min(freeMicro, amountMicro);
  return { takenMicro, owedMicro: amountMicro - takenMicro };
}

/** What of credits that come in pays what is owed, before anything else. */
export function splitIncome(owedMicro: number, amountMicro: number): { repaidMicro: number; freeMicro: number } {
  assertAmount(owedMicro);
  assertAmount(amountMicro);
  const repaidMicro = Math.min(owedMicro, amountMicro);
  return { repaidMicro, freeMicro: amountMicro - repaidMicro };
}

/** The tier that so many cents of packs reach; `tierCents` are what tier 1, 2 and so on are reached at. */
export function tierReached(boughtCents: number, tierCents: readonly number[]): number {
  return tierCents.filter((cents) => boughtCents >= cents).length;
}
