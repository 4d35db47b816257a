// Where emphasis may begin and end. CommonMark requires a space or punctuation beside the marks, which scripts without
// spaces between words don't have: it leaves `**注意：**这` as it is. Here, letters of these scripts count as a space.

/** Letters and marks of scripts without spaces between words, and Korean, whose particles follow a word directly. */
const UNSPACED =
  '\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Bopo}\\p{sc=Hang}\\p{sc=Thai}\\p{sc=Laoo}\\p{sc=Khmr}\\p{sc=Mymr}' +
  '\\u3000-\\u303f\\u30fb-\\u30ff\\ufe10-\\ufe1f\\ufe30-\\ufe4f\\uff00-\\uffef';
const UNSPACED_LETTER = new RegExp(`^[${UNSPACED}]$`, 'u');
const UNSPACED_MARK = new RegExp(`^(?=[${UNSPACED}])[\\p{P}\\p{S}]$`, 'u');
/** What follows a run of marks. */
const AFTER = /^(\*{1,100}|_{1,100}|~{1,100})([\s\S]?)/u;

/** Punctuation and symbols, except those of scripts without spaces and these marks. */
const punctuation = (marks: string) => `(?![${UNSPACED}${marks}])[\\p{P}\\p{S}]`;
/** Anything but a space or such punctuation; and the same without letters of scripts without spaces. */
const ANY = `(?:[${UNSPACED}]|[^\\s\\p{P}\\p{S}])`;
const SPACED = `(?:(?![${UNSPACED}])[^\\s\\p{P}\\p{S}])`;

/**
 * Rules of `marked`, by its names for them. The left ones match a run of marks that can begin emphasis, the right ones
 * each later run. In those, groups 1 and 2 can end emphasis, 3 and 4 begin it, 5 and 6 do both.
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

/** Where a run of marks can end emphasis, begin it, or do both. One group for each line below. */
function ends(mark: string, run: string): string {
  const p = punctuation(mark === '~' ? '~' : '*~');
  // Beside stars a tilde counts as a letter.
  const [any, spaced] = [ANY, SPACED].map((letter) => (mark === '~' ? letter : `(?:${letter}|~)`));
  const not = `(?![${mark}])`;
  return [
    // Ends: after punctuation, before a space.
    `${p}(${run})(?=\\s|$)`,
    // Ends: after a letter, before punctuation or a space.
    `(?:${spaced}(?=${run}${p})|${any}(?=${run}(?:\\s|$)))(${run})${not}`,
    // Begins: before a letter, after a space or punctuation.
    `(?:\\s(?=${run}${any})|${p}(?=${run}${spaced}))(${run})`,
    // Begins: after a space, before punctuation.
    `\\s(${run})${not}(?=${p})`,
    // Both: between punctuation.
    `${p}(${run})${not}(?=${p})`,
    // Both: within a word, and beside scripts without spaces.
    `(?:${any}(?=${run}${any})|${p}(?=${run}[${UNSPACED}])|[${UNSPACED}](?=${run}${p}))(${run})`,
  ].join('|');
}

/**
 * The same for underscores, which names contain. Within a word only two are a mark, and only if no letter beside them
 * belongs to a name.
 */
function endsOfUnderscores(): string {
  const p = punctuation('_');
  const own = `[${UNSPACED}]`;
  const ownMark = `(?=${own})[\\p{P}\\p{S}]`;
  return [
    // Ends: after punctuation, before a space.
    `${p}(_+)(?=\\s|$)`,
    // Ends: after a letter, before punctuation or a space.
    `${ANY}(_+)(?!_)(?=${p}|\\s|$)`,
    // Begins: before a letter, after a space or punctuation.
    `(?:\\s(?=_+${ANY})|${p}(?=_+${SPACED})|${p}(?=_(?!_)${own}))(_+)`,
    // Begins: after a space, before punctuation.
    `\\s(_+)(?!_)(?=${p})`,
    // Both: between punctuation, and beside scripts without spaces.
    `(?:${p}(?=_+${p})|${p}(?=__+${own})|${own}(?=__+${own})|${ownMark}(?=_${ANY}))(_+)(?!_)`,
  ].join('|');
}

/** Whether marks may begin emphasis although no space precedes them. `source` starts with them, after `before`. */
export function opensUnspaced(source: string, before: string): boolean {
  if (!UNSPACED_LETTER.test(before)) return false;
  const [, run = '', next = ''] = AFTER.exec(source) ?? [];
  if (!run.startsWith('_')) return true;
  return UNSPACED_MARK.test(next) || (run.length > 1 && (UNSPACED_LETTER.test(next) || /[\p{P}\p{S}]/u.test(next)));
}

/** Whether a letter is of a script without spaces between words. */
export const isUnspaced = (letter: string) => UNSPACED_LETTER.test(letter);
