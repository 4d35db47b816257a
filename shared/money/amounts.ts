import { MICRO_PER_CREDIT } from '../constants.ts';

// Amounts of credits as text, for every view. Input is in micro-credits. Formatted by hand, because loading
// JavaScript's number formatter takes longer than everything else at an editor's start.

const PLACES = String(MICRO_PER_CREDIT).length - 1;
const SHOWN_PLACES = 2;
const CENT = MICRO_PER_CREDIT / 10 ** SHOWN_PLACES;

/** The exact amount: "1,204.5", "−0.787412". For prices, gifts, purchases, and amounts that a reader may add up. */
export const exactCredits = (micro: number): string => written(micro, PLACES);

/** The remaining credits, rounded down to 2 places, so that it never shows more than there is. */
export const creditsLeft = (micro: number): string => written(Math.floor(micro / CENT), SHOWN_PLACES);

/** The size of a charge or change, rounded to 2 places. A small amount is not shown as 0. */
export function creditsSpent(micro: number): string {
  const cents = Math.round(Math.abs(micro) / CENT);
  return cents === 0 && micro !== 0 ? '< 0.01' : written(cents, SHOWN_PLACES);
}

/** The amount with its sign: "−0.79", "+500". A small amount has all its places: "−0.004999". */
export function creditsChanged(micro: number): string {
  if (micro === 0) return '0';
  const size = Math.abs(micro);
  return (micro < 0 ? '−' : '+') + (size < CENT / 2 ? exactCredits(size) : creditsSpent(size));
}

/** "1 credit", "0.42 credits", for an amount that is already formatted. */
export const withUnit = (amount: string): string => `${amount} ${amount === '1' ? 'credit' : 'credits'}`;

/** The exact amount with its unit: "12.5 credits". */
export const inCredits = (micro: number): string => withUnit(exactCredits(micro));

/** Formats an integer whose last digits are decimal places. Integers only, so that nothing is rounded by accident. */
function written(amount: number, places: number): string {
  const digits = String(Math.abs(amount)).padStart(places + 1, '0');
  const whole = digits.slice(0, -places).replace(/\B(?=(\d{3})+$)/g, ',');
  const part = digits.slice(-places).replace(/0+$/, '');
  return `${amount < 0 ? '−' : ''}${whole}${part && `.${part}`}`;
}
