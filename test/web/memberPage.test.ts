import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { somebody } from '../support/signInWorld.ts';
import { unzip } from '../support/zip.ts';
import { inOrder, Scene, until } from './scene.ts';

describe('the member’s page, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene?.stop());

  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
  const go = (page: Page, section: string) => page.getByRole('navigation').getByRole('link', { name: section }).click();

  it('opens from the editor after a click that names the account; the code is in no address and no history', async () => {
    const person = somebody();
    const member = await scene.member(person);
    const { page, context, told } = await scene.window();
    await page.goto(await scene.address(member));
    await page.getByText(person.email!).waitFor();
    assert.equal(page.url(), `${scene.server.url}/account`);
    assert.equal((await context.cookies()).length, 0, 'nobody is signed in before the click');
    await button(page, 'Open it').click();
    await page.getByText('100 of 100 credits').waitFor();
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, 'Strict']);
    await page.reload();
    await page.getByText('100 of 100 credits').waitFor();
    assert.deepEqual(told, []);
    await context.close();
  });

  it('says that a link was used or is too old, and leaves whoever is signed in as they are', async () => {
    const member = await scene.member();
    const { page, context } = await scene.window();
    await scene.enter(page, member);
    const address = await scene.address(member);
    scene.server.clock.advance(60_000);
    await page.goto('about:blank');
    await page.goto(address);
    await page.getByRole('alert').getByText('older than a minute').waitFor();
    await button(page, 'Go on without it').click();
    await heading(page, 'Balance');
    await context.close();
  });

  it('never takes another account’s place unasked', async () => {
    const [ada, eve] = [somebody(), somebody()];
    const [one, other] = [await scene.member(ada), await scene.member(eve)];
    const { page, context } = await scene.window();
    await scene.enter(page, one);
    await page.goto('about:blank');
    await page.goto(await scene.address(other));
    await page.getByText(`${ada.email} is signed in in this browser now`).waitFor();
    await button(page, 'Cancel').click();
    await page.getByRole('banner').getByText(ada.email!).waitFor();
    await context.close();
  });

  it('leads whoever is not signed in to the sign-in, and signs out', async () => {
    const { page, context } = await scene.window();
    await page.goto(`${scene.server.url}/account`);
    await page.getByRole('link', { name: 'Sign in' }).waitFor();
    await scene.enter(page, await scene.member());
    await button(page, 'Sign out').click();
    await page.getByRole('link', { name: 'Sign in' }).waitFor();
    await context.close();
  });

  it('shows what is left and what it went for, as it changes elsewhere', async () => {
    const member = await scene.member();
    const { page, context } = await scene.window();
    await scene.enter(page, member);
    await page.getByText('100 of 100 credits').waitFor();
    await member.run(member.chat('spend'));
    await page.getByText('99 of 100 credits').waitFor();
    await page.getByText('Answer by double').waitFor();
    await context.close();
  });

  it('finds, reads and deletes conversations, and shows those that are begun elsewhere', async () => {
    const member = await scene.member();
    const { page, context } = await scene.window();
    await scene.enter(page, member, 'conversations');
    await page.getByText('There is no conversation yet').waitFor();
    scene.server.double.script({ thoughts: ['In the *hay*?'], text: 'An answer about **needles**.' });
    await member.run(member.chat('Where is it?'));
    await member.run(member.chat('Something else'));
    await page.getByRole('link', { name: 'Something else' }).waitFor();
    await page.getByLabel('Search titles and texts').fill('needle');
    await page.getByRole('link', { name: 'Something else' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Where is it?' }).click();
    await page.getByRole('article', { name: 'Answer' }).locator('strong', { hasText: 'needles' }).waitFor();
    assert.equal(await page.getByText('hay').count(), 0, 'thoughts are folded');
    await page.getByText(/^Thought/).click();
    await page.locator('.thoughts em', { hasText: 'hay' }).waitFor();
    await page.goBack();
    await button(page, 'Delete Where is it?').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('link', { name: 'Where is it?' }).waitFor();
    await button(page, 'Delete Where is it?').click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('link', { name: 'Where is it?' }).waitFor({ state: 'detached' });
    await button(page, 'Delete all').click();
    await dialog.getByRole('button', { name: 'Delete all' }).click();
    await page.getByText('There is no conversation yet').waitFor();
    assert.deepEqual((await member.conversations()).body.conversations, []);
    await context.close();
  });

  it('pages through long lists and long conversations', async () => {
    const member = await scene.member();
    const conversationId = crypto.randomUUID();
    await scene.server.db.write(async (tx) => {
      const at = scene.server.clock.now();
      for (let n = 0; n < 45; n++)
        await tx
          .insertInto('conversation')
          .values({
            id: n === 44 ? conversationId : crypto.randomUUID(),
            account_id: member.accountId,
            title: `Title ${n}`,
            kind: 'chat',
            created_at: at + n,
            updated_at: at + n,
          })
          .execute();
    });
    for (let n = 0; n < 30; n++) await member.run(member.chat(`Question ${n}`, { conversationId }));
    const { page, context } = await scene.window();
    await scene.enter(page, member, 'conversations');
    await page.getByRole('link', { name: 'Title 44' }).waitFor();
    assert.equal(await page.getByRole('main').getByRole('listitem').count(), 30);
    await button(page, 'Show more').click();
    await page.getByRole('link', { name: 'Title 0' }).waitFor();
    await page.getByRole('link', { name: 'Title 44' }).click();
    await page.getByText('Question 29').waitFor();
    assert.equal(await page.getByText('Question 0', { exact: true }).count(), 0);
    await button(page, 'Earlier messages').click();
    await page.getByText('Question 0', { exact: true }).waitFor();
    await context.close();
  });

  it('lists devices, marks this browser, and ends another one at once', async () => {
    const person = somebody();
    const laptop = await scene.member(person);
    const stream = await laptop.changes();
    const { page, context } = await scene.window();
    const desktop = await scene.member(person);
    await scene.enter(page, desktop, 'devices');
    await page.getByText('this browser').waitFor();
    assert.equal(await page.getByRole('main').getByRole('listitem').count(), 3);
    for (const end of await button(page, 'End a laptop').all()) await end.waitFor();
    await button(page, 'End all others').click();
    await page.getByRole('dialog').getByRole('button', { name: 'End all others' }).click();
    await stream.ended;
    await button(page, 'End a laptop').first().waitFor({ state: 'detached' });
    assert.equal((await desktop.account()).status, 401);
    await context.close();
  });

  it('says that it was signed out elsewhere, and keeps what was typed', async () => {
    const person = somebody();
    const member = await scene.member(person);
    const { page, context } = await scene.window();
    await scene.enter(page, member, 'profile');
    await page.getByLabel('Name').fill('Half a na');
    const { sessions } = (await member.request<{ sessions: { id: string; kind: string }[] }>('GET', '/api/sessions'))
      .body;
    await member.request('DELETE', `/api/sessions/${sessions.find(({ kind }) => kind === 'page')!.id}`);
    await page.getByRole('alert').getByText('You are signed out.').waitFor();
    assert.equal(await page.getByLabel('Name').inputValue(), 'Half a na');
    await context.close();
  });

  it('corrects name, address and mail', async () => {
    const member = await scene.member();
    const { page, context } = await scene.window();
    await scene.enter(page, member, 'profile');
    await page.getByLabel('Name').fill('Ada');
    await button(page, 'Save').click();
    await page.getByText('Saved.').waitFor();
    const address = `ada-${crypto.randomUUID()}@example.org`;
    await page.getByLabel('New address').fill(address);
    await button(page, 'Send a code').click();
    await page.getByLabel('Code').fill('000000');
    await button(page, 'Take this address').click();
    await page.getByRole('alert').getByText('This code is wrong').waitFor();
    await page.getByLabel('Code').fill(/^\d{6}/.exec(scene.server.mails.at(-1)!.text)![0]);
    await button(page, 'Take this address').click();
    await page.getByText('It is your address now.').waitFor();
    await page.getByRole('banner').getByText(address).waitFor();
    await page.getByRole('checkbox').check();
    const { account } = (await member.account()).body;
    assert.deepEqual([account.name, account.email, account.marketing], ['Ada', address, true]);
    await context.close();
  });

  it('exports everything, closes the account, and keeps it after all', async () => {
    const member = await scene.member();
    await member.run(member.chat('Keep me'));
    const { page, context } = await scene.window();
    await scene.enter(page, member, 'data');
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export everything' }).click();
    const stream = await (await download).createReadStream();
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    const files = await unzip(Buffer.concat(pieces));
    assert.ok([...files.keys()].some((name) => /Keep-me.*\.md$/.test(name)));
    await button(page, 'Close the account').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close the account' }).click();
    await button(page, 'Keep the account').click();
    await button(page, 'Keep the account').waitFor({ state: 'detached' });
    assert.equal((await member.account()).body.account.closing, undefined);
    await context.close();
  });

  it('tells of a suspension with its end, and asks for terms that have changed', async () => {
    const member = await scene.member();
    const { page, context } = await scene.window();
    await scene.enter(page, member);
    const { db, clock } = scene.server;
    await db.write((tx) =>
      tx
        .updateTable('account')
        .set({
          suspended_at: clock.now(),
          suspended_until: clock.now() + 86_400_000,
          suspended_why: 'Resold',
          terms_version: '0',
        })
        .where('id', '=', member.accountId)
        .execute(),
    );
    await page.reload();
    const notices = page.getByRole('region', { name: 'Notices' });
    await notices.getByText(/suspended until .*\. Resold\./).waitFor();
    await button(page, 'Accept').waitFor();
    assert.equal(await button(page, 'Accept').isDisabled(), true);
    await notices.getByRole('checkbox').check();
    await button(page, 'Accept').click();
    await button(page, 'Accept').waitFor({ state: 'detached' });
    assert.equal((await member.account()).body.account.termsDue, undefined);
    await context.close();
  });

  it('shows what people and models wrote, and runs nothing of it (XSS by name, title, question and answer)', async () => {
    const bad = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
    const member = await scene.member(somebody({ name: bad }));
    await member.request('PATCH', '/api/account', { name: bad.slice(0, 100) });
    scene.server.double.script({
      text: `${bad}\n\n[link](javascript:window.hit=1) ![p](https://tracker.example/p.png) <form action=/x><button>go</button></form> <style>*{display:none}</style> [ok](https://example.org)`,
    });
    const request = member.chat(bad);
    await member.run(request);
    const { page, context, told } = await scene.window();
    const foreign: string[] = [];
    page.on('request', (asked) => !asked.url().startsWith(scene.server.url) && foreign.push(asked.url()));
    await scene.enter(page, member, 'conversations');
    await page.getByText('<img src=x').first().waitFor();
    await page.goto(`${scene.server.url}/account#conversations/${request.conversationId}`);
    const answer = page.getByRole('article', { name: 'Answer' });
    await answer.getByRole('link', { name: 'ok' }).waitFor();
    assert.equal(await answer.locator('img, form, style, script, button').count(), 0);
    assert.equal(await answer.locator('a[href^="javascript"]').count(), 0);
    assert.equal(await answer.getByRole('link', { name: 'ok' }).getAttribute('rel'), 'noopener noreferrer nofollow');
    await go(page, 'Profile');
    await heading(page, 'Profile');
    assert.equal(await page.evaluate('window.hit'), undefined);
    assert.deepEqual([foreign.filter((url) => url !== 'about:blank'), told], [[], []]);
    await context.close();
  });

  it('may not be framed, and runs nothing but its own script', async () => {
    for (const path of ['/account', '/desk']) {
      const response = await fetch(scene.server.url + path);
      const policy = response.headers.get('content-security-policy')!;
      for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
        assert.ok(policy.includes(part), policy);
      assert.equal(/unsafe|\*/.test(policy), false);
      assert.equal(response.headers.get('cross-origin-opener-policy'), 'same-origin');
    }
    const { status } = await fetch(`${scene.server.url}/fair-use`);
    assert.equal(status, 404, 'the numbers are shown only if the operator likes');
    assert.equal((await fetch(`${scene.server.url}/account/../server.key`)).status, 404);
  });

  it('goes by the keyboard: from part to part, into a dialog and back to where it was', async () => {
    const member = await scene.member();
    await member.run(member.chat('One'));
    const { page, context } = await scene.window();
    await scene.enter(page, member);
    await go(page, 'Conversations');
    await until(page, "document.activeElement?.tagName === 'H1'");
    await button(page, 'Delete One').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate('document.activeElement.getAttribute("aria-label")'), 'Delete One');
    await context.close();
  });

  for (const [title, options] of [
    ['light and wide', { colorScheme: 'light', viewport: { width: 1200, height: 800 } }],
    ['dark and narrow', { colorScheme: 'dark', viewport: { width: 320, height: 640 } }],
  ] as const)
    it(`is fit for everybody, and fits (${title})`, async () => {
      const member = await scene.member();
      const request = member.chat('A conversation with averyverylongwordthatdoesnotfitanywhereatallonasmallscreen');
      scene.server.double.script({ thoughts: ['A thought.'], text: 'An answer.' });
      await member.run(request);
      const { page, context, told } = await scene.window(options);
      await page.goto(`${scene.server.url}/account`);
      await page.getByRole('heading').waitFor();
      await inOrder(page);
      await page.goto('about:blank');
      await page.goto(await scene.address(member));
      await button(page, 'Open it').waitFor();
      await inOrder(page);
      await button(page, 'Open it').click();
      for (const name of ['Balance', 'Conversations', 'Devices', 'Profile', 'Decisions', 'Your data']) {
        await go(page, name);
        await heading(page, name);
        await page.getByText('Loading …').waitFor({ state: 'detached' });
        await inOrder(page);
      }
      await page.goto(`${scene.server.url}/account#conversations/${request.conversationId}`);
      await page.getByText(/^Thought/).click();
      await page.locator('.thoughts p').waitFor();
      await inOrder(page);
      await go(page, 'Your data');
      await button(page, 'Close the account').click();
      await page.getByRole('dialog').waitFor();
      await inOrder(page);
      assert.deepEqual(
        told.filter((line) => !/401/.test(line)),
        [],
      );
      await context.close();
    });
});
