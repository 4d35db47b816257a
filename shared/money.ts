// Amounts of money in the smallest unit that Stripe counts in, here called cents. Its table, not that of the browser or of ISO
// 4217: https://docs.stripe.com/currencies, "Minor units in API amounts" and "Special cases".

const WHOLE = 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' ');
/** Counted in thousandths, of which the last digit has to be 0. */
const THOUSANDTHS = 'bhd jod kwd omr tnd'.split(' ');
/** Have no parts any more, and are counted in hundredths all the same, which have to be 00. */
const WHOLE_IN_HUNDREDTHS = ['isk', 'ugx'];

/** Decimal places of the smallest unit in which Stripe counts a currency. */
export function minorDigits(currency: string): 0 | 2 | 3 {
  const code = currency.toLowerCase();
  if (WHOLE.includes(code)) return 0;
  return THOUSANDTHS.includes(code) ? 3 : 2;
}

/** What every amount that Stripe takes in that currency is a multiple of. */
export function payableStep(currency: string): 1 | 10 | 100 {
  const code = currency.toLowerCase();
  if (WHOLE_IN_HUNDREDTHS.includes(code)) return 100;
  return THOUSANDTHS.includes(code) ? 10 : 1;
}

/** An amount as people write it: "$5.00", "¥500", "HUF 500". Places that its country writes no more stand only if they count. */
export function moneyText(cents: number, currency: string): string {
  const options = { style: 'currency', currency } as const;
  const written = new Intl.NumberFormat('en-US', options).resolvedOptions().maximumFractionDigits ?? 2;
  const counted = minorDigits(currency);
  const digits = cents % 10 ** counted === 0 ? Math.min(written, counted) : counted;
  const places = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat('en-US', { ...options, ...places }).format(cents / 10 ** counted);
}
