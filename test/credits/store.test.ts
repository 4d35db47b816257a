import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { audit } from '../../server/credits/audit/audit.ts';
import { readBalance } from '../../server/credits/holds/balance.ts';
import { grant, openWallet, placeHold, settleHold, voidHold } from '../../server/credits/holds/store.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { ENGINES } from '../support/engines.ts';
import { freshBooks } from '../support/server.ts';

for (const engine of ENGINES)
  describe(`the books (${engine})`, function () {
    this.timeout(60_000);
    let db: Database;
    let close: () => Promise<void>;
    before(async () => {
      ({ db, close } = await freshBooks(engine));
    });
    after(() => close());

    const NOW = 1_800_000_000_000;
    async function wallet(amountMicro: number): Promise<string> {
      const accountId = randomUUID();
      await db.write(async (tx) => {
        await openWallet(tx, accountId, randomUUID());
        if (amountMicro > 0)
          await grant(tx, { accountId, amountMicro, requestId: randomUUID(), reason: 'for the test', at: NOW });
      });
      return accountId;
    }
    const hold = (accountId: string, amountMicro: number, runId = randomUUID()) =>
      db
        .write((tx) => placeHold(tx, { id: randomUUID(), accountId, runId, amountMicro, at: NOW }))
        .then((answer) => ({ ...answer, runId }));
    const use = (runId: string) => ({
      runId,
      conversationId: randomUUID(),
      model: 'm',
      tool: 't',
      usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, estimated: false },
    });
    const settle = (runId: string, cost: number) => db.write((tx) => settleHold(tx, use(runId), cost, NOW));
    const release = (runId: string, cost = 0) =>
      db.write((tx) => voidHold(tx, use(runId), 'upstream_failed', cost, NOW));
    const balance = async (accountId: string) => {
      const b = await readBalance(db.read, accountId, null, NOW);
      return [b.availableMicro, b.pendingMicro, b.ofMicro];
    };
    /** Runs aren't part of these tests, so the two invariants that ask for them are left out. */
    const proven = async () =>
      (await audit(db.read, NOW, 0)).filter((v) => !/its run has ended|without a resolved hold/.test(v.what));

    afterEach(async () => assert.deepEqual(await proven(), []));

    it('hold, charge, and give the rest back', async () => {
      const id = await wallet(100);
      const { runId } = await hold(id, 60);
      assert.deepEqual(await balance(id), [40, 60, 100]);
      assert.deepEqual(await settle(runId, 25), { kind: 'posted', chargedMicro: 25, absorbedMicro: 0 });
      assert.deepEqual(await balance(id), [75, 0, 100]);
    });

    it('tell a second resolution how it was resolved first, whichever they are', async () => {
      const id = await wallet(100);
      const { runId } = await hold(id, 60);
      await settle(runId, 25);
      for (const again of [await settle(runId, 60), await release(runId)])
        assert.deepEqual(again, { kind: 'resolved_before', state: 'posted', chargedMicro: 25 });
      const second = await hold(id, 10);
      assert.deepEqual(await release(second.runId), { kind: 'voided' });
      for (const again of [await settle(second.runId, 5), await release(second.runId)])
        assert.deepEqual(again, { kind: 'resolved_before', state: 'voided', chargedMicro: 0 });
      assert.deepEqual(await balance(id), [75, 0, 100]);
    });

    it('resolve a hold once when it is settled and voided at the same time', async () => {
      const id = await wallet(100);
      const { runId } = await hold(id, 60);
      const answers = await Promise.all([settle(runId, 60), release(runId), settle(runId, 10), release(runId)]);
      assert.equal(answers.filter((a) => a.kind !== 'resolved_before').length, 1);
    });

    it('charge what lies beyond a hold if it is there, else the house takes it over', async () => {
      const rich = await wallet(100);
      const one = await hold(rich, 10);
      assert.deepEqual(await settle(one.runId, 30), { kind: 'posted', chargedMicro: 30, absorbedMicro: 0 });
      assert.deepEqual(await balance(rich), [70, 0, 100]);
      const poor = await wallet(15);
      const two = await hold(poor, 10);
      assert.deepEqual(await settle(two.runId, 30), { kind: 'posted', chargedMicro: 10, absorbedMicro: 20 });
      assert.deepEqual(await balance(poor), [5, 0, 15]);
    });

    it('refuse a hold beyond what is left, naming it, and never go below zero in parallel', async () => {
      const id = await wallet(100);
      const answers = await Promise.all(Array.from({ length: 40 }, () => hold(id, 7)));
      assert.equal(answers.filter((a) => a.kind === 'held').length, 14);
      const refused = answers.find((a) => a.kind === 'insufficient');
      assert.equal(refused?.kind === 'insufficient' && refused.availableMicro, 2);
      for (const a of answers) if (a.kind === 'held') await settle(a.runId, 7);
      assert.deepEqual(await balance(id), [2, 0, 100]);
    });

    it('take the same grant once', async () => {
      const id = await wallet(0);
      const given = { accountId: id, amountMicro: 5, requestId: 'the same', reason: 'twice', at: NOW };
      await db.write((tx) => grant(tx, given));
      await assert.rejects(db.write((tx) => grant(tx, given)));
      assert.deepEqual(await balance(id), [5, 0, 5]);
    });

    it('undo only the work that failed, when works share a commit', async () => {
      const id = await wallet(100);
      const [good, bad, alsoGood] = await Promise.allSettled([
        hold(id, 10),
        db.write(async (tx) => {
          await placeHold(tx, { id: randomUUID(), accountId: id, runId: randomUUID(), amountMicro: 50, at: NOW });
          throw new Error('after the hold');
        }),
        hold(id, 20),
      ]);
      assert.deepEqual([good.status, bad.status, alsoGood.status], ['fulfilled', 'rejected', 'fulfilled']);
      assert.deepEqual(await balance(id), [70, 30, 100]);
    });

    it('are append-only: no journal row is changed or deleted, by nobody', async () => {
      await wallet(10);
      for (const statement of ['update transfer set amount = 1', 'delete from transfer'])
        await assert.rejects(
          db.write((tx) => sql.raw(statement).execute(tx)),
          /append-only/,
        );
    });

    it('are watched by the database itself: neither a negative balance nor an overdrawn hold can be written', async () => {
      await wallet(10);
      for (const statement of [
        'update balance set posted = -1',
        'update balance set pending = posted + 1',
        'update hold set posted_amount = amount + 1',
      ])
        await assert.rejects(
          db.write((tx) => sql.raw(statement).execute(tx)),
          statement,
        );
    });

    it('are found out by the audit when somebody meddles with a cached balance', async () => {
      const id = await wallet(10);
      const meddle = (posted: number) =>
        db.write((tx) =>
          sql`update balance set posted = posted + ${posted} where kind = 'promotional' and ledger_id =
            (select ledger_id from wallet where account_id = ${id})`.execute(tx),
        );
      await meddle(1);
      assert.deepEqual(
        (await proven()).map((v) => v.invariant),
        ['b'],
      );
      await meddle(-1);
    });
  });
