// One editor, with a backend and a model service's double, for all suites that need none of their own: to start one takes
// longer than most of them.
//
//     const desk = atSharedDesk({ width: 1200, height: 800 });
//     it('…', async () => { await desk().editor.chat.ask('Hello', 'Hi.'); });
//
// A suite finds the sample as it was made, no open file, no message of the editor, and the explorer in the side bar. It
// may reload or kill what it has here, but must not leave it killed. After a suite that failed, the next gets a new desk.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { type Backend, startBackend } from './backend.ts';
import { root } from './fetch.ts';
import { BUSY_GUESTS } from './parts/answers.ts';
import { all, none } from './parts/deeds.ts';
import { makeSample } from './sample.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

const run = promisify(execFile);

export interface Desk {
  upstream: UpstreamDouble;
  backend: Backend;
  sample: Awaited<ReturnType<typeof makeSample>>;
  editor: Workbench;
}

const settings = {
  // The box at the top asks for edits, but where a suite turns it off for the folder.
  'perigee.edit.promptInPlace': false,
  // In the browser edition on by default: the tests say themselves when a file is saved.
  'files.autoSave': 'off',
  'editor.formatOnSave': true,
  // What is typed here is what stands there.
  'editor.autoClosingBrackets': 'never',
  'editor.autoIndent': 'none',
  'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
  'editor.suggestOnTriggerCharacters': false,
  'editor.parameterHints.enabled': false,
  'editor.minimap.enabled': false,
};

let shared: Promise<Desk> | undefined;

async function open(): Promise<Desk> {
  const out = join(root, 'out/editor');
  await mkdir(out, { recursive: true });
  const config = join(out, `desk-${process.pid}.config.json`);
  await writeFile(config, JSON.stringify(BUSY_GUESTS));
  const [upstream, sample] = await Promise.all([new UpstreamDouble().start(), makeSample()]);
  const backend = await startBackend({ env: { UPSTREAM_URL: upstream.url, PERIGEE_CONFIG: config } });
  const editor = await openWorkbench({
    folder: sample.folder,
    settings: { 'perigee.serverUrl': backend.url, ...settings },
  });
  const desk = { upstream, backend, sample, editor };
  await editor.chat.start();
  await editor.statusBarItem('100 of 100 messages').waitFor();
  await editor.chat.close();
  return desk;
}

async function close(): Promise<void> {
  const desk = await shared?.catch(() => undefined);
  shared = undefined;
  await desk?.editor.close();
  await desk?.backend.stop();
  await desk?.upstream.stop();
  await desk?.sample.remove();
}

async function tidy({ upstream, sample, editor }: Desk): Promise<void> {
  upstream.reset();
  const unsaved = editor.dialog.getByRole('button', { name: "Don't Save" });
  await editor.deeds.until({
    deed: 'close all files',
    effect: 'no file is open',
    shows: all(none(editor.page.locator('.tab')), none(editor.dialog)),
    act: async (timeout) => {
      if (!(await unsaved.isVisible())) await editor.runCommand('View: Close All Editors');
      if (await unsaved.isVisible()) await unsaved.click({ timeout });
    },
  });
  await editor.runCommand('Notifications: Clear All Notifications');
  await editor.chat.close();
  await run('git', ['reset', '--quiet', '--hard'], { cwd: sample.folder });
  await run('git', ['clean', '--quiet', '-d', '--force'], { cwd: sample.folder });
}

const told = (error: Error) => console.log(`      (the shared editor is closed: ${error.message})`);

/** Call it in a suite. It returns the desk, once the suite has begun. `viewport` is in CSS pixels. */
export function atSharedDesk(viewport = { width: 1280, height: 800 }): () => Desk {
  let desk: Desk;
  let hasFailed = false;
  before(async () => {
    shared ??= open();
    desk = await shared;
    await desk.editor.page.setViewportSize(viewport);
  });
  afterEach(function () {
    hasFailed ||= this.currentTest?.state === 'failed';
  });
  after(async () => {
    const isTidy = desk && !hasFailed && (await tidy(desk).then(() => true, told));
    if (!isTidy) await close();
  });
  return () => desk;
}

// A root hook of every run that loads this file.
after(close);
