import type { LimitName } from '../../../shared/problems.ts';

/**
 * Limits by a sliding log: every run of the last minute is a row, so that no minute, wherever it starts, exceeds the
 * limit. A fixed window lets twice the limit through at its edge, and a weighted counter can only estimate what a
 * correction takes off. The limit on requests bounds the number of rows.
 */
export const MINUTE_MS = 60_000;

/** What an account may request in any minute. */
export interface Limits {
  requestsPerMinute: number;
  modelRequestsPerMinute: number;
  tokensPerMinute: number;
}

/** A run that counts. Its tokens are those reserved, and after its end those used. */
export interface LimitUse {
  model: string;
  tokens: number;
  at: number;
}

/** Sums over all runs that count, and over those of one model. */
export interface WindowSums {
  requests: number;
  modelRequests: number;
  tokens: number;
  firstAt: number | null;
  firstOfModelAt: number | null;
}

/** One limit, and how much of it is left for a request that needs `needed`. */
export interface LimitState {
  name: LimitName;
  limit: number;
  left: number;
  needed: number;
  /** When more of it gets free, in epoch milliseconds; null if nothing is used. */
  freeAt: number | null;
}

/** Runs after this instant count at `now`. */
export const minuteStart = (now: number) => now - MINUTE_MS;

/**
 * The limits at an instant, for a request of `tokens` tokens. A request above the limit per minute needs the whole
 * minute: it passes if nothing else was requested, instead of never.
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

/** When the limit that refused a request for `model` has room, without further requests. `uses`: the minute's runs. */
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
