import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { audit } from '../../server/credits/audit/audit.ts';
import { type HoldKey, spentInMonth } from '../../server/credits/holds/keyMonths.ts';
import { lockCharge, refundRun } from '../../server/credits/holds/refunds.ts';
import {
  findKeyOf,
  forgetWallet,
  grant,
  openWallet,
  placeHold,
  settleHold,
  voidHold,
} from '../../server/credits/holds/store.ts';
import { monthOf } from '../../server/credits/rules/keyMonth.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { ENGINES } from '../support/engines.ts';
import { freshBooks } from '../support/server.ts';

describe('a calendar month', () => {
  const CASES: [at: string, from: string, to: string][] = [
    ['2026-11-01T00:00:00.000Z', '2026-11-01', '2026-12-01'],
    ['2026-11-30T23:59:59.999Z', '2026-11-01', '2026-12-01'],
    ['2026-12-01T00:00:00.000Z', '2026-12-01', '2027-01-01'],
    ['2026-12-31T23:59:59.999Z', '2026-12-01', '2027-01-01'],
    ['2028-02-29T12:00:00.000Z', '2028-02-01', '2028-03-01'],
    ['1970-01-01T00:00:00.000Z', '1970-01-01', '1970-02-01'],
  ];
  for (const [at, from, to] of CASES)
    it(`of ${at} is from ${from} up to ${to}`, () =>
      assert.deepEqual(monthOf(Date.parse(at)), { from: Date.parse(from), to: Date.parse(to) }));
});

for (const engine of ENGINES)
  describe(`a key's month (${engine})`, function () {
    this.timeout(60_000);
    let db: Database;
    let close: () => Promise<void>;
    before(async () => {
      ({ db, close } = await freshBooks(engine));
    });
    after(() => close());

    const NOW = Date.parse('2026-11-15T12:00:00Z');
    const DECEMBER = Date.parse('2026-12-01T00:00:00Z');
    const keyOf = (monthlyMicro: number | null, name = 'laptop'): HoldKey => ({ id: randomUUID(), name, monthlyMicro });

    async function wallet(amountMicro: number): Promise<string> {
      const accountId = randomUUID();
      await db.write(async (tx) => {
        await openWallet(tx, accountId, randomUUID());
        await grant(tx, { accountId, amountMicro, requestId: randomUUID(), reason: 'for the test', at: NOW });
      });
      return accountId;
    }
    const hold = async (
      accountId: string,
      key: HoldKey | null,
      amountMicro: number | ((left: number) => number),
      { at = NOW, runId = randomUUID() as string } = {},
    ) => {
      const placed = { id: randomUUID(), accountId, runId, amountMicro, at, key };
      return { ...(await db.write((tx) => placeHold(tx, placed))), runId };
    };
    const use = (runId: string) => ({
      runId,
      conversationId: randomUUID(),
      model: 'm',
      tool: 't',
      usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, estimated: false },
    });
    const settle = (runId: string, cost: number, at = NOW) => db.write((tx) => settleHold(tx, use(runId), cost, at));
    const release = (runId: string, at = NOW) => db.write((tx) => voidHold(tx, use(runId), 'upstream_failed', 0, at));
    const spent = async (key: HoldKey, at = NOW) => (await spentInMonth(db.read, [key.id], at)).get(key.id) ?? 0;
    const lineOf = (runId: string, of: 'run' | 'refund' = 'run') =>
      db.read.selectFrom('log_entry').selectAll().where('id', '=', `${of}:${runId}`).executeTakeFirstOrThrow();
    /** Runs aren't part of these tests, so the two invariants that ask for them are left out. */
    const proven = async () =>
      (await audit(db.read, NOW, 0)).filter((v) => !/its run has ended|without a resolved hold/.test(v.what));

    afterEach(async () => assert.deepEqual(await proven(), []));

    it('has what is held, then what was charged, and a release gives it back', async () => {
      const [id, key] = [await wallet(1000), keyOf(100)];
      const one = await hold(id, key, 60);
      assert.equal(await spent(key), 60);
      await settle(one.runId, 25);
      assert.equal(await spent(key), 25);
      const two = await hold(id, key, 75);
      assert.equal(two.kind, 'held');
      await release(two.runId);
      assert.equal(await spent(key), 25);
      const three = await hold(id, key, 75);
      assert.equal(three.kind, 'held', 'what was released can be spent');
      await settle(three.runId, 0);
      assert.equal(await spent(key), 25, 'nothing was charged');
    });

    it('refuses what does not fit, says how much was used and when it ends, and changes nothing', async () => {
      const [id, key] = [await wallet(1000), keyOf(100)];
      await hold(id, key, 60);
      const { runId, ...refused } = await hold(id, key, 41);
      assert.deepEqual(refused, { kind: 'key_spent', limitMicro: 100, usedMicro: 60, resetsAt: DECEMBER });
      assert.equal(await spent(key), 60);
      assert.equal((await hold(id, key, 40, { runId })).kind, 'held', 'the same run may still be held');
      assert.deepEqual((await hold(id, key, 1)).kind, 'key_spent');
      assert.equal((await hold(id, keyOf(100), 100)).kind, 'held', 'another key has its own cap');
      assert.equal((await hold(id, null, 100)).kind, 'held', 'a session has none');
    });

    it('asks for more credits first if the wallet itself has too little', async () => {
      const [id, key] = [await wallet(50), keyOf(100)];
      assert.equal((await hold(id, key, 120)).kind, 'insufficient');
      assert.equal((await hold(id, key, 60)).kind, 'insufficient');
    });

    it('clamps what a request may cost to what the key has left', async () => {
      const [id, key] = [await wallet(1000), keyOf(100)];
      const seen: number[] = [];
      const all = (left: number) => {
        seen.push(left);
        return Math.max(10, Math.min(left, 95));
      };
      assert.equal((await hold(id, key, all)).kind, 'held');
      assert.equal(await spent(key), 95);
      assert.equal((await hold(id, key, all)).kind, 'key_spent', 'the least that it costs is more than is left');
      assert.deepEqual(seen, [100, 5]);
      const poor = await wallet(30);
      await hold(poor, keyOf(100), all);
      assert.equal(seen.at(-1), 30, 'the wallet has less than the key');
    });

    it('admits of many calls at once exactly as many as fit', async () => {
      const [id, key] = [await wallet(10_000), keyOf(100)];
      const answers = await Promise.all(Array.from({ length: 40 }, () => hold(id, key, 7)));
      assert.equal(answers.filter((a) => a.kind === 'held').length, 14);
      assert.equal(answers.filter((a) => a.kind === 'key_spent').length, 26);
      assert.equal(await spent(key), 98);
      const held = answers.filter((a) => a.kind === 'held').map(({ runId }) => runId);
      await Promise.all(held.map((runId, n) => (n % 2 ? settle(runId, n) : release(runId))));
      assert.equal(await spent(key), 1 + 3 + 5 + 7 + 9 + 11 + 13, 'what lies beyond a hold is charged, too');
    });

    it('counts a run once, however often it is asked for at once', async () => {
      const [id, key, runId] = [await wallet(1000), keyOf(100), randomUUID()];
      const answers = await Promise.all(Array.from({ length: 5 }, () => hold(id, key, 20, { runId })));
      assert.equal(answers.filter((a) => a.kind === 'held').length, 1);
      assert.equal(answers.filter((a) => a.kind === 'held_before').length, 4);
      assert.equal(await spent(key), 20);
    });

    it('ends with its last instant, and a hold stays in the month in which it was placed', async () => {
      const [id, key] = [await wallet(1000), keyOf(100)];
      const last = await hold(id, key, 100, { at: DECEMBER - 1 });
      assert.deepEqual((await hold(id, key, 1, { at: DECEMBER - 1 })).kind, 'key_spent');
      const first = await hold(id, key, 80, { at: DECEMBER });
      assert.equal(first.kind, 'held');
      assert.equal((await hold(id, key, 21, { at: DECEMBER })).kind, 'key_spent');
      await settle(last.runId, 40, DECEMBER + 5);
      assert.deepEqual([await spent(key, DECEMBER - 1), await spent(key, DECEMBER)], [40, 80]);
      assert.equal((await hold(id, key, 21, { at: DECEMBER })).kind, 'key_spent', 'what came back is of November');
      assert.equal((await hold(id, key, 60, { at: DECEMBER - 1 })).kind, 'held', 'also for a clock that was set back');
      await release(first.runId, DECEMBER + 5);
      assert.equal(await spent(key, DECEMBER), 0);
    });

    it('has all that was charged, also beyond a hold, and not what the house took over', async () => {
      const [rich, poor, key] = [await wallet(1000), await wallet(10), keyOf(100)];
      const one = await hold(rich, key, 10);
      await settle(one.runId, 130);
      assert.equal(await spent(key), 130);
      const { kind, ...refused } = await hold(rich, key, 1);
      assert.deepEqual([kind, (refused as { usedMicro?: number }).usedMicro], ['key_spent', 130]);
      const other = keyOf(100);
      const two = await hold(poor, other, 10);
      await settle(two.runId, 30);
      assert.equal(await spent(other), 10);
    });

    it('is counted without a cap as well, so that one can be set later', async () => {
      const [id, key] = [await wallet(1000), keyOf(null)];
      await hold(id, key, 300);
      assert.equal(await spent(key), 300);
      assert.equal((await hold(id, { ...key, monthlyMicro: 320 }, 21)).kind, 'key_spent');
      assert.equal((await hold(id, { ...key, monthlyMicro: 200 }, 1)).kind, 'key_spent', 'below what was spent');
    });

    it('is told twice of no resolution', async () => {
      const [id, key] = [await wallet(1000), keyOf(100)];
      const { runId } = await hold(id, key, 60);
      await Promise.all([settle(runId, 30), settle(runId, 30), release(runId)]);
      const after = await spent(key);
      assert.ok(after === 30 || after === 0);
      await release(runId);
      await settle(runId, 60);
      assert.equal(await spent(key), after);
    });

    it('names the key in the token log, charged or not, by its name at that time', async () => {
      const [id, key] = [await wallet(1000), keyOf(100, 'the old laptop')];
      const [one, two, three] = [
        await hold(id, key, 10),
        await hold(id, { ...key, name: 'renamed' }, 10),
        await hold(id, null, 10),
      ];
      await settle(one.runId, 5);
      await release(two.runId);
      await settle(three.runId, 5);
      const lines = await Promise.all([one, two, three].map(({ runId }) => lineOf(runId)));
      assert.deepEqual(
        lines.map((line) => [line.kind, line.key_id, line.key_name]),
        [
          ['charge', key.id, 'the old laptop'],
          ['not_charged', key.id, 'renamed'],
          ['charge', null, null],
        ],
      );
      await db.write((tx) => forgetWallet(tx, id));
      const after = await Promise.all([one, two].map(({ runId }) => lineOf(runId)));
      assert.deepEqual(
        after.map((line) => [line.key_id, line.key_name]),
        [
          [key.id, null],
          [key.id, null],
        ],
        'the owner chose these names',
      );
      const holds = await db.read.selectFrom('hold').select('key_name').where('key_id', '=', key.id).execute();
      assert.deepEqual(holds, [{ key_name: null }, { key_name: null }]);
      assert.equal(await spent(key), 0);
    });

    describe('the day of other extensions', () => {
      const extend = async (accountId: string, amountMicro: number, { at = NOW, dailyMicro = 100 } = {}) => {
        const [id, runId] = [randomUUID() as string, randomUUID() as string];
        const placed = { id, accountId, runId, amountMicro, at, editor: { dailyMicro } };
        return { ...(await db.write((tx) => placeHold(tx, placed))), runId };
      };
      const MIDNIGHT = Date.parse('2026-11-16T00:00:00Z');

      it('holds all of them to one cap, until the next day (UTC)', async () => {
        const id = await wallet(1000);
        const one = await extend(id, 60);
        assert.equal(one.kind, 'held');
        const { runId: _, ...refused } = await extend(id, 41);
        assert.deepEqual(refused, { kind: 'key_spent', limitMicro: 100, usedMicro: 60, resetsAt: MIDNIGHT });
        await settle(one.runId, 25, MIDNIGHT + 1);
        assert.equal((await extend(id, 75, { at: MIDNIGHT - 1 })).kind, 'held', 'it counts for the day it began in');
        assert.equal((await extend(id, 1, { at: MIDNIGHT - 1 })).kind, 'key_spent');
        assert.equal((await extend(id, 100, { at: MIDNIGHT })).kind, 'held');
        assert.equal((await extend(id, 1, { at: MIDNIGHT })).kind, 'key_spent');
      });

      it('is of one account alone, and neither its own requests nor its keys count', async () => {
        const [id, other, key] = [await wallet(1000), await wallet(1000), keyOf(100)];
        assert.equal((await hold(id, key, 100)).kind, 'held');
        assert.equal((await hold(id, null, 100)).kind, 'held');
        assert.equal((await extend(id, 100)).kind, 'held');
        assert.equal((await extend(other, 100)).kind, 'held');
        assert.equal((await hold(id, null, 100)).kind, 'held');
        assert.equal(await spent(key), 100);
      });

      it('lets of many at once only as many through as it holds', async () => {
        const id = await wallet(1000);
        const answers = await Promise.all(Array.from({ length: 30 }, () => extend(id, 30)));
        assert.equal(answers.filter(({ kind }) => kind === 'held').length, 3);
        assert.equal(answers.filter(({ kind }) => kind === 'key_spent').length, 27);
      });

      it('is no API key in the token log', async () => {
        const id = await wallet(1000);
        const { runId } = await extend(id, 60);
        await settle(runId, 25);
        const { key_id, key_name } = await lineOf(runId);
        assert.deepEqual([key_id, key_name], [null, null]);
        await db.write(async (tx) =>
          refundRun(tx, await lockCharge(tx, id, runId), use(runId), 'upstream_failed', NOW),
        );
        const { key_id: ofRefund } = await lineOf(runId, 'refund');
        assert.equal(ofRefund, null);
        assert.equal(await findKeyOf(db.read, runId), null);
      });
    });

    it('is proven by the audit', async () => {
      const [id, key] = [await wallet(1000), keyOf(100)];
      await hold(id, key, 10);
      const set = (micro: number) =>
        db.write((tx) => tx.updateTable('key_month').set({ micro }).where('key_id', '=', key.id).execute());
      await set(9);
      assert.deepEqual(
        (await proven()).map(({ invariant, ids }) => [invariant, ids]),
        [['b', [key.id]]],
      );
      await set(10);
    });
  });
