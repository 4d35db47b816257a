import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { UpstreamDouble } from '../../doubles/upstream.ts';
import { root } from '../fetch.ts';
import { block } from '../parts/answers.ts';
import { gone } from '../parts/deeds.ts';
import { atSharedDesk } from '../sharedDesk.ts';
import type { Workbench } from '../workbench.ts';

const OLD = 'const tries = 3;\nconst baseMs = 100;\n';
const NEW = 'const tries = 5;\nconst baseMs = 250;\n';
const one = `More patience:\n\n${block('src/client.ts', OLD, NEW)}Then run it:\n\n\`\`\`sh\nnpm test\n\`\`\`\n`;
const several = `${block('src/client.ts', OLD, NEW)}${block('src/limits.ts', '', 'export const most = 10;\n')}`;

describe('what the chat proposes, applied and taken back in a real editor', () => {
  const out = join(root, 'out/changes');
  const desk = atSharedDesk({ width: 1200, height: 800 });
  let upstream: UpstreamDouble;
  let editor: Workbench;
  let original: string;

  before(async () => {
    await mkdir(out, { recursive: true });
    ({ upstream, editor } = desk());
    original = await disk('src/client.ts');
  });

  const disk = (path: string) => readFile(join(desk().sample.folder, path), 'utf8');
  const chat = () => editor.chat.view;
  const code = () => chat().locator('.code');
  const row = () => chat().locator('.checkpoints li').last();
  const button = (name: string | RegExp) => editor.chat.button(name);
  const picture = (name: string) => editor.page.screenshot({ path: join(out, `${name}.png`) });
  const line = (text: string) => editor.page.locator('.view-line').filter({ hasText: text });
  const hasLine = (text: string) => editor.parts.shows(text);
  /** Resolves once these are the words of the buttons at the blocks of the answers. */
  const applies = (...words: string[]) =>
    editor.until(`at the blocks: ${words}`, async () => {
      return isDeepStrictEqual(await code().locator('.apply').allInnerTexts(), words);
    });

  async function ask(answer: string): Promise<void> {
    await editor.chat.startNew();
    upstream.script({ pieces: answer.split(/(?<=\n)/) });
    await editor.chat.send('Be more patient');
    await editor.chat.ended();
  }

  it('goes from a code block into the editor, and back from under its answer', async () => {
    await editor.openFile('src/client.ts', 8);
    await ask(one);
    await applies('Apply');
    await picture('1-answered');
    await editor.click(button('Apply: client.ts'), 'the review', button('In review: client.ts'));
    await editor.parts.lenses('hunk 1 of').first().waitFor();
    await hasLine('const tries = 5;');
    assert.equal(await disk('src/client.ts'), original, 'nothing is saved');
    await picture('2-review');
    await editor.runCommand('Perigee: Accept All Hunks');
    await button('Applied: client.ts').waitFor();
    await row()
      .filter({ hasText: /^Applied to client\.ts\s*·\s*line 8\s*\+2 −2\s*·[^·]+·\s*Take back$/ })
      .waitFor();
    await picture('3-applied');

    const [takeBack, again] = [button('Take back from client.ts'), button('Apply again to client.ts')];
    await editor.click(takeBack, 'the way back', again);
    await hasLine('const tries = 3;');
    await button('Apply: client.ts').waitFor();
    await editor.click(again, 'the way back', takeBack);
    await hasLine('const tries = 5;');
    await editor.save();
  });

  it('is not taken back over what was changed since, but shown, also after a reload', async () => {
    await editor.reload();
    await editor.openFile('src/client.ts', 8);
    await editor.chat.open();
    await button('Take back from client.ts').waitFor();
    await button('Applied: client.ts').waitFor();
    await editor.openFile('src/client.ts', 8);
    await editor.parts.typeAt(8, 16, '0');
    await hasLine('const tries = 50;');
    const stale = editor.parts.picks('client.ts').first();
    await editor.click(button('Take back from client.ts'), 'what is in the way', stale);
    assert.match(await stale.innerText(), /Lines 8–9: the lines that it replaces were changed since\./);
    await picture('4-in-the-way');
    const field = editor.page.locator('.quick-input-widget input[type=text]');
    const compared = editor.parts.tab('as accepted ↔ now');
    await editor.pressIn(field, 'Enter', 'what was accepted beside what there is', compared);
    await editor.parts.diff('original').getByText('const tries = 5;').waitFor();
    await picture('5-compared');
    await editor.pressIn(field, 'Escape', 'the list closes', gone(field));
    await editor.openFile('src/client.ts', 8);
    await hasLine('const tries = 50;');
    await editor.parts.pressInEditor('Control+Z', 'the change is undone', line('const tries = 5;'));
    await editor.click(button('Take back from client.ts'), 'the lines as they were', line('const tries = 3;'));
    await editor.saves(join(desk().sample.folder, 'src/client.ts'), original);
  });

  it('goes for several files through their list, and back by the command', async () => {
    await ask(several);
    await editor.click(button('Apply all (2 files)'), 'the review', button('In review').last());
    await editor.parts.proposals('limits.ts').waitFor();
    await picture('6-proposed');
    await editor.runCommand('Perigee: Accept All Files');
    await row().getByText('Applied to client.ts and 1 more').waitFor();
    await applies('Applied', 'Applied');
    assert.equal(await disk('src/limits.ts'), 'export const most = 10;\n');
    assert.equal(await disk('src/client.ts'), original.replace(OLD, NEW));
    await picture('7-several');
    await editor.runCommand('Perigee: Take Back Applied Changes…');
    await editor.parts.picks('Answer in “Be more patient”').first().waitFor();
    await picture('8-choose');
    await editor.parts.pick('Answer in “Be more patient”');
    await row().getByText('Taken back from client.ts and 1 more').waitFor();
    assert.equal(await disk('src/client.ts'), original);
    await assert.rejects(disk('src/limits.ts'));
  });
});
