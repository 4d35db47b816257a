// `npm run test:desktop [-- name…]`: the extension host suites in desktop VS Code, which @vscode/test-electron
// downloads from its maker. VSCODE_PATH names an installed one instead (the program itself, not the `code` script).
import { existsSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { tell } from './counts.ts';
import { root } from './fetch.ts';
import { temporaryFolder } from './processes.ts';
import { findSuites, setStage } from './suites.ts';
import { writeSettings } from './vscodeServer.ts';

const out = join(root, 'out/desktop', String(process.pid));

async function findVSCode(): Promise<string> {
  const named = process.env.VSCODE_PATH;
  if (named) {
    if (!existsSync(named)) throw new Error(`VSCODE_PATH names ${named}, which does not exist.`);
    return named;
  }
  try {
    return await downloadAndUnzipVSCode({ version: 'stable', cachePath: join(root, '.vscode-test') });
  } catch (error) {
    throw new Error(
      `VS Code can't be downloaded here (${(error as Error).message}). Name an installed one in VSCODE_PATH, ` +
        'or run the same suites in the browser edition: npm run test:editor',
    );
  }
}

async function main(names: string[]): Promise<number> {
  const files = await findSuites('test/extension', '.test.ts', names);
  if (files.length === 0) throw new Error(`No suite has ${names.join(' or ')} in its path.`);
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    throw new Error('Desktop VS Code needs a display: start this under xvfb-run, or use npm run test:editor.');
  }
  const vscodeExecutablePath = await findVSCode();
  process.once('exit', () => rmSync(out, { recursive: true, force: true }));
  const stage = await setStage(files, { host: 'node', out });
  // A short path, because on some systems VS Code opens a socket there whose path may have only 103 characters.
  const home = await temporaryFolder('pg-');
  try {
    await writeSettings(home, await stage.settings(), 'User');
    await runTests({
      vscodeExecutablePath,
      extensionDevelopmentPath: stage.extensionPath,
      extensionTestsPath: stage.testsPath,
      launchArgs: [stage.folder, '--user-data-dir', home, '--disable-extensions', '--disable-workspace-trust'],
    });
  } catch (error) {
    if (!stage.counts()) throw error;
  } finally {
    await stage.strike();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
  const counts = stage.counts();
  if (!counts) throw new Error('The suites did not come to their end.');
  console.log(tell(counts));
  return counts.failed === 0 ? 0 : 1;
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
