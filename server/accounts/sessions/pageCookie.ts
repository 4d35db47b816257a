import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { AppContext } from '../../platform/http/env.ts';
import type { Origins } from '../../platform/http/origins.ts';

const NAME = 'perigee_session';
/** The longest cookie lifetime that browsers allow; the token in it expires earlier. */
const MAX_AGE_S = 400 * 24 * 3600;

/** The token of this server's pages, which scripts and other sites can't read. */
export function readPageCookie(c: AppContext, origins: Origins): string | undefined {
  return getCookie(c, NAME, prefixOf(c, origins)) || undefined;
}

export function writePageCookie(c: AppContext, origins: Origins, token: string): void {
  setCookie(c, NAME, token, { ...optionsOf(c, origins), sameSite: 'Strict', maxAge: MAX_AGE_S });
}

export function dropPageCookie(c: AppContext, origins: Origins): void {
  deleteCookie(c, NAME, optionsOf(c, origins));
}

/** `__Host-` except on loopback, so that no other host or subdomain can set the cookie. */
export function prefixOf(c: AppContext, origins: Origins): 'host' | undefined {
  return origins.isSecure(c) ? 'host' : undefined;
}

/**
 * Whether a person opens this address in a browser. A page that embeds it, say as an image, must not set cookies here.
 */
export function isOpened(c: AppContext): boolean {
  const destination = c.req.header('sec-fetch-dest');
  return destination === undefined || destination === 'document';
}

export function optionsOf(c: AppContext, origins: Origins) {
  return { path: '/', httpOnly: true, secure: origins.isSecure(c), prefix: prefixOf(c, origins) } as const;
}
