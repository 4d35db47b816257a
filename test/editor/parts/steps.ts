/**
 * For a suite whose tests are steps that depend on the steps before: after a failure, the others are skipped. Mocha's
 * own `bail` would silently drop every later suite that has it too.
 */
export function inSteps(suite: Mocha.Suite): void {
  let isBroken = false;
  suite.beforeEach(function () {
    if (isBroken) this.skip();
  });
  suite.afterEach(function () {
    isBroken ||= this.currentTest?.state === 'failed';
  });
}
