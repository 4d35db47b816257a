// Builds everything that ships into dist/: the extension's host code (one file for desktop, remote and web), its web
// view, and the server. `node esbuild.config.mjs [server|extension] [--watch] [--quiet]`.

import { mkdir } from 'node:fs/promises';
import { context } from 'esbuild';

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

const targets = {
  extension: [
    {
      ...common,
      entryPoints: ['extension/extension.ts'],
      outfile: 'dist/extension.cjs',
      format: 'cjs',
      // 'browser': no Node built-in can slip into code that also runs in the web worker extension host.
      platform: 'browser',
      target: 'es2022',
      external: ['vscode'],
    },
    {
      ...common,
      entryPoints: { chat: 'extension/chat/webview/main.tsx' },
      outdir: 'dist/webview',
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      loader: { '.ttf': 'file' },
      assetNames: '[name]',
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
      entryPoints: { main: 'server/web/pages/main.tsx' },
      outdir: 'dist/server/web',
      format: 'iife',
      platform: 'browser',
      target: 'es2022',
      jsx: 'automatic',
      jsxImportSource: 'preact',
    },
  ],
};

await mkdir('dist', { recursive: true });
const contexts = await Promise.all((only ? targets[only] : Object.values(targets).flat()).map((o) => context(o)));
for (const build of contexts) {
  // Watching goes on over an error, which esbuild has printed.
  await (watch ? build.rebuild().catch(() => {}) : build.rebuild().finally(() => build.dispose()));
}
// Only now: what waits for the first "[watch] build finished", as F5 does, finds everything built.
if (watch) await Promise.all(contexts.map((build) => build.watch()));
