import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { ConfigError } from './settings.ts';

/** An HTTP proxy. Its credentials are separate from its address, so that logs and errors never show them. */
export interface ProxyServer {
  origin: string;
  /** For the `Proxy-Authorization` header. */
  authorization: string | null;
}

/** The proxies for the server's outgoing connections. */
export interface ProxyConfig {
  http: ProxyServer | null;
  https: ProxyServer | null;
  mail: ProxyServer | null;
  isException(host: string, port: number): boolean;
}

type Env = Record<string, string | undefined>;
type Exception = (host: string, port: number) => boolean;

/** The proxy for `url` (http, https or smtp). Null: a direct connection, as always for this machine itself. */
export function proxyFor(config: ProxyConfig | null, url: URL): ProxyServer | null {
  if (!config) return null;
  const { protocol } = url;
  const proxy = protocol === 'https:' ? config.https : protocol === 'http:' ? config.http : config.mail;
  const host = bareHost(url.hostname);
  if (!proxy || isThisMachine(host)) return null;
  return config.isException(host, Number(url.port || (protocol === 'https:' ? 443 : 80))) ? null : proxy;
}

/**
 * Reads HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY. Lower-case names take precedence, as in curl. Mail uses
 * ALL_PROXY alone, because the other variables name a protocol. Null if all connections are direct. No error message
 * repeats a proxy's value, because it may contain a password.
 */
export function parseProxies(env: Env, { sendsMail }: { sendsMail: boolean }): ProxyConfig | null {
  const all = setting(env, 'ALL_PROXY');
  const http = setting(env, 'HTTP_PROXY') ?? all;
  const https = setting(env, 'HTTPS_PROXY') ?? all;
  if (!http && !https) return null;
  const exceptions = parseExceptions(setting(env, 'NO_PROXY'));
  if (exceptions === 'all') return null;
  return {
    http: http && parseProxy(http),
    https: https && parseProxy(https),
    // Many machines set ALL_PROXY to a SOCKS proxy beside the two others. That is no error unless mail needs it.
    mail: all && sendsMail ? parseProxy(all) : null,
    isException: (host, port) => exceptions.some((fits) => fits(host, port)),
  };
}

interface Setting {
  name: string;
  value: string;
}

function setting(env: Env, upperName: string): Setting | null {
  for (const name of [upperName.toLowerCase(), upperName]) {
    const value = env[name]?.trim();
    if (value) return { name, value };
  }
  return null;
}

function parseProxy({ name, value }: Setting): ProxyServer {
  const wrong = (what: string) => new ConfigError(`${name} ${what}: write http://proxy.example.org:3128`);
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase();
  if (scheme?.startsWith('socks'))
    throw new ConfigError(
      `${name} names a SOCKS proxy, and Perigee speaks to HTTP proxies only: set HTTPS_PROXY and HTTP_PROXY to one, or NO_PROXY=* to call everybody directly`,
    );
  if (scheme && scheme !== 'http' && scheme !== 'https') throw wrong('must be the address of an HTTP proxy');
  const text = scheme ? value : `http://${value}`;
  // A bare number would be parsed as an IPv4 address.
  if (!URL.canParse(text) || /^\d*$/.test(value)) throw wrong('is no address of a proxy');
  const { origin, port, pathname, search, hash, username, password } = new URL(text);
  if (port === '0') throw wrong('names port 0');
  if (pathname !== '/' || search || hash)
    throw wrong('has more than a host and a port (a # or / in a password is %23 or %2F)');
  try {
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return { origin, authorization: user === ':' ? null : `Basic ${Buffer.from(user).toString('base64')}` };
  } catch {
    throw wrong('has a user name or password that is not percent-encoded (% is %25)');
  }
}

function parseExceptions(list: Setting | null): Exception[] | 'all' {
  const entries = list?.value.split(/[\s,]+/).filter(Boolean) ?? [];
  if (entries.includes('*')) return 'all';
  return entries.map((entry) => {
    const exception = parseException(entry);
    if (exception) return exception;
    throw new ConfigError(
      `${list!.name}: "${entry.slice(0, 100)}" is not a host, a domain like .example.org, an address or a network like 10.0.0.0/8, with a port or without`,
    );
  });
}

/** Null for an entry that can't be parsed. */
function parseException(entry: string): Exception | null {
  const network = /^([^/]+)\/(\d{1,3})$/.exec(entry);
  if (network) return inNetwork(network[1]!, Number(network[2]));
  const [, host, port] = isIP(entry) ? [entry, entry] : (/^(.*?)(?::(\d{1,5}))?$/.exec(entry) ?? []);
  if (!host || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) return null;
  const fits = isIP(withoutBrackets(host)) ? inNetwork(host, null) : inDomain(host);
  if (!fits || port === undefined) return fits;
  return (asked, askedPort) => askedPort === Number(port) && fits(asked, askedPort);
}

/** `bits`: the prefix length; null for a single address. */
function inNetwork(text: string, bits: number | null): Exception | null {
  // macOS shortens networks: 169.254/16.
  const parts = /^\d+(\.\d+){0,2}$/.test(text) && bits !== null ? text.split('.') : [];
  const address = parts.length > 0 ? [...parts, '0', '0', '0'].slice(0, 4).join('.') : withoutBrackets(text);
  const family = isIP(address);
  if (!family || (bits ?? 0) > (family === 4 ? 32 : 128)) return null;
  const name = family === 4 ? 'ipv4' : 'ipv6';
  const network = new BlockList();
  if (bits === null) network.addAddress(address, name);
  else network.addSubnet(address, bits, name);
  return (host) => isIP(host) !== 0 && network.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

/**
 * A domain includes its subdomains, whether it is written with a leading dot, `*.` or neither. A `*` elsewhere matches
 * any characters.
 */
function inDomain(text: string): Exception | null {
  const domain = bareHost(text.replace(/^\*?\./, ''));
  if (!/^[\w*.-]*[\w*]$/.test(domain)) return null;
  if (!domain.includes('*')) return (host) => host === domain || host.endsWith(`.${domain}`);
  const pattern = new RegExp(`^${domain.replaceAll('.', '\\.').replace(/\*+/g, '.*')}$`);
  return (host) => pattern.test(host);
}

const withoutBrackets = (host: string) => host.replace(/^\[|\]$/g, '');

/** The host as `URL` writes it, without brackets and without the trailing dot of a full name. */
function bareHost(host: string): string {
  const bare = withoutBrackets(host).replace(/\.$/, '').toLowerCase();
  return /[^ -~]/.test(bare) ? domainToASCII(bare) : bare;
}

const HERE = new BlockList();
HERE.addSubnet('127.0.0.0', 8, 'ipv4');
HERE.addAddress('0.0.0.0', 'ipv4');
HERE.addAddress('::1', 'ipv6');
HERE.addAddress('::', 'ipv6');

function isThisMachine(host: string): boolean {
  if (/^(.*\.)?localhost$/.test(host)) return true;
  return isIP(host) !== 0 && HERE.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}
