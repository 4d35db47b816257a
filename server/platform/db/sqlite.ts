import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { type CompiledQuery, Kysely, SqliteDialect } from 'kysely';
import { closeFolderToOthers, closeToOthers, makePrivateFile, makePrivateFolder } from '../private.ts';
import { systemClock } from '../system.ts';
import { type AddressedChange, Changes, collectChanges } from './changes.ts';
import { BOUNDED_MS, type Database, type Tx } from './database.ts';
import { collectDeletions, type Deletion, type DeletionList } from './deletions.ts';
import { type FileLock, lockFile } from './fileLock.ts';
import { removeLeftovers } from './leftovers.ts';
import { migrate, noPerigee } from './migrate.ts';
import { type Shortcut, takeShortcut } from './prepared.ts';
import type { Schema } from './schema.ts';
import { ReadingThread, readInThread } from './sqliteThread.ts';
import { Durability, openWal } from './walSync.ts';

interface Job {
  work: (tx: Tx) => Promise<unknown>;
  /** Whether it ends only when its commit is on the disk. */
  isSynced: boolean;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** The most writes that share one commit. It keeps the time in one transaction around 10 ms. */
const MAX_BATCH = 64;

/** How often the server checks whether another process, such as an operator's command, has changed the database. */
const LOOK_MS = 500;

export interface SqliteOptions {
  /** A command may work briefly beside a running server. */
  alongside?: boolean;
  /** The lock of a restore that has just replaced the file. `close` releases it. */
  lock?: FileLock | undefined;
  /** Told the names of the files that a killed restore had left, and that were removed. */
  onLeftovers?: (names: string[]) => void;
  /** Opens the write-ahead log, to sync it. */
  openLog?: typeof openWal;
}

/**
 * The embedded engine: WAL, with each write synced to the disk before it resolves. One connection writes, another reads
 * committed state. A command's commits are synced by SQLite itself. Throws `ConfigError` if another server has the file
 * open, or a restore replaces it.
 */
export async function openSqlite(
  file: string,
  deletions: DeletionList,
  { alongside = false, lock: held, onLeftovers, openLog = openWal }: SqliteOptions = {},
): Promise<Database> {
  if (alongside && !existsSync(file)) throw noPerigee(`there is no ${file}`);
  if (!alongside) makePrivateFolder(dirname(file));
  const lock = held ?? lockFile(file, alongside ? 'command' : 'server');
  let connection: Sqlite.Database | null = null;
  try {
    if (!alongside) {
      const removed = removeLeftovers(file);
      if (removed.length > 0) onLeftovers?.(removed);
      makePrivateFile(file);
      deletions.prepare();
    }
    connection = open(file);
    const writer = kyselyOf(connection);
    await migrate(writer, 'sqlite', alongside);
    // Only now is it certain that the file is a Perigee database.
    if (!alongside) mendModes(file);
    const durability = alongside ? null : await Durability.of(connection, file, openLog);
    return opened({ file, connection, writer, deletions, lock, durability });
  } catch (error) {
    connection?.close();
    lock.close();
    throw error;
  }
}

interface Opened {
  file: string;
  connection: Sqlite.Database;
  /** On `connection`. */
  writer: Kysely<Schema>;
  deletions: DeletionList;
  lock: FileLock;
  /** Null if SQLite itself syncs the commits. */
  durability: Durability | null;
}

function opened({ file, connection, writer, deletions, lock, durability }: Opened): Database {
  const readonly = open(file, true);
  const reader = kyselyOf(readonly);
  // In transactions only: outside of them, writes share this connection and must wait for their turn.
  takeShortcut(writer, shortcutOf(connection), 'transactions');
  takeShortcut(reader, shortcutOf(readonly), 'both');
  const [savepoint, rollback, release] = ['savepoint job', 'rollback to job', 'release job'].map((text) =>
    connection.prepare(text),
  ) as [Sqlite.Statement, Sqlite.Statement, Sqlite.Statement];
  const thread = new ReadingThread(file);
  const changes = new Changes();
  // Counts the commits of other connections, not those of this one.
  const version = () => connection.pragma('data_version', { simple: true });
  let known = version();
  const look = setInterval(() => {
    if (version() === known) return;
    known = version();
    changes.resync();
  }, LOOK_MS);
  look.unref();
  const queue: Job[] = [];
  const unconfirmed = new Set<Promise<void>>();
  let running: Promise<void> | null = null;

  async function runBatch(batch: Job[]): Promise<void> {
    let told: AddressedChange[] = [];
    let gone: Deletion[] = [];
    const results: { job: Job; error?: unknown; value?: unknown }[] = [];
    if (durability?.failure) {
      for (const job of batch) job.reject(durability.failure);
      return;
    }
    try {
      await writer.transaction().execute(async (tx) => {
        told = collectChanges(tx);
        gone = collectDeletions(tx);
        const [only] = batch;
        if (only && batch.length === 1) {
          results.push({ job: only, value: await only.work(tx) });
          deletions.append(gone, systemClock.now());
          return;
        }
        for (const job of batch) {
          const mark = [told.length, gone.length] as const;
          savepoint.run();
          try {
            const value = await job.work(tx);
            // Inside the savepoint, not once for the whole batch: a failure rolls back only this write.
            deletions.append(gone.slice(mark[1]), systemClock.now());
            results.push({ job, value });
          } catch (error) {
            [told.length, gone.length] = mark;
            results.push({ job, error: error ?? new Error('failed') });
            // A full disk has rolled back the whole transaction, so every write in the batch gets this error.
            if (!connection.inTransaction) throw error;
            rollback.run();
          }
          release.run();
        }
      });
    } catch (error) {
      for (const job of batch) job.reject(error);
      return;
    }
    const end = ({ job, error, value }: (typeof results)[number]) =>
      error === undefined ? job.resolve(value) : job.reject(error);
    const [later, now] = [true, false].map((isSynced) => results.filter(({ job }) => job.isSynced === isSynced));
    for (const result of now!) end(result);
    if (!durability || later!.length === 0) {
      changes.deliver(told);
      for (const result of later!) end(result);
      return;
    }
    // The next batch doesn't wait for the disk.
    const confirmed = durability
      .committed()
      .then(
        () => {
          changes.deliver(told);
          for (const result of later!) end(result);
        },
        (error) => {
          // Some of it ended with the commit. Who listens fetches afresh.
          changes.deliver(told);
          for (const { job } of later!) job.reject(error);
        },
      )
      .finally(() => unconfirmed.delete(confirmed));
    unconfirmed.add(confirmed);
  }

  async function drain(): Promise<void> {
    // Wait one turn of the event loop, so that requests that arrived together share a commit.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) await runBatch(queue.splice(0, MAX_BATCH));
    running = null;
  }

  function enqueue<T>(work: (tx: Tx) => Promise<T>, isSynced: boolean): Promise<T> {
    if (durability?.failure) return Promise.reject(durability.failure);
    return new Promise<T>((resolve, reject) => {
      queue.push({ work, isSynced, resolve: resolve as Job['resolve'], reject });
      running ??= drain();
    });
  }

  return {
    engine: 'sqlite',
    read: reader,
    foreign: writer,
    clock: systemClock,
    changes,
    deletions,
    failedWrites: 0,
    write: (work) => enqueue(work, true),
    writeUnsynced: (work) => enqueue(work, false),
    writeFirst: (work) => enqueue(work, true),
    writeLeases: (work) => enqueue(work, true),
    // An embedded database has one server, which has one such work at a time.
    alone: (work) => work(),
    readAside: <T>(queries: readonly CompiledQuery<T>[]) => readInThread(file, queries) as Promise<T[][]>,
    readBounded: <T>(query: CompiledQuery<T>) => thread.read(query, BOUNDED_MS) as Promise<T[]>,
    async close() {
      clearInterval(look);
      await running;
      await Promise.all(unconfirmed);
      await thread.close();
      await durability?.close();
      await reader.destroy();
      await writer.destroy();
      lock.close();
    },
  };
}

/** Brings a file that no other process uses up to this version's schema. */
export async function migrateFile(file: string): Promise<void> {
  const db = kyselyOf(open(file));
  try {
    await migrate(db, 'sqlite', false);
  } finally {
    await db.destroy();
  }
}

/** The server's other files in the database's directory. Logs, locks and copies begin with the database's name. */
const OWN = ['secret', 'local-token', 'local-token.new', 'mail', 'lost+found'];

function mendModes(file: string): void {
  const folder = dirname(file);
  const name = basename(file);
  for (const other of readdirSync(folder)) if (other.startsWith(name)) closeToOthers(join(folder, other));
  closeToOthers(join(folder, 'local-token'));
  closeFolderToOthers(folder, (other) => other.startsWith(name) || OWN.includes(other));
}

export function open(file: string, readonly = false): Sqlite.Database {
  const database = new Sqlite(file, { readonly, fileMustExist: readonly });
  if (!readonly) {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    // Keeps the savepoint's rollback data in memory; otherwise most of each write goes through a file.
    database.pragma('temp_store = MEMORY');
  }
  // SQLite's own lower() knows ASCII only. PostgreSQL's knows every script, and search needs that here, too.
  database.function('lower', { deterministic: true }, (text) => (typeof text === 'string' ? text.toLowerCase() : text));
  keepStatements(database, readonly);
  return database;
}

export const kyselyOf = (database: Sqlite.Database) => new Kysely<Schema>({ dialect: new SqliteDialect({ database }) });

/** SQLite answers synchronously, so a prepared query can skip Kysely's asynchronous path. */
function shortcutOf(database: Sqlite.Database): Shortcut {
  return (text) => {
    const statement = database.prepare(text);
    if (statement.reader) return (values) => ({ rows: statement.all(values) });
    return (values) => ({ rows: [], numAffectedRows: BigInt(statement.run(values).changes) });
  };
}

/** The most statements kept prepared. There are about fifty, plus lists of varying length. */
const MAX_STATEMENTS = 500;

/** Kysely prepares a statement each time it runs, which costs about as much as running it. */
function keepStatements(database: Sqlite.Database, readonly: boolean): void {
  const prepare = database.prepare.bind(database);
  const kept = new Map<string, Sqlite.Statement>();
  database.prepare = ((asked: string) => {
    // A plain `begin` starts as a reader, and its first write fails if another process has written since its first
    // read.
    const begun = asked === 'begin' && !readonly ? 'begin immediate' : asked;
    // A full disk has rolled back already. A second rollback would fail and hide the first error.
    const source = begun === 'rollback' && !database.inTransaction ? 'select 1' : begun;
    let statement = kept.get(source);
    if (!statement) {
      if (kept.size >= MAX_STATEMENTS) kept.clear();
      statement = prepare(source);
      kept.set(source, statement);
    }
    return statement;
  }) as typeof database.prepare;
}
