import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decode, encode } from '../../../server/risk/signals/codec.ts';
import {
  ARCHITECTURES,
  FAMILIES,
  LANGUAGES,
  MOST_PATHS,
  type Observation,
  RUNTIMES,
  SYSTEMS,
} from '../../../server/risk/signals/observation.ts';
import { emptySketch, fold, type Sketch } from '../../../server/risk/signals/sketch.ts';
import { DAY, HOUR, MINUTE, observation, SECOND, START } from '../observations.ts';

const MOST_BYTES = 20_480;

const hash = fc.integer({ min: 0, max: 0xffffffff });
const anything: fc.Arbitrary<Observation> = fc.record({
  at: fc.integer({ min: START, max: START + 60 * DAY }),
  proof: hash,
  credential: hash,
  client: fc.record({
    family: fc.constantFrom(...FAMILIES),
    system: fc.constantFrom(...SYSTEMS),
    architecture: fc.constantFrom(...ARCHITECTURES),
    runtime: fc.constantFrom(...RUNTIMES),
    fingerprint: hash,
    device: hash,
    isImpossible: fc.boolean(),
  }),
  transport: fc.record({
    clientsOnConnection: fc.integer({ min: 0, max: 4 }),
    isForwarded: fc.boolean(),
    isForeignMark: fc.boolean(),
    isHosting: fc.boolean(),
  }),
  turn: fc.record({
    kind: fc.constantFrom('human', 'tool', 'machine'),
    root: hash,
    isFirst: fc.boolean(),
    template: hash,
    language: fc.option(fc.constantFrom(...LANGUAGES)),
    paths: fc.array(hash, { maxLength: MOST_PATHS }),
  }),
});

const sketchOf = (observations: readonly Observation[]): Sketch => {
  const sketch = emptySketch();
  for (const one of observations) fold(sketch, one);
  return sketch;
};

describe('the sketch of an account', () => {
  it('comes back from its bytes as it was, after every observation', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 60 }), (observations) => {
        const sketch = decode(encode(sketchOf(observations)));
        assert.deepEqual(decode(encode(sketch)), sketch);
      }),
      { numRuns: 100 },
    );
  });

  it('goes on from its bytes as it would have without them', () => {
    const observations = fc.sample(anything, { numRuns: 200, seed: 7 }).sort((a, b) => a.at - b.at);
    let stored = emptySketch();
    for (const one of observations) {
      stored = decode(encode(stored));
      fold(stored, one);
    }
    const { counters } = sketchOf(observations);
    for (const [name, count] of Object.entries(stored.counters))
      assert.ok(Math.abs(count - counters[name as keyof typeof counters]) < 1e-3, name);
    assert.equal(stored.workspaces.list.length, sketchOf(observations).workspaces.list.length);
  });

  it('stays within 20 KB when a client sends another id in every place of each request', () => {
    const sketch = emptySketch();
    let id = 1;
    const next = () => (id = (id * 1_664_525 + 1_013_904_223) >>> 0);
    for (let i = 0; i < 10_000; i++)
      fold(
        sketch,
        observation({
          at: START + i * 20 * SECOND,
          client: { device: next(), fingerprint: next(), family: FAMILIES[i % FAMILIES.length]! },
          turn: {
            root: i % 3 === 0 ? next() : id,
            paths: Array.from({ length: MOST_PATHS }, next),
            template: next(),
            language: 'english',
          },
        }),
      );
    assert.ok(encode(sketch).length <= MOST_BYTES, `${encode(sketch).length} bytes`);
  });

  it('takes any observation, in any order of time', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 200 }), (observations) => {
        assert.ok(encode(sketchOf(observations)).length <= MOST_BYTES);
      }),
      { numRuns: 50 },
    );
  });

  it('halves its counters in 7 days', () => {
    const sketch = emptySketch();
    for (let i = 0; i < 100; i++) fold(sketch, observation({ at: START }));
    fold(sketch, observation({ at: START + 7 * DAY }));
    assert.equal(Math.round(sketch.counters.requests), 51);
  });

  it('forgets a sketch of another layout, and refuses one that is cut short', () => {
    const bytes = encode(sketchOf([observation()]));
    assert.throws(() => decode(bytes.subarray(0, bytes.length - 1)), RangeError);
    bytes[0] = 250;
    assert.deepEqual(decode(bytes), emptySketch());
    assert.deepEqual(decode(Buffer.alloc(0)), emptySketch());
  });
});

/** A conversation of a project: `files` of it, two at a time, a turn each five minutes. */
function conversation(root: number, files: readonly number[], from: number, turns = 10): Observation[] {
  return Array.from({ length: turns }, (_, i) =>
    observation({
      at: from + i * 5 * MINUTE,
      turn: { root, paths: [files[i % files.length]!, files[(i + 1) % files.length]!], isFirst: i === 0 },
    }),
  );
}

describe('projects', () => {
  it('are one where conversations touch the same files, whatever their order', () => {
    const sketch = sketchOf([
      ...conversation(1, [101, 102, 103, 104], START),
      ...conversation(2, [103, 104, 105], START + HOUR),
      ...conversation(3, [105, 101], START + 2 * HOUR),
    ]);
    assert.equal(sketch.workspaces.list.length, 1);
  });

  it('are two where conversations share no file, or one that many projects have', () => {
    const sketch = sketchOf([
      ...conversation(1, [101, 102, 103, 104, 999], START),
      ...conversation(2, [201, 202, 999, 203, 204], START + HOUR),
    ]);
    assert.equal(sketch.workspaces.list.length, 2);
  });

  it('join once a conversation touches the files of both', () => {
    const [one, other] = [
      [101, 102, 103, 104],
      [201, 202, 203, 204],
    ];
    const before = [...conversation(1, one!, START), ...conversation(2, other!, START + HOUR)];
    assert.equal(sketchOf(before).workspaces.list.length, 2);
    const both = conversation(1, [...one!, ...other!], START + 2 * HOUR, 20);
    assert.equal(sketchOf([...before, ...both]).workspaces.list.length, 1);
  });

  it('are none for a conversation without files', () => {
    assert.equal(
      sketchOf(conversation(1, [0], START).map((one) => ({ ...one, turn: { ...one.turn, paths: [] } }))).workspaces.list
        .length,
      0,
    );
  });
});
