// What models get wrong when they copy code: blanks, typographic punctuation, escapes, and leaving things out.

/** What stands for each of these characters in plain text. */
const PLAIN: Record<string, string> = Object.fromEntries(
  (
    [
      ["'", '\u2018\u2019\u201A\u201B\u2032'],
      ['"', '\u201C\u201D\u201E\u201F\u2033'],
      ['-', '\u2010\u2011\u2012\u2013\u2014\u2015\u2212'],
      ['...', '\u2026'],
      [' ', '\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u202F\u205F\u3000'],
      ['', '\u200B\u2060\uFEFF'],
    ] as const
  ).flatMap(([plain, fancy]) => [...fancy].map((character) => [character, plain])),
);
const FANCY = new RegExp(`[${Object.keys(PLAIN).join('')}]`, 'g');
const NOT_ASCII = /[^\0-\x7f]/;

/** `line` with typographic quotes, dashes, ellipses and blanks as plain ones. */
export function plainPunctuation(line: string): string {
  return NOT_ASCII.test(line) ? line.replace(FANCY, (character) => PLAIN[character]!) : line;
}

/** Equal for lines that say the same, however they are indented and their punctuation is set. */
export const looseKey = (line: string) => plainPunctuation(line).trim();

/** `line` without blanks and tabs at its end. */
export function trimTrail(line: string): string {
  // An expression would try each run of blanks within the line, and take its square in time.
  let end = line.length;
  while (end > 0 && ' \t\f\v'.includes(line[end - 1]!)) end--;
  return line.slice(0, end);
}

/** The blanks and tabs at the beginning of `line`; all of a blank line. */
export const indentOf = (line: string) => /^[ \t]*/.exec(line)![0];

export const isBlank = (line: string) => line.trim() === '';

/** What each character of the written text stands for in the file, as far as `pairs` of matching lines show. */
export class PunctuationEvidence {
  private readonly seen = new Map<string, Set<string>>();
  /** Some character was written otherwise than it stands in the file. */
  differs = false;

  /** Some line differs by more than its punctuation, so that nothing can be told of it. */
  private isDoubtful = false;

  /** Two lines that ought to say the same, but don't. */
  addUnequal(written: string, file: string): void {
    const typeset = (line: string) => [...new Set(line.match(FANCY) ?? [])].sort().join('');
    if (typeset(written) !== typeset(file)) this.isDoubtful = true;
  }

  /** `written` and `file` are equal once their punctuation is plain. */
  add(written: string, file: string): void {
    if (!NOT_ASCII.test(written) && !NOT_ASCII.test(file)) {
      for (const plain of ['"', "'", '-', '...']) if (written.includes(plain)) this.note(plain, plain);
      return;
    }
    let w = 0;
    let f = 0;
    while (w < written.length || f < file.length) {
      const a = unitAt(written, w);
      const b = unitAt(file, f);
      const plainA = PLAIN[a] ?? a;
      const plainB = PLAIN[b] ?? b;
      // Invisible characters stand for nothing; they are no evidence for any other.
      if (a !== b && plainA === '' && a !== '') w += a.length;
      else if (a !== b && plainB === '' && b !== '') f += b.length;
      else if (plainA === plainB) {
        this.note(a, b);
        w += a.length;
        f += b.length;
      } else {
        // Dots that are three of more than three on one side.
        w += 1;
        f += 1;
      }
      if (a !== b) this.differs = true;
    }
  }

  private note(written: string, file: string): void {
    const known = this.seen.get(written);
    if (known) known.add(file);
    else this.seen.set(written, new Set([file]));
  }

  /**
   * A new line with its punctuation as the file would have it; undefined when the evidence says nothing or contradicts
   * itself. Where nothing differs, what the model wrote is what it meant.
   */
  translate(line: string): string | undefined {
    if (this.isDoubtful && /["'-]|\.\.\./.test(plainPunctuation(line))) return undefined;
    if (!this.differs) return line;
    let result = '';
    for (let at = 0; at < line.length; ) {
      const unit = unitAt(line, at);
      at += unit.length;
      const meant = this.seen.get(unit);
      const [only] = meant ?? [];
      // Plain where the file has it typeset: a new one may be either.
      if (meant?.size === 1 && (only === unit || unit in PLAIN)) result += only!;
      else if (meant || unit in PLAIN) return undefined;
      else result += unit;
    }
    return result;
  }
}

const unitAt = (text: string, at: number) => (text.startsWith('...', at) ? '...' : (text[at] ?? ''));

/**
 * Change lines written with escapes where the file has line ends and tabs, as they were meant; none when they weren't
 * escaped, or when it cannot be told. Each side is either one written line, or escaped by leading `\t` alone.
 */
export function unescapeLines(lines: readonly string[]): string[] | undefined {
  const tabsOnly = lines.map((line) => line.replace(/^((?:\\t)+)/, (tabs) => '\t'.repeat(tabs.length / 2)));
  if (lines.length !== 1 || !/(?<!\\)\\n/.test(lines[0]!)) {
    return tabsOnly.some((line, index) => line !== lines[index]) ? tabsOnly : undefined;
  }
  const text = lines[0]!;
  // A doubled backslash or an escaped quote means that the rest may be escaped twice: more than one reading.
  if (/\\\\|\\["']/.test(text)) return undefined;
  const parts = text.split('\\n');
  // An end of line inside a string would be the string's own escape.
  if (parts.some((part) => hasOpenQuote(part))) return undefined;
  return parts.map((line) => line.replace(/^((?:\\t)+)/, (tabs) => '\t'.repeat(tabs.length / 2)));
}

function hasOpenQuote(text: string): boolean {
  return ['"', "'", '`'].some((quote) => text.split(quote).length % 2 === 0);
}

const COMMENT = String.raw`(?:\/\/+|#+|--+|;+|%+|\/\*+|<!--|\{\s*\/\*+|\*|REM\b)`;
const DOTS = String.raw`(?:\.{3,}|\u2026)`;
const LEFT_OUT = String.raw`\b(?:existing|rest|remain\w*|unchanged|same|omitted|previous|other|more)\b`;
const BARE_ELLIPSIS = new RegExp(String.raw`^\s*${DOTS}\s*$`);
const COMMENTED_ELLIPSIS = new RegExp(
  String.raw`^\s*${COMMENT}\s*[([]?${DOTS}(?:\W*$|.*${LEFT_OUT}|.*${DOTS}\W*$)`,
  'i',
);
const SPOKEN_ELLIPSIS = new RegExp(
  String.raw`^\s*${COMMENT}\s*[([]?(?:the\s+)?(?:rest of|remaining|existing)\b.*(?:\b(?:unchanged|same|here|as before|goes|stays?|remains?)\b|${DOTS})`,
  'i',
);

/**
 * Which of `newLines` stand for code that the model left out. A line that is known, by its loose key, is the file's own, and
 * a bare `...` below a colon is Python.
 */
export function elisionsIn(newLines: readonly string[], isKnown: (key: string) => boolean = () => false): boolean[] {
  return newLines.map((line, index) => {
    if (!/\.{3}|\u2026|\b(?:rest of|remaining|existing)\b/i.test(line) || isKnown(looseKey(line))) return false;
    if (BARE_ELLIPSIS.test(line)) {
      const above = newLines.slice(0, index).findLast((other) => !isBlank(other));
      return !(above && /:\s*(?:#.*)?$/.test(above)) || line.includes('\u2026');
    }
    return COMMENTED_ELLIPSIS.test(line) || SPOKEN_ELLIPSIS.test(line);
  });
}

/** The first of `newLines` that stands for code the model left out; undefined when there is none. */
export function findElision(newLines: readonly string[], isKnown?: (key: string) => boolean): string | undefined {
  const index = elisionsIn(newLines, isKnown).indexOf(true);
  return index === -1 ? undefined : newLines[index];
}
