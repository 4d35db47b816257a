// Whether a change's indentation is consistent in itself where it differs from the file's.

import type { ChangeLine } from '../edits.ts';
import { closesBlock, opensBlock } from '../text/blocks.ts';
import type { IndentPair, IndentStyle } from '../text/indentation.ts';
import { indentOf, isBlank } from '../text/loose.ts';

/**
 * Whether only one kept line is indented differently from the file while other kept lines match it, and the place of
 * the new lines doesn't depend on that one line.
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
  // If a new neighbour line has the same indentation, the two may have been moved together.
  if ([above, below].some((line) => line?.op === 'new' && indentOf(line.text) === written)) return false;
  const isLevels = unit !== undefined && (written.length - indentOf(slip.file).length) % unit === 0;
  if (isLevels || below?.op !== 'new') return true;
  // A difference of less than a level is a slip of this line alone, if the new lines are indented like the others.
  return lines.every(({ op, text }) => op !== 'new' || isBlank(text) || straight.has(indentOf(text)));
}

const readingsOf = ({ text, otherText }: ChangeLine) => [text, otherText ?? text].map(indentOf);

/** The next line of the new text that is not blank, up or down. */
function neighbour(lines: readonly ChangeLine[], from: number, direction: -1 | 1): ChangeLine | undefined {
  for (let at = from + direction; at >= 0 && at < lines.length; at += direction) {
    const line = lines[at]!;
    if (line.op !== 'old' && !isBlank(line.text)) return line;
  }
  return undefined;
}

/**
 * Whether a change that is indented differently from the file surely has its new lines moved by the same amount. If
 * only one line shows the difference, it may be a slip, and the new lines themselves must show where they belong.
 */
export function isSoundlyMoved(
  lines: readonly ChangeLine[],
  pairs: readonly IndentPair[],
  { unit }: IndentStyle,
): boolean {
  const [moved, ...others] = pairs.filter(([written, file]) => !written.includes(file));
  if (!moved || others.length > 0) return true;
  // If other lines match the file, one line that is a few blanks further in or out may be a slip.
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
  // Only one level is known. A deeper line must be opened by a line above it, by whole levels.
  return text.every((line, index) => {
    const more = indentOf(line.text).length - only.length;
    if (line.op !== 'new' || more === 0) return true;
    if (more < 0 || (unit !== undefined && !only.includes('\t') && more % unit !== 0)) return false;
    const outer = text.slice(0, index).findLast((other) => indentOf(other.text).length < indentOf(line.text).length);
    return outer !== undefined && opensBlock(outer.text);
  });
}
