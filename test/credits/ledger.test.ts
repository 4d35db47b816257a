import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  assertAmount,
  FUNDS,
  type Funds,
  refund,
  type Split,
  settle,
  splitHold,
  total,
} from '../../server/credits/rules/ledger.ts';

const funds = (promotional: number, purchased: number, pending = [0, 0]): Funds => ({
  promotional: { posted: promotional, pending: pending[0]! },
  purchased: { posted: purchased, pending: pending[1]! },
});

const split = (plan: number, promotional: number, purchased: number): Split => ({ plan, promotional, purchased });

describe('the ledger', () => {
  const HOLDS: [
    title: string,
    plan: number,
    has: Funds,
    amount: number,
    expected: [number, number, number] | number,
  ][] = [
    ['takes what the plan has room for first', 5, funds(10, 10), 4, [4, 0, 0]],
    ['then promotional credits', 5, funds(10, 10), 8, [5, 3, 0]],
    ['then purchased ones', 5, funds(3, 10), 12, [5, 3, 4]],
    ['begins with promotional credits where there is no plan', 0, funds(3, 10), 4, [0, 3, 1]],
    ['does not take what is held already', 0, funds(3, 10, [3, 0]), 4, [0, 0, 4]],
    ['takes all there is', 2, funds(3, 1), 6, [2, 3, 1]],
    ['refuses one micro-credit too many', 2, funds(3, 1), 7, 6],
    ['refuses when all is held', 0, funds(3, 1, [3, 1]), 1, 0],
    ['holds nothing for nothing', 2, funds(0, 0), 0, [0, 0, 0]],
  ];
  for (const [title, plan, has, amount, expected] of HOLDS)
    it(title, () =>
      assert.deepEqual(
        splitHold(has, plan, amount),
        typeof expected === 'number'
          ? { kind: 'insufficient', availableMicro: expected }
          : { kind: 'split', split: split(...expected) },
      ),
    );

  const SETTLEMENTS: [title: string, held: Split, cost: number, charged: Split, beyond: number][] = [
    ['charges what it cost, the plan first', split(2, 3, 5), 4, split(2, 2, 0), 0],
    ['returns purchased credits first, then promotional ones, the plan last', split(2, 3, 5), 1, split(1, 0, 0), 0],
    ['charges at most the hold', split(2, 3, 5), 12, split(2, 3, 5), 2],
    ['charges nothing for nothing', split(2, 3, 5), 0, split(0, 0, 0), 0],
  ];
  for (const [title, held, cost, charged, beyondMicro] of SETTLEMENTS)
    it(title, () => assert.deepEqual(settle(held, cost), { charged, chargedMicro: total(charged), beyondMicro }));

  const REFUNDS: [title: string, charged: Split, refunded: Split, expected: ReturnType<typeof refund>][] = [
    [
      'gives back all that was charged, to the funds it came from',
      split(1, 3, 5),
      split(0, 0, 0),
      { kind: 'refund', split: split(1, 3, 5), refundedMicro: 9 },
    ],
    [
      'gives nothing to a fund that paid nothing',
      split(0, 0, 5),
      split(0, 0, 0),
      { kind: 'refund', split: split(0, 0, 5), refundedMicro: 5 },
    ],
    ['gives nothing back for nothing', split(0, 0, 0), split(0, 0, 0), { kind: 'nothing_charged' }],
    ['gives back once', split(1, 3, 5), split(1, 3, 5), { kind: 'refunded_before', refundedMicro: 9 }],
    [
      'does not complete a refund that was a part',
      split(0, 3, 5),
      split(0, 0, 1),
      { kind: 'refunded_before', refundedMicro: 1 },
    ],
  ];
  for (const [title, charged, refunded, expected] of REFUNDS)
    it(title, () => assert.deepEqual(refund(charged, refunded), expected));

  for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1])
    it(`takes ${wrong} for no amount`, () => assert.throws(() => assertAmount(wrong), RangeError));

  it('never makes or loses a micro-credit', () => {
    const micro = fc.integer({ min: 0, max: 1e12 });
    fc.assert(
      fc.property(micro, micro, micro, micro, micro, (plan, a, b, amount, cost) => {
        const decision = splitHold(funds(a, b), plan, amount);
        if (decision.kind === 'insufficient') return assert.equal(decision.availableMicro, plan + a + b);
        const held = decision.split;
        assert.equal(total(held), amount);
        assert.ok(held.plan <= plan && held.promotional <= a && held.purchased <= b);
        const settled = settle(held, cost);
        assert.equal(settled.chargedMicro + settled.beyondMicro, cost);
        for (const fund of FUNDS) assert.ok(settled.charged[fund] <= held[fund]);
      }),
      { numRuns: 2000 },
    );
  });
});
