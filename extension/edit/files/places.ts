import type * as vscode from 'vscode';
import type { Range } from '../hunks/track.ts';

/** "lines 12–40 of client.ts", counted from 1; `range` counts from 0 and excludes its end. */
export function tellPlace(range: Range, name: string): string {
  const first = range.start + 1;
  const last = Math.max(first, range.end);
  return first === last ? `line ${first} of ${name}` : `lines ${first}–${last} of ${name}`;
}

export const nameOf = (document: vscode.TextDocument) => document.uri.path.split('/').at(-1) || 'this file';

/** The lines that a selection touches. If it ends before a line's first character, that line is not touched. */
export function wholeLines({ start, end }: vscode.Selection): Range {
  const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  return { start: start.line, end: last + 1 };
}
