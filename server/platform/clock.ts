import { LAST_INSTANT } from './values/numbers.ts';

/** Time and identifiers as arguments, so that tests can decide both. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
}

export interface Ids {
  /** A random UUID, in the order of time where it is stored. */
  next(): string;
  /** A secret of 32 random bytes, as 43 characters of base64url. */
  secret(): string;
}

/**
 * ISO 8601 in UTC, the wire's form of times. Contracts have years of four digits: what lies beyond becomes the first or the
 * last instant of them, so that one odd number makes no answer unreadable.
 */
export function iso(ms: number): string {
  return new Date(Math.min(Math.max(ms, FIRST_INSTANT), LAST_INSTANT)).toISOString();
}

const FIRST_INSTANT = Date.UTC(-1, 12);
