import assert from 'node:assert/strict';
import { z } from 'zod';
import { timeOrderedId } from '../../shared/ids.ts';

describe('ids in the order of time', () => {
  it('are UUIDs of version 7 that begin with their time', () => {
    const id = timeOrderedId(Date.UTC(2022, 1, 22, 19, 22, 22));
    // The time of the example in RFC 9562, appendix A.6.
    assert.match(id, /^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(z.uuidv7().safeParse(id).success);
  });

  it('sort by their time as texts, and differ at one instant', () => {
    const times = [0, 1, 4095, 4096, 1_800_000_000_000, 1_800_000_000_001, 2 ** 47];
    const ids = times.map((at) => timeOrderedId(at));
    assert.deepEqual(ids.toSorted(), ids);
    assert.equal(new Set(Array.from({ length: 1000 }, () => timeOrderedId(5))).size, 1000);
  });
});
