import type { MiddlewareHandler } from 'hono';
import type { Clock } from '../platform/clock.ts';
import { type Database, isUnavailable } from '../platform/db/database.ts';
import type { RequestRow } from '../platform/db/schema.ts';
import { toolOf } from '../platform/http/clients.ts';
import type { AppContext, AppEnv } from '../platform/http/env.ts';
import { isToolCall } from '../platform/http/keyGuard.ts';
import { toAppError } from '../platform/http/problems.ts';
import type { Log } from '../platform/log.ts';
import { Notes } from './notes.ts';
import { outcomeOfStatus } from './outcome.ts';
import { storeRequests } from './store.ts';

const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;
/** What needs no credits and no limit refuses: so many of an account and an outcome are kept one by one. */
export const KEPT_A_MINUTE = 60;
export const KEPT_A_DAY = 1_000;
/** What waits while the database is out of reach. */
const MOST_WAITING = 20_000;
/** Rows in one transaction: less than a millisecond. In between, answers go on. */
const AT_ONCE = 8;

/** What was recorded of one account and outcome in a minute and its day, by the clock of the recorder. */
interface Counted {
  minute: number;
  keptInMinute: number;
  keptInDay: number;
  /** Stands for all that came beyond, in the minute or, once the day has its number, in the day. */
  beyond: RequestRow | null;
  /** The count of `beyond` that was stored last. */
  stored: number;
}

/** A database's error has the row's values in its detail, and the log keeps none. */
const nameOf = (error: unknown) => {
  const { code, constraint } = (error ?? {}) as { code?: string; constraint?: string };
  return { code, constraint };
};

const dayOf = (minute: number) => Math.floor(minute / MINUTES_A_DAY);

/**
 * Keeps what was noted of requests in memory, and stores it together, once a second. No request waits for it. A crash
 * loses the last second; the run of a node that died is recorded by the one that ends it.
 */
export class RequestRecorder {
  #waiting: RequestRow[] = [];
  readonly #counted = new Map<string, Counted>();
  #lost = 0;
  /** The last flush. Each begins when the one before it has ended. */
  #flushing = Promise.resolve();

  constructor(private readonly deps: { db: Database; clock: Clock; log: Log }) {}

  /** Records a request that had a run. Limits, and what it cost, keep their number small. */
  add(row: RequestRow): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(row);
    else this.#lost++;
  }

  /** Records a request that started nothing. Of many, the ones beyond a number are one row with a count. */
  addFree(row: RequestRow): void {
    const key = `${row.outcome} ${row.account_id}`;
    const minute = this.#minute();
    let counted = this.#counted.get(key);
    if (counted && counted.minute !== minute) this.#endMinute(key, counted, minute);
    counted = this.#counted.get(key);
    if (!counted) {
      counted = { minute, keptInMinute: 0, keptInDay: 0, beyond: null, stored: 0 };
      this.#counted.set(key, counted);
    }
    if (counted.beyond) {
      counted.beyond.times++;
      return;
    }
    counted.keptInDay++;
    if (counted.keptInMinute++ < KEPT_A_MINUTE && counted.keptInDay <= KEPT_A_DAY) this.add(row);
    else counted.beyond = { ...row };
  }

  #minute(): number {
    return Math.floor(this.deps.clock.now() / MINUTE_MS);
  }

  #storeCount(counted: Counted): void {
    const { beyond, stored } = counted;
    if (!beyond || beyond.times === stored) return;
    // Stored again with a higher count, the row counts all.
    this.add({ ...beyond });
    counted.stored = beyond.times;
  }

  #endMinute(key: string, counted: Counted, minute: number): void {
    this.#storeCount(counted);
    if (dayOf(counted.minute) !== dayOf(minute)) {
      this.#counted.delete(key);
      return;
    }
    Object.assign(counted, { minute, keptInMinute: 0 });
    if (counted.keptInDay < KEPT_A_DAY) Object.assign(counted, { beyond: null, stored: 0 });
  }

  /** Stores what waits. `all`: also the counts of the minute that is not over. */
  flush({ all = false } = {}): Promise<void> {
    const store = () => this.#store(all);
    this.#flushing = this.#flushing.then(store, store);
    return this.#flushing;
  }

  async #store(all: boolean): Promise<void> {
    const { db, log } = this.deps;
    const minute = this.#minute();
    for (const [key, counted] of this.#counted) {
      if (counted.minute !== minute) this.#endMinute(key, counted, minute);
      else if (all) this.#storeCount(counted);
    }
    // The rows of a batch that was refused, which go one by one.
    let single = 0;
    while (this.#waiting.length > 0) {
      const rows = this.#waiting.slice(0, single > 0 ? 1 : AT_ONCE);
      try {
        await db.writeUnsynced((tx) => storeRequests(tx, rows, db.engine));
      } catch (error) {
        log.error(nameOf(error), 'the record of requests could not be stored');
        // They wait for the database. A row that it refuses for its values, it would refuse for ever: only that one goes.
        if (isUnavailable(error)) return;
        if (rows.length > 1) {
          single = rows.length;
          continue;
        }
        this.#lost++;
      }
      this.#waiting.splice(0, rows.length);
      if (single > 0) single--;
    }
    if (this.#lost > 0) log.warn({ requests: this.#lost }, 'so many requests are missing in the record of requests');
    this.#lost = 0;
  }
}

/**
 * Notes the requests of every route that is bound after it, once their account is known. One that is admitted is
 * recorded when its run ends; every other one, with its answer.
 */
export function recordRequests(recorder: RequestRecorder, clock: Clock): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const notes = new Notes(recorder, { id: c.get('requestId'), at: clock.now() });
    c.set('notes', notes);
    await next();
    // Nobody is known who could look it up.
    if (c.get('accountId') === undefined) return;
    const status = statusOf(c);
    const tool = isToolCall(c) ? toolOf(c.req.header('user-agent')) : c.get('device');
    notes.describe({
      accountId: c.get('accountId'),
      route: routeOf(c.req.path),
      tool,
      keyId: c.get('key')?.id ?? null,
      status,
    });
    // The same run asked for again has started nothing new.
    if (notes.isAdmitted || (!isToolCall(c) && !c.error)) return;
    notes.endFree(outcomeOfStatus(status ?? 0, c.error ? toAppError(c.error).code : null));
  };
}

const ROUTES = [
  ...['/api/runs', '/v1/chat/completions', '/v1/messages', '/v1/messages/count_tokens', '/v1/responses', '/v1/models'],
];

/** Of an address what names nothing of a stranger. */
const routeOf = (path: string) =>
  ROUTES.includes(path) ? path : path.startsWith('/v1/models/') ? '/v1/models/:id' : '/v1/*';

/** Null: the client has left without an answer. */
function statusOf(c: AppContext): number | null {
  const { outgoing } = c.env;
  if (outgoing.headersSent) return outgoing.statusCode;
  return outgoing.destroyed || outgoing.closed ? null : c.res.status;
}
