/** A file or folder by the names that lead to it from a workspace folder. */
export type Names = readonly string[];

export type EntryKind = 'file' | 'folder' | 'link' | 'other';

/** A workspace folder, as the index reads it. Nothing here follows a link. */
export interface Root {
  /** Begins the index's paths of its files; no two folders have the same. */
  readonly name: string;
  /** The ignore files of the folders above, and the names that lead down from the uppermost of them. */
  above(): Promise<{ names: Names; rules: readonly (string | undefined)[] }>;
  /** Throws if the folder can't be read. */
  entries(folder: Names): Promise<[name: string, kind: EntryKind][]>;
  /** The text of a folder's ignore files. */
  ignoreFile(folder: Names): Promise<string | undefined>;
  /** By the settings. */
  isExcluded(path: Names): Promise<boolean>;
  holdsSecrets(path: Names): boolean;
  /** Undefined if there is no such file, or if it is no plain file. */
  stat(path: Names): Promise<{ mtime: number; size: number } | undefined>;
  /** Throws if the file can't be read. */
  read(path: Names): Promise<Uint8Array>;
}

/** A file's path in the index. */
export const pathIn = (root: Root, names: Names) => [root.name, ...names].join('/');
