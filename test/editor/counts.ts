// How every kind of suite tells `npm test` what it counted: a reporter that prints as mocha does and leaves a line in a
// file. A suite that dies before its end leaves none, and that is a failure.
import { appendFileSync, readFileSync } from 'node:fs';
import Mocha from 'mocha';
import { keepFailures } from './failures.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** What failed: title and message, a line each. `npm test` repeats them where one looks, at its end. */
  failures?: string[];
}

/** Mocha's spec reporter; at the end it appends its counts to the file named by the environment's PERIGEE_COUNTS. */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const failures = keepFailures(runner);
    runner.once('end', () => {
      const { passes, failures: failed, pending } = this.stats;
      const counts: Counts = { passed: passes, failed, skipped: pending, failures };
      if (process.env.PERIGEE_COUNTS) appendFileSync(process.env.PERIGEE_COUNTS, `${JSON.stringify(counts)}\n`);
    });
  }
}

/** The sum of what the suites wrote into a counts file; undefined when there is no such file, so none of them ended. */
export function readCounts(file: string): Counts | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Counts)
    .reduce(add, { passed: 0, failed: 0, skipped: 0 });
}

export function add(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    failures: [...(a.failures ?? []), ...(b.failures ?? [])],
  };
}

/** `3 passed, 0 failed`, and how many were skipped if any. */
export function tell({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
}
