// Imports nothing from Node: suites in a web worker's extension host use this too.
import type { Runner } from 'mocha';

/** Collects the failures of a runner while it runs. */
export function keepFailures(runner: Runner): string[] {
  const failures: string[] = [];
  runner.on('fail', (test, error) => {
    const reason = (error?.message ?? String(error)).replace(/\s+/g, ' ').slice(0, 300);
    failures.push(`${test.fullTitle()}: ${reason}`);
  });
  return failures;
}
