import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, lstatSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { fsyncPath, makeNewPrivateFile } from '../private.ts';
import { damageOf, databaseFiles, foldLog, isDamage, isOneOf, removeDatabase, told } from './backupFiles.ts';
import { lockFile } from './fileLock.ts';
import { noPerigee } from './migrate.ts';
import { BACKUP_TABLE, type BackupFacts, BackupRefused, markBackup, parse, type Row } from './restoring.ts';
import { kyselyOf, open } from './sqlite.ts';

// Copies of an embedded database, made beside a running server and checked. A file gets its name only once it is
// complete, so a process that is killed leaves the old file or the new one, never a part.

/** What a killed backup leaves is older than this. */
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
  const lock = lockFile(file, 'command');
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
    lock.close();
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

/** Every file that a server on this database needs. */
const ownFiles = (file: string, deletionsFile: string | null) => [
  ...databaseFiles(file),
  ...['secret', 'local-token'].map((name) => join(dirname(file), name)),
  ...(deletionsFile === null ? [] : [deletionsFile]),
];

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
    if (!other.startsWith(`${name}.partial-`)) continue;
    const stat = lstatSync(join(folder, other), { throwIfNoEntry: false });
    // Another user's file stays, and does not stop the backup.
    const isOurs = process.getuid === undefined || stat?.uid === process.getuid();
    if (stat?.isFile() && isOurs && Date.now() - stat.mtimeMs > STALE_MS) rmSync(join(folder, other), { force: true });
  }
}
