import { diffLines } from '../../hunks/hunks.ts';
import type { ChangeLine, PlacedHunk } from '../edits.ts';
import { trimTrail } from './loose.ts';

/**
 * The change from `search` to `replace`. Lines in both keep the file's version, also if the model adds blanks at their
 * end; blanks that only `search` has are removed on purpose.
 */
export function toChangeLines(search: readonly string[], replace: readonly string[]): ChangeLine[] {
  const lines: ChangeLine[] = [];
  let at = 0;
  for (const hunk of diffLines(search, replace)) {
    for (; at < hunk.oldStart; at++) lines.push({ op: 'keep', text: search[at]! });
    lines.push(...refine(hunk.oldLines, hunk.newLines));
    at += hunk.oldLines.length;
  }
  for (; at < search.length; at++) lines.push({ op: 'keep', text: search[at]! });
  return lines;
}

/** Compares differing lines again, ignoring blanks at their end. */
function refine(old: readonly string[], fresh: readonly string[]): ChangeLine[] {
  const lines: ChangeLine[] = [];
  let at = 0;
  let now = 0;
  const keepTo = (end: number) => {
    for (; at < end; at++, now++) {
      const text = old[at]!;
      const later = fresh[now]!;
      if (later === trimTrail(later)) lines.push({ op: 'old', text }, { op: 'new', text: later });
      else lines.push({ op: 'keep', text });
    }
  };
  for (const hunk of diffLines(old.map(trimTrail), fresh.map(trimTrail))) {
    keepTo(hunk.oldStart);
    for (const _ of hunk.oldLines) lines.push({ op: 'old', text: old[at++]! });
    for (const _ of hunk.newLines) lines.push({ op: 'new', text: fresh[now++]! });
  }
  keepTo(old.length);
  return lines;
}

/** The hunks that turn `oldLines`, which begin at the file's line `offset`, into `newLines`. */
export function toPlacedHunks(oldLines: readonly string[], newLines: readonly string[], offset: number): PlacedHunk[] {
  return diffLines(oldLines, newLines).map((hunk) => ({
    startLine: offset + hunk.oldStart,
    oldLines: hunk.oldLines,
    newLines: hunk.newLines,
    how: 'given',
  }));
}
