import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { StripeEvent } from '../doubles/stripe.ts';
import type { Client } from '../support/client.ts';
import { onBothEnginesWithShop } from '../support/shop.ts';

const MINUTE = 60_000;
const CREATE = /^POST \/v1\/checkout\/sessions$/;

onBothEnginesWithShop('packs', (shop) => {
  const has = (member: Client) => shop().has(member);

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
        const before = await shop().journal();
        assert.equal(await shop().stripe.deliver(shop().server.url, event!, how(event!)), 400);
        assert.deepEqual([await shop().journal(), (await has(member)).purchased], [before, 0]);
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
        const before = await shop().journal();
        await shop().tell([event]);
        assert.deepEqual([await shop().journal(), (await has(member)).purchased], [before, 0]);
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
      const before = await shop().journal();
      await shop().tell([event]);
      assert.deepEqual(await shop().journal(), before);
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
});
