// Invisible characters that change what a text seems to say. They come from models and from other people's files.

const ESC = '\\u{1B}';
const BELL = '\\u{7}';
/**
 * A terminal escape sequence: a colour, a title or another command. Built from a string, because linters take control
 * characters in a regular expression for a mistake.
 */
const TERMINAL = new RegExp(
  `${ESC}(?:\\[[0-?]{0,64}[ -/]{0,16}[@-~]?|\\][^${BELL}${ESC}\\n]{0,256}(?:${BELL}|${ESC}\\\\)?|[ -/]{0,4}[0-~]?)|\\u{9B}[0-?]{0,64}[@-~]?`,
  'gu',
);

/**
 * Control characters except tabs and line ends; bidirectional controls; characters without width or ink; tags. Joiners
 * stay where they join letters or emoji: Persian, Hindi and family emoji need them.
 */
const INVISIBLE = new RegExp(
  [
    // Line ends and tabs are allowed.
    '(?![\\t\\n\\r])\\p{Cc}',
    // Excludes joiners, which have their own rules, and Arabic number marks, which are visible.
    '(?![\\u200C\\u200D\\u0600-\\u0605\\u06DD\\u070F\\u0890\\u0891\\u08E2\\u{110BD}\\u{110CD}])\\p{Cf}',
    '\\u115F|\\u1160|\\u3164|\\uFFA0|\\u17B4|\\u17B5|\\u034F',
    '(?<![\\p{L}\\p{M}\\p{Extended_Pictographic}\\p{Emoji_Modifier}])[\\u200C\\u200D]',
    '[\\u200C\\u200D](?![\\p{L}\\p{M}\\p{Extended_Pictographic}])',
  ].join('|'),
  'gu',
);

/** `text` without invisible characters, with `\n` line ends: for messages, names and titles. */
export const withoutInvisible = (text: string): string =>
  text
    .replace(TERMINAL, '')
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n')
    .replace(INVISIBLE, '');

/** `text` with each invisible character as its code point, such as ⟨U+202E⟩: where a name must be shown exactly. */
export const showInvisible = (text: string): string =>
  text.replace(INVISIBLE, (char) => `⟨U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`);

/** The invisible characters that `after` has and `before` has not: a change with some may not do what it seems to. */
export function newInvisible(before: string, after: string): string[] {
  const known = new Set(before.match(INVISIBLE) ?? []);
  return [...new Set(after.match(INVISIBLE) ?? [])].filter((char) => !known.has(char));
}
