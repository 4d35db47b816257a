// `npm run test:editor [-- name…] [--grep text]`: the suites that need a real VS Code.
//
//   test/extension/**/*.test.ts   mocha inside the extension host, with the `vscode` API; bundled here into one file. The
//                                 backend is real, the guest has 100 messages, and the model service is the double, which
//                                 a suite scripts by POST to `${process.env.PERIGEE_UPSTREAM}/control`
//   test/editor/**/*.spec.ts      mocha outside, driving whole editors by playwright (reload, kill, pictures)
//
// Names are parts of file paths: `npx tsx test/editor/test.ts quota` runs the suites whose path contains "quota".
import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { startBackend } from './backend.ts';
import { add, type Counts, readCounts } from './counts.ts';
import { fetchBrowser, fetchEditor, root } from './fetch.ts';
import { mark } from './host.ts';
import { startProcess } from './processes.ts';
import { makeSample } from './sample.ts';
import { openWorkbench } from './workbench.ts';

// Below the repository, so that the bundle finds node_modules, and of this process alone.
const out = join(root, 'out/editor', String(process.pid));

/** Bundles the suites of the extension host into one CommonJS file that exports `run()`; its path. */
export async function bundleSuites(files: string[]): Promise<string> {
  const outfile = join(out, 'suites.cjs');
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

/** Runs suites inside the extension host. A host that dies, hangs or never starts counts as one failure. */
async function runInHost(files: string[], grep: string | undefined): Promise<Counts> {
  const testsPath = await bundleSuites(files);
  const sample = await makeSample();
  const upstream = await new UpstreamDouble().start();
  const config = join(out, 'perigee.config.json');
  // One guest serves all suites of a window: it must not run out of messages between them.
  await writeFile(config, JSON.stringify({ guests: { messages: 100, perHour: 1000, perDay: 1000 } }));
  const backend = await startBackend({ env: { UPSTREAM_URL: upstream.url, PERIGEE_CONFIG: config } });
  const counts = join(out, 'host-counts');
  await rm(counts, { force: true });
  const recent: string[] = [];
  const keep = (line: string) => void (recent.push(line) > 200 && recent.shift());
  const editor = await openWorkbench({
    folder: sample.folder,
    testsPath,
    settings: { 'perigee.serverUrl': backend.url },
    env: { PERIGEE_COUNTS: counts, PERIGEE_TEST_GREP: grep, PERIGEE_UPSTREAM: new URL(upstream.url).origin },
    onTestOutput: (line) => (line.startsWith(mark) ? console.log(line.slice(mark.length)) : keep(line)),
    onServerOutput: keep,
  });
  try {
    const code = await within(hostLimitMs, editor.tests);
    const counted = readCounts(counts);
    if (counted && (code === 0 || counted.failed > 0)) return counted;
    const reason = code === undefined ? `did not end within ${hostLimitMs / 60_000} minutes` : `ended with ${code}`;
    console.error(`The extension host ${reason}. What the editor said last:\n${recent.join('\n')}`);
    return add(counted ?? none, { passed: 0, failed: 1, skipped: 0 });
  } finally {
    await editor.close();
    await backend.stop();
    await upstream.stop();
    await sample.remove();
  }
}

async function runOutside(files: string[], grep: string | undefined): Promise<Counts> {
  const counts = join(out, 'spec-counts');
  await rm(counts, { force: true });
  const mocha = startProcess(
    process.execPath,
    [
      ...['--import', 'tsx', join(root, 'node_modules/mocha/bin/mocha.js'), '--no-config', '--timeout', '120000'],
      ...['--require', join(root, 'test/editor/onFailure.ts')],
      ...['--reporter', join(root, 'test/editor/counts.ts'), ...(grep ? ['--grep', grep] : [])],
      ...files,
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, PERIGEE_COUNTS: counts } },
  );
  const code = await within(
    specsLimitMs,
    new Promise<number>((ended) => mocha.once('exit', (status) => ended(status ?? 1))),
  );
  const counted = readCounts(counts);
  if (counted && (code === 0 || counted.failed > 0)) return counted;
  const reason = code === undefined ? `did not end within ${specsLimitMs / 60_000} minutes` : `ended with ${code}`;
  console.error(`mocha ${reason}.`);
  return add(counted ?? none, { passed: 0, failed: 1, skipped: 0 });
}

const none: Counts = { passed: 0, failed: 0, skipped: 0 };
const hostLimitMs = 5 * 60_000;
const specsLimitMs = 10 * 60_000;

async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, limitMs, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function main(args: string[]): Promise<number> {
  const at = args.indexOf('--grep');
  const [, grep] = at < 0 ? [] : args.splice(at, 2);
  const inside = await findSuites('test/extension', '.test.ts', args);
  const outside = await findSuites('test/editor', '.spec.ts', args);
  if (inside.length + outside.length === 0) {
    console.error(`No suite has ${args.join(' or ')} in its path.`);
    return 1;
  }
  if (!existsSync(join(root, 'dist/extension.cjs')))
    throw new Error('The extension is not built: run "npm run build".');
  await mkdir(out, { recursive: true });
  await Promise.all([fetchEditor(), fetchBrowser()]);
  process.once('exit', () => rmSync(out, { recursive: true, force: true }));
  let total = none;
  if (inside.length > 0) total = add(total, await runInHost(inside, grep));
  if (outside.length > 0) total = add(total, await runOutside(outside, grep));
  if (process.env.PERIGEE_COUNTS) appendFileSync(process.env.PERIGEE_COUNTS, `${JSON.stringify(total)}\n`);
  console.log(`${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`);
  return total.failed === 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
