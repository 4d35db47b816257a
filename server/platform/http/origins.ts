import type { Config } from '../config/config.ts';
import { isLoopback } from '../config/settings.ts';
import { AppError } from '../errors.ts';
import type { AppContext } from './env.ts';

/** By which addresses this server is called. Only behind `hostGuard`, which has refused every foreign Host. */
export interface Origins {
  /** Where browsers are sent back to: PUBLIC_URL, or the loopback name by which this request came. */
  home(c: AppContext): string;
  /** Every origin that this request may have been sent to: a proxy on this machine may have changed its Host. */
  of(c: AppContext): string[];
  /** Whether cookies can be kept to https. */
  isSecure(c: AppContext): boolean;
  /** Throws `foreign_page` unless a page of this very server asks: a cookie comes along with requests of others, too. */
  requireOwnPage(c: AppContext): void;
  /** Throws `foreign_page` if a page asks that is neither this server's nor one of CORS_ORIGINS. Programs are no pages. */
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
      // Browsers send an origin with each POST; scripts can't leave it out or make one up.
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
