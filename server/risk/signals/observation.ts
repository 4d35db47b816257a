/**
 * A keyed hash of 32 bits, made by `observe/` with a key of its own for each account and period. 0 means: nothing there.
 * Within an account two values share a hash by chance once in 4 billion pairs; nothing links two accounts.
 */
export type Hash = number;

/** The client that a request claims to come from, by its `user-agent` and the headers of its SDK. */
export const FAMILIES = [
  ...([
    'other',
    'perigee',
    'claude-code',
    'codex',
    'kimi',
    'opencode',
    'cline',
    'continue',
    'aider',
    'openclaw',
  ] as const),
  ...(['openai-sdk', 'anthropic-sdk', 'ai-sdk', 'browser', 'script', 'relay'] as const),
] as const;
export type Family = (typeof FAMILIES)[number];

export const SYSTEMS = ['unknown', 'windows', 'mac', 'linux', 'other'] as const;
export type System = (typeof SYSTEMS)[number];
export const ARCHITECTURES = ['unknown', 'x64', 'arm64', 'other'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];
export const RUNTIMES = ['unknown', 'node', 'bun', 'deno', 'python', 'go', 'rust', 'browser', 'other'] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** What the client says of itself. All of it can be forged. */
export interface ClientSeen {
  /** `relay`: it names itself one (an exact list). */
  family: Family;
  system: System;
  architecture: Architecture;
  runtime: Runtime;
  /** Of family, system, architecture and runtime: the same after an upgrade. */
  fingerprint: Hash;
  /** Of the device id that the client sends; 0 if it sends none. */
  device: Hash;
  /** Two of its claims exclude each other within this one request, or the version never existed. */
  isImpossible: boolean;
}

/** The library that wrote the request's head, by the order and case of its headers and the HTTP version. */
export const MARKS = [
  ...(['unknown', 'fetch', 'axios', 'node-http', 'go', 'python', 'rust', 'nginx', 'haproxy', 'caddy'] as const),
  ...(['reversed', 'browser', 'bun', 'other'] as const),
] as const;
export type Mark = (typeof MARKS)[number];

/** How the request came. */
export interface TransportSeen {
  /**
   * How many different clients (claims and device ids, never session ids) this one connection has carried for this
   * account, this one included, 1 to 4. It is 1 until one of them comes back after another. 0: the connection is our own
   * edge's, and the edge names none.
   */
  clientsOnConnection: number;
  /** It has headers that only something between the client and us adds, less what our own edge adds. */
  isForwarded: boolean;
  /** The library is none that the claimed client is known to use. */
  isForeignMark: boolean;
  /** The address belongs to a network of the operator's list of hosting networks. */
  isHosting: boolean;
}

/** Languages that people write in. Code is no language. */
export const LANGUAGES = ['english', 'latin', 'cyrillic', 'chinese', 'japanese', 'korean', 'arabic', 'indic'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The most paths of one request that are looked at. */
export const MOST_PATHS = 16;

/** What the turn is about. */
export interface TurnSeen {
  /**
   * `human`: its newest message is a person's text. `tool`: the result of a tool. `machine`: declared automation, or what
   * a client asks on its own (a title, a summary, a repair, an answer that goes on).
   */
  kind: 'human' | 'tool' | 'machine';
  /** The conversation: of its first message and its first tool, or of its id in the editor. */
  root: Hash;
  /** The newest message is the conversation's first one. */
  isFirst: boolean;
  /** A SimHash of the person's text: texts that are alike differ in few bits. 0: no text, or too short to say. */
  template: Hash;
  /** Null: too little text to say. */
  language: Language | null;
  /** Of the last two segments of paths in context and tool calls; common names (`package.json`) are left out. */
  paths: readonly Hash[];
}

/** What one model request showed. Numbers and names of lists: never text, paths or addresses. */
export interface Observation {
  /** When it came in, ms since 1970, by the clock of its node. */
  at: number;
  /** Of the install key whose proof (DPoP) came along; 0 if none did. */
  proof: Hash;
  /** Of the API key or session. */
  credential: Hash;
  client: ClientSeen;
  transport: TransportSeen;
  turn: TurnSeen;
}
