// `npm run test:editor [-- name…] [--grep text]`: the suites that need a real VS Code.
//
//   test/extension/**/*.test.ts   mocha inside the extension host, with the `vscode` API: see suites.ts
//   test/editor/**/*.spec.ts      mocha outside, driving whole editors by playwright (reload, kill, pictures)
//
// Names are parts of file paths: `npx tsx test/editor/test.ts quota` runs the suites whose path contains "quota".
import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { add, type Counts, readCounts } from './counts.ts';
import { fetchBrowser, fetchEditor, root } from './fetch.ts';
import { mark } from './host.ts';
import { endProcess, startProcess } from './processes.ts';
import { findSuites, setStage } from './suites.ts';
import { openWorkbench } from './workbench.ts';

// Below the repository, so that the bundle finds node_modules, and of this process alone.
const out = join(root, 'out/editor', String(process.pid));

/** Runs suites inside the extension host. A host that dies, hangs or never starts counts as one failure. */
async function runInHost(files: string[], grep: string | undefined): Promise<Counts> {
  const stage = await setStage(files, { out, grep });
  const recent: string[] = [];
  const keep = (line: string) => void (recent.push(line) > 200 && recent.shift());
  const editor = await openWorkbench({
    folder: stage.folder,
    testsPath: stage.testsPath,
    settings: stage.settings,
    env: stage.env,
    onTestOutput: (line) => (line.startsWith(mark) ? console.log(line.slice(mark.length)) : keep(line)),
    onServerOutput: keep,
  });
  try {
    const code = await within(hostLimitMs, editor.tests);
    const counted = stage.counts();
    if (counted && (code === 0 || counted.failed > 0)) return counted;
    const reason = code === undefined ? `did not end within ${hostLimitMs / 60_000} minutes` : `ended with ${code}`;
    console.error(`The extension host ${reason}. What the editor said last:\n${recent.join('\n')}`);
    return add(counted ?? none, { passed: 0, failed: 1, skipped: 0 });
  } finally {
    await editor.close();
    await stage.strike();
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
  if (code === undefined) await endProcess(mocha, 10_000);
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
