import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Backend, startBackend } from '../backend.ts';
import { root } from '../fetch.ts';
import { temporaryFolder } from '../processes.ts';
import { makeSample } from '../sample.ts';
import { openWorkbench, type Workbench } from '../workbench.ts';

const run = promisify(execFile);

describe('the package', () => {
  let folder: string;
  let vsix: string;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let backend: Backend;
  let editor: Workbench;

  before(async () => {
    folder = await temporaryFolder('perigee-package-');
    vsix = join(folder, 'perigee.vsix');
    // What `npm run package` does, on the build that is there.
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const [, options = ''] = /vsce (package .*) -o/.exec(scripts.package) ?? [];
    const vsce = join(root, 'node_modules/@vscode/vsce/vsce');
    await run(process.execPath, [vsce, ...options.split(' '), '-o', vsix], { cwd: root });
    sample = await makeSample();
    backend = await startBackend();
  });
  after(async () => {
    await editor?.close();
    await backend?.stop();
    await sample?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('is smaller than 500 KB', async () => {
    const { size } = await stat(vsix);
    assert.ok(size < 500_000, `it has ${size} bytes`);
  });

  it('installs into a clean editor and answers there', async () => {
    editor = await openWorkbench({
      folder: sample.folder,
      extensionPath: null,
      vsix: [vsix],
      settings: { 'perigee.serverUrl': backend.url },
    });
    await editor.statusBarItem('Perigee').waitFor();
    await editor.chat.open();
    await editor.chat.ask('Hello', 'Demo model.');
    await editor.statusBarItem('9 of 10 messages').waitFor();
  });
});
