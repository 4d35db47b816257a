import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { chooseOffer } from '../../../extension/chat/context/lists.ts';
import { Mentions } from '../../../extension/chat/context/mentions.ts';
import { offerSources } from '../../../extension/chat/context/offers.ts';
import { addressRefusal, webAddress } from '../../../extension/chat/context/pages.ts';
import type { Chip, Mention } from '../../../extension/chat/protocol.ts';
import { BackendError, localProblem } from '../../../extension/platform/server/backendError.ts';
import type { AttachmentInput } from '../../../shared/runs.ts';
import { perigee, sampleFile } from '../window.ts';
import { Scene } from './chatScene.ts';

const URL_TYPED = 'https://Docs.example.org/Guide/@types?q=A#part';
const PAGE = { url: 'https://docs.example.org/Guide', title: 'The Guide', text: '# Begin\n\nDo this.' };
const READ_AT = '2026-11-30T04:00:00.000Z';
const id = () => crypto.randomUUID();

describe('a page of the web', () => {
  let scene: Scene;
  let asked: string[];
  before(async () => {
    await perigee();
  });
  beforeEach(() => {
    scene = new Scene();
    asked = [];
    scene.fetchPage = async (url) => {
      asked.push(url);
      return { ...PAGE, readAt: READ_AT };
    };
    scene.say({ type: 'ready' });
  });
  afterEach(() => scene.controller.dispose());

  async function mentions(query: string): Promise<Mention[]> {
    const requestId = id();
    scene.say({ type: 'mentions', requestId, query });
    for (;;) {
      const answer = scene.last('mentions');
      if (answer?.requestId === requestId) return answer.items;
      await new Promise((done) => setTimeout(done));
    }
  }
  const chip = (isSo: (chip: Chip) => boolean) =>
    scene
      .surroundings(({ chips }) => chips.some((one) => one.kind === 'page' && isSo(one)))
      .then(({ chips }) => chips.find(({ kind }) => kind === 'page')!);
  async function attach(typed = URL_TYPED): Promise<void> {
    const [page] = await mentions(typed);
    scene.say({ type: 'attachMention', id: page!.id });
  }
  async function send(text: string, waits?: true): Promise<AttachmentInput[] | undefined> {
    const [sent, before] = [scene.requests.length, scene.told.length];
    scene.say({ type: 'send', requestId: id(), text, chatId: scene.chatId, waits });
    while (!scene.told.slice(before).some(({ type }) => type === 'sent' || type === 'notSent'))
      await new Promise((done) => setTimeout(done));
    const request = scene.requests[sent];
    return request?.kind === 'chat' ? (request.input.attachments ?? []) : undefined;
  }

  it('is offered by its address as typed, and goes along with address, time and title', async () => {
    const [offer, ...others] = await mentions(URL_TYPED);
    assert.deepEqual(others, []);
    assert.deepEqual([offer?.icon, offer?.label], ['globe', 'docs.example.org/Guide/@types']);
    assert.deepEqual(asked, [], 'nothing is read before it is chosen');
    scene.say({ type: 'attachMention', id: offer!.id });
    const { label, tokens, path } = await chip(({ isReading, tokens }) => !isReading && tokens > 0);
    assert.deepEqual(asked, ['https://docs.example.org/Guide/@types?q=A#part']);
    assert.deepEqual([label, path], ['docs.example.org: The Guide', asked[0]]);
    const text = `Address: ${PAGE.url}\nRead at: ${READ_AT}\nTitle: The Guide\n\n${PAGE.text}`;
    assert.equal(tokens, Math.ceil(text.length / 4));
    assert.deepEqual(await send('What is it?'), [
      { kind: 'page', path: asked[0], range: undefined, languageId: undefined, text },
    ]);
  });

  it('is not offered where the server reads none for this account', async () => {
    scene.fetchPage = undefined;
    assert.deepEqual(await mentions(URL_TYPED), []);
    const { attachable } = await scene.surroundings(() => true);
    assert.ok(!attachable.includes('page'));
    scene.say({ type: 'attachMention', id: `page ${URL_TYPED}` });
    assert.deepEqual(await send('Hello'), []);
  });

  it('is read only if the user chose it: neither from a message nor from an id that was never offered', async () => {
    scene.say({ type: 'attachMention', id: 'page https://evil.example/' });
    scene.say({ type: 'readPage', id: 'page https://evil.example/' });
    assert.deepEqual(await send('Look at https://evil.example/ and @https://evil.example/'), []);
    assert.deepEqual(asked, []);
  });

  it('shows that it is being read, and a message waits for it', async () => {
    let answer = (_: typeof PAGE & { readAt: string }) => {};
    scene.fetchPage = () => new Promise((resolve) => (answer = resolve));
    await attach();
    await chip(({ isReading }) => isReading === true);
    const sending = send('What is it?');
    answer({ ...PAGE, readAt: READ_AT });
    const [sent] = (await sending)!;
    assert.ok(sent && 'text' in sent && sent.text.endsWith(PAGE.text));
  });

  it('that was removed while it was read does not come back', async () => {
    let answer = (_: typeof PAGE & { readAt: string }) => {};
    scene.fetchPage = () => new Promise((resolve) => (answer = resolve));
    await attach();
    const { id } = await chip(({ isReading }) => isReading === true);
    scene.say({ type: 'detach', id });
    answer({ ...PAGE, readAt: READ_AT });
    assert.deepEqual(await send('Hello'), []);
  });

  it('that is refused says why in its place, is not sent so, and can be tried again', async () => {
    const refused = {
      ...localProblem('The page is too large', 'The page has more than 200 KB.', 'page_too_large'),
      status: 422,
    };
    const { fetchPage } = scene;
    scene.fetchPage = async () => {
      throw new BackendError('refused', refused);
    };
    await attach();
    const { id, failed } = await chip(({ failed }) => failed !== undefined);
    assert.equal(failed, 'The page is too large. The page has more than 200 KB.');
    assert.equal(await send('What is it?'), undefined);
    const { problem, chipId } = scene.last('notSent')!;
    assert.equal(chipId, id);
    assert.match(
      problem.detail,
      /^https:\/\/docs\.example\.org\/\S+ was not read\. The page is too large\. .* Nothing was sent\.$/,
    );
    scene.fetchPage = fetchPage;
    scene.say({ type: 'readPage', id });
    await chip(({ failed, tokens }) => failed === undefined && tokens > 0);
    assert.equal((await send('What is it?'))?.length, 1);
  });

  it('that is chosen again keeps its text until there is a newer one', async () => {
    await attach();
    await chip(({ tokens }) => tokens > 0);
    const { fetchPage } = scene;
    let fail = (_: unknown) => {};
    scene.fetchPage = () => new Promise((_, reject) => (fail = reject));
    await attach();
    await chip(({ isReading }) => isReading === true);
    fail(new BackendError('refused', { ...localProblem('Too slow', 'Try again.', 'page_too_slow'), status: 422 }));
    const { failed } = await chip(({ failed }) => failed !== undefined);
    assert.equal(failed, 'Too slow. Try again. What was read before goes along.');
    scene.fetchPage = async (url) => ({ ...(await fetchPage!(url)), text: 'A newer text.' });
    scene.say({ type: 'readPage', id: (await chip(() => true)).id });
    await chip(({ isReading, failed }) => !isReading && failed === undefined);
    assert.match(JSON.stringify(await send('What is it?')), /A newer text\./);
  });

  it('that could not be read again goes along as it was read before', async () => {
    await attach();
    await chip(({ tokens }) => tokens > 0);
    scene.fetchPage = () => Promise.reject(new Error('gone'));
    await attach();
    await chip(({ failed }) => failed !== undefined);
    const [sent] = (await send('What is it?'))!;
    assert.ok(sent && 'text' in sent && sent.text.endsWith(PAGE.text));
  });

  it('that was not read is refused before it waits for an answer, as if it were sent', async () => {
    const { fetchPage } = scene;
    scene.fetchPage = () => Promise.reject(new Error('gone'));
    await attach();
    const { id } = await chip(({ failed }) => failed !== undefined);
    await send('What is it?', true);
    assert.equal(scene.last('notSent')?.chipId, id);
    assert.deepEqual(scene.last('queue')?.messages ?? [], []);
    scene.fetchPage = fetchPage;
    scene.say({ type: 'readPage', id });
    await chip(({ failed, tokens }) => failed === undefined && tokens > 0);
    await send('What is it?', true);
    assert.equal(scene.last('notSent')?.chipId, id, 'no second refusal');
    assert.ok(scene.last('sent'));
  });

  it('is not asked for where the server reads none any more, not even to try again', async () => {
    scene.fetchPage = () => Promise.reject(new Error('gone'));
    await attach();
    const { id } = await chip(({ failed }) => failed !== undefined);
    let calls = 0;
    scene.fetchPage = undefined;
    scene.session.call = () => calls++;
    scene.say({ type: 'readPage', id });
    const { failed } = await chip(({ failed }) => failed?.startsWith('Web pages can’t be read now') === true);
    assert.match(failed!, /Try again later, sign in, or paste the text\.$/);
    assert.equal(calls, 0);
  });

  it('is another than one whose long address ends alike', async () => {
    scene.fetchPage = async (url) => ({ url, text: `The text of ${url.slice(0, 30)}.`, readAt: READ_AT });
    const tail = '/a'.repeat(100);
    for (const host of ['one', 'two']) await attach(`https://${host}.example.org${tail}`);
    const { chips } = await scene.surroundings(({ chips }) => chips.filter(({ tokens }) => tokens > 0).length === 2);
    assert.ok(chips.every(({ id }) => id.length <= 200));
    const sent = JSON.stringify(await send('Compare'));
    assert.match(sent, /The text of https:\/\/one.*The text of https:\/\/two/);
  });

  it('says why its address is not read: too long as it is sent, or with a password', async () => {
    for (const [typed, label, why] of [
      [`https://example.org/${'漢'.repeat(600)}`, /^example\.org\//, /too long: as it is sent, .* 2,000 characters/],
      ['https://ada:secret@example.org/a', /^example\.org\/a$/, /user name or a password/],
    ] as const) {
      const [offer, ...others] = await mentions(typed);
      assert.deepEqual(others, []);
      assert.match(offer!.detail!, why);
      assert.match(offer!.label, label);
      scene.say({ type: 'attachMention', id: offer!.id });
      while (!why.test(scene.last('notice')?.text ?? '')) await new Promise((done) => setTimeout(done));
      assert.match(addressRefusal(typed)!, why);
      assert.equal(webAddress(typed), undefined);
    }
    assert.deepEqual(await send('Hello'), []);
    assert.deepEqual(asked, []);
  });

  it('that a window did not read to its end can be tried again in the next', async () => {
    scene.fetchPage = () => new Promise(() => {});
    await attach();
    await chip(({ isReading }) => isReading === true);
    const { windowMemory, memory } = scene;
    const next = new Scene(windowMemory, memory);
    try {
      next.fetchPage = async () => ({ ...PAGE, readAt: READ_AT });
      next.say({ type: 'ready' });
      const { chips } = await next.surroundings(({ chips }) => chips.length === 1);
      assert.equal(chips[0]?.failed, 'The page was not read to its end.');
      next.say({ type: 'readPage', id: chips[0]!.id });
      await next.surroundings(({ chips }) => chips[0]?.failed === undefined && chips[0]!.tokens > 0);
    } finally {
      next.controller.dispose();
    }
  });

  it('goes along with an earlier message that is edited', async () => {
    const to = id();
    scene.say({ type: 'editing', messageId: to });
    const [page] = await mentions(URL_TYPED);
    scene.say({ type: 'attachMention', id: page!.id, to });
    const { edited, chips } = await scene.surroundings(({ edited }) => (edited?.chips[0]?.tokens ?? 0) > 0);
    assert.deepEqual([edited?.messageId, edited?.chips[0]?.kind, chips.length], [to, 'page', 0]);
  });

  it('has a whole address', () => {
    const isOne = (typed: string) => webAddress(typed) !== undefined;
    assert.ok(['https://a.b', 'HTTP://a', 'http://[::1]/', 'https://bücher.example/ä'].every(isOne));
    const others = [
      'https://',
      'https:///a',
      'https:a',
      'ftp://a',
      'a.b',
      ' https://a',
      `https://a/${'b'.repeat(2000)}`,
    ];
    assert.deepEqual(others.filter(isOne), []);
  });
});

describe('what + attaches by a list', () => {
  afterEach(() => vscode.commands.executeCommand('workbench.action.closeQuickOpen'));

  it('lets the user choose a folder, which is then attached', async () => {
    const scene = new Scene();
    try {
      scene.say({ type: 'ready' });
      const { attachable } = await scene.surroundings(({ attachable }) => attachable.includes('folder'));
      assert.ok(attachable.includes('symbol'));
      scene.say({ type: 'attach', kind: 'folder' });
      // Enter does nothing before the list is there.
      for (;;) {
        await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
        await new Promise((done) => setTimeout(done, 20));
        const chips = scene.last('surroundings')?.value.chips ?? [];
        if (chips.some(({ kind }) => kind === 'folder')) break;
      }
    } finally {
      scene.controller.dispose();
    }
  });

  it('attaches nothing if the list is closed', async () => {
    const chosen = chooseOffer('folder', new Mentions(offerSources({ last: [] } as never)));
    await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
    assert.equal(await chosen, undefined);
  });

  it('attaches the open editors at once', async () => {
    const scene = new Scene();
    try {
      scene.say({ type: 'ready' });
      for (const path of ['src/client.ts', 'src/totals.py'])
        await vscode.window.showTextDocument(sampleFile(path), { preview: false });
      await scene.surroundings(({ attachable }) => attachable.includes('editors'));
      scene.say({ type: 'attach', kind: 'editors' });
      const { chips } = await scene.surroundings(({ chips }) => chips.filter(({ kind }) => kind === 'file').length > 1);
      const paths = chips.filter(({ implicit }) => !implicit).map(({ path }) => path);
      assert.deepEqual(paths.sort(), ['src/client.ts', 'src/totals.py']);
    } finally {
      scene.controller.dispose();
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    }
  });
});
