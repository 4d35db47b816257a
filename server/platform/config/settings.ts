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
