import { diffArrays } from 'diff';

/** A place where two texts differ, in lines. Both positions count from the start of the compared texts. */
export interface Hunk {
  oldStart: number;
  oldLines: string[];
  newStart: number;
  newLines: string[];
}

/**
 * Above this many differing lines in one place they become one hunk: nobody reviews hundreds of adjacent hunks, and the
 * search takes quadratic time in the differences.
 */
const MAX_DIFFERENT_LINES = 500;
/** Up to this many lines the smallest difference is found fast. */
const SMALL = 200;

/** An unchanged line without content of its own: blank, or only brackets and punctuation. */
const isFiller = (line: string) => !/[\p{L}\p{N}_]/u.test(line);

/** The number of equal lines at the start of both. */
export function commonPrefix(a: readonly string[], b: readonly string[]): number {
  const most = Math.min(a.length, b.length);
  let count = 0;
  while (count < most && a[count] === b[count]) count++;
  return count;
}

/** The number of equal lines at the end of both, at most `most`, so that it can't overlap a prefix found before. */
export function commonSuffix(a: readonly string[], b: readonly string[], most: number): number {
  let count = 0;
  while (count < most && a[a.length - 1 - count] === b[b.length - 1 - count]) count++;
  return count;
}

/**
 * A small set of hunks that turn `oldLines` into `newLines`, in order and never adjacent. Equal texts give an empty
 * list. `most`: if more lines than this differ between two anchor lines, everything between them is one hunk.
 */
export function diffLines(
  oldLines: readonly string[],
  newLines: readonly string[],
  most = MAX_DIFFERENT_LINES,
): Hunk[] {
  const prefix = commonPrefix(oldLines, newLines);
  const suffix = commonSuffix(oldLines, newLines, Math.min(oldLines.length, newLines.length) - prefix);
  const whole: Hunk = {
    oldStart: prefix,
    oldLines: oldLines.slice(prefix, oldLines.length - suffix),
    newStart: prefix,
    newLines: newLines.slice(prefix, newLines.length - suffix),
  };
  if (whole.oldLines.length + whole.newLines.length <= SMALL) return diffPart(whole, most);
  return partAtAnchors(whole).flatMap((part) => diffPart(part, most));
}

/** The hunks of one part of two texts. */
function diffPart(part: Hunk, most: number): Hunk[] {
  if (part.oldLines.length === 0 && part.newLines.length === 0) return [];
  if (part.oldLines.length === 0 || part.newLines.length === 0) return [part];
  const changes = diffArrays(part.oldLines, part.newLines, { maxEditLength: most });
  if (!changes) return [part];
  const hunks: Hunk[] = [];
  let oldAt = part.oldStart;
  let newAt = part.newStart;
  let open: Hunk | undefined;
  for (const change of changes) {
    if (!change.added && !change.removed) {
      open = undefined;
      oldAt += change.count;
      newAt += change.count;
      continue;
    }
    if (!open) {
      open = { oldStart: oldAt, oldLines: [], newStart: newAt, newLines: [] };
      hunks.push(open);
    }
    if (change.removed) {
      open.oldLines.push(...change.value);
      oldAt += change.count;
    } else {
      open.newLines.push(...change.value);
      newAt += change.count;
    }
  }
  return hunks;
}

/**
 * Splits two long texts at the lines that occur exactly once in each and in the same order ("patience"), because the
 * search for the smallest difference takes quadratic time. No part contains the anchors themselves.
 */
function partAtAnchors({ oldStart, oldLines, newStart, newLines }: Hunk): Hunk[] {
  const oldPlaces = placesOfUnique(oldLines);
  const newPlaces = placesOfUnique(newLines);
  const pairs: { old: number; fresh: number }[] = [];
  for (const [line, old] of oldPlaces) {
    const fresh = newPlaces.get(line);
    if (fresh !== undefined) pairs.push({ old, fresh });
  }
  const parts: Hunk[] = [];
  let oldAt = 0;
  let newAt = 0;
  for (const { old, fresh } of [...longestRising(pairs), { old: oldLines.length, fresh: newLines.length }]) {
    if (old > oldAt || fresh > newAt) {
      const left = oldLines.slice(oldAt, old);
      const right = newLines.slice(newAt, fresh);
      const prefix = commonPrefix(left, right);
      const suffix = commonSuffix(left, right, Math.min(left.length, right.length) - prefix);
      parts.push({
        oldStart: oldStart + oldAt + prefix,
        oldLines: left.slice(prefix, left.length - suffix),
        newStart: newStart + newAt + prefix,
        newLines: right.slice(prefix, right.length - suffix),
      });
    }
    oldAt = old + 1;
    newAt = fresh + 1;
  }
  return parts;
}

/** The lines that occur once, with their positions, in order. */
function placesOfUnique(lines: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  const repeated = new Set<string>();
  for (const [index, line] of lines.entries()) {
    if (places.has(line)) repeated.add(line);
    else places.set(line, index);
  }
  for (const line of repeated) places.delete(line);
  return places;
}

/** The longest subsequence of `pairs`, which ascend in `old`, that also ascends in `fresh`. */
function longestRising(pairs: readonly { old: number; fresh: number }[]): { old: number; fresh: number }[] {
  /** For each length, the pair at which the best way of that length ends; and the pair before each. */
  const ends: number[] = [];
  const before: number[] = [];
  for (const [index, { fresh }] of pairs.entries()) {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[ends[middle]!]!.fresh < fresh) low = middle + 1;
      else high = middle;
    }
    before[index] = low > 0 ? ends[low - 1]! : -1;
    ends[low] = index;
  }
  const way: { old: number; fresh: number }[] = [];
  for (let at = ends.at(-1) ?? -1; at >= 0; at = before[at]!) way.push(pairs[at]!);
  return way.reverse();
}

/**
 * The hunks as a person reviews them: two hunks separated by a single line without a word (blank, a bracket) become one
 * hunk, including that line.
 */
export function reviewHunks(oldLines: readonly string[], newLines: readonly string[], most?: number): Hunk[] {
  const joined: Hunk[] = [];
  for (const hunk of diffLines(oldLines, newLines, most)) {
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

/** Splits `text` as the editor does: each line end separates two lines, so a final one leaves an empty last line. */
export function splitLines(text: string): string[] {
  return text.split(/\r\n|\r|\n/);
}
