// Characters that can't be seen, but change what is: they come from models and from files that strangers wrote.

const ESC = '\\u{1B}';
const BELL = '\\u{7}';
/** A colour, a title or another order to a terminal. Written as text, since controls in an expression look like a mistake. */
const TERMINAL = new RegExp(
  `${ESC}(?:\\[[0-?]{0,64}[ -/]{0,16}[@-~]?|\\][^${BELL}${ESC}\\n]{0,256}(?:${BELL}|${ESC}\\\\)?|[ -/]{0,4}[0-~]?)|\\u{9B}[0-?]{0,64}[@-~]?`,
  'gu',
);

/**
 * Controls but tabs and line ends; what turns the direction of text; what has no width; letters without ink; tags. Joiners
 * are kept where they join letters or emoji, as Persian, Hindi and families need them.
 */
const INVISIBLE = new RegExp(
  [
    // Line ends and tabs are no controls here.
    '(?![\\t\\n\\r])\\p{Cc}',
    // Without joiners, which have rules of their own, and marks of numbers in Arabic, which can be seen.
    '(?![\\u200C\\u200D\\u0600-\\u0605\\u06DD\\u070F\\u0890\\u0891\\u08E2\\u{110BD}\\u{110CD}])\\p{Cf}',
    '\\u115F|\\u1160|\\u3164|\\uFFA0|\\u17B4|\\u17B5|\\u034F',
    '(?<![\\p{L}\\p{M}\\p{Extended_Pictographic}\\p{Emoji_Modifier}])[\\u200C\\u200D]',
    '[\\u200C\\u200D](?![\\p{L}\\p{M}\\p{Extended_Pictographic}])',
  ].join('|'),
  'gu',
);

/** `text` without what can't be seen, its lines ended by `\n`: for messages, names and titles. */
export const withoutInvisible = (text: string): string =>
  text
    .replace(TERMINAL, '')
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n')
    .replace(INVISIBLE, '');

/** `text` with what can't be seen as its number, such as ⟨U+202E⟩: where a name has to be told as it is. */
export const showInvisible = (text: string): string =>
  text.replace(INVISIBLE, (char) => `⟨U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`);

/** The invisible characters of `after` that `before` has not: a change that brings some may not do what it seems to. */
export function newInvisible(before: string, after: string): string[] {
  const known = new Set(before.match(INVISIBLE) ?? []);
  return [...new Set(after.match(INVISIBLE) ?? [])].filter((char) => !known.has(char));
}
