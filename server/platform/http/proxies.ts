import { BlockList, isIP } from 'node:net';
import { ConfigError } from '../config/config.ts';

/** What proxies add. A request from this machine that has one of them comes from somewhere else. */
const FORWARDING =
  'x-forwarded-for x-forwarded-host x-forwarded-proto forwarded via x-real-ip x-client-ip true-client-ip cf-connecting-ip'.split(
    ' ',
  );

/** `203.0.113.5:4711` and `[2001:db8::1]:4711` without their ports, as some proxies write them. */
function withoutPort(hop: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop;
}

/** The hops that a proxy tells of, nearest last: X-Forwarded-For, or `for` in Forwarded (RFC 7239). */
function hopsOf(header: (name: string) => string | undefined): string[] {
  const list = (text: string) => text.split(',').map((hop) => hop.trim());
  const plain = header('x-forwarded-for');
  if (plain !== undefined) return list(plain);
  const said = header('forwarded');
  return said === undefined ? [] : list(said).map((hop) => /(?:^|;)\s*for="?([^";,]*)"?/i.exec(hop)?.[1] ?? '');
}

/** An IPv4 address that an IPv6 socket tells as `::ffff:…`, in its own form. */
export const unmapped = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** Whether an address is one of TRUSTED_PROXIES. Throws `ConfigError` for a wrong entry. */
export function trustedBy(trustedProxies: readonly string[]): (address: string) => boolean {
  const trusted = new BlockList();
  for (const entry of trustedProxies) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address);
    const length = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits);
    if (!family || !Number.isInteger(length) || length < 0 || length > (family === 4 ? 32 : 128))
      throw new ConfigError(`TRUSTED_PROXIES: "${entry}" is not an address or a network like 10.0.0.0/8`);
    trusted.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => isIP(address) !== 0 && trusted.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Where a request came from: the peer's address, or what a trusted proxy says, read from its end. Null for this very machine
 * asking itself without any proxy: a peer on loopback that is no trusted proxy and sends nothing that proxies add. A trusted
 * proxy that says nothing usable is taken for the one who asks; `warn` hears of that once. Throws `ConfigError` for a wrong
 * TRUSTED_PROXIES.
 */
export function addressReader(trustedProxies: readonly string[], warn: (text: string) => void = () => {}) {
  const isTrusted = trustedBy(trustedProxies);
  let hasWarned = false;

  return (peer: string, header: (name: string) => string | undefined): string | null => {
    const from = unmapped(peer);
    let address = from;
    const hops = hopsOf(header);
    while (isTrusted(address) && hops.length > 0) {
      const hop = unmapped(withoutPort(hops.pop()!));
      // A hop that is no address ends the trust: what stands before it may be anybody's word.
      if (!isIP(hop)) break;
      address = hop;
    }
    if (isTrusted(from)) {
      if (address === from && !hasWarned) {
        hasWarned = true;
        warn(
          'a proxy of TRUSTED_PROXIES does not say in X-Forwarded-For whom it forwards: all of them are taken for one',
        );
      }
      return address;
    }
    const local = address === '::1' || address.startsWith('127.');
    return local && !FORWARDING.some((name) => header(name) !== undefined) ? null : address;
  };
}
