import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { FromHost, ToHost } from '../../../extension/chat/protocol.ts';
import { fromBase64, toBase64 } from '../../../extension/platform/base64.ts';
import type { Model } from '../../../shared/models.ts';
import type { RunRequest } from '../../../shared/runs.ts';
import { perigee, sampleFile } from '../window.ts';
import { Scene } from './chatScene.ts';

const { fs } = vscode.workspace;
const id = () => crypto.randomUUID();

/** What begins as a PNG of this size: the host reads no more of it. */
function png(width: number, height: number): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  new DataView(bytes.buffer).setUint32(16, width);
  new DataView(bytes.buffer).setUint32(20, height);
  return bytes;
}

const model = (id: string, part: Partial<Model>): Model => ({
  ...{ id, name: id, contextTokens: 128_000, maxOutputTokens: 8_192, isDefault: false, isDemo: false },
  ...{ price: { mode: 'flat', runMicro: 1 }, ...part },
});

describe('pictures in a message', () => {
  let scene: Scene;
  before(async () => {
    await perigee();
  });
  beforeEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    scene = await opened(new Scene());
  });
  afterEach(async () => {
    scene.dispose();
    await fs.delete(sampleFile('more'), { recursive: true }).then(undefined, () => {});
  });

  async function opened(one: Scene): Promise<Scene> {
    one.models = [model('eyes', { isDefault: true, vision: true }), model('blind', {})];
    one.say({ type: 'ready' });
    one.session.connect.fire();
    await one.surroundings((value) => value.models.length === 2);
    return one;
  }
  const paste = (bytes: Uint8Array, name = 'image.png', part: object = {}) =>
    scene.say({ type: 'attachPicture', name, data: toBase64(bytes), ...part });
  const chips = (count: number) => scene.surroundings((value) => value.chips.length === count).then((s) => s.chips);
  const attachmentsOf = (request: RunRequest | undefined) =>
    request?.kind === 'chat' ? (request.input.attachments ?? []) : undefined;
  async function told<T extends FromHost['type']>(
    type: T,
    fits: (message: Extract<FromHost, { type: T }>) => boolean = () => true,
  ): Promise<Extract<FromHost, { type: T }>> {
    for (;;) {
      const found = scene.told.findLast(
        (one): one is Extract<FromHost, { type: T }> => one.type === type && fits(one as never),
      );
      if (found) return found;
      await new Promise((done) => setTimeout(done));
    }
  }

  it('that were pasted go along with their bytes, and leave the composer', async () => {
    paste(png(1_500, 1_000));
    const [chip] = await chips(1);
    assert.deepEqual([chip?.kind, chip?.label, chip?.tokens], ['image', 'image.png', 2_000]);
    const { request } = await scene.send('What is on it?');
    const data = toBase64(png(1_500, 1_000));
    assert.deepEqual(attachmentsOf(request), [{ kind: 'image', path: 'image.png', mediaType: 'image/png', data }]);
    await chips(0);
  });

  it('survive a reload of the window, and can be drawn again', async () => {
    paste(png(8, 6));
    const [chip] = await chips(1);
    scene.dispose();
    scene = await opened(new Scene(scene.windowMemory, scene.memory));
    assert.deepEqual(await chips(1), [chip]);
    scene.say({ type: 'picture', id: chip!.id });
    const drawn = await told('picture');
    assert.ok('data' in drawn && drawn.mediaType === 'image/png');
    assert.deepEqual(fromBase64(drawn.data), png(8, 6));
    const { request } = await scene.send('What is on it?');
    assert.equal(attachmentsOf(request)?.length, 1);
  });

  it('of the workspace are made smaller by the view before they are attached', async () => {
    await fs.writeFile(sampleFile('more/large.png'), png(9_000, 9_000));
    scene.say({ type: 'attachFiles', uris: [sampleFile('more/large.png').toString()] });
    const { requestId, name, data } = await told('shrink');
    assert.deepEqual([name, fromBase64(data)], ['large.png', png(9_000, 9_000)]);
    paste(png(1_568, 1_568), 'large.png', { requestId });
    const [chip] = await chips(1);
    assert.equal(chip?.path, 'more/large.png');
    const { request } = await scene.send('What is on it?');
    const [sent] = attachmentsOf(request)!;
    assert.ok(sent && 'data' in sent && sent.path === 'more/large.png');
    assert.deepEqual(fromBase64(sent.data), png(1_568, 1_568));
  });

  it('of the workspace that the view can not read are refused in words', async () => {
    await fs.writeFile(sampleFile('more/broken.png'), png(9, 9));
    scene.say({ type: 'attachFiles', uris: [sampleFile('more/broken.png').toString()] });
    const { requestId } = await told('shrink');
    scene.say({ type: 'pictureRefused', requestId, why: 'is damaged: it cannot be drawn.' });
    assert.equal((await told('notice')).text, 'broken.png is damaged: it cannot be drawn.');
    await fs.writeFile(sampleFile('more/text.png'), new TextEncoder().encode('<svg/>'));
    scene.say({ type: 'attachFiles', uris: [sampleFile('more/text.png').toString()] });
    await told('notice', ({ text }) => text === 'text.png is no PNG, JPEG, WebP or GIF.');
    await chips(0);
  });

  it('are refused by name where the model reads none: nothing is sent, and they stay', async () => {
    scene.say({ type: 'selectModel', id: 'blind' });
    paste(png(8, 6));
    await chips(1);
    const { request, told } = await scene.send('What is on it?');
    assert.equal(request, undefined);
    assert.ok(told.type === 'notSent' && told.problem.code === 'no_vision');
    assert.match(told.problem.detail, /^blind reads no pictures\. Nothing was sent: choose another model/);
    scene.say({ type: 'selectModel', id: 'eyes' });
    const again = await scene.send('What is on it?');
    assert.equal(attachmentsOf(again.request)?.length, 1);
  });

  it('are four at most, and a fifth is refused without losing the others', async () => {
    for (let n = 1; n <= 4; n++) {
      paste(png(n, n));
      await chips(n);
    }
    paste(png(5, 5));
    assert.equal((await told('notice')).text, 'A message holds 4 pictures. Remove one of them first.');
    assert.equal((await chips(4)).length, 4);
  });

  it('that lie about what they are never get in', async () => {
    paste(new TextEncoder().encode('<svg/>'));
    assert.equal((await told('notice')).text, 'image.png is no picture that can be read.');
    scene.say({ type: 'attachPicture', name: 'image.png', data: '%%%' } as ToHost);
    await chips(0);
  });

  it('that are gone are named by the refusal, and the message can go without them', async () => {
    paste(png(8, 6));
    const [chip] = await chips(1);
    await fs.delete(sampleFile('more/pictures'), { recursive: true });
    const { request, told } = await scene.send('What is on it?');
    assert.equal(request, undefined);
    assert.ok(told.type === 'notSent' && told.chipId === chip!.id);
    assert.match(told.problem.detail, /The picture image\.png is no longer there\./);
  });

  it('of sent messages come from the server, or are said to be gone', async () => {
    const [one, other] = [`${id()}/0`, `${id()}/1`];
    scene.pictures.set(one, png(3, 2));
    scene.say({ type: 'picture', id: one });
    const drawn = await told('picture', (message) => message.id === one);
    assert.ok('data' in drawn);
    scene.say({ type: 'picture', id: other });
    assert.deepEqual(await told('picture', (message) => message.id === other), {
      ...{ type: 'picture', id: other, why: 'It is no longer there.' },
    });
  });

  it('are kept for a while: the oldest of many are deleted', async () => {
    for (let n = 1; n <= 43; n++) {
      paste(png(n, 1));
      const [chip] = await chips(1);
      scene.say({ type: 'detach', id: chip!.id });
      await chips(0);
    }
    assert.equal((await fs.readDirectory(sampleFile('more/pictures'))).length, 40);
  });

  it('wait with their message for the end of an answer', async () => {
    scene.messages = [scene.runningAnswer()];
    const runId = scene.messages[0]!.runId!;
    scene.session.connect.fire();
    await told('conversation', ({ messages }) => messages.length === 1);
    paste(png(8, 6));
    await chips(1);
    scene.say({ type: 'send', requestId: id(), text: 'And this?', waits: true, chatId: scene.chatId } as ToHost);
    const waiting = await told('queue', ({ messages }) => messages.length === 1);
    assert.equal(waiting.messages[0]!.chips[0]?.kind, 'image');
    scene.end(runId);
    while (scene.requests.length === 0) await new Promise((done) => setTimeout(done));
    assert.equal(attachmentsOf(scene.requests[0])?.length, 1);
  });
});
