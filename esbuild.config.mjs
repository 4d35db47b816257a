// Builds everything that ships into dist/: the extension's host code in parts, and the one file that loads them on the web; its
// web view; the server, as a folder that npm can install. `node esbuild.config.mjs [server|extension] [--watch] [--quiet]
// [--if-changed]`: with the last, only what is not there, or not of these sources.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { context, transform } from 'esbuild';

const args = process.argv.slice(2);
const watch = args.includes('--watch');
const isLazy = args.includes('--if-changed');
const only = args.find((a) => !a.startsWith('--'));
const common = {
  bundle: true,
  logLevel: args.includes('--quiet') ? 'error' : 'info',
  sourcemap: watch ? 'inline' : false,
  minify: !watch,
  legalComments: 'none',
};

/**
 * `import * as vscode` without the copy of the whole API that esbuild makes for each, some 0.4 ms at a time, and asked of
 * the host once for a file and not once for each module in it.
 */
function withOneApi(code) {
  const asked = 'require("vscode")';
  // Tried once for each word: a source map in the code is one of a million letters.
  const bare = code.replace(/(?<![\w$])[\w$]{1,40}\((require\("vscode"\))(, ?1)?\)/g, '$1');
  return bare.includes(asked) ? `var vscodeApi=${asked};${bare.replaceAll(asked, 'vscodeApi')}` : bare;
}

/**
 * Puts the parts that `entry` imports at once into it: each file of a start is looked for, read and compiled by itself,
 * some 0.5 ms each. Other parts find them through the entry, so that each is there once. `texts`: CommonJS by file name.
 */
function inOneFile(entry, texts, { outputs }) {
  const outputOf = (name) => outputs[Object.keys(outputs).find((path) => basename(path) === name)];
  const eager = new Set();
  const add = (name) => {
    for (const { path, kind } of outputOf(name).imports) {
      if (kind !== 'import-statement' || eager.has(basename(path)) || !texts.has(basename(path))) continue;
      eager.add(basename(path));
      add(basename(path));
    }
  };
  add(entry);
  const isEager = (name) => eager.has(name.slice(2));
  const asPart = (text) =>
    text.replace(/require\(("[^"]+")\)/g, (call, name) => (isEager(JSON.parse(name)) ? `part(${name})` : call));
  // In brackets, so that the function is compiled at once: it is called at once.
  const parts = [...eager].map((name) => `"./${name}":(function(module,exports){${asPart(texts.get(name))}\n})`);
  const loader = `var made={},part=(n,m=made[n])=>{m||(m=made[n]={exports:{}},parts[n](m,m.exports));return m.exports};`;
  const own = asPart(texts.get(entry));
  texts.set(entry, `var parts={${parts.join(',')}};${loader}${own}\nmodule.exports.part=part;\n`);
  for (const name of eager) texts.set(name, `module.exports=require("./${entry}").part("./${name}");\n`);
}

/**
 * Writes the host's code as CommonJS, as hosts load it fastest. esbuild splits only ECMAScript modules, so what it has
 * built is rewritten: what an `import()` names becomes a file that is read when that is called.
 */
const asCommonJs = {
  name: 'as CommonJS',
  setup(build) {
    const { outdir, minify, sourcemap, target } = build.initialOptions;
    build.onEnd(async ({ outputFiles, errors, metafile }) => {
      if (errors.length > 0) return;
      // Parts have other names when they change.
      await rm(outdir, { recursive: true, force: true });
      await mkdir(outdir, { recursive: true });
      const options = { format: 'cjs', minify, sourcemap, target, supported: { 'dynamic-import': false } };
      const texts = new Map();
      for (const { path, text } of outputFiles)
        texts.set(basename(path), withOneApi((await transform(text, options)).code));
      // A file has one source map.
      if (!sourcemap) inOneFile('extension.cjs', texts, metafile);
      for (const [name, text] of texts) await writeFile(join(outdir, name), text);
      const parts = JSON.stringify([...texts.keys()]);
      const web = await transform(await readFile('extension/web.cjs', 'utf8'), { minify, define: { PARTS: parts } });
      await mkdir('dist/web', { recursive: true });
      await writeFile('dist/web/extension.cjs', web.code);
    });
  },
};

const readJson = async (file) => JSON.parse(await readFile(file, 'utf8'));

/**
 * Makes dist/server a package of its own: `npm ci --omit=dev` in it installs what the server imports, at the versions of this
 * repository's lock file.
 */
const asPackage = {
  name: 'as a package',
  setup(build) {
    build.onEnd(async ({ metafile, errors }) => {
      if (errors.length > 0) return;
      const { outdir } = build.initialOptions;
      const { version, license, engines, allowScripts } = await readJson('package.json');
      const lock = await readJson('package-lock.json');
      const locked = (name) => lock.packages[`node_modules/${name}`];
      const paths = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
      const names = paths.filter((path) => !isBuiltin(path)).map((path) => /^(?:@[^/]+\/)?[^/]+/.exec(path)[0]);
      const imported = [...new Set(names)].sort();
      const manifest = {
        name: 'perigee-server',
        version,
        description: 'The backend of Perigee: accounts, conversations and credits in front of a model service',
        license,
        type: 'module',
        engines: { node: engines.node },
        bin: { 'perigee-server': 'main.js', 'perigee-admin': 'admin.js' },
        files: ['*.js', 'npm-shrinkwrap.json', 'web/', 'deploy/', 'perigee.config.example.json'],
        dependencies: Object.fromEntries(imported.map((name) => [name, locked(name).version])),
        allowScripts: Object.fromEntries(imported.filter((name) => allowScripts[name]).map((name) => [name, true])),
      };
      // `devOptional`: a development dependency has brought it, and a package of the server could use it or an optional
      // one of it needs it. Only the latter is of the server.
      const all = Object.entries(lock.packages).filter(([path, { dev }]) => path && !dev);
      const needed = new Set(all.flatMap(([, one]) => (one.devOptional ? [] : Object.keys(one.dependencies ?? {}))));
      const kept = all.filter(([path, one]) => !one.devOptional || needed.has(path.replace(/^node_modules\//, '')));
      const { name, bin, dependencies } = manifest;
      const root = { name, version, license, bin, engines: manifest.engines, dependencies };
      const shrinkwrap = { name, version, lockfileVersion: lock.lockfileVersion, requires: true };
      const packages = Object.fromEntries([['', root], ...kept]);
      const write = (file, value) => writeFile(join(outdir, file), `${JSON.stringify(value, null, 2)}\n`);
      await write('package.json', manifest);
      // Under this name it goes into the archive, too.
      await write('npm-shrinkwrap.json', { ...shrinkwrap, packages });
      for (const file of Object.values(bin)) await chmod(join(outdir, file), 0o755);
      for (const file of ['LICENSE', 'perigee.config.example.json']) await cp(file, join(outdir, file));
      await cp('docs/deploy', join(outdir, 'deploy'), { recursive: true });
    });
  },
};

const host = {
  ...common,
  entryPoints: ['extension/extension.ts'],
  // 'browser': no Node built-in can slip into code that also runs in the web worker extension host.
  platform: 'browser',
  target: 'es2022',
  external: ['vscode'],
  format: 'esm',
  outExtension: { '.js': '.cjs' },
  write: false,
  // A start reads what it needs.
  splitting: true,
  outdir: 'dist/node',
  metafile: true,
  plugins: [asCommonJs],
};

const targets = {
  extension: [
    host,
    {
      ...common,
      entryPoints: { chat: 'extension/chat/webview/main.tsx', math: 'extension/chat/webview/math.ts' },
      outdir: 'dist/webview',
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      loader: { '.svg': 'text' },
    },
  ],
  server: [
    {
      ...common,
      minify: false,
      entryPoints: { main: 'server/main.ts', admin: 'server/admin.ts' },
      outdir: 'dist/server',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: true,
      metafile: true,
      banner: { js: '#!/usr/bin/env node' },
      plugins: [asPackage],
    },
    {
      ...common,
      entryPoints: {
        main: 'server/web/pages/main.tsx',
        math: 'server/web/pages/math.ts',
        desk: 'server/web/desk/main.tsx',
        fairUse: 'server/web/desk/fairUse.tsx',
      },
      outdir: 'dist/server/web',
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      jsx: 'automatic',
      jsxImportSource: 'preact',
    },
  ],
};

/** All that a target is built from. */
const sources = {
  extension: ['extension', 'shared'],
  server: ['server', 'shared', 'docs/deploy', 'LICENSE', 'perigee.config.example.json'],
};
const settings = ['esbuild.config.mjs', 'package.json', 'package-lock.json'];

/** A hash of all that a target is built from. */
async function hashOf(target) {
  const hash = createHash('sha256');
  for (const source of [...sources[target], ...settings]) {
    const isFolder = (await stat(source)).isDirectory();
    const entries = isFolder ? await readdir(source, { recursive: true, withFileTypes: true }) : [];
    const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    for (const file of isFolder ? files.sort() : [source]) hash.update(`${file}\0`).update(await readFile(file));
  }
  return hash.digest('hex');
}

/** Holds the hash of what stands in dist/ of a target; missing while that is being built, and where it is watched. */
const stampOf = (target) => `dist/${target}.built`;

async function isBuilt(target, hash) {
  if (!targets[target].every(({ outdir }) => existsSync(outdir))) return false;
  return (await readFile(stampOf(target), 'utf8').catch(() => '')) === hash;
}

// Before anything is read for the build: what changes meanwhile counts as changed.
const hashes = new Map();
for (const target of only ? [only] : Object.keys(targets)) {
  const hash = await hashOf(target);
  if (!isLazy || !(await isBuilt(target, hash))) hashes.set(target, hash);
}
const builds = [...hashes.keys()].flatMap((target) => targets[target]);
// What an earlier build wrote and this one doesn't would go into the package.
for (const target of hashes.keys()) await rm(stampOf(target), { force: true });
for (const { outdir } of builds) await rm(outdir, { recursive: true, force: true });
const contexts = await Promise.all(builds.map((o) => context(o)));
for (const build of contexts) {
  // Watching goes on over an error, which esbuild has printed.
  await (watch ? build.rebuild().catch(() => {}) : build.rebuild().finally(() => build.dispose()));
}
if (!watch) for (const [target, hash] of hashes) await writeFile(stampOf(target), hash);
// Only now: what waits for the first "[watch] build finished", as F5 does, finds everything built.
if (watch) await Promise.all(contexts.map((build) => build.watch()));
