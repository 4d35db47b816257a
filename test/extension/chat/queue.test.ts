import assert from 'node:assert/strict';
import type { FromHost, ToHost, Waiting } from '../../../extension/chat/protocol.ts';
import { BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import { Memory, Scene } from './chatScene.ts';

const id = () => crypto.randomUUID();
const note = { type: 'attachText', name: 'note.md', text: '# A note' } as const;

/** The queue of the shown chat, as the page was told last. */
const queue = (scene: Scene): Waiting[] => {
  const told = scene.last('queue');
  return told?.chatId === scene.chatId ? told.messages : [];
};
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((done) => setTimeout(done));
}

describe('messages that are written while an answer runs', () => {
  let scene: Scene;
  let chatId: string;
  let first: string;
  const wait = (text: string): ToHost & { type: 'send' } => ({
    ...{ type: 'send', requestId: id(), text, chatId, waits: true },
  });
  const sentTexts = (of = scene) => of.requests.map(({ input }) => ('text' in input ? input.text : ''));

  /** A window whose chat has an answer that runs. */
  async function answering(...memories: Memory[]): Promise<void> {
    scene = new Scene(...memories);
    scene.messages = [];
    scene.say({ type: 'ready' });
    chatId = scene.chatId;
    scene.say({ type: 'send', requestId: id(), text: 'First', chatId });
    await scene.until('sent');
    first = scene.requests[0]!.id;
  }
  /** The same window after a reload. */
  async function reloaded(): Promise<Scene> {
    scene.controller.dispose();
    const after = new Scene(scene.windowMemory, scene.memory);
    after.messages = scene.messages;
    after.say({ type: 'ready' });
    await until(() => after.last('conversation')?.id !== null);
    return after;
  }

  beforeEach(() => answering());
  afterEach(() => scene.controller.dispose());

  it('are sent one after the other when the answers have ended well, with what was attached', async () => {
    scene.say({ type: 'draft', text: 'Second', chatId }, note, wait('Second'));
    await scene.until('sent', 2);
    scene.say(wait('Third'));
    await scene.until('sent', 3);
    assert.deepEqual(
      queue(scene).map(({ text, chips, held }) => [text, chips.length, held]),
      [
        ['Second', 1, undefined],
        ['Third', 0, undefined],
      ],
    );
    assert.equal(scene.draft(), '', 'the composer is empty');
    assert.deepEqual(scene.last('surroundings')?.value.chips, []);
    assert.deepEqual(sentTexts(), ['First']);
    scene.end(first);
    await until(() => scene.requests.length === 2 && queue(scene).length === 1);
    const { input } = scene.requests[1]!;
    assert.equal('text' in input && input.attachments?.length, 1);
    scene.end(scene.requests[1]!.id);
    await until(() => scene.requests.length === 3 && queue(scene).length === 0);
    assert.deepEqual(sentTexts(), ['First', 'Second', 'Third']);
  });

  it('may be commands: they wait as they were typed, and the question that they stand for is sent', async () => {
    scene.say({ type: 'draft', text: '/explain briefly', chatId }, note, wait('/explain briefly'));
    await scene.until('sent', 2);
    assert.deepEqual(
      queue(scene).map(({ text }) => text),
      ['/explain briefly'],
    );
    scene.end(first);
    await until(() => scene.requests.length === 2 && queue(scene).length === 0);
    assert.deepEqual(sentTexts(), ['First', 'Explain note.md: briefly']);
  });

  const ENDS: [how: string, part: object, why: string][] = [
    ['was stopped', { state: 'stopped' }, 'The answer was stopped.'],
    ['failed', { state: 'failed', text: '' }, 'The answer failed.'],
    ['was interrupted', { state: 'interrupted' }, 'The answer was interrupted.'],
    ['was cut short', { cutShort: true }, 'The answer was cut short.'],
    ['was empty', { text: '' }, 'The answer was empty.'],
  ];
  for (const [how, part, why] of ENDS)
    it(`stay when the answer ${how}, and are sent when the user says so`, async () => {
      scene.say(wait('Second'));
      await scene.until('sent', 2);
      scene.end(first, part);
      await until(() => queue(scene)[0]?.held !== undefined);
      assert.equal(queue(scene)[0]!.held, why);
      assert.deepEqual(sentTexts(), ['First']);
      scene.say({ type: 'waiting', id: queue(scene)[0]!.id, chatId, deed: 'sendNow' });
      await until(() => queue(scene).length === 0);
      assert.deepEqual(sentTexts(), ['First', 'Second']);
    });

  it('interrupt the answer with "Send now": it is stopped, and the others go on waiting', async () => {
    scene.say(wait('Second'), wait('Urgent'));
    await scene.until('sent', 3);
    scene.say({ type: 'waiting', id: queue(scene)[1]!.id, chatId, deed: 'sendNow' });
    await until(() => scene.requests.length === 2 && queue(scene).length === 1);
    assert.deepEqual(scene.stopped, [first]);
    assert.deepEqual(sentTexts(), ['First', 'Urgent']);
    assert.equal(queue(scene)[0]!.held, undefined);
    scene.end(scene.requests[1]!.id);
    await until(() => queue(scene).length === 0);
    assert.deepEqual(sentTexts(), ['First', 'Urgent', 'Second']);
  });

  it('wait on when the answer can’t be stopped, which is told, and are sent when it ends', async () => {
    scene.say(wait('Second'));
    await scene.until('sent', 2);
    scene.stop = async () => {
      throw BackendError.offline('no way there');
    };
    scene.say({ type: 'waiting', id: queue(scene)[0]!.id, chatId, deed: 'sendNow' });
    await scene.until('notice');
    assert.deepEqual(sentTexts(), ['First']);
    scene.end(first);
    await until(() => queue(scene).length === 0);
    assert.deepEqual(sentTexts(), ['First', 'Second']);
  });

  it('are never sent when they were removed, nor when they went back into the composer with their attachments', async () => {
    scene.say(note, wait('Second'));
    await scene.until('sent', 2);
    scene.say(wait('Third'));
    await scene.until('sent', 3);
    const [second, third] = queue(scene);
    scene.say({ type: 'waiting', id: third!.id, chatId, deed: 'remove' });
    scene.say({ type: 'draft', text: 'Second', chatId });
    scene.say({ type: 'waiting', id: second!.id, chatId, deed: 'edit', text: 'Second' });
    await scene.surroundings(({ chips }) => chips.length === 1);
    assert.deepEqual([queue(scene), scene.draft()], [[], 'Second']);
    scene.end(first);
    await until(() => scene.controller.open.messages.every(({ state }) => state !== 'running'));
    assert.deepEqual(sentTexts(), ['First']);
  });

  it('are taken out of the composer again when they were sent in the moment of the click on "Edit"', async () => {
    scene.say(wait('Second'));
    await scene.until('sent', 2);
    const [second] = queue(scene);
    let open = () => {};
    scene.answer = () => new Promise((resolve) => (open = () => resolve(undefined)));
    scene.end(first);
    await until(() => queue(scene)[0]?.isSending === true && scene.requests.length === 2);
    scene.say({ type: 'draft', text: 'Mine\n\nSecond', chatId });
    scene.say({ type: 'waiting', id: second!.id, chatId, deed: 'edit', text: 'Second' });
    await scene.until('tooLate');
    assert.equal(scene.draft(), 'Mine');
    open();
    await until(() => queue(scene).length === 0);
    assert.deepEqual(sentTexts(), ['First', 'Second']);
  });

  it('are sent at once when the answer has ended before the host heard of them', async () => {
    scene.end(first);
    await until(() => scene.controller.open.messages.every(({ state }) => state !== 'running'));
    scene.say(wait('Second'));
    await until(() => scene.requests.length === 2 && queue(scene).length === 0);
    assert.deepEqual(sentTexts(), ['First', 'Second']);
  });

  it('are sent while another chat is shown', async () => {
    scene.say(wait('Second'));
    await scene.until('sent', 2);
    scene.say({ type: 'newChat' });
    assert.notEqual(scene.chatId, chatId);
    scene.end(first);
    await until(() => scene.requests.length === 2);
    assert.equal(scene.requests[1]!.conversationId, chatId);
    assert.deepEqual(queue(scene), [], 'the other chat has no queue');
  });

  it('survive a reload of the window, and are sent if the answer still runs', async () => {
    const message = wait('Second');
    scene.say(message);
    await scene.until('sent', 2);
    const after = await reloaded();
    after.say(message);
    await after.until('sent');
    assert.equal(queue(after).length, 1, 'a repeat by the page is the same message');
    after.end(first);
    await until(() => queue(after).length === 0);
    assert.deepEqual(sentTexts(after), ['Second']);
    after.controller.dispose();
  });

  it('wait for the user if the answer ended while the window was closed; one that was removed never comes back', async () => {
    const gone = wait('Gone');
    scene.say(wait('Second'), gone);
    await scene.until('sent', 3);
    scene.say({ type: 'waiting', id: queue(scene)[1]!.id, chatId, deed: 'remove' });
    await until(() => queue(scene).length === 1);
    scene.controller.dispose();
    scene.end(first);
    const after = await reloaded();
    await until(() => queue(after)[0]?.held !== undefined);
    assert.equal(queue(after)[0]!.held, 'The answer ended while this window was closed.');
    after.say(gone);
    await after.until('sent');
    assert.deepEqual([queue(after).length, sentTexts(after)], [1, []]);
    after.controller.dispose();
  });

  it('wait for the user if the chat was deleted while the window was closed', async () => {
    scene.say(wait('Second'));
    await scene.until('sent', 2);
    scene.messages = undefined;
    scene.controller.dispose();
    const after = new Scene(scene.windowMemory, scene.memory);
    after.say({ type: 'ready' });
    await until(() => queue(after)[0]?.held !== undefined || after.requests.length > 0);
    assert.deepEqual([queue(after)[0]!.held, sentTexts(after)], ['The conversation went on without it.', []]);
    after.controller.dispose();
  });

  it('come along as text, unsent, when the window starts again with another account', async () => {
    scene.say(wait('Second'));
    await scene.until('sent', 2);
    scene.controller.dispose();
    const after = new Scene(scene.windowMemory, scene.memory, 'somebody else');
    after.say({ type: 'ready' });
    await until(() => after.chatId !== chatId || after.requests.length > 0);
    assert.deepEqual([after.draft(), sentTexts(after)], ['Second', []]);
    after.controller.dispose();
  });

  it('wait for the user if they came before the chat was loaded, and its answer has ended', async () => {
    scene.controller.dispose();
    scene.end(first);
    const after = new Scene(scene.windowMemory, scene.memory);
    after.messages = scene.messages;
    let read = () => {};
    after.reading = new Promise((done) => (read = done));
    after.say({ type: 'ready' }, wait('Second'));
    await until(() => queue(after).length > 0 && after.draft() === '');
    read();
    await until(() => queue(after)[0]?.held !== undefined || after.requests.length > 0);
    assert.deepEqual([queue(after)[0]!.held, sentTexts(after)], ['The answer ended while this window was closed.', []]);
    after.say({ type: 'waiting', id: queue(after)[0]!.id, chatId, deed: 'sendNow' });
    await until(() => queue(after).length === 0);
    assert.deepEqual(sentTexts(after), ['Second']);
    after.controller.dispose();
  });

  it('are not sent twice when the answer to their request was lost: what the server has is no longer waiting', async () => {
    scene.say(wait('Second'));
    await scene.until('sent', 2);
    scene.answer = async (request) => {
      scene.messages!.push({ ...scene.runningAnswer(request.id) });
      return BackendError.offline('the connection was cut');
    };
    scene.end(first);
    await until(() => scene.requests.length === 2 && !queue(scene)[0]?.isSending);
    assert.equal(queue(scene)[0]!.held, undefined);
    scene.answer = async () => undefined;
    scene.session.connect.fire();
    await until(() => queue(scene).length === 0);
    assert.equal(scene.requests.length, 2);
  });

  it('are tried again with the same name when the connection is back and the server has nothing of them', async () => {
    scene.say(wait('Second'));
    await scene.until('sent', 2);
    scene.answer = async () => BackendError.offline('no way there');
    scene.end(first);
    await until(() => scene.requests.length === 2 && !queue(scene)[0]?.isSending);
    scene.answer = async () => undefined;
    scene.session.connect.fire();
    await until(() => queue(scene).length === 0);
    assert.equal(scene.requests[1]!.id, scene.requests[2]!.id);
  });

  it('wait for the answer of another device that was faster', async () => {
    scene.say(wait('Second'));
    await scene.until('sent', 2);
    const theirs = scene.runningAnswer();
    scene.answer = async () => {
      scene.messages!.push(theirs);
      return undefined;
    };
    scene.end(first);
    await until(() => scene.requests.length === 2 && !queue(scene)[0]?.isSending);
    assert.equal(queue(scene)[0]!.held, undefined);
    scene.answer = async () => undefined;
    scene.end(theirs.runId!);
    await until(() => queue(scene).length === 0);
    assert.equal(scene.requests.length, 3);
  });

  it('say why the server refuses them, and stay with those behind them', async () => {
    scene.say(wait('Second'), wait('Third'));
    await scene.until('sent', 3);
    scene.answer = async () =>
      new BackendError('refused', { ...localProblem('No', 'No credits left.', 'insufficient_credits'), status: 402 });
    scene.end(first);
    await until(() => queue(scene)[1]?.held !== undefined);
    assert.deepEqual(
      queue(scene).map(({ held }) => held),
      ['No credits left.', 'The message before it was not sent.'],
    );
  });

  it('say what went wrong in the editor, and are not tried again by themselves', async () => {
    scene.say(wait('Second'));
    await scene.until('sent', 2);
    scene.answer = async () => {
      throw new TypeError('no such thing');
    };
    scene.end(first);
    await until(() => scene.requests.length === 2 && !queue(scene)[0]?.isSending);
    assert.match(queue(scene)[0]!.held ?? '', /no such thing/);
  });

  it('stay on the page, which is told so, when they are removed while they are being sent', async () => {
    scene.say(wait('Second'));
    await scene.until('sent', 2);
    let open = () => {};
    scene.answer = () => new Promise((resolve) => (open = () => resolve(undefined)));
    scene.end(first);
    await until(() => queue(scene)[0]?.isSending === true && scene.requests.length === 2);
    const told = scene.told.length;
    scene.say({ type: 'waiting', id: queue(scene)[0]!.id, chatId, deed: 'remove' });
    await scene.until('notice');
    assert.deepEqual(
      scene.told.slice(told).map(({ type }) => type),
      ['queue', 'notice'],
    );
    open();
    await until(() => queue(scene).length === 0);
  });

  it('are at most ten: the next one stays in the composer', async () => {
    for (let n = 0; n < 10; n++) scene.say(wait(`${n}`));
    await scene.until('sent', 11);
    scene.say({ type: 'draft', text: 'One more', chatId }, wait('One more'));
    await scene.until('notSent');
    assert.match(scene.last('notSent')!.problem.detail, /10 messages wait already/);
    assert.equal(scene.draft(), 'One more');
  });

  it('are each window’s own, and come along as text when another account takes over', async () => {
    scene.say({ type: 'draft', text: 'typed', chatId }, wait('Second'));
    await scene.until('sent', 2);
    const other = new Scene(new Memory(), scene.memory);
    other.messages = scene.messages;
    other.say({ type: 'ready' });
    await other.controller.openConversation(chatId);
    assert.deepEqual(queue(other), []);
    other.controller.dispose();
    scene.session.account = { ...scene.session.account!, id: 'somebody else' };
    scene.messages = undefined;
    scene.session.connect.fire();
    await until(() => scene.chatId !== chatId);
    const told = (type: FromHost['type']) => scene.told.findLastIndex((message) => message.type === type);
    assert.equal(scene.last('conversation')!.draft, 'typed\n\nSecond');
    assert.ok(told('compose') > told('conversation'), 'the page, which keeps its own text, is told the rest');
    assert.equal(scene.last('compose')!.text, 'Second');
  });
});
