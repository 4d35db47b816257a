import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { forgetWallet } from '../../server/credits/holds/store.ts';
import type { Client } from '../support/client.ts';
import { onBothEnginesWithShop } from '../support/shop.ts';

onBothEnginesWithShop('packs', (shop) => {
  const has = (member: Client) => shop().has(member);

  describe('that are refunded', () => {
    // Guard: what went back so far is counted, not each event (addRefund).
    it('22: are taken back once, however often it is told', async () => {
      const member = await shop().member();
      const { id, session } = await shop().buy(member);
      const [told] = shop().stripe.refund(session, 500);
      const twin = shop().stripe.invent('charge.refunded', told!.data.object);
      const again = [told!, told!, twin, twin].map((event) => shop().stripe.deliver(shop().server.url, event));
      assert.deepEqual(await Promise.all(again), [204, 204, 204, 204]);
      assert.deepEqual(await has(member), { purchased: 0, owed: 0 });
      assert.equal((await shop().check(member, id)).state, 'refunded');
      const lines = (await member.log('?kind=reversal')).body.entries;
      assert.deepEqual(
        lines.map((line) => line.amountMicro),
        [-500e6],
      );
    });

    it('in parts are taken back in parts, in any order', async () => {
      const member = await shop().member();
      const { id, session } = await shop().buy(member);
      const first = shop().stripe.refund(session, 100);
      const second = shop().stripe.refund(session, 150);
      await shop().tell(second);
      assert.equal((await has(member)).purchased, 250);
      await shop().tell(first);
      assert.deepEqual([(await has(member)).purchased, (await shop().check(member, id)).state], [250, 'paid']);
      await shop().tell(shop().stripe.refund(session, 250));
      assert.deepEqual([(await has(member)).purchased, (await shop().check(member, id)).state], [0, 'refunded']);
    });

    it('before it was told that they were paid come to nothing', async () => {
      const member = await shop().member();
      const { session } = await shop().begin(member);
      const paid = shop().stripe.pay(session);
      await shop().tell(shop().stripe.refund(session, 500));
      assert.deepEqual(await has(member), { purchased: 0, owed: 0 });
      await shop().tell(paid);
      assert.deepEqual(await has(member), { purchased: 0, owed: 0 });
      assert.equal((await member.log('?kind=purchase')).body.entries.length, 1);
    });
  });

  describe('whose payment is disputed', () => {
    /** Buys for 5 dollars, and has most of it spent. */
    async function spent(): Promise<{ member: Client; session: string; id: string }> {
      const member = await shop().member();
      const bought = await shop().buy(member);
      const { promotionalMicro } = (await member.account()).body.balance;
      shop().server.double.usually({ text: 'dear' });
      const { db } = shop().server;
      // As a run would, without its two hundred answers.
      await db.write(async (tx) => {
        const { ledger_id } = await tx
          .selectFrom('wallet')
          .select('ledger_id')
          .where('account_id', '=', member.accountId)
          .executeTakeFirstOrThrow();
        const spend = async (fund: 'promotional' | 'purchased', amount: number) => {
          const transfer = { debit: `${fund}:${ledger_id}`, credit: 'house:revenue', amount, kind: 'charge' as const };
          const id = randomUUID();
          await tx
            .insertInto('transfer')
            .values({ ...transfer, id, request_id: id, hold_id: null, at: 1 })
            .execute();
          await tx
            .updateTable('balance')
            .set((eb) => ({ posted: eb('posted', '-', amount) }))
            .where('ledger_id', '=', ledger_id)
            .where('kind', '=', fund)
            .execute();
        };
        await spend('promotional', promotionalMicro);
        await spend('purchased', 380e6);
      });
      return { member, ...bought };
    }

    // Guard: what is spent goes to an account of its own; the database refuses a balance below zero.
    it('owe what was spent, and the next purchase pays it first', async () => {
      const { member, session, id } = await spent();
      await shop().tell(shop().stripe.dispute(session));
      assert.deepEqual(await has(member), { purchased: 0, owed: 380 });
      assert.equal((await shop().check(member, id)).state, 'disputed');
      assert.match(
        (await member.log('?kind=reversal')).body.entries[0]!.reason,
        /380 credits were spent or held already/,
      );
      const { status, body } = await member.start(member.chat('hello'));
      assert.deepEqual([status, body.code], [402, 'insufficient_credits']);
      await shop().buy(member);
      assert.deepEqual(await has(member), { purchased: 120, owed: 0 });
      const [line] = (await member.log('?kind=purchase')).body.entries;
      assert.equal(line!.amountMicro, 120e6);
      assert.match(line!.reason, /380 credits of them paid what was owed\./);
    });

    it('get it back when it is won, what is owed first', async () => {
      const { member, session, id } = await spent();
      await shop().tell([...shop().stripe.dispute(session), ...shop().stripe.dispute(session, 'won')]);
      assert.deepEqual(await has(member), { purchased: 120, owed: 0 });
      assert.equal((await shop().check(member, id)).state, 'paid');
    });

    it('get it back though the debt was paid meanwhile', async () => {
      const { member, session } = await spent();
      await shop().tell(shop().stripe.dispute(session));
      await shop().buy(member);
      await shop().tell(shop().stripe.dispute(session, 'won'));
      assert.deepEqual(await has(member), { purchased: 620, owed: 0 });
    });

    it('get nothing back when it is lost, and an inquiry takes nothing', async () => {
      const { member, session } = await spent();
      await shop().tell([
        ...shop().stripe.dispute(session, 'warning_needs_response'),
        ...shop().stripe.dispute(session, 'warning_closed'),
      ]);
      assert.deepEqual(await has(member), { purchased: 120, owed: 0 });
      await shop().tell([...shop().stripe.dispute(session), ...shop().stripe.dispute(session, 'lost')]);
      assert.deepEqual(await has(member), { purchased: 0, owed: 380 });
    });

    // Guard: a dispute that was won stays so.
    it('lose nothing when it is told that it began after it was won', async () => {
      const { member, session } = await spent();
      const [began, won] = [shop().stripe.dispute(session), shop().stripe.dispute(session, 'won')];
      await shop().tell([...won, ...began, ...won]);
      assert.deepEqual(await has(member), { purchased: 120, owed: 0 });
    });

    it('and refunded too are taken back once', async () => {
      const member = await shop().member();
      const { session } = await shop().buy(member);
      await shop().tell([...shop().stripe.refund(session, 500), ...shop().stripe.dispute(session)]);
      assert.deepEqual(await has(member), { purchased: 0, owed: 0 });
      await shop().tell(shop().stripe.dispute(session, 'won'));
      assert.deepEqual(await has(member), { purchased: 0, owed: 0 });
    });
  });

  describe('paid for after the account was deleted', () => {
    // Guard: the wallet's row, locked. What comes for nobody is credited to nobody, and kept in sight.
    it('are credited to nobody, kept as unclaimed, and logged', async () => {
      const member = await shop().member();
      const { id, session } = await shop().begin(member);
      await shop().server.db.write((tx) => forgetWallet(tx, member.accountId));
      const before = await shop().journal();
      await shop().tell(shop().stripe.pay(session));
      const row = await shop().server.db.read.selectFrom('payment').selectAll().where('id', '=', id).executeTakeFirst();
      assert.equal(row?.state, 'unclaimed');
      assert.deepEqual(await shop().journal(), before);
      assert(shop().logged.some((line) => line.startsWith('error') && line.includes(id)));
      await shop().tell(shop().stripe.refund(session, 500));
      assert.deepEqual(await shop().journal(), before);
    });

    it('and refunded leave the books right', async () => {
      const member = await shop().member();
      const { session } = await shop().buy(member);
      await shop().server.db.write((tx) => forgetWallet(tx, member.accountId));
      await shop().tell(shop().stripe.refund(session, 500));
    });
  });
});
