// Whether the indentation of a change agrees with itself, where it is not the file's own.

import type { ChangeLine } from '../edits.ts';
import { closesBlock, opensBlock } from '../text/blocks.ts';
import type { IndentPair, IndentStyle } from '../text/indentation.ts';
import { indentOf, isBlank } from '../text/loose.ts';

/**
 * Whether one kept line alone is indented otherwise than the file has it, while some others stand as they are written, and
 * where the new lines belong doesn't depend on it.
 */
export function isSingleSlip(
  lines: readonly ChangeLine[],
  fileLines: readonly string[],
  { unit }: IndentStyle,
): boolean {
  let slip: { at: number; file: string } | undefined;
  const straight = new Set<string>();
  let next = 0;
  for (const [at, line] of lines.entries()) {
    if (line.op === 'new') continue;
    const file = fileLines[next++]!;
    if (isBlank(line.text)) continue;
    if (readingsOf(line).includes(indentOf(file))) straight.add(indentOf(file));
    else if (slip || line.op === 'old') return false;
    else slip = { at, file };
  }
  if (!slip || straight.size === 0) return false;
  const written = indentOf(lines[slip.at]!.text);
  const [above, below] = [neighbour(lines, slip.at, -1), neighbour(lines, slip.at, 1)];
  // As far in as a new line beside it, it may have been moved together with that one.
  if ([above, below].some((line) => line?.op === 'new' && indentOf(line.text) === written)) return false;
  const isLevels = unit !== undefined && (written.length - indentOf(slip.file).length) % unit === 0;
  if (isLevels || below?.op !== 'new') return true;
  // By less than a level it is a slip of this line alone, where the new lines stand as the others do.
  return lines.every(({ op, text }) => op !== 'new' || isBlank(text) || straight.has(indentOf(text)));
}

const readingsOf = ({ text, otherText }: ChangeLine) => [text, otherText ?? text].map(indentOf);

/** The next line of the new text, up or down, that is not blank. */
function neighbour(lines: readonly ChangeLine[], from: number, direction: -1 | 1): ChangeLine | undefined {
  for (let at = from + direction; at >= 0 && at < lines.length; at += direction) {
    const line = lines[at]!;
    if (line.op !== 'old' && !isBlank(line.text)) return line;
  }
  return undefined;
}

/**
 * Whether the new lines of a change that is indented otherwise than the file are surely moved with it. Where one line alone
 * shows that, it may be a slip of that line, and the new lines must say themselves where they belong.
 */
export function isSoundlyMoved(
  lines: readonly ChangeLine[],
  pairs: readonly IndentPair[],
  { unit }: IndentStyle,
): boolean {
  const [moved, ...others] = pairs.filter(([written, file]) => !written.includes(file));
  if (!moved || others.length > 0) return true;
  // Beside lines as the file has them, one that is further in or out by blanks may as well be a slip.
  const [[written], own] = moved;
  if (pairs.length > 1 && written!.includes('\t') === own.includes('\t')) return false;
  const text = lines.filter(({ op, text }) => op !== 'old' && !isBlank(text));
  for (const [index, line] of text.entries()) {
    const above = text[index - 1];
    if (!above || (line.op !== 'new' && above.op !== 'new')) continue;
    const [outer, inner] = [indentOf(above.text).length, indentOf(line.text).length];
    if (opensBlock(above.text) && !closesBlock(line.text) && inner <= outer) return false;
    if (closesBlock(line.text) && !opensBlock(above.text) && outer <= inner) return false;
  }
  const known = new Set(pairs.map(([[written]]) => written!));
  const [only] = known;
  if (known.size !== 1 || only === undefined) return true;
  // One level is known alone: further in is what a line above opens, by whole levels.
  return text.every((line, index) => {
    const more = indentOf(line.text).length - only.length;
    if (line.op !== 'new' || more === 0) return true;
    if (more < 0 || (unit !== undefined && !only.includes('\t') && more % unit !== 0)) return false;
    const outer = text.slice(0, index).findLast((other) => indentOf(other.text).length < indentOf(line.text).length);
    return outer !== undefined && opensBlock(outer.text);
  });
}
