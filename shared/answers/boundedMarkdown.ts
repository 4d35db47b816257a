// Bounds the cost of parsing and drawing a model's Markdown, in every view. Imports no Markdown library.

/** Nested quotes and lists, and nested emphasis and links. People write four or five levels. */
const MOST_LEVELS = 30;
/** Runs of `*` and `_` in one paragraph: the cost of emphasis grows with their square. */
const MOST_DELIMITERS = 600;
/** Lazy continuation lines of a quote: their cost grows with their square. */
const MOST_LAZY_LINES = 300;
const LAZY_LINE = /^[ \t]*>[^\n]*\n[ \t]*[^\s>]/gm;
const QUOTE = /^ {0,3}>/;
const PARAGRAPH_END = /\n[ \t]*\n/;
/** The longest word that is searched for an address. */
const MOST_OF_WORD = 1000;
/** Parsing reads at most this many times the text's length, over all levels. */
const MOST_PASSES = 2 * MOST_LEVELS;
/** A text shorter than this may take more passes. */
const SMALL = 2000;
/** A paragraph, list or table longer than this (UTF-16 units) is shown as plain text. */
export const MOST_OF_BLOCK = 100_000;

interface Plain {
  type: 'text';
  raw: string;
  text: string;
}

/** The members of `marked`'s Lexer that are bounded. */
interface Lexing {
  tokenizer: object;
  blockTokens(source: string, tokens?: never[], clipped?: boolean): unknown;
  inlineTokens(source: string, tokens?: never[]): unknown;
}

/**
 * A Markdown lexer with linear time and bounded depth. Text that is nested deeper, or has too many marks to parse in
 * time, becomes plain text.
 */
export function bounded<L extends new (options?: never) => object>(Base: L): L {
  const Lexer = Base as unknown as new (options: unknown) => Lexing;
  return class Bounded extends Lexer {
    private blocks = 0;
    private inlines = 0;
    private left = -1;

    constructor(options: unknown) {
      super(options);
      // Options and their members are shared by all lexers that get them.
      const shared = this.tokenizer as { blockquote(source: string): unknown };
      this.tokenizer = Object.assign(Object.create(shared), {
        lexer: this,
        blockquote(source: string): unknown {
          if (!QUOTE.test(source)) return undefined;
          const raw = source.slice(0, PARAGRAPH_END.exec(source)?.index);
          const isTooLazy = (raw.match(LAZY_LINE)?.length ?? 0) > MOST_LAZY_LINES;
          return isTooLazy
            ? { type: 'paragraph', raw, text: raw, tokens: plain(raw, []) }
            : shared.blockquote.call(this, source);
        },
      });
    }

    override blockTokens(source: string, tokens: unknown[] = [], clipped?: boolean): unknown {
      if (this.blocks === 0 && this.left < 0) this.left = MOST_PASSES * Math.max(source.length, SMALL);
      this.left -= source.length;
      const isTooLong = this.blocks > 0 && source.length > MOST_OF_BLOCK;
      if (isTooLong || this.blocks >= MOST_LEVELS || this.left < 0) return plain(source, tokens);
      this.blocks++;
      try {
        return super.blockTokens(source, tokens as never[], clipped);
      } finally {
        this.blocks--;
      }
    }

    override inlineTokens(source: string, tokens: unknown[] = []): unknown {
      if (this.inlines >= MOST_LEVELS || (this.inlines === 0 && !isReadable(source))) return plain(source, tokens);
      this.inlines++;
      try {
        return super.inlineTokens(source, tokens as never[]);
      } finally {
        this.inlines--;
      }
    }
  } as unknown as L;
}

function plain(source: string, tokens: unknown[]): unknown[] {
  const token: Plain = { type: 'text', raw: source, text: source };
  if (source !== '') tokens.push(token);
  return tokens;
}

/** Whether the marks in a paragraph can be parsed in time. */
function isReadable(source: string): boolean {
  if (source.length > MOST_OF_BLOCK) return false;
  let delimiters = 0;
  let word = 0;
  let before = 0;
  for (let i = 0; i < source.length; i++) {
    const unit = source.charCodeAt(i);
    if ((unit === STAR || unit === UNDERSCORE) && unit !== before && ++delimiters > MOST_DELIMITERS) return false;
    if (unit === AT && word > MOST_OF_WORD) return false;
    word = unit <= BLANK ? 0 : word + 1;
    before = unit;
  }
  return true;
}

const [STAR, UNDERSCORE, AT, BLANK] = ['*', '_', '@', ' '].map((mark) => mark.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
];
