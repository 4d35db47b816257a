import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { type CompiledQuery, Kysely, SqliteDialect } from 'kysely';
import { ConfigError } from '../config/config.ts';
import { closeFolderToOthers, closeToOthers, makePrivateFile, makePrivateFolder } from '../private.ts';
import { type AddressedChange, Changes, collectChanges } from './changes.ts';
import { BOUNDED_MS, type Database, type Tx } from './database.ts';
import { collectDeletions, type Deletion, type DeletionList } from './deletions.ts';
import { migrate, noPerigee } from './migrate.ts';
import { type Shortcut, takeShortcut } from './prepared.ts';
import type { Schema } from './schema.ts';
import { ReadingThread, readInThread } from './sqliteThread.ts';
import { Checkpointer, openWal, WalSync } from './walSync.ts';

interface Job {
  work: (tx: Tx) => Promise<unknown>;
  /** Whether it ends only when its commit is on the disk. */
  isSynced: boolean;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** The most writes that share one commit. It keeps the time in one transaction around 10 ms. */
const MAX_BATCH = 64;

/** The writer itself copies a WAL of so many pages (32 MB) into the database: the thread did not keep up. */
const MAX_WAL_PAGES = 8_000;

/** How often the server checks whether another process, such as an operator's command, has changed the database. */
const LOOK_MS = 500;

/**
 * The embedded engine: WAL, with each write synced to the disk before it resolves. One connection writes, another reads
 * committed state. Throws `ConfigError` if another server has the file open. `alongside`: a command may work briefly
 * beside a running server; its commits are synced by SQLite itself. `openLog` opens the file to sync.
 */
export async function openSqlite(
  file: string,
  deletions: DeletionList,
  alongside = false,
  openLog: typeof openWal = openWal,
): Promise<Database> {
  if (alongside && !existsSync(file)) throw noPerigee(`there is no ${file}`);
  if (!alongside) {
    makePrivate(file);
    deletions.prepare();
  }
  const lock = alongside ? null : lockFile(file);
  const connection = open(file);
  const writer = kyselyOf(connection);
  await migrate(writer, 'sqlite', alongside);
  // Only now is it certain that the file is a Perigee database.
  if (!alongside) mendModes(file);
  const durability = alongside ? null : await Durability.of(connection, file, openLog);
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
    try {
      await writer.transaction().execute(async (tx) => {
        told = collectChanges(tx);
        gone = collectDeletions(tx);
        const [only] = batch;
        if (only && batch.length === 1) {
          results.push({ job: only, value: await only.work(tx) });
          deletions.append(gone);
          return;
        }
        for (const job of batch) {
          const mark = [told.length, gone.length] as const;
          savepoint.run();
          try {
            const value = await job.work(tx);
            // Inside the savepoint, not once for the whole batch: a failure rolls back only this write.
            deletions.append(gone.slice(mark[1]));
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
    const confirmed = durability.committed().then(
      () => {
        changes.deliver(told);
        for (const result of later!) end(result);
      },
      (error) => {
        for (const { job } of later!) job.reject(error);
      },
    );
    unconfirmed.add(confirmed);
    void confirmed.finally(() => unconfirmed.delete(confirmed));
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
    changes,
    deletions,
    failedWrites: 0,
    write: (work) => enqueue(work, true),
    writeUnsynced: (work) => enqueue(work, false),
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
      lock?.close();
    },
  };
}

/** Takes the disk's work from the connection that writes. Null where the file system has no WAL: SQLite does it then. */
class Durability {
  private constructor(
    private readonly syncs: WalSync,
    private readonly checkpoints: Checkpointer,
    private readonly closeWal: () => Promise<void>,
  ) {}

  static async of(connection: Sqlite.Database, file: string, openLog: typeof openWal): Promise<Durability | null> {
    if (connection.pragma('journal_mode', { simple: true }) !== 'wal') return null;
    const wal = await openLog(file);
    connection.pragma('synchronous = NORMAL');
    connection.pragma(`wal_autocheckpoint = ${MAX_WAL_PAGES}`);
    return new Durability(new WalSync(wal.sync), new Checkpointer(file), wal.close);
  }

  /** Resolves when what was committed is on the disk. */
  committed(): Promise<void> {
    this.checkpoints.committed();
    return this.syncs.synced();
  }

  /** Set once the disk has failed: nothing may be written before a restart. */
  get failure(): Error | null {
    return this.syncs.failure;
  }

  async close(): Promise<void> {
    await this.checkpoints.close();
    await this.closeWal();
  }
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

/** SQLite creates the files beside a database with the database's own mode. */
function makePrivate(file: string): void {
  makePrivateFolder(dirname(file));
  makePrivateFile(file);
  makePrivateFile(`${file}-lock`);
}

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

/**
 * Holds a transaction open on a file beside the database while the process lives. The system releases it even after
 * kill -9. A server recovers open runs at start, so a second server would take over the first one's runs.
 */
export function lockFile(file: string): Sqlite.Database {
  const lock = new Sqlite(`${file}-lock`, { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    throw new ConfigError(`DATABASE_URL: another Perigee server uses ${file}. Stop it, or name another file`);
  }
  return lock;
}
