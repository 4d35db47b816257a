import assert from 'node:assert/strict';
import { when } from '../../server/web/kit/format.ts';
import type { Balance, Notice } from '../../shared/account.ts';
import { changesAt, type Timers, Waking, wordsChangeAt } from '../../shared/waking.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A machine's clock and timers, which the test moves. Timers go by a clock of their own, which nobody sets. */
class Machine implements Timers {
  longest = 0;
  readonly timers = new Map<number, { act: () => void; due: number }>();
  private wall = Date.parse('2026-11-21T10:00:00Z');
  private ran = 0;
  private ids = 0;
  now = () => this.wall + this.ran;
  random = () => 0.5;
  set = (act: () => void, ms: number) => {
    this.longest = Math.max(this.longest, ms);
    this.timers.set(++this.ids, { act, due: this.ran + ms });
    return this.ids;
  };
  clear = (timer: unknown) => void this.timers.delete(timer as number);
  /** Time goes by, timers in their order. */
  pass(ms: number): void {
    const end = this.ran + ms;
    for (;;) {
      const [next] = [...this.timers].sort(([, a], [, b]) => a.due - b.due);
      if (!next || next[1].due > end) break;
      this.timers.delete(next[0]);
      this.ran = next[1].due;
      next[1].act();
    }
    this.ran = end;
  }
  /** The clock is set, or the machine has slept. */
  jump(ms: number): void {
    this.wall += ms;
  }
}

describe('what changes by time alone', () => {
  let machine: Machine;
  let woken: number[];
  let waking: Waking;
  beforeEach(() => {
    machine = new Machine();
    woken = [];
    waking = new Waking(() => woken.push(machine.now()), machine);
  });
  const began = Date.parse('2026-11-21T10:00:00Z');

  for (const [title, ms] of [
    ['in a second', 1000],
    ['in five hours', 5 * HOUR],
    ['in 30 days, longer than any timer can wait', 30 * DAY],
    ['in a year', 365 * DAY],
  ] as const)
    it(`is looked at just after its instant: ${title}`, () => {
      waking.watch([began + ms]);
      machine.pass(ms);
      assert.deepEqual(woken, []);
      machine.pass(5000);
      assert.equal(woken.length, 1);
      assert.ok(machine.longest < 2 ** 31);
    });

  it('is looked at at the first of several instants, and at the next when it is told anew', () => {
    waking.watch([began + 2 * HOUR, began + HOUR]);
    machine.pass(HOUR + 5000);
    assert.equal(woken.length, 1);
    waking.watch([began + 2 * HOUR]);
    machine.pass(HOUR);
    assert.equal(woken.length, 2);
    machine.pass(DAY);
    waking.watch([]);
    const before = woken.length;
    machine.pass(DAY);
    assert.equal(woken.length, before, 'nothing is awaited');
  });

  it('is looked at again, less and less often, while the server’s clock is behind or nobody is reached', () => {
    waking.watch([began + HOUR]);
    machine.pass(HOUR + 5000);
    assert.equal(woken.length, 1);
    machine.pass(10 * MINUTE);
    const tries = woken.length;
    assert.ok(tries >= 4 && tries <= 6, `${tries}`);
    machine.pass(2 * HOUR);
    assert.ok(woken.length - tries <= 13);
    // The same past instant told anew is no reason to ask at once.
    waking.watch([began + HOUR]);
    const before = woken.length;
    machine.pass(20_000);
    assert.equal(woken.length, before);
  });

  it('is noticed within a minute after the machine has slept past it', () => {
    waking.watch([began + HOUR]);
    machine.jump(3 * HOUR);
    machine.pass(MINUTE);
    assert.equal(woken.length, 1);
  });

  it('follows a clock that is set back, and one that is set forward', () => {
    waking.watch([began + HOUR]);
    machine.pass(30 * MINUTE);
    machine.jump(-2 * HOUR);
    machine.pass(2 * HOUR);
    assert.deepEqual(woken, []);
    machine.jump(HOUR);
    machine.pass(MINUTE);
    assert.equal(woken.length, 1);
  });

  it('is watched no more once it is stopped', () => {
    waking.watch([began + 1000]);
    waking.stop();
    machine.pass(DAY);
    assert.deepEqual([woken, machine.timers.size], [[], 0]);
  });

  it('are windows, a suspension, the end of an account, of a notice, and of the day', () => {
    const windows = [
      { nextFreeAt: '2026-11-21T12:00:00Z', allFreeAt: '2026-11-21T14:00:00Z' },
      { nextFreeAt: null, allFreeAt: null },
    ] as Balance['windows'];
    const account = { suspended: { until: '2026-12-01T00:00:00Z' }, closing: { goneAt: '2026-12-21T00:00:00Z' } };
    const notices = [{ until: '2026-11-21T11:00:00Z' }, {}] as Notice[];
    const found = changesAt(account as never, { windows } as Balance, began, notices);
    const tomorrow = new Date(2026, 10, new Date(began).getDate() + 1).getTime();
    assert.deepEqual(found, [
      ...['2026-11-21T12:00:00Z', '2026-11-21T14:00:00Z', '2026-12-01T00:00:00Z', '2026-12-21T00:00:00Z'].map(
        Date.parse,
      ),
      Date.parse('2026-11-21T11:00:00Z'),
      tomorrow,
    ]);
    assert.equal(changesAt(null, null, began).length, 1);
  });
});

describe('words for an instant that has passed', () => {
  it('change when they are told to, and not before', () => {
    const at = Date.parse('2026-11-21T10:00:00Z');
    const words = (now: number) => when(new Date(at).toISOString(), now);
    const seen: string[] = [];
    for (let now = at; Number.isFinite(now); ) {
      const next = wordsChangeAt(at, now);
      seen.push(words(now));
      if (!Number.isFinite(next)) break;
      assert.ok(next > now);
      assert.equal(words(next - 1), words(now));
      assert.notEqual(words(next + 1), words(now));
      now = next + 1;
    }
    assert.deepEqual(seen.slice(0, 3), ['just now', 'a minute ago', '2 minutes ago']);
    assert.deepEqual(seen.slice(59, 62), ['59 minutes ago', 'an hour ago', '2 hours ago']);
    assert.equal(seen.length, 60 + 23 + 1);
  });
});
