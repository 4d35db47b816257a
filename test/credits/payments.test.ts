import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTier } from '../../server/accounts/operator/sanctions.ts';
import { forgetWallet } from '../../server/credits/holds/store.ts';
import { applyEvent } from '../../server/credits/payments/stripeEvents.ts';
import type { CheckoutAnswer, PaymentAnswer } from '../../shared/credits.ts';
import { StripeDouble, type StripeEvent } from '../doubles/stripe.ts';
import { Client } from '../support/client.ts';
import { ENGINES } from '../support/engines.ts';
import { freshDatabase, startServer } from '../support/server.ts';
import { onBothEnginesWithShop } from '../support/shop.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const CREATE = /^POST \/v1\/checkout\/sessions$/;

onBothEnginesWithShop('packs', (shop) => {
  const has = (member: Client) => shop().has(member);
  const journal = () =>
    shop()
      .server.db.read.selectFrom('transfer')
      .select((eb) => eb.fn.countAll<number | string>().as('count'))
      .executeTakeFirstOrThrow();

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

  describe('that are refunded', () => {
    // Guard: what went back so far is counted, not each event (addRefund).
    it('22: are taken back once, however often it is told', async () => {
      const member = await shop().member();
      const { id, session } = await shop().buy(member);
      const [told] = shop().stripe.refund(session, 500);
      const twin = shop().stripe.invent('charge.refunded', told!.data.object);
      const again = [told!, told!, twin, twin].map((event) => shop().stripe.deliver(shop().server.url, event));
      assert.deepEqual(await Promise.all(again), [204, 204, 204, 204]);
      assert.deepEqual(await has(member), { purchased: 0, owed: 0 });
      assert.equal((await shop().check(member, id)).state, 'refunded');
      const lines = (await member.log('?kind=reversal')).body.entries;
      assert.deepEqual(
        lines.map((line) => line.amountMicro),
        [-500e6],
      );
    });

    it('in parts are taken back in parts, in any order', async () => {
      const member = await shop().member();
      const { id, session } = await shop().buy(member);
      const first = shop().stripe.refund(session, 100);
      const second = shop().stripe.refund(session, 150);
      await shop().tell(second);
      assert.equal((await has(member)).purchased, 250);
      await shop().tell(first);
      assert.deepEqual([(await has(member)).purchased, (await shop().check(member, id)).state], [250, 'paid']);
      await shop().tell(shop().stripe.refund(session, 250));
      assert.deepEqual([(await has(member)).purchased, (await shop().check(member, id)).state], [0, 'refunded']);
    });

    it('before it was told that they were paid come to nothing', async () => {
      const member = await shop().member();
      const { session } = await shop().begin(member);
      const paid = shop().stripe.pay(session);
      await shop().tell(shop().stripe.refund(session, 500));
      assert.deepEqual(await has(member), { purchased: 0, owed: 0 });
      await shop().tell(paid);
      assert.deepEqual(await has(member), { purchased: 0, owed: 0 });
      assert.equal((await member.log('?kind=purchase')).body.entries.length, 1);
    });
  });

  describe('whose payment is disputed', () => {
    /** Buys for 5 dollars, and has most of it spent. */
    async function spent(): Promise<{ member: Client; session: string; id: string }> {
      const member = await shop().member();
      const bought = await shop().buy(member);
      const { promotionalMicro } = (await member.account()).body.balance;
      shop().server.double.usually({ text: 'dear' });
      const { db } = shop().server;
      // As a run would, without its two hundred answers.
      await db.write(async (tx) => {
        const { ledger_id } = await tx
          .selectFrom('wallet')
          .select('ledger_id')
          .where('account_id', '=', member.accountId)
          .executeTakeFirstOrThrow();
        const spend = async (fund: 'promotional' | 'purchased', amount: number) => {
          const transfer = { debit: `${fund}:${ledger_id}`, credit: 'house:revenue', amount, kind: 'charge' as const };
          const id = randomUUID();
          await tx
            .insertInto('transfer')
            .values({ ...transfer, id, request_id: id, hold_id: null, at: 1 })
            .execute();
          await tx
            .updateTable('balance')
            .set((eb) => ({ posted: eb('posted', '-', amount) }))
            .where('ledger_id', '=', ledger_id)
            .where('kind', '=', fund)
            .execute();
        };
        await spend('promotional', promotionalMicro);
        await spend('purchased', 380e6);
      });
      return { member, ...bought };
    }

    // Guard: what is spent goes to an account of its own; the database refuses a balance below zero.
    it('owe what was spent, and the next purchase pays it first', async () => {
      const { member, session, id } = await spent();
      await shop().tell(shop().stripe.dispute(session));
      assert.deepEqual(await has(member), { purchased: 0, owed: 380 });
      assert.equal((await shop().check(member, id)).state, 'disputed');
      assert.match(
        (await member.log('?kind=reversal')).body.entries[0]!.reason,
        /380 credits were spent or held already/,
      );
      const { status, body } = await member.start(member.chat('hello'));
      assert.deepEqual([status, body.code], [402, 'insufficient_credits']);
      await shop().buy(member);
      assert.deepEqual(await has(member), { purchased: 120, owed: 0 });
      const [line] = (await member.log('?kind=purchase')).body.entries;
      assert.equal(line!.amountMicro, 120e6);
      assert.match(line!.reason, /380 credits of them paid what was owed\./);
    });

    it('get it back when it is won, what is owed first', async () => {
      const { member, session, id } = await spent();
      await shop().tell([...shop().stripe.dispute(session), ...shop().stripe.dispute(session, 'won')]);
      assert.deepEqual(await has(member), { purchased: 120, owed: 0 });
      assert.equal((await shop().check(member, id)).state, 'paid');
    });

    it('get it back though the debt was paid meanwhile', async () => {
      const { member, session } = await spent();
      await shop().tell(shop().stripe.dispute(session));
      await shop().buy(member);
      await shop().tell(shop().stripe.dispute(session, 'won'));
      assert.deepEqual(await has(member), { purchased: 620, owed: 0 });
    });

    it('get nothing back when it is lost, and an inquiry takes nothing', async () => {
      const { member, session } = await spent();
      await shop().tell([
        ...shop().stripe.dispute(session, 'warning_needs_response'),
        ...shop().stripe.dispute(session, 'warning_closed'),
      ]);
      assert.deepEqual(await has(member), { purchased: 120, owed: 0 });
      await shop().tell([...shop().stripe.dispute(session), ...shop().stripe.dispute(session, 'lost')]);
      assert.deepEqual(await has(member), { purchased: 0, owed: 380 });
    });

    // Guard: a dispute that was won stays so.
    it('lose nothing when it is told that it began after it was won', async () => {
      const { member, session } = await spent();
      const [began, won] = [shop().stripe.dispute(session), shop().stripe.dispute(session, 'won')];
      await shop().tell([...won, ...began, ...won]);
      assert.deepEqual(await has(member), { purchased: 120, owed: 0 });
    });

    it('and refunded too are taken back once', async () => {
      const member = await shop().member();
      const { session } = await shop().buy(member);
      await shop().tell([...shop().stripe.refund(session, 500), ...shop().stripe.dispute(session)]);
      assert.deepEqual(await has(member), { purchased: 0, owed: 0 });
      await shop().tell(shop().stripe.dispute(session, 'won'));
      assert.deepEqual(await has(member), { purchased: 0, owed: 0 });
    });
  });

  describe('paid for after the account was deleted', () => {
    // Guard: the wallet's row, locked. What comes for nobody is credited to nobody, and kept in sight.
    it('are credited to nobody, kept as unclaimed, and logged', async () => {
      const member = await shop().member();
      const { id, session } = await shop().begin(member);
      await shop().server.db.write((tx) => forgetWallet(tx, member.accountId));
      const before = await journal();
      await shop().tell(shop().stripe.pay(session));
      const row = await shop().server.db.read.selectFrom('payment').selectAll().where('id', '=', id).executeTakeFirst();
      assert.equal(row?.state, 'unclaimed');
      assert.deepEqual(await journal(), before);
      assert(shop().logged.some((line) => line.startsWith('error') && line.includes(id)));
      await shop().tell(shop().stripe.refund(session, 500));
      assert.deepEqual(await journal(), before);
    });

    it('and refunded leave the books right', async () => {
      const member = await shop().member();
      const { session } = await shop().buy(member);
      await shop().server.db.write((tx) => forgetWallet(tx, member.accountId));
      await shop().tell(shop().stripe.refund(session, 500));
    });
  });

  describe('are refused, and nothing is changed:', () => {
    const REQUESTS: [what: string, body: unknown, status: number, code: string][] = [
      ['a pack that is not sold', { pack: 'pack-7' }, 422, 'offer_unknown'],
      ['a plan that is not sold', { plan: 'gold', interval: 'month' }, 422, 'offer_unknown'],
      ['an interval that is none', { plan: 'plus', interval: 'week' }, 400, 'invalid_request'],
      ['a price of one’s own', { pack: 'pack-5', cents: 1 }, 400, 'invalid_request'],
      ['neither pack nor plan', {}, 400, 'invalid_request'],
    ];
    for (const [what, body, status, code] of REQUESTS)
      it(what, async () => {
        const answer = await (await shop().member()).request('POST', '/api/credits/checkout', body);
        assert.deepEqual([answer.status, answer.body.code], [status, code]);
        assert(!shop().stripe.calls.some((call) => CREATE.test(call)));
      });

    it('a guest', async () => {
      const guest = await shop().server.guest();
      const { status, body } = await guest.request('POST', '/api/credits/checkout', { pack: 'pack-5' });
      assert.deepEqual([status, body.code], [403, 'members_only']);
    });

    it('whoever is suspended', async () => {
      const member = await shop().member();
      await shop().server.db.write((tx) =>
        tx
          .updateTable('account')
          .set({ suspended_at: 1, suspended_why: 'x' })
          .where('id', '=', member.accountId)
          .execute(),
      );
      const { status, body } = await member.request('POST', '/api/credits/checkout', { pack: 'pack-5' });
      assert.deepEqual([status, body.code], [403, 'suspended']);
    });

    it('a payment of another account, and one that does not exist, alike', async () => {
      const { id } = await shop().begin(await shop().member());
      const other = await shop().member();
      for (const one of [id, randomUUID()]) {
        const { status, body } = await other.request('POST', `/api/credits/checkout/${one}/check`);
        assert.deepEqual(
          [status, body.code, body.detail],
          [404, 'not_found', 'There is no such payment in your account.'],
        );
      }
    });

    it('more checkouts than a person begins', async () => {
      const member = await shop().member();
      for (let i = 0; i < 20; i++) await shop().begin(member);
      const { status, body } = await member.request('POST', '/api/credits/checkout', { pack: 'pack-5' });
      assert.deepEqual([status, body.code], [429, 'rate_limited']);
      shop().server.clock.advance(Date.parse(body.retryAt!) - shop().server.clock.now());
      await shop().begin(member);
    });

    // Guard: verifyEvent. Without it each of these credits.
    const SIGNED: [
      what: string,
      how: (event: StripeEvent) => Parameters<ReturnType<typeof shop>['stripe']['deliver']>[2],
    ][] = [
      ['an event that another secret signed', () => ({ secret: 'whsec_other' })],
      ['an event that was signed six minutes ago', () => ({ at: shop().server.clock.now() - 6 * MINUTE })],
      ['an event without a signature', () => ({ header: 'none' })],
      ['an event whose signature is of another scheme', () => ({ header: 't=1,v0=abc' })],
      [
        'an event that was changed after it was signed',
        (event) => ({ body: JSON.stringify(event).replace('"amount_total":500', '"amount_total":501') }),
      ],
      ['what is no event at all', () => ({ body: 'hello', header: 't=1,v1=abc' })],
    ];
    for (const [what, how] of SIGNED)
      it(what, async () => {
        const member = await shop().member();
        const { session } = await shop().begin(member);
        const [event] = shop().stripe.pay(session);
        const before = await journal();
        assert.equal(await shop().stripe.deliver(shop().server.url, event!, how(event!)), 400);
        assert.deepEqual([await journal(), (await has(member)).purchased], [before, 0]);
      });

    it('a signed event that is not of its form', async () => {
      const events = [
        shop().stripe.invent('checkout.session.completed', { id: 5 }),
        shop().stripe.invent('charge.refunded', { amount_refunded: 1.5 }),
        shop().stripe.invent('charge.dispute.created', { id: 'dp_1', amount: -5, currency: 'usd', status: 'lost' }),
      ];
      for (const event of events) assert.equal(await shop().stripe.deliver(shop().server.url, event), 400);
    });

    it('an event as large as none is', async () => {
      const event = shop().stripe.invent('x', { text: 'x'.repeat(1_100_000) });
      assert.equal(await shop().stripe.deliver(shop().server.url, event), 413);
    });

    // Guard: checkoutMisfit. Everything is verified against our own row.
    const MISFITS: [what: string, change: Record<string, unknown>][] = [
      ['less than the price', { amount_total: 499 }],
      ['more than the price', { amount_total: 50_000 }],
      ['nothing', { amount_total: 0, payment_status: 'no_payment_required' }],
      ['a negative amount', { amount_total: -500 }],
      ['a fraction of a cent', { amount_total: 500.5 }],
      ['more than a number holds', { amount_total: 2 ** 60 }],
      ['another currency', { currency: 'idr' }],
      ['another checkout than ours', { id: 'cs_test_other' }],
      ['a subscription instead', { mode: 'subscription' }],
      ['no payment of ours', { metadata: {} }],
      ['an unknown payment', { metadata: { perigee_payment: randomUUID() } }],
    ];
    for (const [what, change] of MISFITS)
      it(`a checkout that was paid with ${what}: written down, and credited to nobody`, async () => {
        const member = await shop().member();
        const { session } = await shop().begin(member);
        const [paid] = shop().stripe.pay(session);
        const event = shop().stripe.invent('checkout.session.completed', { ...paid!.data.object, ...change });
        const before = await journal();
        await shop().tell([event]);
        assert.deepEqual([await journal(), (await has(member)).purchased], [before, 0]);
        const noted = await shop()
          .server.db.read.selectFrom('payment_event')
          .select('outcome')
          .where('id', '=', event.id)
          .executeTakeFirst();
        assert.match(noted!.outcome, /misfit|foreign/);
        // What is right is credited after all.
        await shop().tell([paid!]);
        assert.equal((await has(member)).purchased, 500);
      });

    it('a refund in another currency', async () => {
      const member = await shop().member();
      const { session } = await shop().buy(member);
      const [told] = shop().stripe.refund(session, 500);
      await shop().tell([shop().stripe.invent('charge.refunded', { ...told!.data.object, currency: 'idr' })]);
      assert.equal((await has(member)).purchased, 500);
    });

    it('a refund that failed at a bank after all: an operator reads of it, and nothing moves by itself', async () => {
      const member = await shop().member();
      const { session } = await shop().buy(member);
      await shop().tell(shop().stripe.refund(session, 500));
      const event = shop().stripe.invent('refund.failed', { id: 're_1', object: 'refund', amount: 500 });
      const before = await journal();
      await shop().tell([event]);
      assert.deepEqual(await journal(), before);
      assert.ok(shop().logged.some((line) => line.startsWith('error') && line.includes(event.id)));
    });

    it('money back of payments that are not ours', async () => {
      const [charge] = shop().stripe.refund((await shop().buy(await shop().member())).session, 500);
      await shop().tell([shop().stripe.invent('charge.refunded', { ...charge!.data.object, payment_intent: null })]);
      const unknown = shop().stripe.invent('charge.refunded', { ...charge!.data.object, payment_intent: 'pi_unknown' });
      // Stripe doesn't know it: nobody can say whose it was, so it is to be told again.
      assert.equal(await shop().stripe.deliver(shop().server.url, unknown), 502);
    });
  });

  describe('though the payment service', () => {
    it('breaks off when it has made the page: there is one page, and it is found', async () => {
      const member = await shop().member();
      const before = shop().stripe.sessions.size;
      shop().stripe.failNext(CREATE, 'drop-when-done');
      await shop().buy(member);
      assert.equal(shop().stripe.sessions.size, before + 1);
      assert.equal((await has(member)).purchased, 500);
    });

    it('never answers that it has made the page: the refusal is named, and a payment at it is credited', async () => {
      const member = await shop().member();
      const before = new Set(shop().stripe.sessions.keys());
      shop().stripe.failNext(CREATE, 'drop-when-done', 'drop', 'drop');
      const { status, body } = await member.request('POST', '/api/credits/checkout', { pack: 'pack-5' });
      assert.deepEqual([status, body.code], [502, 'payment_service_failed']);
      const [session] = [...shop().stripe.sessions.keys()].filter((one) => !before.has(one));
      // Guard: the payment's id is the key, by which the page that was made is found again.
      const { id } = await shop()
        .server.db.read.selectFrom('payment')
        .select('id')
        .orderBy('created_at', 'desc')
        .executeTakeFirstOrThrow();
      const found = await shop().check(member, id);
      assert.deepEqual([found.state, found.url], ['open', shop().stripe.sessions.get(session!)!.url]);
      await shop().tell(shop().stripe.pay(session!));
      assert.equal((await has(member)).purchased, 500);
    });

    for (const failure of ['error', 'rate-limit', 'decline', 'drop', 'garbage'] as const)
      it(`fails (${failure}): the refusal is named, and the next try is a new one`, async () => {
        const member = await shop().member();
        shop().stripe.failNext(CREATE, failure, failure, failure);
        const { status, body } = await member.request('POST', '/api/credits/checkout', { pack: 'pack-5' });
        assert.deepEqual([status, body.code], [502, 'payment_service_failed']);
        shop().stripe.forgetFailures();
        await shop().buy(member);
        assert.equal((await has(member)).purchased, 500);
      });

    it('fails while it is asked: what was paid is credited the next time', async () => {
      const member = await shop().member();
      const { id, session } = await shop().begin(member);
      shop().stripe.pay(session);
      shop().stripe.failNext(new RegExp(session), 'error', 'error', 'error');
      assert.equal((await shop().check(member, id)).status, 502);
      shop().stripe.forgetFailures();
      shop().server.clock.advance(MINUTE);
      await shop().ask();
      assert.equal((await has(member)).purchased, 500);
    });

    it('says something that has a secret in it: it is not in the log', async () => {
      shop().stripe.failNext(CREATE, 'decline');
      await (await shop().member()).request('POST', '/api/credits/checkout', { pack: 'pack-5' });
      const lines = shop().logged.join('\n');
      assert.match(lines, /a request failed/);
      assert.doesNotMatch(lines, /sk_test|whsec|Declined|4242/);
    });
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
