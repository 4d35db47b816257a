// `npm run bench [-- name…]`: measures what the design sets goals for, and says which are reached. Nothing here can fail
// for being slow: a goal that is missed is printed as a miss. Times depend on the machine and on what else it does, so
// wherever a goal is a ratio, its yardstick runs in the same run. The numbers also go to bench-results.json.
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { root } from '../editor/fetch.ts';
import { accounts } from './accounts.ts';
import { auditing, tokenLog } from './books.ts';
import { dialects } from './dialects.ts';
import { editor } from './editor.ts';
import { edits } from './edits.ts';
import { engine } from './engine.ts';
import { firstToken } from './firstToken.ts';
import { judging } from './judging.ts';
import { ledger } from './ledger.ts';
import { nodes } from './nodes.ts';
import { type Finding, type Measure, reached } from './numbers.ts';
import { peers } from './peers/measure.ts';
import { retrieval } from './retrieval/measure.ts';
import { risk } from './risk.ts';
import { streams } from './streams.ts';
import { vsix } from './vsix.ts';
import { webview } from './webview.ts';

const measures: Measure[] = [
  vsix,
  engine,
  edits,
  ledger,
  accounts,
  auditing,
  tokenLog,
  dialects,
  firstToken,
  risk,
  judging,
  streams,
  peers,
  nodes,
  webview,
  editor,
  retrieval,
];

async function main(): Promise<number> {
  const names = process.argv.slice(2).filter((arg) => arg !== '--large');
  const large = process.argv.includes('--large');
  const unknown = names.find((name) => !measures.some((measure) => measure.name === name));
  if (unknown !== undefined) {
    const known = measures.map(({ name, about }) => `  ${name.padEnd(8)} ${about}`).join('\n');
    console.error(`There is no measure "${unknown}". These are:\n${known}`);
    return 2;
  }
  const results: { measure: string; seconds: number; load: number; findings: Finding[]; failure?: string }[] = [];
  for (const measure of measures.filter(({ name }) => names.length === 0 || names.includes(name))) {
    console.log(`\n=== ${measure.name}: ${measure.about}`);
    const began = performance.now();
    let findings: Finding[] = [];
    let failure: string | undefined;
    try {
      findings = await measure.run((line) => console.log(`  ${line}`), { large });
    } catch (error) {
      failure = (error as Error).message;
      console.error(error);
    }
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    results.push({ measure: measure.name, seconds, load: loadavg()[0]!, findings, failure });
  }
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
  const at = new Date().toISOString();
  const all = results.flatMap((result) => result.findings);
  const json = {
    at,
    machine,
    measures: results.map((result) => ({
      ...result,
      findings: result.findings.map((finding) => ({ ...finding, reached: reached(finding) })),
    })),
  };
  await writeFile(join(root, 'bench-results.json'), `${JSON.stringify(json, null, 2)}\n`);
  console.log(`\n${table(all)}\n`);
  const spent = results.map((r) => `${r.measure} ${r.seconds.toFixed(0)} s at load ${r.load.toFixed(1)}`).join(', ');
  console.log(`Node ${machine.node}, ${machine.cores} cores (${machine.cpu}). ${spent}.`);
  console.log('All of it stands in bench-results.json.');
  const failed = results.filter((result) => result.failure !== undefined);
  for (const { measure, failure } of failed) console.error(`${measure} could not be measured: ${failure}`);
  return failed.length > 0 ? 1 : 0;
}

function table(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => {
    const verdict = reached(finding);
    return [
      finding.what,
      `${shown(finding.value)} ${finding.unit}`,
      goalOf(finding),
      verdict === undefined ? '' : verdict ? 'ok' : 'MISS',
    ];
  });
  const head = ['what', 'value', 'goal', ''];
  const widths = head.map((title, i) => Math.max(...[title, ...rows.map((row) => row[i]!)].map((cell) => cell.length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => (i === 1 || i === 2 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  const body = rows.flatMap((row, i) => {
    const note = findings[i]!.note;
    return note ? [line(row), `    ${note}`] : [line(row)];
  });
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...body].join('\n');
}

function goalOf({ goal, unit }: Finding): string {
  if (!goal) return '';
  return 'atMost' in goal ? `< ${shown(goal.atMost)} ${unit}` : `≥ ${shown(goal.atLeast)} ${unit}`;
}

/** Three digits that matter: 0.87, 12.3, 2,550. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

process.exit(await main());
