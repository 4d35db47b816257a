import assert from 'node:assert/strict';
import type { FromHost, Waiting } from '../../extension/chat/protocol.ts';
import { OTHER, told, Window } from './pageless.ts';
import { answer, CONVERSATION, changed, conversation, running, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

const waiting = (text: string, part: Partial<Waiting> = {}): Waiting => ({
  ...{ id: crypto.randomUUID(), text, chips: [] },
  ...part,
});
const queue = (...messages: Waiting[]): FromHost => ({ type: 'queue', chatId: CONVERSATION, messages });

describe('chat view: messages that wait for the end of an answer', () => {
  let view: View;
  const reply = running({ text: 'So far' });
  const list = () => view.page.getByRole('list', { name: 'Waiting to be sent' });
  const button = (name: string) => list().getByRole('button', { name, exact: true });
  const spoken = () => view.page.locator('.heard').innerText();

  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings(), conversation([user('Go'), reply], { chatId: CONVERSATION }), queue()],
  );

  it('are passed on by Enter, leave the composer when the host has them, and say that they wait', async () => {
    await view.page.keyboard.type('And a test');
    assert.equal(await view.page.getByRole('button', { name: 'Stop (Escape)' }).count(), 1, 'it can still be stopped');
    await view.page.getByRole('button', { name: 'Send when the answer is done' }).waitFor();
    await view.page.keyboard.press('Enter');
    const { requestId, waits } = await view.until('send');
    assert.equal(waits, true);
    assert.equal(await view.composer.inputValue(), 'And a test');
    const chips = [{ id: 'c', kind: 'file' as const, label: 'a.ts', tokens: 10 }];
    await view.tell(queue(waiting('And a test', { chips })), { type: 'sent', requestId });
    assert.equal(await view.composer.inputValue(), '');
    assert.match(await list().innerText(), /^And a test\s+Sent when the answer is done · 1 attachment\s+Send now$/);
    assert.equal(await spoken(), 'Your message is sent when the answer is done');
  });

  it('go back into the composer behind what is typed there, removed or sent now: by a button, with the focus back', async () => {
    const [first, second, third] = ['One', 'Two', 'Three'].map((text) => waiting(text));
    await view.page.keyboard.type('Typed');
    await view.tell(queue(first!, second!, third!));
    await button('Remove').first().click();
    assert.deepEqual(await view.until('waiting'), {
      ...{ type: 'waiting', id: first!.id, chatId: CONVERSATION, deed: 'remove' },
    });
    await button('Edit').first().click();
    const edit = await view.until('waiting', 2);
    assert.deepEqual([edit.id, edit.deed, edit.text], [second!.id, 'edit', 'Two']);
    assert.equal(await view.composer.inputValue(), 'Typed\n\nTwo');
    const order = (await view.said()).map((message) => message.type);
    assert.ok(order.lastIndexOf('draft') < order.lastIndexOf('waiting'), 'the host has the text first');
    assert.equal(await list().getByRole('listitem').count(), 1);
    await button('Send now').click();
    assert.deepEqual([(await view.until('waiting', 3)).deed, third!.id], ['sendNow', third!.id]);
    await view.page.keyboard.type('!');
    assert.equal(await view.composer.inputValue(), 'Typed\n\nTwo!');
  });

  it('come back by Up in an empty composer, the last one first', async () => {
    await view.tell(queue(waiting('One'), waiting('Two')));
    await view.page.keyboard.press('ArrowUp');
    assert.equal(await view.composer.inputValue(), 'Two');
  });

  it('say why they wait for the user once the answer has ended otherwise than well', async () => {
    const message = waiting('And a test');
    await view.tell(queue(message));
    await view.tell(
      changed([{ ...reply, state: 'stopped', chargedMicro: 1 }]),
      queue({ ...message, held: 'The answer was stopped.' }),
    );
    assert.match(await list().innerText(), /The answer was stopped\. Send it when you like\.\s+Send$/);
    await view.tell(queue({ ...message, isSending: true }));
    assert.equal(await list().getByRole('button').count(), 0, 'what is on its way is left alone');
    await view.tell(queue({ ...message, held: 'No credits left.' }));
    assert.equal(await spoken(), 'Your message waits. No credits left.');
  });

  it('can’t be sent while the connection is lost, and can be edited and removed', async () => {
    await view.tell(queue(waiting('And a test')), surroundings({ connection: { state: 'offline', detail: 'No.' } }));
    assert.equal(await button('Send now').isDisabled(), true);
    assert.equal(await button('Edit').isDisabled(), false);
  });

  it('are seen whole if two are short, and fade out at the lower end while more are below', async () => {
    const fades = async () => (await list().evaluate((queue) => getComputedStyle(queue).maskImage)) !== 'none';
    await view.page.setViewportSize({ width: 280, height: 480 });
    await view.tell(queue(waiting('One'), waiting('Two')));
    assert.deepEqual(
      [await list().evaluate((queue) => queue.scrollHeight - queue.clientHeight), await fades()],
      [0, false],
    );
    await view.tell(queue(waiting('One'), waiting('Two'), waiting('Three')));
    assert.equal(await fades(), true);
    await list().evaluate((queue) => queue.scrollTo(0, queue.scrollHeight));
    await view.tell();
    assert.equal(await fades(), false);
  });

  it('stay above a composer that keeps its place, however long they are', async () => {
    const long = waiting('word '.repeat(40_000));
    await view.tell(queue(...Array.from({ length: 10 }, () => ({ ...long, id: crypto.randomUUID() }))));
    assert.ok(await view.composer.isVisible());
    const box = (await view.composer.boundingBox())!;
    assert.ok(box.y + box.height < 720, String(box.y));
    assert.deepEqual(await view.page.evaluate('fake.overflow()'), []);
  });
});

describe('a message that waits for the end of an answer', () => {
  const reply = running();
  let view: Window;
  beforeEach(() => {
    view = new Window();
    view.tell(surroundings(), told([user('Go'), reply]), queue());
  });

  it('is taken out of the composer again when it was sent in the moment of the click on "Edit"', () => {
    const message = waiting('Second');
    view.type('Mine');
    view.tell(queue(message));
    view.chat.queue.edit(message);
    view.tell({ type: 'tooLate', chatId: CONVERSATION, text: 'Second' });
    assert.equal(view.draft, 'Mine');
    assert.match(view.chat.state.hint!.text, /had just been sent/);
    view.tell({ type: 'tooLate', chatId: OTHER, text: 'Mine' });
    assert.equal(view.draft, 'Mine', 'another chat’s');
  });

  it('is not touched while another chat is being opened: the composer belongs to that one', () => {
    const message = waiting('Second');
    view.tell(queue(message));
    view.chat.openConversation(OTHER);
    view.chat.queue.edit(message);
    view.chat.queue.sendNow(message);
    assert.deepEqual([view.draft, view.all('waiting')], ['', []]);
  });

  it('is passed on again by a page that is made anew, with the same name', () => {
    view.type('Second');
    view.enter();
    const { requestId } = view.all('send')[0]!;
    view.load(true);
    view.tell(surroundings(), told([user('Go'), reply], { draft: 'Second' }));
    const again = view.all('send')[0]!;
    assert.deepEqual([again.requestId, again.waits], [requestId, true]);
    view.tell(queue(waiting('Second', { id: requestId })), { type: 'sent', requestId });
    assert.equal(view.draft, '');
  });

  it('is passed on again where the host had not stored it before the window was reloaded', () => {
    const message = waiting('Second');
    view.tell(queue(message));
    view.load(true);
    view.tell(surroundings(), told([user('Go'), reply], { draft: 'Second' }), queue());
    assert.deepEqual(
      view.all('send').map(({ requestId, text, waits, chatId }) => [requestId, text, waits, chatId]),
      [[message.id, 'Second', true, CONVERSATION]],
    );
    view.tell(queue(message), { type: 'sent', requestId: message.id });
    assert.equal(view.draft, '', 'it is no draft any more');
    view.load(true);
    view.tell(surroundings(), told([user('Go'), reply]), queue(message));
    assert.deepEqual(view.all('send'), []);
    view.chat.queue.remove(message);
    view.load(true);
    view.tell(surroundings(), told([user('Go'), reply]), queue());
    assert.deepEqual(view.all('send'), [], 'what was removed stays removed');
  });

  it('follows a message that is on its way, where Enter is pressed for both', () => {
    view.tell(changed([{ ...reply, state: 'complete', text: 'Yes.' }]));
    view.type('Second');
    view.enter();
    view.type(' and third');
    view.enter();
    const { requestId, waits } = view.all('send')[0]!;
    assert.equal(waits, undefined);
    view.tell(changed([user('Second'), running()]), { type: 'sent', requestId });
    assert.deepEqual(
      view.all('send').map((send) => [send.text, send.waits]),
      [
        ['Second', undefined],
        [' and third', true],
      ],
    );
  });

  it('is not shown in another chat', () => {
    view.tell(queue(waiting('Second')), told([user('There'), answer('Yes')], { id: OTHER, chatId: OTHER }));
    assert.equal(view.chat.queue.editLast(), false);
  });
});
