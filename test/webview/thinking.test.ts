import assert from 'node:assert/strict';
import { addThoughts, followThoughts } from '../../extension/chat/webview/model/thoughts.ts';
import { answer, changed, conversation, running, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

const answering = running();
const asked = user('Go');
const thinking = (text: string, at: number, ms = 0) => ({
  ...{ type: 'thinking' as const, messageId: answering.id },
  ...{ text, at, ms },
});
const text = (said: string, at: number) => ({ type: 'text' as const, messageId: answering.id, text: said, at });
const begun = [surroundings(), conversation([asked, answering])];

describe('the thoughts of running answers', () => {
  const piece = (said: string, at: number, ms: number, cameAt: number) => ({
    ...{ messageId: 'a', text: said, at },
    ...{ ms, cameAt },
  });

  it('grow by pieces, are cut where a piece begins, and skip one with a gap before it', () => {
    const pieces = [piece('One two', 0, 0, 0), piece('TWO', 4, 1, 1), piece('gap', 90, 2, 2)];
    assert.deepEqual(addThoughts({}, pieces), { a: { text: 'One TWO', ms: 1, since: 0 } });
  });

  it('have begun as long ago as the server says, and a delayed piece does not set them back', () => {
    const first = addThoughts({}, [piece('a', 0, 12_000, 100_000)]);
    assert.equal(first.a!.since, 88_000);
    assert.equal(addThoughts(first, [piece('b', 1, 12_100, 105_000)]).a!.since, 88_000);
    assert.equal(addThoughts(first, [piece('b', 1, 14_000, 100_500)]).a!.since, 86_500);
  });

  it('come from the message of a page made anew, and go with the answer', () => {
    const there = running({ thinking: { text: 'Hm. So.', ms: 5_000 } });
    const anew = followThoughts({}, [there], 20_000);
    assert.deepEqual(anew, { [there.id]: { text: 'Hm. So.', ms: 5_000, since: 15_000 } });
    const shorter = { ...there, thinking: { text: 'Hm.', ms: 4_000 } };
    assert.deepEqual(followThoughts(anew, [shorter], 30_000), anew, 'what came meanwhile stays');
    assert.deepEqual(followThoughts(anew, [running()], 0), {});
    assert.deepEqual(followThoughts(anew, [{ ...there, state: 'complete' }], 0), {});
  });
});

describe('chat view: an answer of a model that thinks', () => {
  let view: View;
  eachView((opened) => {
    view = opened;
  });
  const row = () => view.page.locator('.thinking > button');
  const thoughts = () => view.page.getByRole('region', { name: 'Thoughts' });
  const label = async () => (await row().innerText()).trim();

  it('counts the seconds while it thinks alone, and says how long it thought once it answers', async () => {
    await view.page.clock.install({ time: new Date('2026-11-29T12:00:00Z') });
    await view.tell();
    await view.page.clock.pauseAt(new Date('2026-11-29T12:00:10Z'));
    const tell = async (...messages: Parameters<View['tell']>) => {
      await view.page.evaluate(`fake.postAll(${JSON.stringify(messages)})`);
      await view.page.clock.runFor(50);
    };
    await tell(...begun);
    assert.equal(await row().count(), 0);
    assert.equal(await view.page.locator('.answering').innerText(), 'Answering');
    await tell(thinking('Hm.', 0));
    assert.equal(await label(), 'Thinking…');
    assert.equal(await view.page.locator('.answering').count(), 0, 'one line says what goes on');
    await view.page.clock.runFor(3_000);
    assert.equal(await label(), 'Thinking… 3 s');
    await tell(thinking(' So.', 3, 61_400));
    await view.page.clock.runFor(1_000);
    assert.equal(await label(), 'Thinking… 1 min 2 s', 'the server knows better');
    assert.equal(await row().getAttribute('aria-expanded'), 'false');
    await tell(text('Yes', 0));
    assert.equal(await label(), 'Thought for 1 min 1 s');
    assert.equal(await view.page.locator('.answering').innerText(), 'Answering');
    await tell(changed([{ ...answering, state: 'complete', text: 'Yes', thinking: { text: 'Hm. So.', ms: 62_000 } }]));
    assert.equal(await label(), 'Thought for 1 min 2 s');
  });

  it('keeps its thoughts out of the page until they are unfolded, by key or click', async () => {
    await view.tell(...begun, thinking('**Hm.** <img src=x onerror=alert(1)>', 0));
    assert.doesNotMatch(await view.page.locator('body').innerHTML(), /Hm\./);
    await view.page.getByRole('button', { name: 'Thinking…', expanded: false }).focus();
    await view.page.keyboard.press('Enter');
    assert.equal(await row().getAttribute('aria-expanded'), 'true');
    assert.equal(await thoughts().locator('strong').innerText(), 'Hm.');
    assert.equal(await thoughts().locator('img').count(), 0);
    await view.page.keyboard.press('Tab');
    assert.equal(await view.page.evaluate('document.activeElement.className'), 'thoughts', 'it scrolls by keys');
    await view.tell(thinking('\n\nSo.', 36));
    assert.match(await thoughts().innerText(), /So\.$/);
    await row().click();
    assert.equal(await thoughts().count(), 0);
  });

  it('stays unfolded when it goes on, answers and ends', async () => {
    await view.tell(...begun, thinking('Hm.', 0));
    await row().click();
    const ended = { ...answering, state: 'complete' as const, text: 'Yes.', thinking: { text: 'Hm. So.', ms: 2_000 } };
    for (const message of [thinking(' So.', 3), text('Yes.', 0), changed([ended]), conversation([asked, ended])]) {
      await view.tell(message);
      assert.equal(await thoughts().count(), 1, message.type);
    }
    assert.equal(await thoughts().innerText(), 'Hm. So.');
    assert.equal(await view.page.locator('.answer > .markdown').innerText(), 'Yes.');
  });

  it('draws nothing of the conversation for hundreds of thoughts, and nothing at all while they are folded', async () => {
    await view.tell(...begun, thinking('x', 0));
    await view.page.evaluate(`(() => {
      window.changes = [];
      new MutationObserver((list) => changes.push(...list)).observe(document.querySelector('.column'),
        { subtree: true, childList: true, attributes: true, characterData: true });
    })()`);
    const changes = () =>
      view.page.evaluate(
        `changes.filter(({ target }) => !target.parentElement?.closest?.('.thinking > button')).length`,
      );
    for (let at = 1; at < 400; at += 40)
      await view.tell(...Array.from({ length: 40 }, (_, n) => thinking('x', at + n, at)));
    assert.equal(await changes(), 0);
    await row().click();
    assert.equal((await thoughts().innerText()).length, 401);
  });

  it('follows its thoughts at their end while it thinks, and begins at their top afterwards', async () => {
    await view.tell(...begun, thinking('A thought.\n\n'.repeat(100), 0));
    await row().click();
    const rest = () =>
      view.page.evaluate(`(() => {
        const box = document.querySelector('.thoughts');
        return box.scrollHeight - box.clientHeight - box.scrollTop;
      })()`) as Promise<number>;
    await view.tell(thinking('More.\n\n'.repeat(20), 1200));
    assert((await rest()) < 2, `${await rest()}`);
    const { height } = (await thoughts().boundingBox())!;
    assert(height <= 320, `${height}`);
    await row().click();
    await view.tell(text('Yes.', 0));
    await row().click();
    assert((await rest()) > 1_000, 'what was thought is read from its beginning');
  });

  it('keeps the line in its place when it is unfolded or folded again', async () => {
    const long = 'A paragraph of the answer.\n\n'.repeat(12);
    const thought = { thinking: { text: 'A thought.\n\n'.repeat(40), ms: 1_000 } };
    await view.tell(surroundings(), conversation([user('a '.repeat(900)), answer(long, thought)]));
    const top = async () => Math.round((await row().boundingBox())!.y);
    const before = await top();
    assert(before > 40 && (await view.fromEnd()) < 2, 'it is seen, and so is the end');
    await row().click();
    await view.tell();
    assert.equal(await top(), before);
    await row().press('Enter');
    await view.tell();
    assert.deepEqual([await top(), (await view.fromEnd()) < 2], [before, true]);
  });

  it('is followed to its end when its thoughts are unfolded before it', async () => {
    await view.tell(surroundings(), conversation([user('a '.repeat(3_000)), answering]), thinking('Hm.', 0));
    await row().click();
    await view.tell(thinking('A thought.\n\n'.repeat(100), 3));
    assert((await view.fromEnd()) < 2);
    assert((await row().boundingBox())!.y > 40, 'their line is seen');
    await view.tell(text('A paragraph.\n\n'.repeat(60), 0));
    assert((await view.fromEnd()) < 2);
  });

  it('that was stopped, failed or wrote nothing shows its thoughts', async () => {
    const thought = { thinking: { text: 'Hm.', ms: 400 } };
    await view.tell(
      surroundings(),
      conversation([
        ...[asked, answer('', { state: 'stopped', ...thought })],
        ...[user('b'), answer('', { state: 'failed', ...thought })],
        ...[user('c'), answer('', { reason: 'empty_answer', chargedMicro: 0, ...thought })],
        ...[user('d'), answer('Yes.', { thinking: { text: 'Hm.', ms: 0 } })],
        ...[user('e'), answer('Yes.')],
      ]),
    );
    assert.deepEqual(await row().allTextContents(), [...Array(3).fill('Thought for 1 s'), 'Thought']);
    assert.match(await view.page.locator('.box').last().innerText(), /^The model thought, and wrote no answer\./);
    await row().first().click();
    assert.equal(await thoughts().innerText(), 'Hm.');
  });

  it('is copied, and read out, without its thoughts', async () => {
    await view.tell(...begun, thinking('Hm.', 0), text('Yes.', 0));
    await view.tell(changed([{ ...answering, state: 'complete', text: 'Yes.', thinking: { text: 'Hm.', ms: 1 } }]));
    await row().click();
    await view.page.locator('.answer footer').getByRole('button', { name: 'Copy' }).click();
    assert.equal((await view.until('copy')).text, 'Yes.');
    assert.deepEqual(await view.page.evaluate('fake.heard'), ['Answering', 'Answer: Yes.']);
  });

  it('offers no action for the code in its thoughts, and all of them for the code of its answer', async () => {
    const code = '```ts src/a.ts\nconst a = 1;\n```\n';
    await view.tell(surroundings(), conversation([asked, answer(code, { thinking: { text: code, ms: 1 } })]));
    await row().click();
    const names = async (part: string) => (await view.page.locator(part).getByRole('button').all()).length;
    assert.deepEqual([await names('.thoughts'), await names('.answer > .markdown')], [0, 4]);
  });

  it('says what is left beside its thoughts, and that it waits for the connection', async () => {
    const { id } = answering;
    await view.tell(surroundings(), conversation([asked, { ...answering, clampedTo: 812 }]), thinking('Hm.', 0));
    assert.equal(
      await view.page.locator(`#m-${id} .answering`).innerText(),
      'What is left is enough for about 810 more tokens',
    );
    await view.tell(surroundings({ connection: { state: 'offline', detail: 'x' } }));
    assert.equal(await view.page.locator(`#m-${id} .answering`).innerText(), 'Waiting for the connection');
    assert.equal(await view.page.locator('.thinking .spin').count(), 0);
  });
});
