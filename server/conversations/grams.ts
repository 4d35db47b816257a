// For each piece of a text the index stores hashes of all its runs of one to three characters. A text that contains what is
// looked for has all of its hashes, so the index misses nothing, in any script; the query itself drops false matches.

/** In code points: how much of a text stands together in the index. */
export const PIECE = 8_000;
/** By so much a piece goes on into the next: what is looked for is shorter, so it stands in one of them as a whole. */
export const OVERLAP = 1_100;

const LONGEST = 3;
/** Runs of what is looked for that are asked of the index: more would hardly leave out more. */
const MAX_ASKED = 16;

/** All runs of a text, as 32-bit hashes. */
export function gramsOf(text: string): Set<number> {
  const grams = new Set<number>();
  const folded = fold(text);
  for (let at = 0; at < folded.length; at++) {
    let hash = SEED;
    for (let n = 0; n < LONGEST && at + n < folded.length; n++) {
      hash = mix(hash, folded.charCodeAt(at + n));
      grams.add(hash);
    }
  }
  return grams;
}

/** Runs that every text with `part` in it has: the longest ones, spread over it. Empty if that says nothing. */
export function gramsFor(part: string): number[] {
  const folded = fold(part);
  const length = Math.min(LONGEST, folded.length);
  const grams = new Set<number>();
  for (let at = 0; length > 0 && at + length <= folded.length; at++) {
    let hash = SEED;
    for (let n = 0; n < length; n++) hash = mix(hash, folded.charCodeAt(at + n));
    grams.add(hash);
  }
  const all = [...grams];
  return all.length <= MAX_ASKED
    ? all
    : Array.from({ length: MAX_ASKED }, (_, i) => all[Math.floor((i * all.length) / MAX_ASKED)]!);
}

/** One gram that stands for whose text it is, so that nobody's search goes through what others have. */
export function gramOfAccount(accountId: string): number {
  let hash = SEED;
  for (let at = 0; at < accountId.length; at++) hash = mix(hash, accountId.charCodeAt(at));
  return hash;
}

/**
 * One form for all cases of a letter, coarser than what either engine takes for the same: PostgreSQL's lower() keeps the
 * final sigma and the dot of İ apart from JavaScript's.
 */
const fold = (text: string) =>
  text
    .toLowerCase()
    .replace(/ς/g, 'σ')
    .replace(/\u0307/g, '');

// FNV-1a, by UTF-16 units.
const SEED = 0x811c9dc5 | 0;
const mix = (hash: number, unit: number) => Math.imul(hash ^ unit, 0x01000193);
