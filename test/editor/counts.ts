// How each suite reports its counts to `npm test`: a mocha reporter that prints as usual and appends a line to a file.
// A suite that dies early appends none, which counts as a failure.
import { appendFileSync, readFileSync } from 'node:fs';
import Mocha from 'mocha';
import { keepFailures } from './failures.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** The failed tests: title and message, a line each. `npm test` repeats them at the end of its output. */
  failures?: string[];
}

/** Mocha's spec reporter. At the end, it appends its counts to the file named by the environment's PERIGEE_COUNTS. */
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

/** The sum of all counts in a file; undefined if the file does not exist, so that no suite ended. */
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

/** `3 passed, 0 failed`, and the number of skipped tests if there are any. */
export function tell({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
}
