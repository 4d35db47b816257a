// Builds everything that ships into dist/: the extension's host code in parts, and the one file that loads them on the web; its
// web view; the server. `node esbuild.config.mjs [server|extension] [--watch] [--quiet]`.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { context, transform } from 'esbuild';

const args = process.argv.slice(2);
const watch = args.includes('--watch');
const only = args.find((a) => !a.startsWith('--'));
const common = {
  bundle: true,
  logLevel: args.includes('--quiet') ? 'error' : 'info',
  sourcemap: watch ? 'inline' : false,
  minify: !watch,
  legalComments: 'none',
};

/** `import * as vscode` without the copy of the whole API that esbuild makes for each, some 0.4 ms at a time. */
const uncopied = (code) => code.replace(/[\w$]+\((require\("vscode"\))(, ?1)?\)/g, '$1');

/**
 * Writes the host's code as CommonJS, as hosts load it fastest. esbuild splits only ECMAScript modules, so what it has
 * built is rewritten: what an `import()` names becomes a file that is read when that is called.
 */
const asCommonJs = {
  name: 'as CommonJS',
  setup(build) {
    const { outdir, minify, sourcemap, target } = build.initialOptions;
    build.onEnd(async ({ outputFiles, errors }) => {
      if (errors.length > 0) return;
      // Parts have other names when they change.
      await rm(outdir, { recursive: true, force: true });
      await mkdir(outdir, { recursive: true });
      const options = { format: 'cjs', minify, sourcemap, target, supported: { 'dynamic-import': false } };
      for (const { path, text } of outputFiles) await writeFile(path, uncopied((await transform(text, options)).code));
      const parts = JSON.stringify(outputFiles.map(({ path }) => basename(path)));
      const web = await transform(await readFile('extension/web.cjs', 'utf8'), { minify, define: { PARTS: parts } });
      await mkdir('dist/web', { recursive: true });
      await writeFile('dist/web/extension.cjs', web.code);
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
    },
    {
      ...common,
      entryPoints: { main: 'server/web/pages/main.tsx', math: 'server/web/pages/math.ts' },
      outdir: 'dist/server/web',
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      jsx: 'automatic',
      jsxImportSource: 'preact',
    },
  ],
};

const builds = only ? targets[only] : Object.values(targets).flat();
// What an earlier build wrote and this one doesn't would go into the package.
for (const { outdir } of builds) await rm(outdir, { recursive: true, force: true });
const contexts = await Promise.all(builds.map((o) => context(o)));
for (const build of contexts) {
  // Watching goes on over an error, which esbuild has printed.
  await (watch ? build.rebuild().catch(() => {}) : build.rebuild().finally(() => build.dispose()));
}
// Only now: what waits for the first "[watch] build finished", as F5 does, finds everything built.
if (watch) await Promise.all(contexts.map((build) => build.watch()));
