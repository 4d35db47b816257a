import assert from 'node:assert/strict';
import { type RefundLimits, type Told, whyNotRefunded } from '../../server/credits/rules/refundRule.ts';
import type { NotRefunded } from '../../shared/runs.ts';

const LIMITS: RefundLimits = { withinMinutes: 10, perDay: 5 };
const EDIT: Told = { applied: 0, state: 'complete', chargedMicro: 7, afterMs: 0, refundedToday: 0 };
const MINUTES = 60_000;

describe('an edit of which nothing could be applied', () => {
  const table: [title: string, told: Partial<Told>, why: NotRefunded | null, limits?: RefundLimits][] = [
    ['is refunded', {}, null],
    ['is refunded at the last instant', { afterMs: 10 * MINUTES }, null],
    ['is not refunded an instant later', { afterMs: 10 * MINUTES + 1 }, 'late'],
    ['is refunded when the clock was set back', { afterMs: -MINUTES }, null],
    ['is refunded the fifth time in a day', { refundedToday: 4 }, null],
    ['is not refunded the sixth time', { refundedToday: 5 }, 'daily_limit'],
    ['is not refunded where it cost nothing', { chargedMicro: 0 }, 'not_charged'],
    ['is not refunded when a part could be applied', { applied: 1 }, 'applied'],
    ['is not refunded when it was stopped', { state: 'stopped' }, 'not_complete'],
    ['is not refunded when it was interrupted', { state: 'interrupted' }, 'not_complete'],
    ['is not refunded when it failed', { state: 'failed' }, 'not_complete'],
    ['is told what it did before what was late', { applied: 1, afterMs: 1e9, refundedToday: 9 }, 'applied'],
    ['is told that it was late before how often', { afterMs: 1e9, refundedToday: 9 }, 'late'],
    ['is never refunded where the operator says so', {}, 'daily_limit', { withinMinutes: 10, perDay: 0 }],
    ['has to be told at once where the operator says so', { afterMs: 1 }, 'late', { withinMinutes: 0, perDay: 5 }],
  ];
  for (const [title, told, why, limits = LIMITS] of table)
    it(title, () => assert.equal(whyNotRefunded({ ...EDIT, ...told }, limits), why));
});
