// What models get wrong when they copy code: blanks, typographic punctuation, escapes, and omissions.

/** The plain text for each of these characters. */
export const PLAIN: Record<string, string> = Object.fromEntries(
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
export const FANCY = new RegExp(`[${Object.keys(PLAIN).join('')}]`, 'g');
export const NOT_ASCII = /[^\0-\x7f]/;

/** `line` with plain quotes, dashes, ellipses and blanks instead of typographic ones. */
export function plainPunctuation(line: string): string {
  return NOT_ASCII.test(line) ? line.replace(FANCY, (character) => PLAIN[character]!) : line;
}

/** `text` with each accented letter as one character, if Unicode has one. */
export const composed = (text: string) => (NOT_ASCII.test(text) ? text.normalize('NFC') : text);

/** The Unicode normal form of a text's accented letters. */
export type Form = 'NFC' | 'NFD' | 'mixed';

/** Whether a text has letters that differ between the two normal forms. */
export const hasForms = (text: string) => NOT_ASCII.test(text) && text.normalize('NFC') !== text.normalize('NFD');

export const formOf = (text: string): Form =>
  text === text.normalize('NFC') ? 'NFC' : text === text.normalize('NFD') ? 'NFD' : 'mixed';

/** Combines the forms of two texts. */
export const bothForms = (a: Form | undefined, b: Form | undefined) =>
  a === undefined || a === b ? b : b === undefined ? a : 'mixed';

/** The same for lines that differ only in indentation, typographic punctuation or Unicode form. */
export const looseKey = (line: string) =>
  NOT_ASCII.test(line) ? plainPunctuation(line.normalize('NFC')).trim() : line.trim();

/** `line` without blanks and tabs at its end. */
export function trimTrail(line: string): string {
  // A regular expression would retry each run of blanks inside the line, in quadratic time.
  let end = line.length;
  while (end > 0 && ' \t\f\v'.includes(line[end - 1]!)) end--;
  return line.slice(0, end);
}

/** The blanks and tabs at the beginning of `line`; all of a blank line. */
export const indentOf = (line: string) => /^[ \t]*/.exec(line)![0];

export const isBlank = (line: string) => line.trim() === '';

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
 * Which of `newLines` are placeholders for omitted code. A line that is known, by its loose key, is the file's own; a
 * bare `...` below a colon is Python.
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

/** The first of `newLines` that is a placeholder for omitted code; undefined if there is none. */
export function findElision(newLines: readonly string[], isKnown?: (key: string) => boolean): string | undefined {
  const index = elisionsIn(newLines, isKnown).indexOf(true);
  return index === -1 ? undefined : newLines[index];
}
