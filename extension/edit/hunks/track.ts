import { commonPrefix, commonSuffix, diffLines, splitLines } from './hunks.ts';

/** Lines `start` to `end` (exclusive), counted from 0. An empty range is the gap before line `start`. */
export interface Range {
  start: number;
  end: number;
}

/** A document change as the editor reports it, in the lines and columns of the text before it. */
export interface ContentChange {
  startLine: number;
  startCharacter: number;
  endLine: number;
  endCharacter: number;
  text: string;
}

/** Replaces `removed` lines from line `start` on by `inserted`. */
export interface Splice {
  start: number;
  removed: number;
  inserted: string[];
}

/** Above this, finding the unchanged lines of a large change costs more than it helps. */
const MAX_REFINED_LINES = 50_000;
/** A function call takes a limited number of arguments. */
const MAX_COPIED_AT_ONCE = 1_000;

/**
 * Converts a change by columns to changes of whole lines. Excludes lines that the change covers but doesn't alter, so
 * that pressing Enter at a line's end, or a formatter that rewrites the whole file, touches only what really changes.
 * The splices are in the lines of the text before the change, ordered and not adjacent.
 */
export function toSplices(lines: readonly string[], change: ContentChange): Splice[] {
  const first = lines[change.startLine] ?? '';
  const last = lines[change.endLine] ?? '';
  const inserted = splitLines(change.text);
  inserted[0] = first.slice(0, change.startCharacter) + inserted[0];
  inserted[inserted.length - 1] += last.slice(change.endCharacter);

  const removed = lines.slice(change.startLine, change.endLine + 1);
  // Whole lines inserted before a line, among equal ones: only the column shows where.
  const wholeLinesBefore = change.startCharacter === 0 && change.endCharacter === 0;
  const suffixFirst = wholeLinesBefore && inserted.at(-1) === removed.at(-1) ? 1 : 0;
  const most = Math.min(removed.length, inserted.length);
  const prefix = commonPrefix(removed.slice(0, most - suffixFirst), inserted.slice(0, most - suffixFirst));
  const suffix = commonSuffix(removed, inserted, most - prefix);
  const oldMiddle = removed.slice(prefix, removed.length - suffix);
  const newMiddle = inserted.slice(prefix, inserted.length - suffix);
  const start = change.startLine + prefix;
  if (oldMiddle.length === 0 && newMiddle.length === 0) return [];
  if (oldMiddle.length + newMiddle.length > MAX_REFINED_LINES) {
    return [{ start, removed: oldMiddle.length, inserted: newMiddle }];
  }
  return diffLines(oldMiddle, newMiddle).map((hunk) => ({
    start: start + hunk.oldStart,
    removed: hunk.oldLines.length,
    inserted: hunk.newLines,
  }));
}

/** `lines` after `splices`, which are in the lines before any of them, ordered and not adjacent. */
export function applySplices(lines: readonly string[], splices: readonly Splice[]): string[] {
  const parts: (readonly string[])[] = [];
  let at = 0;
  for (const { start, removed, inserted } of splices) {
    parts.push(lines.slice(at, start), inserted);
    at = start + removed;
  }
  parts.push(lines.slice(at));
  // Copy whole runs of lines at once: typing in a long file must not lag.
  const result = splices.length > MAX_COPIED_AT_ONCE ? parts.flat() : ([] as string[]).concat(...parts);
  // A document has at least one line, even if it is empty.
  return result.length === 0 ? [''] : result;
}

/**
 * Converts `splices` to the editor's changes: in the lines and columns of `lines`, ordered, without overlaps. `eol` is
 * the document's own line end.
 */
export function toChanges(lines: readonly string[], splices: readonly Splice[], eol: string): ContentChange[] {
  return joinAdjacent(splices).map(({ start, removed, inserted }) => {
    const end = start + removed;
    const text = inserted.join(eol);
    const endOf = (line: number) => lines[line]!.length;
    if (removed > 0 && inserted.length > 0) {
      return { startLine: start, startCharacter: 0, endLine: end - 1, endCharacter: endOf(end - 1), text };
    }
    if (end < lines.length) {
      const whole = inserted.length > 0 ? text + eol : '';
      return { startLine: start, startCharacter: 0, endLine: end, endCharacter: 0, text: whole };
    }
    // At the end of the document, use the line end before the splice.
    if (start === 0)
      return { startLine: 0, startCharacter: 0, endLine: end - 1, endCharacter: endOf(end - 1), text: '' };
    return {
      startLine: start - 1,
      startCharacter: endOf(start - 1),
      endLine: removed > 0 ? end - 1 : start - 1,
      endCharacter: removed > 0 ? endOf(end - 1) : endOf(start - 1),
      text: inserted.length > 0 ? eol + text : '',
    };
  });
}

function joinAdjacent(splices: readonly Splice[]): Splice[] {
  const joined: Splice[] = [];
  for (const splice of splices) {
    const last = joined.at(-1);
    if (last && last.start + last.removed === splice.start) {
      last.removed += splice.removed;
      last.inserted = [...last.inserted, ...splice.inserted];
    } else {
      joined.push({ ...splice });
    }
  }
  return joined;
}

/** The side to which a gap moves when lines are inserted into it, and when the lines on both its sides are replaced. */
type Side = 'before' | 'after';
interface Sides {
  put: Side;
  torn: Side;
}

/** Where the gap before line `gap` is after `splices`; `torn` if the lines on both its sides were replaced together. */
function moveGap(gap: number, splices: readonly Splice[], sides: Sides): { gap: number; torn: boolean } {
  let shift = 0;
  for (const { start, removed, inserted } of splices) {
    if (gap < start || (gap === start && removed > 0)) break;
    const torn = gap > start && gap < start + removed;
    if (torn || (gap === start && removed === 0)) {
      const side = torn ? sides.torn : sides.put;
      return { gap: start + shift + (side === 'after' ? inserted.length : 0), torn };
    }
    shift += inserted.length - removed;
  }
  return { gap: gap + shift, torn: false };
}

const BEFORE: Sides = { put: 'before', torn: 'before' };
const AFTER: Sides = { put: 'after', torn: 'after' };

/** How a range treats changes at its two edges. */
const EDGES = {
  /** Excludes insertions at an edge, and replacements across it. */
  narrow: [AFTER, BEFORE],
  withStart: [BEFORE, BEFORE],
  withEnd: [AFTER, AFTER],
  /** Includes all insertions at the edges and replacements across them. */
  wide: [BEFORE, AFTER],
  /** Excludes insertions at an edge, but includes replacements across it. */
  covering: [
    { put: 'after', torn: 'before' },
    { put: 'before', torn: 'after' },
  ],
} as const satisfies Record<string, readonly [Sides, Sides]>;

/** Where `range` is after `splices`. `torn`: everything around and in the range was replaced. */
export function moveRange(
  range: Range,
  splices: readonly Splice[],
  edges: keyof typeof EDGES = 'narrow',
): Range & { torn: boolean } {
  const start = moveGap(range.start, splices, EDGES[edges][0]);
  const end = moveGap(range.end, splices, EDGES[edges][1]);
  // An empty range that excludes insertions would get its start after its end: put the insertion behind it.
  return { start: Math.min(start.gap, end.gap), end: end.gap, torn: start.torn && end.torn };
}
