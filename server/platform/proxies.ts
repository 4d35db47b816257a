import { BlockList, isIP } from 'node:net';
import { ConfigError } from './config.ts';

const FORWARDING = ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'cf-connecting-ip'];

/** `203.0.113.5:4711` and `[2001:db8::1]:4711` without their ports, as some proxies write them. */
function withoutPort(hop: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop;
}

/**
 * Where a request came from: the peer's address, or what a trusted proxy says in X-Forwarded-For, read from its end.
 * Null for this very machine asking itself without any proxy. Throws `ConfigError` for a wrong TRUSTED_PROXIES.
 */
export function addressReader(trustedProxies: readonly string[]) {
  const trusted = new BlockList();
  for (const entry of trustedProxies) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address);
    const length = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits);
    if (!family || !Number.isInteger(length) || length < 0 || length > (family === 4 ? 32 : 128))
      throw new ConfigError(`TRUSTED_PROXIES: "${entry}" is not an address or a network like 10.0.0.0/8`);
    trusted.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  }
  const isTrusted = (address: string) =>
    isIP(address) !== 0 && trusted.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');

  return (peer: string, header: (name: string) => string | undefined): string | null => {
    let address = peer.replace(/^::ffff:(?=\d+\.)/i, '');
    const hops = (header('x-forwarded-for') ?? '').split(',').map((hop) => hop.trim());
    while (isTrusted(address) && hops.length > 0) {
      const hop = withoutPort(hops.pop()!);
      // A hop that is no address ends the trust: what stands before it may be anybody's word.
      if (!isIP(hop)) break;
      address = hop;
    }
    const local = address === '::1' || address.startsWith('127.');
    return local && !FORWARDING.some((name) => header(name)) ? null : address;
  };
}
