import assert from 'node:assert/strict';
import { mailNotices, type NoticeMailDeps } from '../../../server/accounts/notices/noticeMail.ts';
import { createLog } from '../../../server/platform/log.ts';
import type { Mail } from '../../../server/platform/mail.ts';
import type { AccountAnswer } from '../../../shared/account.ts';
import { MICRO_PER_CREDIT } from '../../../shared/constants.ts';
import type { Price } from '../../../shared/models.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const DAY = 24 * 3_600_000;
const flat = (credits: number): Price => ({ mode: 'flat', runMicro: credits * MICRO_PER_CREDIT });

onBothEnginesWithSignIn(
  'notices',
  (world) => {
    const mails: Mail[] = [];
    const deps = (more: Partial<NoticeMailDeps> = {}): NoticeMailDeps => ({
      db: world().server().db,
      clock: world().server().clock,
      log: createLog('silent'),
      mailer: { send: async (mail) => void mails.push(mail) },
      publicUrl: 'https://perigee.example',
      terms: { version: '1' },
      priceNotice: () => null,
      ...more,
    });
    const toldOf = (email: string | null) => mails.filter((mail) => mail.to === email);
    beforeEach(() => {
      mails.length = 0;
    });

    it('of prices stand in the account of members, and of no guest', async () => {
      const { member } = await world().signIn(somebody());
      const { notices } = (await member.request<AccountAnswer>('GET', '/api/account')).body;
      assert.deepEqual(
        notices.map(({ kind }) => kind),
        ['price'],
      );
      assert.match(notices[0]!.text, /3 credits a message, now 1 credits? a message/);
      world().server().clock.advance(60_000);
      const later = (await member.request<AccountAnswer>('GET', '/api/account')).body.notices;
      assert.deepEqual(later, notices, 'as old as before');
      const guest = await world().server().guest();
      assert.deepEqual((await guest.account()).body.notices, []);
    });

    const notice = () => ({
      id: `price:${crypto.randomUUID()}`,
      kind: 'price' as const,
      text: 'From 2027-04-10T00:00:00.000Z on: more.',
      at: '2027-03-01T00:00:00.000Z',
    });

    it('of prices are mailed to each member once, by any number of nodes', async () => {
      const person = somebody();
      await world().signIn(person);
      const told = notice();
      await Promise.all([
        mailNotices(deps({ priceNotice: () => told })),
        mailNotices(deps({ priceNotice: () => told })),
      ]);
      await mailNotices(deps({ priceNotice: () => told }));
      assert.equal(toldOf(person.email!).length, 1);
      const [mail] = toldOf(person.email!);
      assert.equal(mail!.subject, 'Prices of Perigee will change');
      assert.match(mail!.text, /From 2027-04-10, 00:00 UTC on: more\./);
      assert.match(mail!.text, /https:\/\/perigee\.example\/account/);
      assert.match(mail!.text, /no advertisement/);
      assert.equal(new Set(mails.map(({ to }) => to)).size, mails.length);
    });

    it('are mailed again later where the mail server took none, and nobody twice', async () => {
      const people = [somebody(), somebody()];
      for (const person of people) await world().signIn(person);
      const told = notice();
      let failures = 0;
      const broken = { send: () => Promise.reject(new Error(`451 try again ${++failures}`)) };
      assert.equal(await mailNotices(deps({ priceNotice: () => told, mailer: broken })), 0);
      assert.equal(failures, 1, 'one try says enough');
      await mailNotices(deps({ priceNotice: () => told }));
      world()
        .server()
        .clock.advance(20 * 60_000);
      await mailNotices(deps({ priceNotice: () => told }));
      for (const { email } of people) assert.equal(toldOf(email!).length, 1, email!);
    });

    it('of terms are mailed to those who accepted others, whatever they said of news', async () => {
      const person = somebody();
      const { member } = await world().signIn(person);
      await member.request('PATCH', '/api/account', { marketing: false });
      await mailNotices(deps());
      assert.equal(toldOf(person.email!).length, 0);
      const terms = { version: '2', url: 'https://perigee.example/terms' };
      await mailNotices(deps({ terms }));
      await mailNotices(deps({ terms }));
      assert.equal(toldOf(person.email!).length, 1);
      assert.match(toldOf(person.email!)[0]!.text, /You find them at https:\/\/perigee\.example\/terms\./);
    });

    it('are mailed to no address that was never verified, and to nobody who has closed the account', async () => {
      const unverified = somebody({ email_verified: false });
      await world().signIn(unverified);
      const closing = somebody();
      const { member } = await world().signIn(closing);
      await member.request('POST', '/api/account/closing');
      const told = notice();
      await mailNotices(deps({ priceNotice: () => told }));
      assert.deepEqual([toldOf(unverified.email!), toldOf(closing.email!)], [[], []]);
    });
  },
  {
    policy: (policy) => {
      const from = new Date(Date.now() + 40 * DAY).toISOString();
      const model = { id: 'double', contextTokens: 128_000, maxOutputTokens: 1000 };
      policy.models = [{ ...model, price: flat(1), priceChanges: [{ from, price: flat(3) }] }];
    },
  },
);
