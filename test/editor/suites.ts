// What the suites of the extension host need around them, in the browser edition and on the desktop alike: one bundle, a
// sample workspace, the real backend with 100 messages for its guest, and a model service that they script by POST to
// `${process.env.PERIGEE_UPSTREAM}/control` (see test/doubles/script.ts).
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { startBackend } from './backend.ts';
import { type Counts, readCounts } from './counts.ts';
import { root } from './fetch.ts';
import { makeSample } from './sample.ts';

export interface Stage {
  /** The bundle, exporting `run()`. */
  testsPath: string;
  /** The workspace folder to open. */
  folder: string;
  settings: Record<string, unknown>;
  /** For the extension host. */
  env: Record<string, string | undefined>;
  /** What the suites counted; undefined when they didn't come to their end. */
  counts(): Counts | undefined;
  /** Ends and removes it all. */
  strike(): Promise<void>;
}

/** Prepares everything around suites. `out`, a folder of this run alone, lies below the repository: bundles find node_modules. */
export async function setStage(files: string[], { out, grep }: { out: string; grep?: string }): Promise<Stage> {
  await mkdir(out, { recursive: true });
  const testsPath = await bundleSuites(files, join(out, 'suites.cjs'));
  const sample = await makeSample();
  const upstream = await new UpstreamDouble().start();
  const config = join(out, 'perigee.config.json');
  // One guest serves all suites of a window: it must not run out of messages between them.
  await writeFile(config, JSON.stringify({ guests: { messages: 100, perHour: 1000, perDay: 1000 } }));
  const backend = await startBackend({ env: { UPSTREAM_URL: upstream.url, PERIGEE_CONFIG: config } });
  const counts = join(out, 'host-counts');
  return {
    testsPath,
    folder: sample.folder,
    settings: { 'perigee.serverUrl': backend.url },
    env: { PERIGEE_COUNTS: counts, PERIGEE_TEST_GREP: grep, PERIGEE_UPSTREAM: new URL(upstream.url).origin },
    counts: () => readCounts(counts),
    async strike() {
      await backend.stop();
      await upstream.stop();
      await sample.remove();
    },
  };
}

/** Bundles the suites of the extension host into one CommonJS file that exports `run()`; its path. */
async function bundleSuites(files: string[], outfile: string): Promise<string> {
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
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    // Its own packages stay in node_modules: mocha finds its parts by path.
    packages: 'external',
    logLevel: 'warning',
  });
  return outfile;
}

/** The files under a folder whose names end so and whose paths contain one of `names` (all when there are none). */
export async function findSuites(folder: string, ending: string, names: string[] = []): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true }).catch(() => []);
  return entries
    .map((entry) => join(root, folder, entry))
    .filter((file) => file.endsWith(ending) && !file.includes('node_modules'))
    .filter((file) => names.length === 0 || names.some((name) => relative(root, file).includes(name)))
    .sort();
}
