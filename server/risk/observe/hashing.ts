import { createHmac } from 'node:crypto';
import type { Hash } from '../signals/observation.ts';

/** A key of SipHash: 128 bits as four words, the low word of each half first. */
export type HashKey = readonly [k0Low: number, k0High: number, k1Low: number, k1High: number];

/** The key of one account in one period: HMAC-SHA256 of the account's id, of which SipHash takes the first 16 bytes. */
export function accountKey(periodKey: Buffer, accountId: string): HashKey {
  return hashKey(createHmac('sha256', periodKey).update(accountId).digest());
}

/** The first 16 bytes as a key. */
export function hashKey(bytes: Buffer): HashKey {
  return [bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(8), bytes.readInt32LE(12)];
}

/** Bytes of a text that are hashed at most. */
const MOST_BYTES = 16 * 1024;
const scratch = Buffer.allocUnsafe(MOST_BYTES);

/** Of a text in UTF-8, up to its first 16 KB. Never 0, which means that there is nothing. */
export function hashText(key: HashKey, text: string): Hash {
  return hashBytes(key, scratch, scratch.write(text));
}

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of the first `length` bytes, its two halves xored to 32 bits; 1 in place of
 * 0. Numbers have 32 bits for the processor, so each of its four 64-bit words is two variables here.
 */
export function hashBytes([k0Low, k0High, k1Low, k1High]: HashKey, bytes: Buffer, length = bytes.length): Hash {
  let v0l = k0Low ^ 0x70736575;
  let v0h = k0High ^ 0x736f6d65;
  let v1l = k1Low ^ 0x6e646f6d;
  let v1h = k1High ^ 0x646f7261;
  let v2l = k0Low ^ 0x6e657261;
  let v2h = k0High ^ 0x6c796765;
  let v3l = k1Low ^ 0x79746573;
  let v3h = k1High ^ 0x74656462;
  const whole = length >>> 3;
  for (let step = 0; step <= whole + 1; step++) {
    let low = 0;
    let high = 0;
    const isEnd = step > whole;
    if (isEnd) v2l ^= 0xff;
    else if (step < whole) {
      const at = step * 8;
      low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    } else {
      // The last word: the bytes that are left, and the length.
      for (let i = whole * 8; i < length; i++)
        if ((i & 7) < 4) low |= bytes[i]! << ((i & 3) * 8);
        else high |= bytes[i]! << ((i & 3) * 8);
      high |= length << 24;
    }
    v3l ^= low;
    v3h ^= high;
    for (let round = isEnd ? 4 : 2; round > 0; round--) {
      let sum = (v0l >>> 0) + (v1l >>> 0);
      v0h = (v0h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v0l = sum | 0;
      let turned = (v1l << 13) | (v1h >>> 19);
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
      v1l = turned ^ v0l;
      turned = v0l;
      v0l = v0h;
      v0h = turned;

      sum = (v2l >>> 0) + (v3l >>> 0);
      v2h = (v2h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v2l = sum | 0;
      turned = (v3l << 16) | (v3h >>> 16);
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
      v3l = turned ^ v2l;

      sum = (v0l >>> 0) + (v3l >>> 0);
      v0h = (v0h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v0l = sum | 0;
      turned = (v3l << 21) | (v3h >>> 11);
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
      v3l = turned ^ v0l;

      sum = (v2l >>> 0) + (v1l >>> 0);
      v2h = (v2h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v2l = sum | 0;
      turned = (v1l << 17) | (v1h >>> 15);
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
      v1l = turned ^ v2l;
      turned = v2l;
      v2l = v2h;
      v2h = turned;
    }
    v0l ^= low;
    v0h ^= high;
  }
  return (v0l ^ v0h ^ v1l ^ v1h ^ v2l ^ v2h ^ v3l ^ v3h) >>> 0 || 1;
}

/** Characters of a person's text that its SimHash is made of. */
const MOST_ALIKE = 512;
/** Below this many words, texts are alike by chance ("go on", "yes, do it"). */
const LEAST_WORDS = 4;

/**
 * SimHash-32 (Charikar, 2002) of the pairs of neighbouring words in the first 512 characters; 0 for fewer than 4 words.
 * What templates fill in differs from text to text, so a word with a digit, `/`, `.` or `_` inside counts as "a name".
 * Texts that differ in such names alone are equal; in one word of thirty: mostly 4 bits or fewer; unrelated ones: 16.
 *
 * The hash of a word is a keyed FNV-1a with the last mixing of MurmurHash3. It need not be strong: only signs of sums
 * over all pairs leave this function.
 */
export function simHash(key: HashKey, text: string): Hash {
  counts.fill(0);
  const length = Math.min(text.length, MOST_ALIKE);
  let words = 0;
  let before = 0;
  let word = 0;
  let isName = false;
  for (let i = 0; i <= length; i++) {
    const code = i < length ? text.charCodeAt(i) : SPACE;
    const kind = kindOf(code, i + 1 < length ? text.charCodeAt(i + 1) : SPACE);
    if (kind !== BETWEEN && kind !== OWN_WORD) {
      if (kind === IN_NAME) isName = true;
      // Letters in both cases are the same.
      word = Math.imul((word === 0 ? key[0] : word) ^ (code >= 65 && code <= 90 ? code + 32 : code), 0x01000193) || 1;
      continue;
    }
    if (word !== 0) {
      const whole = isName ? key[1] : word;
      if (words++ > 0) countPair(before, whole, key[2]);
      before = whole;
      word = 0;
      isName = false;
    }
    if (kind === OWN_WORD) {
      const whole = Math.imul(key[0] ^ code, 0x01000193);
      if (words++ > 0) countPair(before, whole, key[2]);
      before = whole;
    }
  }
  if (words < LEAST_WORDS) return 0;
  let bits = 0;
  for (let bit = 0; bit < 32; bit++) if (counts[bit]! > 0) bits |= 1 << bit;
  return bits >>> 0 || 1;
}

const counts = new Int32Array(32);
const SPACE = 32;

function countPair(first: number, second: number, seed: number): void {
  let mixed = Math.imul(first, 0x9e3779b1) ^ second ^ seed;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  mixed ^= mixed >>> 16;
  for (let bit = 0; bit < 32; bit++) counts[bit]! += ((mixed >>> bit) & 1) * 2 - 1;
}

const BETWEEN = 0;
const LETTER = 1;
const IN_NAME = 2;
const OWN_WORD = 3;

/** `next` decides about a dot or colon: it ends a sentence, or stands in a name. */
function kindOf(code: number, next: number): number {
  if (code < 128) {
    if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90)) return LETTER;
    if ((code >= 48 && code <= 57) || code === 95 || code === 47 || code === 92) return IN_NAME;
    if (code === 46 || code === 58) return next > 47 && next < 128 && next !== 58 ? IN_NAME : BETWEEN;
    return BETWEEN;
  }
  // Scripts without spaces: kana, Han, and (whose words have endings) Hangul.
  if ((code >= 0x3040 && code <= 0x9fff) || (code >= 0xac00 && code <= 0xd7af)) return OWN_WORD;
  if (code <= 0xbf || (code >= 0x2000 && code <= 0x206f) || (code >= 0x3000 && code < 0x3040)) return BETWEEN;
  return code >= 0xff00 ? BETWEEN : LETTER;
}
