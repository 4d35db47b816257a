// `npm test [-- name…]`: everything that can be checked, or the steps whose names contain one of these; two steps at a time. A
// step that fails hides none of the others. What a step prints stays together, in the order in which they begin. The last
// line counts: `N passed, N failed`.
import type { ChildProcess } from 'node:child_process';
import { chmod, mkdir, readFile, rm, statfs } from 'node:fs/promises';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { add, type Counts, readCounts, tell } from './editor/counts.ts';
import { fetchBrowser, fetchEditor, root } from './editor/fetch.ts';
import { endProcess, onInterrupt, startProcess, temporaryFolder } from './editor/processes.ts';
import { InTurn } from './support/inTurn.ts';

interface Step {
  name: string;
  command: string[];
  /** Whether it counts by itself, through the file named by PERIGEE_COUNTS. If not, it passes or fails as one. */
  counts: boolean;
  /** Far beyond what it takes, on a machine that is busy with other things: it ends what hangs. */
  limitMinutes: number;
}

const node = process.execPath;
const mocha = [node, join(root, 'node_modules/mocha/bin/mocha.js'), '--reporter', join(root, 'test/editor/counts.ts')];

/** Parts of the unit tests that take about as long as each other. What stands in none of these folders is the last part. */
const units = ['accounts', 'credits', 'server'];

function unit(what: string, files: string, ignored: string[] = []): Step {
  const ignore = ignored.flatMap((folder) => ['--ignore', `test/${folder}/**`]);
  return { name: `unit tests: ${what}`, command: [...mocha, ...ignore, files], counts: true, limitMinutes: 40 };
}

function npm(name: string, limitMinutes: number): Step {
  return { name, command: ['npm', 'run', '--silent', name], counts: false, limitMinutes };
}

function editor(name: string, ...args: string[]): Step {
  const command = [node, '--import', 'tsx', join(root, 'test/editor/test.ts'), ...args];
  return { name, command, counts: true, limitMinutes: 40 };
}

const webView: Step = {
  name: 'the web view in a real browser',
  command: [...mocha, '--no-config', '--node-option', 'import=tsx', '--timeout', '180000', 'test/webview/**/*.test.ts'],
  counts: true,
  limitMinutes: 30,
};

/**
 * The suites that meet what the worker does otherwise: the network, storage, workspace files, language servers, the view.
 * The bundle is the same in both hosts, so the rest runs beside Node here, and in the worker in `npm run soak`.
 */
const inWorker = [
  'host quota account/ models/ index/ edit/edit. edit/editReview edit/checkpoint',
  'chat/chat chat/early chat/sender chat/pages chat/participant chat/attach chat/pictures chat/queue',
].flatMap((line) => line.split(' ').map((part) => `test/extension/${part}`));

/** The quick ones first, then the longest, so that all lanes end at about the same time. */
const steps: Step[] = [
  npm('types', 20),
  npm('lint', 10),
  editor('real editors, driven from outside', '--host', 'none'),
  ...units.map((folder) => unit(folder, `test/${folder}/**/*.test.ts`)),
  unit('the others', 'test/**/*.test.ts', [...units, 'webview']),
  editor('inside the extension host beside Node', '--host', 'node'),
  editor('inside the extension host in a web worker', '--host', 'web', ...inWorker),
  webView,
];

/** A driven editor with its browser, its backend and its language service wants some 2 GB. */
const lanes = totalmem() < 6e9 ? 1 : Math.min(2, availableParallelism());

/** Folders in memory that may be as large as this serve for temporary files. */
const MEMORY_BYTES = 8e9;

/**
 * Makes a folder for all temporary files. In memory, if the machine has room: the databases of the tests keep no disk
 * busy there, and the machine's disk may be slow.
 */
async function makeScratch(): Promise<string> {
  const folder = await temporaryFolder('perigee-tests-', (await hasRoomInMemory()) ? '/dev/shm' : tmpdir());
  // PostgreSQL has a folder in it, and may run as another user.
  await chmod(folder, 0o711);
  return folder;
}

async function hasRoomInMemory(): Promise<boolean> {
  if (totalmem() < 2 * MEMORY_BYTES) return false;
  try {
    const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
    const options = mounts.findLast(([, folder]) => folder === '/dev/shm')?.[3]?.split(',') ?? [];
    const { bavail, bsize } = await statfs('/dev/shm');
    return options.includes('rw') && !options.includes('noexec') && bavail * bsize > MEMORY_BYTES;
  } catch {
    return false;
  }
}

const running = new Set<ChildProcess>();
/** No step may build again what others are running. */
let isBuilt = false;

async function runStep(step: Step, countsFile: string, print: (text: string) => void): Promise<Counts> {
  const [command, ...args] = step.command as [string, ...string[]];
  await rm(countsFile, { force: true });
  const child = startProcess(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && command === 'npm',
    env: {
      ...process.env,
      PERIGEE_COUNTS: step.counts ? countsFile : undefined,
      PERIGEE_BUILT: isBuilt ? '1' : undefined,
      ...(process.stdout.isTTY && { FORCE_COLOR: '1' }),
    },
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', print);
  running.add(child);
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    print(`\n${step.name}: not done after ${step.limitMinutes} minutes, so it is ended.\n`);
    void endProcess(child);
  }, step.limitMinutes * 60_000);
  const code = await new Promise<number | null>((ended) => {
    child.once('exit', ended);
    child.once('error', (error) => {
      print(`${error.message}\n`);
      ended(1);
    });
  });
  clearTimeout(limit);
  await endProcess(child);
  running.delete(child);
  const counts = step.counts ? readCounts(countsFile) : undefined;
  await rm(countsFile, { force: true });
  if (code === 0 && !late) return counts ?? (step.counts ? one('failed') : one('passed'));
  // Tests that failed explain the code; anything else is a failure of its own.
  return counts && counts.failed > 0 && !late ? counts : add(counts ?? none, one('failed'));
}

const none: Counts = { passed: 0, failed: 0, skipped: 0 };
const one = (what: keyof Counts): Counts => ({ ...none, [what]: 1 });

async function main(names: string[]): Promise<number> {
  const out = join(root, 'out');
  await mkdir(out, { recursive: true });
  process.env.TMPDIR = await makeScratch();
  let total = none;
  const summary: string[] = [];
  const turns = new InTurn((text) => process.stdout.write(text));
  const run = async (name: string, work: (print: (text: string) => void) => Promise<Counts>) => {
    const turn = turns.begin();
    turn.print(`\n=== ${name}\n`);
    const began = Date.now();
    const counts = await work(turn.print).catch((error: Error) => {
      turn.print(`${error.message}\n`);
      return one('failed');
    });
    const line = `${tell(counts)} in ${((Date.now() - began) / 1000).toFixed(1)} s`;
    turn.print(`--- ${name}: ${line}\n`);
    turn.end();
    summary.push(`${counts.failed ? 'FAILED' : 'ok    '} ${name}: ${line}`);
    total = add(total, counts);
  };
  const runAll = async (rest: Step[]) => {
    for (let step = rest.shift(); step; step = rest.shift()) {
      const { name } = step;
      const countsFile = join(out, `counts-${process.pid}-${name.replace(/\W+/g, '-')}`);
      await run(name, (print) => runStep(step as Step, countsFile, print));
    }
  };
  // What all the others stand on.
  await run('editor and browser', async () => {
    await Promise.all([fetchEditor(), fetchBrowser()]);
    return none;
  });
  await runAll([npm('build', 10)]);
  isBuilt = total.failed === 0;
  const rest = steps.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)));
  if (rest.length === 0) throw new Error(`The steps are: ${steps.map(({ name }) => name).join('; ')}`);
  await Promise.all(Array.from({ length: lanes }, () => runAll(rest)));
  console.log(`\n${summary.join('\n')}\n`);
  if (total.failures?.length) console.log(`What failed:\n${total.failures.map((line) => `- ${line}`).join('\n')}\n`);
  console.log(tell(total));
  return total.failed === 0 ? 0 : 1;
}

// Interrupted, each step gets the time to end its own servers, browsers and databases.
onInterrupt(async () => {
  await Promise.all([...running].map((child) => endProcess(child, 8000)));
});
process.exit(await main(process.argv.slice(2)));
