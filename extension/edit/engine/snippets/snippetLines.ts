// How the lines of a snippet are written in the file: its indentation, and which lines change by it.

import type { ChangeLine } from '../edits.ts';
import type { Snippet } from '../placing/anchors.ts';
import { isTelling } from '../text/blocks.ts';
import { type IndentPair, indentStyle, isUniform } from '../text/indentation.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { indentOf, isBlank, looseKey, trimTrail } from '../text/loose.ts';

/** One line of so many may be indented otherwise than in the file before another style is thought of. */
const LITERAL = 10;

/** The lines of the snippet among those of the file, from line `start` of the file on. */
export interface Arranged {
  start: number;
  lines: ChangeLine[];
  pairs: IndentPair[];
  isTypeset: boolean;
}

/** A line of both, of the file alone (gone, unless it `stays`), or of the snippet alone. */
export interface Part {
  own?: number;
  line?: number;
  stays?: boolean;
}

/**
 * The lines of `parts`, in order, as a change of the file, of which they are all if `isAll`; undefined when it cannot be told
 * how they are indented.
 */
export function arrange(
  file: IndexedFile,
  snippet: Snippet,
  parts: readonly Part[],
  isAll: boolean,
): Arranged | undefined {
  const both = parts.filter(({ own, line }) => own !== undefined && line !== undefined);
  const indents = both.flatMap(({ own, line }): IndentPair[] => {
    const text = snippet.lines[own!]!;
    return isBlank(text) ? [] : [[[indentOf(text)], indentOf(file.lines[line!]!)]];
  });
  const isLastTelling = isTelling(snippet.keys[both.at(-1)!.own!]!);
  const reading = isAll && isMostlySame(indents) ? 'literal' : readIndents(file, snippet, indents, isLastTelling);
  if (!reading) return undefined;
  const isLiteral = reading === 'literal';
  const start = parts.find(({ line }) => line !== undefined)!.line!;
  // Blanks at the ends of lines which in the file have none are no part of what is meant.
  const isTrailed = ({ own, line }: Part) =>
    snippet.lines[own!] !== trimTrail(snippet.lines[own!]!) && file.lines[line!] === trimTrail(file.lines[line!]!);
  const isTrailing = file.lines.every((line) => line === trimTrail(line)) || both.some(isTrailed);
  let isTypeset = false;
  const lines = parts.flatMap(({ own, line, stays }): ChangeLine[] => {
    const text = own === undefined ? '' : snippet.lines[own]!;
    const fresh: ChangeLine = { op: 'new', text: isTrailing || isBlank(text) ? trimTrail(text) : text };
    if (line === undefined) return [fresh];
    const old = file.lines[line]!;
    if (own === undefined) return [{ op: stays ? 'keep' : 'old', text: old }];
    const isKept =
      snippet.keys[own] === file.keys[line] && (!isLiteral || isBlank(old) || indentOf(text) === indentOf(old));
    if (!isKept) return [{ op: 'old', text: old }, fresh];
    isTypeset ||= text.trim() !== old.trim();
    return [{ op: 'keep', text }];
  });
  const pairs = isLiteral ? indents.filter(([[written], own]) => written === own) : indents;
  return { start, lines, pairs, isTypeset };
}

/** Whether most lines that the file has further in stand there, too: in another style hardly any of them would. */
function isMostlySame(pairs: readonly IndentPair[]): boolean {
  const inner = pairs.filter(([, line]) => line !== '');
  return inner.filter(([[written], line]) => written === line).length * 2 >= inner.length;
}

/**
 * Whether the snippet is indented as the file is (`literal`), so that lines which are not are meant to be moved, or all of it
 * in one other way (`moved`). Undefined when neither is known.
 */
function readIndents(
  file: IndexedFile,
  { lines }: Snippet,
  pairs: readonly IndentPair[],
  isLastTelling: boolean,
): 'literal' | 'moved' | undefined {
  const isSame = (pair: IndentPair | undefined) => pair !== undefined && pair[0][0] === pair[1];
  if (pairs.every(isSame)) return 'literal';
  // Nearly all that is indented is so as in the file, down to the last line: what isn't is meant to be moved.
  const indented = pairs.filter(([[written], line]) => written !== '' || line !== '');
  const differing = indented.filter((pair) => !isSame(pair)).length;
  if (differing * LITERAL <= indented.length && isSame(pairs[0]) && isSame(pairs.at(-1))) return 'literal';
  const own = indentStyle(lines);
  if (own.kind !== file.style.kind || own.unit !== file.style.unit) return isUniform(pairs) ? 'moved' : undefined;
  // The same levels: they can only be moved together, or some of them.
  if (isSame(pairs[0])) return isSame(pairs.at(-1)) || isLastTelling ? 'literal' : undefined;
  const shift = ([[written], line]: IndentPair) => line.length - written!.length;
  return isUniform(pairs) && pairs.every((pair) => shift(pair) === shift(pairs[0]!)) ? 'moved' : undefined;
}

/**
 * Tabs for blanks or blanks for tabs, level by level, where the file has the others. A line that goes on with the one above by
 * less than a level is a level further in, as in a file of tabs alone.
 */
export function inStyle(lines: readonly string[], file: IndexedFile): string[] {
  const own = indentStyle(lines);
  const { kind, unit, aligns } = file.style;
  const restyle = (turn: (indent: string, line: string) => string) =>
    lines.map((line) => turn(indentOf(line), line) + line.slice(indentOf(line).length));
  if (own.kind === 'tabs' && kind === 'blanks' && unit !== undefined) {
    return restyle((indent) => indent.replaceAll('\t', ' '.repeat(unit)));
  }
  const width = own.kind === 'blanks' && kind === 'tabs' ? (knownWidth(lines, file) ?? own.unit) : undefined;
  if (width === undefined) return [...lines];
  return restyle((indent, line) => {
    const rest = indent.length % width;
    const levels = '\t'.repeat(Math.floor(indent.length / width));
    const [at, ...others] = rest > 1 ? file.at(looseKey(line)) : [];
    // A line that the file has is not moved by less than a level.
    if (at !== undefined && others.length === 0 && indentOf(file.lines[at]!) === levels) return levels;
    const isFurther = rest > 1 && !aligns;
    return levels + (isFurther ? '\t' : ' '.repeat(rest));
  });
}

/** The blanks for which most of the lines that the file has once, with tabs, show a tab to stand. */
function knownWidth(lines: readonly string[], file: IndexedFile): number | undefined {
  const votes = new Map<number, number>();
  for (const line of lines) {
    const [at, ...others] = file.at(looseKey(line));
    const indent = at === undefined || others.length > 0 ? '' : indentOf(file.lines[at]!);
    // Behind its tabs a line of a comment has a blank, in either text.
    const tabs = /^\t*/.exec(indent)![0].length;
    const width = (indentOf(line).length - (indent.length - tabs)) / tabs;
    if (tabs > 0 && Number.isInteger(width) && width > 0) votes.set(width, (votes.get(width) ?? 0) + 1);
  }
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0];
}
