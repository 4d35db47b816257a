import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { Editor, InstallKey, Member } from '../support/member.ts';
import { type Backend, startBackend } from './backend.ts';
import { launchChromium } from './browser.ts';
import { root } from './fetch.ts';
import { makeSample } from './sample.ts';
import { openedBy, SignInWorld } from './signInWorld.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

const ada = { sub: 'ada', email: 'ada@example.org', email_verified: true, name: 'Ada' };

describe('signing in in a real editor', function () {
  // One person's way through: each step stands on the one before.
  this.bail(true);
  let world: SignInWorld;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let editor: Workbench;

  before(async () => {
    world = await SignInWorld.start('accounts');
    sample = await makeSample();
    editor = await openWorkbench({ folder: sample.folder, settings: { 'perigee.serverUrl': world.backend.url } });
  });
  after(async () => {
    await editor?.close();
    await world?.stop();
    await sample?.remove();
  });

  const chat = () => editor.webview();
  const composer = () => chat().getByLabel('Message', { exact: true }).getByRole('textbox');
  const ask = async (text: string, answer: string) => {
    world.upstream.script({ text: answer });
    await composer().fill(text);
    await composer().press('Enter');
    await chat().getByRole('article', { name: 'Answer' }).getByText(answer).waitFor();
  };

  it('begins as a guest, and says in the chat what signing in brings', async () => {
    await editor.statusBarItem('Perigee: start').click();
    await ask('Remember me', 'I will.');
    await editor.statusBarItem('9 of 10 messages').waitFor();
    await chat().getByRole('button', { name: 'Sign in for 100 credits' }).waitFor();
  });

  it('signs in by the browser, which calls the editor back, and takes the guest’s conversation along', async () => {
    await composer().fill('half a thought');
    const page = await openedBy(editor, () => chat().getByRole('button', { name: 'Sign in for 100 credits' }).click());
    await page.getByRole('heading').waitFor();
    assert.match(await page.locator('main').innerText(), /For .+ on .+ in the browser\./);
    await world.approve(page, ada);
    await editor.statusBarItem(/of 109 credits/).waitFor();
    const told = await editor.notification('You are signed in as ada@example.org.');
    assert.match((await told.textContent()) ?? '', /1 conversation and 9 credits moved to your account\./);
    await editor.page.keyboard.press('Escape');
    await chat().getByRole('article', { name: 'Answer' }).getByText('I will.').waitFor();
    assert.equal(await composer().inputValue(), 'half a thought');
    await composer().fill('');
    await page.close();
  });

  it('stands in the Accounts menu and in the tooltip of the meter', async () => {
    const accounts = await editor.accounts();
    assert.ok(
      accounts.some((label) => /ada@example\.org.*Perigee/.test(label)),
      accounts.join('\n'),
    );
    await editor.accountIs('ada@example.org');
  });

  it('is the same account after a reload', async () => {
    await editor.reload();
    await editor.statusBarItem(/of 109 credits/).waitFor();
    await ask('Are you still there?', 'I am.');
  });

  it('opens the account page by a code that is good once', async () => {
    const page = await openedBy(editor, () => editor.runCommand('Perigee: Open Account Page'));
    await page.waitForURL(/\/account/);
    const code = new URL(page.url()).hash;
    // The page may have taken the code out of its address by now.
    if (code) assert.match(code, /^#code=[A-Za-z0-9_-]{20,}$/);
    await page.close();
  });

  it('says “sign in again” within a second of the session’s end on another device, and keeps what was typed', async () => {
    await composer().fill('a thought for later');
    const other = await elsewhere();
    const { sessions } = (await other.request<{ sessions: { id: string; current: boolean }[] }>('GET', '/api/sessions'))
      .body;
    const ours = sessions.find(({ current }) => !current)!;
    const endedAt = Date.now();
    await other.request('DELETE', `/api/sessions/${ours.id}`);
    await editor.statusBarItem('Perigee: sign in again').waitFor();
    assert.ok(Date.now() - endedAt < 1000, `it took ${Date.now() - endedAt} ms`);
    await chat().getByText('Your sign-in has ended.').waitFor();
    const accounts = await editor.accounts();
    assert.ok(
      accounts.some((label) => /Sign in with Perigee/.test(label)),
      accounts.join('\n'),
    );
    await world.signIn(editor, ada, () => chat().getByRole('button', { name: 'Sign in again' }).click());
    assert.equal(await composer().inputValue(), 'a thought for later');
    assert.ok(
      !(await editor.accounts()).some((label) => /Sign in with Perigee/.test(label)),
      'nothing is asked for now',
    );
    await composer().fill('');
  });

  it('signs out after a question, and in again by a code that is typed in another browser', async () => {
    await editor.runCommand('Perigee: Sign Out');
    await editor.page.locator('.monaco-dialog-box').getByText('Your conversations stay on the server').waitFor();
    await editor.confirm('Sign Out');
    await editor.statusBarItem('Perigee: sign in').waitFor();
    await chat().getByRole('heading', { name: 'New chat' }).waitFor();
    assert.equal(await chat().getByRole('article').count(), 0, 'nothing of the account stays in sight');
    await editor.runCommand('Perigee: Use a Code to Sign In');
    const title = editor.page
      .locator('.quick-input-widget .quick-input-title')
      .filter({ hasText: 'Sign in by a code' });
    const code = /([A-Z]{4}-[A-Z]{4})/.exec((await title.textContent()) ?? '')![1]!;
    const phone = await launchChromium();
    try {
      const page = await phone.newPage();
      await page.goto(`${world.backend.url}/device`);
      await page.getByLabel('Code').fill(code.toLowerCase());
      await page.getByRole('button', { name: 'Go on' }).click();
      await world.approve(page, ada);
      await page.getByText('Approved').waitFor();
    } finally {
      await phone.close();
    }
    await editor.accountIs('ada@example.org');
    await chat().getByRole('button', { name: 'History' }).click();
    await chat().getByText('Remember me').waitFor();
  });

  it('finds the same account by GitHub, and by a code sent by mail', async () => {
    world.github.user = { id: 7, login: 'ada', name: 'Ada' };
    world.github.emails = [{ email: ada.email, primary: true, verified: true }];
    const ways: ((page: Page) => Promise<void>)[] = [
      (page) => page.getByRole('link', { name: 'Continue with GitHub' }).click(),
      async (page) => {
        await page.getByLabel('Email address').fill(ada.email);
        await page.getByRole('button', { name: 'Send a code' }).click();
        await page.getByLabel('Code').fill(await world.mailedCode());
        await page.getByRole('button', { name: 'Sign in' }).click();
      },
    ];
    for (const way of ways) {
      await editor.runCommand('Perigee: Sign Out');
      await editor.confirm('Sign Out');
      await editor.statusBarItem('Perigee: sign in').waitFor();
      const page = await openedBy(editor, () => editor.runCommand('Perigee: Sign In'));
      await way(page);
      await page.getByRole('button', { name: 'Continue' }).click();
      await editor.accountIs(ada.email);
      await editor.statusBarItem(/of 109 credits/).waitFor();
      await page.close();
    }
  });

  it('tells when the browser said no, and leads on', async () => {
    await editor.runCommand('Perigee: Sign Out');
    await editor.confirm('Sign Out');
    await editor.statusBarItem('Perigee: sign in').waitFor();
    const page = await openedBy(editor, () => editor.runCommand('Perigee: Sign In'));
    world.idp.person = ada;
    await page.getByRole('link', { name: 'Continue with Acme' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    const told = await editor.notification('it was cancelled in the browser');
    await told.getByRole('button', { name: 'Use a Code' }).waitFor();
  });

  /** The same person on another device, by the calls that an editor makes. */
  async function elsewhere() {
    const device = new Editor(world.backend.url, new InstallKey());
    const browser = await launchChromium();
    const page = await browser.newPage();
    await page.goto(device.signInAddress());
    await world.approve(page, ada);
    const link = page.getByRole('link', { name: /^Open / });
    const code = new URL((await link.getAttribute('href'))!).searchParams.get('code')!;
    await browser.close();
    const answer = await device.exchange(code);
    assert.equal(answer.status, 200);
    const other = Member.from(world.backend.url, device.key, answer.body);
    return other;
  }
});

describe('a server of one’s own, in a real editor', () => {
  let backend: Backend;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let editor: Workbench;
  const handover = join(root, 'dist/local.json');

  before(async () => {
    backend = await startBackend();
    sample = await makeSample();
    // As `npm start` leaves it.
    await writeFile(handover, JSON.stringify({ server: backend.url, tokenFile: join(backend.home, 'local-token') }));
    editor = await openWorkbench({ folder: sample.folder, settings: { 'perigee.serverUrl': backend.url } });
  });
  after(async () => {
    await rm(handover, { force: true });
    await editor?.close();
    await backend?.stop();
    await sample?.remove();
  });

  it('signs its user in without a question, meters, and limits nothing', async () => {
    await editor.statusBarItem(/credits today|unlimited/).waitFor();
    const accounts = await editor.accounts();
    assert.ok(
      accounts.some((label) => /local user.*Perigee/.test(label)),
      accounts.join('\n'),
    );
    await editor.runCommand('Perigee: Open Chat');
    const composer = editor.webview().getByLabel('Message', { exact: true }).getByRole('textbox');
    await composer.fill('Hello');
    await composer.press('Enter');
    await editor.webview().getByRole('article', { name: 'Answer' }).getByText('Demo model.').waitFor();
    await editor.webview().getByText('Metered, not limited').waitFor();
    await editor.statusBarItem('1 credit today').waitFor();
  });
});
