import type { UpstreamError } from '../stream.ts';

/** So many failures in a row take a service out. One may be chance, two a restart. */
const FAILURES = 3;
/** How long a service is out at first, and at most. Each failed probe doubles the time. */
const OUT_MS = 5_000;
const LONGEST_OUT_MS = 2 * 60_000;
/** A refused key or an empty account is no matter of seconds. */
const REFUSED_MS = 60_000;
/** A service may ask for any rest; after this one it is tried again. */
const LONGEST_REST_MS = 2 * 60_000;

/** `out`: it fails. `resting`: it asked for a pause. `probing`: it was out, and one request tries whether it is back. */
export type Condition = 'well' | 'out' | 'resting' | 'probing';

/**
 * What is known of one service's health, from its own answers alone: a health check says nothing of its models. Pure;
 * all times are in ms of the same clock.
 */
export class Breaker {
  #failures = 0;
  #outMs = 0;
  #outUntil = 0;
  #restsUntil = 0;
  #probes = 0;

  condition(now: number): Condition {
    if (now < this.#restsUntil) return 'resting';
    if (this.#outMs === 0) return 'well';
    if (now < this.#outUntil) return 'out';
    return this.#probes > 0 ? 'probing' : 'well';
  }

  /** When it may be asked again; in the past if it may be now. */
  get backAt(): number {
    return Math.max(this.#outUntil, this.#restsUntil);
  }

  /** How much of the pause that it asked for is left. */
  restMs(now: number): number {
    return Math.max(0, this.#restsUntil - now);
  }

  /** A request goes to the service. Call the returned function when it has an answer, or will have none. */
  begin(): () => void {
    if (this.#outMs === 0) return () => {};
    this.#probes++;
    return () => this.#probes--;
  }

  /** An answer has begun: the service is back. It may still break off in the middle, so its failures stay counted. */
  began(): void {
    this.#outMs = 0;
    this.#outUntil = 0;
  }

  /** An answer has come to its end. */
  succeeded(): void {
    this.began();
    this.#failures = 0;
  }

  /** Returns whether this took the service out. A request that was at fault itself, or a
   * model that it lacks, says nothing of the service. */
  failed({ code, options }: UpstreamError, now: number): boolean {
    if (options.isRequests || options.isModels || code === 'context_too_long') return false;
    if (code === 'upstream_busy' && options.retryAfterMs !== undefined) {
      this.#restsUntil = now + Math.min(options.retryAfterMs, LONGEST_REST_MS);
      return false;
    }
    // Requests that were on their way when it went out bring their failures one after the other.
    if (now < this.#outUntil) return false;
    // A timeout has cost its user a minute: the next one must not wait as long.
    this.#failures += code === 'upstream_timeout' || code === 'upstream_refused' ? FAILURES : 1;
    if (this.#outMs === 0 && this.#failures < FAILURES) return false;
    const longer = this.#outMs === 0 ? OUT_MS : Math.min(this.#outMs * 2, LONGEST_OUT_MS);
    this.#outMs = code === 'upstream_refused' ? Math.max(longer, REFUSED_MS) : longer;
    this.#outUntil = now + this.#outMs;
    return true;
  }
}
