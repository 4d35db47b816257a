// `npm run check [-- FILE…]`: types, style, and the tests nearest to what was changed since the branch began (or to these
// files). It is for the minutes between two commits; `npm test` proves everything.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './editor/fetch.ts';
import { endProcess, onInterrupt, startProcess } from './editor/processes.ts';
import { importsOf, sources } from './support/imports.ts';

const PROJECTS = ['tsconfig.json', 'extension', 'extension/chat/webview', 'server/web', 'test/extension'];
/** Run in a browser or an editor, and so by `npm test` alone. */
const ELSEWHERE = /^test\/(extension|webview|editor|web)\//;
/** Of what tests try at random, a tenth and less: `npm test` and `npm run soak` try all of it. */
const FEWER = { PERIGEE_MODEL_RUNS: '200', PERIGEE_TELLING_RUNS: '60', PERIGEE_KILLS: '1', PERIGEE_FUZZ_RUNS: '100' };
/** More test files than these take longer than one waits. */
const MOST_TESTS = 12;

const git = (...args: string[]) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .split('\n')
    .filter(Boolean);

/** What differs from where this branch left the main one, committed or not; on the main branch itself from the last commit. */
function changedFiles(): string[] {
  const [branch] = git('rev-parse', '--abbrev-ref', 'HEAD');
  const [base] = branch === 'main' ? ['HEAD'] : git('merge-base', 'HEAD', 'main');
  const changed = [
    ...git('diff', '--name-only', '--diff-filter=d', base!),
    ...git('ls-files', '--others', '--exclude-standard'),
  ];
  return changed.length > 0 ? changed : git('diff', '--name-only', '--diff-filter=d', 'HEAD~1');
}

/** The test files that reach a file by the fewest imports, and how many others reach it. */
function testsNear(file: string, importers: ReadonlyMap<string, readonly string[]>): string[] {
  let [ring, seen] = [[file], new Set([file])];
  while (ring.length > 0) {
    const tests = ring.filter((path) => path.endsWith('.test.ts') && !ELSEWHERE.test(path));
    if (tests.length > 0) return tests;
    ring = [...new Set(ring.flatMap((path) => importers.get(path) ?? []))].filter((path) => !seen.has(path));
    seen = new Set([...seen, ...ring]);
  }
  return [];
}

function nearestTests(changed: readonly string[]): string[] {
  const importers = new Map<string, string[]>();
  for (const { from, to } of sources(['shared', 'server', 'extension', 'test']).flatMap(importsOf))
    importers.set(to, [...(importers.get(to) ?? []), from]);
  const counts = new Map<string, number>();
  for (const file of changed)
    for (const test of testsNear(file, importers)) counts.set(test, (counts.get(test) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([test]) => test);
}

let running = new Set<ReturnType<typeof startProcess>>();
onInterrupt(async () => {
  await Promise.all([...running].map((child) => endProcess(child)));
});

async function run(name: string, script: string, args: string[]): Promise<boolean> {
  const began = Date.now();
  const child = startProcess(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...FEWER, ...process.env },
  });
  running = new Set([...running, child]);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  const code = await new Promise<number | null>((ended) => child.once('exit', ended));
  running.delete(child);
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  if (code !== 0) console.log(said);
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} in ${seconds} s`);
  return code === 0;
}

const named = process.argv.slice(2);
const changed = named.length > 0 ? named : changedFiles();
const missing = named.filter((file) => !existsSync(join(root, file)));
if (missing.length > 0) {
  console.error(`There is no ${missing.join(', ')}: name files by their paths from ${root}.`);
  process.exit(2);
}
const tests = nearestTests(changed);
const untested = changed.filter((file) => /\.tsx?$/.test(file) && nearestTests([file]).length === 0);
const taken = tests.slice(0, MOST_TESTS);
console.log(`${changed.length} files were changed; ${tests.length} test files are nearest to them.`);
mkdirSync(join(root, 'out', 'types'), { recursive: true });

/** One after the other in each lane; the compiler keeps what it knows from one check to the next. */
const lanes = [
  async () => {
    const ok: boolean[] = [];
    for (const project of PROJECTS) {
      const info = join(root, 'out', 'types', `${project.replaceAll('/', '-')}.tsbuildinfo`);
      const args = ['-p', project, '--noEmit', '--incremental', '--tsBuildInfoFile', info, '--pretty'];
      ok.push(await run(`types: ${project}`, 'typescript/bin/tsc', args));
    }
    return ok.every(Boolean);
  },
  async () => {
    const isStyled = await run('style', '@biomejs/biome/bin/biome', ['check', '.', '--diagnostic-level=error']);
    const isHeld = taken.length === 0 || (await run(`tests: ${taken.join(' ')}`, 'mocha/bin/mocha.js', taken));
    return isStyled && isHeld;
  },
];
const isOk = (await Promise.all(lanes.map((lane) => lane()))).every(Boolean);
if (untested.length > 0) console.log(`No unit test reaches: ${untested.join(' ')}`);
if (tests.length > MOST_TESTS) console.log(`Left to "npm test": ${tests.slice(MOST_TESTS).join(' ')}`);
if (changed.some((file) => file.startsWith('extension/')))
  console.log('Left to "npm test": the web view in a browser, and the extension in its editors.');
process.exit(isOk ? 0 : 1);
