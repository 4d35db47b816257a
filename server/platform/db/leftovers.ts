import { lstatSync, readdirSync, renameSync, rmSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fsyncPath } from '../private.ts';
import { placeOf } from './fileLock.ts';

// What a killed restore leaves beside an embedded database: its unfinished copy, and a second name of the database,
// which was to keep the old one. The second name looks like a copy of its own, but follows every change.

const UUID = '[\\da-f]{8}(?:-[\\da-f]{4}){3}-[\\da-f]{12}';

/**
 * Removes the leftovers of restores that were killed before they replaced the database, which is as it was. The caller
 * holds the lock of a server or a restore, so no restore is at work. Returns the removed names.
 */
export function removeLeftovers(file: string): string[] {
  const place = placeOf(file);
  const [folder, name] = [dirname(place), basename(place)];
  const statOf = (other: string) => lstatSync(join(folder, other), { throwIfNoEntry: false });
  const [database, log] = [statOf(name), statOf(`${name}-wal`)];
  const removed: string[] = [];
  const remove = (other: string) => {
    rmSync(join(folder, other), { force: true });
    removed.push(other);
  };
  const all = namesIn(folder);
  const kept = all.filter((other) => other.startsWith(`${name}.before-restore-`));
  for (const other of kept.filter((other) => isSame(statOf(other), database))) {
    // The restore had moved the log of a damaged database already.
    if (kept.includes(`${other}-wal`) && !log) renameSync(join(folder, `${other}-wal`), `${place}-wal`);
    remove(other);
  }
  for (const other of kept.filter((other) => other.endsWith('-wal') && isSame(statOf(other), log))) remove(other);
  const unfinished = new RegExp(`^${UUID}(-wal|-shm|-journal)?$`);
  const copy = `${name}.restoring-`;
  for (const other of all)
    if (other.startsWith(copy) && unfinished.test(other.slice(copy.length)) && isOurs(statOf(other))) remove(other);
  if (removed.length > 0) fsyncPath(folder);
  return removed;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A folder that can be used but not listed.
    return [];
  }
}

const isSame = (one: Stats | undefined, other: Stats | undefined) =>
  one !== undefined && other !== undefined && one.isFile() && one.ino === other.ino && one.dev === other.dev;

const isOurs = (stat: Stats | undefined) =>
  stat?.isFile() === true && (process.getuid === undefined || stat.uid === process.getuid());
