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

  const ask = (send: Extract<ToHost, { type: 'send' }>): ToHost => {
    const { requestId, text, replaces } = send;
    return { type: 'findSent', requestId, chatId: send.chatId!, text, ...(replaces && { replaces }) };
  };

  it('is asked what became of a message and sends nothing, in the same window and in one after it', async () => {
    scene.say({ type: 'ready' });
    const { chatId } = scene;
    const send = { type: 'send' as const, requestId: id(), text: 'Once', chatId };
    scene.say({ type: 'draft', text: 'Once', chatId }, send, ask(send));
    await scene.until('sent', 2);
    const after = new Scene(scene.windowMemory, scene.memory);
    after.run = scene.run;
    after.say({ type: 'ready' }, ask(send));
    await after.until('sent');
    assert.deepEqual([scene.requests.length, after.requests.length], [1, 0]);
    assert.deepEqual([scene.draft(chatId), after.draft(chatId)], ['', '']);
    after.controller.dispose();
  });

  for (const shown of ['shown', 'not shown'])
    for (const [draft, left] of [
      ['', 'Once'],
      ['Once', 'Once'],
      ['Once and more', 'Once and more'],
      ['more', 'Once\n\nmore'],
      ['Nonce', 'Once\n\nNonce'],
    ] as const)
      it(`says that a message was never sent, and its text is in the draft of its chat, which is ${shown} (“${draft}”)`, async () => {
        scene.say({ type: 'ready' });
        const { chatId } = scene;
        if (shown === 'not shown') await scene.controller.openConversation(id());
        scene.say({ type: 'draft', text: draft, chatId });
        scene.say(ask({ type: 'send', requestId: id(), text: 'Once', chatId }));
        await scene.until('neverSent');
        assert.equal(scene.draft(chatId), left);
        assert.deepEqual(scene.requests, []);
      });

  it('leaves the draft alone when an edit of an earlier message was never sent', async () => {
    scene.say({ type: 'ready' });
    const { chatId } = scene;
    scene.say({ type: 'draft', text: 'half', chatId });
    scene.say(ask({ type: 'send', requestId: id(), text: 'Better', replaces: id(), chatId }));
    await scene.until('neverSent');
    assert.equal(scene.draft(chatId), 'half');
  });

  it('keeps a message of which the server can’t tell, and names the same run when it is sent again', async () => {
    scene.say({ type: 'ready' });
    const { chatId } = scene;
    scene.run = async () => BackendError.offline('no way there');
    const old = { type: 'send' as const, requestId: id(), text: 'Once', chatId };
    scene.say(ask(old));
    await scene.until('notSent');
    assert.equal(scene.draft(chatId), 'Once');
    scene.say({ ...old, requestId: id() });
    await scene.until('sent');
    assert.deepEqual(
      scene.requests.map((request) => request.id),
      [old.requestId],
    );
    assert.equal(scene.draft(chatId), '');
  });

  it('knows a message that was taken as the retry of an earlier one, also in a new window', async () => {
    scene.say({ type: 'ready' });
    const { chatId } = scene;
    scene.answer = async () => BackendError.offline('the answer was lost');
    const first = { type: 'send' as const, requestId: id(), text: 'Once', chatId };
    const retry = { ...first, requestId: id() };
    scene.say({ type: 'draft', text: 'Once', chatId }, first);
    await scene.until('notSent');
    // The window is closed before it hears of the retry, or after.
    for (const isHeard of [false, true]) {
      if (isHeard) scene.answer = async () => undefined;
      scene.say({ ...retry, requestId: isHeard ? retry.requestId : id() });
      await scene.until(isHeard ? 'sent' : 'notSent', isHeard ? 1 : 2);
      const memory = new Memory();
      for (const [key, value] of scene.windowMemory.values) memory.values.set(key, structuredClone(value));
      for (const message of [ask(retry), retry].slice(0, isHeard ? 2 : 1)) {
        const after = new Scene(memory, new Memory());
        after.run = scene.run;
        after.say({ type: 'ready' }, message);
        await after.until('sent');
        assert.deepEqual(after.requests, []);
        assert.equal(after.draft(chatId), '');
        after.controller.dispose();
      }
    }
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
