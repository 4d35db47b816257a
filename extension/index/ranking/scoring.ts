import { countIn, HEAD, hashIn, type IndexedFile, PIECE_HEAD } from './postings.ts';
import type { Question } from './question.ts';

/** Lines of a file that fit a question, counted from 1; `to` is included. The higher the score, the better. */
export interface Found {
  path: string;
  from: number;
  to: number;
  score: number;
}

/**
 * BM25: `k1` says how much a repeated term adds, `b` how much a long text loses. Chosen by the questions of
 * `npm run bench -- retrieval` that are not held out.
 */
const PIECE = { k1: 2, b: 0.75 };
const FILE = { k1: 1.2, b: 0.4 };
/** A term in the path counts as often as this in the text. */
const IN_PATH = 2;
/** A whole file's score, beside that of its best piece. */
const WHOLE = 0.8;
/** Tests and documents repeat the words of what they are about. */
const ASIDE = 0.8;
const IS_ASIDE =
  /(?:^|\/)(?:tests?|__tests__|specs?|fixtures?|docs?)\/|[._-](?:test|spec)\.[^/]+$|\.(?:md|mdx|rst|txt)$/i;

/** Files that are ranked without a pause. */
const GROUP = 100;

/** How many there are in the index, of each. */
interface Totals {
  files: number;
  pieces: number;
  terms: number;
}

/** A file with at least one term of a question. By the question's terms: how often each is there. */
interface Match {
  file: IndexedFile;
  inPath: Uint8Array;
  inFile: Float64Array;
  /** Of all its pieces, in terms. */
  length: number;
  pieces: { at: number; counts: Uint8Array }[];
}

/** The files that a question has terms of, collected one by one and then ranked. */
export class Matches {
  private readonly weights: readonly number[];
  private readonly places: ReadonlyMap<number, number>;
  /** Whether a hash may be a term of the question, by its last bits: nearly all postings need no second look. */
  private readonly filter = new Uint8Array(1 << 16);
  private readonly found: Match[] = [];
  /** In how many pieces, and files, each term is. */
  private readonly inPieces: Float64Array;
  private readonly inFiles: Float64Array;

  constructor(question: Question) {
    this.weights = [...question.values()];
    this.places = new Map([...question.keys()].map((hash, term) => [hash, term]));
    for (const hash of question.keys()) this.filter[hash & 0xffff] = 1;
    this.inPieces = new Float64Array(question.size);
    this.inFiles = new Float64Array(question.size);
  }

  look(file: IndexedFile): void {
    const { data } = file;
    const inPath = this.countsIn(data, HEAD, HEAD + data[1]!);
    let inFile: Float64Array | undefined;
    const pieces: Match['pieces'] = [];
    let length = 0;
    // Plain loops: this runs for every posting of the index.
    for (let piece = 0, at = HEAD + data[1]!; piece < data[0]!; piece++) {
      const end = at + PIECE_HEAD + data[at + 3]!;
      const counts = this.countsIn(data, at + PIECE_HEAD, end);
      length += data[at + 2]!;
      if (counts) {
        pieces.push({ at, counts });
        inFile ??= new Float64Array(counts.length);
        for (let term = 0; term < counts.length; term++) {
          if (counts[term] === 0) continue;
          this.inPieces[term]!++;
          inFile[term]! += counts[term]!;
        }
      }
      at = end;
    }
    if ((!inPath && !inFile) || data[0] === 0) return;
    inFile ??= new Float64Array(this.weights.length);
    // A file that only its path names is found by its beginning.
    if (pieces.length === 0) pieces.push({ at: HEAD + data[1]!, counts: new Uint8Array(this.weights.length) });
    for (let term = 0; term < inFile.length; term++) if (inFile[term]! > 0 || inPath?.[term]) this.inFiles[term]!++;
    this.found.push({ file, inPath: inPath ?? new Uint8Array(this.weights.length), inFile, length, pieces });
  }

  /** The best piece of each of the best files, best first. Pauses between groups of files. */
  *rank(of: Totals, limit: number): Generator<void, Found[]> {
    const piece = this.scorer(PIECE, of.pieces, this.inPieces, of.terms);
    const whole = this.scorer(FILE, of.files, this.inFiles, of.terms);
    const found: Found[] = [];
    let ranked = 0;
    for (const { file, inPath, inFile, length, pieces } of this.found) {
      const { path, data } = file;
      let best = { at: pieces[0]!.at, score: -1 };
      for (const { at, counts } of pieces) {
        const score = piece(counts, inPath, data[at + 2]!);
        if (score > best.score) best = { at, score };
      }
      const score = (best.score + WHOLE * whole(inFile, inPath, length)) * (IS_ASIDE.test(path) ? ASIDE : 1);
      insert(found, { path, from: data[best.at]! + 1, to: data[best.at + 1]!, score }, limit);
      if (++ranked % GROUP === 0) yield;
    }
    return found;
  }

  /** How often each term is among the postings from `from` to `to`; undefined if none is. */
  private countsIn(data: Uint32Array, from: number, to: number): Uint8Array | undefined {
    let counts: Uint8Array | undefined;
    for (let at = from; at < to; at++) {
      const hash = hashIn(data[at]!);
      if (this.filter[hash & 0xffff] === 0) continue;
      const term = this.places.get(hash);
      if (term === undefined) continue;
      counts ??= new Uint8Array(this.weights.length);
      counts[term] = countIn(data[at]!);
    }
    return counts;
  }

  /** BM25 over `n` texts with `terms` terms in all, of which `having` have each term. */
  private scorer({ k1, b }: { k1: number; b: number }, n: number, having: Float64Array, terms: number) {
    const mean = terms / Math.max(1, n) || 1;
    const rarity = this.weights.map(
      (weight, term) => weight * Math.log(1 + (n - having[term]! + 0.5) / (having[term]! + 0.5)),
    );
    return (counts: ArrayLike<number>, inPath: ArrayLike<number>, length: number) => {
      const norm = k1 * (1 - b + (b * length) / mean);
      let score = 0;
      for (let term = 0; term < rarity.length; term++) {
        const count = counts[term]! + IN_PATH * inPath[term]!;
        if (count > 0) score += (rarity[term]! * count * (k1 + 1)) / (count + norm);
      }
      return score;
    };
  }
}

/** Puts one in its place among the `limit` best; sorting all of them would be a long block. */
function insert(best: Found[], one: Found, limit: number): void {
  let at = best.length;
  while (at > 0 && isBefore(one, best[at - 1]!)) at--;
  if (at >= limit) return;
  best.splice(at, 0, one);
  if (best.length > limit) best.pop();
}

const isBefore = (a: Found, b: Found) => a.score > b.score || (a.score === b.score && a.path < b.path);
