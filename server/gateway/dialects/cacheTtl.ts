import { isObject, type Json } from './chat/refused.ts';

/** The places of hints to a cache, at each level of a request. */
const INSIDE = ['system', 'messages', 'tools', 'content', 'function'];

/**
 * The body with every hint `cache_control` at the service's default time, five minutes. Anthropic bills what it keeps
 * for an hour at twice the price of input, which nothing is held for. The same object if there is no longer time.
 */
export function withShortCache<T extends Json>(body: T): T {
  let mended: Json = body;
  for (const field of INSIDE) {
    const given = body[field];
    const inner = Array.isArray(given) ? shortened(given) : isObject(given) ? withShortCache(given) : given;
    if (inner !== given) mended = { ...mended, [field]: inner };
  }
  const { cache_control: hint } = body;
  if (!isObject(hint) || hint.ttl === undefined || hint.ttl === null || hint.ttl === '5m') return mended as T;
  const { ttl: _, ...rest } = hint;
  return { ...mended, cache_control: rest } as unknown as T;
}

function shortened(list: readonly unknown[]): unknown[] {
  const mended = list.map((one) => (isObject(one) ? withShortCache(one) : one));
  return mended.some((one, i) => one !== list[i]) ? mended : (list as unknown[]);
}
