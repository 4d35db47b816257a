import assert from 'node:assert/strict';
import { whatIsLeft } from '../../extension/chat/webview/format.ts';
import {
  formatInstant,
  formatNumber,
  formatSpentWithUnit,
  formatWindowFrees,
  formatWindowLeft,
  formatWindowUse,
  meter,
  spentOn,
  startOfDay,
  windowShareLeft,
} from '../../extension/quota/words/format.ts';
import type { Account, Balance } from '../../shared/account.ts';
import { creditsLeft, creditsSpent } from '../../shared/money/amounts.ts';

const balance = (part: Partial<Balance>): Balance => ({
  availableMicro: 87_000_000,
  pendingMicro: 0,
  ofMicro: 100_000_000,
  promotionalMicro: 0,
  purchasedMicro: 0,
  windows: [],
  ...part,
});
const guest = (left: number, part: Partial<Balance> = {}) =>
  balance({ availableMicro: left * 1_000_000, ofMicro: 10_000_000, guestMessagesLeft: left, ...part });

describe('the meter', () => {
  const cases: [string, Balance, 'guest' | 'member', string, string][] = [
    ['a member in plenty', balance({}), 'member', '87 of 100 credits', 'normal'],
    ['two decimals, rounded down', balance({ availableMicro: 86_999_999 }), 'member', '86.99 of 100 credits', 'normal'],
    [
      'a hold is still theirs',
      balance({ availableMicro: 80_000_000, pendingMicro: 7_000_000 }),
      'member',
      '87 of 100 credits',
      'normal',
    ],
    ['exactly 20 % is not low', balance({ availableMicro: 20_000_000 }), 'member', '20 of 100 credits', 'normal'],
    ['below 20 % is low', balance({ availableMicro: 19_999_999 }), 'member', '19.99 of 100 credits', 'low'],
    ['nothing', balance({ availableMicro: 0 }), 'member', '0 credits', 'empty'],
    ['less than can be shown is nothing', balance({ availableMicro: 9_999 }), 'member', '0 credits', 'empty'],
    [
      'thousands',
      balance({ availableMicro: 1_204_500_000, ofMicro: 2_000_000_000 }),
      'member',
      '1,204.5 of 2,000 credits',
      'normal',
    ],
    ['no grant yet', balance({ availableMicro: 5_000_000, ofMicro: 0 }), 'member', '5 credits', 'normal'],
    [
      'more than there was, for some came back',
      balance({ availableMicro: 105_000_000 }),
      'member',
      '105 of 105 credits',
      'normal',
    ],
    ['a little less than all', balance({ availableMicro: 99_996_000 }), 'member', '99.99 of 100 credits', 'normal'],
    ['a fresh guest', guest(10), 'guest', '10 of 10 messages', 'normal'],
    ['a guest whose answer runs', guest(6, { pendingMicro: 1_000_000 }), 'guest', '6 of 10 messages', 'normal'],
    ['a guest with the last one', guest(1), 'guest', '1 of 10 messages', 'low'],
    ['a guest without any', guest(0), 'guest', '0 messages', 'empty'],
    ['messages at half a credit', guest(10, { guestMessagesLeft: 20 }), 'guest', '20 of 20 messages', 'normal'],
    [
      'messages at 3 credits',
      balance({ availableMicro: 10_000_000, ofMicro: 30_000_000, guestMessagesLeft: 3 }),
      'guest',
      '3 of 9 messages',
      'normal',
    ],
  ];
  for (const [title, value, kind, text, severity] of cases) {
    it(`${title}: ${text}, ${severity}`, () => {
      const { text: shown, severity: seen } = meter(value, kind);
      assert.deepEqual([shown, seen], [text, severity]);
    });
  }
});

describe('one balance', () => {
  it('is the same number in the status bar and in the chat, whatever it is', () => {
    const member = { id: 'm', kind: 'member', createdAt: '' } as Account;
    for (const availableMicro of [0, 1, 9_999, 10_000, 99_000_000, 99_800_000, 99_996_000, 100_000_000, 1_204_500_000])
      for (const pendingMicro of [0, 200_000]) {
        const value = balance({ availableMicro, pendingMicro });
        assert.equal(whatIsLeft(value, member), `${meter(value, 'member').text} left`);
      }
  });
});

describe('amounts', () => {
  it('groups thousands and drops trailing zeros', () => {
    assert.deepEqual([0, 0.5, 12.4, 999, 1000, 1_234_567.891].map(formatNumber), [
      '0',
      '0.5',
      '12.4',
      '999',
      '1,000',
      '1,234,567.89',
    ]);
  });
  it('rounds what is left down, and does not call a small charge nothing', () => {
    assert.equal(creditsLeft(419_999), '0.41');
    assert.equal(creditsSpent(419_999), '0.42');
    assert.equal(creditsSpent(1), '< 0.01');
    assert.equal(creditsSpent(0), '0');
  });
  it('counts guests’ charges in messages', () => {
    assert.equal(formatSpentWithUnit(1_000_000, true), '1 message');
    assert.equal(formatSpentWithUnit(3_000_000, true), '3 messages');
    assert.equal(formatSpentWithUnit(420_000, false), '0.42 credits');
  });
});

describe('times', () => {
  const now = new Date('2026-11-21T10:00:00Z');
  it('names the time alone today and the day otherwise, always with the zone', () => {
    assert.equal(formatInstant('2026-11-21T12:20:00Z', now, 'Europe/Berlin'), '13:20 (UTC+1)');
    assert.equal(formatInstant('2026-11-26T08:00:00Z', now, 'Europe/Berlin'), 'Thu 26 Nov, 09:00 (UTC+1)');
    assert.equal(formatInstant('2026-11-21T12:20:00Z', now, 'UTC'), '12:20 (UTC)');
    assert.equal(formatInstant('2026-11-21T12:20:00Z', now, 'Asia/Kolkata'), '17:50 (UTC+5:30)');
  });
  it('takes the day of the zone, not of UTC', () => {
    assert.equal(formatInstant('2026-11-21T23:30:00Z', now, 'Europe/Berlin'), 'Sun 22 Nov, 00:30 (UTC+1)');
  });
  it('says of a window what it used and when it frees up', () => {
    const window = {
      name: '5 hours',
      usedMicro: 31_000_000,
      limitMicro: 50_000_000,
      nextFreeAt: '2026-11-21T13:20:00Z',
      nextFreeMicro: 19_000_000,
      allFreeAt: '2026-11-21T14:00:00Z',
    };
    assert.equal(formatWindowLeft(window), '19 of 50 left');
    assert.equal(windowShareLeft(window), 0.38);
    assert.equal(
      formatWindowUse(window, now, 'UTC'),
      '31 of 50 used, 19 free up at 13:20 (UTC), all of it at 14:00 (UTC)',
    );
    assert.equal(formatWindowLeft({ ...window, usedMicro: 60_000_000 }), '0 of 50 left', 'a limit that was lowered');
    assert.equal(formatWindowFrees(window, now, 'UTC'), '19 free up at 13:20 (UTC), all of it at 14:00 (UTC)');
    assert.equal(
      formatWindowFrees(window, new Date('2026-11-21T13:20:00Z'), 'UTC'),
      '19 free up now, all of it at 14:00 (UTC)',
      'no time in the past is promised',
    );
    assert.equal(formatWindowFrees(window, new Date('2026-11-21T14:00:00Z'), 'UTC'), 'all of it frees up now');
    assert.equal(
      formatWindowFrees({ ...window, usedMicro: 0, nextFreeAt: null, allFreeAt: null }, now),
      'all of it is free',
    );
  });
});

describe('what was spent today', () => {
  const spending = { chargedMicro: 12_000_000, runs: 3, conversations: [], keys: [] };
  const evening = new Date(2026, 10, 21, 23, 59, 59);
  const told = { from: startOfDay(evening), spending };
  it('is what was told of this day', () => assert.equal(spentOn(told, evening), spending));
  it('is unknown when that was another day, however it came to be told late', () => {
    assert.equal(spentOn(told, new Date(2026, 10, 22, 0, 0, 0)), undefined);
    assert.equal(spentOn(told, new Date(2026, 10, 20, 12)), undefined);
    assert.equal(spentOn(undefined, evening), undefined);
  });
});
