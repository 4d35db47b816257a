import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { OffersAnswer } from '../../shared/credits.ts';
import { at, button, MONTHLY, sharedScene } from './creditsPage.ts';
import { answer, HOSTILE } from './creditsScene.ts';
import { type Scene, violations } from './scene.ts';

describe('the credits’ parts of the member’s page, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await sharedScene();
  });
  const refOf = (session: string) => scene.stripe.sessions.get(session)!.subscription!;

  describe('buying', () => {
    /** A payment page at which the person does this, before it sends them back where it was told to. */
    const payAt = (page: Page, act: (session: string) => string) =>
      page.route('https://checkout.stripe.example/**', (route) =>
        route.fulfill({ status: 303, headers: { location: act(new URL(route.request().url()).pathname.slice(3)) } }),
      );
    const addressOf = (page: Page) => page.url().slice(scene.server.url.length);

    it('goes to the payment page and comes back to credits that are there, whether or not Stripe has told of it', async () => {
      const member = await scene.member();
      const { page, context } = await at(member, 'credits');
      await payAt(page, (session) => {
        scene.stripe.pay(session);
        return scene.stripe.sessions.get(session)!.success_url;
      });
      await button(page, 'Buy 500 credits for $5.00').click();
      await page.getByRole('status').getByText('You have 600 credits now').waitFor();
      await page.waitForURL(`${scene.server.url}/account#credits`);
      await page.reload();
      await page.getByRole('heading', { name: 'Packs' }).waitFor();
      assert.equal(await page.getByText('Paid.').count(), 0);
      assert.equal((await scene.shop.has(member)).purchased, 500);
      await context.close();
    });

    it('says that nothing was charged to whoever left the payment page, and leads back to it', async () => {
      const member = await scene.member();
      const { page, context } = await at(member, 'credits');
      let visits = 0;
      await payAt(page, (session) => {
        visits++;
        const { cancel_url, success_url } = scene.stripe.sessions.get(session)!;
        if (visits === 1) return cancel_url;
        scene.stripe.pay(session);
        return success_url;
      });
      await page.getByLabel('Yearly').check();
      await page.getByText('$24.00 less than monthly').waitFor();
      await button(page, 'Take Plus for $120.00 a year').click();
      await page.getByText('Nothing was charged.').waitFor();
      await page.waitForURL(`${scene.server.url}/account#credits`);
      await page.getByRole('link', { name: 'Go on paying' }).click();
      await page.getByText('Your plan Plus has begun.').waitFor();
      await page.getByText('Plus · $120.00 a year').waitFor();
      assert.equal(await button(page, /^Take Plus/).count(), 0);
      await context.close();
    });

    it('leads to receipts, and to the account’s own page at the payment service and back', async () => {
      const member = await scene.member();
      const pack = await scene.shop.buy(member);
      await scene.shop.buy(member, MONTHLY);
      const { page, context, told } = await at(member, 'credits');
      await page.route('https://*.stripe.example/**', (route) => route.fulfill({ body: 'A page of Stripe' }));
      await page.getByRole('heading', { name: 'Payments' }).waitFor();
      assert.deepEqual(await violations(page), []);
      assert.equal(await button(page, /^Receipt of/).count(), 2);
      await button(page, /^Receipt of 500 credits/).click();
      await page.waitForURL(scene.stripe.receiptOf(pack.session));
      await page.goBack();
      await button(page, 'Invoices and payment method').click();
      await page.waitForURL(/billing\.stripe\.example/);
      const { url, return_url, customer } = scene.stripe.portals.at(-1)!;
      assert.deepEqual([page.url(), customer], [url, scene.stripe.sessions.get(pack.session)!.customer]);
      await page.goto(return_url!);
      await page.getByRole('heading', { name: 'Payments' }).waitFor();
      assert.deepEqual(told, []);
      await context.close();
    });

    it('asks again while nothing is decided, also after nobody was reached', async () => {
      const member = await scene.member();
      const { id, session } = await scene.shop.begin(member);
      let asked = 0;
      const { page, context } = await at(member, 'balance', (one) =>
        one.route('**/check', (route) => (++asked === 1 ? route.abort() : route.continue())),
      );
      // The page's pauses grow to half a minute; the server asks Stripe once a second at most.
      await page.clock.install();
      const later = async () => {
        scene.server.clock.advance(30_000);
        await page.clock.fastForward(30_000);
      };
      await page.goto(`${scene.server.url}/account?checkout=${id}&payment=done#credits`);
      await page.getByRole('alert').getByText('The server cannot be reached').waitFor();
      await later();
      await page.getByText('Not confirmed yet.').waitFor();
      assert.match(addressOf(page), /checkout=/, 'a reload would ask again');
      scene.stripe.pay(session, { slowly: true });
      await later();
      await page.getByText('Still being processed.').waitFor();
      scene.stripe.arrive(session);
      await later();
      await page.getByText('You have 600 credits now').waitFor();
      assert.equal(addressOf(page), '/account#credits');
      assert.equal(await page.getByRole('alert').count(), 0);
      await context.close();
    });

    it('says what failed and what has expired, and knows nothing of the payments of others', async () => {
      const member = await scene.member();
      const { page, context } = await at(member, 'credits');
      const back = async (id: string) => {
        await page.goto('about:blank');
        await page.goto(`${scene.server.url}/account?checkout=${id}&payment=done#credits`);
      };
      const declined = await scene.shop.begin(member);
      scene.stripe.pay(declined.session, { slowly: true });
      await scene.shop.tell(scene.stripe.arrive(declined.session, { fails: true }));
      await back(declined.id);
      await page.getByText('The payment failed. Nothing was charged').waitFor();
      const expired = await scene.shop.begin(member);
      scene.stripe.expire(expired.session);
      await back(expired.id);
      await page.getByText('The payment page has expired. Nothing was charged').waitFor();
      const foreign = await scene.shop.begin(await scene.member());
      for (const id of [foreign.id, 'no-such-thing/../../plan/cancel']) {
        await back(encodeURIComponent(id));
        await page.getByRole('alert').waitFor();
        await page.waitForURL(`${scene.server.url}/account#credits`);
        assert.equal(await page.getByText('500 credits').first().isVisible(), true, 'the offers are there');
      }
      await context.close();
    });

    it('tells why a payment can’t be begun', async () => {
      const member = await scene.member();
      const { page, context } = await at(member, 'credits');
      await button(page, /^Take Plus/).waitFor();
      scene.stripe.failNext(/^POST \/v1\/checkout\/sessions$/, 'decline');
      await button(page, 'Buy 500 credits for $5.00').click();
      await page.getByRole('alert').waitFor();
      assert.equal(await button(page, 'Buy 500 credits for $5.00').isEnabled(), true);
      await context.close();
    });

    it('cancels a plan after a question, keeps it after all, and shows where to pay a renewal that failed', async () => {
      const member = await scene.member();
      const { session } = await scene.shop.buy(member, MONTHLY);
      const { page, context } = await at(member, 'credits');
      await page.getByText('Renews by itself on').waitFor();
      await button(page, 'Cancel the plan').click();
      const dialog = page.getByRole('dialog', { name: 'Cancel Plus?' });
      await dialog.getByRole('button', { name: 'Keep it' }).click();
      await page.getByText('Renews by itself on').waitFor();
      await button(page, 'Cancel the plan').click();
      await dialog.getByRole('button', { name: 'Cancel the plan' }).click();
      await page.getByText(/Cancelled: it runs until/).waitFor();
      assert.equal((await scene.shop.offers(member)).current!.renews, false);
      await button(page, 'Keep the plan').click();
      await page.getByText('Renews by itself on').waitFor();
      assert.equal((await scene.shop.offers(member)).current!.renews, true);
      await scene.shop.tell(scene.stripe.renew(refOf(session), { fails: true }));
      const pay = page.getByRole('link', { name: 'Pay the renewal' });
      await pay.waitFor();
      assert.match((await pay.getAttribute('href'))!, /^https:\/\/invoice\.stripe\.example\//);
      await context.close();
    });

    it('tells what each model costs, also for long requests, and from when another price counts', async () => {
      const rates = (inputMicro: number) => ({ inputMicro, cachedInputMicro: 15e6, outputMicro: 250e6 });
      const tokens = (inputMicro: number, tiers: object[] = []) => ({ mode: 'tokens', ...rates(inputMicro), tiers });
      const model = { contextTokens: 128_000, maxOutputTokens: 8_000, isDefault: false, isDemo: false };
      const models = [
        {
          ...model,
          ...{ id: 'long', name: 'long-k2', price: tokens(60e6, [{ aboveInputTokens: 200_000, ...rates(90e6) }]) },
          nextPrice: { from: '2027-03-01T12:00:00Z', price: tokens(60_000_500) },
        },
        { ...model, id: 'flat', name: HOSTILE, price: { mode: 'flat', runMicro: 1e6 } },
      ];
      const { page, context } = await at(await scene.member(), 'credits', (one) =>
        answer(one, '/api/models', { models }),
      );
      const prices = page.getByRole('region', { name: 'Prices by model' });
      await prices.waitFor();
      assert.deepEqual(
        (await prices.locator('tbody tr').allInnerTexts()).map((row) => row.split(/\s*\t\s*/)),
        [
          ['long-k2', '60', '15', '250'],
          ['long-k2, above 200,000 tokens in', '90', '15', '250'],
          ['long-k2, from 1 Mar 2027', '60.0005', '15', '250'],
          [HOSTILE, '1 credit a message'],
        ],
      );
      await answer(page, '/api/models', { models: [] });
      await page.reload();
      await page.getByText('No model is offered now.').waitFor();
      await answer(page, '/api/models', { code: 'upstream_unavailable', title: 'Not now', detail: 'Later.' }, 503);
      await page.reload();
      await page.getByText('Later.').waitFor();
      await context.close();
    });

    it('says what is owed, and where nothing is sold', async () => {
      const nothing: OffersAnswer = { sold: false, currency: 'usd', packs: [], plans: [], current: null, owedMicro: 0 };
      const given = {
        plan: 'team',
        name: 'Team',
        interval: 'month',
        cents: null,
        currency: null,
        renews: true,
      } as const;
      const until = new Date(scene.server.clock.now() + 86_400_000).toISOString();
      const { page, context } = await at(await scene.member(), 'credits', (one) =>
        answer(one, '/api/credits/offers', nothing),
      );
      await page.getByText('Nothing is sold here.').waitFor();
      await answer(page, '/api/credits/offers', { ...nothing, current: { ...given, until }, owedMicro: 120_500_000 });
      await page.reload();
      await page.getByText('You owe 120.5 credits.').waitFor();
      await page.getByText('given to you').waitFor();
      assert.equal(await page.getByRole('main').getByRole('button').count(), 0);
      await context.close();
    });
  });
});
