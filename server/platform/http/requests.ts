import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Clock, Ids } from '../clock.ts';
import { type Config, isLoopback } from '../config/config.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { same } from '../secrets.ts';
import { withoutAnyKeys } from '../values/apiKeys.ts';
import type { AppContext, AppEnv } from './env.ts';
import { isToolCall } from './keyGuard.ts';

/** Gives each request an id, and counts and logs it by its route's pattern: no path with ids, no query, no text. */
export function requestLog(deps: { clock: Clock; ids: Ids; log: Log; metrics: Metrics }): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const started = performance.now();
    c.set('requestId', deps.ids.next());
    c.set('now', () => deps.clock.now());
    c.header('x-request-id', c.get('requestId'));
    // Some SDKs read this name.
    if (isToolCall(c)) c.header('request-id', c.get('requestId'));
    // Not this machine's time: editors sign their proofs by it, and proofs are checked by the shared clock.
    c.header('date', new Date(deps.clock.now()).toUTCString());
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    // Answers for a cookie or a token must not be cached. Static files set their own header.
    c.header('cache-control', 'no-store');
    c.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
    await next();
    const ms = performance.now() - started;
    const { method } = c.req;
    const route = routePath(c);
    const { status } = c.res;
    // Setting a header after the answer makes Hono copy it, and the adapter would then send a streamed answer again.
    if (c.env.outgoing.headersSent) {
      c.res = undefined;
      c.res = RESPONSE_ALREADY_SENT;
    }
    deps.metrics.request(method, route, status, ms / 1000);
    deps.log.debug({ requestId: c.get('requestId'), method, route, status, ms: Math.round(ms * 10) / 10 }, 'request');
  };
}

/** Longer than any address of this server, and short enough for every proxy. */
const MAX_URL = 8 * 1024;

/** Refuses an address that is too long before anything parses it. */
export function urlGuard(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if ((c.env.incoming.url ?? '').length > MAX_URL)
      throw new AppError(
        'invalid_request',
        `The address of this request has more than ${MAX_URL} characters. Send a shorter one.`,
      );
    await next();
  };
}

/** Whether a request carries METRICS_TOKEN. */
export function hasMetricsToken({ metricsToken }: Pick<Config, 'metricsToken'>, c: AppContext): boolean {
  const given = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
  return metricsToken !== null && same(given, metricsToken);
}

/**
 * Refuses requests with another `Host`, so that a foreign page whose name points at this address (DNS rebinding) gets
 * nothing. A server bound to loopback accepts each loopback name.
 */
export function hostGuard(config: Config): MiddlewareHandler<AppEnv> {
  const publicUrl = config.publicUrl ? new URL(config.publicUrl) : null;
  const expected = publicUrl?.host ?? null;
  const usualPort = publicUrl?.protocol === 'https:' ? ':443' : ':80';
  return async (c, next) => {
    // Probes and Prometheus call by IP address. The first two routes reveal nothing; the third needs a secret token.
    if (c.req.path === '/healthz' || c.req.path === '/readyz') return next();
    if (c.req.path === '/metrics' && hasMetricsToken(config, c)) return next();
    const host = (c.req.header('host') ?? '').toLowerCase();
    const port = c.env.incoming.socket.localPort;
    const [, name = '', asked = '80'] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host) ?? [];
    const own =
      host === expected ||
      (expected !== null && host === expected + usualPort) ||
      (isLoopback(config.host) && isLoopback(name) && asked === String(port)) ||
      (!expected && name === config.host && asked === String(port));
    if (!own)
      throw new AppError(
        'wrong_host',
        'The request names another host. Use the address of this server, which its operator sets as PUBLIC_URL.',
      );
    await next();
  };
}

/**
 * The client's name for its device or tool, for "answering on …" and the token log. Only the account's owner sees it. A
 * tool that sends none is called by the product in its User-Agent.
 */
export function deviceName(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const product = isToolCall(c) ? c.req.header('user-agent')?.split('/')[0] : undefined;
    const name = (c.req.header('perigee-device') ?? product ?? '')
      .replace(/[^\x20-\x7e]/g, '')
      .trim()
      .slice(0, 60);
    c.set('device', withoutAnyKeys(name) || 'another device');
    await next();
  };
}
