import { MICRO_PER_CREDIT } from '../constants.ts';

// Amounts of credits in words, for every place that shows them. They take micro-credits. By hand, for the formatter of
// numbers that JavaScript has takes longer to load than all else at an editor's start.

const PLACES = String(MICRO_PER_CREDIT).length - 1;
const SHOWN_PLACES = 2;
const CENT = MICRO_PER_CREDIT / 10 ** SHOWN_PLACES;

/** All of it: "1,204.5", "−0.787412". For prices, what was given or bought, and whoever adds up. */
export const exactCredits = (micro: number): string => written(micro, PLACES);

/** What is left, rounded down to 2 places: never more than there is. */
export const creditsLeft = (micro: number): string => written(Math.floor(micro / CENT), SHOWN_PLACES);

/** The size of what was spent or changed, rounded to 2 places; something small is not called nothing. */
export function creditsSpent(micro: number): string {
  const cents = Math.round(Math.abs(micro) / CENT);
  return cents === 0 && micro !== 0 ? '< 0.01' : written(cents, SHOWN_PLACES);
}

/** The same with its sign: "−0.79", "+500"; something small with all its places, "−0.004999". */
export function creditsChanged(micro: number): string {
  if (micro === 0) return '0';
  const size = Math.abs(micro);
  return (micro < 0 ? '−' : '+') + (size < CENT / 2 ? exactCredits(size) : creditsSpent(size));
}

/** "1 credit", "0.42 credits", of an amount that is written already. */
export const withUnit = (amount: string): string => `${amount} ${amount === '1' ? 'credit' : 'credits'}`;

/** All of an amount, with its unit: "12.5 credits". */
export const inCredits = (micro: number): string => withUnit(exactCredits(micro));

/** An integer with its last digits as decimal places: none of it is ever a fraction, so none of it is rounded unasked. */
function written(amount: number, places: number): string {
  const digits = String(Math.abs(amount)).padStart(places + 1, '0');
  const whole = digits.slice(0, -places).replace(/\B(?=(\d{3})+$)/g, ',');
  const part = digits.slice(-places).replace(/0+$/, '');
  return `${amount < 0 ? '−' : ''}${whole}${part && `.${part}`}`;
}
