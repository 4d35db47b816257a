// The declarations that a hunk of a piece of code removes.
import type { Hunk } from '../../hunks/hunks.ts';
import { declarations, type Snippet } from '../placing/anchors.ts';
import { blockAt, declarationAt, isTelling } from '../text/blocks.ts';
import { outlineOf } from '../text/declared.ts';
import type { IndexedFile } from '../text/indexedFile.ts';

/** The most lines that may be removed without replacement, if the code is surely complete. */
export const MAX_SILENT = 3;

/**
 * The names of the declarations that `hunk`, from the file's line `start` on, removes. In a whole file (`isAll`), a head
 * whose block remains was not removed. If that shows all of its lines (`isComplete`), a single line was not omitted: a
 * mark would be as long. An import of many lines gets a name of its own, because short ones go without notice.
 */
export function lostIn(
  { lines, keys }: IndexedFile,
  start: number,
  { oldLines, newLines }: Hunk,
  { isAll, isComplete }: { isAll: boolean; isComplete: boolean },
): string[] {
  const { length } = oldLines;
  if (!isAll) return [...declarations(oldLines).keys()];
  // Of equal lines at its edges, either may be removed.
  let [first, last] = [start, start];
  if (newLines.length === 0) {
    while (first > 0 && keys[first - 1] === keys[first - 1 + length]) first--;
    while (last + length < keys.length && keys[last] === keys[last + length]) last++;
  }
  const found: string[] = [];
  for (let head = first; head < last + length; head++) {
    const name = declarationAt(lines, head);
    // An example in a comment, such as "* call(function () {", declares nothing.
    const isQuoted = keys[head]!.startsWith('* ') && /^\/?\*/.test(keys[head - 1] ?? '');
    if (name === undefined || isQuoted) continue;
    const end = blockAt(lines, head)?.end;
    const isGone = end === undefined ? !isComplete : end <= Math.min(head, last) + length;
    if (isGone) found.push(name.startsWith('import ') && end! - head > MAX_SILENT ? `long ${name}` : name);
  }
  return found;
}

/**
 * Whether the snippet lacks a declaration of several lines: its name, and most of its lines. Beside other changes, a
 * hunk may not show it.
 */
export function lacksDeclaration({ lines, keys }: IndexedFile, snippet: Snippet): boolean {
  const names = new Set(snippet.lines.map((_, at) => declarationAt(snippet.lines, at)));
  const shown = new Set(snippet.keys);
  return outlineOf(lines).some(({ name, head, end }) => {
    if (names.has(name) || name.startsWith('import ')) return false;
    const inner = keys.slice(head + 1, end).filter(isTelling);
    return inner.filter((key) => !shown.has(key)).length * 2 > inner.length;
  });
}
