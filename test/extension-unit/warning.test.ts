import assert from 'node:assert/strict';
import type { Memento } from 'vscode';
import { CreditWarning, judge } from '../../extension/quota/warning.ts';
import type { Account, Balance } from '../../shared/account.ts';

const M = 1_000_000;
const balance = (part: Partial<Balance> = {}): Balance => ({
  availableMicro: 87 * M,
  pendingMicro: 0,
  ofMicro: 100 * M,
  promotionalMicro: 0,
  purchasedMicro: 0,
  windows: [],
  ...part,
});
const left = (credits: number, part: Partial<Balance> = {}) => balance({ availableMicro: credits * M, ...part });
const guest = (messages: number) =>
  balance({ availableMicro: messages * M, ofMicro: 10 * M, guestMessagesLeft: messages });
/** A plan of 50 in 5 hours and 200 in 7 days, with so much used, and own credit beyond. */
const plan = (used: [number, number], beyond = 0) =>
  balance({
    availableMicro: (Math.min(50 - used[0], 200 - used[1]) + beyond) * M,
    ofMicro: (50 + beyond) * M,
    purchasedMicro: beyond * M,
    windows: used.map((usedCredits, i) => ({
      name: ['5 hours', '7 days'][i]!,
      usedMicro: usedCredits * M,
      limitMicro: [50, 200][i]! * M,
      nextFreeAt: null,
      nextFreeMicro: 0,
      allFreeAt: null,
    })),
  });

describe('the warning of low credit', () => {
  const cases: [string, Balance, Account['kind'], isLow: boolean][] = [
    ['a member in plenty', left(87), 'member', false],
    ['exactly a tenth', left(10), 'member', false],
    ['below a tenth', left(9.999999), 'member', true],
    ['nothing left', left(0), 'member', true],
    ['a whole of nothing', left(0, { ofMicro: 0 }), 'member', false],
    ['a guest with two messages', guest(2), 'guest', false],
    ['a guest with one message', guest(1), 'guest', true],
    ['a guest with none', guest(0), 'guest', true],
    ['a plan with its window at 89 %', plan([44.5, 50]), 'member', false],
    ['a plan with its window at 90 % and nothing beyond', plan([45, 50]), 'member', true],
    ['a plan with its window at 90 % and little beyond', plan([45, 50], 4), 'member', true],
    ['a plan with its window used up and credit beyond', plan([50, 50], 20), 'member', false],
    ['a plan with its longer window at 90 %', plan([10, 180]), 'member', true],
  ];
  for (const [name, given, kind, isLow] of cases) {
    it(`${isLow ? 'is given once' : 'is not given'} to ${name}`, () => {
      assert.equal(judge(given, kind, false), isLow ? 'warn' : 'nothing');
      assert.equal(judge(given, kind, true), isLow ? 'nothing' : 'rearm');
    });
  }

  it('is never given where nothing is limited', () => {
    assert.equal(judge(left(0, { unlimited: true }), 'member', false), 'nothing');
  });

  it('waits for the running answer, whose hold is the worst case', () => {
    assert.equal(judge(left(5, { pendingMicro: 80 * M }), 'member', false), 'nothing');
    assert.equal(judge(left(50, { pendingMicro: 1 }), 'member', true), 'nothing');
  });

  describe('over time', () => {
    const one: Account = { id: crypto.randomUUID(), kind: 'member', createdAt: '2026-11-01T00:00:00Z' };
    const other: Account = { ...one, id: crypto.randomUUID() };
    /** What is shown of looks at these balances; a restart of the editor before each. */
    function shown(looks: [Account, number][]): string[] {
      const stored = new Map<string, unknown>();
      const memory = {
        get: (key: string, otherwise: unknown) => stored.get(key) ?? otherwise,
        update: async (key: string, value: unknown) => {
          if (value === undefined) stored.delete(key);
          else stored.set(key, value);
        },
      } as unknown as Memento;
      const told: string[] = [];
      for (const [account, credits] of looks) {
        const warning = new CreditWarning(memory, ({ id }) => told.push(`${id} ${credits}`));
        warning.look(account, left(credits));
      }
      return told;
    }

    it('is given once, not at each message, and again after there was more, also over restarts', () => {
      const looks = [50, 9, 8, 0, 100, 90, 9.5, 9].map((credits): [Account, number] => [one, credits]);
      assert.deepEqual(shown(looks), [`${one.id} 9`, `${one.id} 9.5`]);
    });

    it('is given to each account', () => {
      const looks: [Account, number][] = [
        [one, 9],
        [other, 9],
        [one, 8],
        [other, 8],
      ];
      assert.deepEqual(shown(looks), [`${one.id} 9`, `${other.id} 9`]);
    });
  });
});
