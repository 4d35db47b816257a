import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { BUSY_GUESTS } from './answers.ts';
import { type Backend, startBackend } from './backend.ts';
import { root } from './fetch.ts';
import { makeSample } from './sample.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

/** Lines 12 to 25 of src/client.ts, rewritten in two places. */
const rewritten = `export async function fetchOrder(id: string, send: Send): Promise<Order> {
  for (let i = 0; i < tries; i++) {
    try {
      return await send(\`/orders/\${id}\`);
    } catch (error) {
      if (i === tries - 1) throw new Error(\`order \${id} not fetched\`, { cause: error });
      await new Promise((done) => setTimeout(done, waitMs(i)));
    }
  }
  throw new Error(\`order \${id} not fetched\`);
}

export function waitMs(attempt: number): number {
  return Math.min(2 ** attempt * baseMs, 10_000);
}`;
const pieces = ['```typescript\n', ...rewritten.split('\n').map((line) => `${line}\n`), '```\n'];

describe('Edit Selection in a real editor, by keyboard and mouse', () => {
  const out = join(root, 'out/edit');
  let upstream: UpstreamDouble;
  let backend: Backend;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let editor: Workbench;
  let original: string;

  before(async () => {
    await mkdir(out, { recursive: true });
    const config = join(out, 'perigee.config.json');
    await writeFile(config, JSON.stringify(BUSY_GUESTS));
    upstream = await new UpstreamDouble().start();
    backend = await startBackend({ env: { UPSTREAM_URL: upstream.url, PERIGEE_CONFIG: config } });
    sample = await makeSample();
    original = await readFile(join(sample.folder, 'src/client.ts'), 'utf8');
    editor = await openWorkbench({
      folder: sample.folder,
      viewport: { width: 1100, height: 760 },
      colorTheme: 'Default Dark Modern',
      settings: {
        'perigee.serverUrl': backend.url,
        // In the browser edition on by default: the tests say themselves when a file is saved.
        'files.autoSave': 'off',
        'editor.minimap.enabled': false,
        'workbench.startupEditor': 'none',
        'typescript.validate.enable': false,
      },
    });
  });
  after(async () => {
    await editor?.close();
    await backend?.stop();
    await upstream?.stop();
    await sample?.remove();
  });
  beforeEach(async () => {
    upstream.reset();
    await editor.openFile('src/client.ts', 12);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await picture(`failed ${this.currentTest.title}`.replace(/\W+/g, '-'));
    await editor.runCommand('Notifications: Clear All Notifications');
    await editor.runCommand('File: Revert File');
    await editor.runCommand('View: Close Editor');
    await writeFile(join(sample.folder, 'src/client.ts'), original);
  });

  const page = () => editor.page;
  const lens = (text: string | RegExp) => page().locator('.codelens-decoration').filter({ hasText: text });
  const press = (...keys: string[]) =>
    keys.reduce((before, key) => before.then(() => page().keyboard.press(key)), Promise.resolve());
  const picture = (name: string) =>
    page().screenshot({ path: join(out, `${name}.png`), animations: 'disabled', caret: 'hide' });
  const shows = (text: string) => page().locator('.view-line').filter({ hasText: text }).first().waitFor();
  const hides = (text: string) =>
    page().locator('.view-line').filter({ hasText: text }).first().waitFor({ state: 'detached' });
  /** Resolves once the whole text of the document is `expected`: what is saved is compared, for the screen shows a part. */
  async function saves(expected: string): Promise<void> {
    await press('Control+S');
    await page().locator('.tab.active:not(.dirty)').waitFor();
    assert.equal(await readFile(join(sample.folder, 'src/client.ts'), 'utf8'), expected);
  }

  /** Selects lines 12 to 25 and asks for the edit, all by keyboard. */
  async function ask(request: string): Promise<void> {
    await press('Home');
    for (let line = 12; line < 25; line++) await press('Shift+ArrowDown');
    await press('Shift+End', 'Alt+Shift+E');
    const input = page().locator('.quick-input-widget input[type=text]');
    await input.waitFor();
    await page().getByText('Edit lines 12–25 of client.ts').waitFor();
    await page().keyboard.type(request);
    await page().locator('.quick-input-list').getByText(request, { exact: true }).first().waitFor();
    await press('Enter');
  }

  const edited = () => original.replace(original.split('\n').slice(11, 25).join('\n'), rewritten);

  it('shows what is written while it comes, and reviews it by keys', async () => {
    const call = upstream.script({ pieces, gateAt: 8 });
    await ask('Wait between the tries');
    await lens('Perigee: writing…').waitFor();
    await shows('setTimeout(done');
    await picture('writing-dark');
    call.open();
    await lens('Perigee: hunk 1 of 2').waitFor();
    await lens('Perigee: hunk 2 of 2').waitFor();
    await picture('review-dark');
    await editor.runCommand('Preferences: Toggle between Light/Dark Themes');
    await page().locator('.monaco-workbench.vs').waitFor();
    await picture('review-light');
    await editor.runCommand('Preferences: Toggle between Light/Dark Themes');
    await page().locator('.monaco-workbench.vs-dark').waitFor();

    // The cursor is above: the first hunk is meant, then the next.
    await press('Alt+Shift+Y');
    await lens('Perigee: hunk 1 of 2').waitFor({ state: 'detached' });
    await press('Alt+Shift+N');
    await hides('Math.min');
    await saves(edited().replace('Math.min(2 ** attempt * baseMs, 10_000)', '2 ** attempt * baseMs'));
  });

  it('reviews by mouse; what was removed is shown beside; one undo takes all of it back', async () => {
    upstream.script({ pieces });
    await ask('Wait between the tries');
    await lens('Perigee: hunk 2 of 2').waitFor();
    await page().locator('.codelens-decoration a').filter({ hasText: 'Show removed (1)' }).first().click();
    await page().getByText('client.ts: before Perigee ↔ now').first().waitFor();
    await page()
      .locator('.monaco-diff-editor .view-lines')
      .filter({ hasText: 'if (i < tries) throw' })
      .first()
      .waitFor();
    await picture('removed-dark');
    await editor.runCommand('View: Close Editor');
    await lens('Perigee: hunk 2 of 2').waitFor();
    await page().locator('.codelens-decoration a').filter({ hasText: 'Reject' }).first().click();
    await lens('Perigee: hunk 1 of 2').waitFor({ state: 'detached' });
    await press('Control+Z');
    await lens('Perigee: hunk 1 of 2').waitFor();
    await press('Control+Z');
    await lens('Perigee: hunk').first().waitFor({ state: 'detached' });
    await saves(original);
  });

  it('stops by Escape, restores the file, and keeps the request for another time', async () => {
    upstream.script({ pieces, gateAt: 8 });
    await ask('Wait between the tries, please');
    await shows('setTimeout(done');
    await press('Escape');
    await editor.notification('Stopped; nothing changed.');
    await picture('stopped-dark');
    await press('Escape');
    await editor.openFile('src/client.ts', 12);
    await saves(original);
    await page().keyboard.press('Alt+Shift+E');
    await page().locator('.quick-input-list').getByText('Wait between the tries, please').waitFor();
    await press('Escape');
  });

  it('restores the file when the model service dies, says so, and tries again', async () => {
    const call = upstream.script({ pieces: pieces.slice(0, 8), end: 'destroy' });
    const again = upstream.script({ pieces });
    await ask('Wait between the tries');
    await call.ended;
    const told = await editor.notification('Not charged.');
    await picture('failed-dark');
    await shows('if (i < tries) throw');
    await told.getByRole('button', { name: 'Retry' }).click();
    await again.ended;
    await lens('Perigee: hunk 2 of 2').waitFor();
    await editor.runCommand('Perigee: Accept All Hunks');
    await lens('Perigee: hunk').first().waitFor({ state: 'detached' });
    await saves(edited());
    await writeFile(join(sample.folder, 'src/client.ts'), original);
  });
});
