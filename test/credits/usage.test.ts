import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { HoldKey } from '../../server/credits/holds/keyMonths.ts';
import { lockCharge, refundRun } from '../../server/credits/holds/refunds.ts';
import { forgetWallet, grant, openWallet, placeHold, settleHold, voidHold } from '../../server/credits/holds/store.ts';
import { listLog, sumCharges } from '../../server/credits/log/log.ts';
import { sumUsage } from '../../server/credits/log/usage.ts';
import type { Database } from '../../server/platform/db/database.ts';
import type { UsageBy, UsageRow } from '../../shared/credits.ts';
import { ENGINES } from '../support/engines.ts';
import { freshBooks } from '../support/server.ts';

const DAY = 24 * 3_600_000;
const BEGIN = Date.parse('2026-11-01T00:00:00Z');
const DAYS = 20;
const CALLS = 1_000;
const GIVEN = 10 ** 12;
const PERIOD = { from: BEGIN, to: BEGIN + DAYS * DAY, zone: 'Asia/Kathmandu' };

/** A sequence that looks random and is the same each time. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

for (const engine of ENGINES)
  describe(`the usage of an account (${engine})`, function () {
    this.timeout(60_000);
    let db: Database;
    let close: () => Promise<void>;
    before(async () => {
      ({ db, close } = await freshBooks(engine));
    });
    after(() => close());

    async function wallet(): Promise<string> {
      const accountId = randomUUID();
      await db.write(async (tx) => {
        await openWallet(tx, accountId, randomUUID());
        await grant(tx, { accountId, amountMicro: GIVEN, requestId: randomUUID(), reason: 'for the test', at: BEGIN });
      });
      return accountId;
    }
    const keyOf = (name: string): HoldKey => ({ id: randomUUID(), name, monthlyMicro: null });
    interface Call {
      accountId: string;
      at: number;
      key: HoldKey | null;
      model?: string;
      tool?: string;
      costMicro: number;
      inputTokens?: number;
      ends?: 'refunded' | 'failed';
    }
    const calls = (list: readonly Call[]) =>
      db.write(async (tx) => {
        for (const { accountId, at, key, model = 'm', tool = 't', costMicro, inputTokens = 3, ends } of list) {
          const runId = randomUUID();
          const usage = { inputTokens, cachedInputTokens: inputTokens - 1, outputTokens: 2, estimated: false };
          const use = { runId, conversationId: null, model, tool, usage };
          await placeHold(tx, { id: randomUUID(), accountId, runId, amountMicro: costMicro, at, key });
          if (ends === 'failed') await voidHold(tx, use, 'upstream_failed', 0, at);
          else await settleHold(tx, use, costMicro, at);
          if (ends === 'refunded')
            await refundRun(tx, await lockCharge(tx, accountId, runId), use, 'nothing_applied', at + DAY);
        }
      });
    const sumOf = (rows: readonly UsageRow[], of: (row: UsageRow) => number) =>
      rows.reduce((sum, row) => sum + of(row), 0);

    it('is by every grouping what the token log and the ledger say, to the micro-credit', async () => {
      const random = sequence(23);
      const accountId = await wallet();
      const others = await wallet();
      const keys = [keyOf('laptop'), keyOf('=cmd'), keyOf('build, "machine"'), null];
      const tools = ['OpenCode', 'Cline'];
      const all = Array.from({ length: CALLS }, (_, n) => ({
        accountId: n % 50 === 0 ? others : accountId,
        at: BEGIN + random(DAYS * DAY),
        key: keys[random(keys.length)]!,
        model: ['kimi', 'qwen'][random(2)]!,
        tool: tools[random(tools.length)]!,
        costMicro: 1 + random(9_000_000),
        inputTokens: 1 + random(50_000),
        ends: n % 9 === 4 ? ('refunded' as const) : n % 13 === 5 ? ('failed' as const) : undefined,
      }));
      await calls(all);
      const lines = (await listLog(db.read, accountId, { limit: 5 * CALLS })).entries;
      const ofRuns = lines.filter(({ runId }) => runId !== undefined);
      const charged = ofRuns.reduce((sum, { amountMicro }) => sum - amountMicro, 0);
      const tokens = ofRuns.reduce((sum, { kind, usage }) => sum + (kind === 'charge' ? usage!.inputTokens : 0), 0);
      const runs = ofRuns.filter(({ kind }) => kind === 'charge').length;
      const balances = await db.read
        .selectFrom('balance')
        .innerJoin('wallet', 'wallet.ledger_id', 'balance.ledger_id')
        .select('posted')
        .where('account_id', '=', accountId)
        .execute();
      assert.equal(charged, GIVEN - balances.reduce((sum, { posted }) => sum + posted, 0), 'the ledger');
      const groups: Record<UsageBy, number> = { day: DAYS + 1, model: 2, tool: 2, key: 4 };
      for (const [by, count] of Object.entries(groups) as [UsageBy, number][]) {
        const { rows, total } = await sumUsage(db, accountId, { ...PERIOD, by });
        assert.equal(rows.length, count, by);
        assert.equal(total.chargedMicro, charged, by);
        assert.equal(
          sumOf(rows, (row) => row.chargedMicro),
          charged,
          by,
        );
        assert.deepEqual([total.runs, total.inputTokens], [runs, tokens], by);
        assert.equal(
          sumOf(rows, (row) => row.inputTokens - row.cachedInputTokens),
          runs,
          by,
        );
      }
      for (const key of keys) {
        const { rows } = await sumUsage(db, accountId, { ...PERIOD, by: 'key' });
        const row = rows.find((one) => one.key === (key?.id ?? ''))!;
        const ofKey = ofRuns.filter((line) => line.key?.id === key?.id);
        assert.deepEqual(
          [row.chargedMicro, row.name],
          [ofKey.reduce((sum, { amountMicro }) => sum - amountMicro, 0), key?.name],
        );
        if (key) {
          const filtered = (await listLog(db.read, accountId, { key: key.id, limit: 5 * CALLS })).entries;
          assert.deepEqual(filtered, ofKey);
        }
      }
      const spending = await sumCharges(db, accountId, BEGIN);
      assert.equal(
        spending.reduce((sum, row) => sum + row.chargedMicro, 0),
        charged,
      );
      assert.deepEqual(spending.map(({ key }) => key?.name).sort(), keys.map((key) => key?.name).sort());
    });

    it('has one row for a renamed key, with its newest name, and two for two keys of one name', async () => {
      const accountId = await wallet();
      const [one, two] = [keyOf('laptop'), keyOf('laptop')];
      const used = [one, { ...one, name: 'a desktop' }, two];
      await calls(used.map((key) => ({ accountId, at: BEGIN, key, costMicro: 5 })));
      const { rows } = await sumUsage(db, accountId, { ...PERIOD, by: 'key' });
      assert.deepEqual(
        rows.map(({ key, name, chargedMicro, runs }) => ({ key, name, chargedMicro, runs })),
        [
          { key: one.id, name: 'a desktop', chargedMicro: 10, runs: 2 },
          { key: two.id, name: 'laptop', chargedMicro: 5, runs: 1 },
        ],
      );
      assert.deepEqual(await sumCharges(db, accountId, BEGIN), [
        { conversationId: null, key: { id: one.id, name: 'a desktop' }, chargedMicro: 10, runs: 2 },
        { conversationId: null, key: { id: two.id, name: 'laptop' }, chargedMicro: 5, runs: 1 },
      ]);
      const { entries } = await listLog(db.read, accountId, { key: one.id, limit: 9 });
      assert.deepEqual(
        entries.map(({ key }) => key!.name),
        ['a desktop', 'laptop'],
        'a line has the name that the key had then',
      );
    });

    it('leaves no name of a device or key in the books of somebody who is gone', async () => {
      const accountId = await wallet();
      const hers = { accountId, at: BEGIN, tool: 'Ada’s laptop', costMicro: 5 };
      await calls([
        { ...hers, key: keyOf('Ada’s key') },
        { ...hers, key: null, ends: 'failed' },
      ]);
      await db.write((tx) => forgetWallet(tx, accountId));
      for (const table of ['log_entry', 'hold', 'transfer'] as const)
        assert.doesNotMatch(JSON.stringify(await db.read.selectFrom(table).selectAll().execute()), /Ada/, table);
    });

    if (engine === 'sqlite')
      it('finds the lines of one key by their own index, however long the log is', async () => {
        const { rows } = await sql`explain query plan select * from log_entry
          where ledger_id = 'l' and key_id = 'k' and seq < 9 order by seq desc limit 5`.execute(db.read);
        assert.match(JSON.stringify(rows), /log_entry_key/);
        assert.doesNotMatch(JSON.stringify(rows), /TEMP B-TREE/);
      });
  });
