import { Harness } from './view.ts';

let harness: Promise<Harness> | undefined;

/** One browser for all suites of the chat view, started by the first that needs it. Suites open views of their own. */
export function sharedHarness(): Promise<Harness> {
  harness ??= Harness.start();
  return harness;
}

after(async () => {
  await (await harness)?.stop();
});
