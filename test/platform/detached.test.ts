import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { catchFaults, detach } from '../../server/platform/detached.ts';

function told() {
  const faults: string[] = [];
  const lines: unknown[][] = [];
  const log = { error: (...line: unknown[]) => lines.push(line), fatal: (...line: unknown[]) => lines.push(line) };
  return { faults, lines, deps: { log: log as never, metrics: { faulted: (work: string) => void faults.push(work) } } };
}

describe('work that nobody awaits', () => {
  const failing: [string, () => unknown][] = [
    ['rejects', async () => Promise.reject(new Error('x'))],
    ['rejects with nothing', () => Promise.reject(null)],
    [
      'throws before it begins',
      () => {
        throw new Error('x');
      },
    ],
  ];
  for (const [title, work] of failing)
    it(`is logged and counted when it ${title}, and ends nothing`, async () => {
      const { faults, lines, deps } = told();
      detach(work, 'look', deps);
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([faults, lines.length], [['look'], 1]);
    });

  it('says nothing when it goes well', async () => {
    const { faults, lines, deps } = told();
    detach(async () => 7, 'look', deps);
    detach(() => undefined, 'look', deps);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([faults, lines], [[], []]);
  });
});

describe('the last catch of the process', () => {
  it('goes on after a rejected promise, and stops in order after an exception', () => {
    const { faults, lines, deps } = told();
    const process = new EventEmitter();
    let stops = 0;
    catchFaults(process, deps, () => {
      stops++;
    });
    process.emit('unhandledRejection', new RangeError('Invalid time value'));
    assert.equal(stops, 0);
    process.emit('uncaughtException', new Error('x'));
    assert.deepEqual([stops, faults, lines.length], [1, ['unhandled_rejection', 'uncaught_exception'], 2]);
  });
});
