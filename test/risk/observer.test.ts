import assert from 'node:assert/strict';
import { createLog } from '../../server/platform/log.ts';
import type { PeriodKey, RiskKeys } from '../../server/risk/keys.ts';
import { accountKey, type HashKey, hashText } from '../../server/risk/observe/hashing.ts';
import type { TurnFacts } from '../../server/risk/observe/turn.ts';
import { Observer, type ObserverDeps, type Request } from '../../server/risk/observer.ts';
import type { Flush } from '../../server/risk/store.ts';
import { MINUTE, SECOND, START } from './observations.ts';

const known = new Map<string, HashKey>();
function keyOf(period: number, accountId: string): HashKey {
  const name = `${period} ${accountId}`;
  const key = known.get(name) ?? accountKey(Buffer.alloc(32, period), accountId);
  known.set(name, key);
  return key;
}
const FACTS: TurnFacts = {
  ...{ kind: 'human', isFirst: true, language: 'english', root: 'first words', text: 'a text of some words more' },
  paths: ['billing/invoice.ts'],
};

/** An observer whose keys, clock and database are the test's. */
function world(changes: Partial<ObserverDeps> = {}, most?: number) {
  let now = START;
  const counts = { seen: 0, dropped: 0, lost: 0 };
  const faults: string[] = [];
  const stored: Flush[] = [];
  const periods = [1];
  const fails = { with: null as unknown };
  const keys = {
    refresh: async () => {},
    of: (accountId: string): PeriodKey[] =>
      periods.map((period) => ({ period, key: keyOf(period, accountId), shared: keyOf(period, '') })),
  } as unknown as RiskKeys;
  const observer = new Observer(
    {
      clock: { now: () => now },
      log: createLog('silent'),
      metrics: {
        observed(result, observations = 1) {
          counts[result] += observations;
        },
        faulted: (work) => void faults.push(work),
      },
      ...{ node: 'node', keys, isOn: true, automation: async () => new Map(), devices: { count: async () => 1 } },
      sketches: {
        async add(flushes) {
          if (fails.with) throw fails.with;
          stored.push(...flushes);
        },
      },
      ...changes,
    },
    { trustedProxies: [], hostingNetworks: [] },
    most,
  );
  const saw = (accountId: string, more: Partial<Request> = {}) =>
    observer.saw({
      ...{ accountId, credential: 'key', installKey: null, body: {} },
      incoming: incoming(),
      turn: () => FACTS,
      ...more,
    });
  const advance = (ms: number) => {
    now += ms;
  };
  return { observer, saw, advance, counts, faults, stored, periods, fails };
}

function incoming(headers: Record<string, string> = {}): Request['incoming'] {
  return {
    headers,
    rawHeaders: Object.entries(headers).flat(),
    httpVersion: '1.1',
    socket: { remoteAddress: '203.0.113.7', remotePort: 4711 },
  };
}

const sizes = (flushes: readonly Flush[]) =>
  flushes.map(({ accountId, observations }) => [accountId, observations.length]);

describe('the observer', () => {
  it('adds what it saw to the sketches of the accounts, in hashes', async () => {
    const { observer, saw, stored } = world();
    saw('a', { installKey: 'thumbprint' });
    saw('b');
    saw('a', { body: { metadata: { user_id: 'x' } } });
    await observer.flush();
    assert.deepEqual(sizes(stored), [
      ['a', 2],
      ['b', 1],
    ]);
    const [first] = stored[0]!.observations;
    assert.equal(first!.credential, hashText(keyOf(1, 'a'), 'key'));
    assert.equal(first!.proof, hashText(keyOf(1, 'a'), 'thumbprint'));
    assert.equal(first!.turn.root, hashText(keyOf(1, 'a'), 'first words'));
    assert.notEqual(first!.turn.root, stored[1]!.observations[0]!.turn.root, 'nothing links two accounts');
    for (const told of ['invoice', 'thumbprint', '203.0', 'words'])
      assert.ok(!JSON.stringify(stored).includes(told), told);
    await observer.flush();
    assert.equal(stored.length, 2);
  });

  it('adds it for both periods while two overlap', async () => {
    const { observer, saw, stored, periods } = world();
    periods.push(2);
    saw('a');
    await observer.flush();
    assert.deepEqual(stored.map(({ period }) => period).sort(), [1, 2]);
    const [one, two] = stored;
    assert.notEqual(one!.observations[0]!.turn.root, two!.observations[0]!.turn.root);
  });

  it('throws for nothing, and counts it', async () => {
    const { observer, saw, counts, faults, stored } = world();
    const broken = () => {
      throw new Error('broken');
    };
    saw('a', { turn: broken });
    saw('a', { incoming: null as never });
    saw('a', { incoming: { headers: {}, rawHeaders: [], httpVersion: '1.1', socket: {} } as never });
    saw(null as never, { credential: null as never });
    assert.ok(faults.length >= 3 && faults.every((work) => work === 'risk'), faults.join());
    saw('a');
    await observer.flush();
    assert.ok(stored.some(({ accountId }) => accountId === 'a'));
    assert.ok(counts.seen >= 1);
  });

  it('sees nothing where it is switched off', async () => {
    const { observer, saw, counts, stored } = world({ isOn: false });
    await observer.begin();
    saw('a', { turn: () => assert.fail('not looked at') });
    await observer.flush();
    assert.deepEqual([counts.seen, stored.length], [0, 0]);
  });

  it('counts as lost what it has no key for', () => {
    const { saw, counts, periods } = world();
    periods.pop();
    saw('a');
    assert.deepEqual(counts, { seen: 0, dropped: 0, lost: 1 });
  });

  it('keeps at most 512 requests of an account and so many in all, and drops the rest unread', async () => {
    const { observer, saw, counts, stored } = world({}, 2_000);
    for (let i = 0; i < 600; i++) saw('a');
    assert.deepEqual(counts, { seen: 512, dropped: 88, lost: 0 });
    for (let i = 0; i < 1_500; i++) saw(`account ${i % 50}`);
    assert.equal(counts.seen, 2_000);
    saw('b', { turn: () => assert.fail('not looked at') });
    await observer.flush();
    assert.equal(
      stored.reduce((sum, { observations }) => sum + observations.length, 0),
      2_000,
    );
    saw('a');
    assert.equal(counts.seen, 2_001);
  });

  it('stays bounded when a client sends ids without end', async function () {
    this.timeout(20_000);
    const { observer, saw, stored } = world();
    for (let i = 0; i < 5_000; i++) {
      const headers = { 'user-agent': `tool/${i}`, 'x-msh-device-id': `device-${i}`, 'x-perigee-connection': `c${i}` };
      saw('a', { credential: `key ${i}`, incoming: incoming(headers), body: { metadata: { user_id: `user ${i}` } } });
    }
    await observer.flush();
    assert.deepEqual(sizes(stored), [['a', 512]]);
  });

  it('repeats a failed flush under its number and before later ones, and gives it up after a minute', async () => {
    const { observer, saw, stored, fails, advance, counts } = world();
    saw('a');
    fails.with = new Error('ECONNRESET');
    await observer.flush();
    saw('a');
    saw('a');
    saw('b');
    advance(10 * SECOND);
    await observer.flush();
    fails.with = null;
    advance(10 * SECOND);
    await observer.flush();
    assert.deepEqual(sizes(stored), [
      ['a', 1],
      ['a', 2],
      ['b', 1],
    ]);
    const [first, second] = stored.map(({ number }) => number);
    assert.ok(first! < second!);

    saw('a');
    fails.with = new Error('ECONNRESET');
    await observer.flush();
    advance(MINUTE);
    await observer.flush();
    assert.equal(counts.lost, 1);
    fails.with = null;
    await observer.flush();
    assert.equal(stored.length, 3);
  });

  it('asks a database that is not there once in a flush', async () => {
    let asked = 0;
    const { observer, saw, counts, advance } = world({
      sketches: {
        async add() {
          asked++;
          throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
        },
      },
    });
    for (let i = 0; i < 50; i++) saw(`account ${i}`);
    await observer.flush();
    await observer.flush();
    assert.equal(asked, 2);
    advance(MINUTE);
    await observer.flush();
    assert.equal(counts.lost, 50);
  });

  it('stores the others where one account is at fault, and nothing of that one out of order', async () => {
    const done: Flush[] = [];
    let isBroken = true;
    const { observer, saw } = world({
      sketches: {
        async add(flushes) {
          if (isBroken && flushes.some(({ accountId, number }) => accountId === 'b' && number === 0))
            throw new Error('b');
          done.push(...flushes);
        },
      },
    });
    for (const id of ['a', 'b', 'c']) saw(id);
    await observer.flush();
    assert.deepEqual(sizes(done), [
      ['a', 1],
      ['c', 1],
    ]);
    saw('b');
    saw('b');
    await observer.flush();
    assert.equal(done.length, 2, 'the later flush waits for the earlier one');
    isBroken = false;
    await observer.flush();
    assert.deepEqual(sizes(done).slice(2), [
      ['b', 1],
      ['b', 2],
    ]);
  });

  it('flushes one after the other', async () => {
    const order: string[] = [];
    let free = () => {};
    const { observer, saw } = world({
      sketches: {
        async add(flushes) {
          order.push(`begins ${flushes[0]!.accountId}`);
          await new Promise<void>((resolve) => {
            free = resolve;
          });
          order.push(`ends ${flushes[0]!.accountId}`);
        },
      },
    });
    saw('a');
    const first = observer.flush();
    while (order.length === 0) await new Promise((resolve) => setImmediate(resolve));
    saw('b');
    const second = observer.flush();
    free();
    await first;
    while (order.length < 3) await new Promise((resolve) => setImmediate(resolve));
    free();
    await second;
    assert.deepEqual(order, ['begins a', 'ends a', 'begins b', 'ends b']);
  });

  it('takes the turns of a declared key for those of a machine', async () => {
    const { observer, saw, stored } = world({ automation: async () => new Map([['a', ['ci key']]]) });
    saw('a', { credential: 'ci key' });
    saw('a', { credential: 'own key' });
    saw('b', { credential: 'ci key' });
    await observer.flush();
    assert.deepEqual(
      stored.map(({ observations }) => observations.map(({ turn }) => turn.kind)),
      [['machine', 'human'], ['human']],
    );
  });

  it('takes no observation from the future, after the clock was set back', async () => {
    const { observer, saw, stored, advance } = world();
    saw('a');
    advance(-10 * MINUTE);
    await observer.flush();
    assert.equal(stored[0]!.observations[0]!.at, START - 10 * MINUTE);
  });
});
