import { randomUUID } from 'node:crypto';
import type { CompiledQuery, Kysely, Transaction } from 'kysely';
import type { Changes } from './changes.ts';
import { DELETIONS_UNWRITTEN, type DeletionList } from './deletions.ts';
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
 * The database can't be reached, shuts down, or takes no more (a full or read-only disk, no memory, no connections, a lock
 * that nobody lets go of): nothing was decided, and another try makes sense.
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
