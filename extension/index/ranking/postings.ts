import { cut, isDeclaration, type Piece } from './pieces.ts';
import { HASH_BITS, type TermReader } from './terms.ts';

/** A file as the index keeps it, in one array of numbers, without its text: see `layout`. */
export interface IndexedFile {
  /** With `/`; of a workspace with several folders, from the folder's name on. */
  path: string;
  /** Whether the file is still the one that was read: time of change in ms, and bytes. */
  mtime: number;
  size: number;
  data: Uint32Array;
}

/**
 * `data`: [pieces, path terms, …posting of each path term, then for each piece: first line, line after the last, terms,
 * postings, …postings]. Postings ascend by hash.
 */
export const HEAD = 2;
export const PIECE_HEAD = 4;

const COUNT_BITS = 32 - HASH_BITS;
const MOST_COUNT = (1 << COUNT_BITS) - 1;
/** A term in a line that declares something counts as often as this. */
const DECLARED = 3;
/** What is read of one line: the rest of a longer one is data. */
const LONGEST_LINE = 2_000;

/** A term's hash, and how often it occurs, in one number. Beyond `MOST_COUNT`, it occurs just often. */
const posting = (hash: number, count: number) => ((hash << COUNT_BITS) | Math.min(count, MOST_COUNT)) >>> 0;
export const hashIn = (one: number) => one >>> COUNT_BITS;
export const countIn = (one: number) => one & MOST_COUNT;

/** Where the pieces begin in `data`. */
export function* piecesOf(data: Uint32Array): Generator<number> {
  let at = HEAD + data[1]!;
  for (let piece = 0; piece < data[0]!; piece++) {
    yield at;
    at += PIECE_HEAD + data[at + 3]!;
  }
}

/** What is known of a file before it is read. */
export type FileHead = Omit<IndexedFile, 'data'>;

/** Makes a file's entry. It pauses after each piece, so that a large file needs no long block. */
export function* indexFile(head: FileHead, text: string, reader: TermReader): Generator<void, IndexedFile> {
  const lines = text.split(/\r\n|\n|\r/);
  yield;
  const pathTerms = countTerms((take) => {
    reader.read(head.path, take);
    // A file's own name says more than its folders.
    reader.read(head.path.slice(head.path.lastIndexOf('/') + 1), take);
  });
  const numbers: number[] = [0, pathTerms.size, ...sorted(pathTerms)];
  if (text === '') return { ...head, data: new Uint32Array(numbers) };
  for (const piece of cut(lines)) {
    addPiece(numbers, lines, piece, reader);
    numbers[0]!++;
    yield;
  }
  return { ...head, data: new Uint32Array(numbers) };
}

function addPiece(numbers: number[], lines: readonly string[], { from, to }: Piece, reader: TermReader): void {
  let terms = 0;
  const counts = countTerms((take) => {
    for (let at = from; at < to; at++) {
      const line = lines[at]!.slice(0, LONGEST_LINE);
      const times = isDeclaration(line) ? DECLARED : 1;
      reader.read(line, (hash) => {
        terms++;
        for (let time = 0; time < times; time++) take(hash);
      });
    }
  });
  numbers.push(from, to, terms, counts.size);
  for (const one of sorted(counts)) numbers.push(one);
}

function countTerms(read: (take: (hash: number) => void) => void): Map<number, number> {
  const counts = new Map<number, number>();
  read((hash) => counts.set(hash, (counts.get(hash) ?? 0) + 1));
  return counts;
}

function sorted(counts: ReadonlyMap<number, number>): Uint32Array {
  const postings = new Uint32Array(counts.size);
  let at = 0;
  for (const [hash, count] of counts) postings[at++] = posting(hash, count);
  return postings.sort();
}

/** Whether an array has the layout above: what was stored may be damaged. */
export function isWhole(data: Uint32Array): boolean {
  const [pieces, pathTerms] = data;
  if (pieces === undefined || pathTerms === undefined) return false;
  let at = HEAD + pathTerms;
  for (let piece = 0; piece < pieces; piece++) {
    if (at + PIECE_HEAD > data.length || data[at]! > data[at + 1]!) return false;
    at += PIECE_HEAD + data[at + 3]!;
  }
  return at === data.length;
}
