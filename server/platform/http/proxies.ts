import { isIP } from 'node:net';
import { networks } from '../config/settings.ts';

/**
 * Headers that something between a client and this server adds, and no client. A request with one of them was forwarded,
 * even if the peer is this machine. Names of tracing (`traceparent`, `x-request-id`) are not here: clients send them too.
 */
export const FORWARDING = {
  via: ['via', 'x-bluecoat-via'],
  forwardedFor: [
    ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port', 'x-forwarded-server'],
    ...['x-forwarded-by', 'x-forwarded-prefix', 'x-forwarded-scheme', 'x-forwarded-ssl'],
  ],
  forwarded: ['forwarded'],
  cloud: [
    ...['cf-connecting-ip', 'cf-connecting-ipv6', 'cf-ray', 'cf-visitor', 'cf-ipcountry', 'cf-worker', 'cdn-loop'],
    ...['true-client-ip', 'fastly-client-ip', 'fastly-ff', 'fly-client-ip', 'fly-forwarded-port', 'x-amz-cf-id'],
    ...['x-azure-clientip', 'x-azure-fdid', 'x-arr-log-id', 'x-appengine-user-ip'],
    ...['x-vercel-id', 'x-vercel-forwarded-for', 'x-nf-client-connection-ip', 'x-render-origin-server'],
  ],
  other: [
    ...['x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'x-original-forwarded-for', 'x-original-host'],
    ...['x-proxyuser-ip', 'x-envoy-external-address', 'x-envoy-expected-rq-timeout-ms', 'wl-proxy-client-ip'],
  ],
} as const;
const FORWARDED = Object.values(FORWARDING).flat();

/** `203.0.113.5:4711` and `[2001:db8::1]:4711` without their ports, as some proxies write them. */
function withoutPort(hop: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop;
}

/** The hops in X-Forwarded-For, or in `for` of Forwarded (RFC 7239), nearest last. */
function hopsOf(header: (name: string) => string | undefined): string[] {
  const list = (text: string) => text.split(',').map((hop) => hop.trim());
  const plain = header('x-forwarded-for');
  if (plain !== undefined) return list(plain);
  const said = header('forwarded');
  return said === undefined ? [] : list(said).map((hop) => /(?:^|;)\s*for="?([^";,]*)"?/i.exec(hop)?.[1] ?? '');
}

/** Turns an IPv4-mapped IPv6 address (`::ffff:…`) into the IPv4 address. */
export const unmapped = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** Whether an address is one of TRUSTED_PROXIES. Throws `ConfigError` for a wrong entry. */
export function trustedBy(trustedProxies: readonly string[]): (address: string) => boolean {
  return networks('TRUSTED_PROXIES', trustedProxies);
}

/** How a request came through the trusted proxies. */
export interface Chain {
  /** The client's, or that of the first proxy that is not trusted. */
  address: string;
  /** How many trusted proxies it passed. */
  proxies: number;
  /** What X-Forwarded-For or Forwarded says beyond them: anyone may have written it. Nearest last. */
  beyond: readonly string[];
}

/** Reads the hops of a request from the end. Throws `ConfigError` for a wrong TRUSTED_PROXIES. */
export function chainReader(trustedProxies: readonly string[]) {
  const isTrusted = trustedBy(trustedProxies);
  return (peer: string, header: (name: string) => string | undefined): Chain => {
    let address = unmapped(peer);
    let proxies = 0;
    const hops = hopsOf(header);
    while (isTrusted(address)) {
      proxies++;
      const hop = unmapped(withoutPort(hops.at(-1) ?? ''));
      // A hop that is no address ends the trust: anyone may have written the hops before it.
      if (!isIP(hop)) break;
      hops.pop();
      address = hop;
    }
    return { address, proxies, beyond: hops };
  };
}

/**
 * The client's address: the peer's, or the one that trusted proxies report, read from the end. Null for this machine
 * itself: an untrusted loopback peer without forwarding headers. A trusted proxy without a usable header counts as the
 * client; `warn` is called once about it. Throws `ConfigError` for a wrong TRUSTED_PROXIES.
 */
export function addressReader(trustedProxies: readonly string[], warn: (text: string) => void = () => {}) {
  const chainOf = chainReader(trustedProxies);
  let hasWarned = false;

  return (peer: string, header: (name: string) => string | undefined): string | null => {
    const { address, proxies } = chainOf(peer, header);
    if (proxies > 0) {
      if (address === unmapped(peer) && !hasWarned) {
        hasWarned = true;
        warn(
          'a proxy of TRUSTED_PROXIES does not say in X-Forwarded-For whom it forwards: all of them are taken for one',
        );
      }
      return address;
    }
    const local = address === '::1' || address.startsWith('127.');
    return local && !FORWARDED.some((name) => header(name) !== undefined) ? null : address;
  };
}
