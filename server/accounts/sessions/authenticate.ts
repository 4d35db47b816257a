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

/** How often a session's last use is stored. */
const TOUCH_EVERY_MS = 60_000;
/** How often a stream looks for itself whether its session has ended. */
const LOOK_AGAIN_MS = 5 * 60_000;
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface AuthenticateDeps extends FaultDeps {
  db: Database;
  clock: Clock;
  log: Log;
  origins: Origins;
  proofs: Proofs;
  sessionMs: number;
  /** The current version of the terms; null if there are none. */
  termsVersion: string | null;
  /** Until then (ms) new terms stop no tool; null: they do at once. */
  termsToolsFrom: number | null;
  /** Whether the request may come from this machine's single user: local mode is on, and there is no proxy. */
  isLocalRequest: (c: AppContext) => boolean;
}

/** Sets `accountId` and the other caller fields, or refuses with 401. The routes behind it don't authenticate. */
export function authenticate(deps: AuthenticateDeps): MiddlewareHandler<AppEnv> {
  const { db, clock } = deps;
  return async (c, next) => {
    const caller = await identify(deps, c, (token) => findCaller(db.read, token, clock.now()));
    c.set('accountId', caller.accountId);
    c.set('accountKind', caller.accountKind);
    c.set('tier', caller.tier);
    c.set('isLocal', caller.isLocal);
    c.set('suspended', caller.suspended);
    c.set('accountPage', accountPageOf(deps.origins, c, caller.accountKind));
    c.set('goneAt', caller.goneAt);
    c.set('termsDue', termsDue(caller, deps.termsVersion));
    c.set('sessionId', caller.sessionId);
    c.set('sessionKind', caller.sessionKind);
    c.set('installKey', caller.jkt);
    const session = { key: `session:${caller.sessionId}`, isAlive: () => isAlive(db.read, caller.sessionId) };
    c.set('whenEnded', (end) => callWhenEnded(db, deps, session, end));
    await next();
  };
}

/** The address of the account page; null for a guest, who has none. */
export const accountPageOf = (origins: Origins, c: AppContext, kind: Caller['accountKind']): string | null =>
  kind === 'guest' ? null : `${origins.home(c)}/account`;

/**
 * Identifies the caller by the token, with `find`. Throws 401 if the caller is not proven. A token needs a DPoP proof
 * if it is bound to a key, else it is a plain bearer token; this server's pages send it in their cookie.
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
  // PostgreSQL answers over the network, so check the signature while the query is on its way.
  const isAway = isProven && deps.db.engine === 'postgres';
  const [caller, ahead] = await Promise.all([
    find(token),
    isAway ? nextTurn().then(() => proofs.ahead(proof)) : undefined,
  ]);
  if (!caller || (caller.isLocal && !deps.isLocalRequest(c)))
    throw new AppError('unauthorized', 'This token is unknown or has ended. Sign in again.');
  if (given === undefined || caller.sessionKind === 'page') {
    // A page's token is valid only in its cookie.
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

/**
 * Calls `end` when a session or API key ends on any node, also if it ended between the request and now. Its end is
 * published under `key`.
 */
export function callWhenEnded(
  db: Database,
  faults: FaultDeps,
  { key, isAlive }: { key: string; isAlive: () => Promise<boolean> },
  end: () => void,
): () => void {
  const look = () =>
    detach(
      () =>
        isAlive().then(
          (alive) => !alive && end(),
          // Without its database the server answers no request anyway. It looks again.
          () => {},
        ),
      'session',
      faults,
    );
  const forget = db.changes.subscribe(key, ({ topic }) => (topic === 'ended' ? end() : look()));
  // A node that dies right after it has ended a session tells nobody.
  const lookingAgain = setInterval(look, LOOK_AGAIN_MS).unref();
  look();
  return () => {
    clearInterval(lookingAgain);
    forget();
  };
}
