// Packages as they are published, fetched by npm and kept beside the editor that tests use.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../editor/fetch.ts';

const run = promisify(execFile);

/** The sources of a package: text by path. */
export type Published = Map<string, string>;

const IS_SOURCE = /\.(?:[cm]?[jt]sx?|svelte|vue|css|json|md)$/;
/** What a package holds beside its sources: builds, and its own description. */
const NOT_SOURCES: Record<string, RegExp> = {
  viem: /^(?:_cjs|_esm|_types)\/|(?:^|\/)(?:package\.json|CHANGELOG\.md)$/,
  svelte: /^(?:compiler|types)\/|^package\.json$/,
};
const NEVER = /^(?:package\.json|CHANGELOG\.md|Changelog\.md|README\.md)$|^dist\/|\.map$/;

/** The sources of a package's release. Fetches its archive at first use. */
export async function publishedFiles(name: string, version: string): Promise<Published> {
  const archive = await fetched(name, version);
  const work = await mkdtemp(join(tmpdir(), 'perigee-package-'));
  try {
    await run('tar', ['-xzf', archive, '-C', work]);
    const inside = (await readdir(work, { withFileTypes: true })).find((entry) => entry.isDirectory())!;
    return await sourcesIn(join(work, inside.name), name);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function sourcesIn(folder: string, name: string): Promise<Published> {
  const found: Published = new Map();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(folder.length + 1);
    if (!entry.isFile() || !IS_SOURCE.test(path) || NEVER.test(path) || NOT_SOURCES[name]?.test(path)) continue;
    found.set(path, await readFile(join(folder, path), 'utf8'));
  }
  return found;
}

/** The archive alone is kept: thousands of files in the repository's folder would slow down all that looks through it. */
async function fetched(name: string, version: string): Promise<string> {
  const store = join(root, '.vscode-test/packages');
  const archive = join(store, `${name.replaceAll('/', '+')}@${version}.tgz`);
  if (existsSync(archive)) return archive;
  await mkdir(store, { recursive: true });
  const work = await mkdtemp(join(store, 'fetch-'));
  try {
    await run('npm', ['pack', '--silent', '--ignore-scripts', `${name}@${version}`, '--pack-destination', work]);
    const [packed] = await readdir(work);
    await rename(join(work, packed!), archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return archive;
}
