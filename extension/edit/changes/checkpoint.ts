import { takeBack } from '../engine/placing/rebase.ts';
import { diffLines, splitLines } from '../hunks/hunks.ts';
import type { AcceptedFile, OfBlocks, Source } from './proposal.ts';
import { type FileChange, fitChange, invert, isSameText } from './proposalState.ts';

/** Accepted changes, as an entry of the list. */
export interface Checkpoint {
  id: string;
  source: Source;
  /** When it was accepted, in ms since 1970. */
  at: number;
  /** `takenBack` when no file contains its changes any more. */
  state: 'applied' | 'takenBack';
  files: CheckpointFile[];
}

export interface CheckpointFile extends ChangeSummary, OfBlocks {
  /** Relative to the workspace, with forward slashes; after the change. */
  path: string;
  isTakenBack: boolean;
}

export interface ChangeSummary {
  change: 'updated' | 'created' | 'deleted' | 'moved';
  /** Numbers of lines. */
  added: number;
  removed: number;
  /** The first line that the change affects in a changed file, counted from 1. */
  line?: number;
}

export type Direction = 'takeBack' | 'applyAgain';

/** A change's name, and how many lines it adds and removes. */
export function summarise({ movedTo, before, after }: AcceptedFile): ChangeSummary {
  const change =
    before === undefined ? 'created' : after === undefined ? 'deleted' : movedTo !== undefined ? 'moved' : 'updated';
  const hunks = diffLines(countedLines(before), countedLines(after));
  const sum = (side: 'oldLines' | 'newLines') => hunks.reduce((total, hunk) => total + hunk[side].length, 0);
  const [first] = hunks;
  const line = first && before !== undefined && after !== undefined ? { line: first.newStart + 1 } : {};
  return { change, added: sum('newLines'), removed: sum('oldLines'), ...line };
}

/** A final line ending does not start another line. */
function countedLines(text: string | undefined): string[] {
  const lines = splitLines(text ?? '');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The message after the files `paths` went in this direction. `written`: how many of them had to be changed. */
export function tellTurned(direction: Direction, paths: readonly string[], written: number): string {
  const files = paths.length > 1 ? 'files' : 'file';
  if (written === 0) {
    return direction === 'takeBack'
      ? `It was no longer in the ${files}; nothing changed.`
      : `It was in the ${files} already; nothing changed.`;
  }
  const [first = ''] = paths;
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : '';
  const done = direction === 'takeBack' ? 'Taken back from' : 'Applied again to';
  return `${done} ${first.slice(first.lastIndexOf('/') + 1)}${more}.`;
}

/** The change that takes an accepted change of a file back or applies it again, by direction. */
export function changeOf(file: AcceptedFile, source: Source, direction: Direction): FileChange {
  return direction === 'applyAgain' ? file : invert({ source, files: [file] })[0]!;
}

/**
 * Whether a change that doesn't fit a file was already made there, by hand or by the editor's undo: then its inverse
 * would fit. `here` is the text at the change's URI, `there` the text at the URI it moves the file to.
 */
export function isMade(change: FileChange, here: string | undefined, there: string | undefined): boolean {
  const { movedTo, before, after } = change;
  if (after === undefined) return here === undefined;
  if (movedTo !== undefined && here !== undefined) return false;
  const text = movedTo === undefined ? here : there;
  if (text === undefined) return false;
  if (isSameText(text, after)) return true;
  if (movedTo === undefined && fitChange(change, { text }).kind === 'fits') return false;
  return fitChange({ uri: movedTo ?? change.uri, before: after, after: before }, { text }).kind === 'fits';
}

/** Lines counted from 1, the last one included. */
export interface LineSpan {
  start: number;
  end: number;
}

/** The current lines that conflict with a change; none if the file as a whole conflicts. */
export function linesInTheWay({ before, after }: FileChange, text: string | undefined): LineSpan[] {
  if (before === undefined || text === undefined) return [];
  if (after === undefined) {
    return diffLines(splitLines(before), splitLines(text)).map(({ newStart, newLines }) =>
      toSpan(newStart, newStart + newLines.length),
    );
  }
  const made = takeBack(after, before, text);
  return made.kind === 'touched' ? made.touched.map(({ lines }) => toSpan(lines.start, lines.end)) : [];
}

const toSpan = (start: number, end: number): LineSpan => ({ start: start + 1, end: Math.max(start + 1, end) });

/** "Line 12", "Lines 12–14, 20"; at most five places, without duplicates. */
export function tellLines(spans: readonly LineSpan[]): string {
  const told = [...new Set(spans.map(({ start, end }) => (start === end ? `${start}` : `${start}–${end}`)))];
  if (told.length === 0) return '';
  const more = told.length > 5 ? ` and ${told.length - 5} more` : '';
  const isOne = told.length === 1 && !told[0]!.includes('–');
  return `${isOne ? 'Line' : 'Lines'} ${told.slice(0, 5).join(', ')}${more}`;
}
