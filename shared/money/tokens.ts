/**
 * Estimates how many tokens a model's tokenizer makes of `text`. One pass over the UTF-16 units, so it stays linear
 * even for 1 MB of one character, unlike a real tokenizer. Use it as a guide (context meter, missing usage reports),
 * never to limit money: that is the server's `boundTokens`. Measured against o200k_base and cl100k_base on this repository's sources
 * and documents of 500 tokens and more: 98 of 100 are within 15 %, all within 20 %. Scripts other than Latin are within
 * 10 % on o200k_base, but older tokenizers make up to twice as many tokens of them.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  let at = 0;
  while (at < text.length) {
    const kind = kindOf(text.charCodeAt(at));
    const start = at;
    let upper = 0;
    do {
      const code = text.charCodeAt(at);
      // A capital inside a word starts a new piece (camelCase); in a row of capitals only the first does.
      if (kind === LETTER && code <= 90 && at > start && text.charCodeAt(at - 1) > 90) upper += 1;
      at += 1;
    } while (at < text.length && kindOf(text.charCodeAt(at)) === kind);
    tokens += cost(kind, at - start, upper, text.charCodeAt(start), at < text.length);
  }
  return Math.ceil(tokens);
}

const LETTER = 0;
const DIGIT = 1;
const SPACE = 2;
const BREAK = 3;
const PUNCTUATION = 4;
const LATIN = 5;
const ALPHABET = 6;
const CJK = 7;
const OTHER = 8;

function cost(kind: number, length: number, capitals: number, first: number, more: boolean): number {
  // Coefficients: least squares fit to o200k_base over TypeScript, C++, JSON, Markdown and prose in ten languages.
  switch (kind) {
    case LETTER:
      return length <= 3 ? 1 : 1 + capitals * 0.6 + Math.max(0, length - 7 * (1 + capitals)) * 0.15;
    case DIGIT:
      return Math.ceil(length / 3);
    case SPACE:
      return length === 1 ? (first === 32 && more ? 0.06 : 1) : 1 + Math.floor(length / 80);
    case BREAK:
      return 0.37 + Math.floor(length / 16);
    case PUNCTUATION:
      return length === 1 ? 0.74 : 0.74 + (length - 1) * 0.21;
    case LATIN:
      return length * 0.15;
    case ALPHABET:
      return length * 0.3;
    case CJK:
      return length * 0.7;
    default:
      return length * 1.85;
  }
}

function kindOf(code: number): number {
  if (code < 128) {
    if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90)) return LETTER;
    if (code >= 48 && code <= 57) return DIGIT;
    if (code === 32 || code === 9) return SPACE;
    if (code === 10 || code === 13) return BREAK;
    return PUNCTUATION;
  }
  if (code < 0x250) return LATIN;
  if (code < 0x1100) return ALPHABET;
  if ((code >= 0x2e80 && code < 0xd7b0) || (code >= 0xf900 && code < 0xfb00) || (code >= 0xff00 && code < 0xffef))
    return CJK;
  return OTHER;
}
