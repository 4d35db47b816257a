import assert from 'node:assert/strict';
import { DatabaseClock } from '../../server/platform/db/postgres/databaseClock.ts';
import { hostsOf } from '../../server/platform/db/postgres/hosts.ts';

describe('the clock of a database', () => {
  /** A clock whose database is asked at timer 100 and answers after `tookMs`. */
  function world() {
    let timer = 100;
    const clock = new DatabaseClock(() => timer);
    const measure = (told: number, tookMs: number) =>
      clock.measure(async () => {
        timer += tookMs;
        return told;
      });
    return { clock, measure, pass: (ms: number) => (timer += ms) };
  }

  it('goes on by a timer, from the middle of question and answer', async () => {
    const { clock, measure, pass } = world();
    assert.throws(() => clock.now(), /not measured/);
    await measure(5_000, 20);
    assert.equal(clock.now(), 5_010);
    pass(700);
    assert.equal(clock.now(), 5_710);
  });

  it('is not shaken by a slow answer, and follows one that it can’t have missed', async () => {
    const { clock, measure } = world();
    await measure(5_000, 0);
    await measure(5_900, 1_000);
    assert.equal(clock.now(), 6_000);
    // The database that took over is a minute behind.
    await measure(6_001 - 60_000, 2);
    assert.equal(clock.now(), 6_002 - 60_000);
  });
});

describe('an address of PostgreSQL', () => {
  for (const [url, hosts] of [
    ['postgres://a/x', ['postgres://a/x']],
    ['postgres:///x?host=/tmp', ['postgres:///x?host=/tmp']],
    ['postgres://u:p,q@a:1,b/x?y=1', ['postgres://u:p,q@a:1/x?y=1', 'postgres://u:p,q@b/x?y=1']],
    ['postgresql://[::1]:5,c:6/x', ['postgresql://[::1]:5/x', 'postgresql://c:6/x']],
  ] as const)
    it(`${url} names ${hosts.length}`, () => assert.deepEqual(hostsOf(url), hosts));
});
