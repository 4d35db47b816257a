// Characters that can't be seen, but change what is: they come from models and from files that strangers wrote.

/** A colour, a title or another order to a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const TERMINAL =
  /\u001B(?:\[[0-?]{0,64}[ -/]{0,16}[@-~]?|\][^\u0007\u001B\n]{0,256}(?:\u0007|\u001B\\)?|[ -/]{0,4}[0-~]?)|\u009B[0-?]{0,64}[@-~]?/g;

/**
 * Controls but tabs and line ends; what turns the direction of text; what has no width; letters without ink; tags. Joiners
 * are kept where they join letters or emoji, as Persian, Hindi and families need them.
 */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}\u{E0000}-\u{E0FFF}]|(?<![\p{L}\p{M}\p{Extended_Pictographic}\uFE0F])[\u200C\u200D]|[\u200C\u200D](?![\p{L}\p{M}\p{Extended_Pictographic}])/gu;

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
