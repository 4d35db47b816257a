/** A wrong setting, in one line that names it. */
export class ConfigError extends Error {}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Throws `ConfigError` for what is no address of the web; `name` is the setting's. */
export function httpUrl(name: string, value: string): URL {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw new ConfigError(`${name} is not a URL: it must look like https://example.org`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new ConfigError(`${name} must be http or https`);
  if (url.username || url.password) throw new ConfigError(`${name} must have no user and no password in it`);
  if (url.search || url.hash || /[?#]/.test(value)) throw new ConfigError(`${name} must end before any ? or #`);
  return url;
}

/** The same without a path. `why` says what a path would break. */
export function originUrl(name: string, value: string, why: string): URL {
  const url = httpUrl(name, value);
  if (url.pathname !== '/') throw new ConfigError(`${name} must be a host without a path, not ${url.pathname}: ${why}`);
  return url;
}
