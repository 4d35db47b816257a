import { diffArrays } from 'diff';

/** A place where two texts differ, in lines. Both positions count from the start of the compared texts. */
export interface Hunk {
  oldStart: number;
  oldLines: string[];
  newStart: number;
  newLines: string[];
}

/**
 * More differing lines than this make one hunk of everything between the first and the last difference: nobody reviews
 * thousands of scattered hunks, and the search for them grows with the square of the differences.
 */
const MAX_DIFFERENT_LINES = 2_000;

/** An unchanged line that says nothing by itself: blank, or brackets and punctuation only. */
const isFiller = (line: string) => !/[\p{L}\p{N}_]/u.test(line);

/** Number of equal lines at the start of both. */
export function commonPrefix(a: readonly string[], b: readonly string[]): number {
  const most = Math.min(a.length, b.length);
  let count = 0;
  while (count < most && a[count] === b[count]) count++;
  return count;
}

/** Number of equal lines at the end of both, at most `most`, so that it can't overlap a prefix found before. */
export function commonSuffix(a: readonly string[], b: readonly string[], most: number): number {
  let count = 0;
  while (count < most && a[a.length - 1 - count] === b[b.length - 1 - count]) count++;
  return count;
}

/**
 * The smallest set of places to change so that `oldLines` become `newLines`, in order and never touching each other.
 * Equal texts give an empty list.
 */
export function diffLines(oldLines: readonly string[], newLines: readonly string[]): Hunk[] {
  const prefix = commonPrefix(oldLines, newLines);
  const suffix = commonSuffix(oldLines, newLines, Math.min(oldLines.length, newLines.length) - prefix);
  const oldMiddle = oldLines.slice(prefix, oldLines.length - suffix);
  const newMiddle = newLines.slice(prefix, newLines.length - suffix);
  if (oldMiddle.length === 0 && newMiddle.length === 0) return [];
  const whole = { oldStart: prefix, oldLines: oldMiddle, newStart: prefix, newLines: newMiddle };
  if (oldMiddle.length === 0 || newMiddle.length === 0) return [whole];

  const parts = diffArrays(oldMiddle, newMiddle, { maxEditLength: MAX_DIFFERENT_LINES });
  if (!parts) return [whole];
  const hunks: Hunk[] = [];
  let oldAt = prefix;
  let newAt = prefix;
  let open: Hunk | undefined;
  for (const part of parts) {
    if (!part.added && !part.removed) {
      open = undefined;
      oldAt += part.count;
      newAt += part.count;
      continue;
    }
    if (!open) {
      open = { oldStart: oldAt, oldLines: [], newStart: newAt, newLines: [] };
      hunks.push(open);
    }
    if (part.removed) {
      open.oldLines.push(...part.value);
      oldAt += part.count;
    } else {
      open.newLines.push(...part.value);
      newAt += part.count;
    }
  }
  return hunks;
}

/**
 * The hunks as a person reviews them: two that are parted by a single line without a word in it (blank, a bracket) are one
 * thought, and so one hunk, that line included.
 */
export function reviewHunks(oldLines: readonly string[], newLines: readonly string[]): Hunk[] {
  const joined: Hunk[] = [];
  for (const hunk of diffLines(oldLines, newLines)) {
    const last = joined.at(-1);
    const oldEnd = last ? last.oldStart + last.oldLines.length : 0;
    if (last && hunk.oldStart - oldEnd === 1 && isFiller(oldLines[oldEnd]!)) {
      last.oldLines.push(oldLines[oldEnd]!, ...hunk.oldLines);
      last.newLines.push(oldLines[oldEnd]!, ...hunk.newLines);
    } else {
      joined.push({ ...hunk, oldLines: [...hunk.oldLines], newLines: [...hunk.newLines] });
    }
  }
  return joined;
}

/** `text` in lines, as the editor counts them: every line end parts two lines, so a final one leaves an empty last line. */
export function splitLines(text: string): string[] {
  return text.split(/\r\n|\r|\n/);
}
