import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { applyRetention } from '../../../server/accounts/data/retention.ts';
import { claimByCode } from '../../../server/accounts/people/promotions.ts';
import { RUNS_OF_ACCOUNTS } from '../../../server/gateway/runs/runs.ts';
import { parseConfig } from '../../../server/platform/config/config.ts';
import type { ClaimAnswer, PromotionsAnswer } from '../../../shared/promotions.ts';
import { runAdmin } from '../../support/admin.ts';
import type { Client } from '../../support/client.ts';
import { SECRET } from '../../support/server.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';
import { somebodyWaits } from '../../support/waiting.ts';

const CREDIT = 1_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const { policy } = parseConfig({}, () => '{}');

onBothEnginesWithSignIn('a promotion', (world) => {
  const server = () => world().server();
  const admin = (...args: string[]) => runAdmin(server(), ...args);
  const member = async (person = somebody(), guestToken?: string) =>
    (await world().signIn(person, { guestToken })).member;
  const claim = (client: Client, code: string) =>
    client.request<ClaimAnswer>('POST', '/api/promotions/claim', { code });
  const claimable = async (client: Client) =>
    (await client.request<PromotionsAnswer>('GET', '/api/promotions')).body.claimable;
  const credits = async (client: Client) => (await client.available()) / CREDIT;
  /** What one got, newest first, and why. */
  const grants = async (client: Client) =>
    (await client.log('?kind=grant')).body.entries.map(({ amountMicro, reason }) => [amountMicro / CREDIT, reason]);
  let names = 0;
  /** Begins a promotion of 50 credits, of which there are 500; returns its name. */
  async function begin(audience: 'signups' | 'members', more: Record<string, string> = {}): Promise<string> {
    const name = `PROMO-${++names}`;
    const given = { for: audience, credits: '50', budget: '500', until: '1d', why: `For ${name}`, ...more };
    const options = Object.entries(given).flatMap(([option, value]) => [`--${option}`, value]);
    const { code, lines } = await admin('promotion', name, ...options);
    assert.equal(code, 0, lines.join('\n'));
    return name;
  }
  async function line(name: string): Promise<string> {
    return (await admin('promotions')).lines.find((one) => one.startsWith(`${name} `))!.replace(/ {2,}/g, ' | ');
  }
  afterEach(async () => {
    // Every test begins without one.
    server().clock.advance(2 * DAY);
  });

  describe('for those who sign up', () => {
    it('gives once, with the account, beside the welcome; and nothing to a guest', async () => {
      const name = await begin('signups');
      const guest = await server().guest();
      assert.equal(await credits(guest), 10);
      const person = somebody();
      const one = await member(person, guest.token);
      assert.equal(await credits(one), 160);
      assert.deepEqual((await grants(one)).slice(0, 2), [
        [50, `For ${name}`],
        [100, 'Welcome to Perigee'],
      ]);
      assert.equal(await credits(await member(person)), 160, 'who comes back gets nothing again');
      assert.match(await line(name), / \| 50 credits \| 1 \| 50 credits \| 450 credits \| For /);
    });

    it('gives to whom the operator makes an account', async () => {
      const name = await begin('signups');
      const { email } = somebody();
      await admin('create', email!);
      assert.match(await line(name), / \| 1 \| 50 credits \| /);
    });

    it('gives nothing before it begins, after its end, or to who made the account before', async () => {
      const before = await member();
      const name = await begin('signups', { from: '2h', until: '4h' });
      const early = await member();
      server().clock.advance(2 * HOUR);
      const within = await member();
      const ended = await begin('signups');
      assert.match((await admin('promotion', ended, '--end')).lines[0]!, /is over\. It gave 0 credits\.$/);
      server().clock.advance(2 * HOUR);
      const late = await member();
      assert.deepEqual(await Promise.all([before, early, within, late].map(credits)), [100, 100, 150, 100]);
      assert.match(await line(name), / \| signups \| over \| /);
    });

    it('gives nothing to a person who had an account before, whatever became of that', async () => {
      const person = somebody();
      const first = await member(person);
      await first.request('POST', '/api/account/closing');
      server().clock.advance(8 * DAY);
      const { db, clock } = server();
      await applyRetention({ db, clock, policy, runs: RUNS_OF_ACCOUNTS }, { dryRun: false });
      const name = await begin('signups');
      const again = await member(person);
      assert.notEqual(again.accountId, first.accountId);
      assert.equal(await credits(again), 0);
      assert.match(await line(name), / \| 0 \| 0 credits \| 500 credits \| /);
    });

    it('gives as long as the budget lasts, and what is left of less than one share to nobody', async () => {
      const name = await begin('signups', { budget: '120' });
      const got = [];
      for (let n = 0; n < 3; n++) got.push(await credits(await member()));
      assert.deepEqual(got, [150, 150, 100]);
      assert.match(await line(name), / \| used up \| .* \| 2 \| 100 credits \| 20 credits \| /);
    });

    it('gives what each promises where there are two', async () => {
      await begin('signups');
      await begin('signups', { credits: '7' });
      assert.equal(await credits(await member()), 157);
    });

    it('is no code', async () => {
      const name = await begin('signups');
      const one = await member();
      assert.equal(await claimable(one), false);
      assert.equal((await claim(one, name)).body.code, 'code_unknown');
    });
  });

  describe('for members who ask', () => {
    it('gives once for its code, tells the editor, and says in the token log why', async () => {
      const one = await member();
      assert.equal(await claimable(one), false);
      const name = await begin('members');
      assert.equal(await claimable(one), true);
      const stream = await one.changes();
      const { status, body } = await claim(one, name);
      await stream.next((topic, id) => topic === 'balance' && id === one.accountId);
      stream.close();
      assert.deepEqual([status, body.amountMicro, body.reason], [200, 50 * CREDIT, `For ${name}`]);
      assert.equal(body.balance.availableMicro, 150 * CREDIT);
      assert.deepEqual((await grants(one))[0], [50, `For ${name}`]);
      assert.equal(await claimable(one), false);
      const again = await claim(one, name);
      assert.deepEqual([again.status, again.body.code], [409, 'promotion_claimed']);
      assert.match(again.body.detail, /once, whatever the account/);
      assert.equal(await credits(one), 150);
    });

    it('takes its code however it is typed', async () => {
      const name = await begin('members');
      const typed = [name.toLowerCase(), ` ${name}\n`, name.replace('-', ' - '), name.replace('PROMO', 'ＰＲＯＭＯ')];
      for (const code of typed) {
        const { status, body } = await claim(await member(), code);
        assert.equal(status, 200, `${code}: ${body.detail}`);
      }
    });

    it('gives once to one who asks from several sides at once', async () => {
      const name = await begin('members');
      const one = await member();
      const answers = await Promise.all([1, 2, 3, 4].map(() => claim(one, name)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409]);
      assert.equal(await credits(one), 150);
      assert.match(await line(name), / \| 1 \| 50 credits \| /);
    });

    it('gives the last share of its budget to one of those who ask at once, and never more than the budget', async () => {
      const name = await begin('members', { budget: '149.999999' });
      const members = [];
      for (let n = 0; n < 5; n++) members.push(await member());
      const answers = await Promise.all(members.map((one) => claim(one, name)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 409, 409, 409]);
      for (const { status, body } of answers)
        if (status !== 200) {
          assert.equal(body.code, 'promotion_closed');
          assert.match(body.detail, /^All of its credits have been given to others\./);
        }
      assert.equal((await Promise.all(members.map(credits))).filter((left) => left === 150).length, 2);
      assert.match(await line(name), / \| used up \| .* \| 100 credits \| 49\.999999 credits \| /);
      assert.equal(await claimable(await member()), false);
    });

    it('is not claimed beside one that is about to commit', async () => {
      const name = await begin('members', { budget: '50' });
      const [one, other] = [await member(), await member()];
      const { db, clock } = server();
      let second: ReturnType<typeof claim> | undefined;
      await db.write(async (tx) => {
        const asked = { accountId: one.accountId, code: name, at: clock.now() };
        assert.equal((await claimByCode(tx, SECRET, asked)).kind, 'given');
        second = claim(other, name);
        await somebodyWaits(db);
      });
      assert.equal((await second!).body.code, 'promotion_closed');
    });

    it('gives one person nothing again by a second or a new account', async () => {
      const name = await begin('members', { until: '30d' });
      const person = somebody({ email: `ada.${randomUUID()}@example.org` });
      const first = await member(person);
      assert.equal((await claim(first, name)).status, 200);
      // The same mailbox by a tag, where the provider may take it for another one.
      const tagged = await member(somebody({ email: person.email!.replace('@', '+two@') }));
      assert.notEqual(tagged.accountId, first.accountId);
      assert.equal((await claim(tagged, name)).body.code, 'promotion_claimed');
      await first.request('POST', '/api/account/closing');
      server().clock.advance(8 * DAY);
      const { db, clock } = server();
      await applyRetention({ db, clock, policy, runs: RUNS_OF_ACCOUNTS }, { dryRun: false });
      const again = await member(person);
      assert.notEqual(again.accountId, first.accountId);
      assert.equal((await claim(again, name)).body.code, 'promotion_claimed');
      assert.equal(await credits(again), 0);
      await admin('promotion', name, '--end');
    });

    it('gives nothing again to one whose address is another one now', async () => {
      const name = await begin('members');
      const one = await member();
      assert.equal((await claim(one, name)).status, 200);
      const email = `moved.${randomUUID()}@example.org`;
      await server().db.write((tx) =>
        tx
          .updateTable('identity')
          .set({ provider: 'email', subject: email, email })
          .where('account_id', '=', one.accountId)
          .where('provider', '=', 'email')
          .execute(),
      );
      await server().db.write((tx) =>
        tx.deleteFrom('identity').where('account_id', '=', one.accountId).where('provider', '<>', 'email').execute(),
      );
      assert.equal((await claim(one, name)).body.code, 'promotion_claimed');
    });

    it('gives to an account that took a guest over once, and nothing to the guest', async () => {
      const name = await begin('members');
      const guest = await server().guest();
      const refused = await claim(guest, name);
      assert.deepEqual([refused.status, refused.body.code], [403, 'members_only']);
      assert.equal(await claimable(guest), false);
      const one = await member(somebody(), guest.token);
      assert.equal((await claim(one, name)).status, 200);
      assert.equal((await claim(one, name)).body.code, 'promotion_claimed');
      assert.equal(await credits(one), 160);
    });

    it('says when it begins, when it ended, and that it gave nothing', async () => {
      const one = await member();
      const coming = await begin('members', { from: '2h', until: '4h' });
      const early = await claim(one, coming);
      assert.deepEqual([early.status, early.body.code], [409, 'promotion_closed']);
      assert.match(early.body.detail, /^It begins on \d{4}-.*Nothing was given; enter the code again then\.$/);
      assert.equal(await claimable(one), false);
      server().clock.advance(4 * HOUR);
      const late = await claim(one, coming);
      assert.match(late.body.detail, /^It ended on \d{4}-.*Nothing was given\.$/);
      const ended = await begin('members');
      await admin('promotion', ended, '--end');
      assert.match((await claim(one, ended)).body.detail, /^It ended on /);
      assert.equal(await claimable(one), false);
      assert.equal(await credits(one), 100);
    });

    it('is told to one who has it already before it is told that it ended', async () => {
      const name = await begin('members');
      const one = await member();
      await claim(one, name);
      await admin('promotion', name, '--end');
      assert.equal((await claim(one, name)).body.code, 'promotion_claimed');
    });

    it('gives nothing to an account that is suspended or closing', async () => {
      const name = await begin('members');
      const [suspended, closing] = [await member(), await member()];
      await admin('suspend', suspended.accountId, '--why', 'Resold.');
      await closing.request('POST', '/api/account/closing');
      assert.equal((await claim(suspended, name)).body.code, 'suspended');
      assert.equal((await claim(closing, name)).body.code, 'account_closing');
    });

    it('gives nothing to an account that is as full as one can be', async () => {
      const name = await begin('members');
      const one = await member();
      await admin('grant', one.accountId, '999900', '--why', 'x');
      await admin('grant', one.accountId, '999000000', '--why', 'x');
      assert.match((await claim(one, name)).body.detail, /as many promotional credits as an account can have/);
      await admin('reset', one.accountId, '--why', 'x');
      assert.equal((await claim(one, name)).status, 200);
    });

    it('says that there is no such code, whatever it is', async () => {
      const one = await member();
      for (const code of ['NOBODYS-CODE', '', 'промо', 'A'.repeat(200), "' or 1=1 --", '\u0000']) {
        const { status, body } = await claim(one, code);
        assert.deepEqual([status, body.code], [422, 'code_unknown'], code);
        assert.equal(body.detail, 'Nothing was given. Check how the code is spelled.');
      }
    });

    it('refuses a request that does not fit', async () => {
      const one = await member();
      for (const body of [{}, { code: 7 }, { code: 'A'.repeat(201) }, { code: 'A', more: 1 }, []])
        assert.equal((await one.request('POST', '/api/promotions/claim', body)).status, 400, JSON.stringify(body));
    });

    it('is not found by guessing: ten wrong codes in an hour are enough, and right ones count for nothing', async () => {
      const one = await member();
      const known = await begin('members', { until: '3d' });
      for (let n = 0; n < 12; n++) assert.ok([200, 409].includes((await claim(one, known)).status));
      const guesses = await Promise.all(Array.from({ length: 12 }, (_, n) => claim(one, `GUESS-${n}`)));
      assert.deepEqual(guesses.map(({ status }) => status).sort(), [...Array(10).fill(422), ...Array(2).fill(429)]);
      const refused = await claim(one, known);
      assert.equal(refused.body.code, 'too_many_attempts');
      assert.equal((await claim(await member(), known)).status, 200, 'another account has its own');
      server().clock.advance(HOUR + 1000);
      assert.equal((await claim(one, known)).body.code, 'promotion_claimed');
    });
  });

  describe('of the operator’s', () => {
    const OPTIONS = { for: 'members', credits: '5', budget: '50', until: '1d', why: 'x' };
    const REFUSED: [
      what: string,
      name: string[],
      more: Record<string, string | undefined>,
      code: number,
      said: RegExp,
    ][] = [
      ['no name', [], {}, 2, /promotion needs a name/],
      ['two names', ['ONE', 'TWO'], {}, 2, /promotion needs a name, and nothing else/],
      ['a short name', ['AB'], {}, 2, /"AB" is no name of a promotion: it has 3 to 40/],
      ['a name with other characters', ['GIFT_2027'], {}, 2, /is no name of a promotion/],
      ['no credits', ['GIFT'], { credits: undefined }, 2, /needs --credits/],
      ['credits that are no number', ['GIFT'], { credits: 'many' }, 2, /"many" is no number of credits/],
      ['no credits at all', ['GIFT'], { credits: '0' }, 2, /0 credits are nothing/],
      ['no budget', ['GIFT'], { budget: undefined }, 2, /needs --budget/],
      ['a budget for nobody', ['GIFT'], { budget: '4.999999' }, 2, /less than one person gets, 5 credits/],
      ['a budget beyond what there is', ['GIFT'], { budget: '1000000001' }, 2, /are more than/],
      ['no end', ['GIFT'], { until: undefined }, 2, /needs --until/],
      ['an end before its beginning', ['GIFT'], { from: '2d' }, 2, /before it begins/],
      ['a beginning that is over', ['GIFT'], { from: '2020-01-01' }, 2, /is over already/],
      ['no reason', ['GIFT'], { why: undefined }, 2, /needs --why/],
      ['a reason that shows nothing', ['GIFT'], { why: '\u200b' }, 2, /needs --why/],
      ['a long reason', ['GIFT'], { why: 'x'.repeat(201) }, 2, /has 201 characters, and may have 200/],
      ['others', ['GIFT'], { for: 'guests' }, 2, /--for is signups or members, not "guests"/],
      ['another option', ['GIFT'], { id: 'x' }, 2, /takes no --id/],
    ];
    for (const [what, name, more, code, said] of REFUSED)
      it(`is refused with ${what}`, async () => {
        const options = Object.entries({ ...OPTIONS, ...more }).flatMap(([option, value]) =>
          value === undefined ? [] : [`--${option}`, value],
        );
        const told = await admin('promotion', ...name, ...options);
        assert.equal(told.code, code);
        assert.match(told.lines[0]!, said);
        assert.ok(!(await admin('promotions')).lines.some((one) => /^(GIFT|ONE|AB) /.test(one)));
      });

    it('has a name for good', async () => {
      const name = await begin('members');
      const options = Object.entries(OPTIONS).flatMap(([option, value]) => [`--${option}`, value]);
      const told = await admin('promotion', name.toLowerCase(), ...options);
      assert.deepEqual(told, {
        code: 1,
        lines: [`There is, or was, a promotion ${name}: nothing was changed. Another one needs another name.`],
      });
    });

    it('says what it will give to whom, and is for those who sign up unless it is said', async () => {
      const args = ['--credits', '5', '--budget', '52', '--until', '1h', '--why', 'x'];
      assert.match(
        (await admin('promotion', 'spring-2027', ...args)).lines[0]!,
        /^Everybody who signs up from \d{4}-.* until \d{4}-.* gets 5 credits, once: 10 people at most\.$/,
      );
      assert.match(
        (await admin('promotion', 'summer-2027', ...args, '--for', 'members')).lines[0]!,
        /^Everybody who asks by the code SUMMER-2027 from /,
      );
    });

    it('ends once, and only if there is one', async () => {
      const name = await begin('members');
      await claim(await member(), name);
      assert.deepEqual(await admin('promotion', name, '--end'), {
        code: 0,
        lines: [`The promotion ${name} is over. It gave 50 credits.`],
      });
      const again = await admin('promotion', name, '--end');
      assert.deepEqual([again.code, /is over since /.test(again.lines[0]!)], [1, true]);
      const none = await admin('promotion', 'NOBODYS', '--end');
      assert.deepEqual([none.code, none.lines[0]!.startsWith('There is no promotion NOBODYS.')], [1, true]);
      assert.equal((await admin('promotion', name, '--end', '--why', 'x')).code, 2);
    });
  });
});
