import { randomUUID } from 'node:crypto';
import { type CompiledQuery, DEFAULT_MIGRATION_TABLE, type Kysely, Migrator, sql, type Transaction } from 'kysely';
import type { Changes } from '../changes.ts';
import { type Config, ConfigError } from '../config.ts';
import { DeletionList } from '../deletions.ts';
import type { Log } from '../log.ts';
import { migrations } from '../migrations/index.ts';
import type { Schema } from './schema.ts';

export type Tx = Transaction<Schema>;
/** For queries that only read: the database's reading side or a transaction. */
export type Reader = Kysely<Schema>;

/** One database, two engines. Both are used through these members alone. */
export interface Database {
  readonly engine: 'sqlite' | 'postgres';
  /** Committed state. Never use it inside `write`: it would not see what the transaction has done. */
  readonly read: Reader;
  /**
   * Runs `work` in a transaction and resolves when it is durable. On SQLite, works that were asked for meanwhile share one
   * commit (each in a savepoint of its own, so that one's failure undoes only itself); on PostgreSQL, deadlocks are
   * tried again. `work` awaits nothing but queries: never a model, a timer or the network.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** How many writes came to nothing because the database took none. */
  failedWrites: number;
  /** For a library that brings queries of its own: outside of `write`, for which it would wait for ever. */
  readonly foreign: Kysely<Schema>;
  /**
   * Runs long queries that only read, and resolves to the rows of each: all see one committed state, and nobody waits for
   * them meanwhile, neither writers nor the thread that calls.
   */
  readAside<T>(queries: readonly CompiledQuery<T>[]): Promise<T[][]>;
  /** The same for one query that somebody waits for. Rejects with `TookTooLong` after about `BOUNDED_MS`. */
  readBounded<T>(query: CompiledQuery<T>): Promise<T[]>;
  readonly changes: Changes;
  /** What people had deleted, outside the database: `deleted()` writes into it. */
  readonly deletions: DeletionList;
  close(): Promise<void>;
}

export const BOUNDED_MS = 2_000;

/** A query was given up, for it took longer than it may. */
export class TookTooLong extends Error {}

/**
 * Opens the database that the settings name, and brings its schema up to date. Throws `ConfigError` if that can't be done.
 * `alongside`: for a command that works for a moment on a database that a server may have open, and never makes one.
 */
export async function openDatabase(
  config: Config['database'],
  log: Log,
  { alongside = false }: { alongside?: boolean } = {},
): Promise<Database> {
  const deletions = new DeletionList(config.deletionsFile ?? null);
  try {
    const db =
      config.engine === 'sqlite'
        ? await (await import('./sqlite.ts')).openSqlite(config.file, deletions, alongside)
        : await (await import('./postgres.ts')).openPostgres(config.url, log, deletions, alongside);
    const write = db.write.bind(db);
    db.write = async (work) => {
      try {
        return await write(work);
      } catch (error) {
        if (isUnavailable(error)) db.failedWrites++;
        throw error;
      }
    };
    return db;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const why = String((error as Error).message || (error as { code?: string }).code);
    throw new ConfigError(`DATABASE_URL: the database can't be opened: ${why}`);
  }
}

/** For commands: books that were made this moment would hold, and say nothing of those that were meant. */
export function noPerigee(where: string): ConfigError {
  return new ConfigError(
    `DATABASE_URL: ${where}. Set it as for the server, which makes its database when it first starts`,
  );
}

/** Brings the schema up to date. `alongside`: changes nothing, for a server may be at work. Throws where it is not up to date. */
export async function migrate(db: Kysely<Schema>, engine: 'sqlite' | 'postgres', alongside: boolean): Promise<void> {
  if (alongside && !(await db.introspection.getTables()).some(({ name }) => name === 'transfer'))
    throw noPerigee('no server has used this database yet');
  const migrator = new Migrator({ db, provider: migrations(engine) });
  if (alongside && (await migrator.getMigrations()).some(({ executedAt }) => !executedAt))
    throw new ConfigError(
      'this command is newer than the database: start the server of this version once, then try again',
    );
  const newer = await newerMigrations(db, engine);
  if (newer.length > 0)
    throw new ConfigError(
      `DATABASE_URL: a newer version of Perigee has used this database (${newer.at(-1)}). Nothing was changed: start that version, or a newer one`,
    );
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

/** Changes of the schema that a database has and this version doesn't know, in order. */
export async function newerMigrations(db: Kysely<Schema>, engine: 'sqlite' | 'postgres'): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return [];
  const known = await migrations(engine).getMigrations();
  const { rows } = await sql<{
    name: string;
  }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)} order by name`.execute(db);
  return rows.map(({ name }) => name).filter((name) => !(name in known));
}

/**
 * The database can't be reached, shuts down, or takes no more (a full or read-only disk, no memory, no connections, a lock
 * that nobody lets go of): nothing was decided, and another try makes sense.
 */
export function isUnavailable(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && (SQLITE.test(code) || POSTGRES.test(code) || SYSTEM.test(code))) return true;
  return (
    typeof message === 'string' &&
    /Connection terminated|connection error and is not queryable|timeout exceeded when trying to connect/.test(message)
  );
}

const SQLITE = /^SQLITE_(IOERR|FULL|CANTOPEN|BUSY|LOCKED|READONLY|NOMEM|PROTOCOL|CORRUPT|NOTADB)/;
/** Classes and codes of PostgreSQL: connections, resources, shutdown, read-only, locks, conflicts, input and output, damage. */
const POSTGRES = /^(08|53|57P0|58|XX00[12]|25006$|55P03$|40001$|40P01$)/;
const SYSTEM = /^(ECONN|EPIPE$|ENOTFOUND$|ETIMEDOUT$|EAI_|EHOST|ENET|ENOSPC$|EROFS$|EDQUOT$|EIO$|EMFILE$|ENFILE$)/;

/**
 * Throws unless the database takes what needs room: it is written and deleted in one transaction. `select 1` is answered by a
 * full disk, too.
 */
export async function probe(db: Database): Promise<void> {
  const rows = Array.from({ length: 8 }, () => ({ name: `probe ${randomUUID()} ${'.'.repeat(1_500)}` }));
  await db.write(async (tx) => {
    await tx.insertInto('gate').values(rows).execute();
    await tx
      .deleteFrom('gate')
      .where(
        'name',
        'in',
        rows.map(({ name }) => name),
      )
      .execute();
  });
}
