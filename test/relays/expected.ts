import { type Crowd, DEVICES, HEAVY, OFFICE, RESALE } from './crowds.ts';

/** What the server sees of a proxy: its marks, leftovers, the clients on one connection, and foreign heads. */
export interface Expected {
  direct: string;
  /** Behind the shipped Caddy. */
  edge: string;
}

const unchanged: Expected = {
  direct: 'bun rust fetch | none | 1 | 0 of 12',
  // Caddy writes the heads.
  edge: 'unknown | none | 1 | 0 of 12',
};
const lost = (clients: number) => `unknown | none | ${clients} | 0 of 12`;

export const EXPECTED: Record<string, Expected> = {
  none: unchanged,
  // It closes its connection after each request.
  nginx: { direct: 'nginx | none | 1 | 12 of 12', edge: lost(1) },
  'nginx, HTTP/1.1 kept alive': { direct: 'nginx | none | 4 | 12 of 12', edge: lost(4) },
  HAProxy: { direct: 'haproxy | none | 4 | 12 of 12', edge: lost(4) },
  // What adds forwarding headers may be a company's inspection: its head is not foreign.
  Caddy: { direct: 'caddy | forwardedFor | 4 | 0 of 12', edge: lost(4) },
  'http-proxy': { direct: 'reversed | none | 1 | 12 of 12', edge: lost(1) },
  // It drops what the clients say of themselves: so nothing is foreign, and all look like one.
  '@portkey-ai/gateway': { direct: 'fetch | none | 1 | 0 of 12', edge: lost(1) },
  'squid, plain': { direct: 'other | via forwardedFor | 1 | 0 of 12', edge: lost(1) },
  'squid, CONNECT': unchanged,
  'tinyproxy, plain': { direct: 'other | via | 1 | 0 of 12', edge: lost(1) },
  'tinyproxy, CONNECT': unchanged,
  // It changes nothing in the heads.
  mitmproxy: unchanged,
  // It keeps connections for all programs behind it: several clients on one are no proof of several people.
  'a gateway that opens TLS': { direct: 'bun other fetch | via forwardedFor | 4 | 0 of 12', edge: lost(4) },
};

export interface Working {
  crowd: Crowd;
  /** The name of a proxy; null for none. */
  through: string | null;
  behindCaddy?: boolean;
  expected: 'flagged' | 'not_enough' | 'clean';
  seed: number;
  days: number;
}

const resold = (through: string, expected: Working['expected'], behindCaddy = false): Working => ({
  ...{ crowd: RESALE, through, behindCaddy, expected, seed: 3, days: expected === 'flagged' ? 7 : 3 },
});
const honest = (crowd: Crowd, through: string | null, behindCaddy = false, seed = 1): Working => ({
  ...{ crowd, through, behindCaddy, expected: 'clean', seed, days: 4 },
});

/** What the server makes of people. */
export const WORKING: readonly Working[] = [
  resold('nginx', 'flagged'),
  resold('HAProxy', 'flagged'),
  resold('http-proxy', 'flagged'),
  resold('@portkey-ai/gateway', 'flagged'),
  // They close their connections, so nothing is left behind an edge that speaks of a relay: they are missed there.
  resold('nginx', 'clean', true),
  resold('http-proxy', 'clean', true),
  resold('HAProxy', 'flagged', true),
  honest(HEAVY, 'nginx'),
  honest(HEAVY, 'HAProxy'),
  ...[
    'squid, plain',
    'squid, CONNECT',
    'tinyproxy, plain',
    'tinyproxy, CONNECT',
    'mitmproxy',
    'a gateway that opens TLS',
  ].map((through) => honest(DEVICES, through)),
  honest(DEVICES, null),
  honest(DEVICES, null, true),
  honest(OFFICE, 'tinyproxy, CONNECT'),
];
