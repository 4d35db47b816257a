import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { makeSample } from './sample.ts';
import { SignInWorld } from './signInWorld.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

const grace = { sub: 'grace', email: 'grace@example.org', email_verified: true, name: 'Grace' };
const numbered = Array.from({ length: 120 }, (_, i) => `w${i} `);

describe('two editors on one account', function () {
  // One story on two devices: each step stands on the one before.
  this.bail(true);
  let world: SignInWorld;
  let samples: Awaited<ReturnType<typeof makeSample>>[];
  let desk: Workbench;
  let sofa: Workbench;

  before(async () => {
    world = await SignInWorld.start('devices');
    samples = [await makeSample(), await makeSample()];
    const settings = { 'perigee.serverUrl': world.backend.url };
    desk = await openWorkbench({ folder: samples[0]!.folder, settings });
    sofa = await openWorkbench({ folder: samples[1]!.folder, settings });
    for (const editor of [desk, sofa]) {
      await editor.statusBarItem('Perigee: start').waitFor();
      await world.signIn(editor, grace);
      await editor.runCommand('Perigee: Open Chat');
      await composer(editor).waitFor();
    }
  });
  after(async () => {
    await desk?.close();
    await sofa?.close();
    await world?.stop();
    for (const sample of samples ?? []) await sample.remove();
  });

  const composer = (editor: Workbench) => editor.webview().getByLabel('Message', { exact: true }).getByRole('textbox');
  const answers = (editor: Workbench): Locator => editor.webview().getByRole('article', { name: 'Answer' });
  const send = async (editor: Workbench, text: string) => {
    await composer(editor).fill(text);
    await composer(editor).press('Enter');
  };
  const openFromHistory = async (editor: Workbench, title: string) => {
    await editor.webview().getByRole('button', { name: 'History' }).click();
    await editor.webview().getByRole('dialog').getByText(title).click();
    await editor.webview().getByRole('heading', { name: title }).waitFor();
  };
  const left = async (editor: Workbench) => (await editor.statusBarItem(/of 100 credits/).textContent())?.trim();

  it('show what was asked on one in the list of the other', async () => {
    world.upstream.script({ text: 'From the desk.' });
    await send(desk, 'Begun at the desk');
    await answers(desk).getByText('From the desk.').waitFor();
    await openFromHistory(sofa, 'Begun at the desk');
    await answers(sofa).getByText('From the desk.').waitFor();
  });

  it('watch on one what is answered on the other, and stop it there', async () => {
    const call = world.upstream.script({ pieces: numbered, gateAt: 60, everyMs: 5 });
    await send(desk, 'Count');
    await call.atGate;
    await answers(sofa).last().getByText('w59').waitFor();
    await sofa
      .webview()
      .getByText(/^Answering on/)
      .waitFor();
    const stoppedAt = Date.now();
    await sofa.webview().locator('.banner').getByRole('button', { name: 'Stop' }).click();
    const ended = (editor: Workbench) =>
      answers(editor).last().and(editor.webview().locator('[aria-busy="false"]')).waitFor();
    await Promise.all([ended(desk), ended(sofa)]);
    assert.ok(Date.now() - stoppedAt < 2_000, `it took ${Date.now() - stoppedAt} ms`);
    assert.equal(
      await answers(desk).last().locator('p').first().textContent(),
      await answers(sofa).last().locator('p').first().textContent(),
    );
  });

  it('show the same balance once one has spent', async () => {
    const before = await left(desk);
    world.upstream.script({ text: 'That was one.' });
    await send(sofa, 'Spend one');
    await answers(sofa).last().getByText('That was one.').waitFor();
    await answers(desk).last().getByText('That was one.').waitFor();
    const after = `${Number(/(\d+) of/.exec(before ?? '')![1]) - 1} of 100 credits`;
    await Promise.all([desk, sofa].map((editor) => editor.statusBarItem(after).waitFor()));
  });

  it('call a conversation by its new title on both', async () => {
    await desk.webview().getByRole('button', { name: 'More' }).click();
    await desk.webview().getByRole('menuitem', { name: 'Rename' }).click();
    const field = desk.webview().locator('header.title-bar input');
    await field.fill('Renamed at the desk');
    await field.press('Enter');
    await sofa.webview().getByRole('heading', { name: 'Renamed at the desk' }).waitFor();
  });

  it('send into one conversation at the same instant: one runs, the other is told and keeps its text', async () => {
    const call = world.upstream.script({ pieces: numbered, gateAt: 10 });
    await composer(desk).fill('From the desk, at once');
    await composer(sofa).fill('From the sofa, at once');
    await Promise.all([composer(desk).press('Enter'), composer(sofa).press('Enter')]);
    await call.atGate;
    const refused = (editor: Workbench) => editor.webview().getByText('This conversation is answering elsewhere.');
    const [loser, winner] = await Promise.race([
      refused(desk)
        .waitFor()
        .then(() => [desk, sofa] as const),
      refused(sofa)
        .waitFor()
        .then(() => [sofa, desk] as const),
    ]);
    assert.equal(
      await composer(loser).inputValue(),
      loser === desk ? 'From the desk, at once' : 'From the sofa, at once',
    );
    assert.equal(await composer(winner).inputValue(), '');
    assert.equal(await refused(winner).count(), 0);
    call.open();
    await answers(loser).last().getByText('w119').waitFor();
    world.upstream.script({ text: 'And now the other.' });
    await loser.webview().getByRole('region', { name: 'Message' }).getByRole('button', { name: 'Try again' }).click();
    await answers(winner).last().getByText('And now the other.').waitFor();
    // Which of the two hears of it first is nobody's to say.
    await answers(loser).last().getByText('And now the other.').waitFor();
    assert.equal(await composer(loser).inputValue(), '');
  });

  it('keep what is typed to themselves', async () => {
    await composer(desk).fill('only at the desk');
    assert.equal(await composer(sofa).inputValue(), '');
  });

  it('are signed out one by one', async () => {
    await sofa.runCommand('Perigee: Sign Out');
    await sofa.confirm('Sign Out');
    await sofa.statusBarItem('Perigee: sign in').waitFor();
    await desk.statusBarItem(/of 100 credits/).waitFor();
    assert.equal(await composer(desk).inputValue(), 'only at the desk', 'signing out there leaves this one alone');
  });
});
