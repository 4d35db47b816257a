import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readBalance } from '../../server/credits/holds/balance.ts';
import { takeBack } from '../../server/credits/holds/promotions.ts';
import { grant, openWallet, placeHold, settleHold } from '../../server/credits/holds/store.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { ENGINES } from '../support/engines.ts';
import { freshBooks } from '../support/server.ts';
import { somebodyWaits } from '../support/waiting.ts';

const NOW = 1_800_000_000_000;

for (const engine of ENGINES)
  describe(`promotional credits that are taken back (${engine})`, function () {
    this.timeout(60_000);
    let db: Database;
    let close: () => Promise<void>;
    before(async () => {
      ({ db, close } = await freshBooks(engine));
    });
    after(() => close());

    it('are what is left free by a run that ends in the same moment, above what it held', async () => {
      const [accountId, runId] = [randomUUID(), randomUUID()];
      await db.write(async (tx) => {
        await openWallet(tx, accountId, randomUUID());
        await grant(tx, { accountId, amountMicro: 100, requestId: randomUUID(), reason: 'for the test', at: NOW });
        await placeHold(tx, { id: randomUUID(), accountId, runId, amountMicro: 10, at: NOW });
      });
      const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, estimated: false };
      const run = { runId, conversationId: randomUUID(), model: 'm', tool: 't', usage };
      const back = { accountId, mostMicro: null, id: randomUUID(), reason: 'for the test', at: NOW };
      let reset: ReturnType<Database['write']> | undefined;
      await db.write(async (tx) => {
        await settleHold(tx, run, 30, NOW);
        reset = db.write((other) => takeBack(other, back));
        await somebodyWaits(db);
      });
      assert.deepEqual(await reset, { kind: 'taken', takenMicro: 70, heldMicro: 0 });
      const { availableMicro, pendingMicro, ofMicro } = await readBalance(db.read, accountId, null, NOW);
      assert.deepEqual([availableMicro, pendingMicro, ofMicro], [0, 0, 30]);
    });

    it('are never a negative or a broken number of them', async () => {
      for (const mostMicro of [-1, 0.5, Number.NaN, 2 ** 53])
        await assert.rejects(
          db.write((tx) => takeBack(tx, { accountId: 'x', mostMicro, id: 'x', reason: 'x', at: NOW })),
          /not an amount/,
        );
    });
  });
