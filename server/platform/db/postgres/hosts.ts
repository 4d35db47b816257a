import pg from 'pg';
import { cut } from './connections.ts';

const LOOK_MS = 2_000;

interface Host {
  host: string;
  port: number;
}

/** The addresses in a `postgres://` URL that names several hosts, as libpq reads it: `postgres://user@a:5432,b/name`. */
export function hostsOf(url: string): [string, ...string[]] {
  const [, before = '', hosts = '', rest = ''] = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#@]*)(.*)$/.exec(url) ?? [];
  return hosts.split(',').map((host) => `${before}${host}${rest}`) as [string, ...string[]];
}

/**
 * Knows which of several hosts is the primary, as libpq does with `target_session_attrs=primary`: the others are its
 * standbys, and one of them may be promoted. Asks again after a connection broke.
 */
export class Hosts {
  /** One address for each host. */
  readonly urls: readonly [string, ...string[]];
  /** The open connections of the pools. */
  readonly clients = new Set<pg.Client>();
  #primary: Host | null = null;
  #looking: Promise<Host> | null = null;

  constructor(url: string) {
    this.urls = hostsOf(url);
  }

  /** The host for a new connection. Rejects if none is a primary now. */
  async choose(): Promise<Host> {
    if (this.#primary) return this.#primary;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** A connection to it broke, or could not be made. */
  doubt(): void {
    this.#primary = null;
  }

  /** It doesn't answer any more. A machine that vanished closes no connection, so all are closed here. */
  abandon(): void {
    this.doubt();
    for (const client of this.clients) cut(client);
  }

  async #look(): Promise<Host> {
    try {
      this.#primary = await Promise.any(this.urls.map(requirePrimary));
      return this.#primary;
    } catch (error) {
      const reasons = (error as AggregateError).errors.map(({ message, code }) => message || code);
      // PostgreSQL's own code for a client that could not connect.
      throw Object.assign(new Error(`no host is a primary: ${reasons.join('; ')}`), { code: '08001' });
    }
  }
}

async function requirePrimary(url: string): Promise<Host> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: LOOK_MS, query_timeout: LOOK_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query('select pg_is_in_recovery() as "isStandby"');
    if (rows[0].isStandby) throw new Error(`${client.host} is a standby`);
    return { host: client.host, port: client.port };
  } finally {
    client.end().catch(() => {});
  }
}
