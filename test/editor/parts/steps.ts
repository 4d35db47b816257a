/**
 * For a suite that tells one story, in which each step stands on the one before: after a step that failed the others are
 * skipped. Mocha's own `bail` would leave out every later suite that has it, too, without a word.
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
