import assert from 'node:assert/strict';
import { parseConfig } from '../../server/platform/config.ts';
import { minorDigits, moneyText, payableStep } from '../../shared/money.ts';

const parse = (file: unknown) => parseConfig({ PERIGEE_CONFIG: 'a.json' }, () => JSON.stringify(file));
const PLAN = {
  id: 'p',
  name: 'P',
  monthCents: 1000,
  yearCents: 10_000,
  windows: [{ name: 'w', hours: 5, limitMicro: 1 }],
};

describe('an amount of money', () => {
  const SHOWN: [currency: string, cents: number, text: string][] = [
    ['usd', 500, '$5.00'],
    ['usd', 5, '$0.05'],
    ['eur', 123_456, '€1,234.56'],
    ['jpy', 500, '¥500'],
    ['krw', 5_000, '₩5,000'],
    ['huf', 50_000, 'HUF 500'],
    ['huf', 50_050, 'HUF 500.50'],
    ['isk', 50_000, 'ISK 500'],
    ['ugx', 50_000, 'UGX 500'],
    ['twd', 50_000, 'NT$500.00'],
    ['kwd', 5_000, 'KWD 5.000'],
    ['bhd', 5_010, 'BHD 5.010'],
    ['mga', 500, 'MGA 500'],
  ];
  for (const [currency, cents, text] of SHOWN)
    it(`of ${cents} in ${currency} is ${text}`, () =>
      assert.equal(moneyText(cents, currency).replace(/\u00a0/g, ' '), text));

  const DIGITS: [digits: number, step: number, currencies: string][] = [
    [0, 1, 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'],
    [2, 100, 'isk ugx'],
    [3, 10, 'bhd jod kwd omr tnd'],
    [2, 1, 'huf twd usd eur gbp afn all amd cop crc idr irr iqd lak lbp mmk mur pkr rsd sos syp tzs uzs yer'],
  ];
  for (const [digits, step, currencies] of DIGITS)
    for (const currency of currencies.split(' '))
      it(`in ${currency} is counted as Stripe counts it, and shown as what is charged`, () => {
        assert.deepEqual(
          [minorDigits(currency), payableStep(currency), minorDigits(currency.toUpperCase())],
          [digits, step, digits],
        );
        const shown = Number(moneyText(700 * 10 ** digits, currency).replace(/[^\d.]/g, ''));
        assert.equal(shown, 700);
      });

  const REFUSED: [what: string, file: unknown, told: RegExp][] = [
    [
      'a pack in parts of a króna',
      { currency: 'isk', packs: [{ id: 'p', name: 'P', cents: 550, creditsMicro: 1 }] },
      /packs\.0\.cents: .*isk.*multiple of 100/,
    ],
    [
      'a pack in parts of a shilling',
      { currency: 'ugx', packs: [{ id: 'p', name: 'P', cents: 1, creditsMicro: 1 }] },
      /packs\.0\.cents: .*ugx/,
    ],
    [
      'a month in fils',
      { currency: 'kwd', packs: [], plans: [{ ...PLAN, monthCents: 1001 }] },
      /plans\.0\.monthCents: .*multiple of 10/,
    ],
    ['a year in fils', { currency: 'tnd', packs: [], plans: [{ ...PLAN, yearCents: 10_005 }] }, /plans\.0\.yearCents/],
  ];
  for (const [what, file, told] of REFUSED)
    it(`stops the start where Stripe would refuse ${what}`, () => assert.throws(() => parse(file), told));

  for (const currency of ['isk', 'ugx', 'kwd', 'jpy', 'huf', 'usd'])
    it(`is sold in ${currency} as shipped`, () => assert.equal(parse({ currency }).policy.currency, currency));
});
