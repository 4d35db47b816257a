// Runs inside the extension host: mocha over the suites that test.ts bundled with it.
import { format } from 'node:util';
import Mocha from 'mocha';
import CountingReporter from './counts.ts';

/** Begins each line of mocha's: everything else that an extension host prints goes the same way. */
export const mark = '[suites] ';

Mocha.reporters.Base.consoleLog = (...args: unknown[]) => {
  for (const line of format(...args).split('\n')) console.log(mark + line);
};

/**
 * Runs suites with mocha's `describe`/`it`. `load` requires them; it is called when those globals exist.
 * Rejects when a test failed, so that the editor ends with a code other than 0.
 */
export async function runSuites(load: () => void): Promise<void> {
  const mocha = new Mocha({
    ui: 'bdd',
    color: false,
    timeout: 20_000,
    reporter: CountingReporter,
    grep: process.env.PERIGEE_TEST_GREP,
  });
  mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_PRE_REQUIRE, globalThis, 'suites', mocha);
  load();
  const failures = await new Promise<number>((done) => {
    mocha.run(done);
  });
  if (failures > 0) throw new Error(`${failures} of the extension's tests failed.`);
}
