/** What the server sees of a proxy: its marks, leftovers, the clients on one connection, and foreign heads. */
export interface Expected {
  direct: string;
  /** Behind the shipped Caddy. */
  edge: string;
}

const honest: Expected = {
  direct: 'bun rust fetch | none | 1 | 0 of 12',
  // Caddy writes the heads.
  edge: 'unknown | none | 1 | 0 of 12',
};
const lost = (clients: number) => `unknown | none | ${clients} | 0 of 12`;

export const EXPECTED: Record<string, Expected> = {
  none: honest,
  // It closes its connection after each request.
  nginx: { direct: 'nginx | none | 1 | 12 of 12', edge: lost(1) },
  'nginx, HTTP/1.1 kept alive': { direct: 'nginx | none | 4 | 12 of 12', edge: lost(4) },
  HAProxy: { direct: 'haproxy | none | 4 | 12 of 12', edge: lost(4) },
  Caddy: { direct: 'caddy | forwardedFor | 4 | 12 of 12', edge: lost(4) },
  'http-proxy': { direct: 'reversed | none | 1 | 12 of 12', edge: lost(1) },
  // It drops what the clients say of themselves: so nothing is foreign, and all look like one.
  '@portkey-ai/gateway': { direct: 'fetch | none | 1 | 0 of 12', edge: lost(1) },
  'squid, plain': { direct: 'other | via forwardedFor | 1 | 0 of 12', edge: lost(1) },
  'squid, CONNECT': honest,
  'tinyproxy, plain': { direct: 'other | via | 1 | 0 of 12', edge: lost(1) },
  'tinyproxy, CONNECT': honest,
  // It changes nothing in the heads.
  mitmproxy: honest,
  // It keeps connections for all programs behind it: several clients on one are no proof of several people.
  'a gateway that opens TLS': { direct: 'bun other fetch | via forwardedFor | 4 | 0 of 12', edge: lost(4) },
};
