import assert from 'node:assert/strict';
import type { Policy } from '../../../server/platform/config/config.ts';
import type { PageCodeAnswer } from '../../../shared/auth.ts';
import type { ReferralsAnswer } from '../../../shared/credits.ts';
import { Browser } from '../../support/browser.ts';
import type { Client } from '../../support/client.ts';
import { onBothEnginesWithSignIn, type SignInWorld, somebody } from '../../support/signIn.ts';

const C = 1_000_000;

async function referralsOf(world: SignInWorld, person = somebody(), browser = new Browser()) {
  const { member } = await world.signIn(person, { browser });
  const read = async () => (await member.request<ReferralsAnswer>('GET', '/api/referrals')).body;
  return { member, read, ...(await read()) };
}

/** A browser in which the page of that account was opened. */
async function signedIn(world: SignInWorld, who: Client): Promise<Browser> {
  const { code } = (await who.request<PageCodeAnswer>('POST', '/api/auth/page-code')).body;
  const browser = new Browser();
  const { status, html } = await browser.request(new URL('/api/auth/page', world.server().url), {
    method: 'POST',
    body: JSON.stringify({ code, confirm: true }),
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
  });
  assert.equal(status, 200, html);
  return browser;
}

onBothEnginesWithSignIn('referrals where nothing is sold', (world) => {
  // Guard: isSelling in referralTerms and mayBeEarned.
  it('promise nothing for a payment that nobody can make, but show the one that was made while one could', async () => {
    const { link, terms, read } = await referralsOf(world());
    assert.equal(terms.firstPayment.amountMicro, 0);
    assert.deepEqual([terms.spent.amountMicro, terms.used.amountMicro], [50 * C, 50 * C]);
    const browser = new Browser();
    await browser.open(link);
    await world().signIn(somebody(), { browser });
    const reasons = async () => (await read()).referrals[0]!.rewards.map(({ reason }) => reason);
    assert.deepEqual(await reasons(), ['spent', 'used']);
    const { db } = world().server();
    await db.write((tx) =>
      tx
        .updateTable('referral_reward')
        .set({ state: 'paid', paid_at: 1 })
        .where('reason', '=', 'first_payment')
        .execute(),
    );
    assert.deepEqual(await reasons(), ['spent', 'first_payment', 'used']);
  });

  it('tell whoever is invited what both get, and whose link it is to its owner and to who has an account', async () => {
    const { member, link } = await referralsOf(world());
    const invited = await new Browser().open(link);
    assert.match(invited.html, /Sign in and get 100 credits/);
    // Guard: used.amountMicro in joinPage.
    assert.match(invited.html, /used 1,000,000 tokens, you and whoever invited you get 50 credits each/);
    assert.doesNotMatch(invited.html, /payment/);
    const guest = await world().server().guest();
    const other = (await world().signIn(somebody())).member;
    for (const [who, words] of [
      [member, 'This is your own link'],
      [other, 'You have an account'],
      // Guard: accountKind in joinPage. A guest has yet to make an account.
      [guest, 'You are invited'],
    ] as const)
      assert.match((await (await signedIn(world(), who)).open(link)).html, new RegExp(`<h1>${words}`));
  });
});

onBothEnginesWithSignIn(
  'referrals that bring nothing',
  (world) => {
    // Guard: `brings` in areReferralsOn.
    it('are not offered: neither a link nor a page behind one', async () => {
      const { member } = await world().signIn(somebody());
      const { status, body } = await member.request<{ code: string }>('GET', '/api/referrals');
      assert.deepEqual([status, body.code], [404, 'not_offered']);
    });
  },
  {
    policy: (policy: Policy) => {
      Object.assign(policy.accounts.referrals, { spentRewardMicro: 0, usedRewardMicro: 0 });
    },
  },
);
