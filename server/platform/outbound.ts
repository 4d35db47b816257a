import * as http from 'node:http';
import * as https from 'node:https';
import { BlockList, isIP } from 'node:net';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { ConfigError, isLoopback } from './settings.ts';

// By which proxy the environment wants this server to call others: model services, Stripe, who signs people in, mail.

type Env = Record<string, string | undefined>;

export interface Proxies {
  /** For addresses with http: and https:, each with its user and password if it has one; null: directly. */
  http: string | null;
  https: string | null;
  /** For what is neither, such as mail. */
  all: string | null;
  /** Whether a host is called directly. */
  isExempt: (host: string, port: number) => boolean;
}

/**
 * The proxies as curl reads them: in small letters before capitals, ALL_PROXY where a scheme has none of its own. Throws
 * `ConfigError`, which repeats no password.
 */
export function parseProxies(env: Env): Proxies {
  const of = (name: string) => {
    const found = [name.toLowerCase(), name].find((one) => env[one]?.trim());
    return found === undefined ? null : () => proxyUrl(found, env[found]!.trim());
  };
  const [ofHttp, ofHttps, ofAll] = [of('HTTP_PROXY'), of('HTTPS_PROXY'), of('ALL_PROXY')];
  // Another kind of proxy beside both may be meant for other programs.
  const all = ofHttp && ofHttps && /^socks/i.test(env.all_proxy ?? env.ALL_PROXY ?? '') ? null : (ofAll?.() ?? null);
  return {
    http: ofHttp?.() ?? all,
    https: ofHttps?.() ?? all,
    all,
    isExempt: exemptions(env.no_proxy ?? env.NO_PROXY ?? ''),
  };
}

function proxyUrl(name: string, value: string): string {
  const text = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url?.hostname || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash)
    throw new ConfigError(`${name} must be the address of a proxy, such as http://proxy.example.org:3128`);
  return url.href;
}

/**
 * NO_PROXY: names with all below them, addresses, networks (10.0.0.0/8), each with a port if only that is meant, or * for
 * everything. This machine needs no proxy, whether it is listed or not.
 */
function exemptions(list: string): Proxies['isExempt'] {
  const rules = list
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(ruleOf);
  return (host, port) => {
    const name = bare(host);
    return isLoopback(name) || rules.some((rule) => (rule.port === null || rule.port === port) && rule.matches(name));
  };
}

/** A host without the brackets of IPv6 and the dot at its end, in small letters. */
const bare = (host: string) =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

function ruleOf(entry: string): { port: number | null; matches: (name: string) => boolean } {
  const [, host = entry, port] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  return { port: port === undefined ? null : Number(port), matches: matcher(bare(host)) };
}

function matcher(host: string): (name: string) => boolean {
  if (host === '*') return () => true;
  const [, address = host, bits] = /^(.+)\/(\d{1,3})$/.exec(host) ?? [];
  const version = isIP(address);
  if (version === 0) {
    const domain = host.replace(/^\*?\./, '');
    return (name) => name === domain || name.endsWith(`.${domain}`);
  }
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const widest = version === 4 ? 32 : 128;
  const network = new BlockList();
  network.addSubnet(address, Math.min(Number(bits ?? widest), widest), family);
  return (name) => isIP(name) === version && network.check(name, family);
}

/** The proxy by which an address is called; null: directly. */
export function proxyFor(proxies: Proxies, url: URL): string | null {
  const port = Number(url.port) || ({ 'http:': 80, 'https:': 443 }[url.protocol] ?? 0);
  if (proxies.isExempt(url.hostname, port)) return null;
  if (url.protocol === 'https:') return proxies.https;
  return url.protocol === 'http:' ? proxies.http : proxies.all;
}

/** An agent of Node's own client for calls to one address. */
export function agentFor(url: URL, proxy: string | null, options: http.AgentOptions = {}): http.Agent {
  const isSecure = url.protocol === 'https:';
  if (proxy !== null) return isSecure ? new HttpsProxyAgent(proxy, options) : new HttpProxyAgent(proxy, options);
  return isSecure ? new https.Agent(options) : new http.Agent(options);
}
