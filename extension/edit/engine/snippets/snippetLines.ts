// Writes a snippet's lines in the file's style: their indentation, and which lines change.

import type { ChangeLine } from '../edits.ts';
import type { Snippet } from '../placing/anchors.ts';
import { isTelling } from '../text/blocks.ts';
import { type IndentPair, indentStyle, isUniform } from '../text/indentation.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { indentOf, isBlank, looseKey, trimTrail } from '../text/loose.ts';

/** If at most one line in this many is indented differently from the file, the style is the same. */
const LITERAL = 10;

/** The snippet's lines merged with the file's, from the file's line `start` on. */
export interface Arranged {
  start: number;
  lines: ChangeLine[];
  pairs: IndentPair[];
  isTypeset: boolean;
}

/** A line of both texts, of the file only (removed, unless it `stays`), or of the snippet only. */
export interface Part {
  own?: number;
  line?: number;
  stays?: boolean;
}

/**
 * Turns `parts`, in order, into a change of the file; `isAll`: they are the whole file. Undefined if the indentation is
 * ambiguous.
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
  // If the file has no blanks at line ends, those in the snippet are not meant.
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

/** Whether most indented lines have the file's indentation; in another style hardly any would. */
function isMostlySame(pairs: readonly IndentPair[]): boolean {
  const inner = pairs.filter(([, line]) => line !== '');
  return inner.filter(([[written], line]) => written === line).length * 2 >= inner.length;
}

/**
 * Whether the snippet is indented like the file (`literal`), so that differing lines are moved on purpose, or uniformly
 * in another way (`moved`). Undefined if neither is certain.
 */
function readIndents(
  file: IndexedFile,
  { lines }: Snippet,
  pairs: readonly IndentPair[],
  isLastTelling: boolean,
): 'literal' | 'moved' | undefined {
  const isSame = (pair: IndentPair | undefined) => pair !== undefined && pair[0][0] === pair[1];
  if (pairs.every(isSame)) return 'literal';
  // Nearly all indented lines match the file, including the last: the others were moved on purpose.
  const indented = pairs.filter(([[written], line]) => written !== '' || line !== '');
  const differing = indented.filter((pair) => !isSame(pair)).length;
  if (differing * LITERAL <= indented.length && isSame(pairs[0]) && isSame(pairs.at(-1))) return 'literal';
  const own = indentStyle(lines);
  if (own.kind !== file.style.kind || own.unit !== file.style.unit) return isUniform(pairs) ? 'moved' : undefined;
  // Both texts use the same levels, so lines can only be moved, all or some.
  if (isSame(pairs[0])) return isSame(pairs.at(-1)) || isLastTelling ? 'literal' : undefined;
  const shift = ([[written], line]: IndentPair) => line.length - written!.length;
  return isUniform(pairs) && pairs.every((pair) => shift(pair) === shift(pairs[0]!)) ? 'moved' : undefined;
}

/**
 * Converts tabs to blanks or blanks to tabs, level by level, if the file uses the others. In a file with only tabs, a
 * continuation line that is indented by less than a level becomes one level further in.
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
    // A line that the file has must not be moved by less than a level.
    if (at !== undefined && others.length === 0 && indentOf(file.lines[at]!) === levels) return levels;
    const isFurther = rest > 1 && !aligns;
    return levels + (isFurther ? '\t' : ' '.repeat(rest));
  });
}

/** The number of blanks per tab, by a vote of the lines that the file has exactly once and indents with tabs. */
function knownWidth(lines: readonly string[], file: IndexedFile): number | undefined {
  const votes = new Map<number, number>();
  for (const line of lines) {
    const [at, ...others] = file.at(looseKey(line));
    const indent = at === undefined || others.length > 0 ? '' : indentOf(file.lines[at]!);
    // A comment's later lines have a blank after the tabs, in either text.
    const tabs = /^\t*/.exec(indent)![0].length;
    const width = (indentOf(line).length - (indent.length - tabs)) / tabs;
    if (tabs > 0 && Number.isInteger(width) && width > 0) votes.set(width, (votes.get(width) ?? 0) + 1);
  }
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0];
}
