// `npm run test:editor [-- name…] [--grep text] [--host node|web]`: the suites that need a real VS Code.
//
//   test/extension/**/*.test.ts   mocha inside the extension host, with the `vscode` API: see suites.ts; once in the host
//                                 beside Node, once in the one in a web worker
//   test/editor/**/*.spec.ts      mocha outside, driving whole editors by playwright (reload, kill, pictures)
//
// Names are parts of file paths: `npx tsx test/editor/test.ts quota` runs the suites whose path contains "quota".
import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { add, type Counts, readCounts, tell } from './counts.ts';
import { fetchBrowser, fetchEditor, root } from './fetch.ts';
import { mark } from './host.ts';
import { endProcess, startProcess } from './processes.ts';
import { findSuites, type HostKind, setStage } from './suites.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

// Below the repository, so that the bundle finds node_modules, and of this process alone.
const out = join(root, 'out/editor', String(process.pid));

const hosts: Record<HostKind, string> = {
  node: 'the extension host beside Node',
  web: 'the extension host in a web worker',
};

/** Runs suites inside an extension host. One that dies, hangs or never starts counts as a failure. */
async function runInHost(host: HostKind, files: string[], grep: string | undefined): Promise<Counts> {
  console.log(`\n${hosts[host]}`);
  const stage = await setStage(files, { host, out, grep });
  const recent: string[] = [];
  const keep = (line: string) => void (recent.push(line) > 200 && recent.shift());
  const silence = new Silence(silenceMs);
  let editor: Workbench | undefined;
  try {
    editor = await openWorkbench({
      ...stage,
      onTestOutput(text) {
        silence.broken();
        if (text.startsWith(mark)) console.log(text.slice(mark.length));
        else keep(text);
      },
      onServerOutput: keep,
    });
    silence.broken();
    const code = await Promise.race([editor.tests, silence.passed]);
    const counted = stage.counts();
    if (counted && (code === 0 || counted.failed > 0)) return counted;
    const reason = code === undefined ? `said nothing for ${silenceMs / 1000} s` : `ended with ${code}`;
    console.error(`${hosts[host]} ${reason}. What the editor said last:\n${recent.join('\n')}`);
    return add(counted ?? none, { passed: 0, failed: 1, skipped: 0 });
  } finally {
    silence.broken(false);
    await editor?.close();
    await stage.strike();
  }
}

async function runOutside(files: string[], grep: string | undefined): Promise<Counts> {
  const counts = join(out, 'spec-counts');
  await rm(counts, { force: true });
  const mocha = startProcess(
    process.execPath,
    [
      ...['--import', 'tsx', join(root, 'node_modules/mocha/bin/mocha.js'), '--no-config', '--timeout', '300000'],
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
// A test may take 20 s, with as much before and after it: who says nothing for longer is dead, however slow the machine.
const silenceMs = 120_000;
const specsLimitMs = 30 * 60_000;

/** Waits for somebody to fall silent. */
class Silence {
  #timer: NodeJS.Timeout | undefined;
  #pass!: () => void;
  /** Resolves when nothing broke it for as long as it may last. */
  readonly passed = new Promise<undefined>((resolve) => {
    this.#pass = () => resolve(undefined);
  });

  constructor(readonly limitMs: number) {}

  /** Something was said. `goesOn`: more is to come. */
  broken(goesOn = true): void {
    clearTimeout(this.#timer);
    if (goesOn) this.#timer = setTimeout(this.#pass, this.limitMs);
  }
}

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
  const option = (name: string) => {
    const at = args.indexOf(name);
    return at < 0 ? undefined : args.splice(at, 2)[1];
  };
  const grep = option('--grep');
  const host = option('--host');
  if (host !== undefined && !Object.hasOwn(hosts, host)) {
    console.error(`--host is one of ${Object.keys(hosts).join(', ')}; without it the suites run in each.`);
    return 1;
  }
  const inside = await findSuites('test/extension', '.test.ts', args);
  const outside = host ? [] : await findSuites('test/editor', '.spec.ts', args);
  if (inside.length + outside.length === 0) {
    console.error(`No suite has ${args.join(' or ')} in its path.`);
    return 1;
  }
  if (!existsSync(join(root, 'dist/node/extension.cjs')))
    throw new Error('The extension is not built: run "npm run build".');
  await mkdir(out, { recursive: true });
  await Promise.all([fetchEditor(), fetchBrowser()]);
  process.once('exit', () => rmSync(out, { recursive: true, force: true }));
  const summary: [string, Counts][] = [];
  if (inside.length > 0) {
    for (const kind of host ? [host as HostKind] : (['node', 'web'] as const)) {
      const counts = await runInHost(kind, inside, grep).catch((error) => {
        // A suite that can't be bundled for this kind, an editor that doesn't open: the others have their turn still.
        console.error(error instanceof Error ? error.message : error);
        return { ...none, failed: 1 };
      });
      summary.push([hosts[kind], counts]);
    }
  }
  if (outside.length > 0) summary.push(['editors driven from outside', await runOutside(outside, grep)]);
  const total = summary.map(([, counts]) => counts).reduce(add);
  if (process.env.PERIGEE_COUNTS) appendFileSync(process.env.PERIGEE_COUNTS, `${JSON.stringify(total)}\n`);
  for (const [name, counts] of summary) console.log(`${name}: ${tell(counts)}`);
  console.log(tell(total));
  return total.failed === 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
