// `npm test`: everything that can be checked, one step after the other. A step that fails hides none of the others. The
// last line counts: `N passed, N failed`.
import type { ChildProcess } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { add, type Counts, readCounts, tell } from './editor/counts.ts';
import { fetchBrowser, fetchEditor, root } from './editor/fetch.ts';
import { endProcess, onInterrupt, startProcess } from './editor/processes.ts';

interface Step {
  name: string;
  command: string[];
  /** Whether it counts by itself, through the file named by PERIGEE_COUNTS. If not, it passes or fails as one. */
  counts: boolean;
  limitMinutes: number;
}

const node = process.execPath;
const mocha = [node, join(root, 'node_modules/mocha/bin/mocha.js'), '--reporter', join(root, 'test/editor/counts.ts')];

const steps: Step[] = [
  { name: 'types', command: ['npm', 'run', '--silent', 'types'], counts: false, limitMinutes: 5 },
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'], counts: false, limitMinutes: 2 },
  { name: 'build', command: ['npm', 'run', '--silent', 'build'], counts: false, limitMinutes: 3 },
  {
    name: 'unit tests, on both database engines',
    command: [...mocha, '--ignore', 'test/webview/**', 'test/**/*.test.ts'],
    counts: true,
    limitMinutes: 20,
  },
  {
    name: 'the web view in a real browser',
    command: [
      ...mocha,
      '--no-config',
      '--node-option',
      'import=tsx',
      '--timeout',
      '60000',
      'test/webview/**/*.test.ts',
    ],
    counts: true,
    limitMinutes: 8,
  },
  {
    name: 'the extension in a real VS Code',
    command: [node, '--import', 'tsx', join(root, 'test/editor/test.ts')],
    counts: true,
    limitMinutes: 30,
  },
];

let current: ChildProcess | undefined;

async function runStep(step: Step, countsFile: string): Promise<Counts> {
  const [command, ...args] = step.command as [string, ...string[]];
  await rm(countsFile, { force: true });
  const child = startProcess(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32' && command === 'npm',
    env: { ...process.env, PERIGEE_COUNTS: step.counts ? countsFile : undefined },
  });
  current = child;
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    console.error(`\n${step.name}: not done after ${step.limitMinutes} minutes, so it is ended.`);
    void endProcess(child);
  }, step.limitMinutes * 60_000);
  const code = await new Promise<number | null>((ended) => {
    child.once('exit', ended);
    child.once('error', (error) => {
      console.error(error.message);
      ended(1);
    });
  });
  clearTimeout(limit);
  await endProcess(child);
  const counts = step.counts ? readCounts(countsFile) : undefined;
  await rm(countsFile, { force: true });
  if (code === 0 && !late) return counts ?? (step.counts ? one('failed') : one('passed'));
  // Tests that failed explain the code; anything else is a failure of its own.
  return counts && counts.failed > 0 && !late ? counts : add(counts ?? none, one('failed'));
}

const none: Counts = { passed: 0, failed: 0, skipped: 0 };
const one = (what: keyof Counts): Counts => ({ ...none, [what]: 1 });

async function main(): Promise<number> {
  const out = join(root, 'out');
  await mkdir(out, { recursive: true });
  let total = none;
  const summary: string[] = [];
  const heading = (name: string) => console.log(`\n=== ${name}`);
  const finish = (name: string, began: number, counts: Counts) => {
    const line = `${tell(counts)} in ${((Date.now() - began) / 1000).toFixed(1)} s`;
    console.log(`--- ${name}: ${line}`);
    summary.push(`${counts.failed ? 'FAILED' : 'ok    '} ${name}: ${line}`);
    total = add(total, counts);
  };
  heading('editor and browser');
  const began = Date.now();
  try {
    await Promise.all([fetchEditor(), fetchBrowser()]);
    finish('editor and browser', began, none);
  } catch (error) {
    console.error((error as Error).message);
    finish('editor and browser', began, one('failed'));
  }
  for (const step of steps) {
    heading(step.name);
    const start = Date.now();
    finish(step.name, start, await runStep(step, join(out, `counts-${process.pid}`)));
  }
  console.log(`\n${summary.join('\n')}\n`);
  if (total.failures?.length) console.log(`What failed:\n${total.failures.map((line) => `- ${line}`).join('\n')}\n`);
  console.log(tell(total));
  return total.failed === 0 ? 0 : 1;
}

// Interrupted, the step gets the time to end its own servers, browsers and databases.
onInterrupt(async () => {
  if (current) await endProcess(current, 8000);
});
process.exit(await main());
