/** In bytes. A larger file is data, or nobody reads it whole. */
export const LARGEST_FILE = 500_000;
/** A file whose lines are longer on average was made by a tool. In characters. */
const LONG_LINES = 400;
/** In characters: a short file may have one long line. */
const SHORT = 4_000;

/**
 * The text of a file that somebody wrote; undefined for binary files, and for minified and generated data. Text that is
 * neither UTF-8 nor UTF-16 is read as Latin letters: only its other words are lost.
 */
export function textIn(bytes: Uint8Array): string | undefined {
  if (bytes.length > LARGEST_FILE) return undefined;
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  if (encoding === 'utf-8' && bytes.includes(0)) return undefined;
  const text = new TextDecoder(encoding).decode(bytes);
  return text.length > SHORT && text.length > LONG_LINES * linesIn(text) ? undefined : text;
}

function linesIn(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
