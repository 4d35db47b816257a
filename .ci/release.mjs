// `npm run release [-- FOLDER]`: what a release consists of, in out/release/ or in FOLDER, which is new or empty: the extension
// as a VSIX, the server as an archive that npm can install, what changed, and the checksums of all of them.
// `--if-changed`: takes from dist/ what is built of these sources, for the tests; a release is built anew, whatever is in dist/.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Holds nothing but the newest release, so each release replaces it. */
const OWN_FOLDER = join(ROOT, 'out/release');

/** The changelog's part of a version, without its title. Throws where there is none, or nothing in it. */
export function changesOf(changelog, version) {
  const part = changelog.split(/^## /m).find((section) => section.split(/\s/, 1)[0] === version);
  const text = part?.slice(part.indexOf('\n')).trim();
  if (!text) throw new Error(`CHANGELOG.md says nothing of ${version}: write what changed under "## ${version}"`);
  return `${text}\n`;
}

/** Why a release can't be made, in one line that says what to do. */
class Misused extends Error {}

function readArguments(args) {
  let parsed;
  try {
    parsed = parseArgs({ args, allowPositionals: true, options: { 'if-changed': { type: 'boolean' } } });
  } catch (error) {
    throw new Misused(error.message.split('. ')[0]);
  }
  const { values, positionals } = parsed;
  if (positionals.length > 1) throw new Misused(`it takes one folder, not ${positionals.length}`);
  if (positionals[0] === '') throw new Misused('the name of the folder is empty');
  const folder = positionals[0] === undefined ? OWN_FOLDER : resolve(positionals[0]);
  return { folder, ifChanged: values['if-changed'] === true };
}

/** Deletes nothing but an earlier release in the release's own folder. */
function prepareFolder(folder) {
  if (folder === OWN_FOLDER) rmSync(folder, { recursive: true, force: true });
  const there = statSync(folder, { throwIfNoEntry: false });
  if (there && !there.isDirectory()) throw new Misused(`${folder} is no folder. Name another one`);
  if (there && readdirSync(folder).length > 0)
    throw new Misused(`${folder} is not empty. Name a new folder, or empty it`);
  mkdirSync(folder, { recursive: true });
}

function release({ folder, ifChanged }) {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const changes = changesOf(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8'), version);
  const vsix = `perigee-${version}.vsix`;
  const run = (command, ...args) => {
    const options = { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' };
    execFileSync(command, args, options);
  };
  prepareFolder(folder);
  run('node', 'esbuild.config.mjs', '--quiet', ...(ifChanged ? ['--if-changed'] : []));
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
  try {
    const wanted = readArguments(process.argv.slice(2));
    for (const file of release(wanted)) console.log(join(wanted.folder, file));
  } catch (error) {
    if (!(error instanceof Misused)) throw error;
    console.error(`npm run release: ${error.message}.`);
    process.exitCode = 2;
  }
}
