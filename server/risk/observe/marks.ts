import type { ClientSeen, Mark } from '../signals/observation.ts';

/** More headers than any library writes: the rest is not read. */
const MAX_HEADERS = 100;

/** The head of a request as it came over the wire. */
export interface Head {
  /** Names and values in turn, in their order and case, as Node's `rawHeaders`. */
  raw: readonly string[];
  /** Such as `1.1`. */
  httpVersion: string;
}

interface Names {
  /** As they were written. */
  names: readonly string[];
  lower: readonly string[];
  httpVersion: string;
  isLower: boolean;
  acceptEncoding: string;
  /** The value of `connection`; empty without it. */
  connection: string;
}

/**
 * The library that wrote a head. The rules come from heads recorded on loopback: test/risk/observe/heads.json has them,
 * with versions. Each rule looks for what one library alone writes, so a head that fits none is `other`.
 */
export function markOf({ raw, httpVersion }: Head): Mark {
  const names: string[] = [];
  const lower: string[] = [];
  let isLower = true;
  let acceptEncoding = '';
  let connection = '';
  for (let at = 0; at + 1 < raw.length && names.length < MAX_HEADERS; at += 2) {
    const name = raw[at]!;
    const small = name.toLowerCase();
    names.push(name);
    lower.push(small);
    isLower &&= name === small;
    if (small === 'accept-encoding') acceptEncoding = raw[at + 1]!;
    else if (small === 'connection') connection = raw[at + 1]!;
  }
  const head = { names, lower, httpVersion, isLower, acceptEncoding, connection };
  return RULES.find(([, fits]) => fits(head))?.[0] ?? 'other';
}

const RULES: readonly [Mark, (head: Names) => boolean][] = [
  [
    'caddy',
    (head) => isGo(head) && ['X-Forwarded-Host', 'X-Forwarded-Proto'].every((name) => head.names.includes(name)),
  ],
  ['go', isGo],
  ['browser', ({ names }) => names[0] === 'Host' && names.includes('Sec-Fetch-Mode') && names.includes('User-Agent')],
  ['nginx', isNginx],
  ['fetch', ({ names }) => names[0] === 'host' && names[1] === 'connection'],
  ['reversed', isReversed],
  ['haproxy', isHaproxy],
  ['rust', isRust],
  ['python', isPython],
  ['bun', isBun],
  ['axios', (head) => isNode(head) && head.acceptEncoding === 'gzip, compress, deflate, br'],
  ['node-http', isNode],
];

const isBody = (name: string | undefined) => name === 'content-length' || name === 'transfer-encoding';

/** What configurations of nginx set, beside `Host` and `Connection`. */
const SET = /^(?:authorization|x-api-key|x-real-ip|x-scheme|x-(?:forwarded|original)-[a-z-]{1,30})$/;

/**
 * The headers that its configuration sets come first, then the body's length, then those of the client in their own case.
 * HTTP/1.0 is its default. Tinyproxy, which puts `Via` there, is none; nor are the editors that send by Chromium, which
 * keeps its connection alive.
 */
function isNginx({ names, lower, httpVersion, connection }: Names): boolean {
  const host = names.indexOf('Host');
  if (host < 0 || host > 8 || connection.toLowerCase() === 'keep-alive') return false;
  const length = lower.findIndex(isBody);
  const own = length > host ? lower.slice(0, length) : lower.slice(0, httpVersion === '1.0' ? host + 1 : 0);
  return own.length > 0 && own.every((name) => name === 'host' || name === 'connection' || SET.test(name));
}

/**
 * http-proxy and cors-anywhere hand Node the client's headers last to first, in lower case. Deno begins with the body's
 * length, too, but has no `connection`.
 */
function isReversed({ names, lower, connection }: Names): boolean {
  if (connection === '') return false;
  let first = 0;
  while (lower[first] === 'connection' || lower[first]?.startsWith('x-forwarded-')) first++;
  const [name, second, third] = names.slice(first, first + 3);
  if (!isBody(name) && !(name === 'host' && second === 'accept-encoding' && isBody(third))) return false;
  // Node may write these two itself.
  return names.every((written, at) => written === lower[at] || written === 'Host' || written === 'Connection');
}

/**
 * Everything in lower case without `connection`, but in the client's order: Node's `host` first, or Bun's in front of the
 * encodings. What its configuration sets is at the end, behind the body's length.
 */
function isHaproxy({ names, isLower, acceptEncoding }: Names): boolean {
  if (!isLower || names.includes('connection')) return false;
  const host = names.indexOf('host');
  if (host < 0) return false;
  const length = names.findIndex(isBody);
  return (
    host === 0 ||
    (length >= 0 && length + 1 === host) ||
    (names[host + 1] === 'accept-encoding' && acceptEncoding.includes('zstd'))
  );
}

/** hyper: everything in lower case, `host` after the program's own headers, and then only the body's length. */
function isRust({ names, isLower }: Names): boolean {
  const host = names.indexOf('host');
  return isLower && host > 0 && !names.includes('connection') && names.slice(host + 1).every(isBody);
}

/** Three first ones of its own, then sorted canonical names; the transport may add its encoding at the end. */
function isGo({ names, lower }: Names): boolean {
  if (names[0] !== 'Host' || names[1] !== 'User-Agent' || !isBody(lower[2])) return false;
  const rest = names.slice(3);
  if (rest.at(-1) === 'Accept-Encoding' || rest.at(-1) === 'Connection') rest.pop();
  return rest.every((name, at) => /^[A-Z0-9]/.test(name) && (at === 0 || rest[at - 1]! <= name));
}

const PYTHON = [
  ['Host', 'Accept', 'Accept-Encoding', 'Connection', 'User-Agent'],
  ['Host', 'Accept-Encoding', 'Connection'],
  ['Host', 'User-Agent', 'Accept-Encoding', 'Accept', 'Connection'],
];

/** httpx, the SDKs on top of it, requests, and what urllib writes. */
function isPython({ names, acceptEncoding }: Names): boolean {
  if (names[0] === 'Accept-Encoding') return acceptEncoding === 'identity' && names.at(-1) === 'Connection';
  return PYTHON.some((beginning) => beginning.every((name, at) => names[at] === name));
}

/** The program's own headers, then `Connection`, and `Host` in front of the encodings. */
function isBun({ names, acceptEncoding }: Names): boolean {
  const host = names.indexOf('Host');
  const connection = names.indexOf('Connection');
  return (
    connection >= 0 && host > connection && names[host + 1] === 'Accept-Encoding' && acceptEncoding.includes('zstd')
  );
}

/** Node adds `Host`, `Connection` and the body's length after the program's own headers. */
function isNode({ names, lower }: Names): boolean {
  const host = names.indexOf('Host');
  return host > 0 && lower.slice(host + 1).every((name) => name === 'connection' || isBody(name));
}

/** Bun calls itself Node to SDKs, and editors may send the requests of their extensions through the browser in them. */
const NODE: readonly Mark[] = ['fetch', 'node-http', 'bun', 'browser'];

/** The libraries of each runtime. `axios` is none of Node's: no client of the list below calls models through it. */
const OF_RUNTIME: Partial<Record<ClientSeen['runtime'], readonly Mark[]>> = {
  node: NODE,
  bun: NODE,
  deno: ['rust', ...NODE],
  python: ['python'],
  go: ['go'],
  rust: ['rust'],
  browser: ['browser'],
};

/**
 * The clients whose libraries are known, up to a release (major and minor): a newer one may have changed its library. A
 * family that is not here may use any. `runtime`: of a client that does not say where it runs.
 */
const KNOWN: Partial<
  Record<ClientSeen['family'], { upTo: readonly [number, number]; runtime?: ClientSeen['runtime'] }>
> = {
  'claude-code': { upTo: [2, 1], runtime: 'node' },
  codex: { upTo: [0, 171], runtime: 'rust' },
  kimi: { upTo: [2, 1] },
  opencode: { upTo: [1, 18], runtime: 'bun' },
  'openai-sdk': { upTo: [7, 59] },
  'anthropic-sdk': { upTo: [1, 14] },
  'ai-sdk': { upTo: [7, 0] },
};

/** Says nothing of who wrote it. */
const VAGUE: readonly Mark[] = ['unknown', 'other'];

/**
 * Whether the head was positively written by a library that the claimed client does not use. False in all doubt: an
 * unknown head, an unknown client or runtime, or a release that is newer than those that were recorded.
 */
export function isForeign(
  mark: Mark,
  { family, runtime, version }: Pick<ClientSeen, 'family' | 'runtime'> & { version: string },
): boolean {
  const known = KNOWN[family];
  // In a browser's window (Tauri, Electron) any library may send.
  if (!known || runtime === 'browser' || VAGUE.includes(mark)) return false;
  const own = OF_RUNTIME[runtime === 'unknown' ? (known.runtime ?? 'unknown') : runtime];
  const [, major, minor] = /^(\d{1,6})\.(\d{1,6})/.exec(version) ?? [];
  if (!own || major === undefined || own.includes(mark)) return false;
  const [newest, newestMinor] = known.upTo;
  return Number(major) < newest || (Number(major) === newest && Number(minor) <= newestMinor);
}
