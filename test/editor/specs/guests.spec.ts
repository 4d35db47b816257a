import assert from 'node:assert/strict';
import { makeSample } from '../sample.ts';
import { openedBy, SignInWorld } from '../signInWorld.ts';
import { openWorkbench, type Workbench } from '../workbench.ts';

describe('a guest whose messages come to an end, in a real editor', () => {
  let world: SignInWorld;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let editor: Workbench;

  before(async () => {
    world = await SignInWorld.start('guests');
    sample = await makeSample();
    editor = await openWorkbench({ folder: sample.folder, settings: { 'perigee.serverUrl': world.backend.url } });
  });
  after(async () => {
    await editor?.close();
    await world?.stop();
    await sample?.remove();
  });

  const spendDownTo = async (left: number, from: number) => {
    for (let now = from - 1; now >= left; now--) {
      world.upstream.script({ text: `There are ${now} more.` });
      await editor.chat.ask('Another one', `There are ${now} more.`);
      await editor.statusBarItem(now > 0 ? `${now} of 10 messages` : '0 messages').waitFor();
    }
  };
  const told = async () => {
    const items = await editor.showNotifications();
    const count = await items.filter({ hasText: 'free messages' }).count();
    await editor.hideNotifications();
    return count;
  };

  it('is told once that few are left, with the way to sign in, and not again by the next one or after a reload', async () => {
    await editor.chat.start();
    await spendDownTo(3, 10);
    assert.equal(await told(), 0);
    await spendDownTo(2, 3);
    const warning = await editor.notification('Perigee: 2 of 10 free messages left.');
    const page = await openedBy(editor, () => warning.getByRole('button', { name: 'Sign In' }).click());
    await page.getByRole('link', { name: 'Continue with Acme' }).waitFor();
    await page.close();
    await editor.stored('low credits told');
    await editor.reload();
    await editor.statusBarItem('2 of 10 messages').waitFor();
    await spendDownTo(0, 2);
    assert.equal(await told(), 0);
  });
});
