import type { NotRefunded, RunState } from '../../../shared/runs.ts';

export const DAY_MS = 24 * 60 * 60_000;

/**
 * When an edit that failed to apply is refunded. Only the client knows the outcome, so its report must come soon and
 * the number of refunds is limited.
 */
export interface RefundLimits {
  withinMinutes: number;
  perDay: number;
}

/** What is known when an edit's outcome is first reported. */
export interface Told {
  /** Parts that were applied. */
  applied: number;
  state: RunState;
  chargedMicro: number;
  /** Time since the run's end; negative if a clock was set back. */
  afterMs: number;
  /** Refunds of this kind that the account got in the last 24 hours. */
  refundedToday: number;
}

/** Why an edit's charge stays, or null if it is refunded. */
export function whyNotRefunded(told: Told, limits: RefundLimits): NotRefunded | null {
  if (told.chargedMicro === 0) return 'not_charged';
  if (told.applied > 0) return 'applied';
  if (told.state !== 'complete') return 'not_complete';
  if (told.afterMs > limits.withinMinutes * 60_000) return 'late';
  if (told.refundedToday >= limits.perDay) return 'daily_limit';
  return null;
}
