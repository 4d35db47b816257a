import type { MiddlewareHandler } from 'hono';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { detach, type FaultDeps } from '../../platform/detached.ts';
import { AppError } from '../../platform/errors.ts';
import type { AppContext, AppEnv } from '../../platform/http/env.ts';
import type { Origins } from '../../platform/http/origins.ts';
import type { Log } from '../../platform/log.ts';
import type { Proofs } from './dpop.ts';
import { readPageCookie } from './pageCookie.ts';
import { isAlive, touchSession } from './sessions.ts';
import { type Caller, findCaller, termsDue } from './tokens.ts';

/** How often a session's last use is written down. */
const TOUCH_EVERY_MS = 60_000;
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface AuthenticateDeps extends FaultDeps {
  db: Database;
  clock: Clock;
  log: Log;
  origins: Origins;
  proofs: Proofs;
  sessionMs: number;
  /** The terms that count; null where there are none to read. */
  termsVersion: string | null;
  /** Whether the single user of this machine may be the one who asks: local mode is on, and no proxy is between. */
  isLocalRequest: (c: AppContext) => boolean;
}

/**
 * Lets a request pass with `accountId` and the like set, or refuses it with 401. The routes behind know nothing of this.
 */
export function authenticate(deps: AuthenticateDeps): MiddlewareHandler<AppEnv> {
  const { db, clock } = deps;
  return async (c, next) => {
    const caller = await identify(deps, c, (token) => findCaller(db.read, token, clock.now()));
    c.set('accountId', caller.accountId);
    c.set('accountKind', caller.accountKind);
    c.set('tier', caller.tier);
    c.set('isLocal', caller.isLocal);
    c.set('suspended', caller.suspended);
    c.set('goneAt', caller.goneAt);
    c.set('termsDue', termsDue(caller, deps.termsVersion));
    c.set('sessionId', caller.sessionId);
    c.set('whenEnded', (end) => whenEnded(db, deps, caller.sessionId, end));
    await next();
  };
}

/**
 * Who asks, as `find` knows them by their token; refuses with 401 what is not proven. A token comes with a proof of its key
 * where it is bound to one (DPoP), as a plain bearer where it isn't, or, from the pages of this server, in their cookie.
 */
export async function identify<C extends Caller>(
  deps: AuthenticateDeps,
  c: AppContext,
  find: (token: string) => Promise<C | null>,
): Promise<C> {
  const caller = await callerOf(deps, c, find);
  const now = deps.clock.now();
  if (now - caller.lastUsedAt > TOUCH_EVERY_MS)
    deps.db
      .write((tx) => touchSession(tx, caller, now, deps.sessionMs))
      .catch((error) => deps.log.warn({ err: error }, 'a last use was not stored'));
  return caller;
}

async function callerOf<C extends Caller>(
  deps: AuthenticateDeps,
  c: AppContext,
  find: (token: string) => Promise<C | null>,
): Promise<C> {
  const { origins, proofs } = deps;
  const [, scheme, given] = /^(Bearer|DPoP) ([A-Za-z0-9_-]{20,200})$/i.exec(c.req.header('authorization') ?? '') ?? [];
  const token = given ?? (c.req.header('authorization') === undefined ? readPageCookie(c, origins) : undefined);
  if (!token) throw new AppError('unauthorized', 'Send a token as "Authorization: DPoP …" or, as a guest, "Bearer …".');
  const isProven = scheme?.toLowerCase() === 'dpop';
  const proof = c.req.header('dpop');
  // PostgreSQL looks for the token elsewhere: meanwhile there is time for the signature, once the question is on its way.
  const isAway = isProven && deps.db.engine === 'postgres';
  const [caller, ahead] = await Promise.all([
    find(token),
    isAway ? nextTurn().then(() => proofs.ahead(proof)) : undefined,
  ]);
  if (!caller || (caller.isLocal && !deps.isLocalRequest(c)))
    throw new AppError('unauthorized', 'This token is unknown or has ended. Sign in again.');
  if (given === undefined || caller.sessionKind === 'page') {
    // A page's token is in its cookie, and nowhere else.
    if (given !== undefined || caller.sessionKind !== 'page')
      throw new AppError('unauthorized', 'This token is not valid for this call. Sign in again.');
    if (!SAFE.has(c.req.method)) origins.requireOwnPage(c);
    return caller;
  }
  if (caller.jkt === null) {
    if (isProven) throw new AppError('unauthorized', 'This token has no key: send it as "Bearer", not as "DPoP".');
    return caller;
  }
  if (!isProven)
    throw new AppError('unauthorized', 'This token is bound to a key: send it as "DPoP", with a proof of the key.');
  const path = new URL(c.req.url).pathname;
  const urls = origins.of(c).map((origin) => origin + path);
  const jkt = await proofs.check(proof, { method: c.req.method, urls, token: given }, ahead);
  if (jkt !== caller.jkt) throw new AppError('invalid_dpop_proof', 'This token is bound to another key.');
  return caller;
}

/** Hears of the session's end wherever it is ended, also if that was between its request and now. */
function whenEnded(db: Database, faults: FaultDeps, sessionId: string, end: () => void): () => void {
  const look = () =>
    detach(
      () =>
        isAlive(db.read, sessionId).then(
          (alive) => !alive && end(),
          // Without its database the server answers nobody; the next change has it looked at again.
          () => {},
        ),
      'session',
      faults,
    );
  const forget = db.changes.subscribe(`session:${sessionId}`, ({ topic }) => (topic === 'ended' ? end() : look()));
  look();
  return forget;
}
