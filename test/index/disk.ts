import type { EntryKind, Names, Root } from '../../extension/index/roots.ts';
import { Slices } from '../../extension/index/slices.ts';
import { holdsSecrets } from '../../extension/platform/secrecy/guarded.ts';

/** A file's content; bytes for binary files. */
type Content = string | Uint8Array;
interface Folder {
  [name: string]: Content | Folder | Link;
}
/** A symbolic link: what it leads to does not matter, because nothing follows it. */
export class Link {}

/** A workspace folder in memory, which counts what is read. */
export class Disk implements Root {
  readonly name = 'app';
  /** Paths that were read, in order. */
  readonly reads: string[] = [];
  folders = 0;
  /** Times of change by path; 1 for all others. */
  readonly times = new Map<string, number>();
  excluded = (_path: string) => false;
  aboveRules: { names: string[]; rules: (string | undefined)[] } = { names: [], rules: [] };
  /** Called before a file is read. */
  beforeRead = (_path: string) => {};

  constructor(readonly files: Folder) {}

  above = async () => this.aboveRules;

  async entries(folder: Names): Promise<[string, EntryKind][]> {
    this.folders++;
    const found = this.at(folder);
    if (!isFolder(found)) throw new Error('no folder');
    return Object.entries(found).map(([name, value]) => [name, kindOf(value)]);
  }

  async ignoreFile(folder: Names): Promise<string | undefined> {
    const found = this.at([...folder, '.gitignore']);
    if (found instanceof Link) throw new Error('unreadable');
    return typeof found === 'string' ? found : undefined;
  }

  isExcluded = async (path: Names) => this.excluded(path.join('/'));
  holdsSecrets = (path: Names) => holdsSecrets(path.join('/'));

  async stat(path: Names): Promise<{ mtime: number; size: number } | undefined> {
    const found = this.at(path);
    if (typeof found !== 'string' && !(found instanceof Uint8Array)) return undefined;
    return { mtime: this.times.get(path.join('/')) ?? 1, size: found.length };
  }

  async read(path: Names): Promise<Uint8Array> {
    this.beforeRead(path.join('/'));
    const found = this.at(path);
    this.reads.push(path.join('/'));
    if (typeof found === 'string') return new TextEncoder().encode(found);
    if (found instanceof Uint8Array) return found;
    throw new Error('gone');
  }

  private at(path: Names): Content | Folder | Link | undefined {
    let found: Content | Folder | Link | undefined = this.files;
    for (const name of path) found = isFolder(found) ? found[name] : undefined;
    return found;
  }
}

const isFolder = (value: unknown): value is Folder =>
  typeof value === 'object' && !(value instanceof Uint8Array) && !(value instanceof Link);

function kindOf(value: Content | Folder | Link): EntryKind {
  if (value instanceof Link) return 'link';
  return isFolder(value) ? 'folder' : 'file';
}

/** Slices without a clock: each step is a slice of its own, or none ever ends. */
export const noSlices = () =>
  new Slices(
    () => 0,
    async () => {},
  );

/** Runs a generator to its end. */
export function drain<T>(steps: Generator<void, T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}
