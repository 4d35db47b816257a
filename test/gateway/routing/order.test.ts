import assert from 'node:assert/strict';
import { type Candidate, ordered } from '../../../server/gateway/routing/order.ts';

const services = (...given: [weight: number, load: number][]): Candidate[] =>
  given.map(([weight, load], i) => ({ id: `s${i}`, weight, load }));
const KEYS = Array.from({ length: 20_000 }, (_, i) => `conversation ${i}`);

function shares(candidates: Candidate[]): number[] {
  const counts = new Map(candidates.map(({ id }) => [id, 0]));
  for (const key of KEYS) {
    const { id } = ordered(candidates, key)[0]!;
    counts.set(id, counts.get(id)! + 1);
  }
  return [...counts.values()].map((count) => count / KEYS.length);
}

describe('the order in which services are asked', () => {
  const CASES: [what: string, candidates: Candidate[], shares: number[]][] = [
    ['halves between equals', services([1, 0], [1, 0]), [0.5, 0.5]],
    ['by weight', services([1, 0], [3, 0]), [0.25, 0.75]],
    ['by weight between four', services([1, 0], [2, 0], [3, 0], [4, 0]), [0.1, 0.2, 0.3, 0.4]],
    ['all of it for the only one', services([0.5, 900]), [1]],
    ['none for one that is slow and carries too much', services([1, 40], [1, 2]), [0, 1]],
    ['by weight between loaded ones, too', services([1, 10], [3, 30]), [0.25, 0.75]],
  ];
  for (const [what, candidates, expected] of CASES)
    it(`shares conversations: ${what}`, () => {
      for (const [i, share] of shares(candidates).entries())
        assert.ok(Math.abs(share - expected[i]!) < 0.02, `${candidates[i]!.id}: ${share}, not ${expected[i]}`);
    });

  it('is the same for a conversation each time, and has each service once', () => {
    const candidates = services([1, 0], [1, 0], [2, 0]);
    for (const key of KEYS.slice(0, 100)) {
      const ids = ordered(candidates, key).map(({ id }) => id);
      assert.deepEqual(
        ordered([...candidates].reverse(), key).map(({ id }) => id),
        ids,
      );
      assert.deepEqual([...ids].sort(), ['s0', 's1', 's2']);
    }
  });

  it('moves only the conversations of a service that is gone', () => {
    const all = services([1, 0], [1, 0], [1, 0]);
    for (const key of KEYS.slice(0, 1_000)) {
      const [first] = ordered(all, key);
      const [now] = ordered(all.slice(1), key);
      if (first!.id !== 's0') assert.equal(now!.id, first!.id);
    }
  });
});
