import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { PostgresSettings } from '../config/config.ts';
import type { Log } from '../log.ts';
import { type AddressedChange, Changes, collectChanges } from './changes.ts';
import { BOUNDED_MS, type Database, TookTooLong, type Tx } from './database.ts';
import { collectDeletions, type DeletionList } from './deletions.ts';
import { Exchange, MEASURE_EVERY_MS } from './exchange.ts';
import { migrate } from './migrate.ts';
import { Pulse, within } from './postgres/connections.ts';
import { Hosts } from './postgres/hosts.ts';
import { nameOf, type Shortcut, takeShortcut } from './prepared.ts';
import type { Schema } from './schema.ts';

const INT8 = 20;
const RETRIES = 5;
const QUERY_CANCELED = '57014';
/** How long `close` waits for the database. */
const CLOSE_MS = 2_000;
/** The advisory lock of `alone`. PostgreSQL keeps one of each number for each database. */
const ALONE = 0x7065_7269;

/** For several nodes. They tell each other by NOTIFY what has changed, with ids only. */
export async function openPostgres(
  { url, sessionUrl = url, namesStatements = true, answerMs = 5_000 }: PostgresSettings,
  log: Log,
  deletions: DeletionList,
  alongside = false,
): Promise<Database> {
  if (!alongside) deletions.prepare();
  const types = {
    getTypeParser(oid: number, format?: 'text' | 'binary') {
      if (oid === INT8 && format !== 'binary') return parseInt8;
      return pg.types.getTypeParser(oid, format as 'text');
    },
  } as pg.CustomTypesConfig;
  const hosts = new Hosts(url);
  const sessionHosts = sessionUrl === url ? hosts : new Hosts(sessionUrl);
  const connect = (options: pg.PoolConfig, at = hosts) => {
    const Client = clientAt(at, namesStatements);
    const connection = { connectionString: at.urls[0], keepAlive: true, connectionTimeoutMillis: answerMs };
    const pool = new pg.Pool({ ...connection, types, Client, ...options });
    // The pool handles errors of idle connections only. Without a handler, one that breaks in a transaction ends the
    // process.
    pool.on('connect', (client) => {
      at.clients.add(client);
      client.on('error', () => at.doubt());
    });
    pool.on('remove', (client) => at.clients.delete(client));
    pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
    return { pool, db: new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) }) };
  };
  const { pool, db } = connect({ max: 12 });
  takeShortcut(db, shortcutOf(pool, namesStatements), 'outside');
  // Separate connections, so that slow reads leave all others free.
  const { db: bounded } = connect({ max: 4, connectionTimeoutMillis: BOUNDED_MS });
  const { db: first } = connect({ max: 4 });
  // Ends of answers may wait for a locked wallet, on all connections that they have.
  const { db: leases } = connect({ max: 1 });
  // What must keep its session. Closed when idle, as it is rarely used.
  const { pool: sessions, db: aside } = connect({ max: 2 }, sessionHosts);
  const changes = new Changes();
  const single = async (at: Hosts) => {
    const settings = { connectionString: at.urls[0], keepAlive: true, connectionTimeoutMillis: answerMs };
    const client = new (clientAt(at, false))(settings);
    client.on('error', () => at.doubt());
    await client.connect();
    return client;
  };
  const silent = (at: Hosts) => () => {
    log.warn('the database does not answer; connecting anew');
    at.abandon();
  };
  const exchange = new Exchange(() => single(sessionHosts), changes, log, silent(sessionHosts), answerMs);
  // A busy pooler lets a query wait for a while.
  const waits = { everyMs: MEASURE_EVERY_MS, silentMs: 2 * answerMs };
  const pulse = hosts === sessionHosts ? null : new Pulse(() => single(hosts), waits, silent(hosts));
  try {
    await migrate(aside, 'postgres', alongside);
    await exchange.start();
    await pulse?.start();
  } catch (error) {
    for (const each of [db, bounded, first, leases, aside]) await each.destroy();
    throw error;
  }

  async function attempt<T>(at: Kysely<Schema>, work: (tx: Tx) => Promise<T>): Promise<T> {
    let told: AddressedChange[] = [];
    const value = await at.transaction().execute(async (tx) => {
      told = collectChanges(tx);
      const gone = collectDeletions(tx);
      const result = await work(tx);
      deletions.append(gone, exchange.clock.now());
      return result;
    });
    changes.deliver(told);
    exchange.tell(told);
    return value;
  }

  async function retry<T>(at: Kysely<Schema>, work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(at, work);
      } catch (error) {
        const { code } = error as { code?: string };
        if ((code !== '40001' && code !== '40P01') || tries === RETRIES) throw error;
      }
    }
  }

  const write = <T>(work: (tx: Tx) => Promise<T>) => retry(db, work);
  return {
    engine: 'postgres',
    read: db,
    foreign: db,
    clock: exchange.clock,
    changes,
    deletions,
    failedWrites: 0,
    write,
    // What is confirmed here has always been on the disk.
    writeUnsynced: write,
    writeFirst: (work) => retry(first, work),
    writeLeases: (work) => retry(leases, work),
    async alone(work, waits) {
      // The lock belongs to this connection, so it ends with the process.
      const client = await sessions.connect();
      let broke: Error | undefined;
      try {
        const { rows } = await client.query('select pg_try_advisory_lock($1) as got', [ALONE]);
        if (!rows[0].got) {
          if (!waits()) return null;
          await client.query('select pg_advisory_lock($1)', [ALONE]);
        }
        try {
          return await work();
        } finally {
          await client.query('select pg_advisory_unlock($1)', [ALONE]).catch((error: Error) => {
            broke = error;
          });
        }
      } finally {
        // A connection that could not give its lock back is closed, which does.
        client.release(broke);
      }
    },
    readAside: (queries) =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute(async (tx) => {
          // Joins of whole tables would otherwise spill to the disk. `local` limits it to this transaction.
          await sql`set local work_mem = '256MB'`.execute(tx);
          const answers = [];
          for (const query of queries) answers.push((await tx.executeQuery(query)).rows);
          return answers;
        }),
    async readBounded(query) {
      try {
        return await bounded.transaction().execute(async (tx) => {
          // `local`, because connection poolers do not keep a connection's settings.
          await sql`set local statement_timeout = ${sql.lit(BOUNDED_MS)}`.execute(tx);
          return (await tx.executeQuery(query)).rows;
        });
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        // The second case: all connections were busy for the whole timeout.
        if (code === QUERY_CANCELED || message === 'timeout exceeded when trying to connect') throw new TookTooLong();
        throw error;
      }
    },
    async close() {
      pulse?.stop();
      await exchange.stop();
      const closed = Promise.all([aside, leases, first, bounded, db].map((each) => each.destroy()));
      await within(CLOSE_MS, closed).catch(() => {
        for (const at of [hosts, sessionHosts]) at.abandon();
      });
    },
  };
}

/** The driver's client, which connects to the primary of several hosts, and names prepared queries if it may. */
function clientAt(hosts: Hosts, namesStatements: boolean): typeof pg.Client {
  const Client = namesStatements ? NamingClient : pg.Client;
  if (hosts.urls.length === 1) return Client;
  return class extends Client {
    override connect(): Promise<pg.Client>;
    override connect(callback: (error: Error) => void): void;
    // biome-ignore lint/suspicious/noConfusingVoidType: the type of the driver
    override connect(callback?: (error: Error) => void): Promise<pg.Client> | void {
      const connected = hosts.choose().then(async ({ host, port }) => {
        // The constructor has read them from the first address. All else is the same for all hosts.
        Object.assign(this, { host, port });
        return super.connect().catch((error) => {
          hosts.doubt();
          throw error;
        });
      });
      if (!callback) return connected;
      connected.then(() => (callback as () => void)(), callback);
    }
  };
}

/** Names prepared queries, so that each connection parses and plans them once. */
class NamingClient extends pg.Client {
  // The signature that Kysely calls. All other behaviour is the driver's own.
  override query = ((query: unknown, values?: unknown, callback?: unknown) => {
    const name = typeof query === 'string' ? nameOf(query) : undefined;
    const asked = name === undefined ? query : { name, text: query };
    return super.query(asked as string, values as unknown[], callback as never);
  }) as pg.Client['query'];
}

/** Calls the pool directly: for a small answer Kysely's path takes as long as the driver itself. */
const shortcutOf =
  (pool: pg.Pool, namesStatements: boolean): Shortcut =>
  (text) => {
    const name = namesStatements ? nameOf(text) : undefined;
    return async (values) => {
      const { rows, rowCount, command } = await pool.query(
        name === undefined ? { text, values } : { name, text, values },
      );
      return { rows, numAffectedRows: command === 'SELECT' ? undefined : BigInt(rowCount ?? 0) };
    };
  };

/** pg returns int8 as text. Amounts are safe integers; any other value is a bug. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('an integer in the database is beyond 2^53');
  return value;
}
