import assert from 'node:assert/strict';
import { runCommand } from '../../../server/accounts/operator/commands.ts';
import { payRewards, purgeNetworks } from '../../../server/accounts/referrals/rewards.ts';
import { RUNS_OF_ACCOUNTS } from '../../../server/gateway/runs/runs.ts';
import { type Policy, parseConfig } from '../../../server/platform/config/config.ts';
import { type ReferralConfig, ReferralConfigSchema } from '../../../server/platform/config/signInConfig.ts';
import { systemIds } from '../../../server/platform/system.ts';
import type { LogAnswer, Referral, ReferralsAnswer } from '../../../shared/credits.ts';
import { COMMANDS } from '../../support/admin.ts';
import { Browser } from '../../support/browser.ts';
import type { Client } from '../../support/client.ts';
import type { Editor } from '../../support/member.ts';
import { payFor } from '../../support/paid.ts';
import { onBothEnginesWithShop } from '../../support/shop.ts';
import { type SignInWorld, somebody } from '../../support/signIn.ts';
import { unzip } from '../../support/zip.ts';

const C = 1_000_000;
const POLICY: ReferralConfig = ReferralConfigSchema.parse({ spentMicro: 2 * C, usedTokens: 3000, spentPerMonth: 2 });

/** By one more of the forwarded networks each time: no two people come from the same. */
let networks = 0;
const network = () => `198.${51 + (networks >> 8)}.${networks++ & 255}.7`;

class Party {
  constructor(readonly world: SignInWorld) {}

  get server() {
    return this.world.server();
  }

  async member(): Promise<Client> {
    return (await this.world.signIn(somebody())).member;
  }

  async referrals(member: Client, query = ''): Promise<ReferralsAnswer> {
    const { status, body } = await member.request<ReferralsAnswer>('GET', `/api/referrals${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  /** Somebody opens the link and makes an account by it. */
  async join(
    link: string,
    {
      browser = new From(network()),
      person = somebody(),
      editor,
    }: { browser?: Browser; person?: ReturnType<typeof somebody>; editor?: Editor } = {},
  ): Promise<Client> {
    const page = await browser.open(link);
    assert.equal(page.status, 200, page.html);
    return (await this.world.signIn(person, { browser, ...(editor ? { editor } : {}) })).member;
  }

  async spend(member: Client, runs: number): Promise<void> {
    for (let n = 0; n < runs; n++) await member.run(member.chat(`work ${n}`));
  }

  pay(): Promise<number> {
    return payRewards({ db: this.server.db, clock: this.server.clock, policy: POLICY });
  }

  async paid(member: Client, at = this.server.clock.now()): Promise<string> {
    const { db } = this.server;
    const id = crypto.randomUUID();
    await db.write(async (tx) => {
      const wallet = tx.selectFrom('wallet').select('ledger_id').where('account_id', '=', member.accountId);
      const { ledger_id: ledgerId } = await wallet.executeTakeFirstOrThrow();
      await payFor(tx, { id, ledgerId, creditsMicro: 500 * C }, at);
    });
    return id;
  }
}

/** A browser behind the proxy that the server trusts, in that network. */
class From extends Browser {
  constructor(private readonly address: string) {
    super();
  }

  override request(url: URL, init: RequestInit = {}) {
    return super.request(url, { ...init, headers: { ...init.headers, 'x-forwarded-for': this.address } });
  }
}

const states = ({ rewards }: Referral) => Object.fromEntries(rewards.map(({ reason, state }) => [reason, state]));

onBothEnginesWithShop(
  'referrals',
  (shop) => {
    const world = () => shop().world();
    let party: Party;
    beforeEach(() => {
      party = new Party(world());
    });

    it('begin with a link of one’s own, which stays the same', async () => {
      const [one, other] = [await party.member(), await party.member()];
      const first = await party.referrals(one);
      assert.match(first.link, new RegExp(`^${party.server.url}/join/[A-Za-z0-9_-]{12}$`));
      assert.equal((await party.referrals(one)).link, first.link);
      assert.notEqual((await party.referrals(other)).link, first.link);
      assert.deepEqual([first.referrals, first.joined, first.earnedMicro, first.invited], [[], 0, 0, null]);
      assert.deepEqual(first.terms, {
        spent: { spentMicro: 2 * C, amountMicro: 50 * C, perMonth: 2 },
        firstPayment: { amountMicro: 500 * C },
        used: { tokens: 3000, amountMicro: 50 * C },
      });
    });

    it('are pending until the one who joined has spent enough, then verified and paid, once', async () => {
      const referrer = await party.member();
      const joined = await party.join((await party.referrals(referrer)).link);
      const [pending] = (await party.referrals(referrer)).referrals;
      assert.deepEqual(states(pending!), { spent: 'pending', first_payment: 'pending', used: 'pending' });
      await party.spend(joined, 1);
      assert.equal(await party.pay(), 0, 'one of two credits');
      await party.spend(joined, 1);
      assert.equal(await party.pay(), 1);
      assert.equal(await party.pay(), 0, 'and never again');
      const answer = await party.referrals(referrer);
      assert.deepEqual(states(answer.referrals[0]!), { spent: 'paid', first_payment: 'pending', used: 'pending' });
      assert.deepEqual([answer.joined, answer.earnedMicro], [1, 50 * C]);
      assert.equal(await referrer.available(), 150 * C);
      const { entries } = (await referrer.request<LogAnswer>('GET', '/api/credits/log')).body;
      assert.equal(entries[0]!.reason, 'Somebody joined by your link and uses Perigee');
      assert.equal(await joined.available(), 98 * C);
    });

    it('pay 500 credits for the first payment, and nothing for the second', async () => {
      const referrer = await party.member();
      const joined = await party.join((await party.referrals(referrer)).link);
      await party.paid(joined);
      assert.equal(await party.pay(), 1);
      await party.paid(joined);
      assert.equal(await party.pay(), 0);
      assert.equal(await referrer.available(), 600 * C);
    });

    // Guard: the reversals in deedsOf.
    it('pay nothing for a payment that went back meanwhile', async () => {
      const referrer = await party.member();
      const joined = await party.join((await party.referrals(referrer)).link);
      const id = await party.paid(joined);
      await party.server.db.write(async (tx) => {
        const row = { id: `refund:${id}:100`, payment_id: id, kind: 'refund' as const, cents: 100, at: 1 };
        await tx
          .insertInto('payment_reversal')
          .values({ ...row, state: 'taken' })
          .execute();
      });
      assert.equal(await party.pay(), 0);
      await party.server.db.write((tx) => tx.deleteFrom('payment_reversal').where('payment_id', '=', id).execute());
    });

    it('pay both sides once enough tokens are used', async () => {
      const referrer = await party.member();
      const joined = await party.join((await party.referrals(referrer)).link);
      await joined.run(joined.chat('read this: '.padEnd(16_000, 'word ')));
      assert.equal(await party.pay(), 2);
      assert.equal(await referrer.available(), 150 * C);
      assert.equal(await joined.available(), (100 - 1 + 50) * C);
      const { invited } = await party.referrals(joined);
      assert.deepEqual([invited?.reward.state, invited?.refused], ['paid', null]);
      assert.ok(invited!.tokensUsed >= 3000);
    });

    // Guard: the condition of pay()'s update on the state; the transfer's unique id stands behind it.
    it('are paid once by any number of nodes that look at the same instant', async () => {
      const referrer = await party.member();
      const joined = await party.join((await party.referrals(referrer)).link);
      await party.spend(joined, 2);
      const paid = await Promise.all(Array.from({ length: 6 }, () => party.pay()));
      assert.equal(
        paid.reduce((sum, n) => sum + n),
        1,
      );
      assert.equal(await referrer.available(), 150 * C);
    });

    // Guard: paidThisMonth in pay(), behind the referrer's lock.
    it('of a kind that a month pays so often wait for the next month, verified', async () => {
      const referrer = await party.member();
      const { link } = await party.referrals(referrer);
      for (let n = 0; n < 3; n++) await party.spend(await party.join(link), 2);
      await Promise.all([party.pay(), party.pay()]);
      const spent = (answer: ReferralsAnswer) => answer.referrals.map((referral) => states(referral).spent).sort();
      assert.deepEqual(spent(await party.referrals(referrer)), ['paid', 'paid', 'verified']);
      party.server.clock.advance(31 * 24 * 3_600_000);
      assert.equal(await party.pay(), 1);
    });

    it('count nobody who has an account already, and nobody without a link', async () => {
      const referrer = await party.member();
      const { link } = await party.referrals(referrer);
      const person = somebody();
      await world().signIn(person);
      await party.join(link, { person });
      await party.member();
      assert.equal((await party.referrals(referrer)).joined, 0);
    });

    it('count in a browser without an editor, too; the browser’s cookie is out of reach of scripts', async () => {
      const referrer = await party.member();
      const { link } = await party.referrals(referrer);
      const browser = new From(network());
      const invitation = await browser.open(link);
      assert.match(invitation.html, /You are invited to Perigee/);
      assert.match(invitation.headers.get('content-security-policy')!, /default-src 'none'/);
      const cookie = browser.cookiesSet.at(-1)!;
      assert.match(cookie, /HttpOnly/);
      assert.match(cookie, /SameSite=Lax/);
      const confirm = await world().identify(somebody(), new URL('/sign-in', link).href, browser);
      assert.equal((await browser.submit(confirm, { decision: 'continue', terms: '1' })).url.pathname, '/account');
      assert.equal((await party.referrals(referrer)).joined, 1);
    });

    describe('earn nothing, and say why,', () => {
      /** Joins, uses enough for a reward, and tells why there is none. */
      async function refusal(referrer: Client, joined: Client): Promise<string | null> {
        await party.spend(joined, 2);
        await party.paid(joined);
        assert.equal(await party.pay(), 0);
        assert.equal(await referrer.available(), 100 * C);
        return (await party.referrals(referrer)).referrals[0]!.refused;
      }

      it('for an account made in the browser where the referrer is signed in', async () => {
        const browser = new From(network());
        const person = somebody();
        const confirm = await world().identify(person, `${party.server.url}/sign-in`, browser);
        await browser.submit(confirm, { decision: 'continue', terms: '1' });
        const referrer = (await world().signIn(person)).member;
        const { link } = await party.referrals(referrer);
        assert.match((await browser.open(link)).html, /This is your own link/);
        const joined = await party.join(link, { browser });
        assert.match((await refusal(referrer, joined))!, /in a browser where you were signed in/);
        assert.match((await party.referrals(joined)).invited!.refused!, /owner of the link was signed in/);
      });

      it('for an editor that another account uses', async () => {
        const editor = world().editor();
        const referrer = (await world().signIn(somebody(), { editor })).member;
        const joined = await party.join((await party.referrals(referrer)).link, { editor });
        assert.match((await refusal(referrer, joined))!, /an editor that another account uses/);
      });

      it('for somebody who deleted an account before', async () => {
        const referrer = await party.member();
        const person = somebody();
        const { member } = await world().signIn(person);
        const { db } = party.server;
        await db.write((tx) => tx.deleteFrom('wallet').where('account_id', '=', member.accountId).execute());
        await db.write((tx) => tx.deleteFrom('account').where('id', '=', member.accountId).execute());
        const joined = await party.join((await party.referrals(referrer)).link, { person });
        assert.equal(await joined.available(), 0);
        assert.match((await party.referrals(referrer)).referrals[0]!.refused!, /had an account here before/);
        assert.equal(await party.pay(), 0);
      });

      it('for the same mailbox under another tag', async () => {
        const person = somebody({ email: 'sly@example.org' });
        const referrer = (await world().signIn(person)).member;
        const again = somebody({ email: 'sly+2@example.org' });
        await party.join((await party.referrals(referrer)).link, { person: again });
        assert.match((await party.referrals(referrer)).referrals[0]!.refused!, /had an account here before/);
      });

      it('for more than three a day from one network, but for no number of people from elsewhere', async () => {
        const referrer = await party.member();
        const { link } = await party.referrals(referrer);
        const there = network();
        for (let n = 0; n < 5; n++) await party.join(link, { browser: new From(there) });
        await party.join(link);
        const refused = (await party.referrals(referrer)).referrals.map((referral) => referral.refused);
        assert.deepEqual(
          refused.map((why) => why !== null),
          [false, true, true, false, false, false],
        );
        assert.match(refused[1]!, /from one network/);
        const { db, clock } = party.server;
        const before = clock.now() + 29 * 24 * 3_600_000;
        const kept = () => db.read.selectFrom('referral').select('network').where('network', 'is not', null).execute();
        assert.ok(
          (await kept()).every((row) => /^[0-9a-f]{64}$/.test(row.network!)),
          'hashed',
        );
        await db.write((tx) => purgeNetworks(tx, before));
        assert.ok((await kept()).length >= 6);
        await db.write((tx) => purgeNetworks(tx, before + 2 * 24 * 3_600_000));
        assert.deepEqual(await kept(), [], 'forgotten after a month');
      });
    });

    it('are told in pages, and to their referrer alone', async () => {
      const referrer = await party.member();
      const { link } = await party.referrals(referrer);
      for (let n = 0; n < 3; n++) await party.join(link);
      const first = await party.referrals(referrer, '?limit=2');
      const second = await party.referrals(referrer, `?limit=2&before=${first.before}`);
      assert.deepEqual([first.referrals.length, second.referrals.length, second.before], [2, 1, null]);
      assert.equal(new Set([...first.referrals, ...second.referrals].map(({ id }) => id)).size, 3);
      assert.equal((await party.referrals(await party.member())).joined, 0);
      const { status } = await referrer.request('GET', '/api/referrals?before=yesterday');
      assert.equal(status, 400);
    });

    it('are listed for the operator, with the reason of those that earned nothing', async () => {
      const referrer = await party.member();
      const { link } = await party.referrals(referrer);
      const good = await party.join(link, { person: somebody({ email: 'good@example.org' }) });
      await party.join(link, { person: somebody({ email: 'good+2@example.org' }) });
      const id = await party.paid(good);
      await party.pay();
      const { db, clock } = party.server;
      const list = async (...args: string[]) => {
        const deps = { db, clock, ids: systemIds, secret: '', leaseMs: 1000, ...COMMANDS, runs: RUNS_OF_ACCOUNTS };
        const { policy } = parseConfig({}, () => '{}');
        const { lines } = await runCommand({ ...deps, policy }, ['referrals', ...args]);
        return lines
          .filter((line) => line.includes('good'))
          .map((line) => line.replace(/ {2,}/g, '|').split('|').slice(2));
      };
      assert.deepEqual(await list(), [
        ['good+2@example.org', '0', 'They had an account here before.'],
        ['good@example.org', '500'],
      ]);
      assert.deepEqual((await list('--refused')).length, 1);
      const row = { id: `refund:${id}:100`, payment_id: id, kind: 'refund' as const, cents: 100, at: 1 };
      await db.write((tx) =>
        tx
          .insertInto('payment_reversal')
          .values({ ...row, state: 'taken' })
          .execute(),
      );
      assert.equal((await list())[1]![2], 'Their payment went back after its reward.');
      await db.write((tx) => tx.deleteFrom('payment_reversal').where('payment_id', '=', id).execute());
    });

    it('refuse guests by name, and links that nobody has', async () => {
      const guest = await party.server.guest();
      const { status, problem } = await guest.request('GET', '/api/referrals').then((answer) => ({
        status: answer.status,
        problem: (answer.body as { code?: string }).code,
      }));
      assert.deepEqual([status, problem], [403, 'members_only']);
      const browser = new Browser();
      for (const code of ['AAAAAAAAAAAA', '%00', "'; drop table referral; --"]) {
        const page = await browser.open(`${party.server.url}/join/${encodeURIComponent(code)}`);
        assert.equal(page.status, 404, code);
        assert.match(page.html, /not good any more/);
      }
      assert.equal(browser.cookiesSet.length, 0);
    });

    it('come along in the export, and go with either account', async () => {
      const referrer = await party.member();
      const joined = await party.join((await party.referrals(referrer)).link);
      const headers = await referrer.credentials('GET', '/api/account/export');
      const response = await fetch(`${party.server.url}/api/account/export`, { headers });
      const files = await unzip(Buffer.from(await response.arrayBuffer()));
      const told = JSON.parse(files.get('referrals.json')!) as Referral[];
      assert.equal(told.length, 1);
      assert.ok(!JSON.stringify(told).includes(joined.accountId));
      await party.server.db.write((tx) => tx.deleteFrom('account').where('id', '=', joined.accountId).execute());
      assert.equal((await party.referrals(referrer)).joined, 0);
    });
  },
  {
    policy: (policy: Policy) => {
      policy.accounts.referrals = POLICY;
      const much = { requestsPerMinute: 1000, modelRequestsPerMinute: 1000, tokensPerMinute: 1e9 };
      policy.limits.tiers = [much];
    },
    config: (config) => {
      config.trustedProxies = ['127.0.0.1/32', '::1/128'];
    },
  },
);
