import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { audit } from '../../server/credits/audit/audit.ts';
import { readBalance } from '../../server/credits/holds/balance.ts';
import { lockCharge, refundRun } from '../../server/credits/holds/refunds.ts';
import { grant, openWallet, placeHold, type RunUse, settleHold, voidHold } from '../../server/credits/holds/store.ts';
import {
  lockLedger,
  purchase,
  readOwed,
  returnPurchase,
  reversePurchase,
} from '../../server/credits/journal/purchases.ts';
import { listLog } from '../../server/credits/log/log.ts';
import { reversedMicro, splitIncome, splitReversal, tierReached } from '../../server/credits/rules/paymentRules.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { ENGINES } from '../support/engines.ts';
import { noteMoneyBack, payFor } from '../support/paid.ts';
import { freshBooks } from '../support/server.ts';

const NOW = 1_800_000_000_000;

describe('what money means in credits', () => {
  const SOLD = { amountCents: 300, creditsMicro: 1_000 };
  const CASES: [what: string, back: [cents: number, state: 'taken' | 'returned'][], micro: number][] = [
    ['nothing went back: nothing is taken back', [], 0],
    ['all of it: all of them', [[300, 'taken']], 1_000],
    ['a part: its share, rounded in the buyer’s favour', [[100, 'taken']], 333],
    [
      'in parts: as much as at once',
      [
        [100, 'taken'],
        [100, 'taken'],
      ],
      666,
    ],
    [
      'more than all: all of them',
      [
        [300, 'taken'],
        [300, 'taken'],
      ],
      1_000,
    ],
    [
      'a dispute that was won counts no more',
      [
        [300, 'returned'],
        [100, 'taken'],
      ],
      333,
    ],
  ];
  for (const [what, back, micro] of CASES)
    it(what, () =>
      assert.equal(
        reversedMicro(
          SOLD,
          back.map(([cents, state]) => ({ cents, state })),
        ),
        micro,
      ),
    );

  it('shares amounts exactly whose product is beyond what a number holds', () =>
    assert.equal(
      reversedMicro({ amountCents: 99_999_999, creditsMicro: 999_999_999_999_999 }, [
        { cents: 99_999_968, state: 'taken' },
      ]),
      999_999_689_999_995,
    ));

  it('never makes or loses a micro-credit', () => {
    const micro = fc.integer({ min: 0, max: 1e15 });
    fc.assert(
      fc.property(micro, micro, (a, b) => {
        const back = splitReversal(a, b);
        assert(back.takenMicro + back.owedMicro === b && back.takenMicro <= a);
        const income = splitIncome(a, b);
        assert(income.repaidMicro + income.freeMicro === b && income.repaidMicro <= a);
      }),
    );
  });

  for (const wrong of [-1, 0.5, Number.NaN, 2 ** 53])
    it(`takes ${wrong} for no amount`, () => {
      assert.throws(() => reversedMicro(SOLD, [{ cents: wrong, state: 'taken' }]), RangeError);
      assert.throws(() => splitReversal(0, wrong), RangeError);
      assert.throws(() => splitIncome(wrong, 0), RangeError);
    });

  it('reaches tiers at 10, 50, 250 and 1,000 dollars', () =>
    assert.deepEqual(
      [0, 999, 1_000, 4_999, 5_000, 25_000, 99_999, 100_000, 10_000_000].map((cents) =>
        tierReached(cents, [1_000, 5_000, 25_000, 100_000]),
      ),
      [0, 0, 1, 1, 2, 3, 3, 4, 4],
    ));
});

for (const engine of ENGINES)
  describe(`credits that were bought (${engine})`, function () {
    this.timeout(60_000);
    let db: Database;
    let close: () => Promise<void>;
    before(async () => {
      ({ db, close } = await freshBooks(engine));
    });
    after(() => close());
    /** Runs aren't part of these tests, so the two invariants that ask for them are left out. */
    const proven = async () =>
      (await audit(db.read, NOW, 0)).filter((v) => !/its run has ended|without a resolved hold/.test(v.what));
    afterEach(async () => assert.deepEqual(await proven(), []));

    async function account(): Promise<{ accountId: string; ledgerId: string }> {
      const made = { accountId: randomUUID(), ledgerId: randomUUID() };
      await db.write((tx) => openWallet(tx, made.accountId, made.ledgerId));
      return made;
    }
    const buy = (ledgerId: string, creditsMicro: number, id = randomUUID()) =>
      db.write((tx) => payFor(tx, { id, ledgerId, creditsMicro }, NOW)).then(() => id);
    const has = async ({ accountId, ledgerId }: { accountId: string; ledgerId: string }) => {
      const { purchasedMicro, pendingMicro, ofMicro } = await readBalance(db.read, accountId, null, NOW);
      return [purchasedMicro, pendingMicro, ofMicro, await readOwed(db.read, ledgerId)];
    };
    /** The whole of a payment goes back, or comes again. */
    const back = (ledgerId: string, paymentId: string, amountMicro: number, cause = `dp_${paymentId}`) =>
      db.write(async (tx) => {
        await lockLedger(tx, ledgerId);
        await noteMoneyBack(tx, { paymentId, cause, state: 'taken', reversedMicro: amountMicro }, NOW);
        return reversePurchase(tx, { ledgerId, cause, amountMicro, reason: 'Disputed', at: NOW });
      });
    const again = (ledgerId: string, paymentId: string, amountMicro: number, cause = `dp_${paymentId}`) =>
      db.write(async (tx) => {
        await lockLedger(tx, ledgerId);
        await noteMoneyBack(tx, { paymentId, cause, state: 'returned', reversedMicro: 0 }, NOW);
        return returnPurchase(tx, { ledgerId, cause, amountMicro, reason: 'Won', at: NOW });
      });
    const hold = (accountId: string, amountMicro: number) =>
      db.write((tx) => placeHold(tx, { id: randomUUID(), accountId, runId: randomUUID(), amountMicro, at: NOW }));

    it('are free at once, beside what was given', async () => {
      const one = await account();
      await db.write((tx) =>
        grant(tx, { accountId: one.accountId, amountMicro: 7, requestId: randomUUID(), reason: 'x', at: NOW }),
      );
      await buy(one.ledgerId, 100);
      assert.deepEqual(await has(one), [100, 0, 107, 0]);
    });

    // Guard: a transfer's id is made of its payment's, and is taken once.
    it('21: the same payment posted twice, also at once, is credited once', async () => {
      const one = await account();
      const id = await buy(one.ledgerId, 100);
      const post = () =>
        db.write((tx) => purchase(tx, { ledgerId: one.ledgerId, cause: id, amountMicro: 100, reason: 'x', at: NOW }));
      const answers = await Promise.allSettled([post(), post(), post()]);
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set(['rejected']));
      assert.deepEqual(await has(one), [100, 0, 100, 0]);
    });

    it('22: the same money back twice, also at once, is taken back once', async () => {
      const one = await account();
      const id = await buy(one.ledgerId, 100);
      const answers = await Promise.allSettled(Array.from({ length: 4 }, () => back(one.ledgerId, id, 100)));
      assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1);
      assert.deepEqual(await has(one), [0, 0, 100, 0]);
    });

    it('that are held when they are to be taken back are owed, and the run keeps its hold', async () => {
      const one = await account();
      const id = await buy(one.ledgerId, 100);
      await hold(one.accountId, 60);
      assert.deepEqual(await back(one.ledgerId, id, 100), { takenMicro: 40, owedMicro: 60 });
      assert.deepEqual(await has(one), [0, 60, 100, 60]);
    });

    // Guard: repayFreed. Else a long answer would keep out of reach what a dispute takes back.
    it('pay what is owed as soon as they get free: by a run that costs less, or nothing, or is refunded', async () => {
      const one = await account();
      const runs = [randomUUID(), randomUUID(), randomUUID()].map((runId) => ({
        ...{ runId, conversationId: randomUUID(), model: 'm', tool: 't' },
        usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, estimated: false },
      }));
      const id = await buy(one.ledgerId, 100);
      const [costsLess, costsNothing, isRefunded] = runs as [RunUse, RunUse, RunUse];
      for (const { runId } of runs)
        await db.write((tx) =>
          placeHold(tx, { id: randomUUID(), accountId: one.accountId, runId, amountMicro: 30, at: NOW }),
        );
      await db.write((tx) => settleHold(tx, isRefunded, 30, NOW));
      await back(one.ledgerId, id, 100);
      assert.deepEqual(await has(one), [0, 60, 100, 90]);
      await db.write((tx) => settleHold(tx, costsLess, 10, NOW));
      assert.deepEqual(await has(one), [0, 30, 100, 70]);
      await db.write((tx) => voidHold(tx, costsNothing, 'upstream_failed', 0, NOW));
      assert.deepEqual(await has(one), [0, 0, 100, 40]);
      await db.write(async (tx) => {
        const charge = await lockCharge(tx, one.accountId, isRefunded.runId);
        return refundRun(tx, charge, isRefunded, 'upstream_failed', NOW);
      });
      assert.deepEqual(await has(one), [0, 0, 100, 10]);
      const lines = await listLog(db.read, one.accountId, { limit: 20 });
      assert.deepEqual(
        lines.entries.filter(({ reason }) => /paid what was owed/.test(reason)).map(({ amountMicro }) => amountMicro),
        [-30, -30, -20],
      );
    });

    it('pay what is owed first, and what is left is theirs', async () => {
      const one = await account();
      const id = await buy(one.ledgerId, 100);
      await hold(one.accountId, 100);
      await back(one.ledgerId, id, 100);
      await buy(one.ledgerId, 30);
      assert.deepEqual(await has(one), [0, 100, 0, 70]);
      await buy(one.ledgerId, 100);
      assert.deepEqual(await has(one), [30, 100, 30, 0]);
    });

    it('come again after a dispute that was won, whatever happened meanwhile', async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 200 }), async (held, bought) => {
          const one = await account();
          const id = await buy(one.ledgerId, 100);
          await hold(one.accountId, held);
          await back(one.ledgerId, id, 100);
          if (bought > 0) await buy(one.ledgerId, bought);
          await again(one.ledgerId, id, 100);
          const [purchased, pending, , owed] = await has(one);
          assert.deepEqual([purchased! - owed!, pending], [100 - held + bought, held]);
          assert.equal(owed, 0);
        }),
        { numRuns: engine === 'sqlite' ? 40 : 15 },
      );
    });

    for (const wrong of [-1, 0, 0.5, Number.NaN, 2 ** 53])
      it(`can not be ${wrong}: refused, and the journal is untouched`, async () => {
        const one = await account();
        const move = { ledgerId: one.ledgerId, cause: randomUUID(), amountMicro: wrong, reason: 'x', at: NOW };
        for (const act of [purchase, reversePurchase, returnPurchase])
          await assert.rejects(
            db.write(async (tx) => void (await act(tx, move))),
            RangeError,
          );
        assert.deepEqual(await has(one), [0, 0, 0, 0]);
      });

    it('can not be more than a balance holds', async () => {
      const one = await account();
      await buy(one.ledgerId, 2 ** 52);
      await assert.rejects(buy(one.ledgerId, 2 ** 52), /more than a balance can hold/);
      assert.deepEqual(await has(one), [2 ** 52, 0, 2 ** 52, 0]);
    });

    const MEDDLING: [what: string, invariant: string, statements: string[]][] = [
      ['credits without a payment', 'g', ['delete from payment_reversal', 'delete from payment']],
      ['a payment that was not paid', 'g', ["update payment set state = 'open', paid_at = null where state = 'paid'"]],
      ['a payment of less', 'g', ['update payment set credits_micro = credits_micro + 1']],
      ['a payment of another account', 'g', ["update payment set ledger_id = 'x'"]],
      ['more taken back than went back', 'g', ["update payment_reversal set state = 'returned'"]],
      [
        'credits taken back for nothing',
        'g',
        ['update payment set reversed_micro = 0', 'delete from payment_reversal'],
      ],
      [
        'a debt that was paid twice',
        'g',
        [
          "insert into transfer select 'x', credit, debit, amount, 'repayment', 'x', null, 1 from transfer where kind = 'debt'",
          "insert into transfer select 'y', 'purchased:' || substr(debit, 6), debit, amount * 2, 'repayment', 'y', null, 1 from transfer where kind = 'debt'",
        ],
      ],
      [
        'a debt that is not what the journal says',
        'b',
        ["update balance set owed = owed + 1 where kind = 'purchased'"],
      ],
      [
        'a debt paid by what got free that nobody is told of',
        'f',
        [
          "insert into transfer select 'x', 'purchased:' || substr(debit, 6), debit, 1, 'repayment', 'x', null, 1 from transfer where kind = 'debt'",
        ],
      ],
      ['a purchase that nobody is told of', 'f', ["delete from log_entry where kind = 'purchase'"]],
      ['a reversal that is told otherwise', 'f', ["update log_entry set amount = amount + 1 where kind = 'reversal'"]],
    ];
    for (const [what, invariant, statements] of MEDDLING)
      it(`are found out by the audit: ${what}`, async () => {
        const fresh = await freshBooks(engine);
        const shared = db;
        db = fresh.db;
        try {
          const one = await account();
          const id = await buy(one.ledgerId, 100);
          await hold(one.accountId, 30);
          await back(one.ledgerId, id, 100);
          assert.deepEqual(await proven(), []);
          await fresh.db.write(async (tx) => {
            for (const statement of statements) await sql.raw(statement).execute(tx);
          });
          assert(
            (await proven()).some((v) => v.invariant === invariant),
            what,
          );
        } finally {
          db = shared;
          await fresh.close();
        }
      });
  });
