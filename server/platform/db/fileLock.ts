import { chownSync, closeSync, existsSync, lstatSync, openSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { ConfigError } from '../config/settings.ts';
import { makePrivateFile } from '../private.ts';

// Who may work on an embedded database at the same time. A server ends the open runs at its start, so a second one would
// end the first one's. A restore puts another file in the database's place, so whoever has the old one open would write
// into a file that nobody reads again. Commands disturb nobody else.
//
// The lock is SQLite's own (https://www.sqlite.org/lockingv3.html) on an empty file beside the database. The system
// releases it even after kill -9.

/** `server`: beside commands. `command`: beside a server and other commands. `restore`: alone. */
export type Use = 'server' | 'command' | 'restore';

export interface FileLock {
  close(): void;
}

/** RESERVED, SHARED and EXCLUSIVE. A deferred transaction has its lock from its first read on. */
const TAKE: Record<Use, string> = {
  server: 'begin immediate',
  command: 'begin; select count(*) from sqlite_master',
  restore: 'begin exclusive',
};

/** A restore that is refused keeps commands out for a moment. */
const COMMAND_WAIT_MS = 500;

/** The database's real path: SQLite, too, follows links and keeps its log beside the target. */
export const placeOf = (file: string) => (existsSync(file) ? realpathSync(file) : resolve(file));

/** The same lock for every name of the database. */
export const lockPathOf = (file: string) => `${placeOf(file)}-lock`;

/** Holds the lock until `close`, or until the process ends. Throws `ConfigError` that says who has the database. */
export function lockFile(file: string, use: Use): FileLock {
  let lock: FileLock | null;
  try {
    makeTarget(file);
    makeLock(file);
    lock = take(file, use, use === 'command' ? COMMAND_WAIT_MS : 0);
  } catch (error) {
    const { code } = error as { code?: string };
    if (!UNWRITABLE.test(code ?? '')) throw error;
    throw new ConfigError(
      `DATABASE_URL: ${lockPathOf(file)} can't be written (${code}). Run this as the user that the server runs as`,
    );
  }
  if (lock) return lock;
  throw new ConfigError(`DATABASE_URL: ${blockerOf(file)}`);
}

const UNWRITABLE = /^(EACCES|EPERM|EROFS|SQLITE_CANTOPEN|SQLITE_READONLY)/;

/** Null: somebody else's lock is in the way. */
function take(file: string, use: Use, timeout = 0): FileLock | null {
  const lock = new Sqlite(lockPathOf(file), { timeout });
  try {
    lock.exec(TAKE[use]);
    return lock;
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    return null;
  }
}

function blockerOf(file: string): string {
  const isFree = (use: Use) => {
    const lock = take(file, use);
    lock?.close();
    return lock !== null;
  };
  if (!isFree('command')) return `${file} is being restored. Wait until that has ended, then try again`;
  if (!isFree('server')) return `another Perigee server uses ${file}. Stop it, or name another file`;
  return `a command is at work on ${file}. Wait until it has ended, then try again`;
}

function makeLock(file: string): void {
  const path = lockPathOf(file);
  if (!makePrivateFile(path) || process.getuid?.() !== 0 || !existsSync(file)) return;
  // As SQLite does with its log: otherwise a command of root would keep the server's own user out.
  const { uid, gid } = statSync(file);
  chownSync(path, uid, gid);
}

/** Makes the file that a link names, so that the database has its real path before it is locked. */
function makeTarget(file: string): void {
  if (existsSync(file) || !lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  closeSync(openSync(file, 'a', 0o600));
}
