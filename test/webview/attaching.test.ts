import assert from 'node:assert/strict';
import type { Chip } from '../../extension/chat/protocol.ts';
import { answer, CONVERSATION, conversation, problem, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

describe('chat view: what is attached', () => {
  let view: View;
  const hint = () => view.page.locator('.hint').innerText();
  const question = user('Go', { attachments: [{ id: 'm/0', kind: 'file', path: 'src/a.ts', characters: 10 }] });
  const chip = (label: string): Chip => ({ id: `file ${label}`, kind: 'file', label, path: label, tokens: 12 });

  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings(), conversation([question, answer('Yes')])],
  );

  /** Whether the view took it, so that the browser does nothing of its own with it. */
  const bring = (how: 'paste' | 'drop', selector: string, fill: string) =>
    view.page.evaluate(`(() => {
      const data = new DataTransfer();
      ${fill}
      const init = { bubbles: true, cancelable: true };
      const event = '${how}' === 'paste' ? new ClipboardEvent('paste', { ...init, clipboardData: data })
        : new DragEvent('drop', { ...init, dataTransfer: data });
      return !document.querySelector('${selector}').dispatchEvent(event);
    })()`);
  const file = (name: string, content: string, type = '') =>
    `data.items.add(new File([${content}], '${name}', { type: '${type}' }));`;

  for (const [how, selector] of [
    ['paste', '.composer textarea'],
    ['drop', '.composer textarea'],
    ['drop', '.transcript'],
  ] as const)
    it(`takes a text file by ${how} on ${selector}`, async () => {
      assert.equal(await bring(how, selector, file('größe.ts', `'let a = "é";'`)), true);
      const taken = await view.until('attachText');
      assert.deepEqual(taken, { type: 'attachText', name: 'größe.ts', text: 'let a = "é";' });
    });

  for (const [name, content, type, said] of [
    ['shot.png', 'new Uint8Array([137, 80])', 'image/png', /^shot\.png is no PNG, JPEG, WebP or GIF/],
    ['tool.exe', 'new Uint8Array([77, 90, 0, 3])', '', /^tool\.exe is a binary file\. Only text can be attached\.$/],
    ['latin.txt', 'new Uint8Array([228, 246, 252])', 'text/plain', /^latin\.txt is a binary file/],
    ['big.log', `'x'.repeat(1_000_001)`, 'text/plain', /^big\.log is too large: at most 1 MB can be attached\./],
  ] as const)
    it(`refuses ${name} with a word`, async () => {
      assert.equal(await bring('drop', '.composer textarea', file(name, content, type)), true);
      await view.page.locator('.hint').waitFor();
      assert.match(await hint(), said);
      assert.equal((await view.said()).filter((m) => m.type === 'attachText').length, 0);
    });

  it('takes what it can of several, and says what it left', async () => {
    const all = file('a.ts', `'a'`) + file('b.png', `'b'`, 'image/png') + file('c.md', `'c'`);
    await bring('drop', '.transcript', all);
    await view.until('attachText', 2);
    assert.match(await hint(), /^b\.png is no PNG/);
  });

  it('hands files of the editor’s own lists to the host by their address', async () => {
    const list = `data.setData('text/uri-list', '# from the editor\\r\\nfile:///w/a.ts\\r\\nfile:///w/b.ts');`;
    assert.equal(await bring('drop', '.composer textarea', list), true);
    assert.deepEqual((await view.until('attachFiles')).uris, ['file:///w/a.ts', 'file:///w/b.ts']);
  });

  it('leaves text to the field: also a link, and cells that come with their picture', async () => {
    const link = `data.setData('text/uri-list', 'https://example.org/'); data.setData('text/plain', 'https://example.org/');`;
    assert.equal(await bring('drop', '.composer textarea', link), false);
    const cells = `data.setData('text/plain', '1\\t2'); ${file('image.png', `'x'`, 'image/png')}`;
    assert.equal(await bring('paste', '.composer textarea', cells), false);
    assert.equal(await view.page.locator('.hint').count(), 0);
  });

  it('can be added to an earlier message while it is edited, and goes along with that alone', async () => {
    await view.page.getByRole('button', { name: 'Edit and send again' }).click();
    assert.deepEqual(await view.until('editing'), { type: 'editing', messageId: question.id });
    const box = view.page.locator('.editing');
    await box.getByRole('button', { name: 'Attach', exact: true }).click();
    assert.deepEqual(await view.page.evaluate('fake.overflow()'), []);
    await box.getByRole('menuitem', { name: 'Problems' }).click();
    assert.deepEqual(await view.until('attach'), { type: 'attach', kind: 'problems', to: question.id });
    await bring('paste', '.editing textarea', file('b.ts', `'let b;'`));
    assert.equal((await view.until('attachText')).to, question.id);
    await view.tell(surroundings({ edited: { messageId: question.id, chips: [chip('b.ts')] } }));
    assert.deepEqual(await box.locator('.chip .label').allInnerTexts(), ['a.ts', 'b.ts']);
    assert.equal(await view.page.locator('.composer .chip').count(), 0);
    await box.getByRole('button', { name: /^Remove b\.ts/ }).click();
    assert.deepEqual(await view.until('detach'), { type: 'detach', id: 'file b.ts', to: question.id });
    await box.getByRole('button', { name: 'Send' }).click();
    assert.deepEqual((await view.until('send')).keep, ['m/0']);
  });

  it('is forgotten with an edit that is given up', async () => {
    await view.page.getByRole('button', { name: 'Edit and send again' }).click();
    await view.page.locator('.editing').getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(await view.until('editing', 2), { type: 'editing', messageId: null, dropped: question.id });
  });

  it('is offered as far as the editor shows it', async () => {
    const offered = async () => {
      await view.page.getByRole('button', { name: 'Attach', exact: true }).press('Enter');
      const labels = await view.page.getByRole('menuitem').allInnerTexts();
      await view.page.keyboard.press('Escape');
      return labels;
    };
    await view.tell(surroundings({ attachable: [] }));
    assert.deepEqual(await offered(), ['Choose a file']);
    await view.tell(surroundings({ attachable: ['file', 'diff', 'found'] }));
    assert.deepEqual(await offered(), ['File in the editor', 'Uncommitted changes', 'The workspace', 'Choose a file']);
  });

  it('says what the workspace brings before it is sent, and how far the index is', async () => {
    const found: Chip = {
      ...chip('The workspace'),
      id: 'found workspace',
      kind: 'found',
      tokens: 8000,
      path: undefined,
    };
    for (const width of [260, 380]) {
      await view.page.setViewportSize({ width, height: 600 });
      for (const note of ['what fits your question', 'reading files, 12,400 so far']) {
        await view.tell(surroundings({ chips: [{ ...found, note }] }));
        const item = view.page.locator('.composer .chip');
        assert.equal((await item.innerText()).replace(/\s+/g, ' '), `The workspace ${note}`);
        assert.equal(await item.getAttribute('title'), `The workspace: ${note}, at most 8,000 tokens`);
        assert.deepEqual(await view.page.evaluate('fake.overflow()'), []);
      }
    }
  });

  it('says what is left out of a folder, also to a screen reader', async () => {
    const leftOut = 'Left out: 1 file that may hold secrets.';
    const folder: Chip = {
      id: 'f',
      kind: 'folder',
      label: 'net/',
      path: 'src/net',
      tokens: 300,
      note: '2 of 3 files',
      leftOut,
    };
    await view.tell(surroundings({ chips: [folder] }));
    const item = view.page.locator('.composer .chip');
    assert.equal(await item.getAttribute('title'), `src/net: 2 of 3 files, about 300 tokens. ${leftOut}`);
    assert.ok((await item.locator('.heard').innerText()).includes(leftOut));
  });

  it('shows what went along: pieces with their lines, which open them if they are there', async () => {
    const sent = user('Where?', {
      attachments: [
        { id: 'm/0', kind: 'found', path: 'src/a.ts', range: { start: 11, end: 39 }, characters: 900 },
        { id: 'm/1', kind: 'found', path: 'src/gone.ts', range: { start: 0, end: 0 }, characters: 9 },
        { id: 'm/2', kind: 'folder', path: 'src/net', characters: 9 },
        { id: 'm/3', kind: 'terminal', path: 'npm test', characters: 9 },
        { id: 'm/4', kind: 'commit', path: '3f2a1bc Count', characters: 9 },
        { id: 'm/5', kind: 'pasted', path: '120 lines', characters: 9 },
      ],
    });
    await view.tell(conversation([sent, answer('There')]));
    const labels = await view.page.locator('.bubble .chip .label').allInnerTexts();
    assert.deepEqual(labels, [
      'a.ts:12–40',
      'gone.ts:1',
      'net/',
      'npm test',
      '3f2a1bc Count',
      'Pasted text, 120 lines',
    ]);
    const asked = await view.until('findFiles');
    assert.deepEqual(asked.paths, ['src/a.ts', 'src/gone.ts']);
    await view.tell({ type: 'files', asked: asked.paths, found: ['src/a.ts'] });
    const links = view.page.locator('.bubble').getByRole('link');
    assert.deepEqual(await links.allInnerTexts(), ['a.ts:12–40']);
    await links.press('Enter');
    assert.deepEqual(await view.until('openFile'), { type: 'openFile', path: 'src/a.ts', line: 12 });
  });

  it('lets a question go without what could not be sent', async () => {
    const found: Chip = { ...chip('The workspace'), id: 'found workspace', kind: 'found' };
    await view.tell(surroundings({ chips: [found] }));
    await view.page.locator('.composer textarea').fill('Where?');
    await view.page.keyboard.press('Enter');
    const { requestId } = await view.until('send');
    const refused = problem('invalid_request', { detail: 'No piece of the workspace fits your question.' });
    await view.tell({ type: 'notSent', requestId, problem: refused, chipId: found.id });
    assert.equal(await view.page.locator('.composer textarea').inputValue(), 'Where?');
    await view.page.getByRole('button', { name: 'Send without The workspace' }).click();
    const said = (await view.said()).slice(-2);
    assert.deepEqual(said[0], { type: 'detach', id: found.id });
    assert.ok(said[1]?.type === 'send' && said[1].text === 'Where?');
  });

  describe('a long pasted text', () => {
    const long = Array.from({ length: 61 }, (_, i) => `line ${i}`).join('\\n');
    const paste = (selector: string, text: string) =>
      bring('paste', selector, `data.setData('text/plain', '${text}');`);
    const pasted = async () => (await view.said()).filter(({ type }) => type === 'attachPasted').length;

    it('becomes an attachment, and a shorter one does not', async () => {
      for (const text of ['x'.repeat(4_000), 'a\\n'.repeat(60)])
        assert.equal(await paste('.composer textarea', text), false);
      assert.equal(await pasted(), 0);
      assert.equal(await paste('.composer textarea', long), true);
      const taken = await view.until('attachPasted');
      assert.deepEqual([taken.text.split('\n').length, taken.to], [61, undefined]);
      assert.equal(await paste('.composer textarea', 'x'.repeat(4_001)), true);
      await view.until('attachPasted', 2);
    });

    it('takes the place of what is selected', async () => {
      const field = view.page.locator('.composer textarea');
      await field.fill('keep and drop');
      await field.evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(4, 13));
      assert.equal(await paste('.composer textarea', long), true);
      assert.equal(await field.inputValue(), 'keep');
      await view.until('attachPasted');
    });

    it('is attached also where the message has no room for it', async () => {
      await view.page.locator('.composer textarea').evaluate((area: HTMLTextAreaElement) => {
        area.style.display = 'none'; // Its layout would take seconds.
        area.value = 'y'.repeat(999_000);
      });
      assert.equal(await paste('.composer textarea', 'x'.repeat(5_000)), true);
      await view.until('attachPasted');
    });

    it('can be put back into the text, at the cursor', async () => {
      const own: Chip = {
        id: 'pasted 1',
        kind: 'pasted',
        label: 'Pasted text, 61 lines',
        path: '61 lines',
        tokens: 100,
      };
      await view.tell(surroundings({ chips: [own] }));
      const field = view.page.locator('.composer textarea');
      await field.fill('before after');
      await field.evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(7, 7));
      await view.page.locator('.composer').getByRole('button', { name: 'Put into the text' }).click();
      assert.deepEqual(await view.until('takePasted'), { type: 'takePasted', id: own.id });
      const back = { type: 'pasted' as const, id: own.id, text: 'THE TEXT ', chatId: CONVERSATION };
      // Two clicks get two answers. The chat may have changed, or the attachment may be gone.
      await view.tell({ ...back, chatId: crypto.randomUUID() }, { ...back, id: 'pasted 2' }, back, back);
      assert.equal(await field.inputValue(), 'before THE TEXT after');
      const detached = { type: 'detach', id: own.id, chatId: CONVERSATION };
      assert.deepEqual(await view.until('detach'), detached);
      assert.equal((await view.said()).filter(({ type }) => type === 'detach').length, 1);
      assert.equal(await view.page.evaluate('document.activeElement.tagName'), 'TEXTAREA');
    });

    it('is not sent without a word, which is said', async () => {
      const own: Chip = {
        id: 'pasted 1',
        kind: 'pasted',
        label: 'Pasted text, 61 lines',
        path: '61 lines',
        tokens: 100,
      };
      await view.tell(surroundings({ chips: [own] }));
      await view.page.locator('.composer textarea').press('Enter');
      assert.match(await hint(), /^Write what to do with the pasted text/);
      assert.equal((await view.said()).filter(({ type }) => type === 'send').length, 0);
    });

    it('that does not fit back stays attached', async () => {
      await view.page.locator('.composer textarea').fill('some words');
      await view.tell(surroundings({ chips: [{ id: 'pasted 1', kind: 'pasted', label: 'Pasted text', tokens: 1 }] }), {
        type: 'pasted',
        id: 'pasted 1',
        text: 'x'.repeat(1_000_000),
        chatId: CONVERSATION,
      });
      assert.match(await hint(), /a message holds 1,000,000\. Nothing was changed/);
      assert.equal((await view.said()).filter(({ type }) => type === 'detach').length, 0);
    });

    it('goes along with an earlier message while that is edited, and back into it', async () => {
      await view.page.getByRole('button', { name: 'Edit and send again' }).click();
      assert.equal(await paste('.editing textarea', long), true);
      assert.equal((await view.until('attachPasted')).to, question.id);
      await view.page.locator('.editing textarea').press('End');
      const own: Chip = { id: 'pasted 1', kind: 'pasted', label: 'Pasted text', tokens: 1 };
      await view.tell(surroundings({ edited: { messageId: question.id, chips: [own] } }), {
        ...{ type: 'pasted' as const, id: own.id, text: ' on', to: question.id, chatId: CONVERSATION },
      });
      assert.equal(await view.page.locator('.editing textarea').inputValue(), 'Go on');
      assert.deepEqual(await view.until('detach'), { type: 'detach', id: 'pasted 1', to: question.id });
      await view.page.locator('.editing').getByRole('button', { name: 'Send' }).click();
      assert.equal((await view.until('send')).text, 'Go on');
    });
  });
});
