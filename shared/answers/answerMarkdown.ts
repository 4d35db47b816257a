// Parses a model's Markdown, in every view: CommonMark and GFM, with changes for how models write. Imports no Markdown
// library: it gets `marked`'s Lexer and changes some of its rules.

import { bounded } from './boundedMarkdown.ts';
import { fenceAt } from './fences.ts';
import { FLANKING, isUnspaced, opensUnspaced } from './flanking.ts';
import { type FoundMath, isOpenMathBlock, MOST_OF_MATH, mathAt, mathBlockAt, mathBlockWithin } from './mathMarks.ts';

/** Tokens that `marked` does not have. `text`: TeX. */
export interface MathToken {
  type: 'math';
  raw: string;
  text: string;
  display: boolean;
  /** The closing mark has not arrived yet. */
  isOpen?: true;
}

/** A footnote's mark, in the text and before the note itself. */
export interface NoteToken {
  type: 'note';
  raw: string;
  text: string;
}

interface Token {
  type: string;
  raw: string;
  text?: string;
}
type Rule = (this: object, source: string) => Token | undefined;
type Flanked = (this: object, source: string, masked: string, before: string) => Token | undefined;

/** The members of `marked`'s Tokenizer that are changed. */
interface Tokenizer {
  rules: { inline: object };
  fences: Rule;
  def: Rule;
  url: Rule;
  inlineText: Rule;
  emStrong: Flanked;
  del: Flanked;
}

interface BlockLexer {
  inline(text: string): unknown;
}

export interface AnswerOptions {
  /** More text may follow: a fence may still be open. */
  more?: boolean;
  /** An option of `marked`: tokenizers that are tried before all others. */
  blocks?: ((this: { lexer: never }, source: string) => Token | undefined)[];
}

/** The lexer for answers: `new (answerLexer(Lexer))(options).lex(text)`. Its time is bounded. */
export function answerLexer<L extends new (options?: never) => object>(
  Base: L,
): new (
  options?: AnswerOptions,
) => InstanceType<L> {
  const Lexer = bounded(Base) as unknown as new (options: unknown) => { tokenizer: Tokenizer };
  return class Answers extends Lexer {
    constructor({ more = false, blocks = [] }: AnswerOptions = {}) {
      super({
        gfm: true,
        extensions: {
          renderers: {},
          childTokens: {},
          block: [...blocks, (source: string) => mathBlock(source, more), note],
          startBlock: [startOfMath],
          inline: [inline],
        },
      });
      amend(this.tokenizer, more);
    }
  } as never;
}

function amend(tokenizer: Tokenizer, more: boolean): void {
  const { rules, fences, def, url, inlineText, emStrong, del } = tokenizer;
  tokenizer.rules = { ...rules, inline: { ...rules.inline, ...FLANKING } };
  tokenizer.fences = function (source) {
    const found = FENCE_BEGIN.test(source) ? fenceAt(source, more) : undefined;
    if (!found) return fences.call(this, source);
    const lang = found.info.replace(/\\([!-/:-@[-`{-~])/g, '$1');
    return { type: 'code', raw: found.raw, lang, text: found.lines.join('\n') } as Token;
  };
  // A footnote is no link definition.
  tokenizer.def = function (source) {
    return NOTE_TARGET.test(source) ? undefined : def.call(this, source);
  };
  tokenizer.url = function (source) {
    return url.call(this, WEB.test(source) ? source.slice(0, endOfAddress(source)) : source);
  };
  tokenizer.inlineText = function (source) {
    // Text ends before a dollar, because math may begin there.
    const at = source.indexOf('$', 1);
    return inlineText.call(this, at < 0 ? source : source.slice(0, at));
  };
  tokenizer.emStrong = function (source, masked, before) {
    return emStrong.call(this, source, masked, opensUnspaced(source, before) ? '' : before);
  };
  tokenizer.del = function (source, masked, before) {
    // One tilde means "about" or a range, and so do two between numbers.
    if (!source.startsWith('~~') || (/\d/.test(before) && /^~~\d/.test(source))) return undefined;
    return del.call(this, source, masked, opensUnspaced(source, before) ? '' : before);
  };
}

const FENCE_BEGIN = /^ {0,3}[`~]{3}/;
const NOTE = /^\[\^([^\s[\]^]{1,40})\](?!\()/;
const NOTE_TARGET = /^ {0,3}\[\^/;
const NOTE_BEGIN = /^ {0,3}\[\^([^\s[\]^]{1,40})\]:[ \t]{0,20}(?=\S)/;
const WEB = /^(?:https?:\/\/|ftp:\/\/|www\.)/i;

/** Inline tokens: math, footnote marks, and backslashes that escape no Markdown mark, which TeX and paths contain. */
function inline(this: unknown, source: string, before: Token[]): Token | undefined {
  const first = source[0];
  if (first !== '\\' && first !== '$' && first !== '[') return undefined;
  if (first === '[') {
    const found = NOTE.exec(source);
    return found ? { type: 'note', raw: found[0], text: found[1]! } : undefined;
  }
  const found = mathAt(source, before.at(-1)?.raw.at(-1) ?? '');
  if (found) return toMath(found);
  return first === '\\' && isKept(source)
    ? { type: 'text', raw: source.slice(0, 2), text: source.slice(0, 2) }
    : undefined;
}

/** Also a `\[` without an end. */
const isKept = (source: string) =>
  /^\\[(),;:=%/?@^]/.test(source) || (/^\\\[\s/.test(source) && source.slice(0, MOST_OF_MATH).indexOf('\\]') < 0);

function mathBlock(source: string, more: boolean): Token | undefined {
  const found = mathBlockAt(source);
  if (found) return toMath(found);
  if (!more || !isOpenMathBlock(source)) return undefined;
  return { type: 'math', raw: source, text: source, display: true, isOpen: true } as MathToken;
}

const startOfMath = (source: string) => mathBlockWithin(source.slice(0, MOST_OF_PARAGRAPH));
/** How far into a paragraph a block within it is looked for (UTF-16 units). */
const MOST_OF_PARAGRAPH = 4000;

const toMath = ({ raw, tex, display }: FoundMath): MathToken => ({ type: 'math', raw, text: tex, display });

/** A footnote's text: its line and the indented lines below it. */
function note(this: { lexer: unknown }, source: string): Token | undefined {
  const found = NOTE_BEGIN.exec(source);
  if (!found) return undefined;
  let end = lineEnd(source, 0);
  while (/^\n(?: {2,}|\t)\S/.test(source.slice(end, end + 100))) end = lineEnd(source, end + 1);
  const text = `[^${found[1]}] ${source.slice(found[0].length, end)}`;
  const raw = source.slice(0, end);
  return { type: 'paragraph', raw, text, tokens: (this.lexer as BlockLexer).inline(text) } as Token;
}

function lineEnd(source: string, from: number): number {
  const end = source.indexOf('\n', from);
  return end < 0 ? source.length : end;
}

const HOST = /^(?:https?:\/\/|ftp:\/\/)?[\w.-]{1,255}(?::\d{1,5})?/i;
/** Punctuation that no address contains unencoded: Chinese, Japanese, Arabic and Hindi punctuation, and quotes. */
const NOT_IN_ADDRESS =
  /[\u2014\u2018-\u201f\u2026\u3001-\u3003\u3008-\u3020\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\u060c\u061b\u061f\u06d4\u0964«»]/;

/** Where an address in running text ends at the latest. */
function endOfAddress(source: string): number {
  const length = source.search(/[\s<]/);
  const word = length < 0 ? source : source.slice(0, length);
  const host = HOST.exec(word)?.[0].length ?? 0;
  // Words may follow without a space.
  if (isUnspaced(String.fromCodePoint(word.codePointAt(host) ?? 0))) return host;
  const mark = word.search(NOT_IN_ADDRESS);
  const end = mark < 0 ? word.length : mark;
  for (let at = host; at < end - 1; at++) {
    if (',;!.)'.includes(word[at]!) && isUnspaced(String.fromCodePoint(word.codePointAt(at + 1)!))) return at;
  }
  return end;
}
