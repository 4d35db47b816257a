import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { Editor, InstallKey, Member } from '../../support/member.ts';
import { type Backend, startBackend } from '../backend.ts';
import { launchChromium } from '../browser.ts';
import { root } from '../fetch.ts';
import { none } from '../parts/deeds.ts';
import { inSteps } from '../parts/steps.ts';
import { makeSample } from '../sample.ts';
import { openedBy, SignInWorld } from '../signInWorld.ts';
import { openWorkbench, type Workbench } from '../workbench.ts';

const ada = { sub: 'ada', email: 'ada@example.org', email_verified: true, name: 'Ada' };

describe('signing in in a real editor', function () {
  inSteps(this);
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

  const chat = () => editor.chat.view;
  const composer = () => editor.chat.composer;
  const ask = async (text: string, answer: string) => {
    world.upstream.script({ text: answer });
    await editor.chat.ask(text, answer);
  };
  /** As far as the status bar says that nobody is signed in. */
  const signOut = async () => {
    await editor.runCommand('Perigee: Sign Out');
    await editor.confirm('Sign Out');
    await editor.statusBarItem('Perigee: sign in').waitFor();
  };

  it('begins as a guest, and says in the chat what signing in brings', async () => {
    await editor.chat.start();
    await ask('Remember me', 'I will.');
    await editor.statusBarItem('9 of 10 messages').waitFor();
    await chat().getByRole('button', { name: 'Sign in for 100 credits' }).waitFor();
  });

  it('signs in by the browser, which calls the editor back, and takes the guest’s conversation along', async () => {
    await editor.chat.type('half a thought');
    const page = await openedBy(editor, () => editor.chat.button('Sign in for 100 credits').click());
    await page.getByRole('heading').waitFor();
    assert.match(await page.locator('main').innerText(), /For .+ on .+ in the browser\./);
    await world.approve(page, ada);
    await editor.statusBarItem(/of 109 credits/).waitFor();
    const told = await editor.notification('You are signed in as ada@example.org.');
    assert.match((await told.textContent()) ?? '', /1 conversation and 9 credits moved to your account\./);
    await editor.hideNotifications();
    await editor.chat.answers.getByText('I will.').waitFor();
    assert.equal(await composer().inputValue(), 'half a thought');
    await editor.chat.type('');
    await page.close();
  });

  it('stands in the Accounts menu and in the tooltip of the meter', async () => {
    await editor.accountsMenu(/ada@example\.org.*Perigee/);
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

  it('says “sign in again” as soon as the session ends on another device, and keeps what was typed', async () => {
    await editor.chat.type('a thought for later');
    const other = await elsewhere();
    const { sessions } = (await other.request<{ sessions: { id: string; current: boolean }[] }>('GET', '/api/sessions'))
      .body;
    const ours = sessions.find(({ current }) => !current)!;
    await other.request('DELETE', `/api/sessions/${ours.id}`);
    // It is told: nothing is asked of the server here, and the editor looks by itself once an hour.
    await editor.statusBarItem('Perigee: sign in again').waitFor();
    await chat().getByText('Your sign-in has ended.').waitFor();
    await editor.accountsMenu(/Sign in with Perigee/);
    await world.signIn(editor, ada, () => editor.chat.button('Sign in again').click());
    assert.equal(await composer().inputValue(), 'a thought for later');
    await editor.accountsMenu(/Sign in with Perigee/, false);
    await editor.chat.type('');
  });

  it('signs out after a question, and in again by a code that is typed in another browser', async () => {
    await editor.runCommand('Perigee: Sign Out');
    await editor.dialog.getByText('Your conversations stay on the server').waitFor();
    await editor.confirm('Sign Out');
    await editor.statusBarItem('Perigee: sign in').waitFor();
    await chat().getByRole('heading', { name: 'New chat' }).waitFor();
    await editor.until('nothing of the account in sight', none(chat().getByRole('article')));
    await editor.runCommand('Perigee: Use a Code to Sign In');
    const title = editor.page
      .locator('.quick-input-widget .quick-input-title')
      .filter({ hasText: /Sign in by a code.*[A-Z]{4}-[A-Z]{4}/ });
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
    await editor.click(editor.chat.button('History'), 'what was said before', chat().getByText('Remember me'));
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
      await signOut();
      const page = await openedBy(editor, () => editor.runCommand('Perigee: Sign In'));
      await way(page);
      await page.getByRole('button', { name: 'Continue' }).click();
      await editor.accountIs(ada.email);
      await editor.statusBarItem(/of 109 credits/).waitFor();
      await page.close();
    }
  });

  it('tells when the browser said no, and leads on', async () => {
    await signOut();
    const page = await openedBy(editor, () => editor.runCommand('Perigee: Sign In'));
    world.idp.person = ada;
    await page.getByRole('link', { name: 'Continue with Acme' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    const told = await editor.notification('the sign-in was cancelled in the browser');
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
    await editor.accountsMenu(/local user.*Perigee/);
    await editor.chat.open();
    await editor.chat.ask('Hello', 'Demo model.');
    await editor.chat.view.getByText('Metered, not limited').waitFor();
    await editor.statusBarItem('1 credit today').waitFor();
  });
});
