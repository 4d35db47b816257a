import assert from 'node:assert/strict';
import { openFlag } from '../../../server/risk/flags/store.ts';
import type { OwnDecision, OwnDecisions } from '../../../shared/decisions.ts';
import type { CaseDecision, Decide } from '../../../shared/desk.ts';
import type { Dossier } from '../../../shared/risk.ts';
import { runAdmin } from '../../support/admin.ts';
import { type AtDesk, atDesk, openCase, openDesk, writeDecision } from '../../support/desk.ts';
import type { Member } from '../../support/member.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const DAY = 24 * 3_600_000;
const WHY = 'Four people wrote at once';

onBothEnginesWithSignIn('a decision', (world) => {
  const server = () => world().server();
  const now = () => server().clock.now();
  const inDays = (days: number) => new Date(now() + days * DAY).toISOString();
  let ada: AtDesk;
  let bob: AtDesk;
  before(async () => {
    [ada, bob] = [await atDesk(world()), await atDesk(world())];
  });
  const somebodyNew = async () => (await world().signIn(somebody())).member;
  const decide = (at: AtDesk, number: number, decision: Partial<Decide>) =>
    at.page.request<CaseDecision>('POST', `/api/desk/cases/${number}/decisions`, { step: 0, why: WHY, ...decision });
  const decided = async (at: AtDesk, number: number, decision: Partial<Decide>) => {
    const { status, body } = await decide(at, number, decision);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const listOf = async (owner: Member) =>
    (await owner.request<OwnDecisions>('GET', '/api/account/decisions')).body.decisions;
  const only = async (owner: Member): Promise<OwnDecision> => {
    const list = await listOf(owner);
    assert.equal(list.length, 1);
    return list[0]!;
  };
  const noticesOf = async (owner: Member) =>
    (await owner.account()).body.notices.filter(({ kind }) => kind === 'decision');
  const flagOf = (number: number) =>
    server().db.read.selectFrom('risk_flag').selectAll().where('number', '=', number).executeTakeFirstOrThrow();
  const mailed = async (owner: Member, subject: RegExp) => {
    const { email } = (await owner.account()).body.account;
    const found = () => server().mails.find((mail) => mail.to === email && subject.test(mail.subject));
    while (!found()) await new Promise((resolve) => setTimeout(resolve, 5));
    return found()!.text;
  };

  it('of nothing ends the case without a notice or a mail, and stands in the owner’s list', async () => {
    const owner = await somebodyNew();
    const number = await openCase(server(), owner.accountId);
    const made = await decided(ada, number, { kind: 'nothing' });
    assert.deepEqual([made.kind, made.step, made.why], ['nothing', 0, WHY]);
    assert.notEqual((await flagOf(number)).ended_at, null);
    const { kind, why, rule, mayAppealUntil, appeal } = await only(owner);
    assert.deepEqual([kind, why, mayAppealUntil, appeal], ['nothing', WHY, null, null]);
    assert.match(rule, /resold or passed on/);
    assert.deepEqual(await noticesOf(owner), []);
    const { email } = (await owner.account()).body.account;
    assert.ok(!server().mails.some(({ to, subject }) => to === email && /decision/.test(subject)));
  });

  it('to ask keeps the case open; the answer, once, is read at the desk, and the next decision ends it', async () => {
    const owner = await somebodyNew();
    const number = await openCase(server(), owner.accountId);
    await decided(ada, number, { kind: 'ask', why: 'Is this a team' });
    assert.equal((await flagOf(number)).ended_at, null);
    const [notice] = await noticesOf(owner);
    const { id } = await only(owner);
    assert.equal(notice?.id, `decision:${id}`);
    assert.match(notice!.text, /^A reviewer has a question about your account\. Is this a team\. Answer it on your/);
    assert.match(await mailed(owner, /A question/), /The question: Is this a team\./);
    const again = await decide(bob, number, { step: 1, kind: 'ask' });
    assert.deepEqual([again.status, again.body.code], [409, 'not_to_decide']);
    const answer = (text: string) =>
      owner.request<OwnDecision>('POST', `/api/account/decisions/${id}/answer`, { text });
    for (const text of ['', '  \n ', 'x'.repeat(4_001)])
      assert.equal((await answer(text)).status, 400, text.slice(0, 9));
    const answered = await answer('  No, it is me and my scripts.  ');
    assert.deepEqual([answered.status, answered.body.answer], [200, 'No, it is me and my scripts.']);
    assert.equal((await answer('And more.')).body.code, 'not_to_decide');
    assert.deepEqual(await noticesOf(owner), []);
    const read = await bob.page.request<{ decisions: CaseDecision[] }>('GET', `/api/desk/cases/${number}`);
    assert.equal(read.body.decisions[0]?.answer, 'No, it is me and my scripts.');
    await decided(bob, number, { step: 1, kind: 'nothing' });
    assert.deepEqual(
      (await listOf(owner)).map(({ kind }) => kind),
      ['nothing', 'ask'],
    );
  });

  it('to warn is told with its reason, its rule and how to appeal', async () => {
    const owner = await somebodyNew();
    await decided(ada, await openCase(server(), owner.accountId), { kind: 'warn' });
    const { mayAppealUntil, id } = await only(owner);
    assert.equal(mayAppealUntil, new Date(Date.parse((await only(owner)).at) + 30 * DAY).toISOString());
    const [notice] = await noticesOf(owner);
    assert.equal(notice?.id, `decision:${id}`);
    assert.equal(
      notice!.text,
      `Your account got a warning. ${WHY}. You can appeal until ${mayAppealUntil}, on your account page.`,
    );
    const mail = await mailed(owner, /A decision/);
    assert.match(
      mail,
      /Why: Four people wrote at once\.\n\nThe rule: Fair use: .*\n\nYou can appeal until \d{4}-\d\d-\d\d, /,
    );
    assert.match(mail, /#decisions|account page/);
  });

  it('of a reset takes the free promotional credits, and tells how many', async () => {
    const owner = await somebodyNew();
    const before = await owner.available();
    assert.ok(before > 0);
    const made = await decided(ada, await openCase(server(), owner.accountId), { kind: 'reset' });
    assert.deepEqual([made.takenMicro, await owner.available()], [before, 0]);
    assert.match((await noticesOf(owner))[0]!.text, /^100 credits that you had been given were taken back\. Four/);
    const [line] = (await owner.log()).body.entries;
    assert.match(line!.reason, /^Taken back by a decision: case \d+$/);
  });

  it('of a reset where nothing is free takes nothing, and counts all the same', async () => {
    const owner = await somebodyNew();
    await runAdmin(server(), 'reset', owner.accountId, '--why', 'a test');
    const made = await decided(ada, await openCase(server(), owner.accountId), { kind: 'reset' });
    assert.equal(made.takenMicro, 0);
  });

  it('to suspend ends on its day, and an older, longer suspension is not shortened by it', async () => {
    const owner = await somebodyNew();
    const until = inDays(7);
    await decided(ada, await openCase(server(), owner.accountId), { kind: 'suspend', until });
    const { account, notices } = (await owner.account()).body;
    assert.deepEqual([account.suspended?.until, account.suspended?.why], [until, WHY]);
    assert.deepEqual(
      notices.map(({ kind, text }) => [kind, text.slice(0, 34)]),
      [['suspended', 'This account is suspended until 20']],
      'one notice of one thing',
    );
    const other = await openCase(server(), owner.accountId, { kind: 'not_enough' });
    assert.equal((await decide(bob, other, { kind: 'suspend', until: inDays(2) })).body.code, 'not_to_decide');
    const third = await openCase(server(), owner.accountId, { kind: 'referrals' });
    await decided(bob, third, { kind: 'suspend', until: inDays(2) });
    assert.equal((await owner.account()).body.account.suspended?.until, until);
    server().clock.advance(7 * DAY + 1);
    await owner.run(owner.chat('Hi'));
    for (const at of [ada, bob]) await openDesk(world(), at);
  });

  for (const [title, decision, code, told] of [
    ['a suspension without an end', { kind: 'suspend' }, 'invalid_request', /^until: a suspension needs an end/],
    ['an end in the past', { kind: 'suspend', until: '2020-01-01T00:00:00Z' }, 'invalid_request', /is over already/],
    ['an end in two years', { kind: 'suspend', until: '+730' }, 'invalid_request', /at most a year/],
    ['a warning with an end', { kind: 'warn', until: '+3' }, 'invalid_request', /only a suspension has an end/],
    ['no reason', { kind: 'warn', why: ' \n\t ' }, 'invalid_request', /^why: write a text/],
    ['a reason that is too long', { kind: 'warn', why: 'x'.repeat(2_001) }, 'invalid_request', /^why: /],
    ['an unknown decision', { kind: 'shame' }, 'invalid_request', /^kind: /],
    ['a step ahead', { kind: 'warn', step: 3 }, 'invalid_request', /^step: this case has 0 decisions/],
    ['a step before the first', { kind: 'warn', step: -1 }, 'invalid_request', /^step: /],
  ] as [string, Partial<Decide>, string, RegExp][])
    it(`is refused with ${title}, and nothing is done`, async () => {
      const owner = await somebodyNew();
      const number = await openCase(server(), owner.accountId);
      const until = decision.until?.startsWith('+') ? { until: inDays(Number(decision.until)) } : {};
      const { body } = await decide(ada, number, { ...decision, ...until });
      assert.equal(body.code, code);
      assert.match(body.detail, told);
      assert.deepEqual([(await flagOf(number)).ended_at, await listOf(owner)], [null, []]);
      assert.equal((await owner.account()).body.account.suspended, undefined);
    });

  it('of two reviewers at once is taken once: the other reads who was first, and with what', async () => {
    for (let round = 0; round < 3; round++) {
      const owner = await somebodyNew();
      const number = await openCase(server(), owner.accountId);
      const answers = await Promise.all([
        decide(ada, number, { kind: 'reset' }),
        decide(bob, number, { kind: 'suspend', until: inDays(1) }),
      ]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
      const [first, second] = answers.toSorted((a, b) => a.status - b.status);
      assert.equal(second!.body.code, 'already_decided');
      assert.ok(second!.body.detail.startsWith(`${first!.body.by} decided "${first!.body.kind}" in this case on `));
      const { kind } = await only(owner);
      assert.equal(kind, first!.body.kind);
      const isSuspended = (await owner.account()).body.account.suspended !== undefined;
      assert.deepEqual([isSuspended, (await owner.available()) === 0], [kind === 'suspend', kind === 'reset']);
    }
  });

  it('is refused on one’s own case, a deleted account, a case that ended, and a number that no case has', async () => {
    const own = await openCase(server(), ada.member.accountId);
    assert.equal((await decide(ada, own, { kind: 'nothing' })).body.code, 'own_case');
    await decided(bob, own, { kind: 'nothing' });
    assert.equal((await decide(bob, own, { kind: 'warn', step: 1 })).body.code, 'not_to_decide');
    assert.equal((await decide(bob, own, { kind: 'warn', step: 0 })).body.code, 'already_decided');
    const number = await openCase(server(), (await somebodyNew()).accountId);
    await server().db.write((tx) =>
      tx.updateTable('risk_flag').set({ account_id: null, ended_at: now() }).where('number', '=', number).execute(),
    );
    const gone = await decide(bob, number, { kind: 'warn' });
    assert.deepEqual(
      [gone.body.code, gone.body.detail],
      ['not_to_decide', 'The account was deleted: there is nothing to decide.'],
    );
    for (const forged of ['999999', '0', '-1', '1e3', '1.5', 'x', '99999999999999999999', "1'--"]) {
      const path = `/api/desk/cases/${encodeURIComponent(forged)}/decisions`;
      const { status, body } = await bob.page.request('POST', path, { step: 0, kind: 'warn', why: WHY });
      assert.equal(status, forged.length > 20 ? 400 : 404, `${forged}: ${JSON.stringify(body)}`);
    }
  });

  it('is refused to whoever is a reviewer no more, also within the transaction', async () => {
    const eve = await atDesk(world());
    const number = await openCase(server(), (await somebodyNew()).accountId);
    await runAdmin(server(), 'reviewer', eve.email, '--end');
    assert.equal((await decide(eve, number, { kind: 'nothing' })).status, 404);
    assert.equal((await flagOf(number)).ended_at, null);
  });

  it('about what is not enough to act on is nothing, a question or a warning, whatever the owner says', async () => {
    const owner = await somebodyNew();
    const number = await openCase(server(), owner.accountId, { kind: 'not_enough' });
    const refused = await decide(ada, number, { kind: 'close' });
    assert.deepEqual(
      [refused.body.code, refused.body.detail],
      ['not_to_decide', 'Here you can decide: nothing, ask, warn. Nothing was decided.'],
    );
    const { id } = await decided(ada, number, { kind: 'ask' });
    await owner.request('POST', `/api/account/decisions/${id}/answer`, { text: 'Yes, I sell it.' });
    await ada.page.request('GET', `/api/desk/cases/${number}`);
    const suspended = await decide(ada, number, { step: 1, kind: 'suspend', until: inDays(1) });
    assert.equal(suspended.body.code, 'not_to_decide');
    await decided(ada, number, { step: 1, kind: 'warn' });
  });

  it('is the owner’s alone: others and tools find none', async () => {
    const [owner, other] = [await somebodyNew(), await somebodyNew()];
    const number = await openCase(server(), owner.accountId);
    const id = await writeDecision(server(), number, 'ask', null);
    assert.deepEqual(await listOf(other), []);
    for (const [method, path, body] of [
      ['POST', 'answer', { text: 'Hi' }],
      ['POST', 'appeal', { time: 't', useCase: 'u', pictures: [], numbersMayBeUsed: false }],
      ['POST', 'pictures', 'x'],
      ['GET', `pictures/${id}`, undefined],
      ['DELETE', `pictures/${id}`, undefined],
    ] as const) {
      const { status } = await other.request(method, `/api/account/decisions/${id}/${path}`, body);
      assert.equal(status, 404, `${method} ${path}`);
    }
    const guest = await server().guest();
    assert.deepEqual((await guest.request<OwnDecisions>('GET', '/api/account/decisions')).body.decisions, []);
  });

  it('keeps a flag of the same kind from being opened for 30 days', async () => {
    const owner = await somebodyNew();
    const number = await openCase(server(), owner.accountId);
    const { dossier } = await flagOf(number);
    const opens = async (kind: 'sharing' | 'not_enough') => {
      const made = { ...(JSON.parse(dossier) as Dossier), kind };
      return (await server().db.write((tx) => openFlag(tx, owner.accountId, made, now()))) !== null;
    };
    assert.equal(await opens('sharing'), false, 'one is open');
    await decided(ada, number, { kind: 'nothing' });
    assert.equal(await opens('sharing'), false);
    assert.equal(await opens('not_enough'), true);
    server().clock.advance(29 * DAY);
    assert.equal(await opens('sharing'), false);
    server().clock.advance(DAY + 1);
    assert.equal(await opens('sharing'), true);
  });
});
