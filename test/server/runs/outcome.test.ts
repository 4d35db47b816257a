import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { NOT_REFUNDED, type NotRefunded, REASONS } from '../../../shared/runs.ts';
import { type Client, endOf } from '../../support/client.ts';
import { ENGINES, onBothEngines } from '../../support/engines.ts';
import { payFor } from '../../support/paid.ts';
import { freshDatabase, startServer, type TestServer } from '../../support/server.ts';

const C = 1_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** An edit that has come to its end, charged with one message of a guest. */
async function edited(guest: Client) {
  const request = guest.edit('improve', 'let a;');
  const end = endOf(await guest.run(request));
  assert.equal(end.data.chargedMicro, C);
  return request;
}

onBothEngines('what is told of an edit', (server) => {
  it('gives the charge back when nothing could be applied, and everybody who looks sees why', async () => {
    const guest = await server().guest();
    const request = await edited(guest);
    const changes = await guest.changes();
    assert.equal(await guest.available(), 9 * C);
    const { status, body } = await guest.outcome(request.id, 0, 2);
    assert.equal(status, 200);
    const { balance, ...told } = body;
    assert.deepEqual(told, { chargedMicro: 0, refundedMicro: C });
    assert.deepEqual([balance.availableMicro, balance.promotionalMicro, balance.ofMicro], [10 * C, 10 * C, 10 * C]);
    assert.equal(balance.guestMessagesLeft, 10);
    await changes.next((topic) => topic === 'balance');
    await changes.next((topic, id) => topic === 'conversation' && id === request.conversationId);
    changes.close();
    const answer = (await guest.conversation(request.conversationId)).body.messages[1]!;
    assert.deepEqual([answer.chargedMicro, answer.reason, answer.state], [0, 'nothing_applied', 'complete']);
    const [refund, charge] = (await guest.log()).body.entries;
    assert.deepEqual(
      [refund!.kind, refund!.amountMicro, refund!.balanceMicro, refund!.reasonCode, refund!.reason, refund!.runId],
      ['refund', C, 10 * C, 'nothing_applied', REASONS.nothing_applied, request.id],
    );
    assert.deepEqual([charge!.kind, charge!.amountMicro, charge!.runId], ['charge', -C, request.id]);
    const since = new Date(Date.now() - HOUR).toISOString();
    const spent = await guest.request<{ chargedMicro: number }>('GET', `/api/runs/spending?since=${since}`);
    assert.equal(spent.body.chargedMicro, 0);
    const metrics = await (await fetch(`${server().url}/metrics`)).text();
    assert.match(metrics, /perigee_edit_outcomes_total\{result="refunded"\} [1-9]/);
    assert.match(metrics, /perigee_refunded_micro_total [1-9]/);
  });

  it('is the same answer when it is told again, and another outcome is refused', async () => {
    const guest = await server().guest();
    for (const [applied, refused, other] of [
      [0, 2, 1],
      [3, 1, 0],
    ] as const) {
      const request = await edited(guest);
      const first = await guest.outcome(request.id, applied, refused);
      const again = await guest.outcome(request.id, applied, refused);
      assert.deepEqual([again.status, again.body], [200, first.body]);
      for (const [a, r] of [
        [other, refused],
        [applied, refused + 1],
      ] as const) {
        const second = await guest.outcome(request.id, a, r);
        assert.deepEqual([second.status, second.body.code], [409, 'outcome_already_told']);
      }
    }
    assert.equal(await guest.available(), 9 * C);
  });

  it('counts once when it is told many times at once', async () => {
    const guest = await server().guest();
    const request = await edited(guest);
    const answers = await Promise.all(Array.from({ length: 8 }, () => guest.outcome(request.id, 0, 1)));
    for (const { status, body } of answers)
      assert.deepEqual([status, body.chargedMicro, body.refundedMicro], [200, 0, C]);
    assert.equal(await guest.available(), 10 * C);
    const { entries } = (await guest.log()).body;
    assert.equal(entries.filter((e) => e.kind === 'refund').length, 1);
  });

  it('lets one of two different outcomes win that are told at once', async () => {
    const guest = await server().guest();
    const request = await edited(guest);
    const answers = await Promise.all([0, 1, 0, 1].map((applied) => guest.outcome(request.id, applied, 1)));
    assert.deepEqual(answers.map((a) => a.status).sort(), [200, 200, 409, 409]);
    const refunded = answers[0]!.status === 200;
    assert.equal(await guest.available(), refunded ? 10 * C : 9 * C);
  });

  interface Case {
    title: string;
    applied?: number;
    /** Milliseconds between the end and the telling. */
    after?: number;
    why: NotRefunded | null;
  }
  const CASES: Case[] = [
    { title: 'refunds at the last instant', after: 10 * MINUTE - 5_000, why: null },
    { title: 'does not refund what is told late', after: 10 * MINUTE + 1, why: 'late' },
    { title: 'refunds when the clock was set back meanwhile', after: -HOUR, why: null },
    { title: 'does not refund an edit of which one part could be applied', applied: 1, why: 'applied' },
    { title: 'says of a late success that it is one', applied: 1, after: HOUR, why: 'applied' },
  ];
  for (const { title, applied = 0, after = 0, why } of CASES)
    it(title, async () => {
      const guest = await server().guest();
      const request = await edited(guest);
      server().clock.advance(after);
      const { body, status } = await guest.outcome(request.id, applied, 3);
      server().clock.advance(-after);
      assert.equal(status, 200);
      assert.deepEqual([body.notRefunded ?? null, body.refundedMicro], [why, why ? 0 : C]);
      assert.equal(body.chargedMicro, why ? C : 0);
      assert.equal(body.balance.availableMicro, why ? 9 * C : 10 * C);
      const answer = (await guest.conversation(request.conversationId)).body.messages[1]!;
      assert.deepEqual([answer.chargedMicro, answer.reason], why ? [C, undefined] : [0, 'nothing_applied']);
    });

  it('has a sentence for each reason why nothing came back', () => {
    for (const sentence of Object.values(NOT_REFUNDED)) assert.match(sentence, /^[A-Z].*\.$/);
  });

  const UNFINISHED = [
    ['stopped', 'not_complete', C],
    ['failed', 'not_charged', 0],
  ] as const;
  for (const [state, why, charged] of UNFINISHED)
    it(`does not refund an edit that ${state === 'stopped' ? 'was stopped' : 'failed'}`, async () => {
      const guest = await server().guest();
      const request = guest.edit('improve', 'let a;');
      const pieces = ['```\nlet b;', '\n```'];
      const gate = server().double.script(
        state === 'stopped' ? { pieces, gateAt: 1 } : { pieces, gateAt: 1, end: 'destroy' },
      );
      await guest.start(request);
      await gate.atGate;
      await guest.events(request.id, 0, (e) => e.type === 'text');
      const early = await guest.outcome(request.id, 0);
      assert.deepEqual([early.status, early.body.code], [400, 'invalid_request'], 'it still runs');
      if (state === 'stopped') await guest.stop(request.id);
      else gate.open();
      const end = endOf(await guest.events(request.id));
      assert.equal(end.data.chargedMicro, charged);
      const { body } = await guest.outcome(request.id, 0, 1);
      assert.deepEqual([body.notRefunded, body.refundedMicro, body.chargedMicro], [why, 0, charged]);
      assert.equal(await guest.available(), 10 * C - charged);
    });

  it('does not refund an edit that its server left', async () => {
    const guest = await server().guest();
    const request = await edited(guest);
    await server().db.write((tx) => sql`update run set state = 'interrupted' where id = ${request.id}`.execute(tx));
    assert.equal((await guest.outcome(request.id, 0)).body.notRefunded, 'not_complete');
  });

  it('is refused for chats, for runs of others and for runs that are none', async () => {
    const [guest, stranger] = [await server().guest(), await server().guest()];
    const chat = guest.chat('hello');
    await guest.run(chat);
    const edit = await edited(guest);
    const told = async (who: Client, id: string) => {
      const { status, body } = await who.outcome(id, 0);
      return [status, body.code];
    };
    assert.deepEqual(await told(guest, chat.id), [400, 'invalid_request']);
    assert.deepEqual(await told(stranger, edit.id), [404, 'not_found']);
    assert.deepEqual(await told(stranger, chat.id), [404, 'not_found']);
    assert.deepEqual(await told(guest, randomUUID()), [404, 'not_found']);
    assert.equal(await guest.available(), 8 * C);
    assert.equal(await stranger.available(), 10 * C);
    for (const wrong of [{ applied: -1, refused: 0 }, { applied: 0 }, { applied: 0.5, refused: 0 }, []]) {
      const { status } = await guest.request('POST', `/api/runs/${edit.id}/outcome`, wrong);
      assert.equal(status, 400, JSON.stringify(wrong));
    }
    assert.equal((await guest.outcome(edit.id, 0)).body.refundedMicro, C, 'what was refused left no trace');
  });

  it('refunds five edits in 24 hours, and again when they have passed', async () => {
    const guest = await server().guest();
    const tell = async () => (await guest.outcome((await edited(guest)).id, 0, 1)).body;
    for (let n = 0; n < 5; n++) assert.equal((await tell()).refundedMicro, C);
    const sixth = await tell();
    assert.deepEqual([sixth.notRefunded, sixth.refundedMicro, sixth.chargedMicro], ['daily_limit', 0, C]);
    server().clock.advance(24 * HOUR - 10_000);
    assert.equal((await tell()).notRefunded, 'daily_limit');
    server().clock.advance(10_000);
    assert.equal((await tell()).refundedMicro, C);
    server().clock.advance(-24 * HOUR);
  });

  it('refunds five when more are told at once', async () => {
    const guest = await server().guest();
    const requests = [];
    for (let n = 0; n < 7; n++) requests.push(await edited(guest));
    const answers = await Promise.all(requests.map(({ id }) => guest.outcome(id, 0, 1)));
    assert.equal(answers.filter(({ body }) => body.refundedMicro === C).length, 5);
    assert.equal(answers.filter(({ body }) => body.notRefunded === 'daily_limit').length, 2);
    assert.equal(await guest.available(), 8 * C);
  });

  it('refunds an edit whose conversation is gone', async () => {
    const guest = await server().guest();
    const request = await edited(guest);
    await guest.request('DELETE', `/api/conversations/${request.conversationId}`);
    assert.equal((await guest.outcome(request.id, 0, 1)).body.refundedMicro, C);
    assert.equal(await guest.available(), 10 * C);
  });

  it('refunds each fund what it paid', async () => {
    const guest = await server().guest();
    // Half a message in promotional credits; the rest was bought.
    await server().db.write(async (tx) => {
      const { ledger_id } = await tx
        .selectFrom('wallet')
        .selectAll()
        .where('account_id', '=', guest.accountId)
        .executeTakeFirstOrThrow();
      const post = (id: string, debit: string, credit: string, amount: number) =>
        sql`insert into transfer (id, debit, credit, amount, kind, request_id, hold_id, at)
          values (${`${id}:${ledger_id}`}, ${debit}, ${credit}, ${amount}, 'grant', ${id}, null, 1)`.execute(tx);
      await post('spent', `promotional:${ledger_id}`, 'house:revenue', 9.5 * C);
      await sql`update balance set posted = ${0.5 * C} where ledger_id = ${ledger_id} and kind = 'promotional'`.execute(
        tx,
      );
      await payFor(tx, { id: randomUUID(), ledgerId: ledger_id, creditsMicro: 3 * C }, 1);
    });
    const request = await edited(guest);
    const before = (await guest.account()).body.balance;
    assert.deepEqual([before.promotionalMicro, before.purchasedMicro], [0, 2.5 * C]);
    const { balance } = (await guest.outcome(request.id, 0, 1)).body;
    assert.deepEqual([balance.promotionalMicro, balance.purchasedMicro], [0.5 * C, 3 * C]);
  });
});

for (const engine of ENGINES)
  describe(`what is told of an edit, elsewhere (${engine})`, function () {
    this.timeout(60_000);

    it('is limited by what the operator sets', async () => {
      const server = await startServer(engine, {
        policy: (policy) => {
          policy.refunds = { ...policy.refunds, withinMinutes: 1, perDay: 1 };
        },
      });
      try {
        const guest = await server.guest();
        const [late, first, second] = [await edited(guest), await edited(guest), await edited(guest)];
        server.clock.advance(MINUTE + 1_000);
        assert.equal((await guest.outcome(late.id, 0)).body.notRefunded, 'late');
        server.clock.advance(-MINUTE - 1_000);
        assert.equal((await guest.outcome(first.id, 0)).body.refundedMicro, C);
        assert.equal((await guest.outcome(second.id, 0)).body.notRefunded, 'daily_limit');
        await server.audit();
      } finally {
        await server.stop();
      }
    });
  });

describe('what is told of an edit to two nodes at once', function () {
  this.timeout(60_000);
  let one: TestServer;
  let two: TestServer;
  before(async () => {
    const database = await freshDatabase('postgres');
    one = await startServer('postgres', { databaseUrl: database.url });
    two = await startServer('postgres', { databaseUrl: database.url, double: one.double });
  });
  after(async () => {
    await two?.stop();
    await one?.stop();
  });

  it('counts once, and the day’s limit holds over both', async () => {
    one.double.usually({ text: 'An answer.' });
    const guest = await one.guest();
    const other = Object.assign(Object.create(Object.getPrototypeOf(guest)), guest, { url: two.url }) as Client;
    const requests = [];
    for (let n = 0; n < 7; n++) requests.push(await edited(guest));
    const tell = (who: Client, id: string) =>
      who.request<{ refundedMicro: number }>('POST', `/api/runs/${id}/outcome`, { applied: 0, refused: 1 });
    const answers = await Promise.all(
      requests.map(async ({ id }) => {
        const [a, b] = await Promise.all([tell(guest, id), tell(other, id)]);
        assert.deepEqual([a.status, b.status, a.body.refundedMicro], [200, 200, b.body.refundedMicro]);
        return a.body.refundedMicro;
      }),
    );
    assert.equal(answers.filter((micro) => micro === C).length, 5);
    assert.equal(await guest.available(), 8 * C);
    await one.audit();
  });
});
