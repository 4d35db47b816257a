import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { purgePictures } from '../../../server/accounts/cases/pictures.ts';
import type { OwnDecision, OwnDecisions, Picture } from '../../../shared/decisions.ts';
import type { CaseDecision, Decide, Hear, Trail } from '../../../shared/desk.ts';
import { runAdmin } from '../../support/admin.ts';
import { type AtDesk, atDesk, openCase, openDesk, writeDecision } from '../../support/desk.ts';
import type { Member } from '../../support/member.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';
import * as images from './images.ts';

const DAY = 24 * 3_600_000;

onBothEnginesWithSignIn('an appeal', (world, engine) => {
  const server = () => world().server();
  const now = () => server().clock.now();
  let ada: AtDesk;
  let bob: AtDesk;
  before(async () => {
    [ada, bob] = [await atDesk(world()), await atDesk(world())];
  });
  const somebodyNew = async () => (await world().signIn(somebody())).member;

  /** Ada decides about somebody new. */
  async function decided(decision: Partial<Decide>, owner?: Member) {
    const member = owner ?? (await somebodyNew());
    const number = await openCase(server(), member.accountId);
    const wish = { step: 0, why: 'It looked like four people.', ...decision };
    const made = await ada.page.request<CaseDecision>('POST', `/api/desk/cases/${number}/decisions`, wish);
    assert.equal(made.status, 200, JSON.stringify(made.body));
    return { owner: member, number, id: made.body.id };
  }
  const appeal = (owner: Member, id: string, more: object = {}) =>
    owner.request<OwnDecision>('POST', `/api/account/decisions/${id}/appeal`, {
      ...{ time: 'The first week of May', useCase: 'I work behind a gateway of my own.', pictures: [] },
      ...{ numbersMayBeUsed: false, ...more },
    });
  const appealed = async (owner: Member, id: string, more: object = {}) => {
    const { status, body } = await appeal(owner, id, more);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const hear = (at: AtDesk, number: number, outcome: Hear['outcome'], why = 'The gateway explains it.') =>
    at.page.request('POST', `/api/desk/cases/${number}/appeal`, { outcome, why });
  const heard = async (number: number, outcome: Hear['outcome']) => {
    const { status, body } = await hear(bob, number, outcome);
    assert.equal(status, 204, JSON.stringify(body));
  };
  const first = async (owner: Member) =>
    (await owner.request<OwnDecisions>('GET', '/api/account/decisions')).body.decisions[0]!;
  const noticesOf = async (owner: Member) =>
    (await owner.account()).body.notices.filter(({ kind }) => kind === 'decision');
  const send = async (owner: Member, id: string, bytes: Uint8Array, headers: Record<string, string> = {}) => {
    const path = `/api/account/decisions/${id}/pictures`;
    const response = await fetch(owner.url + path, {
      method: 'POST',
      headers: { ...(await owner.credentials('POST', path)), 'content-type': 'image/png', ...headers },
      body: Uint8Array.from(bytes),
    });
    return { status: response.status, body: (await response.json()) as Picture & { code: string; detail: string } };
  };
  const look = async (owner: { url: string; credentials: Member['credentials'] }, path: string) =>
    fetch(owner.url + path, { headers: await owner.credentials('GET', path) });

  it('against a reset that was right gives back what was taken, once, and says sorry', async () => {
    const { owner, number, id } = await decided({ kind: 'reset' });
    assert.equal(await owner.available(), 0);
    const { appeal: made, mayAppealUntil } = await appealed(owner, id);
    assert.deepEqual([made?.heardBy, made?.outcome, mayAppealUntil], ['another reviewer', null, null]);
    assert.deepEqual(await noticesOf(owner), []);
    assert.deepEqual([(await hear(ada, number, 'reversed')).body.code], ['own_decision']);
    const answers = await Promise.all([hear(bob, number, 'reversed'), hear(bob, number, 'reversed')]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 409]);
    assert.equal(await owner.available(), 100_000_000);
    assert.equal((await hear(bob, number, 'upheld')).body.code, 'already_decided');
    const [notice] = await noticesOf(owner);
    assert.equal(notice?.id, `decision:${id}:reversed`);
    assert.equal(
      notice!.text,
      `Your appeal was right, and we are sorry: another reviewer has reversed the decision in case ${number}. 100 credits are back in your account. The gateway explains it.`,
    );
    const lines = (await owner.log()).body.entries.map(({ reason }) => reason);
    assert.equal(lines.filter((reason) => reason === `Given back: your appeal was right (case ${number})`).length, 1);
    const decision = await first(owner);
    assert.deepEqual(
      [decision.appeal?.outcome, decision.appeal?.why, decision.appeal?.heardBy],
      ['reversed', 'The gateway explains it.', 'another reviewer'],
    );
    const { acts } = (await bob.page.request<Trail>('GET', '/api/desk/trail')).body;
    assert.deepEqual(
      acts.filter((act) => act.case === number).map(({ act, detail }) => [act, detail]),
      [
        ['heard_appeal', 'reversed'],
        ['decided', 'reset'],
      ],
    );
    while (!server().mails.some(({ subject, text }) => /appeal/.test(subject) && text.includes(`case ${number}.`)))
      await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('against a suspension gives access back; one against a closing keeps the account', async () => {
    for (const decision of [
      { kind: 'suspend', until: new Date(now() + 9 * DAY).toISOString() },
      { kind: 'close' },
    ] as const) {
      const { owner, number, id } = await decided(decision);
      assert.equal((await owner.start(owner.chat('Hi'))).body.code, 'suspended');
      await appealed(owner, id);
      await heard(number, 'reversed');
      await owner.run(owner.chat('Hi'));
      const { deletedAt } = await first(owner);
      assert.equal(deletedAt, null);
    }
  });

  it('does not end another decision that suspends the account', async () => {
    const until = new Date(now() + 5 * DAY).toISOString();
    const { owner } = await decided({ kind: 'suspend', until });
    const other = await openCase(server(), owner.accountId, { kind: 'referrals' });
    const wish = { step: 0, kind: 'close', why: 'It was sold.' };
    const closed = await ada.page.request<CaseDecision>('POST', `/api/desk/cases/${other}/decisions`, wish);
    const { suspended } = (await owner.account()).body.account;
    assert.match(suspended!.why, /^It was sold\. This account is closed: it is deleted for good on \S+Z, unless/);
    await appealed(owner, closed.body.id);
    await heard(other, 'reversed');
    assert.match(
      (await noticesOf(owner)).map(({ text }) => text).join('\n'),
      /It counts no more, but the decision in case \d+ still does\./,
    );
    const left = (await owner.account()).body.account.suspended;
    assert.deepEqual([left?.until, left?.why], [until, 'It looked like four people.']);
  });

  it('against the end of a link lets people join by it again', async () => {
    const owner = await somebodyNew();
    const joins = async () => {
      const { link } = (await owner.request<{ link: string }>('GET', '/api/referrals')).body;
      return (await fetch(link)).status;
    };
    assert.equal(await joins(), 200);
    const { number, id } = await decided({ kind: 'referrals' }, owner);
    assert.notEqual(await joins(), 200);
    const told = await owner.request<{ isRevoked?: true }>('GET', '/api/referrals');
    assert.equal(told.body.isRevoked, true);
    await appealed(owner, id);
    await heard(number, 'reversed');
    assert.equal(await joins(), 200);
  });

  it('that is lost leaves all as it is, and a closed account a week for its export', async () => {
    const { owner, number, id } = await decided({ kind: 'close' });
    await appealed(owner, id, { numbersMayBeUsed: true });
    server().clock.advance(29 * DAY);
    for (const at of [ada, bob]) await openDesk(world(), at);
    await heard(number, 'upheld');
    const { deletedAt, appeal: lost } = await first(owner);
    assert.equal(Date.parse(deletedAt!), Date.parse(lost!.decidedAt!) + 7 * DAY);
    assert.ok((await owner.account()).body.account.suspended!.why.includes(deletedAt!));
    const [notice] = await noticesOf(owner);
    assert.match(
      notice!.text,
      /^Your appeal in case \d+ was heard by another reviewer: the decision stands\. The gateway/,
    );
  });

  it('is made once, in time, and against something that follows', async () => {
    const { owner, id } = await decided({ kind: 'warn' });
    for (const [more, place] of [
      [{ time: ' ' }, 'time'],
      [{ useCase: '' }, 'useCase'],
      [{ useCase: 'x'.repeat(4_001) }, 'useCase'],
      [{ pictures: Array.from({ length: 5 }, () => randomUUID()) }, 'pictures'],
      [{ numbersMayBeUsed: 'yes' }, 'numbersMayBeUsed'],
      [{ surprise: 1 }, ''],
    ] as const) {
      const { status, body } = await appeal(owner, id, more);
      assert.deepEqual([status, body.issues?.[0]?.path], [400, place]);
    }
    assert.equal((await appeal(owner, id, { pictures: [randomUUID()] })).body.code, 'not_found');
    const twice = await Promise.all([appeal(owner, id), appeal(owner, id)]);
    assert.deepEqual(twice.map(({ status }) => status).sort(), [200, 409]);
    assert.match((await appeal(owner, id)).body.detail, /one can do so once/);
    for (const kind of ['nothing', 'ask'] as const) {
      const member = await somebodyNew();
      const other = await writeDecision(server(), await openCase(server(), member.accountId), kind, null);
      assert.equal((await appeal(member, other)).body.code, 'appeal_closed');
    }
    const member = await somebodyNew();
    const number = await openCase(server(), member.accountId);
    const late = await writeDecision(server(), number, 'warn', null, now() - 30 * DAY);
    assert.match((await appeal(member, late)).body.detail, /^One could appeal until /);
  });

  it('has up to four pictures, sent ahead while suspended, and seen at the desk by a kept act', async () => {
    const { owner, number, id } = await decided({ kind: 'close' });
    const given = await images.pngWithText(images.SECRET_MARK);
    const sent: string[] = [];
    for (let n = 0; n < 4; n++) {
      const { status, body } = await send(owner, id, given, { 'content-type': 'text/html' });
      assert.deepEqual([status, body.width, body.height], [201, 60, 40]);
      sent.push(body.id);
    }
    assert.equal((await send(owner, id, given)).body.code, 'too_many_pictures');
    const path = (picture: string) => `/api/account/decisions/${id}/pictures/${picture}`;
    assert.equal((await owner.request('DELETE', path(sent[3]!))).status, 204);
    assert.equal((await owner.request('DELETE', path(sent[3]!))).status, 404);
    assert.deepEqual(
      (await first(owner)).waiting.map((picture) => picture.id),
      sent.slice(0, 3),
    );
    const shown = await look(owner, path(sent[0]!));
    assert.deepEqual(
      ['content-type', 'content-disposition', 'x-content-type-options', 'content-security-policy', 'cache-control'].map(
        (name) => shown.headers.get(name),
      ),
      [
        ...['image/webp', 'inline; filename="picture.webp"', 'nosniff', "default-src 'none'; sandbox"],
        'private, no-store',
      ],
    );
    const bytes = Buffer.from(await shown.arrayBuffer());
    assert.ok(bytes.toString('latin1', 8, 12) === 'WEBP' && !bytes.includes(images.SECRET_MARK));
    const stranger = await somebodyNew();
    assert.equal((await look(stranger, path(sent[0]!))).status, 404);
    const atDeskPath = (picture: string, of = number) => `/api/desk/cases/${of}/pictures/${picture}`;
    assert.equal((await look(bob.page, atDeskPath(sent[0]!))).status, 404, 'not before it was sent');
    const { appeal: made, waiting } = await appealed(owner, id, { pictures: sent.slice(0, 2) });
    assert.deepEqual(
      [made?.pictures.map((picture) => picture.id), waiting],
      [sent.slice(0, 2), []],
      'what was not chosen is dropped',
    );
    assert.equal((await owner.request('DELETE', path(sent[0]!))).status, 404, 'it was sent');
    assert.equal((await send(owner, id, given)).body.code, 'appeal_closed');
    assert.equal((await look(bob.page, atDeskPath(sent[0]!))).headers.get('content-type'), 'image/webp');
    assert.equal((await look(bob.page, atDeskPath(sent[0]!, number + 1))).status, 404);
    assert.equal((await look(owner, atDeskPath(sent[0]!))).status, 404);
    const { acts } = (await bob.page.request<Trail>('GET', '/api/desk/trail')).body;
    assert.equal(acts.filter(({ act, case: of }) => act === 'saw_picture' && of === number).length, 1);
  });

  it('takes no picture of more than 5 MB, none that is another file, and none of another owner', async () => {
    const { owner, id } = await decided({ kind: 'warn' });
    const most = 5 * 1024 * 1024;
    const large = images.followedBy(await images.png(), 'x'.repeat(most));
    assert.equal((await send(owner, id, large.subarray(0, most + 1))).body.code, 'payload_too_large');
    assert.equal((await send(owner, id, large.subarray(0, most))).status, 201);
    for (const bytes of [Buffer.alloc(0), Buffer.from('<svg/>'), await images.gif()])
      assert.equal((await send(owner, id, bytes)).body.code, 'picture_unreadable');
    const stranger = await decided({ kind: 'warn' });
    const picture = (await send(owner, id, await images.png())).body.id;
    const stolen = await appeal(stranger.owner, stranger.id, { pictures: [picture] });
    assert.equal(stolen.body.code, 'not_found');
    const twisted = `/api/account/decisions/${stranger.id}/pictures/${picture}`;
    assert.equal((await look(stranger.owner, twisted)).status, 404);
    assert.equal((await send(stranger.owner, id, await images.png())).status, 404);
  });

  it('that nobody makes loses its pictures after a day', async () => {
    const { owner, id } = await decided({ kind: 'warn' });
    await send(owner, id, await images.png());
    await server().db.write((tx) => purgePictures(tx, now() + DAY - 1_000));
    assert.equal((await first(owner)).waiting.length, 1);
    await server().db.write((tx) => purgePictures(tx, now() + DAY));
    assert.equal((await first(owner)).waiting.length, 0);
  });

  it('about an account that was deleted is not decided', async () => {
    const { owner, number, id } = await decided({ kind: 'warn' });
    await appealed(owner, id);
    await server().db.write(async (tx) => {
      await tx.updateTable('appeal').set({ account_id: null }).where('decision_id', '=', id).execute();
      await tx.updateTable('decision').set({ account_id: null }).where('id', '=', id).execute();
    });
    assert.equal((await hear(bob, number, 'reversed')).body.code, 'not_to_decide');
    assert.equal((await hear(bob, number + 1_000, 'reversed')).status, 404);
    const without = await decided({ kind: 'warn' });
    assert.equal((await hear(bob, without.number, 'reversed')).body.code, 'not_to_decide');
  });

  it('is heard by the operator where nobody else can, and the owner reads so', async () => {
    const admin = (...args: string[]) => runAdmin(server(), ...args);
    const { owner, number, id } = await decided({ kind: 'reset' });
    const { body: sent } = await send(owner, id, await images.png());
    await appealed(owner, id, { pictures: [sent.id] });
    const early = await admin('appeal', String(number), '--uphold', '--why', 'It stands.');
    assert.equal(early.code, 1);
    assert.match(early.lines.join('\n'), /^Another reviewer hears this appeal: it waits at the desk\. /);
    await admin('reviewer', bob.email, '--end');
    assert.equal((await first(owner)).appeal?.heardBy, 'operator');
    const open = (await admin('appeals')).lines.find((line) => line.startsWith(`${number} `));
    assert.match(open!, /reset\s+you\s/);
    const shown = (await admin('appeal', String(number))).lines.join('\n');
    assert.match(shown, /use +I work behind a gateway of my own\.[\s\S]*state +open: --uphold or --reverse decides it/);
    const folder = await mkdtemp(join(tmpdir(), 'perigee-appeal-'));
    try {
      const written = await admin('appeal', String(number), '--pictures', join(folder, 'new'));
      assert.deepEqual(
        [written.code, written.lines[0]],
        [0, 'Wrote 1 to '.concat(join(folder, 'new'), '. Delete them once the appeal is decided.')],
      );
      const picture = await readFile(join(folder, 'new', `case-${number}-1.webp`));
      assert.equal(picture.toString('latin1', 8, 12), 'WEBP');
      assert.equal(
        (await admin('appeal', String(number), '--pictures', join(folder, 'new', `case-${number}-1.webp`, 'x'))).code,
        1,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
    const done = await admin('appeal', String(number), '--reverse', '--why', 'It was your gateway.');
    assert.deepEqual(
      [done.code, done.lines[0]],
      [0, `The decision in case ${number} is reversed, and no longer has an effect. 100 credits are given back.`],
    );
    assert.equal(await owner.available(), 100_000_000);
    assert.equal((await admin('appeal', String(number), '--reverse', '--why', 'Again.')).code, 1);
    assert.match((await noticesOf(owner))[0]!.text, /sorry: the operator has reversed/);
    for (const wrong of ['0', 'x', '999999']) assert.equal((await admin('appeal', wrong)).code, 1, wrong);
    assert.equal((await admin('appeal', String(number), '--uphold')).code, 2, 'without a reason');
    assert.equal((await admin('appeal', String(number), '--uphold', '--reverse', '--why', 'x')).code, 2);
  });

  it('can be made against the operator’s own suspension; reinstating ends what is suspended and closed', async () => {
    const admin = (...args: string[]) => runAdmin(server(), ...args);
    const owner = await somebodyNew();
    const { lines } = await admin('suspend', owner.accountId, '--why', 'Access was resold.', '--until', '7d');
    const number = Number(/: case (\d+)\.$/.exec(lines[0]!)![1]);
    const { kind, why, rule, id } = await first(owner);
    assert.deepEqual([kind, why], ['suspend', 'Access was resold.']);
    assert.match(rule, /^Fair use: no reselling/);
    const refused = await owner.start(owner.chat('Hi'));
    assert.match(
      refused.body.detail,
      /^This account is suspended until \S+Z\. Access was resold\. Nothing was started; .* how to appeal, on your account page\.$/,
    );
    await appealed(owner, id);
    const ended = await admin('reinstate', owner.accountId);
    assert.match(ended.lines[1]!, new RegExp(`^An appeal is open in case ${number}`));
    assert.equal((await owner.account()).body.account.suspended, undefined);
    assert.ok(Date.parse((await first(owner)).until!) <= now());
    assert.equal((await first(owner)).hasNumbers, false, 'a command has none');
    const second = await decided({ kind: 'close' }, owner);
    assert.equal((await first(owner)).hasNumbers, true);
    const over = await admin('suspend', owner.accountId, '--why', 'Access was resold again.');
    assert.match(over.lines[0]!, new RegExp(`the closing in case ${second.number}: nothing is deleted`));
    await admin('reinstate', owner.accountId);
    assert.equal((await first(owner)).deletedAt, null);
    assert.match((await noticesOf(owner))[0]!.text, /^Your account was suspended until /);
    const acts = await server().db.read.selectFrom('desk_act').selectAll().where('detail', '=', 'reinstated').execute();
    assert.deepEqual([...new Set(acts.map((act) => act.is_operators))], [1]);
    assert.ok(second.number > number);
    const guest = await server().guest();
    const told = await admin('suspend', guest.accountId, '--why', 'A test.');
    assert.doesNotMatch(told.lines[0]!, /case/, `${engine}: a guest has no page to appeal on`);
    assert.doesNotMatch((await guest.start(guest.chat('Hi'))).body.detail, /#decisions/);
  });
});
