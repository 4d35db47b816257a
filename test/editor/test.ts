// `npm run test:editor [-- name…] [--grep text] [--host node|web|none] [--repeat N [--busy M]]`: runs the suites that
// need a real VS Code.
//
//   test/extension/**/*.test.ts   mocha inside the extension host, with the `vscode` API: see suites.ts; once in the host
//                                 on Node, once in the one in a web worker
//   test/editor/**/*.spec.ts      mocha outside, driving whole editors by playwright (reload, kill, pictures)
//
// Names are parts of file paths: `npx tsx test/editor/test.ts quota` runs the suites whose path contains "quota".
// `--host none` runs only the suites that drive editors from outside. `--repeat 10 --busy 5` runs everything ten times,
// the last five with every core kept busy, and prints a table at the end. It finds tests that fail only sometimes.
import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { add, type Counts, readCounts, tell } from './counts.ts';
import { fetchBrowser, fetchEditor, root } from './fetch.ts';
import { mark } from './host.ts';
import { endProcess, startProcess } from './processes.ts';
import { findSuites, type HostKind, setStage } from './suites.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

// Inside the repository, so that the bundle finds node_modules; for this process alone.
const out = join(root, 'out/editor', String(process.pid));

const hosts: Record<HostKind, string> = {
  node: 'the extension host beside Node',
  web: 'the extension host in a web worker',
};

/** Runs suites inside an extension host. A suite that dies, hangs or never starts counts as a failure. */
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
// A test may take five minutes on a slow machine. A process without output for longer than this hangs on any machine.
const silenceMs = 480_000;
const specsLimitMs = 30 * 60_000;

/** Waits for a process to stop printing. */
class Silence {
  #timer: NodeJS.Timeout | undefined;
  #pass!: () => void;
  /** Resolves after the longest allowed silence. */
  readonly passed = new Promise<undefined>((resolve) => {
    this.#pass = () => resolve(undefined);
  });

  constructor(readonly limitMs: number) {}

  /** Call it for each output. `goesOn`: more output is expected. */
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
  if (host !== undefined && host !== 'none' && !Object.hasOwn(hosts, host)) {
    console.error(`--host is one of ${Object.keys(hosts).join(', ')}, none; without it the suites run everywhere.`);
    return 1;
  }
  const times = Number(option('--repeat') ?? 1);
  const busy = Number(option('--busy') ?? 0);
  if (!(times >= 1 && busy >= 0 && busy <= times)) {
    console.error('--repeat takes a number of rounds, and --busy how many of them run on a busy machine.');
    return 1;
  }
  const inside = host === 'none' ? [] : await findSuites('test/extension', '.test.ts', args);
  const outside = host === undefined || host === 'none' ? await findSuites('test/editor', '.spec.ts', args) : [];
  if (inside.length + outside.length === 0) {
    console.error(`No suite has ${args.join(' or ')} in its path.`);
    return 1;
  }
  if (!existsSync(join(root, 'dist/node/extension.cjs')))
    throw new Error('The extension is not built: run "npm run build".');
  await mkdir(out, { recursive: true });
  await Promise.all([fetchEditor(), fetchBrowser()]);
  process.once('exit', () => rmSync(out, { recursive: true, force: true }));
  const kinds = host ? [host as HostKind] : (['node', 'web'] as const);
  const round = async (): Promise<[string, Counts][]> => {
    const summary: [string, Counts][] = [];
    for (const kind of inside.length > 0 ? kinds : []) {
      const counts = await runInHost(kind, inside, grep).catch((error) => {
        // A suite that can't be bundled for this host, or an editor that doesn't open: still run the others.
        console.error(error instanceof Error ? error.message : error);
        return { ...none, failed: 1 };
      });
      summary.push([hosts[kind], counts]);
    }
    if (outside.length > 0) summary.push(['editors driven from outside', await runOutside(outside, grep)]);
    return summary;
  };
  const summary = times > 1 ? await repeat(round, times, busy) : await round();
  const total = summary.map(([, counts]) => counts).reduce(add);
  if (process.env.PERIGEE_COUNTS) appendFileSync(process.env.PERIGEE_COUNTS, `${JSON.stringify(total)}\n`);
  for (const [name, counts] of summary) console.log(`${name}: ${tell(counts)}`);
  if (times > 1) for (const failure of total.failures ?? []) console.log(`- ${failure}`);
  console.log(tell(total));
  return total.failed === 0 ? 0 : 1;
}

/** Runs the rounds, the last `busy` with every core kept busy. Returns table rows, one for each part and round. */
async function repeat(
  round: () => Promise<[string, Counts][]>,
  times: number,
  busy: number,
): Promise<[string, Counts][]> {
  const rows: [string, Counts][] = [];
  for (let n = 1; n <= times; n++) {
    const isBusy = n > times - busy;
    const load = isBusy ? keepBusy() : [];
    const began = Date.now();
    try {
      for (const [name, counts] of await round()) rows.push([`round ${n}${isBusy ? ', busy' : ''}: ${name}`, counts]);
    } finally {
      for (const one of load) await endProcess(one);
    }
    console.log(`\n=== round ${n} of ${times} took ${((Date.now() - began) / 1000).toFixed(0)} s\n`);
  }
  return rows;
}

function keepBusy() {
  return Array.from({ length: availableParallelism() }, () =>
    startProcess(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
}

process.exit(await main(process.argv.slice(2)));
