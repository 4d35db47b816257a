/** Marks our own form, so that the encrypted reasoning of other providers is told apart. */
const PREFIX = 'perigee.1.';

/**
 * Reasoning as `encrypted_content`. It is only encoded: the client has seen the text, and clients that keep no text
 * return this field as it is.
 */
export function encodeReasoning(text: string): string {
  return PREFIX + Buffer.from(text, 'utf8').toString('base64');
}

/** The reasoning in `encrypted_content`; undefined if it is not ours, or not whole. */
export function decodeReasoning(encoded: string): string | undefined {
  if (!encoded.startsWith(PREFIX)) return undefined;
  const text = Buffer.from(encoded.slice(PREFIX.length), 'base64').toString('utf8');
  return encodeReasoning(text) === encoded ? text : undefined;
}
