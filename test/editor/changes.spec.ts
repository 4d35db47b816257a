import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { BUSY_GUESTS, block } from './answers.ts';
import { type Backend, startBackend } from './backend.ts';
import { root } from './fetch.ts';
import { makeSample } from './sample.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

const OLD = 'const tries = 3;\nconst baseMs = 100;\n';
const NEW = 'const tries = 5;\nconst baseMs = 250;\n';
const one = `More patience:\n\n${block('src/client.ts', OLD, NEW)}Then run it:\n\n\`\`\`sh\nnpm test\n\`\`\`\n`;
const several = `${block('src/client.ts', OLD, NEW)}${block('src/limits.ts', '', 'export const most = 10;\n')}`;

describe('what the chat proposes, applied and taken back in a real editor', () => {
  const out = join(root, 'out/changes');
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
    original = await disk('src/client.ts');
    editor = await openWorkbench({
      folder: sample.folder,
      viewport: { width: 1200, height: 800 },
      settings: {
        'perigee.serverUrl': backend.url,
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

  const disk = (path: string) => readFile(join(sample.folder, path), 'utf8');
  const chat = () => editor.webview();
  const code = () => chat().locator('.code');
  const row = () => chat().locator('.checkpoints li').last();
  const button = (name: string | RegExp) => chat().getByRole('button', { name });
  const picture = (name: string) => editor.page.screenshot({ path: join(out, `${name}.png`) });
  const hasLine = (text: string) => editor.parts.shows(text);

  async function ask(answer: string): Promise<void> {
    await editor.runCommand('Perigee: New Chat');
    await chat().getByRole('heading', { name: 'New chat' }).waitFor();
    upstream.script({ pieces: answer.split(/(?<=\n)/) });
    const composer = chat().getByLabel('Message', { exact: true }).getByRole('textbox');
    await composer.fill('Be more patient');
    await composer.press('Enter');
    const ended = chat().getByRole('article', { name: 'Answer' }).and(chat().locator('[aria-busy="false"]'));
    await ended.last().waitFor();
  }

  it('goes from a code block into the editor, and back from under its answer', async () => {
    await editor.openFile('src/client.ts', 8);
    await ask(one);
    assert.deepEqual(await code().locator('.apply').allInnerTexts(), ['Apply']);
    await picture('1-answered');
    await button('Apply: client.ts').click();
    await button('In review: client.ts').waitFor();
    await editor.parts.lenses('hunk 1 of').first().waitFor();
    await hasLine('const tries = 5;');
    assert.equal(await disk('src/client.ts'), original, 'nothing is saved');
    await picture('2-review');
    await editor.runCommand('Perigee: Accept All Hunks');
    await button('Applied: client.ts').waitFor();
    assert.match(await row().innerText(), /^Applied to client\.ts · just now · Take back$/);
    await picture('3-applied');

    await button('Take back from client.ts').click();
    await button('Apply again to client.ts').waitFor();
    await hasLine('const tries = 3;');
    await button('Apply: client.ts').waitFor();
    await button('Apply again to client.ts').click();
    await button('Take back from client.ts').waitFor();
    await hasLine('const tries = 5;');
    await editor.save();
  });

  it('is not taken back over what was changed since, but shown, also after a reload', async () => {
    await editor.reload();
    await editor.openFile('src/client.ts', 8);
    await editor.runCommand('Perigee: Open Chat');
    await button('Take back from client.ts').waitFor();
    await button('Applied: client.ts').waitFor();
    await editor.openFile('src/client.ts', 8);
    await editor.parts.typeAt(8, 16, '0');
    await hasLine('const tries = 50;');
    await button('Take back from client.ts').click();
    const stale = editor.parts.picks('client.ts').first();
    await stale.waitFor();
    assert.match(await stale.innerText(), /Lines 8–9: the lines that it replaces were changed since\./);
    await picture('4-in-the-way');
    await editor.page.keyboard.press('Enter');
    await editor.page.locator('.tab.active', { hasText: 'as accepted ↔ now' }).waitFor();
    await editor.parts.diff('original').getByText('const tries = 5;').waitFor();
    await picture('5-compared');
    await editor.page.locator('.quick-input-widget input[type=text]').press('Escape');
    await editor.openFile('src/client.ts', 8);
    await hasLine('const tries = 50;');
    await editor.page.keyboard.press('Control+Z');
    await hasLine('const tries = 5;');
    await button('Take back from client.ts').click();
    await hasLine('const tries = 3;');
    await editor.save();
    assert.equal(await disk('src/client.ts'), original);
  });

  it('goes for several files through their list, and back by the command', async () => {
    await ask(several);
    await button('Apply all (2 files)').click();
    await button('In review').last().waitFor();
    await editor.parts.proposals('limits.ts').waitFor();
    await picture('6-proposed');
    await editor.runCommand('Perigee: Accept All Files');
    await row().getByText('Applied to client.ts and 1 more').waitFor();
    assert.deepEqual(await code().locator('.apply').allInnerTexts(), ['Applied', 'Applied']);
    assert.equal(await disk('src/limits.ts'), 'export const most = 10;\n');
    assert.equal(await disk('src/client.ts'), original.replace(OLD, NEW));
    await picture('7-several');
    await editor.runCommand('Perigee: Take Back Applied Changes…');
    await editor.parts.picks('Answer in “Be more patient”').first().waitFor();
    await picture('8-choose');
    await editor.page.keyboard.press('Enter');
    await row().getByText('Taken back from client.ts and 1 more').waitFor();
    assert.equal(await disk('src/client.ts'), original);
    await assert.rejects(disk('src/limits.ts'));
  });
});
