import { BlockList, isIP } from 'node:net';

/** A wrong setting, in one line that names it; several in the file of PERIGEE_CONFIG, in a line for each. */
export class ConfigError extends Error {}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** The address that clients call: PUBLIC_URL, or where the server listens. */
export function serverAddress({ publicUrl, host }: { publicUrl: string | null; host: string }, port: number): string {
  return publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * A web address to which paths can be appended. Throws `ConfigError` for any other; `name` is the setting's name. No
 * error message repeats the value, because it may contain a password.
 */
export function httpUrl(name: string, value: string): URL {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw new ConfigError(`${name} is not a URL: it must look like https://example.org`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new ConfigError(`${name} must be http or https`);
  // An empty query or fragment is refused too: a path appended after a bare `?` would be lost.
  if (/[?#]/.test(url.href)) throw new ConfigError(`${name} must be without a query and without a #fragment`);
  return url;
}

/** Like `httpUrl`, but refuses credentials in the address. */
export function plainUrl(name: string, value: string): URL {
  const url = httpUrl(name, value);
  if (url.username || url.password) throw new ConfigError(`${name} must be without a user name and a password`);
  return url;
}

/** Like `plainUrl`, for a whole origin: a path would be dropped silently. `why` says what to write instead. */
export function originUrl(name: string, value: string, why = ''): URL {
  const url = plainUrl(name, value);
  if (url.pathname !== '/') throw new ConfigError(`${name} must be without a path: write ${url.origin}${why}`);
  return url;
}

/** The most addresses whose answer is remembered: `BlockList` takes 10 µs and more to say whether it has one. */
const MOST_ADDRESSES = 10_000;

/**
 * Whether an address is in one of these networks. Each is an address, or a network like 10.0.0.0/8. Throws `ConfigError`
 * for any other; `name` is the setting's name.
 */
export function networks(name: string, entries: readonly string[]): (address: string) => boolean {
  const all = new BlockList();
  for (const entry of entries) {
    const [address = '', bits, more] = entry.split('/');
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (!family || more !== undefined || !(length <= most))
      throw new ConfigError(`${name}: "${entry.slice(0, 100)}" is not an address or a network like 10.0.0.0/8`);
    all.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  }
  const answers = new Map<string, boolean>();
  return (address) => {
    const family = entries.length === 0 ? 0 : isIP(address);
    if (!family) return false;
    const known = answers.get(address);
    if (known !== undefined) return known;
    const answer = all.check(address, family === 4 ? 'ipv4' : 'ipv6');
    if (answers.size >= MOST_ADDRESSES) answers.delete(answers.keys().next().value!);
    answers.set(address, answer);
    return answer;
  };
}
