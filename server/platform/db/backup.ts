import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { ConfigError } from '../config/settings.ts';
import { fsyncPath, makeNewPrivateFile, makePrivateFile, makePrivateFolder } from '../private.ts';

import { newerMigrations, noPerigee } from './migrate.ts';
import { BACKUP_TABLE, type BackupFacts, BackupRefused, markBackup, newestIn, parse, type Row } from './restoring.ts';
import { kyselyOf, lockFile, migrateFile, open } from './sqlite.ts';

// Copies of an embedded database: made beside a running server, checked, and restored. A file gets its name only once
// it is complete, so a process that is killed leaves the old file or the new one, never a part.

/** Leftovers of killed processes are older than this. */
const STALE_MS = 24 * 3_600_000;

/**
 * Copies the database into `to`, as it is at one instant, while other connections write. The copy omits deleted data,
 * which SQLite keeps in free pages until it reuses them. Returns the file's size.
 */
export async function writeBackup(
  file: string,
  to: string,
  facts: BackupFacts,
  { replace, deletionsFile }: { replace: boolean; deletionsFile: string | null },
): Promise<{ path: string; bytes: number }> {
  if (!existsSync(file)) throw noPerigee(`there is no ${file}`);
  const path = resolve(to);
  const partial = `${path}.partial-${randomUUID()}`;
  try {
    checkPlace(ownFiles(file, deletionsFile), path, replace);
    rmStale(path);
    // SQLite would create it readable by everybody.
    makeNewPrivateFile(partial);
    const unfinished = copyTo(file, partial);
    const copy = kyselyOf(open(partial));
    try {
      // If this database was restored and is not finished, the remaining steps must start from the older backup's time.
      const takenAt = Math.min(facts.takenAt, unfinished?.takenAt ?? facts.takenAt);
      await markBackup(copy, { ...facts, takenAt });
    } finally {
      await copy.destroy();
    }
    foldLog(partial);
    const wrong = damageOf(partial);
    if (wrong) throw new BackupRefused(`The copy of ${file} is damaged: ${wrong}. Look after the disk.`);
    fsyncPath(partial);
    if (replace) renameSync(partial, path);
    else {
      placeNew(partial, path);
      rmSync(partial, { force: true });
    }
    fsyncPath(dirname(path));
    return { path, bytes: statSync(path).size };
  } catch (error) {
    throw told(error, path);
  } finally {
    removeDatabase(partial);
  }
}

/** The facts of an unfinished restore in the database. Null: it was not restored from a backup. */
function copyTo(file: string, partial: string): BackupFacts | null {
  let source: Sqlite.Database | null = null;
  try {
    source = open(file, true);
    const has = source.prepare(`select 1 from sqlite_master where type = 'table' and name = ?`);
    if (!has.get('transfer')) throw noPerigee('no server has used this database yet');
    source.prepare('vacuum into ?').run(partial);
    return has.get(BACKUP_TABLE) ? parse(source.prepare(`select * from ${BACKUP_TABLE}`).all() as Row[]).facts : null;
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw new BackupRefused(
      `${file} is damaged: ${(error as Error).message}. No backup was made: restore an older one.`,
    );
  } finally {
    source?.close();
  }
}

const isDamage = (error: unknown) =>
  /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT)/.test((error as { code?: string }).code ?? '');

function checkPlace(own: readonly string[], path: string, replace: boolean): void {
  const folder = dirname(path);
  if (existsSync(folder) && !statSync(folder).isDirectory()) throw new BackupRefused(`${folder} is no folder.`);
  if (!existsSync(folder)) throw new BackupRefused(`There is no folder ${folder}. Make it, or name another file.`);
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw new BackupRefused(`${path} is a folder. Name a file in it.`);
  if (isOneOf(own, path))
    throw new BackupRefused(`${path} belongs to the database itself. Name another file, best on another disk.`);
  if (there && !there.isFile() && !there.isSymbolicLink())
    throw new BackupRefused(`${path} is no ordinary file. Name another one.`);
  if (there && !replace)
    throw new BackupRefused(`${path} is there already. Name another file, or add --replace to replace it.`);
}

/** The database, and the files that SQLite and Perigee keep beside it under its name. */
const databaseFiles = (file: string) =>
  ['', '-wal', '-shm', '-journal', '-lock', '-deletions'].map((end) => `${file}${end}`);

/** Every file that a server on this database needs. */
const ownFiles = (file: string, deletionsFile: string | null) => [
  ...databaseFiles(file),
  ...['secret', 'local-token'].map((name) => join(dirname(file), name)),
  ...(deletionsFile === null ? [] : [deletionsFile]),
];

/** Whether a path leads to one of these files, by any name or link. */
function isOneOf(files: readonly string[], path: string): boolean {
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

/**
 * Replaces the database `file` with the backup `from`. An old database is kept beside it under another name: `keptAs`.
 * `accept` throws for a backup that must not be restored here; it gets null for a copy that `backup` did not make.
 * Throws `ConfigError` or `BackupRefused`, with nothing changed, for a damaged or newer backup, or a database in use.
 */
export async function restoreBackup(
  from: string,
  file: string,
  { accept, now }: { accept: (facts: BackupFacts | null) => void; now: number },
): Promise<{ facts: BackupFacts; keptAs: string | null }> {
  makePrivateFolder(dirname(file));
  makePrivateFile(`${file}-lock`);
  // Lock first, so that the operator learns that a server runs before the long copy.
  const lock = lockFile(file);
  try {
    const { facts, ready } = await checkBackup(from, file);
    try {
      accept(facts);
      return { facts: facts ?? (await markCopy(ready)), keptAs: replaceDatabase(file, ready, now) };
    } catch (error) {
      throw told(error, file);
    } finally {
      // After a successful restore there is nothing left to remove.
      removeDatabase(ready);
    }
  } finally {
    lock.close();
  }
}

/** A copy that `backup` did not make is as old as its newest row. */
async function markCopy(file: string): Promise<BackupFacts> {
  const db = kyselyOf(open(file));
  let facts: BackupFacts;
  try {
    facts = { takenAt: await newestIn(db), secret: null, settings: [] };
    await markBackup(db, facts);
  } finally {
    await db.destroy();
  }
  foldLog(file);
  return facts;
}

/** The result of a full check of a file to restore. The check neither changes the file nor opens it for writing. */
interface CheckedBackup {
  /** Null: a copy of a database that `backup` did not make. */
  facts: BackupFacts | null;
  /** A copy beside the database, at this version's schema, for `replaceDatabase` to put in place. */
  ready: string;
}

/**
 * Checks `from`, and prepares a copy of it beside `file`. Throws `BackupRefused` unless it is a complete backup of this
 * or an older version, and removes the copy then.
 */
async function checkBackup(from: string, file: string): Promise<CheckedBackup> {
  const path = resolve(from);
  if (isOneOf(databaseFiles(file), path))
    throw new BackupRefused(`${path} is the database itself. Name a backup of it.`);
  const there = statSync(path, { throwIfNoEntry: false });
  if (!there) throw new BackupRefused(`There is no ${path}.`);
  if (!there.isFile()) throw new BackupRefused(`${path} is no file. Name the backup itself.`);
  const place = placeOf(file);
  const ready = `${place}.restoring-${randomUUID()}`;
  try {
    checkHeader(path, there.size);
    rmStale(place);
    makeNewPrivateFile(ready);
    copyFileSync(path, ready, constants.COPYFILE_FICLONE);
    chmodSync(ready, 0o600);
    const wrong = damageOf(ready);
    if (wrong) throw new BackupRefused(`${path} is damaged: ${wrong}. Take another backup.`);
    const facts = await factsOf(ready, path);
    await migrateFile(ready);
    foldLog(ready);
    fsyncPath(ready);
    return { facts, ready };
  } catch (error) {
    removeDatabase(ready);
    throw told(error, ready);
  }
}

/** The database's real path: SQLite, too, follows links and keeps its log beside the target. */
const placeOf = (file: string) => (existsSync(file) ? realpathSync(file) : resolve(file));

const MAGIC = 'SQLite format 3\0';

/** https://www.sqlite.org/fileformat2.html: the page size is at byte 16, the number of pages at byte 28. */
function checkHeader(path: string, size: number): void {
  const header = headerOf(path);
  const { length } = header;
  if (size === 0) throw new BackupRefused(`${path} is empty. Take another backup.`);
  if (header.toString('latin1', 0, 5) === 'PGDMP')
    throw new BackupRefused(`${path} is a dump of PostgreSQL: restore it by pg_restore, as docs/backups.md says.`);
  const begun = header.toString('latin1', 0, Math.min(length, 16));
  if (begun !== MAGIC.slice(0, begun.length))
    throw new BackupRefused(
      `${path} is no SQLite database. Name a file that "npm run admin -- backup" made, unpacked.`,
    );
  if (length < 100)
    throw new BackupRefused(`${path} is cut off: ${size} bytes are there. Copy it again, or take another backup.`);
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const expected = pageSize * header.readUInt32BE(28);
  if (size < expected)
    throw new BackupRefused(
      `${path} is cut off: ${size} bytes of ${expected} are there. Copy it again, or take another backup.`,
    );
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0)
    throw new BackupRefused(
      `Beside ${path} stands ${basename(path)}-wal with a part of it: a program has it open, or it is the copy of a database in use. Close that program, or make a backup by "npm run admin -- backup".`,
    );
}

function headerOf(path: string): Buffer {
  const header = Buffer.alloc(100);
  const file = openSync(path, 'r');
  try {
    return header.subarray(0, readSync(file, header, 0, header.length, 0));
  } finally {
    closeSync(file);
  }
}

/** The damage that SQLite reports. Null: none. */
function damageOf(file: string): string | null {
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

async function factsOf(file: string, name: string): Promise<BackupFacts | null> {
  const database = open(file, true);
  const db = kyselyOf(database);
  try {
    const tables = new Set((await db.introspection.getTables()).map((table) => table.name));
    if (!tables.has('transfer') || !tables.has('wallet'))
      throw new BackupRefused(`${name} is a SQLite database of another program, not of Perigee.`);
    const newer = await newerMigrations(db, 'sqlite');
    if (newer.length > 0)
      throw new BackupRefused(
        `${name} is of a newer version of Perigee (${newer.at(-1)}). Install that version, or a newer one, and restore it there.`,
      );
    if (!tables.has(BACKUP_TABLE)) return null;
    return parse(database.prepare(`select * from ${BACKUP_TABLE}`).all() as Row[]).facts;
  } finally {
    await db.destroy();
  }
}

/**
 * Puts a checked backup in the database's place, and keeps the old database beside it. Returns the old one's new path,
 * or null if there was none. Throws `ConfigError` or `BackupRefused` if another process uses the database.
 */
function replaceDatabase(database: string, ready: string, now: number): string | null {
  const file = placeOf(database);
  const keptAs = `${file}.before-restore-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  if (!existsSync(file)) {
    // SQLite would apply an old database's log to this one.
    removeDatabase(file);
    renameSync(ready, file);
    fsyncPath(dirname(file));
    return null;
  }
  foldOld(file);
  for (const end of ['-wal', '']) if (existsSync(`${file}${end}`)) linkOrCopy(`${file}${end}`, `${keptAs}${end}`);
  fsyncPath(dirname(file));
  for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  renameSync(ready, file);
  fsyncPath(dirname(file));
  return keptAs;
}

/** Merges the old database's log into its one file. A damaged database is kept as it is, with its log. */
function foldOld(file: string): void {
  // SQLite would delete the log of a file that is no database.
  if (headerOf(file).toString('latin1', 0, 16) !== MAGIC) return;
  try {
    foldLog(file);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code?.startsWith('SQLITE_BUSY') || code?.startsWith('SQLITE_LOCKED'))
      throw new BackupRefused(`Another program has ${file} open. Nothing was changed: close it, and restore again.`);
    if (!isDamage(error)) throw error;
  }
}

/** Ends the write-ahead log. No other process may have the database open. */
function foldLog(file: string): void {
  const database = new Sqlite(file, { fileMustExist: true, timeout: 0 });
  try {
    database.pragma('journal_mode = delete');
  } finally {
    database.close();
  }
}

/** Adds a second name for the file, or copies it on a file system without links. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOSPC') throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL);
    fsyncPath(to);
  }
}

/** Gives a file its name, unless another file has it by now. */
function placeNew(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new BackupRefused(`${to} was made by another program meanwhile. Name another file.`);
    renameSync(from, to);
  }
}

function rmStale(path: string): void {
  const [folder, name] = [dirname(path), basename(path)];
  for (const other of readdirSync(folder)) {
    if (!other.startsWith(`${name}.partial-`) && !other.startsWith(`${name}.restoring-`)) continue;
    const stat = lstatSync(join(folder, other), { throwIfNoEntry: false });
    // Another user's file stays, and does not stop the backup.
    const isOurs = process.getuid === undefined || stat?.uid === process.getuid();
    if (stat?.isFile() && isOurs && Date.now() - stat.mtimeMs > STALE_MS) rmSync(join(folder, other), { force: true });
  }
}

function removeDatabase(file: string): void {
  // If even the name is refused, there is nothing to remove.
  for (const end of ['', '-wal', '-shm', '-journal'])
    if (existsSync(`${file}${end}`)) rmSync(`${file}${end}`, { force: true });
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);

/** Turns errors that the operator can fix into a message. */
function told(error: unknown, path: string): unknown {
  if (error instanceof BackupRefused || error instanceof ConfigError) return error;
  const { code } = error as { code?: string };
  if (typeof code !== 'string' || !/^(E[A-Z]+|SQLITE_.*)$/.test(code)) return error;
  if (FULL.has(code)) return new BackupRefused(`The disk of ${path} is full. Nothing was changed: make room on it.`);
  return new BackupRefused(`${path} can't be written (${code}). Nothing was changed: name a file that can.`);
}
