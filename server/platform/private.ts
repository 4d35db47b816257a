import { chmodSync, closeSync, fchmodSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';

// Perigee's files are readable only by the user that it runs as. Windows has no such modes.

const FOLDER = 0o700;
const FILE = 0o600;

/**
 * Creates a missing folder and its missing parents for this user alone, whatever the umask. Returns the first one that
 * it made, or null.
 */
export function makePrivateFolder(folder: string): string | null {
  const first = mkdirSync(folder, { recursive: true, mode: FOLDER });
  if (first !== undefined) chmodSync(folder, FOLDER);
  return first ?? null;
}

/** Makes a file for this user alone, whatever the umask. Throws EEXIST where any file or link has the name. */
export function makeNewPrivateFile(file: string): void {
  const made = openSync(file, 'wx', FILE);
  fchmodSync(made, FILE);
  closeSync(made);
}

/** The same, if it isn't there. One that is there stays as it is. Returns whether it made the file. */
export function makePrivateFile(file: string): boolean {
  try {
    makeNewPrivateFile(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * Removes the access of other users that an older version or another umask granted. Skips links, whose target may be
 * meant for others, and anything that is not a file of this user. Never opens the file: closing it again would drop
 * SQLite's locks on it in this process (POSIX), and another process would then delete the WAL that is in use.
 */
export function closeToOthers(file: string): void {
  if (process.platform === 'win32') return;
  try {
    const stat = lstatSync(file);
    if (stat.isFile() && stat.uid === process.getuid?.() && (stat.mode & 0o777) !== FILE) chmodSync(file, FILE);
  } catch {
    // The file is missing, or not ours to change.
  }
}

/**
 * Does the same for a folder, if it contains only Perigee's files by name. A home, /tmp, or a project folder that also
 * holds the database stays as it is.
 */
export function closeFolderToOthers(folder: string, isOurs: (name: string) => boolean): void {
  if (process.platform === 'win32') return;
  const path = resolve(folder);
  try {
    const stat = lstatSync(path);
    const isPrivate = (stat.mode & 0o077) === 0;
    // The sticky bit or a setgid bit means that the folder is shared on purpose.
    const isShared = (stat.mode & 0o7000) !== 0;
    if (!stat.isDirectory() || isPrivate || isShared || stat.uid !== process.getuid?.()) return;
    if (path === process.cwd() || !readdirSync(path).every(isOurs)) return;
    chmodSync(path, FOLDER);
  } catch {
    // The folder is missing, or not ours to read.
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
