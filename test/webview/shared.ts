import assert from 'node:assert/strict';
import type { FromHost } from '../../extension/chat/protocol.ts';
import { Harness, type View } from './view.ts';

let harness: Promise<Harness> | undefined;

/** One browser for all suites of the chat view, started by the first that needs it. Suites open views of their own. */
export function sharedHarness(): Promise<Harness> {
  harness ??= Harness.start();
  return harness;
}

after(async () => {
  await (await harness)?.stop();
});

/**
 * Opens a view for each test of a suite and tells it what is given. Afterwards nothing was thrown in it, and nothing was left
 * to its policy to stop.
 */
export function eachView(take: (view: View) => void, told: () => FromHost[] = () => []): void {
  let harness: Harness;
  let view: View;
  before(async function () {
    this.timeout(180_000);
    harness = await sharedHarness();
  });
  beforeEach(async () => {
    view = await harness.open();
    take(view);
    if (told().length > 0) await view.tell(...told());
  });
  afterEach(async () => {
    const violations = await view.page.evaluate('fake.violations').finally(() => view.close());
    assert.deepEqual([...view.errors, ...(violations as string[])], []);
  });
}
