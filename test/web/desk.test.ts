import assert from 'node:assert/strict';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { Factor } from '../../shared/desk.ts';
import { runAdmin } from '../support/admin.ts';
import { Browser } from '../support/browser.ts';
import { newReviewer, openCase, sign, totp, writeDecision } from '../support/desk.ts';
import { somebody } from '../support/signInWorld.ts';
import { dossier as example } from './deskExamples.ts';
import { inOrder, Scene } from './scene.ts';

/** Through a proxy: from another machine than the server's. */
const FAR: BrowserContextOptions = { extraHTTPHeaders: { 'x-forwarded-for': '203.0.113.9' } };
const NARROW: BrowserContextOptions = { viewport: { width: 320, height: 700 }, colorScheme: 'dark' };

describe('the reviewers’ desk, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await Scene.start((config) => {
      config.policy.risk.publicNumbers = true;
    });
  });
  after(() => scene?.stop());

  const heading = (page: Page, name: string | RegExp) =>
    page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

  /** A reviewer in a browser, before the desk is open. */
  async function reviewer(options: BrowserContextOptions = {}) {
    const who = await newReviewer(scene.world);
    const window = await scene.window(options);
    await scene.enter(window.page, who.member);
    await window.page.goto(`${scene.server.url}/desk`);
    return { ...who, ...window };
  }

  /** The same with the desk open, on the server's own machine. */
  async function atDesk(at = '', options: BrowserContextOptions = {}) {
    const who = await reviewer(options);
    await button(who.page, 'Open the desk').click();
    await heading(who.page, 'Open');
    if (at) await who.page.goto(`${scene.server.url}/desk${at}`);
    return who;
  }

  const flagged = async (more: Parameters<typeof openCase>[2] = {}) => {
    const owner = await scene.member();
    return openCase(scene.server, owner.accountId, { lines: [sign('for', 4, 'A sign of several.')], ...more });
  };

  it('leads whoever is not signed in to the sign-in, and that back to the desk', async () => {
    const { page, context, told } = await scene.window(NARROW);
    await page.goto(`${scene.server.url}/desk`);
    const link = page.getByRole('link', { name: 'Sign in' });
    assert.equal(await link.getAttribute('href'), '/sign-in?to=desk');
    await inOrder(page);
    assert.deepEqual(
      told.filter((line) => !/401/.test(line)),
      [],
    );
    await context.close();
    const browser = new Browser();
    const confirm = await scene.world.identify(somebody(), `${scene.server.url}/sign-in?to=desk`, browser);
    const done = await browser.submit(confirm, { decision: 'continue', terms: '1' });
    assert.equal(done.url.pathname, '/desk');
  });

  it('is none for a member, who can sign in as somebody else', async () => {
    const { page, context } = await scene.window(NARROW);
    await scene.enter(page, await scene.member());
    await page.goto(`${scene.server.url}/desk`);
    await heading(page, 'There is no desk for this account');
    await page.getByRole('link', { name: 'Sign in as somebody else' }).waitFor();
    await inOrder(page);
    await context.close();
  });

  it('sets a second factor up with the operator’s code, and opens by its digits alone', async () => {
    const { page, context, setupCode } = await reviewer({ ...FAR, ...NARROW });
    const code = page.getByLabel('Setup code');
    await code.fill('AAAAA-AAAAA');
    await button(page, 'Go on').click();
    await page.getByRole('alert').getByText('The setup code is not valid').waitFor();
    await code.fill(setupCode);
    await button(page, 'Go on').click();
    await page.getByRole('img', { name: 'QR code' }).waitFor();
    // Whoever loads the page anew begins anew.
    await page.reload();
    await code.fill(setupCode);
    const [made] = await Promise.all([
      page.waitForResponse((answer) => answer.url().endsWith('/factor') && answer.ok()),
      button(page, 'Go on').click(),
    ]);
    const { secret } = (await made.json()) as Factor;
    await page.getByRole('img', { name: 'QR code' }).waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'Secret' }).inputValue(), secret);
    await inOrder(page);
    const digits = page.getByLabel('six digits');
    const now = () => totp(secret, scene.server.clock.now());
    await digits.fill(now() === '000000' ? '000001' : '000000');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('The code is not right').waitFor();
    assert.equal(await digits.inputValue(), '', 'the next code goes into an empty field');
    await page.keyboard.type(now());
    await page.keyboard.press('Enter');
    await heading(page, 'Open');
    await page.getByText('Nothing waits.').waitFor();
    await inOrder(page);
    // What it left, it opens with the next digits.
    await button(page, 'Leave').click();
    await heading(page, 'Open the desk again');
    scene.server.clock.advance(31_000);
    const field = page.getByLabel('Six digits');
    assert.equal(await field.evaluate('document.activeElement.autocomplete'), 'one-time-code');
    await field.fill(now());
    await page.keyboard.press('Enter');
    await heading(page, 'Open');
    await context.close();
  });

  it('is walked through by keyboard, without taking what is typed into a field', async () => {
    const [first, second] = [await flagged(), await flagged({ kind: 'not_enough' })];
    const { page, context } = await atDesk();
    const focused = () => page.evaluate('document.activeElement.dataset.number');
    await page.locator(`a[data-number="${first}"]`).waitFor();
    await page.keyboard.press('j');
    const top = await focused();
    await page.keyboard.press('ArrowDown');
    assert.notEqual(await focused(), top);
    await page.keyboard.press('k');
    assert.equal(await focused(), top);
    await page.keyboard.press('Enter');
    await heading(page, new RegExp(`^Case ${top}`));
    await page.getByText('What speaks for it').waitFor();
    await page.keyboard.press('3');
    assert.equal(await page.getByRole('radio', { name: /^Warn/ }).isChecked(), true);
    await page.getByLabel('Reason').focus();
    await page.keyboard.type('Of 3 people? 1');
    assert.equal(await page.getByLabel('Reason').inputValue(), 'Of 3 people? 1');
    assert.equal(await page.getByRole('dialog').count(), 0);
    await page.getByRole('link', { name: '← Open' }).focus();
    await page.keyboard.press('Escape');
    await heading(page, 'Open');
    assert.equal(await focused(), top, 'the focus is back in the list');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Kind').selectOption('not_enough');
    await page.locator(`a[data-number="${first}"]`).waitFor({ state: 'detached' });
    await page.locator(`a[data-number="${second}"]`).waitFor();
    await page.getByLabel('Kind').selectOption('referrals');
    await page.getByText('No case of this kind').waitFor();
    await context.close();
  });

  it('shows a case narrow and wide: both sides, what would clear it, the week, the projects, the account', async () => {
    const { kind, madeAt, ...rest } = example;
    const number = await flagged(rest);
    const { page, context, told } = await atDesk(`#open/${number}`);
    await page.getByRole('region', { name: 'What speaks for it' }).getByText('share no files').waitFor();
    await page.getByRole('region', { name: 'What speaks against it' }).getByText('12 %').waitFor();
    await page.getByText('What would clear it').first().click();
    await page.getByText('a consultant with many clients').waitFor();
    await page
      .getByRole('img', { name: /^Turns by hour of the week\. 826 turns of a person; the most, 14, on/ })
      .waitFor();
    await page.getByText('14 projects in 4 groups of clients').waitFor();
    await button(page, 'Show all 14').click();
    await page.getByText('As a table').click();
    await page.getByRole('rowheader', { name: 'Monday' }).waitFor();
    await page.getByRole('region', { name: 'The account' }).getByText('has never paid').waitFor();
    await inOrder(page);
    await page.setViewportSize({ width: 320, height: 700 });
    await inOrder(page);
    assert.deepEqual(told, []);
    await context.close();
  });

  it('says that a case is not there, and that one’s own, once it is decided, is for somebody else', async () => {
    const { page, context, member } = await atDesk('#open/999999');
    await page.getByRole('alert').getByText('There is no such case').waitFor();
    const own = await openCase(scene.server, member.accountId);
    await writeDecision(scene.server, own, 'nothing', null);
    await page.goto(`${scene.server.url}/desk#open/${own}`);
    await page.getByRole('alert').getByText('Nobody decides their own case').waitFor();
    await context.close();
  });

  it('keeps what was typed when it closes, hides the case, and opens again in place', async () => {
    const number = await flagged();
    const { page, context } = await atDesk(`#open/${number}`);
    await page.getByRole('radio', { name: /^Warn/ }).check();
    await page.getByLabel('Reason').fill('Half a rea');
    scene.server.clock.advance(16 * 60_000);
    await button(page, 'Warn the owner').click();
    await heading(page, 'Open the desk again');
    await page.getByText('What you have typed is kept').waitFor();
    assert.equal(await page.getByText('What speaks for it').isVisible(), false);
    await button(page, 'Open the desk').click();
    await page.getByText('What speaks for it').waitFor();
    assert.equal(await page.getByLabel('Reason').inputValue(), 'Half a rea');
    await page.reload();
    await page.getByLabel('Reason').waitFor();
    assert.equal(await page.getByLabel('Reason').inputValue(), 'Half a rea', 'a reload keeps it, too');
    await context.close();
  });

  it('is gone at the next step of a reviewer whose role has ended', async () => {
    const { page, context, email } = await atDesk();
    assert.equal((await runAdmin(scene.server, 'reviewer', email, '--end')).code, 0);
    // By its address: what is on its way already may tell first, and then there is no link.
    await page.evaluate("location.hash = 'trail'");
    await heading(page, 'There is no desk for this account');
    await context.close();
  });

  it('stops flagging with a reason and goes on; the trail tells who did', async () => {
    const { page, context, email } = await atDesk('#flagging');
    await page.getByLabel('Why').fill('A client’s new version looks wrong.');
    await button(page, 'Stop flagging').click();
    await page.getByText('Flagging is stopped').waitFor();
    await page.getByRole('link', { name: 'Flagging stopped' }).waitFor();
    await inOrder(page);
    await button(page, 'Go on with flagging').click();
    await button(page, 'Stop flagging').waitFor();
    await page.getByRole('link', { name: 'Trail' }).click();
    const newest = page.getByRole('main').getByRole('listitem').first();
    await newest.getByText('went on with flagging').waitFor();
    await page.getByText('looks wrong').waitFor();
    assert.ok((await newest.innerText()).includes(email) || /Person/.test(await newest.innerText()));
    await inOrder(page);
    await page.getByRole('link', { name: 'Numbers' }).click();
    await page.getByText('Cases opened').waitFor();
    await inOrder(page);
    await context.close();
  });

  it('shows its numbers to everybody if the operator likes', async () => {
    const { page, context } = await scene.window(NARROW);
    await page.goto(`${scene.server.url}/fair-use`);
    await heading(page, 'Fair use, in numbers');
    await page.getByText('Cases opened').waitFor();
    await inOrder(page);
    await context.close();
  });

  it('says that a list cannot be read, and tries again', async () => {
    const { page, context } = await atDesk();
    await page.route('**/api/desk/cases?list=decided*', (route) => route.abort(), { times: 1 });
    await page.getByRole('link', { name: 'Decided' }).click();
    await page.getByRole('alert').getByText('The server cannot be reached').waitFor();
    await button(page, 'Try again').click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    assert.equal(await button(page, 'Try again').count(), 0);
    await context.close();
  });
});
