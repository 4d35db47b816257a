import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { audit } from '../../server/credits/audit/audit.ts';
import type { PaymentPageAnswer, PaymentsAnswer } from '../../shared/credits.ts';
import type { Problem } from '../../shared/problems.ts';
import type { Client } from '../support/client.ts';
import { onBothEnginesWithShop } from '../support/shop.ts';

onBothEnginesWithShop('pages of the payment service', (shop) => {
  const listed = async (member: Client) => (await member.request<PaymentsAnswer>('GET', '/api/credits/payments')).body;
  const portal = (member: Client) => member.request<PaymentPageAnswer & Problem>('POST', '/api/credits/portal');
  const receipt = (member: Client, id: string) =>
    member.request<PaymentPageAnswer & Problem>('POST', `/api/credits/payments/${id}/receipt`);
  const customerOf = (session: string) => shop().stripe.sessions.get(session)!.customer;
  const portals = () => shop().stripe.portals.map(({ customer }) => customer);

  it('list what was paid for, the newest first, and nothing that was only begun', async () => {
    const member = await shop().member();
    assert.deepEqual(await listed(member), { payments: [], portal: false });
    await shop().begin(member);
    assert.deepEqual(await listed(member), { payments: [], portal: false });
    const pack = await shop().buy(member);
    shop().server.clock.advance(60_000);
    const plan = await shop().buy(member, { plan: 'plus', interval: 'year' });
    await shop().tell(shop().stripe.refund(pack.session, 500));
    const { payments, portal: hasPortal } = await listed(member);
    assert.deepEqual(
      payments.map(({ id, name, cents, interval, state }) => [id, name, cents, interval, state]),
      [
        [plan.id, 'Plus', 12_000, 'year', 'paid'],
        [pack.id, '500 credits', 500, null, 'refunded'],
      ],
    );
    assert.equal(hasPortal, true);
  });

  it('lead to the receipt of a pack, and to the newest invoice of a plan', async () => {
    const member = await shop().member();
    const pack = await shop().buy(member);
    const plan = await shop().buy(member, { plan: 'plus', interval: 'month' });
    assert.equal((await receipt(member, pack.id)).body.url, shop().stripe.receiptOf(pack.session));
    assert.equal((await receipt(member, plan.id)).body.url, shop().stripe.invoiceOf(plan.session));
    const first = shop().stripe.invoiceOf(plan.session);
    await shop().tell(shop().stripe.renew(shop().stripe.sessions.get(plan.session)!.subscription!));
    assert.notEqual(shop().stripe.invoiceOf(plan.session), first);
    assert.equal((await receipt(member, plan.id)).body.url, shop().stripe.invoiceOf(plan.session));
  });

  it('open the account’s own customer and no other, with the way back', async () => {
    const [one, other] = [await shop().member(), await shop().member()];
    const bought = await shop().buy(one, { plan: 'plus', interval: 'month' });
    const others = await shop().buy(other);
    const before = shop().stripe.portals.length;
    const { status, body } = await portal(one);
    assert.deepEqual([status, body.url], [200, shop().stripe.portals.at(-1)!.url]);
    await portal(other);
    assert.deepEqual(portals().slice(before), [customerOf(bought.session), customerOf(others.session)]);
    assert.equal(shop().stripe.portals.at(-1)!.return_url, `${shop().server.url}/account#credits`);
  });

  it('are not there for somebody else’s payment, one that is not paid, or nobody’s', async () => {
    const [one, other] = [await shop().member(), await shop().member()];
    const bought = await shop().buy(one);
    const begun = await shop().begin(other);
    const before = shop().stripe.portals.length;
    shop().stripe.calls.length = 0;
    for (const id of [bought.id, begun.id, randomUUID()]) {
      const { status, body } = await receipt(other, id);
      assert.deepEqual([status, body.code], [404, 'not_found']);
    }
    const { status, body } = await portal(other);
    assert.deepEqual([status, body.code], [404, 'not_found']);
    assert.equal((await portal(await shop().server.guest())).status, 404);
    assert.equal(shop().stripe.portals.length, before);
    assert.deepEqual(
      shop().stripe.calls.filter((call) => !/sessions\/cs_/.test(call)),
      [],
    );
  });

  it('know one customer for all that an account buys, and a new one once the operator has deleted it', async () => {
    const member = await shop().member();
    const first = customerOf((await shop().buy(member)).session);
    assert.match(first!, /^cus_/);
    const plan = await shop().buy(member, { plan: 'plus', interval: 'month' });
    assert.equal(customerOf(plan.session), first);
    await shop().tell(shop().stripe.deleteCustomer(first!));
    assert.equal((await portal(member)).status, 404);
    const again = await shop().buy(member);
    const second = customerOf(again.session);
    assert.notEqual(second, first);
    assert.equal((await shop().has(member)).purchased, 1000);
    const { clock, db } = shop().server;
    clock.advance(1);
    await portal(member);
    assert.equal(portals().at(-1), second);
    assert.deepEqual(await audit(db.read, clock.now(), 0), []);
  });

  it('are refused for a minute to whoever opens them without end', async () => {
    const member = await shop().member();
    await shop().buy(member);
    const answers = [];
    for (let n = 0; n < 13; n++) answers.push(await portal(member));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [...Array(12).fill(200), 429],
    );
    assert.match(answers.at(-1)!.body.detail, /12 pages of the payment service in a minute/);
  });

  it('say that nothing is charged or lost where the payment service does not answer', async () => {
    const member = await shop().member();
    await shop().buy(member);
    shop().stripe.failNext(/billing_portal/, 'error', 'error', 'error');
    const { body } = await portal(member);
    assert.equal(body.code, 'payment_service_failed');
    shop().stripe.forgetFailures();
    assert.equal((await portal(member)).status, 200);
  });

  it('are audited: a customer of two accounts is found', async () => {
    const [one, other] = [await shop().member(), await shop().member()];
    const [bought, others] = [await shop().buy(one), await shop().buy(other)];
    const { db, clock } = shop().server;
    const set = (customer: string) =>
      db.write((tx) => sql`update payment set customer = ${customer} where id = ${others.id}`.execute(tx));
    const own = customerOf(others.session)!;
    await set(customerOf(bought.session)!);
    const violations = await audit(db.read, clock.now(), 0);
    await set(own);
    assert.deepEqual(
      violations.map(({ invariant, what, ids }) => [invariant, what, ids]),
      [['g', 'one customer of the payment service for the payments of two ledgers', [customerOf(bought.session)]]],
    );
  });
});
