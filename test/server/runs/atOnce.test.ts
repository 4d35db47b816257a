import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { grant, openWallet, placeHold, settleHold } from '../../../server/credits/holds/store.ts';
import type { Policy } from '../../../server/platform/config/config.ts';
import type { Database } from '../../../server/platform/db/database.ts';
import { Client, endOf } from '../../support/client.ts';
import { ENGINES } from '../../support/engines.ts';
import { payFor } from '../../support/paid.ts';
import { freshDatabase, openBooks, startServer, type TestServer } from '../../support/server.ts';
import { KIMI, member } from '../../support/tokenPrices.ts';

const CREDIT = 1_000_000;
const NOW = 1_800_000_000_000;

for (const engine of ENGINES)
  describe(`what is asked at once of one account (${engine})`, function () {
    this.timeout(90_000);
    const nodes: TestServer[] = [];
    let remove: () => Promise<void>;
    before(async () => {
      const database = await freshDatabase(engine);
      ({ remove } = database);
      const options = {
        databaseUrl: database.url,
        policy: (policy: Policy) => {
          policy.models = [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 8192, price: KIMI }];
        },
      };
      nodes.push(await startServer(engine, options));
      if (engine === 'postgres') nodes.push(await startServer(engine, { ...options, double: nodes[0]!.double }));
      nodes[0]!.double.usually({ text: 'Hello.' });
    });
    after(async () => {
      for (const node of nodes) await node.stop();
      await nodes[0]?.double.stop();
      await remove();
    });
    const other = () => nodes.at(-1)!;

    // Guard: an answer's length is reckoned under the lock on the wallet (placeHold's amountMicro).
    it('is answered whole and shortened, where there is enough for one and a half answers', async () => {
      for (let round = 0; round < 4; round++) {
        const here = await member(nodes[0]!);
        const wallets = nodes[0]!.db.read
          .selectFrom('wallet')
          .select('ledger_id')
          .where('account_id', '=', here.accountId);
        const { ledger_id } = await wallets.executeTakeFirstOrThrow();
        await leave(nodes[0]!.db, ledger_id, 3 * CREDIT);
        const there = new Client(other().url, here.token, here.accountId);
        const requests = [here.chat('one'), there.chat('two')] as const;
        // The first answer must not give back what it held before the second asks.
        const { double } = nodes[0]!;
        const gates = ['one', 'two'].map((when) => double.script({ when, pieces: ['Hello.'], gateAt: 0 }));
        const answers = await Promise.all([here.start(requests[0]), there.start(requests[1])]);
        assert.deepEqual(
          answers.map(({ status, body }) => (status === 202 ? body.run.clampedTo !== undefined : body.code)).toSorted(),
          [false, true],
        );
        for (const gate of gates) gate.open();
        endOf(await here.events(requests[0].id));
        endOf(await there.events(requests[1].id));
      }
    });

    // Guard: held_before. The hold is unique on the run's id, also when the run's own record is kept no longer.
    it('is refused by name, where a run id is of two requests', async () => {
      const [one, two] = [await nodes[0]!.guest(), await other().guest()];
      for (let round = 0; round < 4; round++) {
        const id = randomUUID();
        const answers = await Promise.all([one.start(one.chat('a', { id })), two.start(two.chat('b', { id }))]);
        assert.deepEqual(answers.map(({ status }) => status).toSorted(), [202, 409]);
        assert.equal(answers.find(({ status }) => status === 409)!.body.code, 'run_id_reused');
        const begun = answers[0].status === 202 ? one : two;
        endOf(await begun.events(id));
      }
      const old = one.chat('c');
      endOf(await one.run(old));
      await nodes[0]!.db.write((tx) => tx.deleteFrom('run').where('id', '=', old.id).execute());
      const again = await one.start(one.chat('d', { id: old.id }));
      assert.deepEqual([again.status, again.body.code], [409, 'run_id_reused']);
    });
  });

// Leaves exactly so much, in the journal too: the rest goes back to where promotions come from.
async function leave(db: Database, ledgerId: string, micro: number): Promise<void> {
  await db.write(async (tx) => {
    const { posted } = await tx
      .selectFrom('balance')
      .select('posted')
      .where('ledger_id', '=', ledgerId)
      .where('kind', '=', 'promotional')
      .executeTakeFirstOrThrow();
    const id = randomUUID();
    await tx
      .insertInto('transfer')
      .values({
        id,
        debit: `promotional:${ledgerId}`,
        credit: 'house:grants',
        amount: posted - micro,
        kind: 'reset',
        request_id: id,
        hold_id: null,
        at: NOW,
      })
      .execute();
    await tx
      .updateTable('balance')
      .set({ posted: micro })
      .where('ledger_id', '=', ledgerId)
      .where('kind', '=', 'promotional')
      .execute();
  });
}

describe('holds and charges of one account at once, on two nodes (postgres)', function () {
  this.timeout(90_000);

  // Guard: whoever ends a hold locks the wallet first (lockWalletOfRun), and so never waits for who waits for it.
  it('wait for each other in turn, and never in a ring', async () => {
    const { url, remove } = await freshDatabase('postgres');
    const nodes = [await openBooks(url), await openBooks(url)];
    try {
      const [accountId, ledgerId] = [randomUUID(), randomUUID()];
      await nodes[0]!.write(async (tx) => {
        await openWallet(tx, accountId, ledgerId);
        await grant(tx, { accountId, amountMicro: 100, requestId: randomUUID(), reason: 'x', at: NOW });
        await payFor(tx, { id: randomUUID(), ledgerId, creditsMicro: 1e9 }, NOW);
      });
      const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, estimated: false };
      // Each holds of both funds, until the promotional ones are used up.
      const pair = async (db: Database) => {
        const runId = randomUUID();
        const run = { runId, conversationId: randomUUID(), model: 'm', tool: 't', usage };
        const hold = { id: randomUUID(), accountId, runId, amountMicro: 120, at: NOW };
        assert.equal((await db.write((tx) => placeHold(tx, hold))).kind, 'held');
        assert.equal((await db.write((tx) => settleHold(tx, run, 1, NOW))).kind, 'posted');
      };
      const clients = Array.from({ length: 8 }, async (_, n) => {
        for (let i = 0; i < 10; i++) await pair(nodes[n % 2]!);
      });
      await Promise.all(clients);
      const stat = sql<{
        deadlocks: number;
      }>`select deadlocks from pg_stat_database where datname = current_database()`;
      for (const node of nodes) await node.close();
      const after = await openBooks(url);
      nodes.push(after);
      assert.equal(Number((await stat.execute(after.read)).rows[0]!.deadlocks), 0);
    } finally {
      await nodes.at(-1)!.close();
      await remove();
    }
  });
});
