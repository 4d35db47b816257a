import assert from 'node:assert/strict';
import { Hours } from '../../../server/risk/signals/hours.ts';
import type { Observation, System } from '../../../server/risk/signals/observation.ts';
import { emptySketch, fold, type Sketch } from '../../../server/risk/signals/sketch.ts';
import { CROWDS, isTemplated, MOST_TEMPLATES, NEAR_S, type Template } from '../../../server/risk/signals/turns.ts';
import { DAY, HOUR, MINUTE, observation, SECOND, START } from '../observations.ts';

const sketchOf = (observations: readonly Observation[]): Sketch => {
  const sketch = emptySketch();
  for (const one of observations) fold(sketch, one);
  // Turns are judged once they are 15 minutes old.
  fold(sketch, observation({ at: (observations.at(-1)?.at ?? START) + HOUR, turn: { kind: 'tool', root: 999 } }));
  return sketch;
};

const filesOf = (project: number) => [1, 2, 3, 4].map((file) => project * 100 + file);

/** A turn of a person in a conversation of a project. */
const turn = (project: number, at: number, more: Partial<Observation['turn']> = {}) =>
  observation({ at, turn: { root: project, paths: filesOf(project), ...more } });

describe('turns that lie over each other', () => {
  const pair = (gap: number, of: [number, number] = [1, 2], more: Partial<Observation['turn']> = {}) =>
    sketchOf([
      turn(1, START),
      turn(2, START + MINUTE),
      turn(of[0], START + HOUR),
      turn(of[1], START + HOUR + gap, more),
    ]);

  for (const [what, sketch, near] of [
    ['two projects, 2 seconds apart', pair(2 * SECOND), 1],
    [`two projects, ${NEAR_S + 1} seconds apart`, pair((NEAR_S + 1) * SECOND), 0],
    ['one project, 2 seconds apart', pair(2 * SECOND, [1, 1]), 0],
    ['the first message of a conversation, as sub-agents send it', pair(2 * SECOND, [1, 3], { isFirst: true }), 0],
    ['the result of a tool', pair(2 * SECOND, [1, 2], { kind: 'tool' }), 0],
    ['declared automation', pair(2 * SECOND, [1, 2], { kind: 'machine' }), 0],
  ] as const)
    it(`${near ? 'counts' : 'does not count'}: ${what}`, () => {
      assert.equal(sketch.turns.seen.near, near);
    });

  it('counts no text that comes for the third time', () => {
    const texts = [START, START + 10 * MINUTE, START + 20 * MINUTE].map((at) => turn(1, at, { template: 0b1111 }));
    const others = [turn(2, START + 5 * MINUTE), turn(2, START + 20 * MINUTE - SECOND)];
    const sketch = sketchOf([...texts, ...others].sort((a, b) => a.at - b.at));
    assert.equal(sketch.turns.seen.near, 0);
    assert.equal(Math.round(sketch.counters.turns), 4);
  });

  it('counts the same when a node tells its observations 15 seconds late', () => {
    const [a, b, c, d] = [turn(1, START), turn(2, START + MINUTE), turn(1, START + HOUR), turn(2, START + HOUR + 3000)];
    for (const order of [
      [a, b, c, d],
      [b, a, d, c],
    ])
      assert.equal(sketchOf(order).turns.seen.near, 1);
  });

  it('counts no hours and no turns of first messages beside other requests, as sub-agents send them', () => {
    const parent = Array.from({ length: 60 }, (_, i) =>
      observation({ at: START + i * MINUTE, turn: { root: 1, kind: 'tool', paths: filesOf(1) } }),
    );
    const agents = Array.from({ length: 20 }, (_, i) =>
      turn(1, START + 2 * MINUTE + i * 3 * MINUTE + 5 * SECOND, { root: 100 + i, isFirst: true }),
    );
    const sketch = sketchOf([...parent, ...agents].sort((a, b) => a.at - b.at));
    assert.equal(sketch.counters.turns, 0);
    assert.ok(sketch.hours.turns.every((turns) => turns === 0));
  });

  it('knows how many projects half an hour has', () => {
    const observations = Array.from({ length: 90 }, (_, i) => turn((i % 9) + 1, START + i * 30 * SECOND));
    const { spreads } = sketchOf(observations).turns.seen;
    assert.ok(spreads.at(-3)! > 50, `${spreads}`);
  });

  it('knows templates by their likeness, and remembers those that came again', () => {
    const known: Template[] = [];
    const texts = [0xff00ff00, 0xff00ff01, 0xff00ff03];
    assert.deepEqual(
      texts.map((text) => isTemplated(known, text, 1)),
      [false, false, true],
    );
    for (let i = 1; i < 100; i++) isTemplated(known, Math.imul(i, 0x9e3779b1) >>> 0, i);
    assert.ok(known.length <= MOST_TEMPLATES);
    assert.ok(isTemplated(known, 0xff00ff01, 100), 'one that came again is not forgotten');
    assert.equal(isTemplated(known, 0, 1), false);
  });
});

describe('groups of clients at work in the same half hour', () => {
  const DEVICES = [
    { device: 1, system: 'windows', architecture: 'x64' },
    { device: 2, system: 'mac', architecture: 'arm64' },
    { device: 3, system: 'linux', architecture: 'x64' },
    { device: 4, system: 'mac', architecture: 'x64' },
    { device: 5, system: 'windows', architecture: 'x64' },
  ] as const;
  /** Thirty rounds in which each of these clients writes in its own project, minutes apart. */
  const rounds = (clients: readonly object[], project = (i: number) => i + 1, gap = 4 * MINUTE) =>
    sketchOf(
      Array.from({ length: 30 }, (_, round) =>
        clients.map((client, i) => {
          const at = START + (round * clients.length + i) * gap;
          return observation({ at, client, turn: { root: project(i), paths: filesOf(project(i)) } });
        }),
      ).flat(),
    );
  /** In how many of the turns there were so many groups. */
  const most = (sketch: Sketch) => {
    const { crowds } = sketch.turns.seen;
    return CROWDS[crowds.indexOf(Math.max(...crowds))];
  };

  for (const [who, sketch, groups] of [
    ['five people with a computer each', rounds(DEVICES), 5],
    ['one person at five computers, in one project', rounds(DEVICES, () => 1), 1],
    ['one person at five computers, one after the other', rounds(DEVICES, undefined, 40 * MINUTE), 1],
    [
      'five containers of one image',
      rounds(DEVICES.map((one) => ({ ...one, system: 'linux', architecture: 'x64' }))),
      2,
    ],
    ['five clients that name no system', rounds(DEVICES.map((one) => ({ ...one, system: 'unknown' }))), 1],
  ] as const)
    it(`${who}: ${groups}`, () => assert.equal(most(sketch), groups));
});

describe('the hours in which nobody writes', () => {
  /** A week in which somebody writes a turn in each of these hours of each day. */
  const week = (hours: (day: number) => number[]) => {
    const seen = new Hours();
    const midnight = Math.floor(START / DAY) * DAY;
    for (let day = 0; day < 7; day++)
      for (const hour of hours(day)) seen.add((midnight + day * DAY + hour * HOUR) / SECOND);
    return seen.quietHours(midnight / SECOND, (midnight + 7 * DAY - HOUR) / SECOND)?.hours ?? null;
  };
  const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => (first + i) % 24);

  for (const [who, hours, quiet] of [
    ['someone who works from 9 to 21', () => from(9, 12), 12],
    ['someone who works at night', () => from(20, 12), 12],
    ['someone who sleeps 5 hours', () => from(5, 19), 5],
    ['someone who works early one day and late the next', (day: number) => from(day % 2 ? 4 : 8, 16), 12],
    ['two people, twelve hours apart', () => [...from(9, 11), ...from(21, 11)], 1],
    ['five people all round the clock', () => from(0, 24), 0],
    ['somebody who wrote on two days', (day: number) => (day < 2 ? from(9, 12) : []), 123],
    ['somebody who writes little', () => from(9, 3), null],
  ] as const)
    it(`${who}: ${quiet === null ? 'too little to say' : `${quiet} hours`}`, () => {
      assert.equal(week(hours as (day: number) => number[]), quiet);
    });

  it('forgets what is older than a week', () => {
    const seen = new Hours();
    for (let hour = 0; hour < 24 * 14; hour++) seen.add((START + hour * HOUR) / SECOND);
    const at = (days: number) => seen.quietHours(START / SECOND, (START + 24 * days * HOUR) / SECOND);
    assert.deepEqual(at(14), { hours: 0, days: 7 });
    assert.equal(at(30), null);
  });

  describe('on the first day', () => {
    /** From the first turn on, in these hours after it, looked at after the last of them. */
    const first = (hours: readonly number[]) => {
      const seen = new Hours();
      for (const hour of hours) seen.add((START + hour * HOUR) / SECOND);
      return seen.quietHours(START / SECOND, (START + hours.at(-1)! * HOUR) / SECOND);
    };
    const every = (step: number, until: number) => Array.from({ length: until / step + 1 }, (_, i) => i * step);

    for (const [what, hours, quiet] of [
      ['what was written from the morning to the evening is no whole day', every(1, 15), null],
      ['who comes back in the morning has slept', [...every(1, 12), 22, 23, 24], { hours: 9, days: 1 }],
      ['a day and a night without a break', every(1, 24), { hours: 0, days: 1 }],
      ['the hours before the first turn are not quiet', every(2, 24), { hours: 1, days: 1 }],
      ['a day of few turns says nothing', every(4, 24), null],
    ] as const)
      it(what, () => assert.deepEqual(first(hours), quiet));
  });
});

describe('contradictions of one device', () => {
  const claims = (list: [System, number][]) =>
    sketchOf(list.map(([system, minutes]) => observation({ at: START + minutes * MINUTE, client: { system } })))
      .identities.contradictions[0]!.times;

  const back = (one: System, other: System) =>
    [one, other, one, other].map((system, i) => [system, i] as [System, number]);
  for (const [what, list, times] of [
    ['Windows and a Mac, back and forth within minutes', back('windows', 'mac'), 2],
    ['a Mac and its container', back('mac', 'linux'), 0],
    ['Windows and its WSL', back('windows', 'linux'), 0],
    ['a claim that comes and goes', back('mac', 'unknown'), 0],
    [
      'another machine, once and for good',
      [
        ['windows', 0],
        ['windows', 1],
        ['mac', 2],
        ['mac', 3],
      ],
      0,
    ],
    [
      'back after an hour',
      [
        ['windows', 0],
        ['mac', 1],
        ['windows', 61],
      ],
      0,
    ],
  ] as [string, [System, number][], number][])
    it(`${what}: ${times}`, () => {
      assert.ok(Math.abs(claims(list) - times) < 0.1);
    });

  it('are none for a client that sends no device id', () => {
    const observations = (['windows', 'mac', 'windows', 'mac'] as const).map((system, i) =>
      observation({ at: START + i * MINUTE, client: { system, device: 0 } }),
    );
    assert.equal(sketchOf(observations).identities.contradictions[0]!.times, 0);
  });
});
