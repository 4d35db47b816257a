import assert from 'node:assert/strict';
import { OVERLAP_MS, PERIOD_MS, RiskKeys } from '../../server/risk/keys.ts';
import { shred } from '../../server/risk/store.ts';
import { ENGINES } from '../support/engines.ts';
import { freshBooks, SECRET } from '../support/server.ts';
import { DAY, HOUR, MINUTE, START } from './observations.ts';

for (const engine of ENGINES)
  describe(`the keys of the risk signals (${engine})`, () => {
    let books: Awaited<ReturnType<typeof freshBooks>>;
    before(async function () {
      this.timeout(60_000);
      books = await freshBooks(engine);
    });
    after(() => books?.close());
    beforeEach(() => books.db.write((tx) => tx.deleteFrom('risk_key').execute()));

    const keysAt = async (now: number, secret = SECRET) => {
      const keys = new RiskKeys(books.db, secret);
      await keys.refresh(now);
      return keys;
    };
    const periodsAt = async (now: number) => (await keysAt(now)).of('a', now).map(({ period }) => period);

    it('begin with the first look, and are the same on every node and after a restart', async () => {
      const [one, two] = await Promise.all([keysAt(START), keysAt(START)]);
      const later = await keysAt(START + 10 * DAY);
      assert.equal(one.of('a', START).length, 1);
      assert.deepEqual(two.of('a', START), one.of('a', START));
      assert.deepEqual(later.of('a', START), one.of('a', START));
    });

    it('differ by account and by period', async () => {
      const keys = await keysAt(START);
      const later = await keysAt(START + 40 * DAY);
      const all = [keys.of('a', START), keys.of('b', START), later.of('a', START + 40 * DAY)];
      assert.equal(new Set(all.map(([one]) => one!.key.join())).size, 3);
    });

    it('end with the server’s secret: no sketch has hashes of two', async () => {
      const [before] = (await keysAt(START)).of('a', START);
      const [after, ...more] = (await keysAt(START + MINUTE, 'another secret of the server, longer')).of('a', START);
      assert.notDeepEqual(after!.key, before!.key);
      assert.notEqual(after!.period, before!.period);
      assert.deepEqual(more, []);
      const rows = await books.db.read.selectFrom('risk_key').select('period').execute();
      assert.deepEqual(
        rows.map(({ period }) => Number(period)),
        [after!.period],
      );
    });

    it('are of two periods in the last 7 days of the older one, and then of the newer one', async () => {
      const [first] = await periodsAt(START);
      assert.deepEqual(await periodsAt(START + PERIOD_MS - OVERLAP_MS - 1), [first]);
      const both = await periodsAt(START + PERIOD_MS - OVERLAP_MS);
      assert.deepEqual(both, [first, first! + 1]);
      assert.deepEqual(await periodsAt(START + PERIOD_MS - 1), both);
      assert.deepEqual(await periodsAt(START + PERIOD_MS), [first! + 1]);
    });

    it('begin anew where all have ended, under a number that was never used', async () => {
      const [first] = await periodsAt(START);
      const [next] = await periodsAt(START + 90 * DAY);
      assert.ok(next! > first!);
      await shred(books.db, START + 300 * DAY);
      assert.ok((await periodsAt(START + 300 * DAY))[0]! > next!);
    });

    it('end on time also where a node doesn’t look, and join when it does', async () => {
      const keys = await keysAt(START);
      const late = START + PERIOD_MS - HOUR;
      await periodsAt(late);
      assert.equal(keys.of('a', late).length, 1);
      await keys.refresh(late);
      assert.equal(keys.of('a', late).length, 2);
      assert.equal(keys.of('a', START + PERIOD_MS).length, 1);
      assert.equal(keys.of('b', START + 100 * DAY).length, 0);
    });

    it('are looked for once a minute, also after the clock was set back', async () => {
      const keys = await keysAt(START);
      await books.db.write((tx) => tx.deleteFrom('risk_key').execute());
      await keys.refresh(START + MINUTE - 1);
      assert.equal(keys.of('a', START).length, 1);
      await keys.refresh(START - DAY);
      assert.equal((await books.db.read.selectFrom('risk_key').selectAll().execute()).length, 1);
    });

    it('are kept for a bounded number of accounts', async () => {
      const keys = await keysAt(START);
      const before = keys.of('a', START);
      for (let i = 0; i < 20_000; i++) keys.of(`account ${i}`, START);
      assert.deepEqual(keys.of('a', START), before);
      assert.notEqual(keys.of('a', START), before, 'it was computed anew');
    });
  });
