// Without anything of Node's: suites in a web worker's extension host keep theirs too.
import type { Runner } from 'mocha';

/** Fills, while a runner runs, with what fails in it. */
export function keepFailures(runner: Runner): string[] {
  const failures: string[] = [];
  runner.on('fail', (test, error) => {
    const reason = (error?.message ?? String(error)).replace(/\s+/g, ' ').slice(0, 300);
    failures.push(`${test.fullTitle()}: ${reason}`);
  });
  return failures;
}
