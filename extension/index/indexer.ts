import { LARGEST_FILE, textIn } from './contents.ts';
import { type FileHead, type IndexedFile, indexFile } from './ranking/postings.ts';
import { partOf } from './ranking/storing.ts';
import { TermReader } from './ranking/terms.ts';
import { WordIndex } from './ranking/wordIndex.ts';
import { type Names, pathIn, type Root } from './roots.ts';
import type { Slices } from './slices.ts';
import { mayRead, type Walk, type WalkedFile, walk } from './walk.ts';

/** What the index holds at most; memory in bytes. */
export const LIMITS = { files: 10_000, bytes: 64_000_000 };

/** Files that are read at the same time: waiting for a disk, or a remote machine, is most of the time. */
const READERS = 8;

/** What became of a build. */
export interface Built extends Walk {
  files: number;
  /** Files were left out, because the index is full. */
  isFull: boolean;
}

/** Keeps an index of the files of some folders. Each method may run beside another. */
export class Indexer {
  readonly index = new WordIndex();
  /** The parts that differ from what is stored. */
  readonly changed = new Set<number>();
  private readonly reader = new TermReader();
  private isFull = false;
  private isStopped = false;

  constructor(
    private readonly slices: Slices,
    private readonly limits = LIMITS,
  ) {}

  /** Ends what is under way as soon as possible. */
  stop(): void {
    this.isStopped = true;
  }

  /** Takes what was stored, before the first build. */
  restore(files: readonly IndexedFile[]): void {
    for (const file of files) this.index.set(file);
  }

  /** Brings the index up to date with all files. `tell` is called with the number of files now and then. */
  async build(roots: readonly Root[], tell: (files: number) => void = () => {}): Promise<Built> {
    const walked: Walk = { entries: 0, isCutShort: false };
    const seen = new Set<string>();
    this.isFull = false;
    for (const root of roots) await this.readAll(walk(root, this.slices, walked), seen, tell);
    if (!this.isStopped) for (const { path } of [...this.index.all()]) if (!seen.has(path)) this.remove(path);
    return { ...walked, files: this.index.size, isFull: this.isFull };
  }

  /** Looks again at files or folders that have changed, come or gone. */
  async update(root: Root, names: Names): Promise<void> {
    const path = pathIn(root, names);
    const seen = new Set<string>();
    if (await mayRead(root, names)) await this.look({ root, names });
    else {
      // It is a folder now, or no longer a file that may be read.
      await this.readAll(walk(root, this.slices, { entries: 0, isCutShort: false }, names), seen);
      this.remove(path);
    }
    for (const file of [...this.index.all()])
      if (file.path.startsWith(`${path}/`) && !seen.has(file.path)) this.remove(file.path);
  }

  /** Indexes text that is not on the disk yet, for a file that the index has. */
  async overlay(path: string, text: string): Promise<void> {
    // No file has such a time, so that the next look reads the disk again.
    if (this.index.get(path)) await this.add({ path, mtime: -1, size: text.length }, text);
  }

  /** Reads a known file again if it has changed. Whether it has. */
  async refresh({ root, names }: WalkedFile): Promise<boolean> {
    const before = this.index.get(pathIn(root, names));
    await this.look({ root, names });
    return this.index.get(pathIn(root, names)) !== before;
  }

  private async readAll(files: AsyncGenerator<WalkedFile>, seen: Set<string>, tell?: (files: number) => void) {
    const reader = async () => {
      for (let next = await files.next(); !next.done && !this.isStopped; next = await files.next()) {
        await this.look(next.value);
        seen.add(pathIn(next.value.root, next.value.names));
        tell?.(this.index.size);
        // Nothing else can come in, and nothing that is in is gone.
        if (this.isFull && seen.size >= this.index.size) await files.return(undefined);
      }
    };
    await Promise.all(Array.from({ length: READERS }, reader));
  }

  private async look({ root, names }: WalkedFile): Promise<void> {
    const path = pathIn(root, names);
    const stat = await root.stat(names).catch(() => undefined);
    if (!stat || stat.size > LARGEST_FILE) return this.remove(path);
    const known = this.index.get(path);
    if (known?.mtime === stat.mtime && known.size === stat.size) return;
    if (!known && this.hasNoRoom()) return;
    // It may vanish between the two.
    const bytes = await root.read(names).catch(() => undefined);
    if (this.isStopped) return;
    if (!bytes) return this.remove(path);
    // A file without text keeps its place, so that it is not read again.
    await this.add({ path, ...stat }, textIn(bytes) ?? '');
  }

  private async add(head: FileHead, text: string): Promise<void> {
    const file = await this.slices.run(indexFile(head, text, this.reader));
    // Others may have been added meanwhile.
    this.remove(head.path);
    if (this.hasNoRoom(file.data.byteLength)) return;
    this.index.set(file);
    this.changed.add(partOf(head.path));
  }

  private remove(path: string): void {
    if (this.index.remove(path)) this.changed.add(partOf(path));
  }

  private hasNoRoom(bytes = 0): boolean {
    const isFull = this.index.size >= this.limits.files || this.index.bytes + bytes > this.limits.bytes;
    this.isFull ||= isFull;
    return isFull;
  }
}
