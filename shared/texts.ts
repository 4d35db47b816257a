import * as z from 'zod';

// Validates all text from outside. Every contract string that is stored, searched or shown uses one of these schemas,
// or a pattern of its own.

/** From ES2024: every runtime here has it, but the shared type library does not. */
type WellFormable = { toWellFormed(): string };

/**
 * Replaces NUL and lone surrogates by the replacement character. PostgreSQL stores no NUL and UTF-8 has no lone
 * surrogates, so both engines keep the same text.
 */
export function storable(text: string): string {
  // Built-in functions, because a regular expression takes a hundred times as long for a million characters.
  return (text.replaceAll('\0', '\uFFFD') as unknown as WellFormable).toWellFormed();
}

/** A storable text of at most `max` UTF-16 units. */
export function textSchema(max: number) {
  // A text that is too long is not processed further.
  return z.string().max(max, { abort: true }).overwrite(storable);
}

/**
 * Characters that are invisible or change the reading direction: a name with them looks like another name. Joiners and
 * variation selectors stay, because Persian, Hindi and emoji need them.
 */
const UNSEEN = /(?![\u200C\u200D]|\uFE0F)(?:\p{Default_Ignorable_Code_Point}|\p{Bidi_Control})/gu;

/** A name for display: one line, NFC, without control and invisible characters. */
export function cleanName(text: string): string {
  const seen = storable(text).normalize('NFC').replace(UNSEEN, '');
  return seen
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}/gu, '')
    .trim();
}

/** A name of 1 to `max` UTF-16 units, counted after cleaning. */
export function nameSchema(max: number) {
  return z.string().max(max, { abort: true }).overwrite(cleanName).min(1).max(max);
}
