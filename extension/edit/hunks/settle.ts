import { moveRange, type Range, type Splice } from './track.ts';

/** Whether the lines of `range` are `text`. */
export function holds(lines: readonly string[], range: Range, text: readonly string[]): boolean {
  if (range.end - range.start !== text.length || range.end > lines.length) return false;
  return text.every((line, index) => lines[range.start + index] === line);
}

/**
 * Where `range` is after `splices`, which produced `lines`. Of the candidates (with or without insertions at its
 * edges), chooses the one that contains the expected text, `now` before `earlier`. If none does, returns the lines that
 * replaced it.
 */
export function settle(
  lines: readonly string[],
  range: Range,
  splices: readonly Splice[],
  now: readonly string[],
  earlier: readonly string[],
): Range & { torn: boolean } {
  const narrow = moveRange(range, splices);
  const wide = moveRange(range, splices, 'wide');
  // An empty text matches everywhere, so only the wider range shows whether removed lines are back.
  const isBack = now.length === 0 && earlier.length > 0 && holds(lines, wide, earlier);
  if (!isBack && holds(lines, narrow, now)) return narrow;
  const withStart = moveRange(range, splices, 'withStart');
  const withEnd = moveRange(range, splices, 'withEnd');
  for (const text of isBack ? [earlier, now] : [now, earlier]) {
    const found = [narrow, withStart, withEnd, wide].find((candidate) => holds(lines, candidate, text));
    if (found) return { ...found, torn: false };
  }
  const found = findOnce(lines, wide, now);
  return found ? { ...found, torn: false } : moveRange(range, splices, 'covering');
}

/** The only place in `range` that contains `text`, unless that is blank. */
function findOnce(lines: readonly string[], range: Range, text: readonly string[]): Range | undefined {
  if (text.every((line) => line.trim() === '')) return undefined;
  let found: Range | undefined;
  for (let start = range.start; start + text.length <= range.end; start++) {
    const candidate = { start, end: start + text.length };
    if (!holds(lines, candidate, text)) continue;
    if (found) return undefined;
    found = candidate;
  }
  return found;
}
