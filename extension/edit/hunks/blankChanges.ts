import { diffLines } from './hunks.ts';

/** A line that differs only in blanks, by its index among the old lines and among the new ones. */
export interface BlankChange {
  old: number;
  fresh: number;
}

/** The lines that a diff editor shows as unchanged while it ignores leading and trailing blanks. */
export function blankChanges(oldLines: readonly string[], newLines: readonly string[]): BlankChange[] {
  const trimmed = (lines: readonly string[]) => lines.map((line) => line.trim());
  const found: BlankChange[] = [];
  let old = 0;
  let fresh = 0;
  const pass = (until: number) => {
    for (; old < until; old++, fresh++) {
      if (oldLines[old] !== newLines[fresh] && oldLines[old]!.trim() !== '') found.push({ old, fresh });
    }
  };
  for (const hunk of diffLines(trimmed(oldLines), trimmed(newLines))) {
    pass(hunk.oldStart);
    old += hunk.oldLines.length;
    fresh += hunk.newLines.length;
  }
  pass(oldLines.length);
  return found;
}

/** The line with visible leading and trailing blanks. */
export function showBlanks(line: string): string {
  const shown = (blanks: string) => blanks.replaceAll(' ', '·').replaceAll('\t', '→   ');
  const text = line.trim();
  if (text === '') return shown(line);
  const start = line.indexOf(text);
  return shown(line.slice(0, start)) + text + shown(line.slice(start + text.length));
}
