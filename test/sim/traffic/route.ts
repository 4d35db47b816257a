import type {
  ClientSeen,
  Hash,
  Mark,
  Observation,
  System,
  TransportSeen,
} from '../../../server/risk/signals/observation.ts';
import type { Sent } from './day.ts';
import type { World } from './person.ts';
import { mix, type Random } from './random.ts';
import { areDifferent, claimsOf, type Device, fingerprint, isForeign } from './tools.ts';

/** Headers of forwarding, as bits. */
export const LEFTOVERS = { via: 1, forwardedFor: 2 } as const;

/** What stands between the tools and the server, by what it does to a request. */
export interface RouteSpec {
  /** The library that writes the head anew; null: the tool's own head passes. */
  mark: Mark | null;
  leftovers: number;
  /** Who opens connections: each tool its own; one for each request; or pools, each shared by everybody behind it. */
  connections: 'own' | 'close' | { pools: number };
  /**
   * `kept`; `library`: only those of the relay's library; `one`: everybody's are those of one machine; `half`: likewise,
   * but one header still names the real system; `relay`: it names itself.
   */
  claims: 'kept' | 'library' | 'one' | 'half' | 'relay';
  device: 'kept' | 'one' | 'dropped';
  /** Prompts of people wait until the answer before is there, and so long after it, ms; tool results pass. Null: nobody waits. */
  queueGapMs: number | null;
  isHosting: boolean;
  /** Addresses that requests leave from; 0: that of the tool. */
  egress: number;
  /** Our own edge hides whose connection it is. */
  isBlind: boolean;
}

/** What claude-relay-service waits between two prompts. */
export const QUEUE_GAP_MS = 200;

export const DIRECT: RouteSpec = {
  ...{ mark: null, leftovers: 0, connections: 'own', claims: 'kept', device: 'kept' },
  ...{ queueGapMs: null, isHosting: false, egress: 0, isBlind: false },
};

const relay = (spec: Partial<RouteSpec>): RouteSpec => ({ ...DIRECT, isHosting: true, egress: 1, ...spec });
const POOLED = { pools: 1 };

/** Captured on loopback from the real tools: see "What relays look like" in docs/risk.md. */
export const RELAYS = {
  'claude-relay-service': relay({ mark: 'axios', connections: POOLED }),
  'cc-gateway': relay({
    mark: 'node-http',
    connections: POOLED,
    claims: 'half',
    device: 'one',
    leftovers: LEFTOVERS.forwardedFor,
  }),
  CLIProxyAPI: relay({ mark: 'go', connections: POOLED, claims: 'relay', device: 'one' }),
  'one-api': relay({ mark: 'go', connections: POOLED, claims: 'library', device: 'dropped' }),
  Portkey: relay({ mark: 'fetch', connections: POOLED, claims: 'library' }),
  nginx: relay({ mark: 'nginx', connections: 'close' }),
  caddy: relay({ mark: 'caddy', connections: POOLED, leftovers: LEFTOVERS.forwardedFor }),
  haproxy: relay({ mark: 'haproxy', connections: POOLED }),
  'http-proxy': relay({ mark: 'reversed', connections: 'close' }),
} satisfies Record<string, RouteSpec>;
export type RelayName = keyof typeof RELAYS;

/** A relay that makes all its users look like one machine with one tool, and leaves its own library's head. */
export const NORMALISER = relay({ mark: 'go', connections: POOLED, claims: 'one', device: 'one' });
/** A company's gateway that opens TLS, such as squid: the heads are its own, and so are the connections. */
export const INSPECTION: RouteSpec = {
  ...DIRECT,
  ...{ mark: 'other', leftovers: LEFTOVERS.via | LEFTOVERS.forwardedFor, connections: { pools: 2 }, egress: 2 },
};

interface Connection {
  busyUntil: number;
  clients: ClientSeen[];
  newest: ClientSeen | null;
  /** A client came back after another one. */
  isShared: boolean;
}

const opened = (busyUntil: number): Connection => ({ busyUntil, clients: [], newest: null, isShared: false });

/** How long an unused connection of a relay stays open: 90 s is Go's default, and others have about that. */
const KEPT_MS = 90_000;
const MOST_CLIENTS = 4;
const ONE: Pick<ClientSeen, 'family' | 'system' | 'architecture' | 'runtime'> = {
  ...{ family: 'claude-code', system: 'mac', architecture: 'arm64', runtime: 'node' },
};

/** A request as it arrives, with what only the baselines and the replay look at. */
export interface Carried {
  observation: Observation;
  address: Hash;
  country: number;
  /** Of the connection that it came over: the same object for all its requests. */
  connection: object;
  /** The library that wrote the head. */
  mark: Mark;
}

/** A route with the state of its connections. Requests must come in the order of time, but for those that a queue holds. */
export class Route {
  readonly spec: RouteSpec;
  /** How long the queue held prompts in all. */
  readonly waited = { prompts: 0, ms: 0 };
  readonly #salt: number;
  readonly #random: Random;
  readonly #credential: Hash;
  readonly #keepAliveMs: number;
  readonly #pools = new Map<number, Connection[]>();
  readonly #own = new Map<object, Connection>();
  readonly #clients = new Map<Device, Map<string, ClientSeen>>();
  readonly #transports = new Map<number, TransportSeen>();
  readonly #egress: { address: Hash; country: number }[];
  /** When the queue is free again, and by how much each conversation is late. */
  #freeAt = 0;
  readonly #late = new Map<Hash, number>();

  constructor(world: World, spec: RouteSpec) {
    this.spec = spec;
    this.#salt = world.salt;
    this.#random = world.random.fork();
    this.#credential = this.#random.hash();
    this.#keepAliveMs = 1000 * this.#random.logNormal(world.parameters.keepAliveSeconds);
    this.#egress = Array.from({ length: spec.egress }, () => ({
      address: this.#random.hash(),
      country: this.#random.below(3),
    }));
  }

  /** When a request leaves the queue of the relay. To be asked in the order of time, once a request. */
  leavesAt(sent: Sent): number {
    const { queueGapMs } = this.spec;
    if (queueGapMs === null) return sent.at;
    const { kind, root } = sent.turn;
    if (kind === 'tool') return sent.at + (this.#late.get(root) ?? 0);
    const at = Math.max(sent.at, this.#freeAt);
    this.#freeAt = Math.ceil(at + sent.takes + queueGapMs);
    this.waited.prompts++;
    this.waited.ms += at - sent.at;
    if (at > sent.at || this.#late.has(root)) this.#late.set(root, at - sent.at);
    return at;
  }

  /** What the server sees of it, and where it seems to come from. */
  carry(sent: Sent, at: number): Carried {
    const { spec } = this;
    const client = this.#clientOf(sent);
    const way = spec.egress === 0 ? 0 : this.#random.below(spec.egress);
    const connection = this.#connection(sent, at, way);
    const clients = spec.isBlind ? 0 : this.#carried(connection, client, sent.from.seat.tool.deviceId !== 'call');
    const mark = spec.mark ?? sent.from.seat.tool.mark;
    const proves = sent.from.seat.tool.proves === true && spec.claims === 'kept';
    const observation: Observation = {
      at,
      proof: proves ? sent.from.seat.device.proof : 0,
      credential: proves ? sent.from.seat.device.proof : this.#credential,
      client,
      transport: this.#transport(mark, client, clients),
      turn: sent.turn,
    };
    const { address, country } = this.#egress[way] ?? sent;
    return { observation, address, country, connection, mark };
  }

  #connection(sent: Sent, at: number, way: number): Connection {
    const { connections } = this.spec;
    const until = at + sent.takes;
    if (connections === 'close') return opened(until);
    if (connections === 'own') {
      const before = this.#own.get(sent.from);
      if (before && before.busyUntil <= at && at - before.busyUntil < this.#keepAliveMs) {
        before.busyUntil = until;
        return before;
      }
      const connection = opened(until);
      this.#own.set(sent.from, connection);
      return connection;
    }
    const key = way * 64 + this.#random.below(connections.pools);
    const pool = this.#pools.get(key) ?? [];
    let idle: Connection | undefined;
    for (const one of pool) if (one.busyUntil <= at && (!idle || one.busyUntil > idle.busyUntil)) idle = one;
    if (idle && at - idle.busyUntil < KEPT_MS) {
      idle.busyUntil = until;
      return idle;
    }
    const connection = opened(until);
    this.#pools.set(key, [...pool.filter((one) => at - one.busyUntil < KEPT_MS), connection]);
    return connection;
  }

  /** How many clients the connection has carried, as the observer counts them (observe/transport.ts). */
  #carried(connection: Connection, client: ClientSeen, hasStableIds: boolean): number {
    const { clients, newest } = connection;
    const isSame = (other: ClientSeen) => other === client || !areDifferent(other, client, hasStableIds);
    const known = newest && isSame(newest) ? newest : clients.find(isSame);
    if (!known) {
      if (clients.length >= MOST_CLIENTS) clients.shift();
      clients.push(client);
    } else if (newest && newest !== known && areDifferent(newest, known, hasStableIds)) connection.isShared = true;
    connection.newest = known ?? client;
    return connection.isShared ? clients.length : 1;
  }

  #clientOf({ from: { seat } }: Sent): ClientSeen {
    const { tool, device } = seat;
    const ofDevice = this.#clients.get(device) ?? new Map<string, ClientSeen>();
    this.#clients.set(device, ofDevice);
    const known = ofDevice.get(tool.name);
    if (known && tool.deviceId !== 'call') return known;
    const client = this.#rewritten(claimsOf(this.#salt, tool, device));
    if (tool.deviceId === 'call' && this.spec.device === 'kept') client.device = this.#random.hash();
    ofDevice.set(tool.name, client);
    return client;
  }

  #rewritten(client: ClientSeen): ClientSeen {
    const { claims, device, mark } = this.spec;
    const libraries = { go: 'go', fetch: 'node', axios: 'node' } as const;
    const library = libraries[mark as keyof typeof libraries] ?? 'other';
    const named = {
      kept: client,
      library: { family: 'script', system: 'unknown', architecture: 'unknown', runtime: library },
      relay: { family: 'relay', system: 'unknown', architecture: 'unknown', runtime: library },
      one: ONE,
      half: ONE,
    } as const;
    const { family, system, architecture, runtime } = named[claims];
    const plain = { family, system: system as System, architecture, runtime };
    const id = { kept: client.device, one: mix(this.#salt) || 1, dropped: 0 }[device];
    const isImpossible = client.isImpossible || (claims === 'half' && client.system !== ONE.system);
    return { ...plain, fingerprint: fingerprint(this.#salt, plain), device: id, isImpossible };
  }

  /** Few different ones: each is made once. */
  #transport(mark: Mark, client: ClientSeen, clientsOnConnection: number): TransportSeen {
    const { leftovers, isHosting } = this.spec;
    const isForwarded = leftovers !== 0;
    // As the observer has it (observe/transport.ts): what inspects a company's traffic writes heads anew, too.
    const isForeignMark = !isForwarded && isForeign(mark, client.family);
    const key = clientsOnConnection * 2 + Number(isForeignMark);
    let made = this.#transports.get(key);
    if (!made) {
      made = { clientsOnConnection, isForwarded, isForeignMark, isHosting };
      this.#transports.set(key, made);
    }
    return made;
  }
}
