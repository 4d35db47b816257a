// Amounts of money are integers in Stripe's minor unit, called cents in this code. That unit differs from the one in
// the JavaScript engine's data (CLDR), which has no cents for HUF, IDR, PKR … and varies by version. Source:
// https://docs.stripe.com/currencies, "Zero-decimal currencies", "Three-decimal currencies" and "Special cases".

const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));
const THREE_DECIMAL = new Set('bhd jod kwd omr tnd'.split(' '));
/** Currencies without cents whose amounts are in hundredths all the same. */
const WHOLE_IN_HUNDREDTHS = new Set(['isk', 'ugx']);

/** The number of decimal places of a currency's amounts: 500 is 5.00 in usd (2), 500 in jpy (0), 0.500 in kwd (3). */
export function minorDigits(currency: string): 0 | 2 | 3 {
  const code = currency.toLowerCase();
  if (ZERO_DECIMAL.has(code)) return 0;
  return THREE_DECIMAL.has(code) ? 3 : 2;
}

/** Stripe charges only multiples of this: 100 for currencies in hundredths without cents, 10 for three places. */
export function chargeStep(currency: string): 1 | 10 | 100 {
  const code = currency.toLowerCase();
  if (WHOLE_IN_HUNDREDTHS.has(code)) return 100;
  return THREE_DECIMAL.has(code) ? 10 : 1;
}

/** An amount for display: "$5.00", "¥500", "ISK 500". */
export function moneyText(cents: number, currency: string): string {
  const digits = minorDigits(currency);
  // Without cents, unless the amount has some: Stripe accepted fractions of ISK until 2023.
  const places = chargeStep(currency) === 100 && cents % 100 === 0 ? 0 : digits;
  const shown = { minimumFractionDigits: places, maximumFractionDigits: places };
  return new Intl.NumberFormat('en-US', { style: 'currency', currency, ...shown }).format(cents / 10 ** digits);
}
