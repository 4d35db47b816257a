import assert from 'node:assert/strict';
import { applyRetention } from '../../../server/accounts/data/retention.ts';
import { RUNS_OF_ACCOUNTS } from '../../../server/gateway/runs/runs.ts';
import { parseConfig } from '../../../server/platform/config/config.ts';
import type { TestServer } from '../../support/server.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const DAY = 24 * 3_600_000;
const { policy } = parseConfig({}, () => '{}');

onBothEnginesWithSignIn('what the policy keeps no longer', (world) => {
  const server = (): TestServer => world().server();
  const retention = (dryRun = false) => {
    const { db, clock } = server();
    return applyRetention({ db, clock, policy, runs: RUNS_OF_ACCOUNTS }, { dryRun });
  };
  const line = async (what: RegExp, dryRun = false) => {
    const found = (await retention(dryRun)).find((one) => what.test(one.what))!;
    return [found.due, found.deleted];
  };
  /** How many rows of a table say that they are this account's. */
  const rowsOf = async (accountId: string) => {
    const { read } = server().db;
    const counts: Record<string, number> = {};
    for (const table of [
      'identity',
      'session',
      'conversation',
      'run',
      'wallet',
      'one_time_code',
      'device_grant',
    ] as const)
      counts[table] = (
        await read.selectFrom(table).select('account_id').where('account_id', '=', accountId).execute()
      ).length;
    counts.account = (await read.selectFrom('account').select('id').where('id', '=', accountId).execute()).length;
    return counts;
  };
  const nothing = {
    identity: 0,
    session: 0,
    conversation: 0,
    run: 0,
    wallet: 0,
    one_time_code: 0,
    device_grant: 0,
    account: 0,
  };
  const journal = () => server().db.read.selectFrom('transfer').selectAll().orderBy('id').execute();
  const closed = async (person = somebody()) => {
    const { member } = await world().signIn(person);
    await member.request('POST', '/api/account/closing');
    return member;
  };

  it('is a closed account after 7 days, with all that is its own; the books keep every line', async () => {
    const person = somebody();
    const guest = await server().guest();
    await guest.run(guest.chat('as a guest'));
    const { member } = await world().signIn(person, { guestToken: guest.token });
    await member.run(member.chat('as a member'));
    await member.request('POST', '/api/auth/page-code');
    await member.request('POST', '/api/account/closing');
    const stream = await member.changes();
    server().clock.advance(7 * DAY - 1000);
    assert.deepEqual(await line(/closed accounts/), [0, 0], 'not a second too early');
    const before = await journal();
    server().clock.advance(1000);
    assert.deepEqual(await line(/closed accounts/), [1, 1]);
    await stream.ended;
    assert.deepEqual(await rowsOf(member.accountId), nothing);
    assert.deepEqual(await rowsOf(guest.accountId), nothing, 'the guest that it took over goes with it');
    assert.equal(
      (await server().db.read.selectFrom('message').select('id').where('text', 'like', 'as a %').execute()).length,
      0,
    );
    assert.deepEqual(await journal(), before, 'no row of the journal was changed, and none was added');
    assert.equal((await member.account()).status, 401);
    await server().audit();
    const { member: again } = await world().signIn(person);
    assert.notEqual(again.accountId, member.accountId);
    assert.equal(await again.available(), 0, 'the bonus is given once, also to who comes back');
  });

  it('is not an account that was kept after all', async () => {
    const member = await closed();
    server().clock.advance(7 * DAY);
    await member.request('DELETE', '/api/account/closing');
    assert.deepEqual(await line(/closed accounts/), [0, 0]);
    assert.equal((await member.account()).status, 200);
  });

  it('waits for an answer that is still running, which is asked to end', async () => {
    const { member } = await world().signIn(somebody());
    const call = server().double.script({ pieces: ['one ', 'two'], gateAt: 1 });
    const running = member.chat('still running');
    await member.start(running);
    await call.atGate;
    await member.request('POST', '/api/account/closing');
    server().clock.advance(7 * DAY);
    assert.deepEqual(await line(/closed accounts/), [1, 0]);
    await call.ended;
    for (;;) {
      const run = await server()
        .db.read.selectFrom('run')
        .select('state')
        .where('id', '=', running.id)
        .executeTakeFirst();
      if (run?.state !== 'running') break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(await line(/closed accounts/), [1, 1]);
    assert.deepEqual(await rowsOf(member.accountId), nothing);
  });

  it('is a guest that was not seen for 30 days, and no guest that was', async () => {
    await retention();
    const [idle, seen] = [await server().guest(), await server().guest()];
    await idle.run(idle.chat('once'));
    server().clock.advance(29 * DAY);
    assert.equal((await seen.account()).status, 200);
    // Seen is written down beside the answer.
    const lastSeen = () =>
      server()
        .db.read.selectFrom('account')
        .select('last_active_at')
        .where('id', '=', seen.accountId)
        .executeTakeFirstOrThrow();
    while ((await lastSeen()).last_active_at < server().clock.now() - DAY)
      await new Promise((resolve) => setImmediate(resolve));
    server().clock.advance(DAY + 1000);
    assert.deepEqual(await line(/guests/), [1, 1]);
    assert.deepEqual(await rowsOf(idle.accountId), nothing);
    assert.equal((await rowsOf(seen.accountId)).account, 1);
  });

  it('are records of requests after 90 days, ended sessions and replaced messages after 30; conversations stay', async () => {
    const { member } = await world().signIn(somebody());
    const asked = member.chat('keep me');
    await member.run(asked);
    const [, answer] = (await member.conversation(asked.conversationId)).body.messages;
    await member.run(member.chat('', { conversationId: asked.conversationId, replaces: answer!.id }));
    server().clock.advance(91 * DAY);
    const due = Object.fromEntries((await retention(true)).map((one) => [one.what, one]));
    assert.ok(due['records of requests']!.due >= 2);
    assert.ok(due['messages that others replaced']!.due >= 1);
    const done = Object.fromEntries((await retention()).map((one) => [one.what, one]));
    assert.equal(done['records of requests']!.deleted, done['records of requests']!.due);
    const { read } = server().db;
    const texts = await read
      .selectFrom('message')
      .select('text')
      .where('conversation_id', '=', asked.conversationId)
      .execute();
    assert.equal(texts.length, 2);
    assert.equal((await read.selectFrom('run').select('id').where('id', '=', asked.id).execute()).length, 0);
  });

  it('is only counted in a dry run', async () => {
    const member = await closed();
    server().clock.advance(8 * DAY);
    const counted = await line(/closed accounts/, true);
    assert.deepEqual(counted, [1, null]);
    assert.equal((await rowsOf(member.accountId)).account, 1);
    assert.deepEqual(await line(/closed accounts/), [1, 1]);
  });
});
