import { randomUUID } from 'node:crypto';
import type { CompiledQuery, Kysely, Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Changes } from './changes.ts';
import { DELETIONS_UNWRITTEN, type DeletionList } from './deletions.ts';
import type { Schema } from './schema.ts';

export type Tx = Transaction<Schema>;
/** For queries that only read: the database's reading side or a transaction. */
export type Reader = Kysely<Schema>;

/** One database, two engines. All other code uses them through these members alone. */
export interface Database {
  readonly engine: 'sqlite' | 'postgres';
  /** Committed state. Never use it inside `write`: it does not see the transaction's own changes. */
  readonly read: Reader;
  /**
   * Runs `work` in a transaction and resolves when it is durable. On SQLite, concurrent calls share one commit, each in
   * its own savepoint, so that a failure rolls back only itself. On PostgreSQL, deadlocks are retried. `work` awaits
   * nothing but queries: never a model, a timer or the network.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * The same, but on SQLite it resolves with the commit, without waiting for the disk: a power cut may undo it, and a
   * later `write` that resolves confirms it. On PostgreSQL it is `write`.
   */
  writeUnsynced<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** The same, past the queue of other writes: for the ends of answers. On SQLite it is `write`. */
  writeFirst<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * The same, past the ends of answers as well: a node that can't renew its leases counts as dead. One at a time. On
   * SQLite it is `write`.
   */
  writeLeases<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** How many writes failed because the database was unavailable. */
  failedWrites: number;
  /** For a library with its own queries. Never use it inside `write`: it would wait for that transaction for ever. */
  readonly foreign: Kysely<Schema>;
  /**
   * Runs long read-only queries and resolves to the rows of each. All see one committed state. They block neither
   * writers nor the calling thread.
   */
  readAside<T>(queries: readonly CompiledQuery<T>[]): Promise<T[][]>;
  /** The same for one query that a request waits for. Rejects with `TookTooLong` after about `BOUNDED_MS`. */
  readBounded<T>(query: CompiledQuery<T>): Promise<T[]>;
  /**
   * Runs `work` while no other process does so on this database. If one does, asks `waits` whether to wait for it, and
   * returns null if not. Never use it inside itself: it would wait for itself for ever.
   */
  alone<T>(work: () => Promise<T>, waits: () => boolean): Promise<T | null>;
  /** The clock that all nodes on this database share: the database's own. */
  readonly clock: Clock;
  readonly changes: Changes;
  /** The list of deletions, outside the database. `deleted()` adds to it. */
  readonly deletions: DeletionList;
  close(): Promise<void>;
}

export const BOUNDED_MS = 2_000;

/** A query was cancelled at its time limit. */
export class TookTooLong extends Error {}

/**
 * The database is unreachable, shuts down, or has run out of something (a full or read-only disk, memory, connections,
 * a lock that is not released). Nothing was decided, and the client may retry.
 */
export function isUnavailable(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (code === DELETIONS_UNWRITTEN) return true;
  if (typeof code === 'string' && (SQLITE.test(code) || POSTGRES.test(code) || SYSTEM.test(code))) return true;
  return (
    typeof message === 'string' &&
    /Connection terminated|connection error and is not queryable|timeout exceeded when trying to connect/.test(message)
  );
}

const SQLITE = /^SQLITE_(IOERR|FULL|CANTOPEN|BUSY|LOCKED|READONLY|NOMEM|PROTOCOL|CORRUPT|NOTADB)/;
/** PostgreSQL's error classes and codes: connections, resources, shutdown, read-only, locks, conflicts, I/O, damage. */
const POSTGRES = /^(08|53|57P0|58|XX00[12]|25006$|55P03$|40001$|40P01$)/;
const SYSTEM = /^(ECONN|EPIPE$|ENOTFOUND$|ETIMEDOUT$|EAI_|EHOST|ENET|ENOSPC$|EROFS$|EDQUOT$|EIO$|EMFILE$|ENFILE$)/;

/**
 * Throws unless the database can write: inserts and deletes a row in one transaction. `select 1` succeeds on a full
 * disk, too.
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
