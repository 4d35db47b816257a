import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, startBackend } from './backend.ts';
import { root } from './fetch.ts';
import { makeSample } from './sample.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

const INSTRUCTION =
  'rename i to attempt; new file src/backoff.ts: export const backoff = 1; move README.md to docs/README.md; delete src/totals.py';

describe('proposed changes in a real editor, by keyboard and mouse', () => {
  let backend: Backend;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let editor: Workbench;
  before(async () => {
    await mkdir(join(root, 'out'), { recursive: true });
    backend = await startBackend();
    sample = await makeSample();
    editor = await openWorkbench({
      folder: sample.folder,
      settings: { 'perigee.serverUrl': backend.url, 'files.autoSave': 'off', 'editor.minimap.enabled': false },
    });
  });
  after(async () => {
    await editor?.close();
    await backend?.stop();
    await sample?.remove();
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    await editor.page.screenshot({ path: join(root, 'out/proposals-failed.png') });
  });

  const page = () => editor.page;
  const row = (name: string) => page().locator('.pane-body .monaco-list-row').filter({ hasText: name }).first();
  const pane = () => page().locator('.pane').filter({ hasText: 'Proposed Changes' });
  const disk = (path: string) => readFile(join(sample.folder, path), 'utf8').catch(() => undefined);
  async function until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await page().waitForTimeout(50);
  }

  /** Has the demo model change four files of the sample, and waits for the list. */
  async function propose(): Promise<void> {
    await editor.openFile('src/client.ts', 12);
    await editor.runCommand('Perigee: Edit in Workspace');
    const widget = page().locator('.quick-input-widget');
    await widget.getByText('Which files?').or(widget.locator('input[placeholder^="Which files"]')).first().waitFor();
    await page().keyboard.press('Enter');
    await widget.locator('input[placeholder^="What should change"]').waitFor();
    await page().keyboard.type(INSTRUCTION);
    await page().keyboard.press('Enter');
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
    await row('client.ts').click();
    await page().locator('.tab.active', { hasText: 'client.ts (proposed)' }).waitFor();
    assert.equal(await disk('src/client.ts'), before.client);

    await pane().locator('.pane-header').hover();
    await pane().getByRole('button', { name: 'Accept All Files' }).first().click();
    await until(
      async () => (await disk('docs/README.md')) !== undefined && (await disk('src/backoff.ts')) !== undefined,
    );
    await until(async () => /attempt/.test((await disk('src/client.ts'))!.split('fetchOrder')[1]!));
    await until(async () => (await disk('README.md')) === undefined && (await disk('src/totals.py')) === undefined);
    await pane().waitFor({ state: 'detached' });

    await editor.openFile('src/client.ts', 1);
    await page().keyboard.press('Control+Z');
    await until(
      async () => (await disk('README.md')) === before.readme && (await disk('src/totals.py')) === before.totals,
    );
    await until(async () => !/attempt < tries/.test(await editor.editorText()));
    assert.equal(await page().locator('.monaco-dialog-box').count(), 0, 'nothing is asked');
    assert.equal(await disk('src/backoff.ts'), undefined);
    assert.equal(await disk('docs/README.md'), undefined);
    await editor.save();
    await until(async () => (await disk('src/client.ts')) === before.client);
  });

  it('are rejected and accepted by keys in the diff, which leads from file to file', async () => {
    await propose();
    await row('client.ts').click();
    /** In front, with the keyboard: what is pressed before that goes nowhere. */
    const inFront = async (title: string) => {
      await page().locator('.tab.active', { hasText: title }).waitFor();
      await page().locator('.monaco-diff-editor .editor.modified .monaco-editor.focused').waitFor();
    };
    await page().locator('.tab.active', { hasText: 'client.ts (proposed)' }).waitFor();
    await page().locator('.monaco-diff-editor .editor.modified .view-lines').click();
    await inFront('client.ts (proposed)');
    await page().keyboard.press('Alt+Shift+N');
    await inFront('backoff.ts (new)');
    assert.equal(await disk('src/backoff.ts'), undefined);
    await page().keyboard.press('Alt+Shift+Y');
    await inFront('README.md → docs/README.md');
    assert.match((await disk('src/backoff.ts'))!, /backoff = 1/);
    await page().keyboard.press('Alt+Shift+Backspace');
    await pane().waitFor({ state: 'detached' });
    assert.notEqual(await disk('README.md'), undefined);
    assert.notEqual(await disk('src/totals.py'), undefined);
  });
});
