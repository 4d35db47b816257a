import { sql } from 'kysely';
import type { RateLimiterRes, RateLimiterStoreAbstract } from 'rate-limiter-flexible';
import rateLimiter from 'rate-limiter-flexible';
// @ts-expect-error The package declares this class at its index, where it does not export it.
import StoreAbstract from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js';
import type { Clock } from '../../platform/clock.ts';
import { iso } from '../../platform/clock.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import { AppError } from '../../platform/errors.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** How many web pages are read for one account in an hour. */
export const PAGES_PER_HOUR = 20;

/**
 * Limits: so many attempts in so many seconds, for each key. Limits of a mailbox are counted per requester (a browser,
 * a network, all strangers together), so that a stranger can't use up the owner's share. A browser that has signed in
 * by that mailbox has its own share.
 */
const LIMITS = {
  /** Code mails to one mailbox: within one sign-in; from one network; from all browsers that never signed in to it. */
  mailByFlow: { points: 3, duration: HOUR },
  mailByNetwork: { points: 6, duration: HOUR },
  mailByStrangers: { points: 12, duration: HOUR },
  mailByStrangersDay: { points: 20, duration: DAY },
  /** The same, from one browser or account that has signed in to it. */
  mailByKnown: { points: 6, duration: HOUR },
  mailByKnownDay: { points: 20, duration: DAY },
  /** Code mails requested from one network. */
  mailFrom: { points: 30, duration: HOUR },
  mailFromDay: { points: 200, duration: DAY },
  /** Wrong user codes of waiting devices, from one network or known browser. There are 20^8 possible codes. */
  userCode: { points: 20, duration: 600 },
  /** Devices that start to wait, on one network. */
  device: { points: 60, duration: 600 },
  /** Wrong codes of 32 random bytes, from one network. A right one is never refused. */
  grant: { points: 60, duration: 600 },
  /** Failed calls without a token from one network. They are counted before their body is read. */
  knock: { points: 1200, duration: 600 },
  /** Large requests of one account that were no runs: the server read each to its end. */
  misfit: { points: 10, duration: 600 },
  /** Prompts that one account had counted, in pieces of 64 KB: each is parsed and counted on this machine. */
  counting: { points: 1200, duration: 600 },
  /** How long searches of one account in its record of requests kept the database busy, in pieces of 100 ms. */
  record: { points: 300, duration: 600 },
  /** Wrong promotion codes: by one account, and by one network. */
  promotionCode: { points: 10, duration: HOUR },
  promotionCodeFrom: { points: 60, duration: HOUR },
  /** Titles that a model gives the chats of one account, which the house pays. */
  title: { points: 50, duration: DAY },
  titleOfGuest: { points: 2, duration: DAY },
  /** Pictures that one account sends: each is decoded on this machine. */
  picture: { points: 40, duration: HOUR },
  /** Web pages read for one account: this server's address is in the logs of others. */
  fetch: { points: PAGES_PER_HOUR, duration: HOUR },
  /**
   * Codes of a reviewer's second factor, which stand only with the browser's session. Of a million, three are right at
   * once: whoever has stolen the session guesses one within a day with a chance of 1 in 11,000.
   */
  deskCode: { points: 5, duration: 600 },
  deskCodeDay: { points: 30, duration: DAY },
  /** Wrong setup codes of a reviewer. They have 125 random bits. */
  deskSetup: { points: 10, duration: HOUR },
} as const;
export type Attempt = keyof typeof LIMITS;

/** The requester of a code mail. It is stored, so nothing in it may identify a person. */
export interface AttemptKeys {
  mailbox: string;
  network: string;
  /** The browser's sign-in, or the account, that requests the mail. */
  flow: string;
  /** The browser or account, if it has signed in to this mailbox before. */
  known: string | null;
}

/**
 * The limits that a code mail counts against. The narrowest comes first, so that a refused request uses up no other
 * share.
 */
export function mailShares({ mailbox, network, flow, known }: AttemptKeys): [Attempt, string][] {
  const of = (who: string) => `${mailbox}:${who}`;
  if (known !== null)
    return [
      ['mailByKnown', of(known)],
      ['mailByKnownDay', of(known)],
    ];
  return [
    ['mailByFlow', of(flow)],
    ['mailByNetwork', of(network)],
    ['mailFrom', network],
    ['mailFromDay', network],
    ['mailByStrangers', mailbox],
    ['mailByStrangersDay', mailbox],
  ];
}

/** Counts guesses and requested mails in the database, so that they survive restarts and count across nodes. */
export class Attempts {
  readonly #limiters: Record<Attempt, DatabaseLimiter>;

  constructor(
    db: Database,
    private readonly clock: Clock,
  ) {
    const made = Object.entries(LIMITS).map(([name, limit]) => [
      name,
      new DatabaseLimiter(db, clock, { keyPrefix: name, ...limit }),
    ]);
    this.#limiters = Object.fromEntries(made);
  }

  /**
   * Counts one attempt, or `points` of them; throws `too_many_attempts` above the limit. `key` is stored, so it must not
   * identify a person.
   */
  async count(attempt: Attempt, key: string, points = 1): Promise<void> {
    try {
      await this.#limiters[attempt].consume(key, points);
    } catch (error) {
      if (!(error instanceof rateLimiter.RateLimiterRes)) throw error;
      throw this.#refusal(error.msBeforeNext);
    }
  }

  /** Counts one attempt for each, in this order, up to the first refusal. */
  async countAll(attempts: readonly [Attempt, string][]): Promise<void> {
    for (const [attempt, key] of attempts) await this.count(attempt, key);
  }

  /** Counts one attempt, or `points` of them, without refusing; `check` refuses later ones. */
  async note(attempt: Attempt, key: string, points = 1): Promise<void> {
    await this.#limiters[attempt].penalty(key, points);
  }

  /** Takes back an attempt that turned out to be right. */
  async giveBack(attempt: Attempt, key: string): Promise<void> {
    await this.#limiters[attempt].reward(key);
  }

  /** Throws `too_many_attempts` if the limit is reached. Counts nothing. */
  async check(attempt: Attempt, key: string): Promise<void> {
    const state = await this.#limiters[attempt].get(key);
    if (state && state.remainingPoints <= 0) throw this.#refusal(state.msBeforeNext);
  }

  /** Whether `check` would pass. */
  async allows(attempt: Attempt, key: string): Promise<boolean> {
    const state = await this.#limiters[attempt].get(key);
    return !state || state.remainingPoints > 0;
  }

  #refusal(waitMs: number): AppError {
    const retryAt = iso(this.clock.now() + waitMs);
    return new AppError('too_many_attempts', `Nothing was done. Try again after ${retryAt}.`, { retryAt });
  }
}

/** Lets somebody try again at once, whom the operator has given a new code. */
export async function forgetAttempts(tx: Tx, attempts: readonly Attempt[], key: string): Promise<void> {
  const keys = attempts.map((attempt) => `${attempt}:${key}`);
  await tx.deleteFrom('attempt').where('key', 'in', keys).execute();
}

export async function purgeAttempts(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('attempt').where('expire', '<', now).execute();
}

interface Stored {
  points: number;
  expire: number;
}

/**
 * A rate-limiter-flexible store on our own tables. Its own stores each support one engine, and only the system clock.
 */
class DatabaseLimiter extends (StoreAbstract as typeof RateLimiterStoreAbstract) {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    options: { keyPrefix: string; points: number; duration: number },
  ) {
    super({ ...options, storeClient: db });
  }

  async _upsert(key: string, points: number, durationMs: number, force: boolean): Promise<Stored> {
    const now = this.clock.now();
    const fresh = { points, expire: now + durationMs };
    const goesOn = sql<boolean>`attempt.expire > ${now} and ${force ? 0 : 1} = 1`;
    // If the clock was set back, no client waits longer than the full duration from now.
    const expire = sql`case when attempt.expire > ${fresh.expire} then ${fresh.expire} else attempt.expire end`;
    const row = await this.db.write((tx) =>
      tx
        .insertInto('attempt')
        .values({ key, ...fresh })
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet({
            points: sql`case when ${goesOn} then attempt.points + ${points} else ${points} end`,
            expire: sql`case when ${goesOn} then ${expire} else ${fresh.expire} end`,
          }),
        )
        .returning(['points', 'expire'])
        .executeTakeFirstOrThrow(),
    );
    return { points: row.points, expire: row.expire ?? 0 };
  }

  async _get(key: string): Promise<Stored | null> {
    const row = await this.db.read
      .selectFrom('attempt')
      .select(['points', 'expire'])
      .where('key', '=', key)
      .where('expire', '>', this.clock.now())
      .executeTakeFirst();
    const latest = this.clock.now() + this.duration * 1000;
    return row ? { points: row.points, expire: Math.min(row.expire ?? 0, latest) } : null;
  }

  async _delete(key: string): Promise<boolean> {
    const { numDeletedRows } = await this.db.write((tx) =>
      tx.deleteFrom('attempt').where('key', '=', key).executeTakeFirst(),
    );
    return numDeletedRows > 0n;
  }

  _getRateLimiterRes(_key: string, changed: number, stored: Stored): RateLimiterRes {
    const waitMs = Math.max(0, stored.expire - this.clock.now());
    const left = Math.max(0, this.points - stored.points);
    return new rateLimiter.RateLimiterRes(left, waitMs, stored.points, stored.points === changed);
  }
}
