import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fsyncPath, makeNewPrivateFile, makePrivateFolder } from '../private.ts';
import { damageOf, databaseFiles, foldLog, isDamage, isOneOf, removeDatabase, told } from './backupFiles.ts';
import { type FileLock, lockFile, lockPathOf, placeOf } from './fileLock.ts';
import { removeLeftovers } from './leftovers.ts';
import { newerMigrations } from './migrate.ts';
import {
  BACKUP_TABLE,
  type BackupFacts,
  BackupRefused,
  markBackup,
  newestIn,
  parse,
  type Restoring,
  type Row,
} from './restoring.ts';
import { kyselyOf, migrateFile, open } from './sqlite.ts';

// A backup is checked, and put in the place of an embedded database. The old file stays there until the new one is
// complete, so a process that is killed leaves one of them, never a part.

/** A database that was put in place. */
export interface Restored {
  facts: BackupFacts;
  /** `copy`: no backup made it, and `takenAt` is the time of its newest row. `unfinished`: its own restore was not. */
  kind: 'backup' | 'copy' | 'unfinished';
  /** The old database's new path. Null: there was none. */
  keptAs: string | null;
  /** Keeps servers and commands out until the rest of the restore is done. The caller closes it. */
  lock: FileLock;
}

/**
 * Replaces the database `file` with the backup `from`. An old database is kept beside it under another name.
 * `accept` throws for a backup that must not be restored here; it gets null for a copy that `backup` did not make.
 * Throws `ConfigError` or `BackupRefused`, with nothing changed, for a damaged or newer backup, or a database in use.
 */
export async function restoreBackup(
  from: string,
  file: string,
  { accept, now }: { accept: (facts: BackupFacts | null) => void; now: number },
): Promise<Restored> {
  const path = resolve(from);
  checkFile(path, file);
  const place = placeOf(file);
  const isNew = !existsSync(lockPathOf(file));
  const madeFolder = makePrivateFolder(dirname(place));
  // Lock first, so that the operator learns that a server runs before the long copy.
  const lock = lockFile(file, 'restore');
  try {
    removeLeftovers(file);
    const { found, ready } = await copyBackup(path, place);
    try {
      accept(found?.facts ?? null);
      const facts = found?.facts ?? (await markCopy(ready));
      const kind = !found ? 'copy' : Object.keys(found.done).length > 0 ? 'unfinished' : 'backup';
      return { facts, kind, keptAs: replaceDatabase(place, ready, now), lock };
    } catch (error) {
      throw told(error, file);
    } finally {
      // After a successful restore there is nothing left to remove.
      removeDatabase(ready);
    }
  } catch (error) {
    // While it is locked: no other process can have taken a lock on this file, which has no name afterwards.
    const isUnused = isNew && !existsSync(place);
    if (isUnused && process.platform !== 'win32') rmSync(lockPathOf(file), { force: true });
    lock.close();
    if (isUnused && madeFolder !== null) removeEmpty(dirname(place), madeFolder);
    throw error;
  }
}

/** Removes a folder and its parents up to `first`, unless there is something in them. */
function removeEmpty(folder: string, first: string): void {
  try {
    for (let path = folder; ; path = dirname(path)) {
      rmdirSync(path);
      if (resolve(path) === resolve(first)) return;
    }
  } catch {
    // Another process has put something there.
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

/** Refuses what can't be a complete backup, from its name, size and header alone. */
function checkFile(path: string, file: string): void {
  if (isOneOf(databaseFiles(file), path))
    throw new BackupRefused(
      path.startsWith(`${placeOf(file)}.before-restore-`)
        ? `${path} is the database itself: the restore that was to keep it here was killed before it changed anything. Start the server, which removes this second name.`
        : `${path} is the database itself. Name a backup of it.`,
    );
  const there = statSync(path, { throwIfNoEntry: false });
  if (!there) throw new BackupRefused(`There is no ${path}.`);
  if (!there.isFile()) throw new BackupRefused(`${path} is no file. Name the backup itself.`);
  try {
    checkHeader(path, there.size);
  } catch (error) {
    throw told(error, path, 'read');
  }
}

/** A full check of a file to restore neither changes the file nor opens it for writing. */
interface CheckedBackup {
  /** Null: a copy of a database that `backup` did not make. */
  found: Restoring | null;
  /** A copy beside the database, at this version's schema, for `replaceDatabase` to put in place. */
  ready: string;
}

/**
 * Prepares a copy of `path` beside the database, and checks all of it. Throws `BackupRefused` unless it is a complete
 * backup of this or an older version, and removes the copy then.
 */
async function copyBackup(path: string, place: string): Promise<CheckedBackup> {
  const ready = `${place}.restoring-${randomUUID()}`;
  try {
    makeNewPrivateFile(ready);
    copyFileSync(path, ready, constants.COPYFILE_FICLONE);
    chmodSync(ready, 0o600);
    const wrong = damageOf(ready);
    if (wrong) throw new BackupRefused(`${path} is damaged: ${wrong}. Take another backup.`);
    const found = await markOf(ready, path);
    await migrateFile(ready);
    foldLog(ready);
    fsyncPath(ready);
    return { found, ready };
  } catch (error) {
    removeDatabase(ready);
    throw told(error, ready);
  }
}

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

async function markOf(file: string, name: string): Promise<Restoring | null> {
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
    return parse(database.prepare(`select * from ${BACKUP_TABLE}`).all() as Row[]);
  } finally {
    await db.destroy();
  }
}

/**
 * Puts a checked backup in the place of the database `file`, and keeps the old database beside it. Returns the old one's
 * new path, or null if there was none. Throws `BackupRefused` if another program uses the database. If it is killed,
 * `removeLeftovers` undoes what it did before its last rename.
 */
function replaceDatabase(file: string, ready: string, now: number): string | null {
  const keptAs = `${file}.before-restore-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  if (!existsSync(file)) {
    // SQLite would apply an old database's log to this one.
    removeDatabase(file);
    renameSync(ready, file);
    fsyncPath(dirname(file));
    return null;
  }
  foldOld(file);
  for (const end of ['-wal', '']) if (existsSync(`${file}${end}`)) linkOrCopy(`${file}${end}`, `${keptAs}${end}`, file);
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

/** Adds a second name for the file, or copies it on a file system without links. */
function linkOrCopy(from: string, to: string, file: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOSPC') throw error;
    if (existsSync(to)) throw Object.assign(new Error(`${to} exists`), { code: 'EEXIST' });
    // As a killed restore leaves it, a copy gets no name that looks whole.
    const partial = `${file}.restoring-${randomUUID()}`;
    copyFileSync(from, partial, constants.COPYFILE_EXCL);
    fsyncPath(partial);
    renameSync(partial, to);
  }
}
