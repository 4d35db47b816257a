import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { networks } from '../../platform/config/settings.ts';
import { connectionReader } from '../../platform/http/connections.ts';
import { chainReader, FORWARDING } from '../../platform/http/proxies.ts';
import type { TransportSeen } from '../signals/observation.ts';
import { areDifferent, type ClientClaims } from './client.ts';
import { isForeign, markOf } from './marks.ts';

/** What of a request says how it came. */
export type Incoming = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersion'> & {
  socket: Pick<Socket, 'remoteAddress' | 'remotePort'>;
};

export interface TransportOptions {
  trustedProxies: readonly string[];
  hostingNetworks: readonly string[];
  /** Milliseconds since 1970. */
  now: () => number;
}

/** The most accounts of one connection, and clients of one account on it, that are remembered. */
const MOST_ACCOUNTS = 4;
const MOST_CLIENTS = 4;
/** The most connections behind trusted proxies that are remembered. */
const MOST_CONNECTIONS = 10_000;
/** After such a silence the name of a connection may be that of another one. */
const SILENCE_MS = 120_000;

/** The clients that one connection carried for one account. */
interface Carried {
  clients: ClientClaims[];
  /** That of the newest request. */
  newest: ClientClaims;
  /** A client came back after another one: no other connection of the same name is in between. */
  isShared: boolean;
}

interface Connection {
  accounts: Map<string, Carried>;
  seenAt: number;
}

/**
 * Tells how requests came. All that it remembers is in memory, by connection, and no more than the constants above say.
 * Throws `ConfigError` for wrong networks; what it returns never throws.
 */
export function transportReader({ trustedProxies, hostingNetworks, now }: TransportOptions) {
  const chainOf = chainReader(trustedProxies);
  const nameOf = connectionReader(trustedProxies);
  const sockets = new WeakMap<object, Connection>();
  const named = new Map<string, Connection>();
  const isHosting = networks('risk.hostingNetworks', hostingNetworks);

  function connectionOf({ socket }: Incoming, isOurs: boolean, header: Header): Connection | null {
    const at = now();
    if (!isOurs) {
      const known = sockets.get(socket);
      if (known) return known;
      const fresh = { accounts: new Map(), seenAt: at };
      sockets.set(socket, fresh);
      return fresh;
    }
    const name = nameOf(socket, header);
    if (name === null) return null;
    const known = named.get(name);
    named.delete(name);
    const connection = known && at - known.seenAt < SILENCE_MS ? known : { accounts: new Map(), seenAt: at };
    connection.seenAt = at;
    named.set(name, connection);
    if (named.size > MOST_CONNECTIONS) named.delete(named.keys().next().value!);
    return connection;
  }

  return (incoming: Incoming, accountId: string, client: ClientClaims): TransportSeen => {
    const header = headerOf(incoming);
    const { address, proxies, beyond } = chainOf(incoming.socket.remoteAddress ?? '', header);
    const connection = connectionOf(incoming, proxies > 0, header);
    // The proxy in front of this server wrote the head itself.
    const mark = proxies > 0 ? 'unknown' : markOf({ raw: incoming.rawHeaders, httpVersion: incoming.httpVersion });
    const isForwarded = proxies > 0 ? isForwardedBeyond(proxies, beyond, header) : hasForwarding(incoming.headers);
    return {
      clientsOnConnection: connection ? carry(connection, accountId, client) : 0,
      isForwarded,
      // What inspects a company's traffic writes heads anew, too, and says so.
      isForeignMark: !isForwarded && isForeign(mark, client),
      isHosting: isHosting(address),
    };
  };
}

type Header = (name: string) => string | undefined;

function headerOf({ headers }: Incoming): Header {
  return (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
}

/**
 * Notes a request, and tells how many clients the connection has carried for the account. Several only if one of them
 * came back after another: a proxy's name of a connection may be given to the next one, and some programs send a new
 * device id with every request.
 */
function carry({ accounts }: Connection, accountId: string, client: ClientClaims): number {
  const carried = accounts.get(accountId);
  if (!carried) {
    if (accounts.size >= MOST_ACCOUNTS) accounts.delete(accounts.keys().next().value!);
    accounts.set(accountId, { clients: [client], newest: client, isShared: false });
    return 1;
  }
  const { clients } = carried;
  const known = [carried.newest, ...clients].find((other) => !areDifferent(other, client));
  if (!known) {
    if (clients.length >= MOST_CLIENTS) clients.shift();
    clients.push(client);
  }
  if (known && areDifferent(carried.newest, known)) carried.isShared = true;
  carried.newest = known ?? client;
  return carried.isShared ? clients.length : 1;
}

const NAMES: ReadonlySet<string> = new Set(Object.values(FORWARDING).flat());

function hasForwarding(headers: Incoming['headers']): boolean {
  for (const name in headers) if (NAMES.has(name)) return true;
  return false;
}

/**
 * Behind trusted proxies: whether there is more than they add. Lists tell it. A header with a single value is the proxy's
 * own, and so are those of a cloud in front of it.
 */
function isForwardedBeyond(proxies: number, beyond: readonly string[], header: Header): boolean {
  const vias = header('via')?.split(',', proxies + 1).length ?? 0;
  return vias > proxies || beyond.some((hop) => isIP(hop) !== 0);
}
