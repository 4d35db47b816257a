import assert from 'node:assert/strict';
import fc from 'fast-check';
import { assertAmount, type Funds, refund, settle, splitHold } from '../../server/credits/ledger.ts';

const funds = (promotional: number, purchased: number, pending = [0, 0]): Funds => ({
  promotional: { posted: promotional, pending: pending[0]! },
  purchased: { posted: purchased, pending: pending[1]! },
});

describe('the ledger', () => {
  const HOLDS: [title: string, has: Funds, amount: number, expected: ReturnType<typeof splitHold>][] = [
    ['takes promotional credits first', funds(10, 10), 4, { kind: 'split', split: { promotional: 4, purchased: 0 } }],
    ['then purchased ones', funds(3, 10), 4, { kind: 'split', split: { promotional: 3, purchased: 1 } }],
    [
      'does not take what is held already',
      funds(3, 10, [3, 0]),
      4,
      { kind: 'split', split: { promotional: 0, purchased: 4 } },
    ],
    ['takes all there is', funds(3, 1), 4, { kind: 'split', split: { promotional: 3, purchased: 1 } }],
    ['refuses one micro-credit too many', funds(3, 1), 5, { kind: 'insufficient', availableMicro: 4 }],
    ['refuses when all is held', funds(3, 1, [3, 1]), 1, { kind: 'insufficient', availableMicro: 0 }],
    ['holds nothing for nothing', funds(0, 0), 0, { kind: 'split', split: { promotional: 0, purchased: 0 } }],
  ];
  for (const [title, has, amount, expected] of HOLDS)
    it(title, () => assert.deepEqual(splitHold(has, amount), expected));

  const SETTLEMENTS: [
    title: string,
    held: [number, number],
    cost: number,
    charged: [number, number],
    beyond: number,
  ][] = [
    ['charges what it cost, promotional credits first', [3, 5], 4, [3, 1], 0],
    ['returns purchased credits before promotional ones', [3, 5], 2, [2, 0], 0],
    ['charges at most the hold', [3, 5], 10, [3, 5], 2],
    ['charges nothing for nothing', [3, 5], 0, [0, 0], 0],
  ];
  for (const [title, [promotional, purchased], cost, charged, beyondMicro] of SETTLEMENTS)
    it(title, () =>
      assert.deepEqual(settle({ promotional, purchased }, cost), {
        charged: { promotional: charged[0], purchased: charged[1] },
        chargedMicro: charged[0] + charged[1],
        beyondMicro,
      }),
    );

  const REFUNDS: [
    title: string,
    charged: [number, number],
    refunded: [number, number],
    expected: ReturnType<typeof refund>,
  ][] = [
    [
      'gives back all that was charged, to the funds it came from',
      [3, 5],
      [0, 0],
      { kind: 'refund', split: { promotional: 3, purchased: 5 }, refundedMicro: 8 },
    ],
    [
      'gives nothing to a fund that paid nothing',
      [0, 5],
      [0, 0],
      { kind: 'refund', split: { promotional: 0, purchased: 5 }, refundedMicro: 5 },
    ],
    ['gives nothing back for nothing', [0, 0], [0, 0], { kind: 'nothing_charged' }],
    ['gives back once', [3, 5], [3, 5], { kind: 'refunded_before', refundedMicro: 8 }],
    ['does not complete a refund that was a part', [3, 5], [0, 1], { kind: 'refunded_before', refundedMicro: 1 }],
  ];
  for (const [title, [promotional, purchased], back, expected] of REFUNDS)
    it(title, () =>
      assert.deepEqual(refund({ promotional, purchased }, { promotional: back[0], purchased: back[1] }), expected),
    );

  for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1])
    it(`takes ${wrong} for no amount`, () => assert.throws(() => assertAmount(wrong), RangeError));

  it('never makes or loses a micro-credit', () => {
    const micro = fc.integer({ min: 0, max: 1e12 });
    fc.assert(
      fc.property(micro, micro, micro, micro, (a, b, amount, cost) => {
        const decision = splitHold(funds(a, b), amount);
        if (decision.kind === 'insufficient') return assert.equal(decision.availableMicro, a + b);
        const { promotional, purchased } = decision.split;
        assert.equal(promotional + purchased, amount);
        assert.ok(promotional <= a && purchased <= b);
        const settled = settle(decision.split, cost);
        assert.equal(settled.chargedMicro + settled.beyondMicro, cost);
        assert.ok(settled.charged.promotional <= promotional && settled.charged.purchased <= purchased);
      }),
      { numRuns: 2000 },
    );
  });
});
