import { BlockList, isIP } from 'node:net';

// What IANA's registries of special-purpose addresses keep from the public internet, and some more: what is not known to
// be public is not read.

const SPECIAL_V4 = listOf('ipv4', [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['192.31.196.0/24', '192.52.193.0/24', '192.175.48.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  // Looks public: the host of each machine in Azure answers there.
  '168.63.129.16/32',
]);

/** Global unicast. Outside are loopback, local, multicast and translated addresses, such as ::ffff:10.0.0.1. */
const UNICAST_V6 = listOf('ipv6', ['2000::/3']);
/** Teredo and other protocols, documentation, AS112, test networks, and 6to4, which holds an IPv4 address of any kind. */
const SPECIAL_V6 = listOf('ipv6', [
  ...['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3ffe::/16', '3fff::/20'],
]);

/** Whether an IP address belongs to the public internet. */
export function isPublic(address: string): boolean {
  // An address with a zone is one of this machine's links.
  if (address.includes('%')) return false;
  switch (isIP(address)) {
    case 4:
      return !SPECIAL_V4.check(address, 'ipv4');
    case 6:
      return UNICAST_V6.check(address, 'ipv6') && !SPECIAL_V6.check(address, 'ipv6');
    default:
      return false;
  }
}

function listOf(family: 'ipv4' | 'ipv6', networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}
