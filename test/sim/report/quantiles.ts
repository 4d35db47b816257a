import type { SignalNumber } from '../../../server/risk/score/constants.ts';
import { SIGNALS } from '../../../server/risk/score/constants.ts';
import type { Trial } from '../trial.ts';
import { quantile } from './statistics.ts';

const SHOWN = [0.01, 0.1, 0.5, 0.9, 0.99, 0.999];
const short = (value: number) =>
  Number.isNaN(value) ? '' : Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();

/** For each signal: what each persona shows of its raw value after so many hours. */
export function quantileTables(trials: readonly Trial[], hours: number): string {
  const personas = [...new Set(trials.map(({ persona }) => persona))];
  const snapshotsOf = (persona: string) =>
    trials
      .filter((one) => one.persona === persona)
      .flatMap(({ snapshots }) => snapshots.filter((one) => one.hours === hours));
  const numbers = Object.keys(SIGNALS).map(Number) as SignalNumber[];
  const table = (title: string, valuesOf: (persona: string) => number[]) => {
    const rows = personas.flatMap((persona) => {
      const values = valuesOf(persona);
      if (values.length === 0 || values.every((value) => value === 0)) return [];
      return [`| ${persona} | ${values.length} | ${SHOWN.map((q) => short(quantile(values, q))).join(' | ')} |`];
    });
    if (rows.length === 0) return '';
    const head = `| persona | n | ${SHOWN.map((q) => `p${Number((100 * q).toFixed(1))}`).join(' | ')} |`;
    return `### ${title}, after ${hours} h\n${head}\n|---|---|${SHOWN.map(() => '---|').join('')}\n${rows.join('\n')}\n`;
  };
  return [
    ...numbers.map((signal) =>
      table(`Signal ${signal}: ${SIGNALS[signal].name}`, (persona) =>
        snapshotsOf(persona).flatMap(({ values }) => values[signal - 1] ?? []),
      ),
    ),
    ...(['P', 'T', 'I', 'X'] as const).map((family) =>
      table(`Family ${family}`, (persona) => snapshotsOf(persona).map(({ families }) => families[family])),
    ),
    table('Λ', (persona) => snapshotsOf(persona).map(({ lambda }) => lambda)),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

/** One line a persona: how often flagged by when, and what it cost. */
export function summary(trials: readonly Trial[]): string {
  const personas = [...new Set(trials.map(({ persona }) => persona))];
  const lines = personas.map((persona) => {
    const own = trials.filter((one) => one.persona === persona);
    const flagged = (hours: number) => own.filter(({ flaggedAt }) => flaggedAt !== null && flaggedAt <= hours).length;
    const mean = (of: (one: Trial) => number) => own.reduce((sum, one) => sum + of(one), 0) / own.length;
    return [
      persona.padEnd(32),
      ...[own.length, flagged(12), flagged(24), flagged(168), flagged(Number.POSITIVE_INFINITY)],
      own.filter(({ notEnoughAt }) => notEnoughAt !== null).length,
      own.filter(({ isAdvised }) => isAdvised).length,
      ...[mean(({ highest }) => highest).toFixed(1), Math.max(...own.map(({ highest }) => highest)).toFixed(1)],
      ...[mean(({ requests }) => requests).toFixed(0), Math.max(...own.map(({ bytes }) => bytes))],
      mean(({ ms }) => ms).toFixed(0),
    ]
      .map((cell) => String(cell).padStart(7))
      .join(' ');
  });
  const head = ['persona'.padEnd(32), 'n', '≤12h', '≤24h', '≤7d', 'ever', 'notEn', 'advice', 'Λmean', 'Λmax'];
  return [[...head, 'reqs', 'bytes', 'ms'].map((cell) => cell.padStart(7)).join(' '), ...lines].join('\n');
}
