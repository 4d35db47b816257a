import type { MiddlewareHandler } from 'hono';
import { AppError } from '../errors.ts';
import { hasApiKey } from '../values/apiKeys.ts';
import type { AppContext, AppEnv } from './env.ts';

/** Whether a path is one that tools call. These paths alone accept API keys. */
export const isCallPath = (path: string): boolean => path === '/v1' || path.startsWith('/v1/');
export const isToolCall = (c: AppContext): boolean => isCallPath(c.req.path);

/** An address may be encoded more than once on its way. */
const MAX_DECODINGS = 3;

/**
 * Refuses API keys where they don't belong: outside of `/v1`, so that a stolen key can read no conversation and make no
 * other key, and in every address, because addresses are in logs and histories. It knows no key: it looks only at the
 * shape.
 */
export function keyGuard(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (isKeyInAddress(c.env.incoming.url ?? ''))
      throw new AppError(
        'key_in_address',
        'The address of this request contains an API key. Addresses are kept in logs: revoke that key on the account page, make another, and send it as "Authorization: Bearer pgk_…".',
      );
    if (
      !isToolCall(c) &&
      (hasApiKey(c.req.header('authorization') ?? '') || hasApiKey(c.req.header('x-api-key') ?? ''))
    )
      // `error` is all that OpenAI's clients show of it.
      throw new AppError('key_elsewhere', ELSEWHERE, { error: ELSEWHERE });
    await next();
  };
}

const ELSEWHERE =
  'API keys work under /v1 alone. In a tool, set this server’s address with /v1 at its end as the base URL. For all other calls, sign in.';

function isKeyInAddress(url: string): boolean {
  let address = url;
  for (let i = 0; i < MAX_DECODINGS; i++) {
    if (hasApiKey(address)) return true;
    if (!address.includes('%')) return false;
    address = address.replace(/%([2-7][0-9A-Fa-f])/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
  }
  return hasApiKey(address);
}
