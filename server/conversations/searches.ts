import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { iso } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';

/** How many searches of one account run at once on a node. Further ones queue. */
const AT_ONCE = 2;
/** How many may queue, so that a fast typist gets every result even if each search is slow. */
const IN_LINE = 10;
/** Twice the requests of a user who types without a pause. */
const A_MINUTE = 240;

/** Keeps one account's searches from blocking those of others. Counted per node, because searches cost no credits. */
export class Searches {
  readonly #counts = new RateLimiterMemory({ points: A_MINUTE, duration: 60 });
  /** Running and queued searches, by account. */
  readonly #open = new Map<string, { running: number; line: (() => void)[] }>();

  constructor(private readonly now: () => number) {}

  /** Runs a search when it is next in line. Throws `rate_limited`. */
  async run<T>(accountId: string, search: () => Promise<T>): Promise<T> {
    await this.#counts.consume(accountId).catch((refusal) => {
      if (refusal instanceof RateLimiterRes) throw this.#refuse(refusal.msBeforeNext);
      throw refusal;
    });
    const open = this.#open.get(accountId) ?? { running: 0, line: [] };
    this.#open.set(accountId, open);
    if (open.running >= AT_ONCE) {
      if (open.line.length >= IN_LINE) throw this.#refuse(1_000);
      // A search that ends gives its slot to the next one.
      await new Promise<void>((turn) => open.line.push(turn));
    } else open.running++;
    try {
      return await search();
    } finally {
      const next = open.line.shift();
      if (next) next();
      else if (--open.running === 0) this.#open.delete(accountId);
    }
  }

  #refuse(waitMs: number): AppError {
    return new AppError(
      'rate_limited',
      `You may search ${A_MINUTE} times a minute, and ${AT_ONCE + IN_LINE} times at once. Try again in ${Math.ceil(waitMs / 1000)} s.`,
      {
        retryAt: iso(this.now() + waitMs),
        limit: { name: 'searches', limit: A_MINUTE, left: 0, needed: 1, windowSeconds: 60 },
      },
      { headers: { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) } },
    );
  }
}
