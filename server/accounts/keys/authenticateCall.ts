import type { MiddlewareHandler } from 'hono';
import { iso } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import { AppError } from '../../platform/errors.ts';
import type { AppContext, AppEnv } from '../../platform/http/env.ts';
import { requireStanding } from '../../platform/http/standing.ts';
import { hashSecret } from '../../platform/secrets.ts';
import { isApiKey, isMeantAsApiKey } from '../../platform/values/apiKeys.ts';
import { type AuthenticateDeps, accountPageOf, authenticate, callWhenEnded } from '../sessions/authenticate.ts';
import { OF_ACCOUNT, suspensionOf, termsDue } from '../sessions/tokens.ts';
import { modelsOf } from './store.ts';

/** How often a key's last use is stored. */
const TOUCH_EVERY_MS = 60_000;

/**
 * Authenticates a call of a tool: by an API key, or by a session's own token as on `/api`. Cookies count for nothing
 * here, and an account that may start no answer is refused.
 */
export function authenticateCall(deps: AuthenticateDeps): MiddlewareHandler<AppEnv> {
  const bySession = authenticate(deps);
  const touching = new Set<string>();
  return async (c, next) => {
    const secret = readKey(c);
    if (secret === null) {
      c.set('key', null);
      return bySession(c, () => {
        mayCall(deps, c);
        return next();
      });
    }
    await authenticateKey(deps, c, secret, touching);
    mayCall(deps, c);
    await next();
  };
}

/** A tool runs unattended: its owner has the time of the notice to accept new terms. */
function mayCall({ clock, origins, termsToolsFrom }: AuthenticateDeps, c: AppContext): void {
  if (termsToolsFrom !== null && clock.now() < termsToolsFrom) c.set('termsDue', null);
  requireStanding(c.var, `${origins.home(c)}/account`);
}

/** 32 random bytes in base64url. */
const SESSION_TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** The API key of a request; null if it has a session's token instead. Throws if it has neither. */
function readKey(c: AppContext): string | null {
  const authorization = c.req.header('authorization')?.trim();
  const [, scheme = '', given = ''] = /^([A-Za-z]+)\s+(\S+)$/.exec(authorization ?? '') ?? [];
  const ownHeader = c.req.header('x-api-key')?.trim();
  const isBearer = scheme.toLowerCase() === 'bearer';
  const keys = new Set([isBearer ? given : '', ownHeader ?? ''].filter(isMeantAsApiKey));
  if (keys.size > 1)
    throw new AppError('unauthorized', 'Authorization and x-api-key have two different API keys. Send one of them.');
  const [key] = keys;
  if (key !== undefined) return key;
  if (isMeantAsApiKey(given) || isMeantAsApiKey(authorization ?? ''))
    throw new AppError('unauthorized', 'Send an API key as "Authorization: Bearer pgk_…".');
  // A key of another service, which many machines have in their environment, is no session's token.
  if ((isBearer && SESSION_TOKEN.test(given)) || scheme.toLowerCase() === 'dpop') return null;
  const wrong = ownHeader || authorization ? 'What was sent is no API key of this server. ' : '';
  throw new AppError(
    'unauthorized',
    `${wrong}Send an API key as "Authorization: Bearer pgk_…" or "x-api-key: pgk_…". Members make keys on the account page, under API keys.`,
  );
}

async function authenticateKey(
  deps: AuthenticateDeps,
  c: AppContext,
  secret: string,
  touching: Set<string>,
): Promise<void> {
  const { db, clock } = deps;
  if (!isApiKey(secret))
    throw new AppError(
      'key_mistyped',
      'The checksum of this API key is wrong: a part of it is missing or mistyped. Copy the whole key again.',
    );
  const row = await selectKey.first(db.read, { hash: hashSecret(secret) });
  if (!row) throw new AppError('key_unknown', 'This server does not know this API key. Make one on the account page.');
  const now = clock.now();
  if (row.revoked_at !== null)
    throw new AppError(
      'key_revoked',
      `This API key was revoked on ${iso(row.revoked_at)}. Make another one on the account page.`,
    );
  if (row.expires_at !== null && row.expires_at <= now)
    throw new AppError(
      'key_expired',
      `This API key expired on ${iso(row.expires_at)}. Make another one on the account page, or let this one last longer.`,
    );
  const isLocal = row.is_local === 1;
  if (isLocal && !deps.isLocalRequest(c))
    throw new AppError(
      'unauthorized',
      'This API key belongs to the user of the machine that the server runs on, and works on that machine alone.',
    );
  c.set('accountId', row.id);
  c.set('accountKind', row.kind);
  c.set('tier', row.tier ?? 0);
  c.set('isLocal', isLocal);
  c.set('suspended', suspensionOf(row, now));
  c.set('accountPage', accountPageOf(deps.origins, c, row.kind));
  c.set('goneAt', row.gone_at);
  const account = { accountKind: row.kind, isLocal, termsVersion: row.terms_version };
  c.set('termsDue', termsDue(account, deps.termsVersion));
  c.set('sessionId', '');
  c.set('installKey', null);
  const key = {
    id: row.key_id,
    name: row.key_name,
    models: modelsOf(row),
    monthlyMicro: row.monthly_micro,
  };
  c.set('key', key);
  const ended = { key: `key:${key.id}`, isAlive: () => isAlive(db.read, key.id) };
  c.set('whenEnded', (end) => callWhenEnded(db, deps, ended, end));
  if (Math.abs(now - (row.last_used_at ?? 0)) > TOUCH_EVERY_MS && !touching.has(key.id)) {
    // Not awaited: no call waits for this.
    touching.add(key.id);
    db.write((tx) => touchKey(tx, { keyId: key.id, accountId: row.id }, now))
      .catch((error) => deps.log.warn({ err: error }, 'a last use was not stored'))
      .finally(() => touching.delete(key.id));
  }
}

/** A key with its account, by one indexed query: nothing is cached, so a revoked key is refused at once. */
const selectKey = prepared((db, p: { hash: string }) =>
  db
    .selectFrom('api_key')
    .innerJoin('account', 'account.id', 'api_key.account_id')
    .select([
      'api_key.id as key_id',
      'api_key.name as key_name',
      'api_key.models',
      'api_key.monthly_micro',
      'api_key.expires_at',
      'api_key.last_used_at',
      'api_key.revoked_at',
    ])
    .select(OF_ACCOUNT)
    .where('api_key.secret_hash', '=', p.hash),
);

async function isAlive(db: Reader, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('api_key')
    .select('id')
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

async function touchKey(tx: Tx, { keyId, accountId }: { keyId: string; accountId: string }, at: number): Promise<void> {
  await tx.updateTable('api_key').set({ last_used_at: at }).where('id', '=', keyId).execute();
  await tx.updateTable('account').set({ last_active_at: at }).where('id', '=', accountId).execute();
  changed(tx, accountId, 'keys', accountId);
}
