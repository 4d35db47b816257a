import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTier } from '../../server/accounts/cases/sanctions.ts';
import { applyEvent } from '../../server/credits/payments/stripeEvents.ts';
import type { CheckoutAnswer, PaymentAnswer } from '../../shared/credits.ts';
import { StripeDouble } from '../doubles/stripe.ts';
import { Client } from '../support/client.ts';
import { ENGINES } from '../support/engines.ts';
import { freshDatabase, startServer } from '../support/server.ts';
import { onBothEnginesWithShop } from '../support/shop.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

onBothEnginesWithShop('packs', (shop) => {
  const has = (member: Client) => shop().has(member);

  it('are offered with their prices, together with the plans', async () => {
    const offers = await shop().offers(await shop().member());
    assert.deepEqual(
      offers.packs.map((pack) => [pack.cents, pack.creditsMicro / 1e6]),
      [
        [500, 500],
        [1000, 1000],
        [5000, 5000],
      ],
    );
    assert.deepEqual([offers.sold, offers.currency, offers.current, offers.owedMicro], [true, 'usd', null, 0]);
    assert.deepEqual(
      offers.plans.map((plan) => plan.windows.map((window) => [window.hours, window.limitMicro / 1e6])),
      [
        [
          [5, 50],
          [168, 400],
        ],
      ],
    );
  });

  it('are credited once they are paid for, and the token log says so', async () => {
    const member = await shop().member();
    const changes = await member.changes();
    await shop().buy(member);
    await changes.next((topic) => topic === 'balance');
    changes.close();
    const { balance } = (await member.account()).body;
    assert.deepEqual([balance.purchasedMicro, balance.ofMicro], [500e6, balance.availableMicro]);
    const [line] = (await member.log('?kind=purchase')).body.entries;
    assert.deepEqual([line!.amountMicro, line!.balanceMicro], [500e6, balance.availableMicro]);
    assert.equal(line!.reason, 'Bought for $5.00: 500 credits.');
  });

  it('lead back to the account’s page from where they are paid', async () => {
    const { id, session } = await shop().begin(await shop().member());
    const { success_url, cancel_url } = shop().stripe.sessions.get(session)!;
    const base = `${shop().server.url}/account?checkout=${id}&payment=`;
    assert.deepEqual([success_url, cancel_url], [`${base}done#credits`, `${base}left#credits`]);
  });

  it('are credited on return from the page, before anything was told', async () => {
    const member = await shop().member();
    const { id, session } = await shop().begin(member);
    const before = await shop().check(member, id);
    assert.deepEqual([before.state, before.name, before.creditsMicro], ['open', '500 credits', 500e6]);
    assert.match(before.url!, /^https:\/\/checkout\.stripe\.example\//);
    const told = shop().stripe.pay(session);
    shop().server.clock.advance(1_000);
    const after = await shop().check(member, id);
    assert.deepEqual([after.state, after.url, after.balance.purchasedMicro], ['paid', undefined, 500e6]);
    await shop().tell(told);
    assert.equal((await has(member)).purchased, 500);
  });

  it('are credited though nothing was told and nobody came back, within a minute', async () => {
    const member = await shop().member();
    const { session } = await shop().begin(member);
    shop().stripe.pay(session);
    shop().server.clock.advance(MINUTE);
    await shop().ask();
    assert.equal((await has(member)).purchased, 500);
  });

  // Guard: the payment's state, under its lock. Behind it the transfer's id stands, which is taken once.
  it('20: are credited once, however often and however many at once tell of it', async () => {
    const member = await shop().member();
    const { id, session } = await shop().begin(member);
    const told = shop().stripe.pay(session)[0]!;
    const twin = shop().stripe.invent('checkout.session.async_payment_succeeded', told.data.object);
    const { url } = shop().server;
    await Promise.all([
      ...Array.from({ length: 8 }, () => shop().stripe.deliver(url, told)),
      ...Array.from({ length: 8 }, () => shop().stripe.deliver(url, twin)),
      ...Array.from({ length: 4 }, () => shop().check(member, id)),
      shop().ask(),
    ]);
    assert.equal((await has(member)).purchased, 500);
    for (const event of [told, twin]) assert.equal(await shop().stripe.deliver(url, event), 204);
    assert.equal((await has(member)).purchased, 500);
    assert.equal((await member.log('?kind=purchase')).body.entries.length, 1);
  });

  it('21: two checkouts that are both paid are two packs, and each is one', async () => {
    const member = await shop().member();
    const [one, two] = [await shop().begin(member), await shop().begin(member)];
    const told = [...shop().stripe.pay(one.session), ...shop().stripe.pay(two.session)];
    await Promise.all([...told, ...told].map((event) => shop().stripe.deliver(shop().server.url, event)));
    assert.equal((await has(member)).purchased, 1000);
  });

  it('wait for a slow method, and are credited when it comes through', async () => {
    const member = await shop().member();
    const { id, session } = await shop().begin(member);
    await shop().tell(shop().stripe.pay(session, { slowly: true }));
    assert.equal((await shop().check(member, id)).state, 'processing');
    assert.equal((await has(member)).purchased, 0);
    await shop().tell(shop().stripe.arrive(session));
    assert.equal((await shop().check(member, id)).state, 'paid');
    assert.equal((await has(member)).purchased, 500);
  });

  it('are not credited by a slow method that fails, told or found out by asking', async () => {
    for (const isTold of [true, false]) {
      const member = await shop().member();
      const { id, session } = await shop().begin(member);
      await shop().tell(shop().stripe.pay(session, { slowly: true }));
      const failed = shop().stripe.arrive(session, { fails: true });
      if (isTold) await shop().tell(failed);
      else shop().server.clock.advance(HOUR);
      assert.equal((await shop().check(member, id)).state, 'failed');
      assert.equal((await has(member)).purchased, 0);
    }
  });

  // Guard: money that came counts, whatever state was told before it.
  it('are credited whatever order it is told in', async () => {
    const member = await shop().member();
    const { id, session } = await shop().begin(member);
    const first = shop().stripe.pay(session, { slowly: true });
    const second = shop().stripe.arrive(session);
    await shop().tell([...second, ...first]);
    assert.deepEqual([(await shop().check(member, id)).state, (await has(member)).purchased], ['paid', 500]);
    const other = await shop().begin(member);
    const paid = shop().stripe.pay(other.session);
    const expired = shop().stripe.invent('checkout.session.expired', {
      ...paid[0]!.data.object,
      status: 'expired',
      payment_status: 'unpaid',
    });
    await shop().tell([expired]);
    assert.equal((await shop().check(member, other.id)).state, 'expired');
    await shop().tell(paid);
    assert.deepEqual([(await shop().check(member, other.id)).state, (await has(member)).purchased], ['paid', 1000]);
  });

  it('that nobody paid for expire', async () => {
    const member = await shop().member();
    const { id, session } = await shop().begin(member);
    await shop().tell(shop().stripe.expire(session));
    assert.equal((await shop().check(member, id)).state, 'expired');
    shop().stripe.calls.length = 0;
    await shop().check(member, id);
    assert(!shop().stripe.calls.some((call) => call.endsWith(session)), 'what is over is not asked about');
  });

  // Guard: the tier follows what was paid and has not gone back (boughtCents), and what a person gave stays.
  it('raise the tier by what they cost, until it goes back, and never below the one that a person gave', async () => {
    const tier = async (member: Client) => (await member.account()).body.account.tier;
    const member = await shop().member();
    await shop().buy(member);
    assert.equal(await tier(member), 0);
    await shop().buy(member);
    assert.equal(await tier(member), 1);
    const { session } = await shop().buy(member, { pack: 'pack-50' });
    assert.equal(await tier(member), 2);
    await shop().tell(shop().stripe.dispute(session));
    assert.equal(await tier(member), 1);
    await shop().tell(shop().stripe.dispute(session, 'won'));
    assert.equal(await tier(member), 2);
    const [first, rest] = [shop().stripe.refund(session, 1000), shop().stripe.refund(session, 4000)];
    await shop().tell([...rest, ...first]);
    assert.equal(await tier(member), 1);
    const both = await shop().buy(member, { pack: 'pack-50' });
    await shop().tell([...shop().stripe.refund(both.session, 5000), ...shop().stripe.dispute(both.session)]);
    assert.equal(await tier(member), 1, 'what was refunded and disputed too went back once');
    const favoured = await shop().member();
    await shop().server.db.write((tx) => setTier(tx, favoured.accountId, 1));
    const dear = await shop().buy(favoured, { pack: 'pack-50' });
    assert.equal(await tier(favoured), 2);
    await shop().tell(shop().stripe.refund(dear.session, 5000));
    assert.equal(await tier(favoured), 1);
  });

  // Guard: the event's row is written in the transaction that acts on it.
  it('are credited by the next try, when the server fails in the middle of the first', async () => {
    const member = await shop().member();
    const { session } = await shop().begin(member, { pack: 'pack-10' });
    const [event] = shop().stripe.pay(session);
    const failing = { ...(await shop().deps()), followBought: () => Promise.reject(new Error('failed in the middle')) };
    const { id, type, data } = event!;
    await assert.rejects(applyEvent(failing, { id, type, object: data.object }), /in the middle/);
    assert.equal((await has(member)).purchased, 0);
    await shop().tell([event!]);
    assert.equal((await has(member)).purchased, 1000);
  });

  it('that nobody pays for are asked about ever more rarely', async () => {
    await shop().ask();
    const { session } = await shop().begin(await shop().member());
    const asked = async (minutes: number) => {
      shop().stripe.calls.length = 0;
      for (let i = 0; i < minutes; i++) {
        shop().server.clock.advance(MINUTE);
        await shop().ask();
      }
      return shop().stripe.calls.filter((call) => call.endsWith(session)).length;
    };
    assert.deepEqual([await asked(5), (await asked(60)) < 30, (await asked(300)) < 20], [5, true, true]);
    shop().stripe.pay(session);
  });

  it('are credited though the clock was set back in between', async () => {
    const member = await shop().member();
    const { id, session } = await shop().begin(member);
    shop().server.clock.advance(-2 * HOUR);
    const told = shop().stripe.pay(session);
    assert.equal((await shop().check(member, id)).state, 'paid');
    await shop().tell(told);
    await shop().ask();
    assert.equal((await has(member)).purchased, 500);
    shop().server.clock.advance(2 * HOUR);
  });
});

for (const engine of ENGINES)
  describe(`a server that sells nothing (${engine})`, function () {
    this.timeout(60_000);

    it('says so by name, and offers nothing', async () => {
      const server = await startServer(engine);
      try {
        const guest = await server.guest();
        const { body } = await guest.request<{ sold: boolean; packs: unknown[]; plans: unknown[] }>(
          'GET',
          '/api/credits/offers',
        );
        assert.deepEqual([body.sold, body.packs, body.plans], [false, [], []]);
        for (const path of ['checkout', `checkout/${randomUUID()}/check`, 'plan/cancel', 'plan/resume']) {
          const answer = await guest.request<PaymentAnswer>('POST', `/api/credits/${path}`, { pack: 'pack-5' });
          assert.deepEqual([answer.status, answer.body.code], [404, 'not_for_sale']);
        }
        const event = await fetch(`${server.url}/api/payments/stripe`, { method: 'POST', body: '{}' });
        assert.equal(event.status, 404);
      } finally {
        await server.stop();
      }
    });
  });

describe('payments told to two nodes at once', function () {
  this.timeout(60_000);

  it('are credited once', async () => {
    const stripe = await StripeDouble.start();
    const database = await freshDatabase('postgres');
    const start = () => startServer('postgres', { databaseUrl: database.url, env: stripe.env });
    const nodes = [await start(), await start()];
    try {
      const [first] = nodes;
      const member = await first!.guest();
      await first!.db.write((tx) =>
        tx
          .updateTable('account')
          .set({ kind: 'member', terms_version: '1' })
          .where('id', '=', member.accountId)
          .execute(),
      );
      for (let round = 1; round <= 8; round++) {
        const { body } = await member.request<CheckoutAnswer>('POST', '/api/credits/checkout', { pack: 'pack-5' });
        const [event] = stripe.pay(/cs_\w+/.exec(body.url)![0]);
        const twin = stripe.invent('checkout.session.async_payment_succeeded', event!.data.object);
        const asked = nodes.map(({ url }) =>
          new Client(url, member.token, member.accountId).request(
            'POST',
            `/api/credits/checkout/${body.checkoutId}/check`,
          ),
        );
        const statuses = await Promise.all([
          ...[event!, event!, twin].flatMap((one) => nodes.map(({ url }) => stripe.deliver(url, one))),
          ...asked.map(async (answer) => (await answer).status),
        ]);
        assert.deepEqual(new Set(statuses), new Set([204, 200]));
        const { balance } = (await member.account()).body;
        assert.equal(balance.purchasedMicro, round * 500e6);
      }
      await first!.audit();
    } finally {
      for (const node of nodes) await node.stop();
      await stripe.stop();
      await database.remove();
    }
  });
});
