import assert from 'node:assert/strict';
import { replay } from '../sim/http/replay.ts';
import { PERSONAS, personaNamed } from '../sim/personas/all.ts';
import { isHonest } from '../sim/plan.ts';
import { filled } from '../sim/report/page.ts';
import {
  areaUnder,
  atPrevalence,
  calibration,
  clopperPearson,
  quantile,
  recallAt,
  roc,
} from '../sim/report/statistics.ts';
import { arrivals } from '../sim/traffic/account.ts';
import { Random } from '../sim/traffic/random.ts';
import { type Trial, trial, worldOf } from '../sim/trial.ts';

/** `npm run sim` has all of it, with intervals; here each line has a few accounts with fixed seeds. */
const run = (persona: string, seed: number, days: number, set: 'A' | 'B' = 'B') =>
  trial(personaNamed(persona), set, seed, { days, firstDay: 'working', stopsAtFlag: true });

const flagged = (trials: readonly Trial[], hours: number) =>
  trials.filter(({ flaggedAt }) => flaggedAt !== null && flaggedAt <= hours).length;

describe('the simulated accounts', () => {
  for (const { name, about, mustBe, isHard } of PERSONAS.filter((one) => isHonest(one) || one.mustBe === 'missed'))
    it(`${name} (${about}) are not flagged: ${mustBe}`, () => {
      const trials = (isHard ? [1] : [1, 2]).map((seed) => run(name, seed, isHard ? 5 : 10));
      assert.equal(flagged(trials, Number.POSITIVE_INFINITY), 0);
      assert.ok(trials.every(({ requests }) => requests > 0));
    });

  const found: [persona: string, hours: number, least: number, of: number][] = [
    ['resale-100', 12, 2, 2],
    ['resale-20', 72, 4, 4],
    ['resale-10', 168, 2, 3],
  ];
  for (const [persona, hours, least, of] of found)
    it(`${persona} are flagged within ${hours} h, at least ${least} of ${of}`, () => {
      const trials = Array.from({ length: of }, (_, seed) => run(persona, seed, Math.ceil(hours / 24)));
      assert.ok(flagged(trials, hours) >= least, `${flagged(trials, hours)} are`);
    });

  it('are the same for the same seed, and others for another', () => {
    const [one, same, other] = [3, 3, 4].map((seed) => ({ ...run('resale-5', seed, 2), ms: 0, seed: 0 }));
    assert.deepEqual(one, same);
    assert.notDeepEqual(one, other);
  });

  it('send their requests in the order of time, each with what the contract allows', () => {
    for (const name of ['heavy', 'queue', 'normaliser-queue', 'ci', 'random-ids', 'team-4']) {
      let last = 0;
      for (const { observation } of arrivals(personaNamed(name).make(worldOf(name, 'A', 7)), 0, 2)) {
        const { at, client, transport, turn } = observation;
        assert.ok(at >= last && Number.isInteger(at), name);
        last = at;
        assert.ok(transport.clientsOnConnection >= 0 && transport.clientsOnConnection <= 4);
        assert.ok(turn.paths.length <= 16 && turn.root > 0 && client.fingerprint > 0);
        assert.ok([turn.root, turn.template, ...turn.paths].every((hash) => hash === hash >>> 0));
      }
    }
  });

  it('of one relay share its connections, and nginx closes each', () => {
    const share = (name: string) => {
      const seen = [...arrivals(personaNamed(name).make(worldOf(name, 'A', 1)), 0, 1)];
      return seen.filter(({ observation }) => observation.transport.clientsOnConnection > 1).length / seen.length;
    };
    assert.ok(share('resale-10') > 0.2);
    assert.equal(share('resale-10-nginx'), 0);
    assert.equal(share('devices'), 0);
  });
});

describe('simulated accounts through the real HTTP server', () => {
  it('leave the rows that the same observations make without it', async () => {
    const { requests, differences } = await replay(['resale-5', 'resale-10-nginx', 'header-normaliser'], 'A', 1, 1, 60);
    assert.deepEqual({ requests, differences }, { requests: 180, differences: [] });
  }).timeout(60_000);
});

describe('the statistics of the simulation', () => {
  it('have the intervals of Clopper and Pearson', () => {
    const cases: [number, number, number, number][] = [
      [0, 300, 0, 0.01222],
      [300, 300, 0.98778, 1],
      [8, 10, 0.4439, 0.97479],
      [1, 30_000, 8.4e-7, 1.857e-4],
    ];
    for (const [hits, trials, low, high] of cases) {
      const interval = clopperPearson(hits, trials);
      assert.ok(Math.abs(interval.low - low) < 2e-5 && Math.abs(interval.high - high) < 2e-5, JSON.stringify(interval));
    }
  });

  it('have quantiles, the curve of recall, and its area', () => {
    assert.equal(quantile([3, 1, 2], 0.5), 2);
    assert.ok(Number.isNaN(quantile([], 0.5)));
    const scored = [
      { value: 3, isSharing: true },
      { value: 2, isSharing: false },
      { value: 2, isSharing: true },
      { value: 1, isSharing: false },
    ];
    const points = roc(scored);
    assert.equal(areaUnder(points), 0.875);
    assert.equal(recallAt(points, 0), 0.5);
  });

  it('weigh a probability by the share of accounts that share', () => {
    const scored = [
      ...Array.from({ length: 99 }, () => ({ value: 0.01, isSharing: false })),
      { value: 0.01, isSharing: true },
    ];
    assert.ok(calibration(scored, 0.01).ece < 1e-9);
    assert.ok(Math.abs(calibration(scored, 0.5).ece - 0.49) < 1e-9);
    assert.ok(Math.abs(atPrevalence(0.5, 0.01, 0.001) - 0.0902) < 1e-3);
  });

  it('draw the same numbers for the same seed, as many as they say', () => {
    const [a, b, c] = [new Random(1, 2), new Random(1, 2), new Random(2, 1)];
    assert.deepEqual([a.bits(), a.normal(), a.zipf(9)], [b.bits(), b.normal(), b.zipf(9)]);
    assert.notEqual(a.bits(), c.bits());
    const mean = (of: () => number) => Array.from({ length: 20_000 }, of).reduce((sum, one) => sum + one, 0) / 20_000;
    assert.ok(Math.abs(mean(() => a.uniform()) - 0.5) < 0.01);
    assert.ok(Math.abs(mean(() => a.normal(3, 2)) - 3) < 0.06);
    assert.ok(Math.abs(mean(() => a.poisson(2.5)) - 2.5) < 0.05);
    assert.ok(Math.abs(mean(() => a.exponential(4)) - 4) < 0.15);
  });

  it('refuse a page without the place for a table', () => {
    const page = 'a\n<!-- sim:x -->\nold\n<!-- /sim:x -->\nb';
    assert.equal(filled(page, 'x', 'new'), 'a\n<!-- sim:x -->\nnew\n<!-- /sim:x -->\nb');
    assert.throws(() => filled(page, 'y', 'new'), /no place for "y"/);
  });
});
