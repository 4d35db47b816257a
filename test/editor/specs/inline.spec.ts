import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UpstreamDouble } from '../../doubles/upstream.ts';
import { root } from '../fetch.ts';
import { none, once } from '../parts/deeds.ts';
import { atSharedDesk, type Desk } from '../sharedDesk.ts';
import type { Workbench } from '../workbench.ts';

/** Lines 23 to 25 of src/client.ts, rewritten, and once more. */
const capped = [
  'export function waitMs(attempt: number): number {',
  '  return Math.min(2 ** attempt * baseMs, 10_000);',
  '}',
];
const named = [capped[0]!, '  const longest = 10_000;', '  return Math.min(2 ** attempt * baseMs, longest);', '}'];
const pieces = (lines: readonly string[]) => ['```typescript\n', ...lines.map((line) => `${line}\n`), '```\n'];

describe('The prompt at the selected lines, by keyboard', () => {
  const out = join(root, 'out/inline');
  const desk = atSharedDesk({ width: 1100, height: 760 });
  let upstream: UpstreamDouble;
  let sample: Desk['sample'];
  let editor: Workbench;
  let original: string;

  before(async () => {
    await mkdir(out, { recursive: true });
    ({ upstream, sample, editor } = desk());
    original = await readFile(join(sample.folder, 'src/client.ts'), 'utf8');
    await mkdir(join(sample.folder, '.vscode'), { recursive: true });
    // The editor misses what is written into a folder that it has not seen yet.
    await editor.page.getByRole('treeitem', { name: '.vscode' }).waitFor();
    await writeFile(join(sample.folder, '.vscode/settings.json'), '{ "perigee.edit.promptInPlace": true }');
  });
  beforeEach(async () => {
    upstream.reset();
    await editor.openFile('src/client.ts', 23);
    await editor.parts.selectLines(23, 25);
    await editor.parts.prompt('Edit lines 23–25 of client.ts');
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await picture(`failed ${this.currentTest.title}`.replace(/\W+/g, '-'));
    await editor.runCommand('Notifications: Clear All Notifications');
    await editor.runCommand('View: Revert and Close Editor');
    await writeFile(join(sample.folder, 'src/client.ts'), original);
  });

  const lens = (text: string) => editor.parts.lenses(text);
  const picture = (name: string) =>
    editor.page.screenshot({ path: join(out, `${name}.png`), animations: 'disabled', caret: 'hide' });
  const told = (text: string) => editor.parts.thread.getByText(text);
  const edited = (lines: readonly string[]) =>
    original.replace(original.split('\n').slice(22, 25).join('\n'), lines.join('\n'));
  const saves = (text: string) => editor.saves(join(sample.folder, 'src/client.ts'), text);
  const sent = () => String(upstream.bill.at(-1)!.body.messages!.at(-1)!.content);

  it('takes several lines and a file with @, changes the proposal further, and accepts all of it', async () => {
    const { parts } = editor;
    await parts.typePrompt('Cap the wait\n\nThe style is that of @tot');
    const offer = editor.page.locator('.suggest-widget .monaco-list-row').filter({ hasText: 'totals.py' });
    await offer.waitFor();
    await picture('prompt-dark');
    await editor.pressIn(parts.promptInput, 'Enter', 'the file is named', parts.promptText('@src/totals.py'));
    upstream.script({ pieces: pieces(capped) });
    await parts.sendPrompt(lens('Perigee: hunk 1 of 1'));
    await told('1 hunk to review. Charged 1 message.').waitFor();
    assert.match(sent(), /Instruction: Cap the wait\n\nThe style is that of @src\/totals\.py/);
    assert.ok(sent().includes(await readFile(join(sample.folder, 'src/totals.py'), 'utf8')));
    await picture('review-dark');
    await editor.runCommand('Preferences: Toggle between Light/Dark Themes');
    await editor.page.locator('.monaco-workbench.vs').waitFor();
    await picture('review-light');
    await editor.runCommand('Preferences: Toggle between Light/Dark Themes');

    await parts.pressInEditor('Alt+Shift+E', 'the input has the keys again', parts.promptFocus);
    await parts.typePrompt('now also name the limit');
    upstream.script({ pieces: pieces(named) });
    await parts.sendPrompt(told('now also name the limit'));
    await parts.shows('const longest');
    await lens('Perigee: hunk').first().waitFor();
    assert.match(sent(), /already follows; keep to them:\n1\. Cap the wait/);
    assert.ok(sent().includes(capped[1]!));
    await picture('further-dark');
    await parts.pressInEditor('Alt+Shift+Enter', 'all is accepted', none(lens('Perigee: hunk')));
    await saves(edited(named));
  });

  it('asks the same again', async () => {
    await editor.parts.typePrompt('Cap the wait');
    upstream.script({ pieces: pieces(named) });
    await editor.parts.sendPrompt(lens('Perigee: hunk'));
    await told('to review').waitFor();
    const first = sent();
    upstream.script({ pieces: pieces(capped) });
    const again = editor.parts.thread.getByRole('button', { name: 'Regenerate' }).first();
    await editor.click(again, 'the other proposal', editor.page.locator('.view-line').filter({ hasText: '10_000)' }));
    await lens('Perigee: hunk 1 of 1').waitFor();
    assert.equal(sent(), first);
    await editor.parts.pressInEditor('Control+Z', 'the proposal is undone', none(lens('Perigee: hunk 1 of 1')));
  });

  it('keeps what was typed when it is closed, and when the model service fails, which it says in its place', async () => {
    const { parts } = editor;
    await parts.typePrompt('Cap the\nwait');
    await editor.pressIn(parts.promptInput, 'Escape', 'the prompt closes', none(parts.thread), once);
    await parts.prompt('Edit lines 23–25 of client.ts');
    await parts.promptText('Cap the').waitFor();
    upstream.script({ pieces: pieces(capped).slice(0, 2), end: 'destroy' });
    await parts.sendPrompt(told('Not charged.'));
    await parts.promptText('Cap the').waitFor();
    await picture('failed-dark');
    await saves(original);
    await editor.pressIn(
      parts.promptInput,
      'Escape',
      'the prompt folds',
      none(parts.thread.locator('visible=true')),
      once,
    );
  });
});
