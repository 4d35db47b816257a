import type { Config } from '../config/config.ts';
import { isLoopback } from '../config/settings.ts';
import { AppError } from '../errors.ts';
import type { AppContext } from './env.ts';

/** The addresses of this server. Use it only behind `hostGuard`, which refuses every foreign Host. */
export interface Origins {
  /** Where browsers are sent back to: PUBLIC_URL, or the loopback name in this request. */
  home(c: AppContext): string;
  /** Every origin that this request may have been sent to: a proxy on this machine may have changed the Host header. */
  of(c: AppContext): string[];
  /** Whether cookies can be limited to https. */
  isSecure(c: AppContext): boolean;
  /**
   * Throws `foreign_page` unless the request is from a page of this server: browsers send cookies with other pages'
   * requests, too.
   */
  requireOwnPage(c: AppContext): void;
  /** Throws `foreign_page` for a page that is neither this server's nor in CORS_ORIGINS. Other programs pass. */
  refuseForeignPage(c: AppContext): void;
}

export function originsOf({ publicUrl, corsOrigins }: Pick<Config, 'publicUrl' | 'corsOrigins'>): Origins {
  const asked = (c: AppContext) => `http://${(c.req.header('host') ?? '').toLowerCase()}`;
  const home = (c: AppContext) => publicUrl ?? asked(c);
  const of = (c: AppContext) => {
    const here = asked(c);
    if (publicUrl === null) return [here];
    return isLoopback(URL.canParse(here) ? new URL(here).hostname : '') ? [publicUrl, here] : [publicUrl];
  };
  return {
    home,
    of,
    isSecure: (c) => home(c).startsWith('https:'),
    requireOwnPage(c) {
      const site = c.req.header('sec-fetch-site');
      const origin = c.req.header('origin');
      const isOwn = site ? site === 'same-origin' : origin !== undefined && of(c).includes(origin);
      if (!isOwn)
        throw new AppError(
          'foreign_page',
          'This request comes from a page of another site, or from no page. Nothing was done.',
        );
    },
    refuseForeignPage(c) {
      const site = c.req.header('sec-fetch-site');
      const origin = c.req.header('origin');
      // Browsers send an Origin header with each POST, and scripts can neither omit nor forge it.
      const isForeign =
        origin !== undefined
          ? !of(c).includes(origin) && !corsOrigins.includes(origin)
          : site !== undefined && site !== 'same-origin' && site !== 'none';
      if (isForeign)
        throw new AppError(
          'foreign_page',
          'This request comes from a page of another site. Nothing was done. The operator can allow that site in CORS_ORIGINS.',
        );
    },
  };
}
