import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { grantCredits, resetCredits } from '../../../server/accounts/operator/creditCommands.ts';
import { findByReference } from '../../../server/accounts/people/accountSearch.ts';
import { systemIds } from '../../../server/platform/system.ts';
import type { LogEntry } from '../../../shared/credits.ts';
import { runAdmin } from '../../support/admin.ts';
import { type Client, endOf } from '../../support/client.ts';
import { payFor } from '../../support/paid.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const CREDIT = 1_000_000;
const WHY = ['--why', 'For the test.'] as const;

onBothEnginesWithSignIn('an operator who gives credits and takes them back', (world) => {
  const server = () => world().server();
  const admin = async (...args: string[]) => {
    const { code, lines } = await runAdmin(server(), ...args);
    // What was not understood is followed by a part of the help.
    if (code !== 2) assert.equal(lines.length, 1);
    return { code, said: lines[0]! };
  };
  const signIn = async (guestToken?: string) => (await world().signIn(somebody(), { guestToken })).member;
  const balance = async (client: Client) => (await client.account()).body.balance;
  /** What is left, what is held, and of how much, in credits. */
  async function left(client: Client) {
    const { availableMicro, pendingMicro, ofMicro } = await balance(client);
    return [availableMicro / CREDIT, pendingMicro / CREDIT, ofMicro / CREDIT];
  }
  const lines = async (client: Client, kind: LogEntry['kind']) => (await client.log(`?kind=${kind}`)).body.entries;
  /** A run that is answering and holds what it may cost. */
  async function answering(client: Client) {
    const call = server().double.script({ pieces: ['One ', 'two.'], gateAt: 1 });
    const request = client.chat('count');
    assert.equal((await client.start(request)).status, 202);
    await client.events(request.id, 0, (event) => event.type === 'text');
    return { open: () => call.open(), end: async () => endOf(await client.events(request.id)), id: request.id };
  }
  async function buy(client: Client, credits: number): Promise<void> {
    const { db, clock } = server();
    await db.write(async (tx) => {
      const { ledger_id: ledgerId } = await tx
        .selectFrom('wallet')
        .select('ledger_id')
        .where('account_id', '=', client.accountId)
        .where('is_own', '=', 1)
        .executeTakeFirstOrThrow();
      await payFor(tx, { id: randomUUID(), ledgerId, creditsMicro: credits * CREDIT }, clock.now());
    });
  }

  it('and whose connection breaks is told how to repeat it, so that it is given once', async () => {
    const member = await signIn();
    const { db } = server();
    const { write } = db;
    db.write = async () => {
      throw new Error('Connection terminated unexpectedly');
    };
    let said: string;
    try {
      ({ said } = await admin('grant', member.accountId, '5', ...WHY));
      assert.match((await admin('reset', member.accountId, '1', ...WHY)).said, /look at the credits of/);
    } finally {
      db.write = write;
    }
    const [, id] = /--id (\S+):/.exec(said) ?? [];
    assert.ok(id, said);
    const again = () => admin('grant', member.accountId, '5', ...WHY, '--id', id);
    assert.match((await again()).said, /has 5 credits more/);
    assert.match((await again()).said, /nothing more was given/);
  });

  describe('gives', () => {
    it('the smallest part of a credit, exactly, and the editor hears of it', async () => {
      const member = await signIn();
      const stream = await member.changes();
      const given = await admin('grant', member.accountId, '7.000001', ...WHY);
      assert.match(given.said, / has 7\.000001 credits more\.$/);
      await stream.next((topic, id) => topic === 'balance' && id === member.accountId);
      stream.close();
      assert.deepEqual(await left(member), [107.000001, 0, 107.000001]);
      const [line] = await lines(member, 'grant');
      assert.deepEqual(
        [line!.amountMicro, line!.balanceMicro, line!.reason],
        [7_000_001, 107_000_001, 'For the test.'],
      );
    });

    it('a guest some messages more', async () => {
      const guest = await server().guest();
      assert.equal((await admin('grant', guest.accountId.toUpperCase(), '2', ...WHY)).code, 0);
      assert.equal((await balance(guest)).guestMessagesLeft, 12);
    });

    it('somebody whose name would move a terminal, without that', async () => {
      const nameless = somebody({ email: undefined, name: 'Evil\u001b[2J\u202ename' });
      const { member } = await world().signIn(nameless);
      assert.equal((await admin('grant', member.accountId, '1', ...WHY)).said, 'Evil[2Jname has 1 credit more.');
    });

    it('twice, where nothing says that it is the same', async () => {
      const member = await signIn();
      for (const _ of [1, 2]) await admin('grant', member.accountId, '1', ...WHY);
      assert.equal(await member.available(), 102 * CREDIT);
    });

    it('once for each id, however many ask at once', async () => {
      const member = await signIn();
      const id = randomUUID();
      const ask = () => admin('grant', member.accountId, '5', ...WHY, '--id', id);
      const told = await Promise.all([ask(), ask(), ask(), ask()]);
      assert.equal(told.filter(({ code, said }) => code === 0 && /more\.$/.test(said)).length, 1);
      assert.equal(told.filter(({ code, said }) => code === 0 && /nothing more was given/.test(said)).length, 3);
      assert.equal(await member.available(), 105 * CREDIT);
      assert.equal((await lines(member, 'grant')).length, 2);
    });

    it('to one of several accounts that are given by one id at once', async () => {
      const members = [await signIn(), await signIn(), await signIn(), await signIn()];
      const id = randomUUID();
      const told = await Promise.all(
        members.map(({ accountId }) => admin('grant', accountId, '5', ...WHY, '--id', id)),
      );
      assert.deepEqual(told.map(({ code }) => code).sort(), [0, 1, 1, 1]);
      const refused = told.filter(({ code }) => code === 1);
      for (const { said } of refused)
        assert.match(said, /gave 5 credits on .* to another account\. Nothing was given\./);
      const has = await Promise.all(members.map((member) => member.available()));
      assert.equal(
        has.reduce((all, one) => all + one, 0),
        405 * CREDIT,
      );
    });

    it('nothing by an id that gave something else: another amount, another account, another reason', async () => {
      const [one, other] = [await signIn(), await signIn()];
      const id = randomUUID();
      await admin('grant', one.accountId, '5', ...WHY, '--id', id);
      const told = [
        await admin('grant', one.accountId, '6', ...WHY, '--id', id),
        await admin('grant', other.accountId, '5', ...WHY, '--id', ` ${id} `),
        await admin('grant', one.accountId, '5', '--why', 'For something else.', '--id', id),
      ];
      assert.deepEqual(
        told.map(({ code }) => code),
        [1, 1, 1],
      );
      const earlier = `The id "${id}" gave 5 credits on `;
      for (const { said } of told) assert.ok(said.startsWith(earlier), said);
      assert.match(told[0]!.said, /, not 6 credits\. Nothing was given\. For another grant, use another --id\.$/);
      assert.match(told[1]!.said, / to another account\. /);
      assert.match(told[2]!.said, / for another reason\. /);
      assert.deepEqual([await one.available(), await other.available()], [105 * CREDIT, 100 * CREDIT]);
    });

    it('nothing again to the account that a guest became part of, by the id that gave to the guest', async () => {
      const guest = await server().guest();
      const id = randomUUID();
      await admin('grant', guest.accountId, '5', ...WHY, '--id', id);
      const member = await signIn(guest.token);
      assert.match((await admin('grant', member.accountId, '5', ...WHY, '--id', id)).said, /nothing more was given\.$/);
      assert.equal(await member.available(), 115 * CREDIT);
    });

    it('no more in all than there is room for, whatever is bought besides', async () => {
      const member = await signIn();
      const { code, said } = await admin('grant', member.accountId, '1000000000', ...WHY);
      assert.equal(code, 1);
      assert.match(
        said,
        / has 100 credits of the promotional kind already, and can have at most 1,000,000,000 credits\.$/,
      );
      assert.equal((await admin('grant', member.accountId, '999999900', ...WHY)).code, 0);
      assert.equal((await admin('grant', member.accountId, '0.000001', ...WHY)).code, 1);
      assert.deepEqual(await left(member), [1e9, 0, 1e9]);
      // What the books sum up over everybody must stay a number.
      await admin('reset', member.accountId, ...WHY);
    });

    it('under an id of which the books, which are kept, know no word', async () => {
      const member = await signIn();
      const id = `ada@example.org ${randomUUID()}`;
      await admin('grant', member.accountId, '1', ...WHY, '--id', id);
      const { db } = server();
      const transfers = await db.read.selectFrom('transfer').selectAll().execute();
      assert.ok(!JSON.stringify([transfers, await lines(member, 'grant')]).includes('ada@'));
    });
  });

  it('tells the reason as one line of plain text, whatever was typed, and takes a long one wholly', async () => {
    const member = await signIn();
    const typed = ' For\nthe  report,\u001b[31m red\u202e\u200b of a\u0000 bug. ';
    const shown = 'For the report,[31m red of a\uFFFD bug.';
    await admin('grant', member.accountId, '5', '--why', typed, '--id', `a bug of ${member.accountId}`);
    const again = await admin('grant', member.accountId, '5', '--why', shown, '--id', `a bug of ${member.accountId}`);
    assert.match(again.said, /nothing more was given/, 'what is shown alike is the same reason');
    await admin('reset', member.accountId, '1', '--why', typed);
    await admin('reset', member.accountId, '1', '--why', 'ü'.repeat(200));
    const told = [...(await lines(member, 'grant')), ...(await lines(member, 'reset'))].map(({ reason }) => reason);
    assert.equal(told.filter((reason) => reason === shown).length, 2);
    assert(told.includes('ü'.repeat(200)));
  });

  describe('takes back', () => {
    it('all that is promotional, and leaves what was bought', async () => {
      const member = await signIn();
      await buy(member, 30);
      const stream = await member.changes();
      const reset = await admin('reset', member.accountId, '--why', ' Won by abuse. ');
      assert.match(reset.said, /^Took 100 credits back from .*\.$/);
      await stream.next((topic, id) => topic === 'balance' && id === member.accountId);
      stream.close();
      const { promotionalMicro, purchasedMicro } = await balance(member);
      assert.deepEqual([promotionalMicro, purchasedMicro], [0, 30 * CREDIT]);
      assert.deepEqual(await left(member), [30, 0, 30]);
      const [line] = await lines(member, 'reset');
      assert.deepEqual(
        [line!.amountMicro, line!.balanceMicro, line!.reason],
        [-100 * CREDIT, 30 * CREDIT, 'Won by abuse.'],
      );
      const csv = await member.request<string>('GET', '/api/credits/log.csv');
      assert.match(csv.body, /,reset,-100000000,30000000,Won by abuse\./);
    });

    it('so many, and what was spent stays spent: 99 of 100 less 40 are 59 of 60', async () => {
      const guest = await server().guest();
      await admin('grant', guest.accountId, '90', ...WHY);
      await guest.run(guest.chat('paid'));
      assert.deepEqual(await left(guest), [99, 0, 100]);
      assert.match((await admin('reset', guest.accountId, '40', ...WHY)).said, /^Took 40 credits back from .*\.$/);
      assert.deepEqual(await left(guest), [59, 0, 60]);
    });

    it('never more than is free, and says so', async () => {
      const member = await signIn();
      const { code, said } = await admin('reset', member.accountId, '100.5', ...WHY);
      assert.equal(code, 0);
      assert.match(said, /^Took 100 credits back from .*, not 100\.5 credits: no more was free\.$/);
      assert.deepEqual(await left(member), [0, 0, 0]);
    });

    it('nothing where nothing is free, without a line in the token log', async () => {
      const member = await signIn();
      await buy(member, 30);
      await admin('reset', member.accountId, ...WHY);
      for (const amount of [[], ['1']]) {
        const { code, said } = await admin('reset', member.accountId, ...amount, ...WHY);
        assert.equal(code, 1);
        assert.match(said, / has no promotional credits to take back\.$/);
      }
      assert.equal((await lines(member, 'reset')).length, 1);
      assert.equal(await member.available(), 30 * CREDIT);
    });

    it('what a guest has left, who can ask no more then; what an answer holds is left alone, and said', async () => {
      const guest = await server().guest();
      const run = await answering(guest);
      const { said } = await admin('reset', guest.accountId, ...WHY);
      assert.match(said, /^Took 9 credits back from .*\. Running answers hold 1 credit, left alone\.$/);
      assert.deepEqual(await left(guest), [0, 1, 1]);
      const refused = await guest.start(guest.chat('more'));
      assert.deepEqual([refused.status, refused.body.code], [402, 'insufficient_credits']);
      const again = await admin('reset', guest.accountId, ...WHY);
      assert.match(again.said, /has no promotional credits to take back\. Running answers hold 1 credit,/);
      run.open();
      assert.equal((await run.end()).data.chargedMicro, CREDIT);
      assert.deepEqual(await left(guest), [0, 0, 1]);
      assert.equal((await balance(guest)).guestMessagesLeft, 0);
    });

    it('from an account what a guest brought along; what the guest’s answer holds comes to the account afterwards', async () => {
      const guest = await server().guest();
      const run = await answering(guest);
      const member = await signIn(guest.token);
      assert.deepEqual(await left(member), [109, 1, 109]);
      const { code, said } = await admin('reset', guest.accountId, ...WHY);
      assert.deepEqual([code, said.startsWith(`There is no account "${guest.accountId}"`)], [1, true]);
      assert.match(
        (await admin('reset', member.accountId, ...WHY)).said,
        /^Took 109 credits back from .*\. Running answers hold 1 credit, left alone\.$/,
      );
      assert.deepEqual(await left(member), [0, 1, 0]);
      await member.stop(run.id);
      await member.events(run.id);
      assert.equal((await left(member))[1], 0);
    });

    it('and a charge of before is refunded all the same', async () => {
      const guest = await server().guest();
      const edit = guest.edit('change it', 'let a;');
      await guest.run(edit);
      await admin('reset', guest.accountId, ...WHY);
      assert.equal((await guest.outcome(edit.id, 0, 1)).body.refundedMicro, CREDIT);
      assert.equal(await guest.available(), CREDIT);
    });

    it('while answers begin and end and others take back too: nothing is taken twice', async () => {
      const guest = await server().guest();
      const asked = Array.from({ length: 8 }, async () => {
        const request = guest.chat('at once');
        if ((await guest.start(request)).status === 202) await guest.events(request.id);
      });
      const resets = Array.from({ length: 6 }, () => admin('reset', guest.accountId, '2', ...WHY));
      await Promise.all([...asked, ...resets]);
      await admin('reset', guest.accountId, ...WHY);
      assert.equal(await guest.available(), 0);
      const { entries } = (await guest.log()).body;
      assert.equal(
        entries.reduce((all, entry) => all + entry.amountMicro, 0),
        0,
      );
    });
  });

  it('is told of an account that became part of another while the command ran', async () => {
    const guest = await server().guest();
    const { db, clock } = server();
    const found = (await findByReference(db.read, guest.accountId))!;
    const member = await signIn(guest.token);
    const deps = { db, clock, ids: systemIds };
    const gone = /is gone: it was deleted, or became part of another/;
    await assert.rejects(grantCredits(deps, found, { amountMicro: 5, why: 'x', id: undefined }), gone);
    await assert.rejects(resetCredits(deps, found, { mostMicro: null, why: 'x' }), gone);
    assert.equal(await member.available(), 110 * CREDIT);
  });

  const WRONG: [args: string[], code: number, said: RegExp][] = [
    [['grant'], 2, /grant needs an account and a number of credits, and nothing else/],
    [['grant', 'ACCOUNT', ...WHY], 2, /needs an account and a number of credits/],
    [['grant', 'ACCOUNT', '5', '6', ...WHY], 2, /and nothing else/],
    [['grant', 'ACCOUNT', '5'], 2, /grant needs --why: its owner reads it/],
    ...['  ', '\u200b', ' \n\u202e\u2066', '\u0007'].map((why): [string[], number, RegExp] => [
      ['grant', 'ACCOUNT', '5', '--why', why],
      2,
      /grant needs --why/,
    ]),
    [['grant', 'ACCOUNT', '5', '--why', 'x'.repeat(201)], 2, /--why has 201 characters, and may have 200 at most/],
    [['grant', 'ACCOUNT', '0', ...WHY], 2, /0 credits are nothing/],
    [['grant', 'ACCOUNT', '0.000000', ...WHY], 2, /0\.000000 credits are nothing/],
    [['grant', 'ACCOUNT', '-5', ...WHY], 2, /"-5" is less than nothing/],
    [['grant', 'ACCOUNT', '-.5', ...WHY], 2, /"-\.5" is less than nothing/],
    [['grant', 'ACCOUNT', '−5', ...WHY], 2, /"−5" is less than nothing/],
    [['grant', 'ACCOUNT', '0.0000001', ...WHY], 2, /"0\.0000001" has more than 6 decimals/],
    [['grant', 'ACCOUNT', '1.0000000', ...WHY], 2, /has more than 6 decimals/],
    [['grant', 'ACCOUNT', '1000000000.000001', ...WHY], 2, /credits are more than 1,000,000,000 credits/],
    [['grant', 'ACCOUNT', '9'.repeat(400), ...WHY], 2, /credits are more than 1,000,000,000 credits/],
    ...['five', '1e3', '1,000', '12,5', '+5', '.5', '5.', '0x10', 'Infinity', 'NaN', '', '٣'].map(
      (text): [string[], number, RegExp] => [['grant', 'ACCOUNT', text, ...WHY], 2, /is no number of credits/],
    ),
    [['grant', 'ACCOUNT', '5', ...WHY, '--id', ' '], 2, /An --id has 1 to 200 characters/],
    [['grant', 'ACCOUNT', '5', ...WHY, '--id', 'x'.repeat(201)], 2, /An --id has 1 to 200 characters/],
    [['grant', 'ACCOUNT', '5', ...WHY, '--until', '7d'], 2, /grant takes no --until/],
    [['grant', 'nobody@example.org', '5', ...WHY], 1, /There is no account "nobody@example\.org"/],
    [['reset'], 2, /reset needs an account, perhaps a number of credits, and nothing else/],
    [['reset', 'ACCOUNT', '5', '6', ...WHY], 2, /and nothing else/],
    [['reset', 'ACCOUNT'], 2, /reset needs --why: its owner reads it/],
    [['reset', 'ACCOUNT', '--why', '\u200b'], 2, /reset needs --why/],
    [['reset', 'ACCOUNT', '--why', 'ü'.repeat(201)], 2, /--why has 201 characters/],
    [['reset', 'ACCOUNT', '0', ...WHY], 2, /0 credits are nothing/],
    [['reset', 'ACCOUNT', '-5', ...WHY], 2, /"-5" is less than nothing/],
    [['reset', 'ACCOUNT', '1.2345678', ...WHY], 2, /has more than 6 decimals/],
    [['reset', 'ACCOUNT', 'all', ...WHY], 2, /"all" is no number of credits/],
    [['reset', 'ACCOUNT', '1000000001', ...WHY], 2, /more than 1,000,000,000/],
    [['reset', 'ACCOUNT', ...WHY, '--id', 'x'], 2, /reset takes no --id/],
    [['reset', 'nobody@example.org', ...WHY], 1, /There is no account "nobody@example\.org"/],
  ];
  it('is refused in a line that says what is wrong, and nothing changes', async () => {
    const member = await signIn();
    for (const [args, code, said] of WRONG) {
      const refused = await admin(...args.map((arg) => (arg === 'ACCOUNT' ? member.accountId : arg)));
      assert.equal(refused.code, code, args.join(' '));
      assert.match(refused.said, said, args.join(' '));
    }
    assert.deepEqual(await left(member), [100, 0, 100]);
    assert.equal((await member.log()).body.entries.length, 1);
  });
});
