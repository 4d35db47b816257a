import assert from 'node:assert/strict';
import fc from 'fast-check';
import { creditsChanged, creditsLeft, creditsSpent, exactCredits, withUnit } from '../../shared/money/amounts.ts';

/** Micro-credits; what is left, spent, changed, and all of it. */
const AMOUNTS: [micro: number, left: string, spent: string, changed: string, exact: string][] = [
  [0, '0', '0', '0', '0'],
  [1, '0', '< 0.01', '+0.000001', '0.000001'],
  [-1, '−0.01', '< 0.01', '−0.000001', '−0.000001'],
  [4_999, '0', '< 0.01', '+0.004999', '0.004999'],
  [5_000, '0', '0.01', '+0.01', '0.005'],
  [-787_412, '−0.79', '0.79', '−0.79', '−0.787412'],
  [999_999, '0.99', '1', '+1', '0.999999'],
  [1_000_000, '1', '1', '+1', '1'],
  [99_995_000, '99.99', '100', '+100', '99.995'],
  [1_204_500_000, '1,204.5', '1,204.5', '+1,204.5', '1,204.5'],
  [-1_234_567_891_234, '−1,234,567.9', '1,234,567.89', '−1,234,567.89', '−1,234,567.891234'],
  [Number.MAX_SAFE_INTEGER, '9,007,199,254.74', '9,007,199,254.74', '+9,007,199,254.74', '9,007,199,254.740991'],
];

describe('an amount of credits', () => {
  for (const [micro, left, spent, changed, exact] of AMOUNTS)
    it(`of ${micro} micro-credits is never shown as more than is left, nor as nothing when it is small`, () => {
      assert.deepEqual(
        [creditsLeft(micro), creditsSpent(micro), creditsChanged(micro), exactCredits(micro)],
        [left, spent, changed, exact],
      );
    });

  it('is the same number again when all of it is read', () => {
    const micros = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
    const read = (text: string) => {
      const [whole = '', part = ''] = text.replaceAll(',', '').replace('−', '-').split('.');
      return Number(`${whole}${part.padEnd(6, '0')}`);
    };
    fc.assert(fc.property(micros, (micro) => read(exactCredits(micro)) === micro));
  });

  it('is one credit, or so many credits', () => {
    assert.deepEqual(['0', '0.5', '1', '1.01', '< 0.01'].map(withUnit), [
      '0 credits',
      '0.5 credits',
      '1 credit',
      '1.01 credits',
      '< 0.01 credits',
    ]);
  });
});
