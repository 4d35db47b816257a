import type { NotRefunded, RunState } from '../../../shared/runs.ts';

export const DAY_MS = 24 * 60 * 60_000;

/** How an edit that came to nothing is refunded: what a client alone can know is taken from it soon, and not too often. */
export interface RefundLimits {
  withinMinutes: number;
  perDay: number;
}

/** What is known when an edit's outcome is told for the first time. */
export interface Told {
  /** Parts that could be put in place. */
  applied: number;
  state: RunState;
  chargedMicro: number;
  /** Since the run's end; below 0 when a clock was set back. */
  afterMs: number;
  /** Refunds of this kind that the account got in the last 24 hours. */
  refundedToday: number;
}

/** Why an edit's charge stays, or null where it is refunded. */
export function whyNotRefunded(told: Told, limits: RefundLimits): NotRefunded | null {
  if (told.chargedMicro === 0) return 'not_charged';
  if (told.applied > 0) return 'applied';
  if (told.state !== 'complete') return 'not_complete';
  if (told.afterMs > limits.withinMinutes * 60_000) return 'late';
  if (told.refundedToday >= limits.perDay) return 'daily_limit';
  return null;
}
