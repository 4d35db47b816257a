import type { Nearest } from '../edits.ts';
import { countCharacters, type IndexedFile, leastDistance, wordsOf } from './indexedFile.ts';
import { looseKey, trimTrail } from './loose.ts';

/** Less similar places are ignored. */
const RIVAL = 0.9;
/** The most cells of edit-distance tables that one search may fill: some tens of milliseconds. Then it gives up. */
const MAX_CELLS = 4_000_000;
/** A line or word at more places than this doesn't help to find the place. */
const MAX_POSITIONS = 64;
/** In the search for the nearest lines, longer lines are only compared for equality. */
const MAX_COMPARED = 400;
/** Less similar lines are not reported: they would only mislead. */
const LIKE = 0.5;
/** The most of the nearest lines that are reported. */
const MAX_TOLD = 40;

/** The remaining work of a search; below zero when it was not enough. */
interface Budget {
  cells: number;
}

/**
 * The Levenshtein distance of two texts, or anything above `limit` if it is more than that. Takes time in the order of
 * length × limit.
 */
export function distance(a: string, b: string, limit: number, budget: Budget = { cells: Number.POSITIVE_INFINITY }) {
  let start = 0;
  let endA = a.length;
  let endB = b.length;
  while (start < endA && start < endB && a[start] === b[start]) start++;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  const n = endA - start;
  const m = endB - start;
  if (Math.abs(n - m) > limit) return limit + 1;
  if (n === 0 || m === 0) return n + m;
  budget.cells -= n * Math.min(m, 2 * limit + 1);
  if (budget.cells < 0) return limit + 1;
  let row = new Int32Array(m + 1).fill(limit + 1);
  let next = new Int32Array(m + 1).fill(limit + 1);
  for (let j = 0; j <= Math.min(m, limit); j++) row[j] = j;
  for (let i = 1; i <= n; i++) {
    const from = Math.max(1, i - limit);
    const to = Math.min(m, i + limit);
    next[from - 1] = from === 1 ? i : limit + 1;
    let least = next[from - 1]!;
    for (let j = from; j <= to; j++) {
      const step = a.charCodeAt(start + i - 1) === b.charCodeAt(start + j - 1) ? 0 : 1;
      const up = j <= i - 1 + limit ? row[j]! + 1 : limit + 1;
      const value = Math.min(row[j - 1]! + step, next[j - 1]! + 1, up);
      next[j] = value;
      if (value < least) least = value;
    }
    if (least > limit) return limit + 1;
    [row, next] = [next, row];
  }
  return row[m]!;
}

/** 1: equal; 0: nothing in common. Line by line, in characters; both have the same number of lines. */
export function similarity(a: readonly string[], b: readonly string[]): number {
  let apart = 0;
  let length = 0;
  for (const [index, line] of a.entries()) {
    const other = b[index]!;
    const longest = Math.max(line.length, other.length);
    length += longest;
    if (line !== other) apart += longest > MAX_COMPARED ? longest : distance(line, other, longest);
  }
  return length === 0 ? 1 : 1 - apart / length;
}

export interface SimilarPlace {
  /** Counted from 0. */
  start: number;
  similarity: number;
}

/**
 * The first `most` places with a similarity of `RIVAL` or more to `wanted` (keys of lines), best first; undefined if
 * the search takes too long. No place is missed: a place is skipped uncompared only if the lengths or the character
 * counts prove that it is too different.
 */
export function similarPlaces(file: IndexedFile, wanted: readonly string[], most: number): SimilarPlace[] | undefined {
  const total = wanted.reduce((sum, line) => sum + line.length, 0);
  const limit = Math.floor((total * (1 - RIVAL)) / RIVAL);
  if (total === 0 || limit === 0) return [];
  // The longest lines rule out a place soonest.
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[b]!.length - wanted[a]!.length);
  const own = countCharacters(wanted);
  const counts = file.characterCounts;
  const least = new Int32Array(wanted.length);
  const budget = { cells: MAX_CELLS };
  const found: SimilarPlace[] = [];
  for (let start = 0; start + wanted.length <= file.keys.length && found.length < most; start++) {
    let gap = 0;
    for (const index of order) {
      gap += Math.abs(file.keys[start + index]!.length - wanted[index]!.length);
      if (gap > limit) break;
    }
    if (gap > limit) continue;
    // Subtract the least difference of the lines not compared yet from the limit for the present line.
    let apart = 0;
    for (const index of order) {
      const isEqual = file.keys[start + index] === wanted[index];
      least[index] = isEqual ? 0 : leastDistance(counts, start + index, own, index);
      apart += least[index]!;
      if (apart > limit) break;
    }
    for (const index of order) {
      if (apart > limit) break;
      if (least[index] === 0 && file.keys[start + index] === wanted[index]) continue;
      const allowed = limit - apart + least[index]!;
      apart += distance(wanted[index]!, file.keys[start + index]!, allowed, budget) - least[index]!;
    }
    if (budget.cells < 0) return undefined;
    if (apart > limit) continue;
    const length = wanted.reduce(
      (sum, line, index) => sum + Math.max(line.length, file.keys[start + index]!.length),
      0,
    );
    found.push({ start, similarity: 1 - apart / length });
  }
  return found.sort((a, b) => b.similarity - a.similarity || a.start - b.start);
}

/**
 * The lines most like `wanted` (lines as written), found by shared rare lines and words; undefined if nothing is
 * similar.
 */
export function nearestLines(file: IndexedFile, wanted: readonly string[]): Nearest | undefined {
  const keys = wanted.map(looseKey);
  const votes = new Map<number, number>();
  const last = Math.max(0, file.lines.length - keys.length);
  const vote = (positions: readonly number[], index: number, weight: number) => {
    if (positions.length > MAX_POSITIONS) return;
    for (const position of positions) {
      const start = Math.min(last, Math.max(0, position - index));
      votes.set(start, (votes.get(start) ?? 0) + weight / positions.length);
    }
  };
  for (const [index, key] of keys.entries()) vote(file.at(key), index, key.length);
  if (votes.size === 0) {
    for (const [index, key] of keys.entries()) {
      for (const word of wordsOf(key)) vote(file.withWord(word), index, word.length);
    }
  }
  const best = [...votes].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 3);
  let nearest: Nearest | undefined;
  for (const [start] of best) {
    const lines = file.lines.slice(start, start + keys.length);
    const padded = keys.map((_, index) => trimTrail(lines[index] ?? ''));
    const value = similarity(wanted.map(trimTrail), padded);
    if (value >= LIKE && value > (nearest?.similarity ?? 0)) {
      nearest = { line: start + 1, lines: lines.slice(0, MAX_TOLD), similarity: value };
    }
  }
  return nearest;
}
