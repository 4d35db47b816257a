import assert from 'node:assert/strict';
import { clampChain, worstOf } from '../../server/gateway/runs/chain.ts';
import type { Model, Price } from '../../shared/models.ts';

const model = (id: string, price: Price, maxOutputTokens = 1_000): Model => ({
  ...{ id, name: id, contextTokens: 100_000, maxOutputTokens, price, isDefault: false, isDemo: false },
});
const tokens = (outputMicro: number): Price => ({ mode: 'tokens', inputMicro: 0, cachedInputMicro: 0, outputMicro });
const MILLION = 1_000_000;
const CHEAP = model('cheap', tokens(MILLION));
const DEAR = model('dear', tokens(10 * MILLION));
const SHORT = model('short', tokens(MILLION), 100);
const SIZE = { inputEstimate: 10, inputBound: 10 };

describe('the hold for a model and those that may answer in its place', () => {
  const CASES: [
    what: string,
    chain: [Model, ...Model[]],
    available: number,
    links: [string, number][],
    hold: number,
  ][] = [
    ['is that of the only one', [CHEAP], 50_000, [['cheap', 1_000]], 1_000],
    [
      'is that of the dearest',
      [CHEAP, DEAR],
      50_000,
      [
        ['cheap', 1_000],
        ['dear', 1_000],
      ],
      10_000,
    ],
    [
      'is that of the first, where it is the dearest',
      [DEAR, CHEAP],
      50_000,
      [
        ['dear', 1_000],
        ['cheap', 1_000],
      ],
      10_000,
    ],
    [
      'leaves out a fallback that is covered in part alone: it would hold all that is there',
      [CHEAP, DEAR],
      5_000,
      [['cheap', 1_000]],
      1_000,
    ],
    ['leaves out a fallback that is not covered', [CHEAP, DEAR], 600, [['cheap', 599]], 599],
    [
      'keeps to the output of each model',
      [CHEAP, SHORT],
      50_000,
      [
        ['cheap', 1_000],
        ['short', 100],
      ],
      1_000,
    ],
    ['asks for the first, where nothing is there', [DEAR, CHEAP], 0, [['dear', 0]], 640],
  ];
  for (const [what, chain, available, links, hold] of CASES)
    it(what, () => {
      const clamped = clampChain(chain, SIZE, available);
      assert.deepEqual(
        clamped.links.map(({ model: { id }, maxOutputTokens }) => [id, maxOutputTokens]),
        links,
      );
      assert.equal(clamped.neededMicro, hold);
    });

  it('never asks for more output than the client does', () => {
    const { links } = clampChain([CHEAP, DEAR], { ...SIZE, limitTokens: 70 }, 50_000);
    assert.deepEqual(
      links.map(({ maxOutputTokens }) => maxOutputTokens),
      [70, 70],
    );
    assert.equal(worstOf([CHEAP, DEAR], { ...SIZE, limitTokens: 70 }), 700);
  });
});
