import assert from 'node:assert/strict';
import type { Message } from '../../shared/conversations.ts';
import { answer, changed, conversation, longAnswer, running, surroundings, user } from './samples.ts';
import { sharedHarness } from './shared.ts';
import type { Harness, View } from './view.ts';

describe('chat view: scrolling', () => {
  let harness: Harness;
  let view: View;
  const answering = running();
  let at = 0;
  const more = async (characters = 400) => {
    const text = `${'word '.repeat(characters / 5)}\n\n`;
    await view.tell({ type: 'text', messageId: answering.id, text, at });
    at += text.length;
  };
  const latest = () => view.page.getByRole('button', { name: 'Latest' });
  /** Where the top of a message stands in the window. */
  const topOf = (m: Message) => view.page.locator(`#m-${m.id}`).evaluate((e) => e.getBoundingClientRect().top);

  before(async function () {
    this.timeout(180_000);
    harness = await sharedHarness();
  });
  beforeEach(async () => {
    at = 0;
    view = await harness.open();
    await view.tell(surroundings(), conversation([user('Before'), answer(longAnswer(800)), user('Go'), answering]));
  });
  afterEach(() => view.close());

  it('stays at the end while an answer grows', async () => {
    for (let i = 0; i < 10; i++) {
      await more();
      assert.ok((await view.fromEnd()) < 4);
    }
    assert.equal(await latest().count(), 0);
  });

  for (const [name, up] of Object.entries({
    'the wheel': async () => {
      await view.page.locator('.transcript').hover();
      await view.page.mouse.wheel(0, -120);
    },
    'a key': async () => {
      await view.page.locator('.transcript').focus();
      await view.page.keyboard.press('PageUp');
    },
    'the scroll bar': async () => view.page.evaluate(`document.querySelector('.transcript').scrollTop -= 60`),
    'selecting text': async () => view.page.locator('.answer').last().locator('p').first().selectText(),
  })) {
    it(`lets go at once when the reader goes up by ${name}`, async () => {
      await more(2000);
      await up();
      await latest().waitFor();
      await view.page.evaluate('new Promise((done) => setTimeout(done, 300))'); // A smooth scroll comes to its end.
      const before = await view.page.evaluate(`document.querySelector('.transcript').scrollTop`);
      for (let i = 0; i < 5; i++) await more();
      assert.equal(await view.page.evaluate(`document.querySelector('.transcript').scrollTop`), before);
    });
  }

  it('returns by Latest, and by scrolling to the end', async () => {
    await more(2000);
    await view.page.evaluate(`document.querySelector('.transcript').scrollTop -= 500`);
    await latest().click();
    assert.ok((await view.fromEnd()) < 4);
    await more();
    assert.ok((await view.fromEnd()) < 4);
    await view.page.evaluate(`document.querySelector('.transcript').scrollTop -= 500`);
    await latest().waitFor();
    await view.page.evaluate(`document.querySelector('.transcript').scrollTop += 5000`);
    await latest().waitFor({ state: 'detached' });
    await more();
    assert.ok((await view.fromEnd()) < 4);
  });

  it('goes to the end when something is sent', async () => {
    await more(2000);
    await view.tell(changed([{ ...answering, state: 'complete', text: 'Done.\n\n'.repeat(80) }]));
    await view.page.evaluate(`document.querySelector('.transcript').scrollTop -= 500`);
    await latest().waitFor();
    await view.composer.fill('Next');
    await view.composer.press('Enter');
    await latest().waitFor({ state: 'detached' });
    assert.ok((await view.fromEnd()) < 4);
  });

  it('keeps what is read in its place when earlier messages come in above', async () => {
    const shown = Array.from({ length: 12 }, (_, i) => (i % 2 ? answer(longAnswer(150)) : user(`Shown ${i}`)));
    const earlier = Array.from({ length: 50 }, (_, i) => (i % 2 ? answer(longAnswer(90)) : user(`Earlier ${i}`)));
    await view.tell(conversation(shown, { id: crypto.randomUUID(), before: shown[0]!.id }));
    // A reader who goes up while the window is filled stays where that was, short of the top.
    await view.page.evaluate(`fake.until(() => document.querySelectorAll('.message').length === ${shown.length})`);
    await view.page.evaluate(`document.querySelector('.transcript').scrollTop = 0`);
    assert.deepEqual(await view.until('loadEarlier'), { type: 'loadEarlier', before: shown[0]!.id });
    await view.tell();
    const before = await topOf(shown[0]!);
    await view.tell({ type: 'earlier', messages: earlier, before: null });
    await view.page.locator(`#m-${earlier.at(-1)!.id}`).waitFor({ state: 'attached' });
    await view.tell();
    assert.ok(Math.abs((await topOf(shown[0]!)) - before) <= 2, `${await topOf(shown[0]!)} was ${before}`);
    assert.equal((await view.said()).filter((m) => m.type === 'loadEarlier').length, 1);
  });

  it('puts the newest of 5,000 messages into the page, and more as the reader goes up', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => (i % 2 ? answer(`Answer ${i}`) : user(`Question ${i}`)));
    await view.tell(conversation([]));
    await view.tell(conversation(many, { id: crypto.randomUUID() }));
    assert.ok((await view.page.locator('.message').count()) <= 60);
    for (let i = 0; i < 10; i++) {
      await view.page.evaluate(`document.querySelector('.transcript').scrollTop = 0`);
      await view.tell();
    }
    assert.ok((await view.page.locator('.message').count()) >= 160);
  });

  it('paints the newest few messages first, and a window of them then, with the end in sight all the time', async () => {
    const many = Array.from({ length: 60 }, (_, i) => (i % 2 ? answer(longAnswer(120)) : user(`Question ${i}`)));
    await view.page.evaluate(`{
      globalThis.counts = [];
      const count = () => counts.push(document.querySelectorAll('.message').length);
      new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
    }`);
    await view.tell(conversation(many, { id: crypto.randomUUID() }));
    await view.page.evaluate(`fake.until(() => document.querySelectorAll('.message').length >= 20)`);
    const counts = (await view.page.evaluate('counts.filter((n) => n > 0)')) as number[];
    assert.ok(counts[0]! <= 6 && counts.at(-1)! <= 24, counts.join(' '));
    assert.equal(await latest().count(), 0);
    const box = await view.page.locator('.transcript').boundingBox();
    const end = await view.page.locator(`#m-${many.at(-1)!.id}`).boundingBox();
    assert.ok(end!.y + end!.height <= box!.y + box!.height + 1, 'the end is in sight');
  });

  it('is where it was after the window was reloaded', async () => {
    const many = Array.from({ length: 60 }, (_, i) => (i % 2 ? answer(longAnswer(120)) : user(`Question ${i}`)));
    const told = [surroundings(), conversation(many)];
    await view.tell(...told);
    const target = view.page.locator(`#m-${many[44]!.id}`);
    await target.evaluate((e) => e.scrollIntoView({ block: 'start' }));
    // A fraction of a pixel may still show the message before it.
    const near = JSON.stringify([many[43]!.id, many[44]!.id]);
    await view.page.evaluate(`fake.until(() => ${near}.includes(fake.state?.anchor?.messageId))`);
    const before = await topOf(many[44]!);
    await view.page.reload();
    await view.until('ready');
    await view.tell(...told);
    assert.ok(Math.abs((await topOf(many[44]!)) - before) <= 3, `${await topOf(many[44]!)} was ${before}`);
    assert.equal(await latest().count(), 1);
  });
});
