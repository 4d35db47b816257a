import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { AppContext } from '../../platform/http/env.ts';
import type { Origins } from '../../platform/http/origins.ts';

const NAME = 'perigee_session';
/** The longest that browsers keep one; the token in it ends before. */
const MAX_AGE_S = 400 * 24 * 3600;

/** The token of the pages of this server, out of reach of scripts and of other sites. */
export function readPageCookie(c: AppContext, origins: Origins): string | undefined {
  return getCookie(c, NAME, prefixOf(c, origins)) || undefined;
}

export function writePageCookie(c: AppContext, origins: Origins, token: string): void {
  setCookie(c, NAME, token, { ...optionsOf(c, origins), sameSite: 'Strict', maxAge: MAX_AGE_S });
}

export function dropPageCookie(c: AppContext, origins: Origins): void {
  deleteCookie(c, NAME, optionsOf(c, origins));
}

/** Off loopback `__Host-`: no other host, and no subdomain, can plant one. */
export function prefixOf(c: AppContext, origins: Origins): 'host' | undefined {
  return origins.isSecure(c) ? 'host' : undefined;
}

/** Whether a person opens this in a browser, and no page asks for it as a picture or the like, which may leave nothing here. */
export function isOpened(c: AppContext): boolean {
  const destination = c.req.header('sec-fetch-dest');
  return destination === undefined || destination === 'document';
}

export function optionsOf(c: AppContext, origins: Origins) {
  return { path: '/', httpOnly: true, secure: origins.isSecure(c), prefix: prefixOf(c, origins) } as const;
}
