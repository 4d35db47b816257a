import type { MiddlewareHandler } from 'hono';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import { AppError } from '../platform/errors.ts';
import type { AppEnv } from '../platform/http.ts';
import type { Log } from '../platform/log.ts';
import { findCaller, touch } from './tokens.ts';

/** How often a token's last use is written down. */
const TOUCH_EVERY_MS = 60_000;

/** Lets a request pass with `accountId` set, or refuses it with 401. The routes behind know nothing of tokens. */
export function authenticate(deps: { db: Database; clock: Clock; log: Log }): MiddlewareHandler<AppEnv> {
  const { db, clock, log } = deps;
  return async (c, next) => {
    const token = /^Bearer ([A-Za-z0-9_-]{20,200})$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (!token)
      throw new AppError('unauthorized', 'Send a token as "Authorization: Bearer …". POST /api/guest gives one.');
    const caller = await findCaller(db.read, token);
    if (!caller)
      throw new AppError('unauthorized', 'This token is unknown or has ended. POST /api/guest gives a new one.');
    const now = clock.now();
    if (now - caller.lastUsedAt > TOUCH_EVERY_MS)
      db.write((tx) => touch(tx, caller, now)).catch((error) => log.warn({ err: error }, 'a last use was not stored'));
    c.set('accountId', caller.accountId);
    c.set('accountKind', caller.accountKind);
    c.set('tokenId', caller.tokenId);
    await next();
  };
}
