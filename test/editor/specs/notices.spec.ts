import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { none, once } from '../parts/deeds.ts';
import { inSteps } from '../parts/steps.ts';
import { makeSample } from '../sample.ts';
import { openedBy, SignInWorld } from '../signInWorld.ts';
import { openWorkbench, type Workbench } from '../workbench.ts';

const ada = { sub: 'ada', email: 'ada@example.org', email_verified: true, name: 'Ada' };
const flat = (credits: number) => ({ mode: 'flat', runMicro: credits * 1_000_000 });
/** Far enough that it is announced and does not count. */
const later = new Date(Date.now() + 60 * 86_400_000).toISOString();

describe('what the server announces, in a real editor', function () {
  inSteps(this);
  let world: SignInWorld;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let editor: Workbench;

  before(async () => {
    world = await SignInWorld.start('notices');
    sample = await makeSample();
    editor = await openWorkbench({ folder: sample.folder, settings: { 'perigee.serverUrl': world.backend.url } });
    await editor.chat.start();
    await editor.statusBarItem('10 of 10 messages').waitFor();
    await world.signIn(editor, ada);
    await world.restart({
      models: [{ id: 'double', price: flat(1), priceChanges: [{ from: later, price: flat(2) }] }],
      accounts: { terms: { version: '2', url: 'http://127.0.0.1/terms' } },
    });
  });
  after(async () => {
    await editor?.close();
    await world?.stop();
    await sample?.remove();
  });

  it('refuses nothing silently once the terms have changed, and keeps what was typed', async () => {
    await editor.webview().getByText('The terms have changed.').waitFor();
    const refused = editor.webview().getByRole('region', { name: 'Message' }).getByText('Nothing was started.');
    await editor.chat.sendInVain('May I?', refused);
  });

  it('asks whether new terms are accepted, with the age that they ask for, and asks again after the question', async () => {
    const told = await editor.notification('The terms of use have changed.');
    const question = editor.dialog.getByText('you are 13 or older and agree to the terms of use, version 2');
    await editor.click(told.getByRole('button', { name: 'Read and Accept' }), 'the question', question);
    await editor.confirm('Cancel');
    await editor.runCommand('Perigee: Read and Accept the Terms');
    await editor.confirm('Accept');
    await editor.webview().getByText('The terms have changed.').waitFor({ state: 'detached' });
    await editor.hideNotifications();
    world.upstream.script({ text: 'You may.' });
    await editor.chat.sendTyped(editor.chat.answers.getByText('You may.'));
  });

  it('tells of a dearer price once, with the way to the credits on the account page', async () => {
    const told = await editor.notification('double: 2 credits a message, now 1 credit a message.');
    const page = await openedBy(editor, () => told.getByRole('button', { name: 'Open Account Page' }).click());
    await page.waitForURL(/\/account#credits/);
    await page.close();
    await editor.stored('notices told');
    await editor.reload();
    await editor.accountIs(ada.email);
    const items = await editor.showNotifications();
    assert.equal(await items.filter({ hasText: /Prices change|terms of use/ }).count(), 0);
    await editor.hideNotifications();
  });
});

describe('a suspension and its appeal, in a real editor and browser', function () {
  inSteps(this);
  let world: SignInWorld;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let editor: Workbench;
  let page: Page;

  before(async () => {
    world = await SignInWorld.start('suspension');
    sample = await makeSample();
    editor = await openWorkbench({ folder: sample.folder, settings: { 'perigee.serverUrl': world.backend.url } });
    await editor.chat.start();
    await world.signIn(editor, ada);
    await editor.hideNotifications();
  });
  after(async () => {
    await editor?.close();
    await world?.stop();
    await sample?.remove();
  });

  const banner = () => editor.chat.view.locator('strong', { hasText: 'This account is suspended' });
  const refused = () => editor.webview().getByRole('region', { name: 'Message' }).getByText('Nothing was started;');

  it('ends a running answer with what came, and is told by the chat, the status bar and a notice', async () => {
    const call = world.upstream.script({ pieces: ['So far ', 'so good'], gateAt: 1 });
    await editor.chat.send('Tell me all');
    await call.atGate;
    await editor.chat.answers.getByText('So far', { exact: true }).waitFor();
    await world.backend.admin('suspend', ada.email, '--why', 'Access was resold.', '--until', '7d');
    await banner().waitFor();
    await editor.chat.view.getByText('Access was resold.').first().waitFor();
    await editor.chat.answers.getByText('So far', { exact: true }).waitFor();
    await call.ended;
    await editor.statusBarItem('Perigee: suspended').waitFor();
    const told = await editor.notification('This account is suspended');
    await told.getByRole('button', { name: 'Why, and How to Appeal' }).waitFor();
    await editor.hideNotifications();
  });

  it('refuses a question in words and keeps it, while what is there can be read', async () => {
    await editor.chat.sendInVain('And now?', refused());
    assert.doesNotMatch((await refused().textContent()) ?? '', /\dT\d|http/, 'a time of the reader, and no address');
    await editor.chat.answers.getByText('So far', { exact: true }).waitFor();
  });

  it('leads to the page with the reason, the rule and an appeal', async () => {
    page = await openedBy(editor, () => editor.chat.button('How to appeal').first().click());
    await page.waitForURL(/\/account#decisions/);
    await page.getByRole('button', { name: 'Open it' }).click();
    await page.getByRole('heading', { name: /^Suspended until/ }).waitFor();
    await page.getByRole('button', { name: 'Appeal', exact: true }).click();
    await page.getByLabel('Which time').fill('All of it');
    await page.getByLabel('How do you use').fill('Three machines of my own.');
    await page.getByRole('button', { name: 'Send the appeal' }).click();
    await page.getByText('The operator decides it').waitFor();
  });

  it('is over in the editor and on the page as soon as the operator grants the appeal, and asks again what was kept', async () => {
    const [, number] = /^\s*(\d+)/m.exec(await world.backend.admin('appeals'))!;
    await world.backend.admin('appeal', number!, '--reverse', '--why', 'They are your own machines.');
    await refused().waitFor({ state: 'detached' });
    await page.getByText('You were right, and we are sorry.').waitFor();
    await page.close();
    world.upstream.script({ text: 'Now I may.' });
    await editor.chat.sendTyped(editor.chat.answers.getByText('Now I may.'));
    await editor.statusBarItem(/credits/).waitFor();
  });
});

describe('a browser that does not open, in a real editor', () => {
  let world: SignInWorld;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let editor: Workbench;

  before(async () => {
    // This machine, too, but by an address that the editor asks about before it opens it.
    world = await SignInWorld.start('unopened', { HOST: '127.0.0.2' });
    sample = await makeSample();
    editor = await openWorkbench({ folder: sample.folder, settings: { 'perigee.serverUrl': world.backend.url } });
  });
  after(async () => {
    await editor?.close();
    await world?.stop();
    await sample?.remove();
  });

  it('is told, with a code as the way on, and the sign-in that waited is over then', async () => {
    await editor.statusBarItem('Perigee: start').waitFor();
    await editor.runCommand('Perigee: Sign In');
    await editor.dialog.getByText('external website').waitFor();
    await editor.confirm('Cancel');
    const told = await editor.notification('The browser was not opened.');
    await told.getByRole('button', { name: 'Copy Address' }).waitFor();
    const title = editor.page.locator('.quick-input-widget .quick-input-title');
    const code = title.filter({ hasText: /Sign in by a code: [A-Z]{4}-[A-Z]{4}/ });
    await editor.click(told.getByRole('button', { name: 'Use a Code' }), 'a code', code, once);
    const waiting = editor.page.locator('.notification-list-item').filter({ hasText: 'Go on in your browser' });
    await editor.until('nothing waits for the browser', none(waiting));
  });
});
