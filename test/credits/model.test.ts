import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import { audit } from '../../server/credits/audit.ts';
import { lockCharge, refundRun } from '../../server/credits/refunds.ts';
import { grant, openWallet, placeHold, readBalance, settleHold, voidHold } from '../../server/credits/store.ts';
import { parseConfig } from '../../server/platform/config.ts';
import { type Database, openDatabase } from '../../server/platform/db/database.ts';
import { createLog } from '../../server/platform/log.ts';
import { ENGINES } from '../support/engines.ts';
import { freshDatabase, SECRET } from '../support/server.ts';

const NOW = 1_800_000_000_000;

type Step =
  | { do: 'grant'; micro: number }
  | { do: 'buy'; micro: number }
  | { do: 'hold'; micro: number }
  | { do: 'settle' | 'void'; run: number; micro: number }
  | { do: 'refund'; run: number };

const micro = fc.integer({ min: 1, max: 100 });
const run = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('grant' as const), micro }),
  fc.record({ do: fc.constant('buy' as const), micro }),
  fc.record({ do: fc.constant('hold' as const), micro }),
  fc.record({ do: fc.constantFrom('settle' as const, 'void' as const), run, micro: fc.nat(150) }),
  fc.record({ do: fc.constant('refund' as const), run }),
);

/** What the books must say, told without any of their code: an account with two purses, and its runs. */
class Model {
  readonly purse = { promotional: 0, purchased: 0 };
  readonly runs: { held: [number, number]; state: 'open' | 'charged' | 'free' | 'refunded'; paid: [number, number] }[] =
    [];

  get heldMicro(): number {
    return this.runs.reduce((sum, r) => sum + (r.state === 'open' ? r.held[0] + r.held[1] : 0), 0);
  }

  apply(step: Step): string {
    if (step.do === 'grant' || step.do === 'buy') {
      this.purse[step.do === 'grant' ? 'promotional' : 'purchased'] += step.micro;
      return 'given';
    }
    if (step.do === 'hold') {
      const first = Math.min(step.micro, this.purse.promotional);
      if (step.micro - first > this.purse.purchased) return 'insufficient';
      this.take([first, step.micro - first], -1);
      this.runs.push({ held: [first, step.micro - first], state: 'open', paid: [0, 0] });
      return 'held';
    }
    const known = this.runs[step.run];
    if (!known) return 'none';
    if (step.do === 'refund') {
      if (known.state === 'refunded') return 'refunded_before';
      if (known.state !== 'charged' || known.paid[0] + known.paid[1] === 0) return 'nothing_charged';
      this.take(known.paid, 1);
      known.state = 'refunded';
      return `refund ${known.paid[0] + known.paid[1]}`;
    }
    if (known.state !== 'open') return 'resolved_before';
    this.take(known.held, 1);
    if (step.do === 'void') {
      known.state = 'free';
      return 'voided';
    }
    known.state = 'charged';
    const [held, cost] = [known.held[0] + known.held[1], step.micro];
    const first = Math.min(cost, known.held[0]);
    known.paid = [first, Math.min(cost - first, known.held[1])];
    this.take(known.paid, -1);
    // What lies beyond the hold is taken from one purse that has all of it, or from none.
    const beyond = Math.max(0, cost - held);
    if (beyond > 0 && this.purse.promotional >= beyond) this.pay(known, 0, beyond);
    else if (beyond > 0 && this.purse.purchased >= beyond) this.pay(known, 1, beyond);
    return `posted ${known.paid[0] + known.paid[1]}`;
  }

  private pay(known: { paid: [number, number] }, purse: 0 | 1, amount: number): void {
    known.paid[purse] += amount;
    this.take(purse === 0 ? [amount, 0] : [0, amount], -1);
  }

  private take([promotional, purchased]: [number, number], sign: 1 | -1): void {
    this.purse.promotional += sign * promotional;
    this.purse.purchased += sign * purchased;
  }
}

for (const engine of ENGINES)
  describe(`the books, whatever happens in whichever order (${engine})`, function () {
    this.timeout(120_000);
    let db: Database;
    let remove: () => Promise<void>;
    before(async () => {
      const database = await freshDatabase(engine);
      remove = database.remove;
      db = await openDatabase(
        parseConfig({ DATABASE_URL: database.url, SECRET }, () => '{}').database,
        createLog('silent'),
      );
    });
    after(async () => {
      await db.close();
      await remove();
    });

    /** One account of the real books. */
    async function account() {
      const accountId = randomUUID();
      const ledgerId = randomUUID();
      const runs: string[] = [];
      await db.write((tx) => openWallet(tx, accountId, ledgerId));
      const use = (runId: string) => ({
        runId,
        conversationId: randomUUID(),
        model: 'm',
        usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, estimated: false },
      });
      async function apply(step: Step): Promise<string> {
        const id = randomUUID();
        if (step.do === 'grant') {
          const given = { accountId, amountMicro: step.micro, requestId: id, reason: 'for the test', at: NOW };
          await db.write((tx) => grant(tx, given));
          return 'given';
        }
        if (step.do === 'buy') {
          // No route sells anything yet: as a payment would be booked.
          await db.write(async (tx) => {
            await sql`insert into transfer (id, debit, credit, amount, kind, request_id, hold_id, at) values
              (${id}, 'house:payments', ${`purchased:${ledgerId}`}, ${step.micro}, 'grant', ${id}, null, ${NOW})`.execute(
              tx,
            );
            await sql`update balance set posted = posted + ${step.micro} where ledger_id = ${ledgerId}
              and kind = 'purchased'`.execute(tx);
          });
          return 'given';
        }
        if (step.do === 'hold') {
          const held = await db.write((tx) =>
            placeHold(tx, { id, accountId, runId: id, amountMicro: step.micro, at: NOW }),
          );
          if (held.kind === 'held') runs.push(id);
          return held.kind;
        }
        const runId = runs[step.run];
        if (!runId) return 'none';
        if (step.do === 'refund') {
          const refunded = await db.write(async (tx) => {
            const charge = await lockCharge(tx, accountId, runId);
            return refundRun(tx, charge, { conversationId: id, model: 'm' }, 'nothing_applied', NOW);
          });
          return refunded.kind === 'refund' ? `refund ${refunded.refundedMicro}` : refunded.kind;
        }
        const resolved = await db.write((tx) =>
          step.do === 'settle'
            ? settleHold(tx, use(runId), step.micro, NOW)
            : voidHold(tx, use(runId), 'upstream_failed', step.micro, NOW),
        );
        return resolved.kind === 'posted' ? `posted ${resolved.chargedMicro}` : resolved.kind;
      }
      const balance = async () => {
        const b = await readBalance(db.read, accountId, null, NOW);
        return { promotional: b.promotionalMicro, purchased: b.purchasedMicro, heldMicro: b.pendingMicro };
      };
      return { apply, balance };
    }

    /** Runs aren't part of these tests, so the two invariants that ask for them are left out. */
    const proven = async () =>
      (await audit(db.read, NOW, 0)).filter((v) => !/its run has ended|without a resolved hold/.test(v.what));

    it('say what a plain account of it says, step by step', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
          const [real, model] = [await account(), new Model()];
          for (const one of steps) {
            assert.equal(await real.apply(one), model.apply(one), JSON.stringify(one));
            assert.deepEqual(await real.balance(), { ...model.purse, heldMicro: model.heldMicro });
          }
        }),
        { numRuns: engine === 'sqlite' ? 150 : 40 },
      );
      assert.deepEqual(await proven(), []);
    });

    it('give each charge back once, however many ask at once', async () => {
      const { apply, balance } = await account();
      await apply({ do: 'grant', micro: 60 });
      await apply({ do: 'buy', micro: 100 });
      for (const cost of [40, 70, 0]) {
        await apply({ do: 'hold', micro: 40 });
        await apply({ do: 'settle', run: cost === 40 ? 0 : cost === 70 ? 1 : 2, micro: cost });
      }
      const asked = [0, 1, 2].flatMap((n) => Array.from({ length: 6 }, () => apply({ do: 'refund', run: n })));
      const told = (await Promise.all(asked)).sort();
      assert.deepEqual(
        told.filter((answer) => answer.startsWith('refund ')),
        ['refund 40', 'refund 70'],
      );
      assert.equal(told.filter((answer) => answer === 'refunded_before').length, 10);
      assert.deepEqual(await balance(), { promotional: 60, purchased: 100, heldMicro: 0 });
      assert.deepEqual(await proven(), []);
    });

    const MEDDLING: [what: string, statement: string, invariant: string][] = [
      [
        'a refund beyond the charge',
        "insert into transfer select 'more', debit, credit, amount, kind, request_id, hold_id, at from transfer where kind = 'refund'",
        'e',
      ],
      ['a refund that nobody is told of', "delete from log_entry where kind = 'refund'", 'f'],
      ['a refund for no reason', "update log_entry set reason_code = null where kind = 'refund'", 'f'],
      [
        'a refund of no hold',
        "insert into transfer values ('none', 'house:refunds', 'house:revenue', 1, 'refund', 'x', null, 1)",
        'g',
      ],
    ];
    for (const [what, statement, invariant] of MEDDLING)
      it(`are found out by the audit: ${what}`, async () => {
        const fresh = await freshDatabase(engine);
        const { database } = parseConfig({ DATABASE_URL: fresh.url, SECRET }, () => '{}');
        const own = await openDatabase(database, createLog('silent'));
        const shared = db;
        db = own;
        try {
          const { apply } = await account();
          for (const one of [
            { do: 'grant', micro: 60 },
            { do: 'hold', micro: 40 },
            { do: 'settle', run: 0, micro: 30 },
            { do: 'refund', run: 0 },
          ] as Step[])
            await apply(one);
          assert.deepEqual(await proven(), []);
          await own.write((tx) => sql.raw(statement).execute(tx));
          assert(
            (await proven()).some((v) => v.invariant === invariant),
            what,
          );
        } finally {
          db = shared;
          await own.close();
          await fresh.remove();
        }
      });
  });
