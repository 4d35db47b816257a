import { LAST_INSTANT } from './values/numbers.ts';

/** Time and ids are passed in, so that tests can set both. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
}

export interface Ids {
  /** A random UUID. Ids that are stored are ordered by time. */
  next(): string;
  /** A secret of 32 random bytes, as 43 characters of base64url. */
  secret(): string;
}

/**
 * ISO 8601 in UTC, the form of all times on the wire. Contracts allow years of four digits. An instant outside that
 * range becomes its first or last instant, so that one odd number does not make a whole answer invalid.
 */
export function iso(ms: number): string {
  return new Date(Math.min(Math.max(ms, FIRST_INSTANT), LAST_INSTANT)).toISOString();
}

const FIRST_INSTANT = Date.UTC(-1, 12);
