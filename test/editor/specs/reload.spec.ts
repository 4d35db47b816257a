import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atSharedDesk } from '../sharedDesk.ts';
import type { Workbench } from '../workbench.ts';

describe('the chat in the first moment after a window reload', () => {
  const desk = atSharedDesk();
  let editor: Workbench;

  before(async () => {
    const { upstream } = desk();
    editor = desk().editor;
    await editor.chat.startNew();
    upstream.script({ text: 'Heard.' });
    await editor.chat.ask('Hello', 'Heard.');
    await editor.chat.ended();
    await editor.openFile('src/client.ts');
  });

  it('takes the keys that select all and undo, and nothing of the file in front is replaced', async () => {
    const file = join(desk().sample.folder, 'src/client.ts');
    const before = await readFile(file, 'utf8');
    const { keyboard } = editor.page;
    await editor.reload({ isAwaited: false });
    await editor.chat.composer.click();
    await keyboard.press('Control+a');
    await keyboard.type('one more');
    await keyboard.press('Control+a');
    await keyboard.type('two');
    await keyboard.press('Control+z');
    await keyboard.press('Control+y');
    await editor.chat.answers.getByText('Heard.').waitFor();
    assert.equal(await editor.chat.composer.inputValue(), 'two');
    // A reload restores the open files as the editor has stored them, which it does some seconds late.
    await editor.openFile('src/client.ts');
    await editor.parts.shows('export interface Order');
    assert.equal(await editor.page.locator('.tab.dirty').count(), 0, 'the file has no change');
    assert.equal(await readFile(file, 'utf8'), before);
    await editor.chat.type('');
  });

  it('shows a draft whose last key was pressed just before, as soon as there is a composer', async () => {
    const draft = 'half a thought, and the rest of it';
    await editor.chat.composer.click();
    await editor.page.keyboard.type(draft);
    await editor.reload({ isAwaited: false });
    await editor.chat.composer.waitFor();
    assert.equal(await editor.chat.composer.inputValue(), draft);
    // It goes on from there, whatever the host tells meanwhile.
    await editor.chat.composer.press('End');
    await editor.page.keyboard.type('!');
    await editor.chat.answers.getByText('Heard.').waitFor();
    assert.equal(await editor.chat.composer.inputValue(), `${draft}!`);
  });

  it('keeps a message that waits for an answer, and sends it once when that has ended', async () => {
    const { upstream } = desk();
    await editor.chat.startNew();
    const call = upstream.script({ pieces: ['One, ', 'two.'], gateAt: 1 });
    await editor.chat.send('Count');
    await call.atGate;
    upstream.script({ text: 'Three.' });
    const waits = editor.chat.view
      .getByRole('list', { name: 'Waiting to be sent' })
      .getByText(/^Sent when the answer is done/);
    await editor.chat.type('And on');
    await editor.chat.sendTyped(waits);
    await editor.until('it has left the composer', async () => (await editor.chat.composer.inputValue()) === '');
    await editor.reload();
    await waits.waitFor();
    call.open();
    await editor.chat.answers.getByText('Three.').waitFor();
    const said = await editor.chat.messages.allInnerTexts();
    assert.equal(said.length, 2, said.join('\n'));
    // What the editor shows may go along with each.
    for (const [at, text] of ['Count', 'And on'].entries()) assert.ok(said[at]!.split('\n').includes(text), said[at]);
    await editor.chat.ended();
  });
});
