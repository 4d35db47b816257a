import assert from 'node:assert/strict';
import { eraseAccount } from '../../server/accounts/data/erase.ts';
import { closingAccounts } from '../../server/accounts/people/rights.ts';
import { deedsOf } from '../../server/accounts/referrals/referrals.ts';
import { forgetWallet } from '../../server/credits/holds/store.ts';
import { stopRenewals } from '../../server/credits/payments/checkout.ts';
import { settleLeftover, syncPlan } from '../../server/credits/payments/planPayments.ts';
import type { StripeService } from '../../server/credits/payments/stripe.ts';
import { RUNS_OF_ACCOUNTS } from '../../server/gateway/runs/runs.ts';
import type { OffersAnswer, PlanAnswer } from '../../shared/credits.ts';
import type { Client } from '../support/client.ts';
import { onBothEnginesWithShop, type Shop } from '../support/shop.ts';

const DAY = 24 * 3_600_000;
const MONTHLY = { plan: 'plus', interval: 'month' as const };

onBothEnginesWithShop(
  'plans',
  (shop) => {
    const current = async (member: Client) => (await shop().offers(member)).current;
    const windows = async (member: Client) => (await member.account()).body.balance.windows.map((w) => w.name);
    const change = (member: Client, what: 'cancel' | 'resume') =>
      member.request<PlanAnswer>('POST', `/api/credits/plan/${what}`);
    const told = async (member: Client) =>
      (await member.log('?kind=plan')).body.entries.map(({ reason }) => reason.replace(/\d{4}-\d\d-\d\d/, 'then'));
    const refOf = (session: string) => shop().stripe.sessions.get(session)!.subscription!;

    /** Buys a plan, as Stripe tells of it. */
    async function subscribed(request: { plan: string; interval: 'month' | 'year' } = MONTHLY) {
      const member = await shop().member();
      const bought = await shop().buy(member, request);
      return { member, ...bought, ref: refOf(bought.session) };
    }

    it('count as soon as they are paid for, with their windows', async () => {
      const { member, id } = await subscribed();
      const plan = (await current(member))!;
      assert.deepEqual(
        [plan.plan, plan.name, plan.interval, plan.renews, plan.cents, plan.currency, plan.payUrl],
        ['plus', 'Plus', 'month', true, 1200, 'usd', undefined],
      );
      const now = shop().server.clock.now();
      assert(Math.abs(Date.parse(plan.until) - now - 30 * DAY) < 5_000, plan.until);
      assert.deepEqual(await windows(member), ['5 hours', '7 days']);
      assert.equal((await shop().check(member, id)).state, 'paid');
      assert.deepEqual(await told(member), ['Your plan Plus has begun, paid for until then.']);
    });

    it('can be had by the year', async () => {
      const { member } = await subscribed({ plan: 'plus', interval: 'year' });
      const plan = (await current(member))!;
      assert.deepEqual([plan.interval, plan.cents], ['year', 12_000]);
      assert(Date.parse(plan.until) - shop().server.clock.now() > 364 * DAY);
    });

    // Guards: the payment's state and the plan's row, of which one is active.
    it('20: begin once, however often, in whatever order and however many at once tell of it', async () => {
      const member = await shop().member();
      const { id, session } = await shop().begin(member, MONTHLY);
      const events = shop().stripe.pay(session);
      const twins = events.map(({ type, data }) => shop().stripe.invent(type, data.object));
      const { url } = shop().server;
      const statuses = await Promise.all([
        ...[...events, ...twins, ...events.toReversed()].map((event) => shop().stripe.deliver(url, event)),
        shop()
          .check(member, id)
          .then(({ status }) => (status === 200 ? 204 : status)),
      ]);
      assert.deepEqual(new Set(statuses), new Set([204]));
      assert.deepEqual(await told(member), ['Your plan Plus has begun, paid for until then.']);
      assert.deepEqual(await windows(member), ['5 hours', '7 days']);
    });

    it('begin on return from the page, or when the job asks', async () => {
      const member = await shop().member();
      const one = await shop().begin(member, MONTHLY);
      shop().stripe.pay(one.session);
      assert.equal((await shop().check(member, one.id)).state, 'paid');
      const other = await shop().member();
      shop().stripe.pay((await shop().begin(other, MONTHLY)).session);
      shop().server.clock.advance(60_000);
      await shop().ask();
      assert.deepEqual(await windows(other), ['5 hours', '7 days']);
    });

    it('wait for a slow method, and begin when it comes through, or never', async () => {
      for (const fails of [false, true]) {
        const member = await shop().member();
        const { id, session } = await shop().begin(member, MONTHLY);
        await shop().tell(shop().stripe.pay(session, { slowly: true }));
        assert.deepEqual([(await shop().check(member, id)).state, await windows(member)], ['processing', []]);
        await shop().tell(shop().stripe.arrive(session, { fails }));
        shop().server.clock.advance(1_000);
        assert.equal((await shop().check(member, id)).state, fails ? 'failed' : 'paid');
        assert.equal((await windows(member)).length, fails ? 0 : 2);
      }
    });

    describe('that renew', () => {
      it('go on when the next period is paid for, told twice or in any order', async () => {
        const { member, ref } = await subscribed();
        const first = Date.parse((await current(member))!.until);
        shop().server.clock.advance(30 * DAY);
        const one = shop().stripe.renew(ref);
        await shop().tell([...one.toReversed(), ...one]);
        const second = Date.parse((await current(member))!.until);
        assert.equal(second - first, 30 * DAY);
        assert.equal((await told(member))[0], 'Your plan Plus was renewed, paid for until then.');
        assert.equal((await told(member)).length, 2);
      });

      it('go on though nothing was told: the job asks when the period is over', async () => {
        const { member, ref } = await subscribed();
        shop().server.clock.advance(30 * DAY + 60_000);
        shop().stripe.renew(ref);
        await shop().ask();
        assert(Date.parse((await current(member))!.until) > shop().server.clock.now() + 29 * DAY);
      });

      // Guard: a period counts by its paid invoice, and not because Stripe says that it has begun.
      it('do not go on by a period that is not paid: they say where to pay, and end after a day', async () => {
        const { member, ref } = await subscribed();
        shop().server.clock.advance(30 * DAY);
        await shop().tell(shop().stripe.renew(ref, { fails: true }));
        const late = (await current(member))!;
        assert.match(late.payUrl!, /^https:\/\/invoice\.stripe\.example\//);
        assert(Date.parse(late.until) <= shop().server.clock.now());
        assert.deepEqual(await windows(member), ['5 hours', '7 days']);
        assert.equal((await told(member))[0], 'Your plan Plus could not be renewed: its payment failed.');
        shop().server.clock.advance(DAY);
        assert.deepEqual(await windows(member), []);
        await shop().tell(shop().stripe.endSubscription(ref));
        assert.deepEqual([await current(member), (await told(member))[0]], [null, 'Your plan Plus has ended.']);
      });

      // Guard: subscriptionMisfit.
      it('do not go on at another price, in another currency, or for another interval', async () => {
        for (const wrong of [{ amount: 1 }, { currency: 'idr' }, { interval: 'year' as const }]) {
          const { member, ref } = await subscribed();
          const before = await current(member);
          Object.assign(shop().stripe.subscriptions.get(ref)!, wrong);
          shop().server.clock.advance(30 * DAY);
          await shop().tell(shop().stripe.renew(ref));
          assert.equal((await current(member))!.until, before!.until);
        }
      });
    });

    describe('that are cancelled', () => {
      it('go on to the end of the period that is paid for, and can go on after all', async () => {
        const { member, ref } = await subscribed();
        const { status, body } = await change(member, 'cancel');
        assert.deepEqual([status, body.current.renews], [200, false]);
        assert.equal(shop().stripe.subscriptions.get(ref)!.cancel_at_period_end, true);
        assert.deepEqual(await windows(member), ['5 hours', '7 days']);
        assert.equal((await change(member, 'cancel')).body.current.renews, false);
        assert.equal((await change(member, 'resume')).body.current.renews, true);
        assert.equal(shop().stripe.subscriptions.get(ref)!.cancel_at_period_end, false);
        await change(member, 'cancel');
        shop().server.clock.advance(30 * DAY + 1_000);
        assert.deepEqual(await windows(member), []);
        await shop().tell(shop().stripe.endSubscription(ref));
        assert.equal(await current(member), null);
      });

      it('are told so by the name of what is missing, where there is none', async () => {
        const member = await shop().member();
        for (const what of ['cancel', 'resume'] as const) {
          const { status, body } = await change(member, what);
          assert.deepEqual([status, body.code], [409, 'no_plan']);
        }
      });

      it('are not, where Stripe does not answer', async () => {
        const { member } = await subscribed();
        shop().stripe.failNext(/^POST \/v1\/subscriptions/, 'error', 'error', 'error');
        const { status, body } = await change(member, 'cancel');
        shop().stripe.forgetFailures();
        assert.deepEqual([status, body.code], [502, 'payment_service_failed']);
        assert.equal((await current(member))!.renews, true);
      });

      // Guard: lockUnchanged.
      it('stay so, when what was read before that is written after it', async () => {
        const { member, ref } = await subscribed();
        const deps = await shop().deps();
        let reads = 0;
        const slow = new Proxy(deps.stripe, {
          get: (stripe, name: keyof StripeService) =>
            name !== 'readSubscription'
              ? stripe[name]
              : async () => {
                  const facts = await stripe.readSubscription(ref);
                  if (++reads === 1) await change(member, 'cancel');
                  return facts;
                },
        });
        await syncPlan({ ...deps, stripe: slow }, ref, null);
        assert.deepEqual([reads, (await current(member))!.renews], [2, false]);
      });

      it('and resumed at once are, in the end, what Stripe says', async () => {
        const { member, ref } = await subscribed();
        await Promise.all(Array.from({ length: 4 }, (_, i) => change(member, i % 2 ? 'resume' : 'cancel')));
        await shop().tell(shop().stripe.events.slice(-4).toReversed());
        assert.equal((await current(member))!.renews, !shop().stripe.subscriptions.get(ref)!.cancel_at_period_end);
      });
    });

    describe('beside another', () => {
      it('are refused before anything is paid', async () => {
        const { member } = await subscribed();
        const { status, body } = await member.request('POST', '/api/credits/checkout', MONTHLY);
        assert.deepEqual([status, body.code], [409, 'plan_active']);
      });

      // Guard: one plan is active for a ledger, by the database. The second is ended before it is given back.
      for (const at of ['one after the other', 'at once'] as const)
        it(`that were both paid, ${at}: one counts, the other is cancelled and its money given back`, async () => {
          const member = await shop().member();
          const pages = [
            await shop().begin(member, MONTHLY),
            await shop().begin(member, { plan: 'plus', interval: 'year' }),
          ];
          const before = shop().stripe.takenCents;
          const events = pages.flatMap(({ session }) => shop().stripe.pay(session));
          if (at === 'at once')
            await Promise.all(events.map((event) => shop().stripe.deliver(shop().server.url, event)));
          else await shop().tell(events);
          await shop().ask();
          const plan = (await current(member))!;
          assert.equal(shop().stripe.takenCents - before, plan.cents);
          const states = await Promise.all(pages.map(({ id }) => shop().check(member, id)));
          assert.deepEqual(states.map(({ state }) => state).sort(), ['paid', 'refunded']);
          const live = pages.filter(
            ({ session }) => shop().stripe.subscriptions.get(refOf(session))!.status === 'active',
          );
          assert.equal(live.length, 1);
          assert(
            (await told(member)).some((line) =>
              /^A second plan was paid for while you had one: it was cancelled/.test(line),
            ),
          );
          // Its refund is told as well, and takes nothing from the plan that counts.
          await shop().tell(shop().stripe.events.slice(-3));
          assert.equal((await current(member))!.cents, plan.cents);
        });

      // Guard: what refundInvoice answers. Nobody is told of money that did not move.
      it('of which the first has ended at Stripe, which nobody told: the second counts, and nothing is given back', async () => {
        const member = await shop().member();
        const [one, two] = [await shop().begin(member, MONTHLY), await shop().begin(member, MONTHLY)];
        await shop().tell(shop().stripe.pay(one.session));
        shop().stripe.endSubscription(refOf(one.session));
        const taken = shop().stripe.takenCents;
        await shop().tell(shop().stripe.pay(two.session));
        assert.equal((await shop().check(member, two.id)).state, 'paid');
        assert.equal(shop().stripe.subscriptions.get(refOf(two.session))!.status, 'active');
        assert.equal(shop().stripe.takenCents, taken + 1200);
      });

      it('whose money Stripe can’t give back say so, to the operator too', async () => {
        const member = await shop().member();
        const [one, two] = [await shop().begin(member, MONTHLY), await shop().begin(member, MONTHLY)];
        await shop().tell(shop().stripe.pay(one.session));
        shop().stripe.failNext(/^DELETE \/v1\/subscriptions/, ...Array<'error'>(30).fill('error'));
        await shop().tell(shop().stripe.pay(two.session).slice(0, 1));
        shop().stripe.forgetFailures();
        const deps = await shop().deps();
        const stripe = new Proxy(deps.stripe, {
          get(of, name: keyof StripeService) {
            if (name === 'refundInvoice') return async () => false;
            const value = of[name];
            return typeof value === 'function' ? value.bind(of) : value;
          },
        });
        await settleLeftover({ ...deps, stripe }, two.id);
        assert((await told(member)).some((line) => /is given back by hand: ask whoever runs/.test(line)));
        assert(shop().logged.some((line) => line.startsWith('error') && line.includes(two.id)));
      });

      it('are given back later, where Stripe did not answer at first', async () => {
        const member = await shop().member();
        const [one, two] = [await shop().begin(member, MONTHLY), await shop().begin(member, MONTHLY)];
        await shop().tell(shop().stripe.pay(one.session));
        const before = shop().stripe.takenCents;
        const events = shop().stripe.pay(two.session);
        // More than its SDK tries, and than the server's own job may, which asks as well.
        shop().stripe.failNext(/^DELETE \/v1\/subscriptions/, ...Array<'error'>(30).fill('error'));
        await shop().tell(events.slice(0, 1));
        assert.equal(shop().stripe.takenCents - before, 1200);
        shop().stripe.forgetFailures();
        shop().server.clock.advance(60_000);
        await shop().ask();
        assert.equal(shop().stripe.takenCents, before);
        assert.equal((await shop().check(member, two.id)).state, 'refunded');
      });
    });

    describe('of which the money went back', () => {
      for (const [what, back] of [
        ['all of it refunded', (s: Shop, session: string) => s.stripe.refund(session, 1200)],
        ['disputed', (s: Shop, session: string) => s.stripe.dispute(session)],
      ] as const)
        it(`${what}: end at once, here and at Stripe`, async () => {
          const { member, session, ref } = await subscribed();
          await shop().tell(back(shop(), session));
          assert.deepEqual([await current(member), await windows(member)], [null, []]);
          assert.equal(shop().stripe.subscriptions.get(ref)!.status, 'canceled');
          assert.equal((await told(member))[0], 'Your plan Plus has ended, for its payment went back.');
        });

      // Guard: planMoneyBack brings a plan up to date that it doesn't know as paid.
      it('before it was told that they were paid begin and end at once, whatever is told then', async () => {
        const member = await shop().member();
        const { id, session } = await shop().begin(member, MONTHLY);
        const paid = shop().stripe.pay(session);
        await shop().tell([...shop().stripe.refund(session, 1200), ...paid]);
        assert.deepEqual([await current(member), await windows(member)], [null, []]);
        assert.equal(shop().stripe.subscriptions.get(refOf(session))!.status, 'canceled');
        assert.equal((await shop().check(member, id)).state, 'paid');
        assert.deepEqual(await told(member), [
          'Your plan Plus has ended, for its payment went back.',
          'Your plan Plus has begun, paid for until then.',
        ]);
      });

      it('go on when it was a part, or that of a period before', async () => {
        const { member, session, ref } = await subscribed();
        await shop().tell(shop().stripe.refund(session, 200));
        const first = shop().stripe.refund(session, 1000);
        shop().server.clock.advance(30 * DAY);
        await shop().tell([...shop().stripe.renew(ref), ...first]);
        assert.deepEqual(await windows(member), ['5 hours', '7 days']);
      });
    });

    // Guard: the reversal that planMoneyBack writes. A referral is paid for a payment, not for one that went back.
    it('count as no payment once all of it went back, and again when its dispute is won', async () => {
      const hasPaid = async (member: Client) => (await deedsOf(shop().server.db.read, member.accountId)).hasPaid;
      const refunded = await subscribed();
      assert.equal(await hasPaid(refunded.member), true);
      await shop().tell(shop().stripe.refund(refunded.session, 1200));
      assert.equal(await hasPaid(refunded.member), false);
      const disputed = await subscribed();
      await shop().tell(shop().stripe.dispute(disputed.session));
      assert.equal(await hasPaid(disputed.member), false);
      await shop().tell(shop().stripe.dispute(disputed.session, 'won'));
      assert.equal(await hasPaid(disputed.member), true);
    });

    // Guard: stopRenewals, which the job tries until it is done.
    it('of an account that its owner closes renew no more, also if the account is kept after all', async () => {
      const { member, ref } = await subscribed();
      assert.equal((await member.request('POST', '/api/account/closing')).status, 200);
      const stop = async () => stopRenewals(await shop().deps(), await closingAccounts(shop().server.db.read));
      const isCancelled = () => shop().stripe.subscriptions.get(ref)!.cancel_at_period_end;
      // More than its SDK tries, and than the server's own job may.
      shop().stripe.failNext(/^POST \/v1\/subscriptions/, ...Array<'error'>(30).fill('error'));
      await stop();
      assert.equal(isCancelled(), false);
      const { db } = shop().server;
      const due = { now: 1, stillDue: async () => true };
      assert.equal(await eraseAccount(db, RUNS_OF_ACCOUNTS, member.accountId, due), false, 'it would be charged again');
      shop().stripe.forgetFailures();
      await stop();
      assert.equal(isCancelled(), true);
      assert.equal((await member.request('DELETE', '/api/account/closing')).status, 204);
      await stop();
      assert.equal((await current(member))!.renews, false);
      assert.equal((await change(member, 'resume')).body.current.renews, true);
    });

    it('of an account that was deleted are ended at Stripe, and ask for no more money', async () => {
      const { member, ref } = await subscribed();
      await shop().server.db.write((tx) => forgetWallet(tx, member.accountId));
      await shop().ask();
      assert.equal(shop().stripe.subscriptions.get(ref)!.status, 'canceled');
      await shop().tell(shop().stripe.events.slice(-1));
    });

    it('paid for after the account was deleted are ended at Stripe, kept as unclaimed, and logged', async () => {
      const member = await shop().member();
      const { id, session } = await shop().begin(member, MONTHLY);
      await shop().server.db.write((tx) => forgetWallet(tx, member.accountId));
      await shop().tell(shop().stripe.pay(session));
      await shop().ask();
      assert.equal(shop().stripe.subscriptions.get(refOf(session))!.status, 'canceled');
      const { state } = await shop()
        .server.db.read.selectFrom('payment')
        .select('state')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      assert.equal(state, 'unclaimed');
      assert(shop().logged.some((line) => line.startsWith('error') && line.includes(id)));
    });

    it('of others at the same Stripe account are written down, and change nothing', async () => {
      const { member, ref } = await subscribed();
      shop().stripe.subscriptions.get(ref)!.metadata = {};
      const { current: before } = (await member.request<OffersAnswer>('GET', '/api/credits/offers')).body;
      await shop().tell(shop().stripe.renew(ref));
      assert.deepEqual(await current(member), before);
    });
  },
  {
    // Months go by here.
    policy: (policy) => {
      policy.accounts.sessionDays = 365;
    },
  },
);
