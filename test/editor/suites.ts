// The environment for extension host suites, in the browser edition and on the desktop: one bundle, a sample workspace,
// the real backend with 100 messages for its guest, and a model service that the suites script by POST to
// `${process.env.PERIGEE_UPSTREAM}/control` (see test/doubles/script.ts).

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { type Backend, startBackend } from './backend.ts';
import type { Counts } from './counts.ts';
import { root } from './fetch.ts';
import { BUSY_GUESTS } from './parts/answers.ts';
import { makeSample } from './sample.ts';
import { startStageServer } from './stageServer.ts';

/** The kinds of extension host: on Node (desktop or a remote machine), or in a web worker of the page. */
export type HostKind = 'node' | 'web';

export interface Stage {
  /** The extension, and the bundle that exports `run()`: paths for Node's host, URLs for the web's. */
  extensionPath: string;
  testsPath: string;
  /** The workspace folder to open. */
  folder: string;
  /** Starts the backend, open to the `origin` of a web editor's page. Returns the user settings that point to it. */
  settings(origin?: string): Promise<Record<string, unknown>>;
  /** The suites' counts; undefined if they didn't end. */
  counts(): Counts | undefined;
  /** Ends and removes everything. */
  strike(): Promise<void>;
}

export interface StageOptions {
  host: HostKind;
  /** A folder for this run alone, inside the repository, so that bundles find node_modules. */
  out: string;
  /** Runs only tests whose titles contain this text. */
  grep?: string;
}

/** Prepares the environment for suites. */
export async function setStage(files: string[], { host, out, grep }: StageOptions): Promise<Stage> {
  await mkdir(out, { recursive: true });
  const bundle = join(out, `suites-${host}.cjs`);
  const sample = await makeSample();
  const upstream = await new UpstreamDouble().start();
  const server = await startStageServer(() => bundle);
  let backend: Backend | undefined;
  await bundleSuites(files, bundle, host, {
    PERIGEE_BY_TOKENS: process.env.PERIGEE_BY_TOKENS,
    PERIGEE_HOST: host,
    PERIGEE_STAGE: server.url,
    PERIGEE_TEST_GREP: grep,
    PERIGEE_UPSTREAM: new URL(upstream.url).origin,
  });
  return {
    extensionPath: host === 'web' ? server.extension : root,
    testsPath: host === 'web' ? `${server.extension}/suites.cjs` : bundle,
    folder: sample.folder,
    async settings(origin) {
      const config = join(out, `perigee-${host}.config.json`);
      // One guest serves all suites of a window, so it must not run out of messages.
      await writeFile(config, JSON.stringify(BUSY_GUESTS));
      const env = { UPSTREAM_URL: upstream.url, PERIGEE_CONFIG: config, CORS_ORIGINS: origin };
      backend = await startBackend({ env });
      // The browser edition saves automatically by default, which would save a test's unsaved text on a slow machine.
      return { 'perigee.serverUrl': backend.url, 'files.autoSave': 'off' };
    },
    counts: server.counts,
    async strike() {
      await backend?.stop();
      await upstream.stop();
      await server.stop();
      await sample.remove();
    },
  };
}

/**
 * Bundles suites into one CommonJS file that exports `run()`. Values of `process.env` are written into the bundle: a
 * web worker has no environment, and on the desktop it would have to pass through three processes.
 */
async function bundleSuites(
  files: string[],
  outfile: string,
  host: HostKind,
  env: Record<string, string | undefined>,
): Promise<void> {
  const load = files.map((file) => `require(${JSON.stringify(file)});`).join('\n');
  await build({
    stdin: {
      contents: `import { runSuites } from './host.ts';\nexport const run = () => runSuites(() => {\n${load}\n});`,
      resolveDir: join(root, 'test/editor'),
      loader: 'ts',
    },
    outfile,
    bundle: true,
    format: 'cjs',
    sourcemap: 'inline',
    define: Object.fromEntries(Object.entries(env).map(([name, value]) => [`process.env.${name}`, literal(value)])),
    logLevel: 'warning',
    ...ways[host],
  });
}

const literal = (value: string | undefined) => (value === undefined ? 'undefined' : JSON.stringify(value));

const ways: Record<HostKind, BuildOptions> = {
  // npm packages stay in node_modules, because mocha finds its parts by path.
  node: { platform: 'node', target: 'node20', packages: 'external' },
  // Any other import of a Node module fails the build and shows the import's line.
  web: {
    platform: 'browser',
    target: 'es2022',
    // mocha's browser build uses any `module` that it finds, so ours must be set after it.
    format: 'iife',
    globalName: 'suites',
    footer: { js: 'module.exports = suites;' },
    external: ['vscode'],
    alias: {
      mocha: join(root, 'test/support/web/mocha.ts'),
      'mocha/mocha.js': join(root, 'node_modules/mocha/mocha.js'),
      'node:assert/strict': join(root, 'test/support/web/assert.ts'),
    },
  },
};

/** The files under a folder with this ending whose paths contain one of `names` (all files if it is empty). */
export async function findSuites(folder: string, ending: string, names: string[] = []): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true }).catch(() => []);
  return entries
    .map((entry) => join(root, folder, entry))
    .filter((file) => file.endsWith(ending) && !file.includes('node_modules'))
    .filter((file) => names.length === 0 || names.some((name) => relative(root, file).includes(name)))
    .sort();
}
