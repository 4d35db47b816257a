import assert from 'node:assert/strict';
import type { Database } from '../../server/platform/db/database.ts';
import { createLog } from '../../server/platform/log.ts';
import { accountsOf, DeviceCounts } from '../../server/risk/devices.ts';
import { RiskKeys } from '../../server/risk/keys.ts';
import { accountKey, hashText } from '../../server/risk/observe/hashing.ts';
import type { TurnFacts } from '../../server/risk/observe/turn.ts';
import { Observer } from '../../server/risk/observer.ts';
import { evidenceOf } from '../../server/risk/score/evidence.ts';
import { findSketch, SketchStore } from '../../server/risk/store.ts';
import { ENGINES } from '../support/engines.ts';
import { freshBooks, SECRET } from '../support/server.ts';
import { START } from './observations.ts';

const FACTS: TurnFacts = {
  ...{ kind: 'human', isFirst: true, language: 'english', root: 'first words', text: 'a text of some words more' },
  paths: [],
};

for (const engine of ENGINES)
  describe(`the accounts of a device (${engine})`, () => {
    let db: Database;
    let close: () => Promise<void>;
    let keys: RiskKeys;
    before(async function () {
      this.timeout(60_000);
      ({ db, close } = await freshBooks(engine));
      keys = new RiskKeys(db, SECRET);
      await keys.refresh(START);
    });
    after(() => close?.());
    /** With one key in every run: which accounts set the same bit is chance. */
    const period = () => ({ ...keys.of('', START)[0]!, shared: accountKey(Buffer.alloc(32, 7), '') });
    const count = (device: string, account: string, counts = new DeviceCounts(db), now = START) =>
      counts.count(hashText(period().shared, device), account, period(), now);

    it('are one for a device of one account, however often it comes', async () => {
      for (let i = 0; i < 5; i++) assert.equal(await count('mine', 'me'), 1);
    });

    for (const [accounts, least, most] of [
      // Two of a few set one bit now and then.
      [6, 4, 7],
      [20, 16, 24],
      [500, 150, 255],
    ] as const)
      it(`are about ${accounts}, from ${least} to ${most}, for a device of ${accounts}`, async () => {
        let last = 0;
        for (let i = 0; i < accounts; i++) last = await count(`of ${accounts}`, `account ${i}`);
        assert.ok(last >= least && last <= most, `${last}`);
      });

    it('are counted anew for an account after some hours, and not before', async () => {
      const counts = new DeviceCounts(db);
      assert.equal(await count('later', 'first', counts), 1);
      await count('later', 'second');
      assert.equal(await count('later', 'first', counts), 1);
      assert.equal(await count('later', 'first', counts, START + 7 * 3_600_000), 2);
    });

    it('are kept as a number from which no account can be told', async () => {
      await count('secret device', 'somebody');
      const rows = JSON.stringify(await db.read.selectFrom('risk_device').selectAll().execute());
      assert.doesNotMatch(rows, /secret|somebody/);
    });

    it('come into the sketch of each account, where some say something and one hundred nothing', async () => {
      const { shared } = keys.of('', START)[0]!;
      const all = Array.from({ length: 90 }, (_, i) => `0193d5d8-2222-7000-8000-0000000000${10 + i}`);
      // The second account of one bit is told what was counted for the first.
      const bits = new Map(all.map((id) => [hashText(shared, id) % 52, id]));
      const ids = [...bits.values()].slice(0, 6);
      for (const id of ids) {
        const row = { id, kind: 'member' as const, created_at: START, last_active_at: START };
        await db.write((tx) => tx.insertInto('account').values(row).execute());
      }
      const observer = new Observer(
        {
          clock: { now: () => START },
          log: createLog('silent'),
          metrics: { observed: () => {}, faulted: (what) => assert.fail(what) },
          ...{ node: 'node', keys, isOn: true, automation: async () => new Map() },
          ...{ sketches: new SketchStore(db), devices: new DeviceCounts(db) },
        },
        { trustedProxies: [], hostingNetworks: [] },
      );
      for (const accountId of ids) {
        observer.saw({
          ...{ accountId, credential: 'key', installKey: null, turn: () => FACTS },
          incoming: {
            headers: { 'user-agent': 'kimi-cli/1.2.3', 'x-msh-device-id': 'shared' },
            ...{ rawHeaders: [], httpVersion: '1.1', socket: {} },
          },
          body: {},
        } as never);
        await observer.flush();
      }
      const sketch = await findSketch(db.read, ids[5]!, START);
      const { accounts } = sketch!.identities.devices[0]!;
      assert.ok(accounts >= 4 && accounts <= 7, `${accounts}`);
      assert.equal(evidenceOf(sketch!, { isDeclared: false })[12]!.value, 1);
      sketch!.identities.devices[0]!.accounts = 100;
      assert.equal(evidenceOf(sketch!, { isDeclared: false })[12]!.value, 0);
    });
  });

describe('linear counting', () => {
  it('tells no account from one, and says many where all bits are set', () => {
    assert.deepEqual([0, 1, 0b11, 2 ** 51, 2 ** 52 - 1].map(accountsOf), [0, 1, 2, 1, 255]);
  });
});
