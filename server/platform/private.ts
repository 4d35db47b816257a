import { chmodSync, closeSync, fchmodSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';

// What Perigee keeps on disk is for the user that it runs as, and nobody else of the machine. Windows has no such modes.

const FOLDER = 0o700;
const FILE = 0o600;

/** Makes a folder and those above it, if it isn't there, each for this user alone, whatever the umask. */
export function makePrivateFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: FOLDER });
  if (first !== undefined) chmodSync(folder, FOLDER);
}

/** Makes a file for this user alone, whatever the umask, if it isn't there. One that is there stays as it is. */
export function makePrivateFile(file: string): void {
  try {
    const made = openSync(file, 'wx', FILE);
    fchmodSync(made, FILE);
    closeSync(made);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * Takes from others what an older version, or another umask, gave them. Leaves alone what is no file, is somebody else's, or
 * is a link: what it leads to may be meant for others. Never opens the file: to close it again would take away the locks that
 * SQLite has on it in this process (POSIX), and another process would then delete the WAL that is in use.
 */
export function closeToOthers(file: string): void {
  if (process.platform === 'win32') return;
  try {
    const stat = lstatSync(file);
    if (stat.isFile() && stat.uid === process.getuid?.() && (stat.mode & 0o777) !== FILE) chmodSync(file, FILE);
  } catch {
    // Not there, or not ours to change.
  }
}

/**
 * The same of a folder, if all that stands in it is Perigee's by name: a home, /tmp, or a project in which the database
 * stands as well, stays as it is.
 */
export function closeFolderToOthers(folder: string, isOurs: (name: string) => boolean): void {
  if (process.platform === 'win32') return;
  const path = resolve(folder);
  try {
    const stat = lstatSync(path);
    const isPrivate = (stat.mode & 0o077) === 0;
    // Shared by intent: the sticky bit, or a group's own.
    const isShared = (stat.mode & 0o7000) !== 0;
    if (!stat.isDirectory() || isPrivate || isShared || stat.uid !== process.getuid?.()) return;
    if (path === process.cwd() || !readdirSync(path).every(isOurs)) return;
    chmodSync(path, FOLDER);
  } catch {
    // Not there, or not ours to look into.
  }
}

/** Returns once a file, or what was made or renamed in a folder, is on the disk. */
export function fsyncPath(path: string): void {
  try {
    const opened = openSync(path, 'r');
    fsyncSync(opened);
    closeSync(opened);
  } catch (error) {
    // Some systems have no sync of a folder.
    if (!['EISDIR', 'EPERM', 'EINVAL', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
