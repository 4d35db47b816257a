// Retries a change that isn't found as written: blank lines, or a context line written twice, may be slips.
import type { ChangeLine } from '../edits.ts';
import type { IndexedFile } from './indexedFile.ts';
import { isBlank, looseKey } from './loose.ts';

/**
 * The change with the file's blank lines among its old lines, if these then occur exactly once. Undefined if they
 * don't, or if a new line could go on either side of a blank line.
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
      // The file's blank lines above this line that the change lacks.
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

/** Whether the first removed or added lines could equally well be above the context lines before them. */
function slides(lines: readonly ChangeLine[]): boolean {
  const kept = lines.findIndex(({ op }) => op !== 'keep');
  if (kept < 1) return false;
  const end = lines.findIndex(({ op }, at) => at > kept && op !== lines[kept]!.op);
  const run = (end === -1 ? lines.length : end) - kept;
  return lines.slice(0, kept).every(({ text }, at) => text === lines[at + run]!.text);
}

/** For each pair of equal adjacent context lines: the change without one of the two. */
export function withoutDouble(lines: readonly ChangeLine[]): ChangeLine[][] {
  return lines.flatMap((line, index) => {
    const below = lines[index + 1];
    const isDouble = line.op === 'keep' && below?.op === 'keep' && !isBlank(line.text) && line.text === below.text;
    return isDouble ? [lines.filter((_, at) => at !== index)] : [];
  });
}
