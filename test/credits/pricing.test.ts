import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cost, priceAt } from '../../server/credits/rules/pricing.ts';
import type { Price, PriceChange } from '../../shared/models.ts';
import { affordableOutput, worstCase } from '../../shared/money/pricing.ts';

const C = 1_000_000;
const FLAT: Price = { mode: 'flat', runMicro: C };
const KIMI: Price = { mode: 'tokens', inputMicro: 60 * C, cachedInputMicro: 15 * C, outputMicro: 250 * C };
const DEAR: Price = { ...KIMI, outputMicro: 84_240_863_028 };
const LONG: Price = {
  ...KIMI,
  tiers: [
    { aboveInputTokens: 1000, inputMicro: 120 * C, cachedInputMicro: 30 * C, outputMicro: 500 * C },
    { aboveInputTokens: 5000, inputMicro: 240 * C, cachedInputMicro: 60 * C, outputMicro: 1000 * C },
  ],
};
const use = (inputTokens: number, cachedInputTokens: number, outputTokens: number) => ({
  inputTokens,
  cachedInputTokens,
  outputTokens,
  estimated: false,
});

describe('a price', () => {
  const COSTS: [title: string, price: Price, usage: ReturnType<typeof use>, produced: boolean, micro: number][] = [
    ['a million tokens in cost 60 credits', KIMI, use(C, 0, 0), true, 60 * C],
    ['a million cached tokens cost 15 credits', KIMI, use(C, C, 0), true, 15 * C],
    ['a million tokens out cost 250 credits', KIMI, use(0, 0, C), true, 250 * C],
    ['one token in costs 60 micro-credits', KIMI, use(1, 0, 0), true, 60],
    ['1,204 in of which 980 cached, 312 out', KIMI, use(1204, 980, 312), true, 224 * 60 + 980 * 15 + 312 * 250],
    ['more cached than input counts the input once', KIMI, use(10, 99, 0), true, 10 * 15],
    ['fractions are rounded up', { ...KIMI, inputMicro: 1, outputMicro: 0 }, use(1, 0, 0), true, 1],
    ['nothing used costs nothing', KIMI, use(0, 0, 0), true, 0],
    ['an input as long as the base price goes costs it', LONG, use(1000, 400, 10), true, 600 * 60 + 400 * 15 + 2500],
    ['one token more, and all of it costs the tier', LONG, use(1001, 400, 10), true, 601 * 120 + 400 * 30 + 5000],
    ['the longest tier reached counts', LONG, use(5001, 0, 10), true, 5001 * 240 + 10_000],
    ['cached tokens count for how long an input is', LONG, use(5001, 5001, 0), true, 5001 * 60],
    // By floating point one micro-credit less.
    ['beyond 2^53 before it is divided, it is exact', DEAR, use(0, 0, 547_893), true, 46_154_979_168],
    ['a flat price is due whatever was used', FLAT, use(9, 0, 9), true, C],
    ['a flat price is not due when nothing was written', FLAT, use(9, 0, 0), false, 0],
  ];
  for (const [title, price, usage, produced, micro] of COSTS)
    it(title, () => assert.equal(cost(price, usage, produced), micro));

  const rates = {
    inputMicro: fc.integer({ min: 0, max: 1000 * C }),
    cachedInputMicro: fc.integer({ min: 0, max: 1000 * C }),
    outputMicro: fc.integer({ min: 0, max: 1000 * C }),
  };
  const tiers = fc
    .uniqueArray(fc.record({ aboveInputTokens: fc.integer({ min: 1, max: 200_000 }), ...rates }), {
      maxLength: 3,
      selector: (tier) => tier.aboveInputTokens,
    })
    .map((list) => list.toSorted((a, b) => a.aboveInputTokens - b.aboveInputTokens));
  const prices: fc.Arbitrary<Price> = fc.record({ mode: fc.constant('tokens' as const), ...rates, tiers });
  const tokens = fc.integer({ min: 0, max: 200_000 });

  it('never costs more than its worst case', () => {
    fc.assert(
      fc.property(prices, tokens, tokens, tokens, tokens, (price, bound, limit, a, b) => {
        const usage = use(Math.min(a, bound), Math.min(b, bound), Math.min(b, limit));
        assert.ok(cost(price, usage, true) <= worstCase(price, bound, limit));
      }),
      { numRuns: 2000 },
    );
  });

  it('buys an output whose worst case is covered by what is left', () => {
    fc.assert(
      fc.property(prices, tokens, fc.integer({ min: 0, max: 1000 * C }), (price, bound, left) => {
        const output = affordableOutput(price, bound, left);
        if (output > 0 && Number.isFinite(output)) assert.ok(worstCase(price, bound, output) <= left);
      }),
      { numRuns: 2000 },
    );
  });

  it('sets aside what the longest tier costs that an input may turn out to be in', () => {
    assert.equal(worstCase(LONG, 1000, 10), 1000 * 60 + 2500);
    assert.equal(worstCase(LONG, 1001, 10), 1001 * 120 + 5000);
    assert.equal(affordableOutput(LONG, 1001, 1001 * 120 + 5000), 9);
  });

  it('is out of range rather than wrong', () => {
    assert.throws(
      () => cost({ ...KIMI, outputMicro: Number.MAX_SAFE_INTEGER }, use(0, 0, 2 * C), true),
      /out of range/,
    );
    assert.throws(() => cost(KIMI, use(-C, 0, 0), true), /out of range/);
  });
});

describe('a price that changes', () => {
  const day = (n: number) => `2027-01-${String(n).padStart(2, '0')}T00:00:00Z`;
  const CHANGES: PriceChange[] = [
    { from: day(10), price: LONG },
    { from: day(20), price: FLAT },
  ];
  const CASES: [title: string, at: string, price: Price, next: PriceChange | undefined][] = [
    ['is the old one until its day', '2027-01-09T23:59:59.999Z', KIMI, CHANGES[0]],
    ['is the new one from the first instant of it', day(10), LONG, CHANGES[1]],
    ['changes again', day(20), FLAT, undefined],
    ['is the old one again for a clock that was set back', day(1), KIMI, CHANGES[0]],
  ];
  for (const [title, at, price, next] of CASES)
    it(title, () => assert.deepEqual(priceAt(KIMI, CHANGES, Date.parse(at)), { price, next }));
});
