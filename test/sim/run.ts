// `npm run sim`: simulates accounts, judges them, and writes the tables and pictures of docs/risk.md. Without a name it
// runs every part and takes up to two hours. What each part found stays in sim-results/, so parts can run one by one:
//
//   npm run sim                                   all parts, then the report
//   npm run sim -- quick                          all parts, few accounts, without the report
//   npm run sim -- part honest-B                  one part: honest-A, sharing-A, honest-B, sharing-B, sweeps
//   npm run sim -- persona resale-10 heavy        these personas (or points of a sweep, as people:10)
//   npm run sim -- quantiles [persona …]          raw values of all signals, which the constants are fitted on
//   npm run sim -- report                         the report of what sim-results/ holds
//   npm run sim -- cases                          flags simulated accounts and exports them into test/sim/cases/
//   npm run sim -- http [persona …]               sends accounts through the real HTTP server and compares its rows
//
// `--set A|B` (personas and quantiles; A unless said), `--seeds N` (accounts of each), `--days N`, `--workers N`, and
// `--share S` and `--minutes N`: so much of each part's accounts (1 unless said), and as many as are done by then. Their
// number stands in the report.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../editor/fetch.ts';
import { type Job, run } from './crew.ts';
import { PERSONAS, personaNamed } from './personas/all.ts';
import { FULL, isHonest, PARTS, type PartName, QUICK, type Sizes, shareOf } from './plan.ts';
import { writeReport } from './report/page.ts';
import { quantileTables, summary } from './report/quantiles.ts';
import type { SetName } from './traffic/parameters.ts';
import type { Trial } from './trial.ts';

const FOLDER = join(root, 'sim-results');
const fileOf = (part: PartName) => join(FOLDER, `${part}.jsonl`);

interface Effort {
  workers: number;
  minutes: number;
}

async function timed(
  name: string,
  jobs: readonly Job[],
  { workers, minutes }: Effort,
  keep: (trials: readonly Trial[]) => void = () => {},
): Promise<Trial[]> {
  const began = performance.now();
  const isOver = () => performance.now() - began > minutes * 60_000;
  const accounts = jobs.reduce((sum, { from, to }) => sum + to - from, 0);
  let told = 0;
  const hears = (some: readonly Trial[], done: number) => {
    keep(some);
    if (done < told + 0.05) return;
    told = done;
    console.error(`${name}: ${Math.round(100 * done)} % of ${accounts} accounts`);
  };
  const trials = await run(jobs, workers, hears, isOver);
  const seconds = (performance.now() - began) / 1000;
  console.error(`${name}: ${trials.length} accounts in ${seconds.toFixed(0)} s with ${workers} workers`);
  return trials;
}

/** What is found is written as it comes, so that a run which is stopped leaves what it has found. */
async function runPart(name: PartName, sizes: Sizes, effort: Effort, isKept: boolean): Promise<void> {
  if (isKept) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(fileOf(name), '');
  }
  const keep = (trials: readonly Trial[]) =>
    appendFileSync(fileOf(name), trials.map((trial) => `${JSON.stringify(trial)}\n`).join(''));
  const trials = await timed(name, PARTS[name](sizes), effort, isKept ? keep : undefined);
  console.log(`\n${name}\n${summary(trials)}`);
}

const kept = (part: PartName): Trial[] =>
  readFileSync(fileOf(part), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Trial);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      set: { type: 'string', default: 'A' },
      workers: { type: 'string', default: '1' },
      seeds: { type: 'string' },
      days: { type: 'string' },
      minutes: { type: 'string', default: '600' },
      share: { type: 'string', default: '1' },
    },
  });
  const effort = { workers: Math.max(1, Number(values.workers)), minutes: Number(values.minutes) };
  const [what = 'all', ...names] = positionals;
  const sizes = shareOf(FULL, Number(values.share));
  const parts = Object.keys(PARTS) as PartName[];
  const some = (personas: readonly string[], seeds: number): Job[] =>
    personas.map((persona) => {
      const days = Number(values.days ?? (isHonest(personaNamed(persona)) ? 30 : 14));
      return {
        persona,
        set: values.set as SetName,
        from: 0,
        to: Number(values.seeds ?? seeds),
        days,
        firstDay: 'working',
      };
    });
  if (what === 'quick') for (const part of parts) await runPart(part, QUICK, effort, false);
  else if (what === 'part' && parts.includes(names[0] as PartName))
    await runPart(names[0] as PartName, sizes, effort, true);
  else if (what === 'persona' && names.length > 0) console.log(summary(await timed(what, some(names, 20), effort)));
  else if (what === 'quantiles') {
    const seen = PERSONAS.filter(({ isUnseen }) => values.set === 'B' || !isUnseen).map(({ name }) => name);
    const trials = await timed(what, some(names.length > 0 ? names : seen, 50), effort);
    const hours = [...new Set(trials.flatMap(({ snapshots }) => snapshots.map((one) => one.hours)))];
    console.log(
      [summary(trials), ...hours.sort((a, b) => a - b).map((one) => quantileTables(trials, one))].join('\n\n'),
    );
  } else if (what === 'http') {
    // Only this part needs the server.
    const { REPLAYED, replay } = await import('./http/replay.ts');
    const personas = names.length > 0 ? names : REPLAYED;
    const found = await replay(personas, values.set as SetName, Number(values.seeds ?? 3), Number(values.days ?? 7));
    console.log(`${found.accounts} accounts, ${found.days} account-days, ${found.requests} requests`);
    console.log(`${found.differences.length} rows differ${found.differences.map((line) => `\n  ${line}`).join('')}`);
  } else if (what === 'cases') {
    const { makeCases } = await import('./http/makeCases.ts');
    console.log((await makeCases()).join('\n'));
  } else if (what === 'all' || what === 'report') {
    if (what === 'all') for (const part of parts) await runPart(part, sizes, effort, true);
    writeReport(Object.fromEntries(parts.map((part) => [part, kept(part)])) as Record<PartName, Trial[]>);
  } else
    throw new Error(
      'Say quick, part NAME, persona NAME …, quantiles, cases, http, report, or nothing; see test/sim/run.ts',
    );
}

await main();
