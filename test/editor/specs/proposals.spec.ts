import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderDeletion, renderMove } from '../../../server/gateway/upstreams/demo/demoBlocks.ts';
import { block } from '../parts/answers.ts';
import { all, gone, once } from '../parts/deeds.ts';
import { tooEarly } from '../sampleEdit.ts';
import { atSharedDesk } from '../sharedDesk.ts';
import type { Workbench } from '../workbench.ts';

const OLD = `  for (let i = 0; i < tries; i++) {
    try {
      return await send(\`/orders/\${id}\`);
    } catch (error) {
${tooEarly}
`;
/** Changes a file, adds one, moves one and deletes one. */
const answer = [
  block('src/client.ts', OLD, OLD.replaceAll(/\bi\b/g, 'attempt')),
  block('src/backoff.ts', '', 'export const backoff = 1;\n'),
  renderMove('README.md', 'docs/README.md'),
  renderDeletion('src/totals.py'),
].join('\n\n');

describe('proposed changes in a real editor, by keyboard and mouse', () => {
  const desk = atSharedDesk();
  let editor: Workbench;
  before(() => {
    editor = desk().editor;
  });

  const page = () => editor.page;
  const row = (name: string) => editor.parts.proposals(name);
  const pane = () => page().locator('.pane').filter({ hasText: 'Proposed Changes' });
  const disk = (path: string) => readFile(join(desk().sample.folder, path), 'utf8').catch(() => undefined);
  const until = (isSo: () => Promise<boolean>) => editor.until(`the files as expected`, isSo);

  /** Has the model change four files of the sample, and waits for the list. */
  async function propose(): Promise<void> {
    desk().upstream.script({ text: answer });
    await editor.openFile('src/client.ts', 12);
    await editor.runCommand('Perigee: Edit in Workspace');
    await editor.parts.confirmPicks('Which files');
    await editor.parts.request('What should change', 'Call it attempt, and tidy up');
    await row('backoff.ts').waitFor();
    await row('totals.py').waitFor();
    await pane().locator('.codicon-loading').waitFor({ state: 'detached' });
  }

  it('come into the list, open as diffs, are accepted at once, and one undo takes all back without a question', async () => {
    const before = {
      client: await disk('src/client.ts'),
      readme: await disk('README.md'),
      totals: await disk('src/totals.py'),
    };
    await propose();
    const focused = await page().evaluate(() => document.activeElement?.closest('.part')?.className ?? '');
    assert.match(focused, /\beditor\b/, 'the list leaves the keyboard to the editor');
    await editor.click(row('client.ts'), 'its diff', editor.parts.tab('client.ts (proposed)'));
    assert.equal(await disk('src/client.ts'), before.client);

    await editor.parts.clickViewAction('Proposed Changes', 'Accept All Files', gone(pane()));
    await until(
      async () => (await disk('docs/README.md')) !== undefined && (await disk('src/backoff.ts')) !== undefined,
    );
    await until(async () => /attempt/.test((await disk('src/client.ts'))!.split('fetchOrder')[1]!));
    await until(async () => (await disk('README.md')) === undefined && (await disk('src/totals.py')) === undefined);

    await editor.openFile('src/client.ts', 1);
    const isUndone = async () =>
      (await disk('README.md')) === before.readme && (await disk('src/totals.py')) === before.totals;
    await editor.parts.pressInEditor('Control+Z', 'the files are back', isUndone);
    await until(async () => !/attempt < tries/.test(await editor.editorText()));
    assert.equal(await editor.dialog.count(), 0, 'nothing is asked');
    await until(async () => (await disk('src/backoff.ts')) === undefined);
    await until(async () => (await disk('docs/README.md')) === undefined);
    await editor.save();
    await until(async () => (await disk('src/client.ts')) === before.client);
  });

  it('are rejected and accepted by keys in the diff, which leads from file to file', async () => {
    await propose();
    await editor.click(row('client.ts'), 'its diff', editor.parts.tab('client.ts (proposed)'));
    /** In front, with the keyboard: what is pressed before that goes nowhere. */
    const keyboard = page().locator('.monaco-diff-editor .editor.modified .monaco-editor.focused');
    const inFront = (title: string) => all(editor.parts.tab(title), keyboard);
    await editor.click(editor.parts.diff(), 'the keyboard is in the diff', inFront('client.ts (proposed)'));
    await editor.press('Alt+Shift+N', 'the next file', inFront('backoff.ts (new)'), once);
    assert.equal(await disk('src/backoff.ts'), undefined);
    await editor.press('Alt+Shift+Y', 'the next file', inFront('README.md → docs/README.md'), once);
    await until(async () => /backoff = 1/.test((await disk('src/backoff.ts')) ?? ''));
    await editor.press('Alt+Shift+Backspace', 'the list goes', gone(pane()), once);
    assert.notEqual(await disk('README.md'), undefined);
    assert.notEqual(await disk('src/totals.py'), undefined);
  });
});
