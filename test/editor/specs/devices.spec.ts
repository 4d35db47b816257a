import assert from 'node:assert/strict';
import { any, gone, once } from '../parts/deeds.ts';
import { inSteps } from '../parts/steps.ts';
import { makeSample } from '../sample.ts';
import { SignInWorld } from '../signInWorld.ts';
import { openWorkbench, type Workbench } from '../workbench.ts';

const grace = { sub: 'grace', email: 'grace@example.org', email_verified: true, name: 'Grace' };
const numbered = Array.from({ length: 120 }, (_, i) => `w${i} `);

describe('two editors on one account', function () {
  inSteps(this);
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
      await editor.chat.open();
    }
  });
  after(async () => {
    await desk?.close();
    await sofa?.close();
    await world?.stop();
    for (const sample of samples ?? []) await sample.remove();
  });

  const composer = (editor: Workbench) => editor.chat.composer;
  const answers = (editor: Workbench) => editor.chat.answers;
  const send = (editor: Workbench, text: string) => editor.chat.send(text);
  const openFromHistory = async (editor: Workbench, title: string) => {
    const entry = editor.chat.view.getByRole('dialog').getByText(title);
    const heading = editor.chat.view.getByRole('heading', { name: title });
    await editor.click(editor.chat.button('History'), `"${title}" in the list`, entry);
    await editor.click(entry, 'the conversation', heading);
  };

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
      .getByText(/^Answering (?:on|in another window)/)
      .waitFor();
    // The model waits at its gate, which nobody opens: only the stop ends the answer.
    const stop = sofa.webview().locator('.banner').getByRole('button', { name: 'Stop' });
    await sofa.click(stop, 'the answer stops', gone(stop));
    await Promise.all([desk.chat.ended(), sofa.chat.ended()]);
    assert.equal(
      await answers(desk).last().locator('p').first().textContent(),
      await answers(sofa).last().locator('p').first().textContent(),
    );
  });

  it('show the same balance once one has spent', async () => {
    // An answer is shown a moment before what it cost.
    await Promise.all([desk, sofa].map((editor) => editor.statusBarItem('98 of 100 credits').waitFor()));
    world.upstream.script({ text: 'That was one.' });
    await send(sofa, 'Spend one');
    await answers(sofa).last().getByText('That was one.').waitFor();
    await answers(desk).last().getByText('That was one.').waitFor();
    await Promise.all([desk, sofa].map((editor) => editor.statusBarItem('97 of 100 credits').waitFor()));
  });

  it('call a conversation by its new title on both', async () => {
    const rename = desk.chat.view.getByRole('menuitem', { name: 'Rename' });
    const field = desk.chat.view.locator('header.title-bar input');
    await desk.click(desk.chat.button('More'), 'the menu', rename);
    await desk.click(rename, 'the field', field);
    await field.fill('Renamed at the desk');
    await desk.pressIn(field, 'Enter', 'the title', gone(field));
    await sofa.webview().getByRole('heading', { name: 'Renamed at the desk' }).waitFor();
  });

  it('send into one conversation at the same instant: one runs, the other is told or waits, and is not lost', async () => {
    const call = world.upstream.script({ pieces: numbered, gateAt: 10 });
    const texts = new Map([
      [desk, 'From the desk, at once'],
      [sofa, 'From the sofa, at once'],
    ]);
    for (const [editor, text] of texts) await editor.chat.type(text);
    // By the server's answer; or, where the other's message had come to be known before the key was pressed, it waits.
    const refused = (editor: Workbench) => editor.webview().getByText('This conversation is answering elsewhere.');
    const waits = (editor: Workbench) => editor.webview().getByText('Sent when the answer is done', { exact: true });
    const second = (editor: Workbench) => refused(editor).or(waits(editor)).first();
    const taken = (editor: Workbench) => async () => (await composer(editor).inputValue()) === '';
    const sendNow = (editor: Workbench) => editor.chat.sendTyped(any(taken(editor), second(editor)));
    await Promise.all([sendNow(desk), sendNow(sofa)]);
    await call.atGate;
    const isSecond = (editor: Workbench, other: Workbench) =>
      second(editor)
        .waitFor()
        .then(() => [editor, other] as const);
    const [loser, winner] = await Promise.race([isSecond(desk, sofa), isSecond(sofa, desk)]);
    const isWaiting = await waits(loser).isVisible();
    if (!isWaiting) assert.equal(await composer(loser).inputValue(), texts.get(loser));
    await winner.until('its message is sent', taken(winner));
    assert.equal(await second(winner).count(), 0);
    world.upstream.script({ text: 'And now the other.' });
    call.open();
    await answers(loser).getByText('w119').first().waitFor();
    const again = loser.webview().getByRole('region', { name: 'Message' }).getByRole('button', { name: 'Try again' });
    const other = (editor: Workbench) => answers(editor).last().getByText('And now the other.');
    if (!isWaiting) {
      await loser.chat.ended();
      if (await again.isVisible()) await loser.click(again, 'the answer', other(loser), once);
      else await loser.chat.sendTyped(other(loser));
    }
    for (const editor of [loser, winner]) await other(editor).waitFor();
    await loser.until('it has left the composer', taken(loser));
  });

  it('keep what is typed to themselves', async () => {
    await desk.chat.type('only at the desk');
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
