// For each piece of a text the index stores hashes of all its grams: substrings of one to three characters. A text that
// contains the search term has all of the term's hashes, so the index misses nothing, in any script. The query itself
// drops false matches.

/** The size of an indexed piece of a text, in code points. */
export const PIECE = 8_000;
/** Pieces overlap by this much, which is longer than any search term, so each match is whole in some piece. */
export const OVERLAP = 1_100;

const LONGEST = 3;
/** How many grams of the search term are looked up: more would hardly narrow the result. */
const MAX_ASKED = 16;

/** All grams of a text, as 32-bit hashes. */
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

/** Grams of every text that contains `part`: the longest ones, spread over it. Empty if `part` has none. */
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

/** A gram for the account, so that a search does not scan other accounts' texts. */
export function gramOfAccount(accountId: string): number {
  let hash = SEED;
  for (let at = 0; at < accountId.length; at++) hash = mix(hash, accountId.charCodeAt(at));
  return hash;
}

/**
 * Maps all cases of a letter to one form, coarser than either engine does: PostgreSQL's lower() treats the final sigma
 * and the dot of İ differently from JavaScript's.
 */
const fold = (text: string) =>
  text
    .toLowerCase()
    .replace(/ς/g, 'σ')
    .replace(/\u0307/g, '');

// FNV-1a over UTF-16 units.
const SEED = 0x811c9dc5 | 0;
const mix = (hash: number, unit: number) => Math.imul(hash ^ unit, 0x01000193);
