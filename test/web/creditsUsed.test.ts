import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { at, button, sharedScene } from './creditsPage.ts';
import { fillLog } from './creditsScene.ts';
import { type Scene, until } from './scene.ts';

/** The text of the file behind a link. */
async function downloaded(page: Page, link: string): Promise<string> {
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: link }).click();
  const pieces: Buffer[] = [];
  for await (const piece of await (await download).createReadStream()) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

describe('the credits’ parts of the member’s page, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await sharedScene();
  });

  describe('usage', () => {
    it('draws days, sums them up, and has all of it as a table', async () => {
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
      assert.deepEqual(told, []);
      await context.close();
    });

    it('keeps the words of its options whole in a narrow window', async () => {
      const { page, context } = await at(await scene.member(), 'usage');
      await page.setViewportSize({ width: 320, height: 720 });
      const options = page.locator('.choice span');
      await options.first().waitFor();
      const lines = await options.evaluateAll((all) =>
        all.map((one) => {
          const words = document.createRange();
          words.selectNodeContents(one);
          return `${one.textContent}: ${words.getClientRects().length}`;
        }),
      );
      const names = ['7 days', '30 days', '90 days', 'Month', 'Day', 'Model', 'Tool', 'API key'];
      assert.deepEqual(
        lines,
        names.map((name) => `${name}: 1`),
      );
      await context.close();
    });

    it('is grouped by model, tool or API key, and downloads the rows that it shows', async () => {
      const member = await scene.member();
      await fillLog(scene, member);
      const { page, context, told } = await at(member, 'usage');
      for (const [group, of, by] of [
        ['Model', 'gpt-oss-120b', 'model'],
        ['Tool', 'opencode', 'tool'],
        ['API key', 'An old key, which was revoked', 'key'],
      ] as const) {
        await page.getByLabel(group, { exact: true }).check();
        await page.getByRole('rowheader', { name: of }).waitFor();
        const rows = await page.locator('.usage tbody tr').count();
        const runs = (await page.locator('.usage td.runs').allInnerTexts()).map(Number);
        const total = await page.locator('.tiles dd').nth(1).innerText();
        assert.equal(
          runs.reduce((sum, n) => sum + n, 0),
          Number(total),
        );
        const file = await downloaded(page, 'Download these rows (CSV)');
        const [head, ...lines] = file.trim().split('\r\n');
        assert.ok(head!.startsWith(`${by},`), head);
        assert.equal(lines.length, rows);
        assert.ok(file.includes(of));
      }
      await page.getByRole('rowheader', { name: 'Without a key' }).waitFor();
      assert.deepEqual(told, []);
      await context.close();
    });

    it('shows a month, which its address keeps, and no coming one', async () => {
      const member = await scene.member();
      await fillLog(scene, member, { days: 70 });
      const { page, context } = await at(member, 'usage');
      await page.getByLabel('Month', { exact: true }).first().check();
      const months = page.getByRole('combobox', { name: 'Month' });
      const [, earlier] = await months
        .locator('option')
        .evaluateAll((all) => all.map((one) => one.getAttribute('value')));
      const asked = page.waitForRequest(
        (one) => one.url().includes('/api/credits/usage?') && one.url().includes('to='),
      );
      await months.selectOption(earlier!);
      const query = new URL((await asked).url()).searchParams;
      const zoned = { timeZone: 'Europe/Berlin', dateStyle: 'short', timeStyle: 'medium' } as const;
      const local = (name: string) => new Date(query.get(name)!).toLocaleString('sv', zoned);
      assert.equal(local('from'), `${earlier}-01 00:00:00`);
      assert.match(local('to'), /-01 00:00:00$/);
      const days = new Date(Number(earlier!.slice(0, 4)), Number(earlier!.slice(5)), 0).getDate();
      await until(page, `document.querySelectorAll(".chart rect").length === ${days}`);
      assert.ok(page.url().endsWith(`#usage?time=${earlier}`), page.url());
      await page.reload();
      await until(page, `document.querySelectorAll(".chart rect").length === ${days}`);
      await page.evaluate(`location.hash = '#usage?by=colour&time=2099-01'`);
      await until(page, 'document.querySelectorAll(".chart rect").length === 30');
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
      const file = await downloaded(page, 'Download these lines (CSV)');
      assert.equal(file.trim().split('\n').length, 1 + ofDay.length);
      await button(page, 'Clear').click();
      await page.getByRole('combobox', { name: 'API key' }).selectOption('CI');
      await until(
        page,
        "[...document.querySelectorAll('.log tbody tr')].every((tr) => tr.textContent.includes('Key: CI'))",
      );
      const [id] = /key=([^&]+)/.exec(page.url())!.slice(1);
      const ofKey = (await member.log(`?key=${id}`)).body.entries;
      assert.ok(ofKey.length > 0);
      await until(page, `document.querySelectorAll('.log tbody tr').length === ${ofKey.length}`);
      await button(page, 'Clear').click();
      await page.getByLabel('To', { exact: true }).fill(day!);
      await page.getByLabel('From').fill('2999-01-01');
      await page.getByRole('alert').getByText('The first day is after the last one.').waitFor();
      await page.getByLabel('To', { exact: true }).fill('');
      await page.getByText('No line is like this.').waitFor();
      await button(page, 'Show all lines').click();
      await lines(page).nth(29).waitFor();
      await context.close();
    });
  });
});
