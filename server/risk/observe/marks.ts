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
  httpVersion: string;
  isLower: boolean;
  acceptEncoding: string;
}

/**
 * The library that wrote a head. The rules come from heads recorded on loopback, of the versions that
 * test/risk/observe/heads.ts lists. Each rule looks for what one library alone writes, so a head that fits none is
 * `other`.
 */
export function markOf({ raw, httpVersion }: Head): Mark {
  const names: string[] = [];
  let acceptEncoding = '';
  for (let at = 0; at + 1 < raw.length && names.length < MAX_HEADERS; at += 2) {
    names.push(raw[at]!);
    if (/^accept-encoding$/i.test(raw[at]!)) acceptEncoding = raw[at + 1]!;
  }
  const head = { names, httpVersion, isLower: names.every((name) => name === name.toLowerCase()), acceptEncoding };
  return RULES.find(([, fits]) => fits(head))?.[0] ?? 'other';
}

const RULES: readonly [Mark, (head: Names) => boolean][] = [
  ['nginx', isNginx],
  ['fetch', ({ names }) => names[0] === 'host' && names[1] === 'connection'],
  ['reversed', isReversed],
  ['haproxy', isHaproxy],
  ['rust', isRust],
  [
    'caddy',
    (head) => isGo(head) && ['X-Forwarded-Host', 'X-Forwarded-Proto'].every((name) => head.names.includes(name)),
  ],
  ['go', isGo],
  ['python', isPython],
  ['browser', ({ names }) => names[0] === 'Host' && names.includes('Sec-Fetch-Mode') && names.includes('User-Agent')],
  ['bun', isBun],
  ['axios', (head) => isNode(head) && head.acceptEncoding === 'gzip, compress, deflate, br'],
  ['node-http', isNode],
];

const BODY = ['content-length', 'transfer-encoding'];
const isBody = (name: string | undefined) => name !== undefined && BODY.includes(name.toLowerCase());

/** What configurations of nginx set in front. */
const SET = /^(?:x-real-ip|x-forwarded-[a-z-]{1,30}|x-scheme|x-original-[a-z-]{1,30})$/i;

/**
 * HTTP/1.0 with `Host` and `Connection` first is its default. With HTTP/1.1 the headers that its configuration sets come
 * first, then the body's length, then those of the client in their own case. Tinyproxy, which puts `Via` there, is none.
 */
function isNginx({ names, httpVersion }: Names): boolean {
  if (httpVersion === '1.0') return names[0] === 'Host' && names[1] === 'Connection';
  const host = names.indexOf('Host');
  if (host < 0 || host > 8) return false;
  const length = names.findIndex(isBody);
  const own = names.slice(0, length);
  return length > host && own.every((name) => name === 'Host' || name === 'Connection' || SET.test(name));
}

/** http-proxy and cors-anywhere hand Node the client's headers last to first, in lower case. */
function isReversed({ names }: Names): boolean {
  const own = names.filter((name) => !/^x-forwarded-|^connection$/i.test(name));
  const rest = own.filter((name) => name !== 'Host');
  if (!rest.every((name) => name === name.toLowerCase())) return false;
  const [first, second, third] = own;
  return isBody(first) || (first === 'host' && second === 'accept-encoding' && isBody(third));
}

/** Everything in lower case, without `connection`, but in the client's order: Node's `host` first, or Bun's in front of the encodings. */
function isHaproxy({ names, isLower, acceptEncoding }: Names): boolean {
  if (!isLower || names.includes('connection')) return false;
  const host = names.indexOf('host');
  return host === 0 || (host > 0 && names[host + 1] === 'accept-encoding' && acceptEncoding.includes('zstd'));
}

/** hyper: everything in lower case, `host` after the program's own headers, and then only the body's length. */
function isRust({ names, isLower }: Names): boolean {
  const host = names.indexOf('host');
  return isLower && host > 0 && !names.includes('connection') && names.slice(host + 1).every(isBody);
}

/** Three first ones of its own, then sorted canonical names; the transport may add its encoding at the end. */
function isGo({ names }: Names): boolean {
  if (names[0] !== 'Host' || names[1] !== 'User-Agent' || !isBody(names[2])) return false;
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
function isNode({ names }: Names): boolean {
  const host = names.indexOf('Host');
  return host > 1 && names.slice(host + 1).every((name) => name === 'Connection' || isBody(name));
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
 * The clients whose library is known, with the newest release that was looked at, as major and minor. What is newer may
 * have changed its library. A family that is not here may use any.
 */
const KNOWN_TO: Partial<Record<ClientSeen['family'], readonly [major: number, minor: number]>> = {
  'claude-code': [2, 1],
  codex: [0, 171],
  kimi: [2, 1],
  opencode: [1, 18],
  'openai-sdk': [7, 59],
  'anthropic-sdk': [1, 14],
  'ai-sdk': [7, 0],
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
  const release = KNOWN_TO[family];
  const own = OF_RUNTIME[runtime];
  if (VAGUE.includes(mark) || !release || !own || own.includes(mark)) return false;
  const [, major, minor] = /^(\d{1,6})\.(\d{1,6})/.exec(version) ?? [];
  if (major === undefined) return false;
  return Number(major) < release[0] || (Number(major) === release[0] && Number(minor) <= release[1]);
}
