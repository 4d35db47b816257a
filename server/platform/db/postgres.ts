import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { Log } from '../log.ts';
import { type AddressedChange, Changes, collectChanges } from './changes.ts';
import { BOUNDED_MS, type Database, TookTooLong, type Tx } from './database.ts';
import { collectDeletions, type DeletionList } from './deletions.ts';
import { migrate } from './migrate.ts';
import { nameOf, type Shortcut, takeShortcut } from './prepared.ts';
import type { Schema } from './schema.ts';

const INT8 = 20;
const CHANNEL = 'perigee';
/** NOTIFY takes less than 8,000 bytes. */
const MAX_NOTIFY = 7_500;
const RETRIES = 5;
const QUERY_CANCELED = '57014';

/** For several nodes. Each transaction sends its changes by NOTIFY, with ids only. */
export async function openPostgres(
  url: string,
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
  const connect = (options: pg.PoolConfig) => {
    const pool = new pg.Pool({ connectionString: url, keepAlive: true, types, ...options });
    // The pool handles errors of idle connections only. Without a handler, one that breaks in a transaction ends the
    // process.
    pool.on('connect', (client) => client.on('error', () => {}));
    pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
    return { pool, db: new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) }) };
  };
  const { pool, db } = connect({ max: 12, connectionTimeoutMillis: 5_000, Client: NamingClient });
  takeShortcut(db, shortcutOf(pool), 'outside');
  // Separate connections, so that slow reads leave all others free.
  const { db: bounded } = connect({ max: 4, connectionTimeoutMillis: BOUNDED_MS });
  try {
    await migrate(db, 'postgres', alongside);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const changes = new Changes();
  const node = randomUUID();
  const listener = new Listener(url, node, changes, log);
  await listener.start();

  async function attempt<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    let told: AddressedChange[] = [];
    const value = await db.transaction().execute(async (tx) => {
      told = collectChanges(tx);
      const gone = collectDeletions(tx);
      const result = await work(tx);
      for (const payload of payloads(node, told)) await sql`select pg_notify(${CHANNEL}, ${payload})`.execute(tx);
      deletions.append(gone);
      return result;
    });
    changes.deliver(told);
    return value;
  }

  async function write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(work);
      } catch (error) {
        const { code } = error as { code?: string };
        if ((code !== '40001' && code !== '40P01') || tries === RETRIES) throw error;
      }
    }
  }

  return {
    engine: 'postgres',
    read: db,
    foreign: db,
    changes,
    deletions,
    failedWrites: 0,
    write,
    // What is confirmed here has always been on the disk.
    writeUnsynced: write,
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
      await listener.stop();
      await bounded.destroy();
      await db.destroy();
    },
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
  (pool: pg.Pool): Shortcut =>
  (text) => {
    const name = nameOf(text);
    return async (values) => {
      const { rows, rowCount, command } = await pool.query({ name, text, values });
      return { rows, numAffectedRows: command === 'SELECT' ? undefined : BigInt(rowCount ?? 0) };
    };
  };

/** pg returns int8 as text. Amounts are safe integers; any other value is a bug. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('an integer in the database is beyond 2^53');
  return value;
}

/** The changes as NOTIFY payloads: almost always one payload. */
function* payloads(node: string, changes: readonly AddressedChange[]): Generator<string> {
  let batch: string[][] = [];
  let size = 0;
  for (const { key, topic, id } of changes) {
    const item = [key, topic, id];
    const bytes = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (size + bytes > MAX_NOTIFY && batch.length > 0) {
      yield JSON.stringify([node, batch]);
      batch = [];
      size = 0;
    }
    batch.push(item);
    size += bytes;
  }
  if (batch.length > 0) yield JSON.stringify([node, batch]);
}

type Message = [node: string, changes: [key: string, topic: string, id: string][]];

function isMessage(value: unknown): value is Message {
  if (!Array.isArray(value) || typeof value[0] !== 'string' || !Array.isArray(value[1])) return false;
  return value[1].every((item) => Array.isArray(item) && item.length === 3 && item.every((x) => typeof x === 'string'));
}

/** Listens to the other nodes. This node's own changes are delivered without the round trip. */
class Listener {
  #client: pg.Client | null = null;
  #retry: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    private readonly url: string,
    private readonly node: string,
    private readonly changes: Changes,
    private readonly log: Log,
  ) {}

  async start(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 5_000, keepAlive: true });
    client.on('notification', ({ payload }) => this.#hear(payload ?? ''));
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    await client.connect();
    await client.query(`listen ${CHANNEL}`);
    this.#client = client;
  }

  #hear(payload: string): void {
    let message: unknown;
    try {
      message = JSON.parse(payload);
    } catch {
      message = null;
    }
    // Another version of Perigee may use another format: then all listeners fetch afresh.
    if (!isMessage(message)) {
      this.changes.resync();
      return;
    }
    const [node, batch] = message;
    if (node !== this.node) this.changes.deliver(batch.map(([key, topic, id]) => ({ key, topic, id })));
  }

  #lost(client: pg.Client): void {
    if (this.#stopped || this.#client !== client) return;
    this.#client = null;
    this.log.warn('lost the connection that tells of changes; reconnecting');
    client.end().catch(() => {});
    this.#reconnect(250);
  }

  #reconnect(delayMs: number): void {
    this.#retry = setTimeout(() => {
      this.start().then(
        () => this.changes.resync(),
        () => !this.#stopped && this.#reconnect(Math.min(delayMs * 2, 5_000)),
      );
    }, delayMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#retry) clearTimeout(this.#retry);
    await this.#client?.end().catch(() => {});
  }
}
