import { existsSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { ConfigError } from '../config/settings.ts';
import { lockPathOf } from './fileLock.ts';
import { BackupRefused } from './restoring.ts';

// What making and restoring a backup of an embedded database share.

/** The database, and the files that SQLite and Perigee keep beside it under its name. */
export const databaseFiles = (file: string) => [
  ...['', '-wal', '-shm', '-journal', '-deletions'].map((end) => `${file}${end}`),
  lockPathOf(file),
];

/** Whether a path leads to one of these files, by any name or link. */
export function isOneOf(files: readonly string[], path: string): boolean {
  const whole = (name: string) => {
    try {
      return realpathSync(name);
    } catch {
      return join(existsSync(dirname(name)) ? realpathSync(dirname(name)) : dirname(name), basename(name));
    }
  };
  const own = files.map((file) => resolve(file));
  const stat = statSync(path, { throwIfNoEntry: false });
  const same = (name: string) => {
    const other = statSync(name, { throwIfNoEntry: false });
    return stat !== undefined && other?.ino === stat.ino && other.dev === stat.dev;
  };
  return own.some((name) => whole(name) === whole(path) || same(name));
}

/** The damage that SQLite reports. Null: none. */
export function damageOf(file: string): string | null {
  let database: Sqlite.Database | null = null;
  try {
    database = new Sqlite(file, { readonly: true, fileMustExist: true });
    const [first] = database.pragma('integrity_check(1)') as { integrity_check: string }[];
    return first?.integrity_check === 'ok' ? null : String(first?.integrity_check).replaceAll('\n', ' ');
  } catch (error) {
    if (isDamage(error)) return (error as Error).message;
    throw error;
  } finally {
    database?.close();
  }
}

export const isDamage = (error: unknown) =>
  /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT)/.test((error as { code?: string }).code ?? '');

/** Ends the write-ahead log. No other process may have the database open. */
export function foldLog(file: string): void {
  const database = new Sqlite(file, { fileMustExist: true, timeout: 0 });
  try {
    database.pragma('journal_mode = delete');
  } finally {
    database.close();
  }
}

/** Removes a copy of a database that nobody uses, and its logs. */
export function removeDatabase(file: string): void {
  // If even the name is refused, there is nothing to remove.
  for (const end of ['', '-wal', '-shm', '-journal'])
    if (existsSync(`${file}${end}`)) rmSync(`${file}${end}`, { force: true });
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);

/** Turns errors that the operator can fix into a message. `what`: what was tried with `path`. */
export function told(error: unknown, path: string, what: 'read' | 'written' = 'written'): unknown {
  if (error instanceof BackupRefused || error instanceof ConfigError) return error;
  const { code } = error as { code?: string };
  if (typeof code !== 'string' || !/^(E[A-Z]+|SQLITE_.*)$/.test(code)) return error;
  if (FULL.has(code)) return new BackupRefused(`The disk of ${path} is full. Nothing was changed: make room on it.`);
  return new BackupRefused(`${path} can't be ${what} (${code}). Nothing was changed: name a file that can.`);
}
