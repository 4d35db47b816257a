import { stem } from './stem.ts';
import { isStopWord } from './stopWords.ts';

/** A longer name is data (a hash, base64) and nobody asks for it. */
const LONGEST = 64;
/** Names repeat, so their terms are kept; all are forgotten together when there are too many. */
const MOST_KEPT = 30_000;
/** Engines copy a shorter part of a text. */
const LONG = 13;
/** Bits of a term's hash. The remaining bits of a number hold how often it occurs: see postings.ts. */
export const HASH_BITS = 26;

const NAME = /[\p{L}\p{N}\p{M}_$]+/gu;
/** A part of a name: `HTTPServer` has HTTP and Server. */
const PART = /\p{Lu}+(?![\p{Ll}\p{M}])|[\p{Lu}\p{Lt}]?[\p{Ll}\p{M}]+|\p{N}+|[\p{Lm}\p{Lo}\p{M}]+/gu;
/** Scripts without blanks between words. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;
const ASCII = /^[\0-\x7f]*$/;
/** The same for text without other letters, several times as fast. */
const ASCII_NAME = /[A-Za-z0-9_$]+/g;
const ASCII_PART = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+/g;

/**
 * Reads the terms of code and prose. A name counts as itself and as each of its parts: `parseURL`, `parse_url` and
 * "parse URL" have common terms. Terms are stemmed and hashed, so that an index holds no text.
 */
export class TermReader {
  private readonly kept = new Map<string, readonly number[]>();

  /** Calls `take` with the hash of each term in the text, in order. */
  read(text: string, take: (hash: number) => void): void {
    const names = text.match(ASCII.test(text) ? ASCII_NAME : NAME);
    if (names) for (const name of names) for (const hash of this.hashesOf(name)) take(hash);
  }

  private hashesOf(name: string): readonly number[] {
    let hashes = this.kept.get(name);
    if (hashes) return hashes;
    hashes = termsOf(name).map(hashOf);
    if (this.kept.size >= MOST_KEPT) this.kept.clear();
    // A longer name is a slice that would keep its whole text in memory.
    this.kept.set(name.length < LONG ? name : [...name].join(''), hashes);
    return hashes;
  }
}

/** The terms of a single name. */
export function termsOf(name: string): string[] {
  if (name.length > LONGEST) return [];
  return ASCII.test(name) ? withWhole(name.match(ASCII_PART) ?? []) : termsOfOther(name.normalize('NFC'));
}

function termsOfOther(name: string): string[] {
  const parts = name.match(PART) ?? [];
  if (!UNSPACED.test(name)) return withWhole(parts);
  return parts.flatMap((part) => (UNSPACED.test(part) ? pairsOf(part) : wordOf(part)));
}

function withWhole(parts: readonly string[]): string[] {
  const terms = parts.flatMap(wordOf);
  if (parts.length > 1) terms.push(...wordOf(parts.join('')));
  return terms;
}

function wordOf(part: string): string[] {
  let word = part.toLowerCase();
  // "é" and "e" are one letter to those who search.
  if (!ASCII.test(word)) word = word.normalize('NFD').replace(/\p{M}/gu, '');
  // A single letter or digit is in every file.
  if (word.length < 2 || isStopWord(word)) return [];
  return [stem(word)];
}

/** Text without blanks, as each two neighbours. */
function pairsOf(part: string): string[] {
  const letters = [...part];
  if (letters.length === 1) return letters;
  return letters.slice(1).map((letter, before) => letters[before] + letter);
}

/** FNV-1a, folded to `HASH_BITS`. */
export function hashOf(term: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < term.length; at++) hash = Math.imul(hash ^ term.charCodeAt(at), 0x01000193);
  return ((hash >>> HASH_BITS) ^ hash) & ((1 << HASH_BITS) - 1);
}
