import type { LimitName } from '../../../shared/problems.ts';

/**
 * Limits by a sliding log: every run of the last minute is a row, so that in no minute, wherever it begins, there is more
 * than the limit. A fixed window lets twice as much through at its edge, and a counter with a weighted last window only
 * guesses what a correction takes off. There are at most as many rows as the limit on requests allows.
 */
export const MINUTE_MS = 60_000;

/** What may be asked for in any minute. */
export interface Limits {
  requestsPerMinute: number;
  modelRequestsPerMinute: number;
  tokensPerMinute: number;
}

/** A run that counts. Its tokens are what was reserved, from its end on what it used. */
export interface LimitUse {
  model: string;
  tokens: number;
  at: number;
}

/** All runs that count, and those of one model. */
export interface WindowSums {
  requests: number;
  modelRequests: number;
  tokens: number;
  firstAt: number | null;
  firstOfModelAt: number | null;
}

/** One limit, and what there is of it for a request that needs so much. */
export interface LimitState {
  name: LimitName;
  limit: number;
  left: number;
  needed: number;
  /** When more of it frees up, in epoch milliseconds; null when nothing is used. */
  freeAt: number | null;
}

/** Runs from later than this count at `now`. */
export const minuteStart = (now: number) => now - MINUTE_MS;

/**
 * The limits at an instant, for a request of `tokens` tokens. One that needs more tokens than a minute has needs the whole
 * minute: it is answered when nothing else was asked, instead of never.
 */
export function limitStates(limits: Limits, sums: WindowSums, tokens: number): LimitState[] {
  const state = (name: LimitName, limit: number, used: number, needed: number, firstAt: number | null) => ({
    name,
    limit,
    left: Math.max(0, limit - used),
    needed,
    freeAt: firstAt === null ? null : firstAt + MINUTE_MS,
  });
  const { requestsPerMinute, modelRequestsPerMinute, tokensPerMinute } = limits;
  return [
    state('requests', requestsPerMinute, sums.requests, 1, sums.firstAt),
    state('model-requests', modelRequestsPerMinute, sums.modelRequests, 1, sums.firstOfModelAt),
    state('tokens', tokensPerMinute, sums.tokens, Math.min(tokens, tokensPerMinute), sums.firstAt),
  ];
}

export const isExceeded = ({ left, needed }: LimitState) => needed > left;

/** When a limit that refused a request for `model` has room for it, if nothing else is asked; `uses` are of the minute. */
export function freeAt({ name, limit, needed }: LimitState, uses: readonly LimitUse[], model: string): number {
  const counted = uses
    .filter((use) => name !== 'model-requests' || use.model === model)
    .map((use) => ({ at: use.at, amount: name === 'tokens' ? use.tokens : 1 }))
    .toSorted((a, b) => a.at - b.at);
  let left = limit - counted.reduce((sum, { amount }) => sum + amount, 0);
  for (const { at, amount } of counted) {
    left += amount;
    if (left >= needed) return at + MINUTE_MS;
  }
  throw new Error('limits: more is needed than there is');
}
