import assert from 'node:assert/strict';
import type { Chip } from '../../extension/chat/protocol.ts';
import { answer, conversation, surroundings, user } from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

const ADDRESS = 'https://docs.example.org/Guide/@types?q=A';

describe('chat view: pages of the web, and @ in an earlier message', () => {
  let view: View;
  const question = user('Go on', { attachments: [{ id: 'm/0', kind: 'page', path: `${ADDRESS}/`, characters: 10 }] });
  const page: Chip = { id: 'page 1', kind: 'page', label: 'docs.example.org: The Guide', path: ADDRESS, tokens: 1234 };
  const offer = {
    id: `page ${ADDRESS}`,
    icon: 'globe' as const,
    label: 'docs.example.org/Guide',
    detail: 'Read this web page',
  };

  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings(), conversation([question, answer('Yes')])],
  );

  const edit = async () => {
    await view.page.getByRole('button', { name: 'Edit and send again' }).click();
    return view.page.locator('.editing textarea');
  };
  /** Waits for the newest question of the list, and answers it. */
  async function asked(query: string, items: (typeof offer)[]): Promise<void> {
    for (let count = 1; ; count++) {
      const { requestId, query: seen } = await view.until('mentions', count);
      if (seen !== query) continue;
      return view.tell({ type: 'mentions', requestId, items });
    }
  }

  it('an address typed or pasted after an @ is asked for whole, with an @ within', async () => {
    const field = view.page.locator('.composer textarea');
    await field.pressSequentially('see @');
    await view.page.keyboard.insertText(ADDRESS);
    await asked(ADDRESS, [offer]);
    await view.page.locator('.mentions .label').waitFor();
    await field.press('Enter');
    assert.deepEqual(await view.until('attachMention'), { type: 'attachMention', id: offer.id });
    assert.equal(await field.inputValue(), 'see ');
  });

  it('@ in an earlier message that is edited offers the same, and attaches it to that message', async () => {
    const field = await edit();
    await field.pressSequentially(' @gui');
    await asked('gui', [offer]);
    await view.page.locator('.editing .mentions .label').waitFor();
    assert.equal(await field.getAttribute('aria-activedescendant'), 'mention-0');
    const [box, list] = await Promise.all(
      ['textarea', '.mentions'].map((part) => view.page.locator(`.editing ${part}`).boundingBox()),
    );
    const [top, bottom] = [view.page.locator('.transcript'), view.page.locator('.composer-place')];
    const [from, to] = [(await top.boundingBox())!.y, (await bottom.boundingBox())!.y];
    assert.ok(box!.y > from && list!.y > box!.y + box!.height && list!.y + list!.height < to, 'both are in sight');
    assert.deepEqual(await view.page.evaluate('fake.overflow()'), []);
    await field.press('Enter');
    assert.deepEqual(await view.until('attachMention'), { type: 'attachMention', id: offer.id, to: question.id });
    assert.equal(await field.inputValue(), 'Go on ');
    assert.equal((await view.said()).filter(({ type }) => type === 'send').length, 0);
    await view.tell(surroundings({ edited: { messageId: question.id, chips: [page] } }));
    assert.deepEqual(await view.page.locator('.editing .chip .label').allInnerTexts(), [
      'docs.example.org/Guide/@types?q=A',
      'docs.example.org: The Guide',
    ]);
    await view.page.locator('.editing').getByRole('button', { name: 'Send' }).click();
    assert.equal((await view.until('send')).text, 'Go on ');
  });

  it('Escape closes the list first, and then gives up the edit', async () => {
    const field = await edit();
    await field.pressSequentially(' @gui');
    await asked('gui', [offer]);
    await view.page.locator('.editing .mentions .label').waitFor();
    await field.press('Escape');
    await view.page.locator('.editing .mentions').waitFor({ state: 'detached' });
    await field.press('Escape');
    await field.waitFor({ state: 'detached' });
  });

  it('a page says what it costs, that it is being read, or why it was not, with a way to try again', async () => {
    const item = view.page.locator('.composer .chip');
    for (const width of [260, 380]) {
      await view.page.setViewportSize({ width, height: 600 });
      await view.tell(surroundings({ chips: [page] }));
      assert.equal((await item.innerText()).replace(/\s+/g, ' '), 'docs.example.org: The Guide 1,234 tokens');
      assert.equal(
        await view.page.evaluate(`(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(
        document.querySelector('.composer .chip .size'))`),
        0,
        'the cost is never cut',
      );
      assert.deepEqual(await view.page.evaluate('fake.overflow()'), []);
      await view.tell(surroundings({ chips: [{ ...page, isReading: true, tokens: 0 }] }));
      assert.match(await item.innerText(), /is being read/);
      const failed =
        'The page is too large. The page has more than 200 KB. Paste the part that matters into the message.';
      await view.tell(surroundings({ chips: [{ ...page, failed, tokens: 0 }] }));
      const told = view.page.getByRole('alert');
      assert.equal(await told.innerText(), `docs.example.org: The Guide: ${failed}`);
      assert.deepEqual(await view.page.evaluate('fake.overflow()'), []);
    }
    const limited = 'Too many attempts. Nothing was done. Try again after 2030-01-02T03:04:05.000Z.';
    await view.tell(surroundings({ chips: [{ ...page, failed: limited, tokens: 0 }] }));
    const told = await view.page.getByRole('alert').innerText();
    assert.match(told, /Try again after .*\b0?[0-9]{1,2}:[0-9]{2}.* \(UTC/, 'in local words');
    await view.page.getByRole('button', { name: /^Read docs\.example\.org: The Guide again$/ }).click();
    assert.deepEqual(await view.until('readPage'), { type: 'readPage', id: page.id });
  });

  it('+ reaches everything that @ knows, as far as it is there', async () => {
    await view.tell(
      surroundings({
        attachable: ['file', 'editors', 'found', 'folder', 'symbol', 'commit', 'terminal', 'page'],
      }),
    );
    await view.page.getByRole('button', { name: 'Attach', exact: true }).press('Enter');
    assert.deepEqual(await view.page.getByRole('menuitem').allInnerTexts(), [
      ...['File in the editor', 'Open editors', 'The workspace'],
      ...['Choose a file', 'Folder…', 'Symbol…', 'Commit…', 'Terminal output…', 'Web page…'],
    ]);
    assert.deepEqual(await view.page.evaluate('fake.overflow()'), []);
    await view.page.getByRole('menuitem', { name: 'Web page…' }).click();
    assert.deepEqual(await view.until('attach'), { type: 'attach', kind: 'page' });
  });

  it('a pasted file that was sent is no link, even if the workspace has a file of that name', async () => {
    const attachments = [
      { id: 'm/1', kind: 'pasted' as const, path: 'src/a.ts', characters: 9 },
      { id: 'm/2', kind: 'page' as const, path: 'https://example.org/a.ts', characters: 9 },
      { id: 'm/3', kind: 'file' as const, path: 'src/b.ts', characters: 9 },
    ];
    await view.tell(conversation([user('Look', { attachments }), answer('Yes')]));
    const { paths } = await view.until('findFiles');
    assert.deepEqual(paths, ['src/b.ts']);
    await view.tell({ type: 'files', asked: ['src/a.ts', 'src/b.ts'], found: ['src/a.ts', 'src/b.ts'] });
    assert.deepEqual(await view.page.locator('.chip .file').allInnerTexts(), ['b.ts']);
  });

  it('files and folders dragged from the editor’s lists, and its tabs, go to the host by their addresses', async () => {
    // As the editor fills it, for its lists and for tabs alike.
    const taken = await view.page.evaluate(`(() => {
      const data = new DataTransfer();
      data.setData('text/plain', '/w/src\\n/w/a.ts');
      data.setData('ResourceURLs', '["file:///w/src","file:///w/a.ts"]');
      data.setData('CodeEditors', '[{"resource":{"path":"/w/a.ts","scheme":"file"}}]');
      data.setData('application/vnd.code.uri-list', 'file:///w/src\\r\\nfile:///w/a.ts');
      const init = { bubbles: true, cancelable: true, dataTransfer: data };
      const field = document.querySelector('.composer textarea');
      return [!field.dispatchEvent(new DragEvent('dragover', init)), !field.dispatchEvent(new DragEvent('drop', init))];
    })()`);
    assert.deepEqual(taken, [true, true]);
    assert.deepEqual((await view.until('attachFiles')).uris, ['file:///w/src', 'file:///w/a.ts']);
  });
});
