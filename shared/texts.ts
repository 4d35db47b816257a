import * as z from 'zod';

// The one judge of a text that comes from outside: every string of a contract that is stored, searched by or shown is one of
// these, or of a pattern of its own.

/** Of ES2024, which every runtime here has, and not yet the types that all of them share. */
type WellFormable = { toWellFormed(): string };

/**
 * NUL and halves of surrogate pairs become the replacement character: PostgreSQL stores no NUL, and no UTF-8 has half a
 * pair, so that both engines keep the same text.
 */
export function storable(text: string): string {
  // By the engine's own functions: an expression takes a hundred times as long for a text of a million characters.
  return (text.replaceAll('\0', '\uFFFD') as unknown as WellFormable).toWellFormed();
}

/** A storable text of at most `max` UTF-16 units. */
export function textSchema(max: number) {
  // One that is too long is not looked at any further.
  return z.string().max(max, { abort: true }).overwrite(storable);
}

/**
 * Characters that show nothing, or turn the reading direction of what stands after them: a name with them looks like
 * another. The joiners and the variants stay, for Persian, Hindi and emoji are written with them.
 */
const UNSEEN = /(?![\u200C\u200D]|\uFE0F)(?:\p{Default_Ignorable_Code_Point}|\p{Bidi_Control})/gu;

/** A name as it is shown: in one line and one normal form (NFC), without controls and what can't be seen. */
export function cleanName(text: string): string {
  const seen = storable(text).normalize('NFC').replace(UNSEEN, '');
  return seen
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}/gu, '')
    .trim();
}

/** Something's name, of 1 to `max` UTF-16 units once it is cleaned. */
export function nameSchema(max: number) {
  return z.string().max(max, { abort: true }).overwrite(cleanName).min(1).max(max);
}
