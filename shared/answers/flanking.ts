// Where marks of emphasis may begin and end. CommonMark asks for a blank or punctuation beside them, which writing without
// blanks between its words doesn't have: `**注意：**这` stays as it is there. Here such letters stand for a blank.

/** Letters and marks of writing without blanks between words, and Korean, whose particles follow a word at once. */
const UNSPACED =
  '\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Bopo}\\p{sc=Hang}\\p{sc=Thai}\\p{sc=Laoo}\\p{sc=Khmr}\\p{sc=Mymr}' +
  '\\u3000-\\u303f\\u30fb-\\u30ff\\ufe10-\\ufe1f\\ufe30-\\ufe4f\\uff00-\\uffef';
const UNSPACED_LETTER = new RegExp(`^[${UNSPACED}]$`, 'u');
const UNSPACED_MARK = new RegExp(`^(?=[${UNSPACED}])[\\p{P}\\p{S}]$`, 'u');
/** What follows a run of marks. */
const AFTER = /^(\*{1,100}|_{1,100}|~{1,100})([\s\S]?)/u;

/** Punctuation and symbols, other than those of writing without blanks and these marks. */
const punctuation = (marks: string) => `(?![${UNSPACED}${marks}])[\\p{P}\\p{S}]`;
/** All that is neither a blank nor such punctuation, and the same without letters of writing without blanks. */
const ANY = `(?:[${UNSPACED}]|[^\\s\\p{P}\\p{S}])`;
const SPACED = `(?:(?![${UNSPACED}])[^\\s\\p{P}\\p{S}])`;

/**
 * Rules of `marked`, by their names there. The left ones match a run of marks that can begin emphasis, the right ones each
 * later run. Of those, groups 1 and 2 can end emphasis, 3 and 4 begin it, 5 and 6 do both.
 */
export const FLANKING = {
  emStrongLDelim: new RegExp(
    `^(?:\\*+(?:(${punctuation('*~')})|([^\\s*]))?)|^_+(?:(${punctuation('_~')})|([^\\s_]))?`,
    'u',
  ),
  emStrongRDelimAst: new RegExp(`^[^_*]*?__[^_*]*?\\*[^_*]*?(?=__)|[^*]+(?=[^*])|${ends('*', '\\*+')}`, 'gu'),
  emStrongRDelimUnd: new RegExp(`^[^_*]*?\\*\\*[^_*]*?_[^_*]*?(?=\\*\\*)|[^_]+(?=[^_])|${endsOfUnderscores()}`, 'gu'),
  delLDelim: new RegExp(`^~~?(?:(${punctuation('~')})|[^\\s~])`, 'u'),
  delRDelim: new RegExp(`^[^~]+(?=[^~])|${ends('~', '~~?')}`, 'gu'),
};

/** Where a run of marks stands that can end emphasis, begin it, or do both; one group for each line below. */
function ends(mark: string, run: string): string {
  const p = punctuation(mark === '~' ? '~' : '*~');
  // Beside stars a tilde counts as a letter.
  const [any, spaced] = [ANY, SPACED].map((letter) => (mark === '~' ? letter : `(?:${letter}|~)`));
  const not = `(?![${mark}])`;
  return [
    // Ends: behind punctuation, before a blank.
    `${p}(${run})(?=\\s|$)`,
    // Ends: behind a letter, before punctuation or a blank.
    `(?:${spaced}(?=${run}${p})|${any}(?=${run}(?:\\s|$)))(${run})${not}`,
    // Begins: before a letter, behind a blank or punctuation.
    `(?:\\s(?=${run}${any})|${p}(?=${run}${spaced}))(${run})`,
    // Begins: behind a blank, before punctuation.
    `\\s(${run})${not}(?=${p})`,
    // Both: between punctuation.
    `${p}(${run})${not}(?=${p})`,
    // Both: within a word, and beside writing without blanks.
    `(?:${any}(?=${run}${any})|${p}(?=${run}[${UNSPACED}])|[${UNSPACED}](?=${run}${p}))(${run})`,
  ].join('|');
}

/** The same of underscores. Names are full of them: within a word two are a mark, where no letter beside them is of a name. */
function endsOfUnderscores(): string {
  const p = punctuation('_');
  const own = `[${UNSPACED}]`;
  const ownMark = `(?=${own})[\\p{P}\\p{S}]`;
  return [
    // Ends: behind punctuation, before a blank.
    `${p}(_+)(?=\\s|$)`,
    // Ends: behind a letter, before punctuation or a blank.
    `${ANY}(_+)(?!_)(?=${p}|\\s|$)`,
    // Begins: before a letter, behind a blank or punctuation.
    `(?:\\s(?=_+${ANY})|${p}(?=_+${SPACED})|${p}(?=_(?!_)${own}))(_+)`,
    // Begins: behind a blank, before punctuation.
    `\\s(_+)(?!_)(?=${p})`,
    // Both: between punctuation, and beside writing without blanks.
    `(?:${p}(?=_+${p})|${p}(?=__+${own})|${own}(?=__+${own})|${ownMark}(?=_${ANY}))(_+)(?!_)`,
  ].join('|');
}

/** Whether marks may begin emphasis here although no blank is before them. `source` begins with them, `before` ends before. */
export function opensUnspaced(source: string, before: string): boolean {
  if (!UNSPACED_LETTER.test(before)) return false;
  const [, run = '', next = ''] = AFTER.exec(source) ?? [];
  if (!run.startsWith('_')) return true;
  return UNSPACED_MARK.test(next) || (run.length > 1 && (UNSPACED_LETTER.test(next) || /[\p{P}\p{S}]/u.test(next)));
}

/** A letter of writing without blanks between its words. */
export const isUnspaced = (letter: string) => UNSPACED_LETTER.test(letter);
