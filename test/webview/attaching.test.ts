import assert from 'node:assert/strict';
import type { Chip } from '../../extension/chat/protocol.ts';
import { answer, conversation, surroundings, user } from './samples.ts';
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
    ['shot.png', 'new Uint8Array([137, 80])', 'image/png', /^shot\.png is a picture\. Only text can be attached/],
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
    assert.match(await hint(), /^b\.png is a picture/);
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
    await view.tell(surroundings({ attachable: ['file', 'diff'] }));
    assert.deepEqual(await offered(), ['File in the editor', 'Uncommitted changes', 'Choose a file']);
  });
});
