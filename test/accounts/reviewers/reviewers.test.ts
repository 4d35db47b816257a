import assert from 'node:assert/strict';
import { beginFactor, fitCode, useCode } from '../../../server/accounts/reviewers/factor.ts';
import { seal, unseal } from '../../../server/platform/secrets.ts';
import { systemIds } from '../../../server/platform/system.ts';
import type { DeskState, Factor, Trail } from '../../../shared/desk.ts';
import { runAdmin } from '../../support/admin.ts';
import { type AtDesk, atDesk, newReviewer, openDesk, pageOf, setupCodeOf, totp } from '../../support/desk.ts';
import { SECRET } from '../../support/server.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('a code by time', () => {
  it('is that of RFC 6238', () => {
    const key = Buffer.from('12345678901234567890');
    for (const [seconds, code] of [
      [59, '287082'],
      [1111111109, '081804'],
      [1234567890, '005924'],
      [2000000000, '279037'],
      [20000000000, '353130'],
    ] as const)
      assert.equal(totp(key, 1000 * seconds), code);
  });
});

describe('a sealed text', () => {
  const sealed = seal(SECRET, 'a purpose', 'ada', 'The text.');

  it('is read by who sealed it', () => assert.equal(unseal(SECRET, 'a purpose', 'ada', sealed), 'The text.'));

  it('is another one each time', () => assert.notEqual(seal(SECRET, 'a purpose', 'ada', 'The text.'), sealed));

  for (const [what, given] of [
    ['under another secret', ['another secret, of 32 characters or more', 'a purpose', 'ada', sealed]],
    ['for another purpose', [SECRET, 'another purpose', 'ada', sealed]],
    ['as another owner’s', [SECRET, 'a purpose', 'eve', sealed]],
    ['that is cut off', [SECRET, 'a purpose', 'ada', sealed.slice(0, 20)]],
    ['that is empty', [SECRET, 'a purpose', 'ada', '']],
    ['that is none', [SECRET, 'a purpose', 'ada', '⁂ nothing of that kind, but long enough for it ⁂']],
    ['with a bit turned', [SECRET, 'a purpose', 'ada', `${sealed[0] === 'A' ? 'B' : 'A'}${sealed.slice(1)}`]],
  ] as [string, [string, string, string, string]][])
    it(`is not read ${what}`, () => assert.equal(unseal(...given), null));
});

onBothEnginesWithSignIn('reviewers', (world) => {
  const server = () => world().server();
  const now = () => server().clock.now();
  const db = () => server().db;
  const open = async ({ page }: Pick<AtDesk, 'page'>, body: unknown) => {
    const answer = await page.request<DeskState>('POST', '/api/desk/session', body);
    return answer.status === 200 ? 'open' : answer.body.code;
  };
  const state = async ({ page }: Pick<AtDesk, 'page'>) => (await page.request<DeskState>('GET', '/api/desk')).body;
  const begin = ({ page }: Pick<AtDesk, 'page'>, setupCode: string) =>
    page.request<Factor>('POST', '/api/desk/factor', { setupCode });
  const rowOf = (who: Pick<AtDesk, 'member'>) =>
    db()
      .read.selectFrom('reviewer')
      .selectAll()
      .where('account_id', '=', who.member.accountId)
      .executeTakeFirstOrThrow();

  describe('the second factor', () => {
    it('is set up with the setup code, and counts from its first right code on', async () => {
      const who = await newReviewer(world());
      const closed = { hasFactor: false, needsFactor: true, openUntil: null, counts: null };
      const { hasFactor, needsFactor, openUntil, counts } = await state(who);
      assert.deepEqual({ hasFactor, needsFactor, openUntil, counts }, closed);
      const { status, body } = await begin(who, who.setupCode.toLowerCase().replaceAll('-', ' '));
      assert.equal(status, 200);
      assert.match(body.secret, /^[A-Z2-7]{40}$/);
      const uri = new URL(body.uri);
      assert.equal(uri.protocol, 'otpauth:');
      assert.equal(uri.searchParams.get('secret'), body.secret);
      assert.equal(uri.searchParams.get('issuer'), 'Perigee');
      assert.equal((await rowOf(who)).factor_at, null);
      assert.equal(await open(who, { code: totp(body.secret, now()) }), 'open');
      assert.ok((await rowOf(who)).factor_at);
      assert.deepEqual((await state(who)).counts !== null, true);
    });

    it('is kept encrypted, and its setup code as a hash', async () => {
      const who = await newReviewer(world());
      const before = JSON.stringify(await rowOf(who));
      assert.ok(!before.includes(who.setupCode) && !before.includes(who.setupCode.replaceAll('-', '')));
      const { secret } = (await begin(who, who.setupCode)).body;
      assert.ok(!JSON.stringify(await rowOf(who)).includes(secret));
    });

    it('takes a setup code again until its first right code, with a new secret each time, and never after', async () => {
      const who = await newReviewer(world());
      const both = await Promise.all([begin(who, who.setupCode), begin(who, who.setupCode)]);
      const last = await begin(who, who.setupCode);
      assert.deepEqual(
        [...both, last].map(({ status }) => status),
        [200, 200, 200],
      );
      assert.equal((await state(who)).hasFactor, false, 'a page that was reloaded asks for the setup code');
      for (const { body } of both) assert.equal(await open(who, { code: totp(body.secret, now()) }), 'code_wrong');
      assert.equal(await open(who, { code: totp(last.body.secret, now()) }), 'open');
      assert.equal((await state(who)).hasFactor, true);
      const after = await begin(who, who.setupCode);
      assert.deepEqual([after.status, after.body.code], [403, 'setup_code_wrong']);
      assert.match(after.body.detail, /--setup$/);
    });

    it('takes no setup code that is over, another reviewer’s, or made before the newest one', async () => {
      const [one, other] = [await newReviewer(world()), await newReviewer(world())];
      assert.equal((await begin(one, other.setupCode)).body.code, 'setup_code_wrong');
      const newest = await setupCodeOf(server(), one.email, '--setup');
      assert.equal((await begin(one, one.setupCode)).body.code, 'setup_code_wrong');
      server().clock.advance(24 * HOUR);
      assert.equal((await begin(one, newest)).body.code, 'setup_code_wrong');
      assert.equal((await rowOf(one)).factor, null);
    });

    it('limits how often a setup code is guessed', async () => {
      const who = await newReviewer(world());
      for (let n = 0; n < 10; n++) assert.equal((await begin(who, `WRONG-${n}-WRONG`)).body.code, 'setup_code_wrong');
      const { status, body } = await begin(who, who.setupCode);
      assert.deepEqual([status, body.code], [429, 'too_many_attempts']);
      server().clock.advance(HOUR);
      assert.equal((await begin(who, who.setupCode)).status, 200);
    });

    it('needs to be set up before a code opens the desk', async () => {
      const who = await newReviewer(world());
      assert.equal(await open(who, { code: '123456' }), 'second_factor_required');
      assert.equal(await open(who, {}), 'second_factor_required');
      const odd = await who.page.request('POST', '/api/desk/session', { code: '12345' });
      assert.equal(odd.body.code, 'invalid_request');
    });

    it('takes the code of 30 seconds before and after, written in two groups or one, and no other', async () => {
      const who = await atDesk(world());
      for (const [off, expected] of [
        [-2, 'code_wrong'],
        [-1, 'open'],
        [0, 'open'],
        [1, 'open'],
        [2, 'code_wrong'],
      ] as const) {
        // Past the step that has been used.
        server().clock.advance(2 * MINUTE);
        const code = totp(who.secret, now() + off * 30_000);
        assert.equal(await open(who, { code: `${code.slice(0, 3)} ${code.slice(3)}` }), expected, `${off} steps`);
      }
    });

    it('takes a code once, and none from before the last one', async () => {
      const who = await atDesk(world());
      server().clock.advance(2 * MINUTE);
      const [before, code] = [totp(who.secret, now() - 30_000), totp(who.secret, now())];
      assert.equal(await open(who, { code }), 'open');
      assert.equal(await open(who, { code }), 'code_wrong');
      assert.equal(await open(who, { code: before }), 'code_wrong');
    });

    it('takes a code once, of many requests at once', async () => {
      const who = await atDesk(world());
      server().clock.advance(2 * MINUTE);
      const code = totp(who.secret, now());
      const answers = await Promise.all(Array.from({ length: 4 }, () => open(who, { code })));
      assert.deepEqual(answers.sort(), ['code_wrong', 'code_wrong', 'code_wrong', 'open']);
    });

    it('takes a code once on two nodes that have both found it right', async () => {
      const who = await atDesk(world());
      server().clock.advance(2 * MINUTE);
      const [accountId, at] = [who.member.accountId, now()];
      const fits = () => fitCode(db().read, SECRET, { accountId, code: totp(who.secret, at), at });
      const fitting = await Promise.all([fits(), fits()]);
      const used = await Promise.all(fitting.map((one) => db().write((tx) => useCode(tx, accountId, one!, at))));
      assert.equal(used.filter((one) => one !== null).length, 1);
    });

    it('counts wrong codes: five in ten minutes, and many at once are no way round', async () => {
      const who = await atDesk(world());
      server().clock.advance(20 * MINUTE);
      const wrong = totp(who.secret, now() + 10 * MINUTE);
      const answers = await Promise.all(Array.from({ length: 8 }, () => open(who, { code: wrong })));
      assert.equal(answers.filter((one) => one === 'code_wrong').length, 5);
      assert.equal(answers.filter((one) => one === 'too_many_attempts').length, 3);
      assert.equal(await open(who, { code: totp(who.secret, now()) }), 'too_many_attempts');
      server().clock.advance(10 * MINUTE);
      assert.equal(await open(who, { code: totp(who.secret, now()) }), 'open');
    });

    it('lets somebody with a new setup code try at once, after however many wrong ones', async () => {
      const who = await atDesk(world());
      for (let n = 0; n < 6; n++) await open(who, { code: totp(who.secret, now() + 20 * MINUTE) });
      const { body } = await begin(who, await setupCodeOf(server(), who.email, '--setup'));
      assert.equal(await open(who, { code: totp(body.secret, now()) }), 'open');
    });

    it('counts wrong codes of a day: thirty', async () => {
      const who = await atDesk(world());
      const wrongOnes = async () => {
        server().clock.advance(11 * MINUTE);
        const wrong = totp(who.secret, now() + 10 * MINUTE);
        const answers = [];
        for (let n = 0; n < 5; n++) answers.push(await open(who, { code: wrong }));
        return answers;
      };
      for (let n = 0; n < 6; n++) assert.deepEqual(new Set(await wrongOnes()), new Set(['code_wrong']));
      assert.deepEqual(new Set(await wrongOnes()), new Set(['too_many_attempts']));
      server().clock.advance(24 * HOUR);
      assert.equal(await open(who, { code: totp(who.secret, now()) }), 'open');
    });

    it('says what to do after the server’s secret was changed', async () => {
      const who = await newReviewer(world());
      const deps = { ids: systemIds, secret: 'another secret, of 32 characters or more' };
      const made = { accountId: who.member.accountId, label: 'Ada', setupCode: who.setupCode, at: now() };
      const factor = await db().write((tx) => beginFactor(tx, deps, made));
      const { body } = await who.page.request('POST', '/api/desk/session', { code: totp(factor!.secret, now()) });
      assert.equal(body.code, 'second_factor_required');
      assert.match(body.detail, /secret was changed.*--setup$/);
      assert.equal((await state(who)).hasFactor, false, 'the page asks for a setup code');
      const again = await begin(who, await setupCodeOf(server(), who.email, '--setup'));
      assert.equal(await open(who, { code: totp(again.body.secret, now()) }), 'open');
    });

    it('is forgotten at a new setup code, at the end of the role, and with a new role; the desk closes', async () => {
      const who = await atDesk(world());
      await setupCodeOf(server(), who.email, '--setup');
      assert.equal((await state(who)).openUntil, null);
      server().clock.advance(MINUTE);
      assert.equal(await open(who, { code: totp(who.secret, now()) }), 'second_factor_required');
      await runAdmin(server(), 'reviewer', who.email, '--end');
      assert.equal((await rowOf(who)).setup_hash, null);
      await setupCodeOf(server(), who.email);
      assert.equal(await open(who, { code: totp(who.secret, now()) }), 'second_factor_required');
    });

    it('is not asked for on the server’s own machine, where the desk then is open alone', async () => {
      const who = await newReviewer(world());
      const near = { page: who.page.near() };
      assert.deepEqual([(await state(near)).needsFactor, (await state(who)).needsFactor], [false, true]);
      assert.equal(await open(near, {}), 'open');
      assert.equal((await near.page.request('GET', '/api/desk/cases')).status, 200);
      const { body } = await who.page.request('GET', '/api/desk/cases');
      assert.equal(body.code, 'second_factor_required', 'the same cookie on another machine');
    });

    it('leaves a trail: what was set up, wrong, opened and closed, and by whom', async () => {
      const who = await newReviewer(world());
      await begin(who, 'WRONG-WRONG-WRONG');
      const { secret } = (await begin(who, who.setupCode)).body;
      await open(who, { code: totp(secret, now() + HOUR) });
      await open(who, { code: totp(secret, now()) });
      await open(who, { code: totp(secret, now()) });
      await who.page.request('DELETE', '/api/desk/session');
      await who.page.request('DELETE', '/api/desk/session');
      await openDesk(world(), { ...who, secret });
      const { acts } = (await who.page.request<Trail>('GET', '/api/desk/trail')).body;
      const { name } = await state(who);
      const own = acts.filter((one) => one.who === name || one.detail === name).reverse();
      assert.deepEqual(
        own.map(({ who: by, act, detail }) => [by, act, detail]),
        [
          ['the operator', 'added_reviewer', name],
          [name, 'wrong_code', 'a setup code'],
          [name, 'wrong_code', null],
          [name, 'factor_set', null],
          [name, 'opened_desk', null],
          [name, 'wrong_code', 'a code that was used before'],
          [name, 'closed_desk', null],
          [name, 'opened_desk', null],
        ],
      );
    });
  });

  describe('an open desk', () => {
    const cases = async ({ page }: AtDesk) => (await page.request('GET', '/api/desk/cases')).status;

    it('closes after 15 minutes without use; asking whether it is open is no use', async () => {
      const who = await atDesk(world());
      server().clock.advance(14 * MINUTE);
      assert.ok((await state(who)).openUntil);
      server().clock.advance(MINUTE);
      assert.equal((await state(who)).openUntil, null);
      assert.equal(await cases(who), 403);
      await openDesk(world(), who);
      assert.equal(await cases(who), 200);
    });

    it('stays open with use, for 4 hours at most', async () => {
      const who = await atDesk(world());
      for (let minutes = 0; minutes < 230; minutes += 10) {
        server().clock.advance(10 * MINUTE);
        assert.equal(await cases(who), 200, `after ${minutes + 10} minutes`);
      }
      const until = Date.parse((await state(who)).openUntil!);
      assert.ok(until - server().clock.now() <= 10 * MINUTE, 'the end is told');
      server().clock.advance(10 * MINUTE);
      assert.equal(await cases(who), 403);
    });

    it('stores its use once a minute', async () => {
      const who = await atDesk(world());
      const usedAt = async () => {
        const { used_at } = await server()
          .db.read.selectFrom('desk_session')
          .select('used_at')
          .where('account_id', '=', who.member.accountId)
          .executeTakeFirstOrThrow();
        return Number(used_at);
      };
      const opened = await usedAt();
      await cases(who);
      assert.equal(await usedAt(), opened);
      server().clock.advance(MINUTE);
      await cases(who);
      assert.ok((await usedAt()) > opened);
    });

    it('is open in one browser, and closes in it alone', async () => {
      const who = await atDesk(world());
      const other: AtDesk = { ...who, page: await pageOf(server(), who.member) };
      assert.equal(await cases(other), 403);
      await openDesk(world(), other);
      await other.page.request('DELETE', '/api/desk/session');
      assert.deepEqual([await cases(who), await cases(other)], [200, 403]);
    });

    it('stays closed where the clock was set back', async () => {
      const who = await atDesk(world());
      server().clock.advance(-2 * HOUR);
      assert.equal(await cases(who), 403);
      server().clock.advance(2 * HOUR);
    });
  });

  describe('the commands', () => {
    const admin = (...args: string[]) => runAdmin(server(), ...args);

    it('refuse who can’t be one, or is one already, or is none', async () => {
      const { email } = await newReviewer(world());
      const member = somebody();
      await world().signIn(member);
      const { accountId } = await world().server().guest();
      for (const [args, code, says] of [
        [['reviewer', email], 1, /is a reviewer already.*--setup$/],
        [['reviewer', accountId], 1, /^A guest is no reviewer/],
        [['reviewer', member.email!, '--end'], 1, /is no reviewer\. The command "reviewers"/],
        [['reviewer', member.email!, '--setup'], 1, /is no reviewer\. The command "reviewers"/],
        [['reviewer', 'nobody@example.org'], 1, /^There is no account/],
        [['reviewer', email, '--end', '--setup'], 2, /not both/],
        [['reviewer', email, '--why', 'x'], 2, /takes no --why/],
        [['reviewer'], 2, /needs an email address/],
        [['reviewers', email], 2, /needs no account/],
      ] as const) {
        const done = await admin(...args);
        assert.deepEqual([done.code, says.test(done.lines[0]!)], [code, true], done.lines.join('\n'));
      }
      await admin('suspend', member.email!, '--why', 'A look at it.');
      assert.match((await admin('reviewer', member.email!)).lines[0]!, /suspended or closing/);
    });

    it('list who decides and who has, and how far the second factor is', async () => {
      const line = async (email: string) => (await admin('reviewers')).lines.find((one) => one.includes(email))!;
      const one = await newReviewer(world());
      assert.match(await line(one.email), /active +none; the setup code is good until/);
      const other = await atDesk(world());
      assert.match(await line(other.email), /active +since \d{4}-/);
      await admin('suspend', other.email, '--why', 'A look at it.');
      assert.match(await line(other.email), /none: the account is suspended/);
      await admin('reviewer', one.email, '--end');
      assert.match(await line(one.email), /ended on \d{4}-\d\d-\d\d$/);
    });
  });
});
