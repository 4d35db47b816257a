import { type IndexedFile, piecesOf } from './postings.ts';
import type { Question } from './question.ts';
import { type Found, Matches } from './scoring.ts';

/** Files are looked through in groups of this many numbers: some milliseconds. */
const GROUP = 100_000;
/** What a file costs beside its numbers, in bytes. */
const FILE_BYTES = 400;

/** Files by their words: BM25 over pieces of files. The same files give the same answers, in whatever order they came. */
export class WordIndex {
  private readonly files = new Map<string, IndexedFile>();
  private numbers = 0;
  private pieces = 0;
  private terms = 0;

  get size(): number {
    return this.files.size;
  }

  /** About how much memory it takes. */
  get bytes(): number {
    return this.numbers * Uint32Array.BYTES_PER_ELEMENT + this.files.size * FILE_BYTES;
  }

  get(path: string): IndexedFile | undefined {
    return this.files.get(path);
  }

  all(): Iterable<IndexedFile> {
    return this.files.values();
  }

  set(file: IndexedFile): void {
    this.remove(file.path);
    this.files.set(file.path, file);
    this.count(file, 1);
  }

  remove(path: string): boolean {
    const file = this.files.get(path);
    if (!file) return false;
    this.files.delete(path);
    this.count(file, -1);
    return true;
  }

  private count({ data }: IndexedFile, sign: 1 | -1): void {
    this.numbers += sign * data.length;
    this.pieces += sign * data[0]!;
    for (const at of piecesOf(data)) this.terms += sign * data[at + 2]!;
  }

  /** The best piece of each of the best files, best first. Pauses between groups of files. */
  *find(question: Question, limit: number): Generator<void, Found[]> {
    if (question.size === 0 || limit <= 0) return [];
    const matches = new Matches(question);
    let looked = 0;
    for (const file of this.files.values()) {
      matches.look(file);
      looked += file.data.length;
      if (looked < GROUP) continue;
      looked = 0;
      yield;
    }
    return yield* matches.rank({ files: this.files.size, pieces: this.pieces, terms: this.terms }, limit);
  }
}
