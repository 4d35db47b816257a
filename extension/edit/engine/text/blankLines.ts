// Changes that are found once blank lines, or a line of context written twice, are taken for slips.
import type { ChangeLine } from '../edits.ts';
import type { IndexedFile } from './indexedFile.ts';
import { isBlank, looseKey } from './loose.ts';

/**
 * The change with the blank lines that the file has among its old lines, where they stand once so; undefined where they don't,
 * or where it matters for a new line on which side of a blank line it comes.
 */
export function withOwnBlanks(file: IndexedFile, lines: readonly ChangeLine[]): ChangeLine[] | undefined {
  const old = lines.filter(({ op, text }) => op !== 'new' && !isBlank(text));
  const [first, ...others] = file.filledPlaces(old.map(({ text }) => looseKey(text)));
  if (first === undefined || others.length > 0) return undefined;
  const result: ChangeLine[] = [];
  let at = first;
  let isNext = false;
  for (const [index, line] of lines.entries()) {
    if (line.op === 'new') result.push(line);
    else if (!isBlank(line.text)) {
      // Blank lines of the file above this line, which the change doesn't have.
      for (; isNext && file.keys[at] === ''; at++) {
        const hunk = result.slice(result.findLastIndex(({ op }) => op === 'keep') + 1);
        if (hunk.length > 0 && hunk.every(({ op }) => op === 'new')) return undefined;
        if (result.at(-1)?.op !== 'keep' && line.op === 'old') return undefined;
        if (slides(lines.slice(index))) return undefined;
        result.push({ op: 'keep', text: file.lines[at]! });
      }
      isNext = true;
      at++;
      result.push(line);
    } else if (isNext && file.keys[at] === '') {
      result.push(line);
      at++;
    }
  }
  return result;
}

/** Whether the lines that come or go below the first ones, which stay, may as well come or go above them. */
function slides(lines: readonly ChangeLine[]): boolean {
  const kept = lines.findIndex(({ op }) => op !== 'keep');
  if (kept < 1) return false;
  const end = lines.findIndex(({ op }, at) => at > kept && op !== lines[kept]!.op);
  const run = (end === -1 ? lines.length : end) - kept;
  return lines.slice(0, kept).every(({ text }, at) => text === lines[at + run]!.text);
}

/** The change with one of two equal lines of context, one below the other, left out, in each way to do so. */
export function withoutDouble(lines: readonly ChangeLine[]): ChangeLine[][] {
  return lines.flatMap((line, index) => {
    const below = lines[index + 1];
    const isDouble = line.op === 'keep' && below?.op === 'keep' && !isBlank(line.text) && line.text === below.text;
    return isDouble ? [lines.filter((_, at) => at !== index)] : [];
  });
}
