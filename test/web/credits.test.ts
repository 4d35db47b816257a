import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { OffersAnswer } from '../../shared/credits.ts';
import { runAdmin } from '../support/admin.ts';
import type { Client } from '../support/client.ts';
import { answer, fillLog, HOSTILE, referralsOf } from './creditsScene.ts';
import { Scene, until, violations } from './scene.ts';

const MONTHLY = { plan: 'plus', interval: 'month' } as const;

describe('the credits’ parts of the member’s page, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene?.stop());

  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
  const go = (page: Page, section: string) => page.getByRole('navigation').getByRole('link', { name: section }).click();
  const refOf = (session: string) => scene.stripe.sessions.get(session)!.subscription!;

  /** A window at that part of the page of somebody who is signed in. */
  async function at(member: Client, section: string, prepare: (page: Page) => Promise<unknown> = async () => {}) {
    const window = await scene.window();
    await prepare(window.page);
    await scene.enter(window.page, member, section);
    return window;
  }

  describe('balance', () => {
    it('shows what is left by what it is, and each window of the plan with when it frees up', async () => {
      const member = await scene.member();
      await scene.shop.buy(member, MONTHLY);
      await scene.shop.buy(member);
      await member.run(member.chat('One'));
      scene.server.clock.advance(600_000);
      await member.run(member.chat('Two'));
      const { page, context, told } = await at(member, 'balance');
      await page.getByText('648 of 650 credits').waitFor();
      const parts = await page.locator('.legend li').allInnerTexts();
      assert.deepEqual(
        parts.map((part) => part.split('\n').at(-1)),
        ['48', '100', '500'],
      );
      await page.getByText('48 of 50 left').waitFor();
      await page.getByText('398 of 400 left').waitFor();
      const [window] = (await member.account()).body.balance.windows;
      const zoned = new Date(window!.nextFreeAt!).toLocaleString('en-GB', {
        timeZone: 'Europe/Berlin',
        hour: '2-digit',
        minute: '2-digit',
        timeZoneName: 'short',
      });
      await page
        .getByText('1 credit of it frees up')
        .filter({ hasText: zoned })
        .filter({ hasText: 'all of it by' })
        .first()
        .waitFor();
      assert.deepEqual(told, []);
      await context.close();
    });

    it('says so where there is no plan, and leads to where one is sold', async () => {
      const { page, context } = await at(await scene.member(), 'balance');
      await page.getByText('You have no plan.').getByRole('link', { name: 'Credits' }).click();
      await page.getByRole('heading', { name: 'Plans' }).waitFor();
      await context.close();
    });
  });

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
      scene.stripe.failNext(/checkout\/sessions/, 'decline');
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

  describe('usage', () => {
    it('draws days, models and tools, sums them up, and has all of it as a table', async () => {
      const member = await scene.member();
      await fillLog(scene, member, { days: 60 });
      const { page, context, told } = await at(member, 'usage');
      const total = (path: string) =>
        member.request<{ total: { runs: number } }>('GET', `/api/credits/usage?${path}`).then(({ body }) => body.total);
      const chart = page.getByRole('img', { name: /^Credits of each day from/ });
      await chart.waitFor();
      assert.equal(await chart.locator('rect').count(), 30);
      const runs = (await page.locator('.tiles dd').nth(1).innerText()).trim();
      const asked: URL[] = [];
      page.on('request', (one) => void asked.push(new URL(one.url())));
      await page.getByLabel('7 days').check();
      await until(page, 'document.querySelectorAll(".chart rect").length === 7');
      assert.equal(asked.find(({ search }) => search.includes('by=day'))!.searchParams.get('zone'), 'Europe/Berlin');
      assert.notEqual((await page.locator('.tiles dd').nth(1).innerText()).trim(), runs);
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      await until(page, 'document.querySelectorAll(".chart rect").length === 90');
      const since = new Date(scene.server.clock.now() - 89 * 86_400_000).toISOString();
      const all = await total(new URLSearchParams({ from: since }).toString());
      await page.locator('.tiles').getByText(String(all.runs), { exact: true }).waitFor();
      await page.getByText('As a table').click();
      assert.equal(await page.getByRole('table').getByRole('row').count(), 91);
      await page.getByText('gpt-oss-120b').waitFor();
      await page.getByText('opencode').waitFor();
      assert.deepEqual(told, []);
      await context.close();
    });

    it('says so where nothing was used', async () => {
      const { page, context } = await at(await scene.member(), 'usage');
      await page.getByText('Nothing was used on these days').waitFor();
      assert.equal(await page.locator('.chart').count(), 0);
      await context.close();
    });
  });

  describe('the token log', () => {
    const lines = (page: Page) => page.locator('.log tbody tr');

    it('has a line for everything, the newest first, and more of them', async () => {
      const member = await scene.member();
      await fillLog(scene, member);
      const { page, context } = await at(member, 'log');
      await lines(page).first().waitFor();
      assert.equal(await lines(page).count(), 30);
      while (await button(page, 'Show more').isVisible()) {
        const before = await lines(page).count();
        await button(page, 'Show more').click();
        await until(page, `document.querySelectorAll('.log tbody tr').length > ${before}`);
      }
      const { entries } = (await member.log('?limit=200')).body;
      assert.equal(await lines(page).count(), entries.length);
      assert.match((await lines(page).nth(3).locator('.amount').getAttribute('title'))!, /^[−+\d.,]+ credits$/);
      const ids = new Set(await lines(page).allInnerTexts());
      assert.ok(ids.size > entries.length / 2, 'no line is there twice');
      await member.run(member.chat('Another one'));
      await lines(page).first().getByText('Answer by double').waitFor();
      await context.close();
    });

    it('shows and downloads the lines that are asked for, and says so where none is like it', async () => {
      const member = await scene.member();
      await fillLog(scene, member);
      const { page, context } = await at(member, 'log');
      await page.getByRole('combobox', { name: 'Kind' }).selectOption('Not charged');
      await until(
        page,
        "[...document.querySelectorAll('.log .kind')].every((kind) => kind.textContent === 'Not charged')",
      );
      await page.getByRole('combobox', { name: 'Model' }).selectOption('qwen3-coder');
      await page.getByRole('combobox', { name: 'Tool' }).selectOption('Cursor');
      const filter = '?kind=not_charged&model=qwen3-coder&tool=Cursor';
      const { entries } = (await member.log(filter)).body;
      await until(page, `document.querySelectorAll('.log tbody tr').length === ${entries.length}`);
      const [day] = new Date(scene.server.clock.now() - 86_400_000 * 20).toISOString().split('T');
      // Guard: addressOf. A reload, and whoever is sent the address, has the same lines.
      assert.match(page.url(), /#log\?kind=not_charged&model=qwen3-coder&tool=Cursor$/);
      await page.reload();
      await until(page, `document.querySelectorAll('.log tbody tr').length === ${entries.length}`);
      assert.equal(await page.getByRole('combobox', { name: 'Tool' }).inputValue(), 'Cursor');
      await page.getByRole('link', { name: 'Token log' }).click();
      await lines(page).nth(29).waitFor();
      await page.evaluate(`location.hash = '#log?kind=nonsense&from=2027-99-99&model=qwen3-coder'`);
      await until(page, `document.querySelector('.filters select').value === ''`);
      assert.equal(await page.getByRole('combobox', { name: 'Model' }).inputValue(), 'qwen3-coder');
      await button(page, 'Clear').click();
      await page.getByLabel('From').fill(day!);
      await page.getByLabel('To', { exact: true }).fill(day!);
      const from = new Date(new Date(`${day}T00:00:00+01:00`)).toISOString();
      const to = new Date(Date.parse(from) + 86_400_000).toISOString();
      const ofDay = (await member.log(`?${new URLSearchParams({ from, to })}`)).body.entries;
      await until(page, `document.querySelectorAll('.log tbody tr').length === ${ofDay.length}`);
      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: 'Download these lines (CSV)' }).click();
      const pieces: Buffer[] = [];
      for await (const piece of await (await download).createReadStream()) pieces.push(piece as Buffer);
      assert.equal(Buffer.concat(pieces).toString().trim().split('\n').length, 1 + ofDay.length);
      await page.getByLabel('From').fill('2999-01-01');
      await page.getByRole('alert').getByText('The first day is after the last one.').waitFor();
      await page.getByLabel('To', { exact: true }).fill('');
      await page.getByText('No line is like this.').waitFor();
      await button(page, 'Show all lines').click();
      await lines(page).nth(29).waitFor();
      await context.close();
    });
  });

  describe('referrals', () => {
    const path = '/api/referrals';

    it('show the link, the rules, and what came of it', async () => {
      const { page, context } = await at(await scene.member(), 'referrals', async (one) => {
        await answer(one, path, referralsOf());
        await one.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      });
      await button(page, 'Copy the link').click();
      await page.getByText('Copied.').waitFor();
      assert.equal(await page.evaluate('navigator.clipboard.readText()'), referralsOf().link);
      for (const text of [
        '50 credits for you once they have spent 20, for at most 10 people a month',
        '500 credits for you with their first payment',
        '50 credits for each of you once they have used 1,000,000 tokens',
        '412,300 of 1,000,000',
        'Brings nothing: It is a second account of the same person.',
        'Verified, is paid next',
      ])
        await page.getByText(text).waitFor();
      assert.equal(await page.getByText('Paid on 20 Nov 2026').count(), 2);
      assert.equal(await page.getByText('Pending').count(), 3);
      assert.equal(await page.locator('.tiles').getByText('550').count(), 1);
      await context.close();
    });

    it('are not there where the server offers none', async () => {
      const { page, context } = await at(await scene.member(), 'referrals', (one) =>
        answer(one, path, { code: 'not_offered', title: 'Not offered', detail: 'Nothing is earned here.' }, 404),
      );
      await page.getByRole('heading', { level: 1, name: 'Balance' }).waitFor();
      assert.equal(await page.getByRole('navigation').getByRole('link', { name: 'Referrals' }).count(), 0);
      await context.close();
    });
  });

  it('a notice of a price leads to what is used, and goes for good when it was read', async () => {
    const member = await scene.member();
    const { body } = await member.account();
    const notice = {
      id: 'price:1',
      kind: 'price',
      text: 'kimi-k2 costs more from 2026-12-24T00:00:00.000Z on.',
      at: body.account.createdAt,
    };
    const { page, context } = await at(member, 'balance', (one) =>
      answer(one, '/api/account', { ...body, notices: [notice] }),
    );
    const notices = page.getByRole('region', { name: 'Notices' });
    await notices.getByText('kimi-k2 costs more from 24 Dec 2026, 01:00 on.').waitFor();
    await notices.getByRole('link', { name: 'What you use' }).click();
    await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor();
    await button(page, 'Got it').click();
    await notices.waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor();
    assert.equal(await notices.count(), 0);
    await context.close();
  });

  it('a notice of the operator comes and goes by itself, live, and is put away by a click', async () => {
    const member = await scene.member();
    const { page, context } = await at(member, 'balance');
    const [first, second] = ['Answers are slow. We are at it.', 'They are fast again.'];
    const { lines } = await runAdmin(scene.server, 'notice', first, '--until', '1h');
    const notices = page.getByRole('region', { name: 'Notices' });
    await notices.getByText(first).waitFor();
    await runAdmin(scene.server, 'notice', '--end', /--end (\w+)/.exec(lines[1]!)![1]!);
    await notices.waitFor({ state: 'detached' });
    const other = await runAdmin(scene.server, 'notice', second, '--until', '1h');
    await notices.getByText(second).waitFor();
    assert.deepEqual(await violations(page), []);
    await button(page, 'Got it').click();
    await notices.waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('heading', { name: 'Latest' }).waitFor();
    assert.equal(await notices.count(), 0);
    await runAdmin(scene.server, 'notice', '--end', /--end (\w+)/.exec(other.lines[1]!)![1]!);
    await context.close();
  });

  it('a code is asked for only while there is one to enter; what is wrong is said, and what was given', async () => {
    const member = await scene.member();
    const field = (page: Page) => page.getByLabel('Have a code?');
    const none = await at(member, 'credits');
    await none.page.getByRole('heading', { name: 'Packs' }).waitFor();
    assert.equal(await field(none.page).count(), 0);
    await none.context.close();
    const options = ['--for', 'members', '--credits', '50', '--budget', '100', '--until', '1h', '--why', 'Spring'];
    await runAdmin(scene.server, 'promotion', 'SPRING-1', ...options);
    const { page, context } = await at(member, 'credits');
    await field(page).fill('SPRIGN-1');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('There is no such code here').waitFor();
    assert.equal(await field(page).inputValue(), 'SPRIGN-1', 'what was typed stays');
    assert.deepEqual(await violations(page), []);
    await field(page).fill('spring-1');
    await button(page, 'Get the credits').click();
    await page.getByRole('status').getByText('You got 50 credits. Spring').waitFor();
    await field(page).waitFor({ state: 'detached' });
    await runAdmin(scene.server, 'promotion', 'SPRING-1', '--end');
    await context.close();
  });

  it('runs nothing of what models, tools, reasons and refusals say', async () => {
    const member = await scene.member();
    await fillLog(scene, member, { days: 5, hostile: true });
    const referrals = referralsOf({ link: HOSTILE });
    for (const one of referrals.referrals) one.refused = HOSTILE;
    const { page, context, told } = await at(member, 'balance', (one) => answer(one, '/api/referrals', referrals));
    for (const section of ['Balance', 'Usage', 'Token log', 'Referrals']) {
      await go(page, section);
      await page.getByText('<img src=x').filter({ visible: true }).first().waitFor();
      assert.equal(await page.locator('main :is(img, script)').count(), 0, section);
    }
    await go(page, 'Token log');
    await page.getByRole('combobox', { name: 'Model' }).selectOption(HOSTILE);
    await page.getByText('<img src=x').filter({ visible: true }).nth(1).waitFor();
    assert.equal(await page.evaluate('window.hit'), undefined);
    assert.deepEqual(told, []);
    await context.close();
  });

  it('goes by the keyboard: chooses, asks before a plan is cancelled, and comes back to where it was', async () => {
    const member = await scene.member();
    await scene.shop.buy(member, MONTHLY);
    const { page, context } = await at(member, 'credits');
    await button(page, 'Cancel the plan').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Cancel the plan');
    assert.equal((await scene.shop.offers(member)).current!.renews, true);
    await context.close();
  });

  for (const [title, options] of [
    ['light and wide', { colorScheme: 'light', viewport: { width: 1200, height: 800 } }],
    ['light, between', { colorScheme: 'light', viewport: { width: 800, height: 800 } }],
    ['dark and narrow', { colorScheme: 'dark', viewport: { width: 320, height: 640 } }],
  ] as const)
    it(`is fit for everybody, and fits (${title})`, async () => {
      const [member, subscriber] = [await scene.member(), await scene.member()];
      await fillLog(scene, member);
      await fillLog(scene, member, { days: 2, hostile: true });
      await scene.shop.buy(subscriber, MONTHLY);
      await subscriber.run(subscriber.chat('One'));
      const inOrder = async (page: Page) => {
        await page.getByText('Loading …').waitFor({ state: 'detached' });
        assert.deepEqual(await violations(page), [], page.url());
        const [inner, outer] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[];
        assert.ok(inner! <= outer!, `${page.url()} is ${inner} wide`);
      };
      for (const who of [member, subscriber]) {
        const { page, context, told } = await scene.window(options);
        await answer(page, '/api/referrals', referralsOf());
        await scene.enter(page, who);
        for (const section of ['Balance', 'Credits', 'Usage', 'Token log', 'Referrals']) {
          await go(page, section);
          await page.getByRole('heading', { level: 1, name: section }).waitFor();
          await inOrder(page);
        }
        await go(page, 'Usage');
        await page.getByText('As a table').click();
        await inOrder(page);
        const { id } = await scene.shop.begin(who);
        await page.goto(`${scene.server.url}/account?checkout=${id}&payment=left#credits`);
        await page.getByText('Nothing was charged.').waitFor();
        await inOrder(page);
        assert.deepEqual(told, []);
        await context.close();
      }
    });
});
