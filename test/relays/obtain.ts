// Fetches real proxies into out/relays, each once: packages of npm, and those of Debian without root. What a system has on
// its PATH is taken from there.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../editor/fetch.ts';

const run = promisify(execFile);
const CACHE = join(root, 'out/relays');

/** A proxy that can't be had here. */
export class Absent extends Error {}

const absent = (what: string) => (error: Error) => {
  throw new Absent(`${what} can't be had: ${error.message.split('\n').slice(0, 2).join(' ').slice(0, 300)}`);
};

/** A program, and what it needs in its environment. */
export interface Program {
  path: string;
  env: Record<string, string>;
  /** The folder of its other files, such as `usr/share`; empty for that of the system. */
  files: string;
}

/**
 * The folder `node_modules` with this package. No script of a package runs. Rejects with `Absent` if it can't be had, and
 * with another error if the package is not the one of this `integrity`. `overrides`: versions of what it depends on.
 */
export async function fromNpm(
  name: string,
  version: string,
  { integrity, overrides = {} }: { integrity?: string; overrides?: Record<string, string> } = {},
): Promise<string> {
  const parts = [[name, version], ...Object.entries(overrides)].map(([part, of]) => `${part!.replace('/', '-')}-${of}`);
  const folder = join(CACHE, parts.join('+'));
  const modules = join(folder, 'node_modules');
  // npm writes this file last.
  const lock = join(modules, '.package-lock.json');
  if (!existsSync(lock)) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }));
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', ...flags, `${name}@${version}`], { cwd: folder }).catch(absent(name));
  }
  const { packages } = JSON.parse(await readFile(lock, 'utf8')) as { packages: Record<string, { integrity?: string }> };
  const had = packages[`node_modules/${name}`]?.integrity;
  if (integrity !== undefined && had !== integrity) throw new Error(`${name}@${version} is another: ${had}`);
  return modules;
}

/**
 * A program of the system, or of these packages of Debian with the libraries that are not on the system. Rejects with
 * `Absent`.
 */
export async function fromDebian(program: string, packages: readonly string[]): Promise<Program> {
  const path = await onPath(program);
  if (path) return { path, env: {}, files: '' };
  const folder = join(CACHE, `debian-${program}`);
  const files = join(folder, 'files');
  if (!existsSync(files)) {
    await mkdir(folder, { recursive: true });
    await run('apt-get', ['download', ...packages], { cwd: folder }).catch(absent(program));
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.deb')))
      await run('dpkg', ['-x', name, files], { cwd: folder }).catch(absent(program));
  }
  const found = ['usr/sbin', 'usr/bin'].map((bin) => join(files, bin, program)).find((at) => existsSync(at));
  if (!found) throw new Absent(`${packages[0]} has no ${program}`);
  const libraries = await readdir(join(files, 'usr/lib')).catch(() => []);
  const paths = libraries.map((name) => join(files, 'usr/lib', name));
  return { path: found, env: { LD_LIBRARY_PATH: paths.join(delimiter) }, files };
}

async function onPath(program: string): Promise<string | null> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return [...folders, '/usr/sbin'].map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null;
}
