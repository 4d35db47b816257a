import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { runAdmin } from '../support/admin.ts';
import { at, button, go, MONTHLY, sharedScene } from './creditsPage.ts';
import { answer, fillLog, HOSTILE, referralsOf } from './creditsScene.ts';
import { type Scene, violations } from './scene.ts';

describe('the credits’ parts of the member’s page, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await sharedScene();
  });

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

  it('what changed before the page heard of changes is there as soon as it does', async () => {
    const member = await scene.member();
    let listens = () => {};
    const mayListen = new Promise<void>((resolve) => {
      listens = resolve;
    });
    const { page, context } = await at(member, 'balance', (one) =>
      one.route('**/api/account/events', async (route) => {
        await mayListen;
        await route.continue();
      }),
    );
    const { lines } = await runAdmin(scene.server, 'notice', 'A word to all.', '--until', '1h');
    listens();
    await page.getByRole('region', { name: 'Notices' }).getByText('A word to all.').waitFor();
    await runAdmin(scene.server, 'notice', '--end', /--end (\w+)/.exec(lines.join())![1]!);
    await context.close();
  });

  it('a notice of the operator comes and goes by itself, live, and is put away by a click', async () => {
    const member = await scene.member();
    const { page, context } = await at(member, 'balance');
    const [first, second] = ['Answers are slow. We are at it.', 'They are fast again.'];
    const { lines } = await runAdmin(scene.server, 'notice', first, '--until', '1h');
    const notices = page.getByRole('region', { name: 'Notices' });
    await notices.getByText(first).waitFor();
    await runAdmin(scene.server, 'notice', '--end', /--end (\w+)/.exec(lines.join())![1]!);
    await notices.waitFor({ state: 'detached' });
    const other = await runAdmin(scene.server, 'notice', second, '--until', '1h');
    await notices.getByText(second).waitFor();
    assert.deepEqual(await violations(page), []);
    await button(page, 'Got it').click();
    await notices.waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('heading', { name: 'Latest' }).waitFor();
    assert.equal(await notices.count(), 0);
    await runAdmin(scene.server, 'notice', '--end', /--end (\w+)/.exec(other.lines.join())![1]!);
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
      if (section === 'Usage') await page.getByRole('radio', { name: 'Model' }).check();
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
