// Runs inside the extension host, on Node or in a web worker: runs mocha on the suites bundled with it.
import Mocha from 'mocha';
import type { Counts } from './counts.ts';
import { keepFailures } from './failures.ts';

/** Marks mocha's output, because everything that an extension host prints uses the same channel. */
export const mark = '[suites] ';

// Without a terminal, the reader of this output fills in the pattern, so pass it on unchanged.
Mocha.reporters.Base.consoleLog = (pattern = '', ...args: unknown[]) => console.log(mark + pattern, ...args);

/**
 * Runs suites with mocha's `describe`/`it`. `load` requires the suites, once those globals exist. Reports the counts to
 * the stage server. Rejects if a test failed, so that the editor exits with a code other than 0.
 */
export async function runSuites(load: () => void): Promise<void> {
  const mocha = new Mocha({
    ui: 'bdd',
    color: false,
    timeout: 60_000,
    reporter: Mocha.reporters.Spec,
    grep: process.env.PERIGEE_TEST_GREP,
  });
  mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_PRE_REQUIRE, globalThis, 'suites', mocha);
  load();
  let failures: string[] = [];
  const { stats } = await new Promise<Mocha.Runner>((done) => {
    const runner = mocha.run(() => done(runner));
    failures = keepFailures(runner);
  });
  if (!stats) throw new Error('mocha counted nothing.');
  const counts: Counts = { passed: stats.passes, failed: stats.failures, skipped: stats.pending, failures };
  await fetch(`${process.env.PERIGEE_STAGE}/counts`, { method: 'POST', body: JSON.stringify(counts) });
  if (counts.failed > 0) throw new Error(`${counts.failed} of the extension's tests failed.`);
}
