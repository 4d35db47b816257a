import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EntryKind, Names, Root } from '../../../extension/index/roots.ts';
import { holdsSecrets } from '../../../extension/platform/secrecy/guarded.ts';

/** A folder of this machine, as the index reads a workspace folder. */
export function folderRoot(folder: string): Root {
  const at = (names: Names) => join(folder, ...names);
  return {
    name: 'folder',
    above: async () => ({ names: [], rules: [] }),
    async entries(names) {
      const entries = await readdir(at(names), { withFileTypes: true });
      return entries.map((entry): [string, EntryKind] => {
        if (entry.isSymbolicLink()) return [entry.name, 'link'];
        return [entry.name, entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : 'other'];
      });
    },
    ignoreFile: (names) => readFile(at([...names, '.gitignore']), 'utf8').catch(() => undefined),
    isExcluded: async () => false,
    holdsSecrets: (names) => holdsSecrets(names.join('/')),
    async stat(names) {
      const { mtimeMs, size } = await lstat(at(names));
      return { mtime: mtimeMs, size };
    },
    read: (names) => readFile(at(names)),
  };
}
