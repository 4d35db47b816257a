import assert from 'node:assert/strict';
import type { ToHost } from '../../../extension/chat/protocol.ts';
import { BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import { Memory, Scene } from './chatScene.ts';

describe('the host of the chat, told too early, twice or too late', () => {
  let scene: Scene;
  const id = () => crypto.randomUUID();
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.controller.dispose());

  it('sends a message once that a new page asks for again, and answers both', async () => {
    scene.say({ type: 'ready' });
    const { chatId } = scene;
    let open = () => {};
    const gate = new Promise<undefined>((done) => {
      open = () => done(undefined);
    });
    scene.answer = () => gate;
    const send: ToHost = { type: 'send', requestId: id(), text: 'Once', chatId };
    scene.say({ type: 'draft', text: 'Once', chatId }, send, { type: 'ready' }, send);
    open();
    await scene.until('sent', 2);
    assert.deepEqual([scene.requests.length, scene.requests[0]!.id], [1, send.requestId]);
    scene.say({ type: 'ready' }, send);
    await scene.until('sent', 3);
    assert.equal(scene.requests.length, 1);
    assert.equal(scene.draft(chatId), '');
  });

  it('names the same run when a new host is asked again, so that the server answers once', async () => {
    scene.say({ type: 'ready' });
    const { chatId } = scene;
    const send: ToHost = { type: 'send', requestId: id(), text: 'Once', chatId };
    scene.say(send);
    await scene.until('sent');
    const again = new Scene(scene.windowMemory, scene.memory);
    again.say({ type: 'ready' }, send);
    await again.until('sent');
    assert.deepEqual([scene.requests[0]!.id, again.requests[0]!.id], [send.requestId, send.requestId]);
    again.controller.dispose();
  });

  it('keeps what was typed after Enter, and what was left there before, when the message was sent', async () => {
    scene.say({ type: 'ready' });
    const { chatId } = scene;
    for (const [draft, left] of [
      ['Hello and more', ' and more'],
      ['half a thought\n\nHello', 'half a thought'],
      ['something else', 'something else'],
    ] as const) {
      const sent = scene.told.filter(({ type }) => type === 'sent').length;
      scene.say({ type: 'draft', text: draft, chatId }, { type: 'send', requestId: id(), text: 'Hello', chatId });
      await scene.until('sent', sent + 1);
      assert.equal(scene.draft(chatId), left);
    }
  });

  it('puts a draft and a message where they were written, also when another chat is shown by then', async () => {
    scene.say({ type: 'ready' });
    const { chatId } = scene;
    const other = id();
    await scene.controller.openConversation(other);
    scene.say({ type: 'draft', text: 'mine', chatId });
    assert.deepEqual([scene.draft(chatId), scene.draft(other)], ['mine', '']);
    scene.say({ type: 'send', requestId: id(), text: 'mine', chatId });
    await scene.until('sent');
    assert.equal(scene.requests[0]!.conversationId, chatId);
    assert.equal(scene.last('conversation')!.chatId, other, 'what is shown stays');
  });

  it('keeps the text of what the server refuses, in the chat it was written in', async () => {
    scene.say({ type: 'ready' });
    const { chatId } = scene;
    scene.answer = async () =>
      new BackendError('refused', { ...localProblem('No', 'no', 'rate_limited'), status: 429 });
    scene.say({ type: 'draft', text: 'mine', chatId }, { type: 'send', requestId: id(), text: 'mine', chatId });
    await scene.until('notSent');
    assert.equal(scene.last('notSent')!.problem.code, 'rate_limited');
    assert.equal(scene.draft(chatId), 'mine');
  });

  it('says that what stands in the composer comes along when another account takes over', async () => {
    scene.say({ type: 'ready' });
    const { chatId } = scene;
    await new Promise((done) => setTimeout(done));
    scene.say({ type: 'draft', text: 'mine', chatId });
    scene.session.account = { ...scene.session.account!, id: 'somebody else' };
    scene.session.connect.fire();
    while (scene.chatId === chatId) await new Promise((done) => setTimeout(done));
    const { moved, draft } = scene.last('conversation')!;
    assert.deepEqual([moved, draft], [true, 'mine']);
  });

  it('keeps the drafts of two windows that show the same chat apart, and begins with the other one’s', async () => {
    scene.say({ type: 'ready' });
    const shown = id();
    await scene.controller.openConversation(shown);
    scene.say({ type: 'draft', text: 'first', chatId: shown });
    const second = new Scene(new Memory(), scene.memory);
    second.say({ type: 'ready' });
    await second.controller.openConversation(shown);
    assert.equal(second.last('conversation')!.draft, 'first');
    second.say({ type: 'draft', text: 'second', chatId: shown });
    const reloaded = new Scene(scene.windowMemory, scene.memory);
    reloaded.say({ type: 'ready' });
    assert.equal(reloaded.last('conversation')!.draft, 'first');
    second.controller.dispose();
    reloaded.controller.dispose();
  });
});
