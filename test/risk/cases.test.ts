import assert from 'node:assert/strict';
import { THRESHOLDS } from '../../server/risk/score/constants.ts';
import { judgedToday, keptCases, mayBe } from '../sim/cases.ts';

describe('cases that were decided and appealed against', () => {
  const cases = keptCases();

  for (const { name, exported } of cases)
    it(`${name}: today's rules judge as the appeal did`, () => {
      const verdict = judgedToday(exported);
      assert.ok(mayBe(exported).includes(verdict), `${verdict}, but ${exported.isReversed ? 'reversed' : 'upheld'}`);
    });

  it('are of both outcomes', () => {
    assert.deepEqual(new Set(cases.map(({ exported }) => exported.isReversed)), new Set([true, false]));
  });

  for (const [change, name] of [
    [{ groups: 1, corroboration: 1, later: 4 }, 'simulated-clients-machines-reversed.json'],
    [{ later: 12 }, 'simulated-resale-10-upheld.json'],
    [{ firstDay: 12 }, 'simulated-resale-100-upheld.json'],
    [{ corroboration: 5 }, 'simulated-resale-10-cc-gateway-upheld.json'],
  ] as const)
    it(`tell of ${name} that ${JSON.stringify(change)} would be wrong`, () => {
      const { exported } = cases.find((one) => one.name === name)!;
      const usual = { ...THRESHOLDS };
      try {
        Object.assign(THRESHOLDS, change);
        assert.ok(!mayBe(exported).includes(judgedToday(exported)));
      } finally {
        Object.assign(THRESHOLDS, usual);
      }
    });
});
