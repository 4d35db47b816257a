// `npm run release [-- FOLDER]`: what a release consists of, in out/release/ or that folder: the extension as a VSIX, the
// server as an archive that npm can install, what changed, and the checksums of all of them.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The changelog's part of a version, without its title. Throws where there is none, or nothing in it. */
export function changesOf(changelog, version) {
  const part = changelog.split(/^## /m).find((section) => section.split(/\s/, 1)[0] === version);
  const text = part?.slice(part.indexOf('\n')).trim();
  if (!text) throw new Error(`CHANGELOG.md says nothing of ${version}: write what changed under "## ${version}"`);
  return `${text}\n`;
}

export function release(folder) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const changes = changesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version);
  const vsix = `perigee-${version}.vsix`;
  const run = (command, ...args) => {
    const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' };
    execFileSync(command, args, options);
  };
  run('node', 'esbuild.config.mjs', '--if-changed', '--quiet');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const readme = ['--readme-path', 'extension/README.md'];
  run('npx', 'vsce', 'package', '--no-dependencies', '--allow-missing-repository', ...readme, '-o', join(folder, vsix));
  run('npm', 'pack', './dist/server', '--silent', '--pack-destination', folder);
  writeFileSync(join(folder, 'CHANGES.md'), changes);
  const files = ['CHANGES.md', `perigee-server-${version}.tgz`, vsix];
  const sumOf = (file) =>
    createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
  const sums = files.map((file) => `${sumOf(file)}  ${file}\n`);
  // As `sha256sum --check` reads it.
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
  return [...files, 'SHA256SUMS'];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = resolve(process.argv[2] ?? 'out/release');
  for (const file of release(folder)) console.log(join(folder, file));
}
