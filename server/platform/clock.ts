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

/** ISO 8601 in UTC, the wire's form of times. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
