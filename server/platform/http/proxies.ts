import { BlockList, isIP } from 'node:net';
import { ConfigError } from '../config/config.ts';

/** Headers that proxies add. A request with one of them was forwarded, even if the peer is this machine. */
const FORWARDING =
  'x-forwarded-for x-forwarded-host x-forwarded-proto forwarded via x-real-ip x-client-ip true-client-ip cf-connecting-ip'.split(
    ' ',
  );

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
 * The client's address: the peer's, or the one that trusted proxies report, read from the end. Null for this machine
 * itself: an untrusted loopback peer without forwarding headers. A trusted proxy without a usable header counts as the
 * client; `warn` is called once about it. Throws `ConfigError` for a wrong TRUSTED_PROXIES.
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
      // A hop that is no address ends the trust: anyone may have written the hops before it.
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
