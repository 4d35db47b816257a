import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atSharedDesk } from '../sharedDesk.ts';

describe('what goes along with a question, in a real editor', () => {
  const desk = atSharedDesk();
  const at = (path: string) => join(desk().sample.folder, path);
  before(async () => {
    await writeFile(at('AGENTS.md'), 'Use tabs.\n');
    await mkdir(at('.github/prompts'), { recursive: true });
    await writeFile(
      at('.github/prompts/haiku.prompt.md'),
      '---\ndescription: A haiku\ntools: [run]\n---\nWrite a haiku.\n',
    );
  });

  it('is what its chips say, word for word: instructions once, what a command attached, and the prompt of a file', async () => {
    const { editor, upstream } = desk();
    const { chat } = editor;
    upstream.reset();
    await editor.openFile('src/client.ts');
    await chat.startNew();
    const chips = chat.view.getByRole('list', { name: 'Attached' });
    await chips.getByRole('button', { name: /^Instructions: AGENTS\.md, 3 tokens$/ }).waitFor();
    const sent = () => upstream.bill.at(-1)!.body.messages!.map(({ content }) => content);
    await chat.composer.pressSequentially('/fi');
    await chat.view.getByRole('option', { name: '/fix' }).waitFor();
    const attached = chips.getByRole('button', { name: /^Remove client\.ts/ });
    await editor.pressIn(chat.composer, 'Enter', 'the file is attached', attached);
    await chat.composer.pressSequentially('only the loop');
    await chat.sendTypedAs(chat.messages.first());
    await chat.ended();
    const file = await readFile(at('src/client.ts'), 'utf8');
    const first = sent();
    assert.deepEqual(first.slice(1), [
      'Attached instructions: AGENTS.md\n```markdown\nUse tabs.\n```\n\n' +
        'Fix what is wrong in client.ts: only the loop\n\n' +
        `Attached file: src/client.ts\n\`\`\`typescript\n${file}\`\`\``,
    ]);
    await chips.getByText('sent before').waitFor();
    await chat.composer.pressSequentially('/hai');
    await chat.view.getByRole('option', { name: /haiku.*No effect here: its tools/ }).waitFor();
    const chosen = async () => (await chat.composer.inputValue()) === '/haiku ';
    await editor.pressIn(chat.composer, 'Tab', 'the command is chosen', chosen);
    await chat.composer.pressSequentially('in French');
    await chat.sendTypedAs(chat.messages.nth(1));
    await chat.ended();
    const second = sent();
    assert.deepEqual(second.slice(0, first.length), first, 'the cached prefix');
    assert.match(second.at(-1)!, /^Write a haiku\.\n\nin French(?:\n\nAttached visible: src\/client\.ts [\s\S]*)?$/);
  });
});
