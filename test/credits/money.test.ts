import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ConfigError, parseConfig } from '../../server/platform/config/config.ts';
import { chargeStep, minorDigits, moneyText } from '../../shared/money/money.ts';

// The table of Stripe's page on currencies: places, the step in which amounts are taken, and how 1,200 of its unit are written.
const TABLE: [places: number, step: number, written: string, codes: string][] = [
  [0, 1, '1,200', 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'],
  [2, 1, '12.00', 'usd eur gbp chf inr brl mxn cny sek pln try twd huf czk'],
  // These have no cents for the JavaScript engine's data, and have them for Stripe.
  [2, 1, '12.00', 'afn all cop huf idr iqd irr kpw lak lbp mmk pkr sll sos syp yer'],
  // The engine writes it with three.
  [2, 1, '12.00', 'lyd'],
  [2, 100, '12', 'isk ugx'],
  [3, 10, '1.200', 'bhd jod kwd omr tnd'],
];

/** Digits, points and commas alone: symbols differ by version of the engine's data. */
const digits = (text: string) => text.replace(/^[^\d]+/, '');

const PLAN = { id: 'p', name: 'P', windows: [{ name: 'w', hours: 1, limitMicro: 1 }] };
const parse = (file: unknown) => parseConfig({ PERIGEE_CONFIG: 'a.json' }, () => JSON.stringify(file));

describe('an amount of money', () => {
  for (const [places, step, written, codes] of TABLE)
    for (const currency of codes.split(' '))
      it(`in ${currency} is written as what Stripe charges: ${written} for 1200`, () => {
        assert.deepEqual(
          [minorDigits(currency), chargeStep(currency), digits(moneyText(1200, currency))],
          [places, step, written],
        );
        assert.equal(moneyText(1200, currency.toUpperCase()), moneyText(1200, currency));
      });

  it('is one hundredth of what it was shown as where the engine and Stripe differ', () => {
    const differing = Intl.supportedValuesOf('currency').filter((code) => {
      const { maximumFractionDigits } = new Intl.NumberFormat('en', {
        style: 'currency',
        currency: code,
      }).resolvedOptions();
      return maximumFractionDigits !== minorDigits(code);
    });
    for (const code of differing) assert.match(digits(moneyText(50_000, code)), /^500(\.00)?$/, code);
  });

  it('loses none of itself, whatever its size', () => {
    const written: [cents: number, currency: string, text: string][] = [
      [50_000, 'huf', 'HUF 500.00'],
      [50_050, 'huf', 'HUF 500.50'],
      [99_999_999, 'usd', '$999,999.99'],
      [1, 'usd', '$0.01'],
      [0, 'jpy', '¥0'],
      [5_120, 'kwd', 'KWD 5.120'],
      // Charged before Stripe refused fractions.
      [4_010, 'isk', 'ISK 40.10'],
      [-1_200, 'usd', '-$12.00'],
    ];
    for (const [cents, currency, text] of written)
      assert.equal(moneyText(cents, currency).replace('\u00a0', ' '), text);
  });

  it('is written by this function alone', () => {
    for (const file of ['server/web/kit/format.ts', 'server/credits/rules/paymentRules.ts'])
      assert.doesNotMatch(readFileSync(file, 'utf8'), /style: 'currency'/);
  });
});

describe('the prices of what is sold', () => {
  const REFUSED: [what: string, file: object, told: RegExp][] = [
    [
      'a pack',
      { currency: 'isk', packs: [{ ...pack(1_250) }] },
      /at packs\[0\]\.cents: .*1250.* isk .*multiple of 100/,
    ],
    ['a pack', { currency: 'ugx', packs: [pack(100), pack(101, 'b')] }, /at packs\[1\]\.cents: .*101.* ugx .*of 100/],
    ['a pack', { currency: 'kwd', packs: [pack(5_124)] }, /at packs\[0\]\.cents: .*5124.* kwd .*multiple of 10\b/],
    ['a month', { currency: 'tnd', plans: [plan(15, 100)] }, /at plans\[0\]\.monthCents: .*15 .*tnd/],
    ['a year', { currency: 'isk', plans: [plan(100, 1_001)] }, /at plans\[0\]\.yearCents: .*1001 .*isk/],
  ];
  for (const [what, file, told] of REFUSED)
    it(`stop the start where Stripe would refuse ${what} of ${JSON.stringify(file).slice(0, 60)}…`, () =>
      assert.throws(
        () => parse(file),
        (error) => error instanceof ConfigError && told.test(error.message) && !error.message.includes('\n'),
      ));

  const TAKEN: [file: object][] = [
    [{ currency: 'isk', packs: [pack(1_200)], plans: [plan(100, 1_000)], tierCents: [150] }],
    [{ currency: 'kwd', packs: [pack(5_120)], plans: [] }],
    [{ currency: 'huf', packs: [pack(50_050)], plans: [plan(1, 3)] }],
    [{ currency: 'jpy', packs: [pack(501)], plans: [plan(7, 77)] }],
    // As shipped, in every currency.
    ...['isk', 'ugx', 'bhd', 'jod', 'kwd', 'omr', 'tnd', 'huf', 'jpy'].map((currency): [object] => [{ currency }]),
  ];
  for (const [file] of TAKEN)
    it(`are taken where Stripe takes them: ${JSON.stringify(file).slice(0, 60)}`, () => void parse(file));
});

function pack(cents: number, id = 'a') {
  return { id, name: 'Pack', cents, creditsMicro: 1_000_000 };
}

function plan(monthCents: number, yearCents: number) {
  return { ...PLAN, monthCents, yearCents };
}
