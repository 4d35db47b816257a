import assert from 'node:assert/strict';
import { mayBeLow } from '../../extension/quota/words/format.ts';
import { decide, type Level, levelOf, lowWords } from '../../extension/quota/words/lowLevel.ts';
import type { Account, Balance } from '../../shared/account.ts';

const C = 1_000_000;
const balance = (left: number, part: Partial<Balance> = {}): Balance => ({
  availableMicro: left * C,
  pendingMicro: 0,
  ofMicro: 100 * C,
  promotionalMicro: left * C,
  purchasedMicro: 0,
  windows: [],
  ...part,
});
/** A plan of 50 credits in 5 hours, so much of it used, and so many credits beyond. */
const planned = (used: number, beyond = 0): Balance =>
  balance(50 - used + beyond, {
    ofMicro: 50 * C,
    promotionalMicro: 0,
    purchasedMicro: beyond * C,
    windows: [
      {
        name: '5 hours',
        usedMicro: used * C,
        limitMicro: 50 * C,
        nextFreeAt: '2027-01-01T12:00:00Z',
        nextFreeMicro: 19 * C,
        allFreeAt: '2027-01-01T14:00:00Z',
      },
    ],
  });

/** A guest with so many free messages left, of so many, at one credit each. */
const free = (left: number, of = 10): Balance =>
  balance(left, { ofMicro: of * C, guestMessagesLeft: left, promotionalMicro: 0 });

describe('how much is left', () => {
  const cases: [string, Balance, Account['kind'], Level][] = [
    ['plenty', balance(87), 'member', 'fine'],
    ['20 % is fine', balance(20), 'member', 'fine'],
    ['10 % is neither', balance(10), 'member', 'between'],
    ['below 10 % is low', balance(9.99), 'member', 'low'],
    ['nothing is low', balance(0), 'member', 'low'],
    ['what is held for a running answer is still there', balance(5, { pendingMicro: 20 * C }), 'member', 'fine'],
    ['nothing was ever given: no share to fall below', balance(0, { ofMicro: 0 }), 'member', 'fine'],
    ['a window below 80 %', planned(39), 'member', 'fine'],
    ['a window at 80 %', planned(40), 'member', 'between'],
    ['a window at 90 %', planned(45), 'member', 'low'],
    ['a window that is full, with credits beyond', planned(50, 60), 'member', 'fine'],
    ['a window that is full, with hardly any credits beyond', planned(50, 2), 'member', 'low'],
    ['a plan without limits', planned(0), 'member', 'fine'],
    ['a guest with 4 of 10 messages', free(4), 'guest', 'fine'],
    ['a guest with 3 of 10, perhaps because an answer failed', free(3), 'guest', 'between'],
    ['a guest with 2 of 10', free(2), 'guest', 'low'],
    ['a guest with none', free(0), 'guest', 'low'],
    ['a guest with 4 of 100', free(4, 100), 'guest', 'between'],
    ['a guest with 3 of 100', free(3, 100), 'guest', 'low'],
    ['a guest with the one message there ever was', free(1, 1), 'guest', 'fine'],
    ['a guest of a server that gives no messages', free(0, 0), 'guest', 'fine'],
    ['local use is not limited', balance(0, { unlimited: true }), 'member', 'fine'],
  ];
  for (const [title, given, kind, level] of cases)
    it(`${title}: ${level}`, () => {
      assert.equal(levelOf(given, kind), level);
      // What loads the warning never misses one.
      if (level === 'low') assert.ok(mayBeLow(given));
    });
});

describe('the warning of little credit', () => {
  const cases: [string, string, number][] = [
    ['comes once while it falls', 'fine between low low low low', 1],
    ['comes at once where it is low from the start', 'low low', 1],
    ['does not come again for a wobble around the threshold', 'low between low between low', 1],
    ['comes again after it has risen and falls again', 'low between fine between low low', 2],
    ['never comes in plenty', 'fine between between fine', 0],
  ];
  for (const [title, levels, warnings] of cases)
    it(title, () => {
      let isTold = false;
      let count = 0;
      for (const level of levels.split(' ') as Level[]) {
        const decided = decide(isTold, level);
        if (decided.warns) count++;
        isTold = decided.isTold;
      }
      assert.equal(count, warnings);
    });

  it('tells a guest of free messages', () => {
    const guest: Account = { id: crypto.randomUUID(), kind: 'guest', createdAt: '2026-11-01T00:00:00Z' };
    assert.equal(lowWords(guest, free(2), new Date()), 'Perigee: 2 of 10 free messages left.');
    assert.equal(lowWords(guest, free(0), new Date()), 'Perigee: the free messages are used up.');
  });

  it('says what is left, and of a plan when the next part frees up', () => {
    const account: Account = { id: crypto.randomUUID(), kind: 'member', createdAt: '2026-11-01T00:00:00Z' };
    const now = new Date('2027-01-01T10:00:00Z');
    assert.equal(lowWords(account, balance(4.2), now), 'Perigee: 4.2 of 100 credits left.');
    const words = lowWords(account, planned(46), now);
    assert.match(
      words,
      /^Perigee: 4 of 50 credits left\. 5 hours: 19 free up at \d\d:\d\d \(UTC.*\), all of it at .*\.$/,
    );
  });
});
