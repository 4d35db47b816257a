import type { LimitState } from './limitWindow.ts';

const WINDOW_S = 60;

/**
 * The header fields of draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy` names the limits (q in w seconds; qu
 * is the unit if it is not requests), `RateLimit` says what is left of each (r), and in how many seconds more gets free
 * (t).
 */
export function rateLimitFields(states: readonly LimitState[], now: number): Record<string, string> {
  const policy = states.map(
    ({ name, limit }) => `"${name}";q=${limit};w=${WINDOW_S}${name === 'tokens' ? ';qu="tokens"' : ''}`,
  );
  const service = states.map(
    ({ name, left, freeAt }) => `"${name}";r=${left};t=${freeAt === null ? 0 : secondsUntil(freeAt, now)}`,
  );
  return { 'RateLimit-Policy': policy.join(', '), RateLimit: service.join(', ') };
}

/** Whole seconds, rounded up, so that the wait is long enough. */
export const secondsUntil = (at: number, now: number) => Math.max(1, Math.ceil((at - now) / 1000));
