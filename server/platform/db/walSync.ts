import { type FileHandle, open, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';

/**
 * Brings the commits of a WAL database to the disk. With `synchronous=FULL`, SQLite itself syncs the WAL at each commit,
 * and the whole process stands still meanwhile: every stream waits for the disk. Here the commit only writes (NORMAL),
 * and the sync of the same file follows on a thread of the pool. Both orders give the same promise: what `synced` has
 * confirmed survives a power cut. (https://sqlite.org/wal.html: a WAL commit is durable once the WAL is synced.)
 */
export class WalSync {
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #failure: Error | null = null;

  constructor(private readonly sync: () => Promise<void>) {}

  /**
   * Resolves when every commit made before this call is on the disk. Rejects for good once a sync has failed: the
   * system may have dropped what it could not write, and a later sync would confirm what is lost.
   */
  synced(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (!this.#running) return this.#begin();
    // The running sync may have begun before the commit.
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#begin();
    });
    return this.#next;
  }

  /** The failure after which nothing can be confirmed any more; null while all is well. */
  get failure(): Error | null {
    return this.#failure;
  }

  #begin(): Promise<void> {
    const run = this.sync().then(
      () => {
        this.#running = null;
      },
      (error: Error) => {
        this.#failure = error;
        throw error;
      },
    );
    this.#running = run;
    return run;
  }
}

/** Opens the WAL of a database, which exists from its first transaction on. */
export async function openWal(file: string): Promise<{ sync: () => Promise<void>; close: () => Promise<void> }> {
  // SQLite follows links before it names the WAL. Windows flushes only what it may write. SQLite keeps no locks on this file, so closing it releases none.
  const wal: FileHandle = await open(`${await realpath(file)}-wal`, 'r+');
  return { sync: () => wal.datasync(), close: () => wal.close() };
}

// As text, because the server ships as one file. The thread needs only better-sqlite3.
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const database = new (require(workerData.library))(workerData.file, { fileMustExist: true });
  parentPort.on('message', () => {
    try {
      database.pragma('wal_checkpoint(PASSIVE)');
    } catch {
      // The next one does its work, too; what it can't do, the writer does at its own limit.
    }
    parentPort.postMessage(0);
  });
`;

/** Commits between two checkpoints: together some 10 MB of WAL. */
const COMMITS = 256;
const SOON_MS = 1_000;

/**
 * Copies the WAL into the database in a thread of its own. SQLite would do it within a commit, which takes up to some
 * 50 ms, with two syncs.
 */
export class Checkpointer {
  #worker: Worker | null = null;
  #isBusy = false;
  #commits = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(private readonly file: string) {}

  /** Tells of a commit. */
  committed(): void {
    this.#commits++;
    if (this.#commits >= COMMITS) this.#begin();
    else
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#begin();
      }, SOON_MS).unref();
  }

  #begin(): void {
    if (this.#isBusy || this.#commits === 0) return;
    this.#isBusy = true;
    this.#commits = 0;
    this.#worker ??= this.#start();
    this.#worker.postMessage(0);
  }

  #start(): Worker {
    const library = createRequire(import.meta.url).resolve('better-sqlite3');
    const worker = new Worker(THREAD, { eval: true, workerData: { library, file: this.file } });
    worker.unref();
    worker.on('message', () => {
      this.#isBusy = false;
    });
    // Without the thread, the writer checkpoints at its own limit.
    worker.on('error', () => {});
    return worker;
  }

  async close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    await this.#worker?.terminate();
  }
}

/** The writer itself copies a WAL of so many pages (32 MB) into the database: the thread did not keep up. */
const MAX_WAL_PAGES = 8_000;

/** Takes the disk's work from the connection that writes. */
export class Durability {
  private constructor(
    private readonly syncs: WalSync,
    private readonly checkpoints: Checkpointer,
    private readonly closeWal: () => Promise<void>,
  ) {}

  /** Null where the file system has no WAL: SQLite does the work then. */
  static async of(connection: Database, file: string, openLog: typeof openWal): Promise<Durability | null> {
    if (connection.pragma('journal_mode', { simple: true }) !== 'wal') return null;
    // Under FULL: after a failed sync, the system may show pages of the WAL that are not on the disk.
    connection.pragma('wal_checkpoint(TRUNCATE)');
    const wal = await openLog(file);
    connection.pragma('synchronous = NORMAL');
    connection.pragma(`wal_autocheckpoint = ${MAX_WAL_PAGES}`);
    return new Durability(new WalSync(wal.sync), new Checkpointer(file), wal.close);
  }

  /** Resolves when what was committed is on the disk. */
  committed(): Promise<void> {
    if (!this.failure) this.checkpoints.committed();
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
