import assert from 'node:assert/strict';
import fc from 'fast-check';
import { affordableOutput, cost, worstCase } from '../../server/credits/pricing.ts';
import type { Price } from '../../shared/models.ts';

const C = 1_000_000;
const FLAT: Price = { mode: 'flat', runMicro: C };
const KIMI: Price = { mode: 'tokens', inputMicro: 60 * C, cachedInputMicro: 15 * C, outputMicro: 250 * C };
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
    ['a flat price is due whatever was used', FLAT, use(9, 0, 9), true, C],
    ['a flat price is not due when nothing was written', FLAT, use(9, 0, 0), false, 0],
  ];
  for (const [title, price, usage, produced, micro] of COSTS)
    it(title, () => assert.equal(cost(price, usage, produced), micro));

  const prices = fc.record({
    mode: fc.constant('tokens' as const),
    inputMicro: fc.integer({ min: 0, max: 1000 * C }),
    cachedInputMicro: fc.integer({ min: 0, max: 1000 * C }),
    outputMicro: fc.integer({ min: 0, max: 1000 * C }),
  });
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
});
