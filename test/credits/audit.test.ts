import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { runCommand } from '../../server/accounts/operator/commands.ts';
import { audit, auditLive, type Violation } from '../../server/credits/audit/audit.ts';
import { runAudit } from '../../server/credits/audit/auditJob.ts';
import type { Tx } from '../../server/platform/db/database.ts';
import { createLog, type Log } from '../../server/platform/log.ts';
import { Metrics } from '../../server/platform/metrics.ts';
import { systemClock, systemIds } from '../../server/platform/system.ts';
import type { Client } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';
import { SECRET } from '../support/server.ts';

class Undo extends Error {}

onBothEngines('the audit of the books', (server) => {
  let guest: Client;
  let ledger: string;
  let hold: string;
  beforeEach(async () => {
    guest = await server().guest();
    const request = guest.chat('paid');
    await guest.run(request);
    const row = await server()
      .db.read.selectFrom('hold')
      .select(['id', 'ledger_id'])
      .where('run_id', '=', request.id)
      .executeTakeFirstOrThrow();
    ledger = row.ledger_id;
    hold = row.id;
  });

  /** What the audit finds once somebody has meddled; it is all undone then. */
  async function found(meddle: (tx: Tx) => Promise<unknown>): Promise<Violation[]> {
    let violations: Violation[] = [];
    const work = server().db.write(async (tx) => {
      await meddle(tx);
      violations = await audit(tx, server().clock.now(), 0);
      throw new Undo();
    });
    await assert.rejects(work, Undo);
    return violations;
  }

  const transfer = (row: { debit: string; credit: string; kind: string; amount?: number; hold?: string | null }) =>
    sql`insert into transfer (id, debit, credit, amount, kind, request_id, hold_id, at) values (${randomUUID()},
      ${row.debit}, ${row.credit}, ${row.amount ?? 1}, ${row.kind}, 'again', ${row.hold ?? null}, 1)`;
  const log = (change: string) => sql`update log_entry set ${sql.raw(change)} where ledger_id = ${ledger}
    and kind = 'charge'`;

  const CASES: [letter: Violation['invariant'], title: string, meddle: () => { execute(tx: Tx): Promise<unknown> }][] =
    [
      ['b', 'a cached balance', () => sql`update balance set posted = posted + 1 where ledger_id = ${ledger}`],
      [
        'b',
        'cached pending',
        () => sql`update balance set pending = pending + 1 where ledger_id = ${ledger} and kind = 'promotional'`,
      ],
      ['b', 'a use of a plan', () => sql`insert into plan_use values (${hold}, ${ledger}, 5, 1)`],
      [
        'd',
        'a hold that is open though its run has ended',
        () => sql`update hold set state = 'pending', resolved_at = null, posted_amount = 0 where id = ${hold}`,
      ],
      [
        'd',
        'a voided hold that was charged',
        () => sql`update hold set state = 'voided', posted_amount = 0 where id = ${hold}`,
      ],
      ['e', 'a hold charged otherwise than it says', () => sql`update hold set posted_amount = 1 where id = ${hold}`],
      [
        'e',
        'a refund that is larger than its charge',
        () => transfer({ debit: 'house:refunds', credit: `promotional:${ledger}`, kind: 'refund', amount: 9e9, hold }),
      ],
      ['f', 'a charge without its line in the token log', () => sql`delete from log_entry where ledger_id = ${ledger}`],
      ['f', 'a line that says another charge', () => log('amount = amount - 1')],
      ['f', 'a run without a hold', () => sql`delete from hold where id = ${hold}`],
      ['f', 'an answer that says another charge', () => sql`update message set charged = 7 where charged is not null`],
      [
        'g',
        'credits out of nothing',
        () => transfer({ debit: 'house:revenue', credit: `promotional:${ledger}`, kind: 'grant' }),
      ],
      [
        'g',
        'credits moved to somebody who is no heir',
        () => transfer({ debit: `promotional:${ledger}`, credit: 'promotional:mine', kind: 'move' }),
      ],
      [
        'g',
        'credits that were bought, and reset',
        () => transfer({ debit: `purchased:${ledger}`, credit: 'house:grants', kind: 'reset' }),
      ],
      [
        'g',
        'credits that went back to where promotions come from, by no reset',
        () => transfer({ debit: `promotional:${ledger}`, credit: 'house:grants', kind: 'charge' }),
      ],
      [
        'g',
        'a reset that went elsewhere',
        () => transfer({ debit: `promotional:${ledger}`, credit: 'house:revenue', kind: 'reset' }),
      ],
      [
        'f',
        'a reset that nobody is told of',
        () => transfer({ debit: `promotional:${ledger}`, credit: 'house:grants', kind: 'reset' }),
      ],
      [
        'g',
        'a charge that went to somebody else than the house',
        () => transfer({ debit: `promotional:${ledger}`, credit: 'promotional:mine', kind: 'charge', hold }),
      ],
      [
        'g',
        'a charge of a hold that is not there',
        () => transfer({ debit: `promotional:${ledger}`, credit: 'house:revenue', kind: 'charge', hold: 'nowhere' }),
      ],
      [
        'g',
        'a use of a plan that no hold has set aside',
        () => transfer({ debit: 'house:plan', credit: 'house:revenue', kind: 'charge', hold }),
      ],
      [
        'e',
        'what was charged beyond a hold, twice',
        () => transfer({ debit: `promotional:${ledger}`, credit: 'house:revenue', kind: 'charge', hold }),
      ],
      [
        'f',
        'a refund without its line in the token log',
        () => transfer({ debit: 'house:refunds', credit: `promotional:${ledger}`, kind: 'refund', hold }),
      ],
      ['h', 'a usage that can not be', () => log('cached_input_tokens = input_tokens + 1')],
      ['h', 'a usage that is not there', () => log('input_tokens = null')],
      ['h', 'a cost that the house did not take over', () => log('absorbed = 3')],
      [
        'i',
        'a grant that counted twice',
        () => {
          const twice = { debit: 'house:grants', credit: `promotional:${ledger}`, kind: 'grant' };
          return { execute: async (tx) => [await transfer(twice).execute(tx), await transfer(twice).execute(tx)] };
        },
      ],
      ['j', 'a ledger that was forgotten with its person', () => sql`delete from balance where ledger_id = ${ledger}`],
    ];
  for (const [title, later, isFound] of [
    ['after its hold', 1, true],
    ['before its hold, as it is once the clock was set back', -1, false],
  ] as const)
    it(`${isFound ? 'finds' : 'bears'} a use of a plan ${title}`, async () => {
      const violations = await found(async (tx) => {
        await sql`update hold set plan = amount, promotional = 0, purchased = 0, state = 'pending',
          resolved_at = null, posted_amount = 0 where id = ${hold}`.execute(tx);
        await sql`insert into plan_use (hold_id, ledger_id, amount, at)
          select id, ledger_id, plan, created_at + ${sql.lit(later)} from hold where id = ${hold}`.execute(tx);
      });
      assert.equal(
        violations.some(({ what }) => what.startsWith('a use of a plan that is not')),
        isFound,
      );
    });

  for (const [letter, title, meddle] of CASES)
    it(`finds ${title}, (${letter})`, async () => {
      const violations = await found((tx) => meddle().execute(tx));
      assert.ok(
        violations.some(({ invariant }) => invariant === letter),
        `found: ${violations.map(({ invariant, what }) => `(${invariant}) ${what}`).join('; ') || 'nothing'}`,
      );
      for (const { ids, count } of violations) assert.ok(ids.length >= 1 && ids.length <= 5 && count >= ids.length);
    });

  it('finds nothing in books that hold, while others write', async () => {
    const { db, clock } = server();
    const asking = Promise.all(Array.from({ length: 5 }, (_, n) => guest.run(guest.chat(`meanwhile ${n}`))));
    const audits = await Promise.all([1, 2, 3].map(() => auditLive(db, clock.now(), 60_000)));
    assert.deepEqual(audits, [[], [], []]);
    await asking;
  });

  it('is a job that counts in the metrics and logs what is broken by ids alone', async () => {
    const { db, clock } = server();
    const said: { detail: Record<string, unknown>; text: string }[] = [];
    const silent = createLog('silent');
    const heard = Object.assign(Object.create(silent) as Log, {
      error: (detail: Record<string, unknown>, text: string) => said.push({ detail, text }),
    });
    const metrics = new Metrics({ runningRuns: () => 0, openTails: () => 0 });
    const value = async () => {
      const text = await metrics.registry.getSingleMetricAsString('perigee_audit_violations');
      return /^perigee_audit_violations (\S+)/m.exec(text)?.[1];
    };
    assert.equal(await value(), '-1', 'before the first audit');
    const deps = { db, clock, log: heard, metrics, leaseMs: 15_000 };
    assert.equal(await runAudit(deps), 0);
    assert.equal(await value(), '0');
    const meddle = (by: number) =>
      db.write((tx) =>
        sql`update balance set posted = posted + ${by} where ledger_id = ${ledger} and kind = 'promotional'`.execute(
          tx,
        ),
      );
    await meddle(1);
    assert.equal(await runAudit(deps), 1);
    assert.equal(await value(), '1');
    const command = { ...deps, ids: systemIds, clock: systemClock, secret: SECRET } as never;
    const broken = await runCommand(command, ['audit']);
    await meddle(-1);
    assert.deepEqual(
      said.map(({ detail }) => [detail.invariant, detail.ids]),
      [['b', [ledger]]],
    );
    assert.equal(broken.code, 1);
    assert.match(broken.lines.join('\n'), /\(b\) a cached balance that is not the sum of the journal: \S+ \(1\)/);
    const proven = await runCommand(command, ['audit']);
    assert.equal(proven.code, 0);
    assert.match(proven.lines[0]!, /^The books hold: invariants \(a\) to \(j\) of \d+ transfers, in \d/);
  });
});
