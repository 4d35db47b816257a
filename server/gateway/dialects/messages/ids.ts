import { isObject, type Json } from '../chat/refused.ts';

// The ids of tool calls. A client of this dialect gets the service's whole id in a form that its own checks accept, and
// the service gets its own id back: Kimi stops calling tools if its `functions.read:0` returns in other letters. Nothing
// is stored.

const PREFIX = 'toolu_';
/** An id that Anthropic's clients accept as it is. A leading dash marks an escaped one. */
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;
/** Parts the id from what else the service wants back. No escaped character looks like it. */
const EXTRA = '_x';
/** An id that services take from another service's answer: OpenAI's, Anthropic's and Kimi's have no other letters. */
const COMMON = /^[\w.:-]+$/;
/** OpenAI, Mistral and others refuse the whole session over a longer one. */
const MOST_UNITS = 64;

/**
 * The client's id for a call of the service. Every id has its own, and `serviceCall` reads it. `extra`: what Gemini adds
 * to a call as `extra_content`, its signed thought. It refuses the history without it, and the id is the only member of
 * a call that the client returns unchanged.
 */
export function clientId(id: string, extra?: unknown): string {
  if (isObject(extra)) return extended(id, JSON.stringify(extra));
  return PREFIX + (PLAIN.test(id) ? id : `-${escaped(id)}`);
}

const extended = (id: string, json: string) => `${PREFIX}-${escaped(id)}${EXTRA}${escaped(json)}`;

/** What the service had in a call. Null if the client has its id from elsewhere. */
function serviceCall(given: string): { id: string; extra?: Json } | null {
  if (!given.startsWith(PREFIX)) return null;
  const rest = given.slice(PREFIX.length);
  if (PLAIN.test(rest)) return { id: rest };
  const [id, json] = rest.slice(1).split(EXTRA, 2).map(unescaped);
  if (json === undefined) return clientId(id!) === given ? { id: id! } : null;
  const extra = parsed(json);
  return isObject(extra) && extended(id!, json) === given ? { id: id!, extra } : null;
}

/** What else the service wants back with the call of this id of the client. */
export function extraOf(id: string): Json {
  const extra = serviceCall(id)?.extra;
  return extra ? { extra_content: extra } : {};
}

/** The value of a JSON text; undefined if it is none. */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function unescaped(text: string): string {
  return text.replace(/_([\da-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function escaped(id: string): string {
  return id.replace(/[^A-Za-z0-9-]/g, (unit) => `_${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The ids of one request, for its calls and their results alike. */
export class CallIds {
  readonly #known = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** The id for the service. Different ids of the client stay different. */
  of(id: string): string {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const own = serviceCall(id);
    const found = own?.id ?? id;
    let sent = found.length > MOST_UNITS || (own === null && !COMMON.test(found)) ? hashed(found) : found;
    while (this.#taken.has(sent)) sent = hashed(`${sent} ${id}`);
    this.#known.set(id, sent);
    this.#taken.add(sent);
    return sent;
  }
}

const hashed = (id: string) => `call_${digestOf(id)}`;

/** A hash of 128 bits as hex. It is no secret: it only tells texts apart that come from one client. */
export function digestOf(text: string): string {
  const lanes = [0x9e3779b9, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each lane takes over a part of the one before, so that they don't repeat each other.
    for (let n = 0; n < 4; n++) {
      const mixed = Math.imul(lanes[n]! ^ unit ^ (lanes[(n + 3) & 3]! >>> 15), 0x01000193 + 2 * n);
      lanes[n] = (mixed << 13) | (mixed >>> 19);
    }
  }
  return lanes.map((lane) => (Math.imul(lane ^ (lane >>> 16), 0x45d9f3b) >>> 0).toString(16).padStart(8, '0')).join('');
}
