import assert from 'node:assert/strict';
import { FAMILY_CAP, SIGNALS, type SignalNumber, THRESHOLDS } from '../../../server/risk/score/constants.ts';
import { along } from '../../../server/risk/score/curve.ts';
import { adviceOf, dossierOf, inWords } from '../../../server/risk/score/dossier.ts';
import { evidenceOf, likelihoodRatio } from '../../../server/risk/score/evidence.ts';
import { HEAVY } from '../../../server/risk/score/heavy.ts';
import { type Judgement, judge, verdictOf } from '../../../server/risk/score/judge.ts';
import type { Observation } from '../../../server/risk/signals/observation.ts';
import { emptySketch, fold, type Sketch } from '../../../server/risk/signals/sketch.ts';
import { DossierSchema } from '../../../shared/risk.ts';
import { DAY, HOUR, observation, START } from '../observations.ts';
import { person, RELAY, tenPeople } from '../people.ts';

const NOTHING = { isDeclared: false };
const SIGNAL_NUMBERS = Object.keys(SIGNALS).map(Number) as SignalNumber[];

const sketchOf = (observations: readonly Observation[]): Sketch => {
  const sketch = emptySketch();
  for (const one of [...observations].sort((a, b) => a.at - b.at)) fold(sketch, one);
  fold(sketch, observation({ at: Math.max(...observations.map(({ at }) => at)) + HOUR, turn: { kind: 'tool' } }));
  return sketch;
};

const ten = (parts = {}) => tenPeople(6, parts);

describe('the judgement', () => {
  it('says sharing of ten people behind a relay', () => {
    const { verdict, families, probability } = judge(sketchOf(ten(RELAY)), NOTHING);
    assert.equal(verdict, 'sharing', JSON.stringify(families));
    assert.ok(probability > 0.5);
  });

  it('says that it is not enough of ten people whose way here shows nothing', () => {
    assert.equal(judge(sketchOf(ten()), NOTHING).verdict, 'not_enough');
  });

  const work = [9, 10, 11, 13, 14, 15, 16, 17];
  const ONE_MAC = { device: 2001, fingerprint: 1001, system: 'mac' } as const;
  const night = [0, 1, 2, 3, 4, 5, 6, 7];
  const own = (more: object) => ({ ...RELAY, ...more });
  const eightTools = Array.from({ length: 8 }, (_, n) =>
    person(n, 7, work, own({ client: { system: 'mac', architecture: n % 2 ? 'unknown' : 'arm64' } })),
  ).flat();
  for (const [who, observations] of [
    ['one person behind a gateway with every mark of a relay', person(1, 7, work, RELAY)],
    ['one person whose client calls itself a relay', person(1, 7, work, { client: { family: 'relay' } })],
    [
      'one person with a company’s inspection on the way, from a hosting network',
      person(1, 7, work, { transport: { isForwarded: true, isHosting: true } }),
    ],
    [
      'one person with a new device id in each request',
      person(1, 7, work).map((one, i) => ({ ...one, client: { ...one.client, device: i + 1 } })),
    ],
    [
      'one person whose claims change all the time',
      person(1, 7, work).map((one, i) => ({
        ...one,
        client: { ...one.client, isImpossible: true, system: (['mac', 'windows'] as const)[i % 2]! },
        transport: { ...one.transport, isForeignMark: true },
      })),
    ],
    [
      'a program that works all round the clock by a declared key',
      person(
        1,
        7,
        Array.from({ length: 24 }, (_, h) => h),
        own({ turn: { kind: 'machine' } }),
      ),
    ],
    [
      'one person whose agents begin sub-agents all night',
      [
        ...person(1, 7, work, own({ client: ONE_MAC })),
        ...Array.from({ length: 20 }, (_, n) =>
          person(10 + n, 7, night, own({ client: ONE_MAC, turn: { isFirst: true } })),
        ).flat(),
      ],
    ],
    ['one person with eight tools for eight projects on one Mac', eightTools],
  ] as const)
    it(`says clean of ${who}`, () => {
      assert.equal(judge(sketchOf(observations), NOTHING).verdict, 'clean');
    });

  it('never lets one family say it alone, at every cap', () => {
    const nothing = { P: 0, T: 0, I: 0, X: 0 };
    const told = (families: Partial<typeof nothing>, causes: number) =>
      verdictOf({ lambda: 24, families: { ...nothing, ...families }, causes, threshold: THRESHOLDS.later });
    const most = FAMILY_CAP;
    assert.deepEqual(
      [told({ P: most }, 4), told({ P: most }, 1), told({ T: most }, 0), told({ I: most }, 0)],
      ['not_enough', 'clean', 'clean', 'clean'],
    );
    assert.deepEqual(
      [told({ T: most, I: most }, 0), told({ P: most, T: most, I: most }, 1), told({ P: most, T: 1.9 }, 2)],
      ['clean', 'clean', 'not_enough'],
    );
    assert.deepEqual([told({ P: most, T: 2 }, 2), told({ P: most, I: 2 }, 2)], ['sharing', 'sharing']);
    const noPersons = person(1, 7, work, { ...RELAY, client: { family: 'relay', isImpossible: true } });
    const { families, verdict } = judge(sketchOf(noPersons), NOTHING);
    assert.ok(
      families.T >= THRESHOLDS.corroboration && families.I >= THRESHOLDS.corroboration,
      JSON.stringify(families),
    );
    assert.equal(verdict, 'clean');
  });

  it('weighs what the owner has declared against it, and no more than that', () => {
    const sketch = sketchOf(ten(RELAY));
    const [before, after] = [judge(sketch, NOTHING), judge(sketch, { isDeclared: true })];
    assert.equal(Math.round(before.lambda - after.lambda), 3);
  });

  it('says nothing of an account without requests', () => {
    const { verdict, lambda, advice } = judge(emptySketch(), NOTHING);
    assert.deepEqual({ verdict, lambda, advice }, { verdict: 'clean', lambda: 0, advice: null });
  });

  it('advises the user of a client that contradicts itself in two ways, on two days, and flags nobody for it', () => {
    const forged = person(1, 7, work).map((one) => ({
      ...one,
      client: { ...one.client, isImpossible: true },
      transport: { ...one.transport, isForeignMark: true },
    }));
    const { advice, verdict } = judge(sketchOf(forged), NOTHING);
    assert.deepEqual(advice, { client: 'claude-code', contradictions: ['impossible', 'foreign'] });
    assert.equal(verdict, 'clean');
    assert.match(
      adviceOf(advice!).text,
      /calls itself “claude-code”, and makes claims .* and is written by another program/,
    );
    assert.equal(judge(sketchOf(person(1, 1, work, { transport: { isForeignMark: true } })), NOTHING).advice, null);
  });
});

describe('a dossier', () => {
  const judgement: Judgement = judge(sketchOf(ten(RELAY)), NOTHING);
  const dossier = dossierOf(judgement, sketchOf(ten(RELAY)), START + 7 * DAY);

  it('keeps to its contract, with a line for each of the 16 signals', () => {
    assert.deepEqual(DossierSchema.parse(dossier), dossier);
    assert.deepEqual(
      dossier.lines.map(({ signal }) => signal),
      SIGNAL_NUMBERS,
    );
  });

  it('says in sentences what was seen, without a hash or a number that was never rounded', () => {
    for (const { sentence, heavyUsers, wouldClear } of dossier.lines) {
      assert.match(sentence, /^[A-Z0-9].*\.$/);
      assert.doesNotMatch(`${sentence} ${heavyUsers} ${wouldClear}`, /\d{6,}|\d\.\d\d|NaN|null|undefined/);
    }
  });

  it('has the numbers behind each sentence, fine enough to be judged again', () => {
    for (const { signal, seen, nats } of dossier.lines) {
      const { curve, cap } = SIGNALS[signal as SignalNumber];
      const { value } = seen!;
      const again = value === undefined ? 0 : Math.max(-cap, Math.min(cap, along(curve, value)));
      assert.ok(Math.abs(again - nats) <= 0.051, `signal ${signal}: ${again} and ${nats}`);
    }
    const seenOf = (signal: number) => dossier.lines.find((line) => line.signal === signal)!.seen!;
    assert.deepEqual(seenOf(5), { blocks: 10, value: 10 });
    assert.deepEqual(seenOf(16), { value: 0 });
    assert.deepEqual(dossierOf(judge(emptySketch(), NOTHING), emptySketch(), START).lines[7]!.seen, { requests: 0 });
  });

  it('has the turns by hours of the week, from Monday on, of the last 168 hours alone', () => {
    const monday = Date.UTC(2026, 10, 2);
    const at = (day: number, hour: number) =>
      observation({ at: monday + day * DAY + hour * HOUR, turn: { isFirst: false, root: 1 } });
    const weekOf = (...observations: Observation[]) => {
      const sketch = sketchOf(observations);
      return dossierOf(judge(sketch, NOTHING), sketch, START).week!.flatMap((turns, i) => (turns ? [[i, turns]] : []));
    };
    assert.deepEqual(weekOf(at(0, 0), at(0, 0), at(6, 22)), [
      [0, 2],
      [6 * 24 + 22, 1],
    ]);
    // The last request comes an hour later: what is then 168 hours old is left out.
    assert.deepEqual(weekOf(at(0, 5), at(7, 4)), [[4, 1]]);
    assert.deepEqual(weekOf(at(0, 6), at(7, 4)), [
      [4, 1],
      [6, 1],
    ]);
    assert.equal(dossierOf(judge(emptySketch(), NOTHING), emptySketch(), START).week, undefined);
    assert.equal(
      dossier.week!.reduce((sum, turns) => sum + turns, 0),
      6 * 10 * 4 * 20,
    );
  });

  it('has the projects by numbers alone, in the groups of signal 5', () => {
    const projects = dossier.projects!;
    assert.deepEqual(
      projects.map(({ days, clients, group }) => [days, clients, group]),
      Array.from({ length: 10 }, (_, i) => [6, 1, projects[i]!.group]),
    );
    assert.deepEqual(
      projects.map(({ group }) => group).sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    const turns = projects.map((one) => one.turns);
    assert.deepEqual(
      turns,
      [...turns].sort((a, b) => b - a),
    );
    assert.ok(
      turns.every((one) => one > 300 && one <= 480),
      `${turns}`,
    );
  });

  it('puts projects that one client works on into one group, and those with hardly a turn into none', () => {
    const one = { client: { device: 2001 } };
    const sketch = sketchOf([
      ...person(1, 2, [9, 10], one),
      ...person(2, 2, [13, 14], one),
      ...person(3, 3, [15, 16]),
      ...person(4, 1, [20]).slice(0, 2),
    ]);
    assert.deepEqual(
      dossierOf(judge(sketch, NOTHING), sketch, START).projects!.map(({ days, group }) => [days, group]),
      [
        [3, 2],
        [2, 1],
        [2, 1],
        [1, 0],
      ],
    );
  });

  it('names no file, client, conversation or hash', () => {
    const big = 1e9;
    const shift = (one: Observation): Observation => ({
      ...one,
      client: { ...one.client, device: one.client.device + big, fingerprint: one.client.fingerprint + big },
      turn: { ...one.turn, root: one.turn.root + big, paths: one.turn.paths.map((path) => path + big) },
    });
    const sketch = sketchOf(ten(RELAY).map(shift));
    assert.doesNotMatch(JSON.stringify(dossierOf(judge(sketch, NOTHING), sketch, START)), /\d{6,}/);
  });

  it('tells the owner the same sentences without weights', () => {
    const words = inWords(judgement.evidence);
    assert.ok(words.length >= 10);
    for (const sentence of words) assert.doesNotMatch(sentence, /nats|score|probability/);
  });
});

describe('the table of constants', () => {
  it('has curves that go on in one direction and end at their caps', () => {
    for (const n of SIGNAL_NUMBERS) {
      const { curve, cap, family } = SIGNALS[n];
      for (let i = 1; i < curve.length; i++) assert.ok(curve[i]![0] > curve[i - 1]![0], `${n}`);
      const nats = curve.map(([, y]) => y);
      assert.ok(Math.max(...nats.map(Math.abs)) <= cap, `${n}`);
      assert.ok(
        nats.every((y) => (family === 'X' ? y <= 0 : y >= 0)),
        `${n}`,
      );
    }
  });

  it('gives nothing for what heavy users show that are alone', () => {
    for (const n of SIGNAL_NUMBERS.filter((one) => SIGNALS[one].family === 'P'))
      assert.ok(
        along(SIGNALS[n].curve, HEAVY[n].p999) <= 1.01,
        `signal ${n}: ${along(SIGNALS[n].curve, HEAVY[n].p999)}`,
      );
  });

  it('follows its lines, and is level beyond them', () => {
    const curve = [
      [1, 0],
      [3, 4],
    ] as const;
    assert.deepEqual(
      [-5, 1, 2, 3, 99].map((x) => along(curve, x)),
      [0, 0, 2, 4, 4],
    );
  });

  it('computes the likelihood ratio of a share against the most that one author shows', () => {
    assert.equal(likelihoodRatio(0, 100, 0.01), 0);
    assert.equal(likelihoodRatio(1, 100, 0.01), 0);
    // 10 × ln(0.1 / 0.01) + 90 × ln(0.9 / 0.99)
    assert.ok(Math.abs(likelihoodRatio(10, 100, 0.01) - 14.4478) < 1e-3);
    assert.ok(likelihoodRatio(100, 100, 0.01) < 500);
  });

  it('has evidence of all signals, in the order of their numbers', () => {
    assert.deepEqual(
      evidenceOf(emptySketch(), NOTHING).map(({ signal }) => signal),
      SIGNAL_NUMBERS,
    );
  });
});
