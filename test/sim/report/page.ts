import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../editor/fetch.ts';
import type { PartName } from '../plan.ts';
import type { Trial } from '../trial.ts';
import { figures } from './figures.ts';
import {
  adversaryTable,
  baselineTable,
  calibrationTable,
  familiesTable,
  goals,
  honestTable,
  madeOf,
  parameterTable,
  sharingTable,
  surprises,
  sweepTable,
} from './tables.ts';

const PAGE = join(root, 'docs/risk.md');

/** Puts a table between its two markers on the page. Throws if the page has none of that name. */
export function filled(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- sim:${name} -->`, `<!-- /sim:${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/risk.md has no place for "${name}"`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

/** Writes the tables and pictures of docs/risk.md. */
export function writeReport(results: Record<PartName, readonly Trial[]>): void {
  const setA = [...results['honest-A'], ...results['sharing-A']];
  const setB = [...results['honest-B'], ...results['sharing-B']];
  const { sweeps } = results;
  const tables = {
    made: madeOf(setA, setB, sweeps),
    goals: goals(setB),
    honest: honestTable(setB),
    sharing: sharingTable(setA, setB),
    baselines: baselineTable(setB),
    families: familiesTable(setB),
    calibration: calibrationTable(setB),
    sweeps: sweepTable(sweeps),
    adversary: adversaryTable(sweeps),
    parameters: parameterTable(),
  };
  const page = Object.entries(tables).reduce(
    (text, [name, table]) => filled(text, name, table),
    readFileSync(PAGE, 'utf8'),
  );
  writeFileSync(PAGE, page);
  for (const [name, picture] of Object.entries(figures(setB, sweeps))) writeFileSync(join(root, 'docs', name), picture);
  for (const line of surprises([...setA, ...setB])) console.log(line);
}
