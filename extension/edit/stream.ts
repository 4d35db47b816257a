import { splitThoughts } from '../../shared/thoughts.ts';
import { splitLines } from './hunks.ts';

/** What is known of the replacement while the model writes, and at its end. */
export type Replacement =
  /** Nothing to show yet: no code block has begun. */
  | { kind: 'waiting' }
  /** Whole lines so far. `complete`: the code block has ended, or the answer without one has. */
  | { kind: 'lines'; lines: string[]; complete: boolean }
  /** The model answered in words instead of code; only told once the answer has ended. */
  | { kind: 'words'; text: string };

export interface AnswerContext {
  /** The lines that are to be replaced. */
  selection: readonly string[];
  languageId: string;
}

const FENCE = /^(\s*)(`{3,}|~{3,}(?!~))\s*((?:[^`\s][^`]*)?)$/;
const PROSE_LANGUAGES = new Set(['markdown', 'plaintext', 'latex', 'restructuredtext', 'asciidoc', 'git-commit']);

/**
 * The replacement in a model's answer: what stands in its fenced code block, words before and after it left out; or all of
 * an answer without one. `ended`: no more text will come. Until then only finished lines count.
 */
export function readAnswer(text: string, ended: boolean, context: AnswerContext): Replacement {
  const lines = splitLines(splitThoughts(text).text);
  // What stands after the last line end is a line only when nothing can be added to it any more.
  if (!ended || lines.at(-1) === '') lines.pop();
  const quotesFences = context.selection.some((line) => FENCE.test(line));
  if (quotesFences && !ended) return { kind: 'waiting' };

  const open = lines.findIndex((line) => FENCE.test(line));
  const fences = lines.filter((line) => FENCE.test(line)).length;
  const isItsOwnFence = quotesFences && fences <= 2 && FENCE.test(context.selection.find((l) => l.trim() !== '') ?? '');
  if (open === -1 || isItsOwnFence) return ended ? readUnfenced(lines, context) : { kind: 'waiting' };

  const [, indent = '', marks = ''] = FENCE.exec(lines[open]!)!;
  const body = lines.slice(open + 1);
  const close =
    ended && (quotesFences || PROSE_LANGUAGES.has(context.languageId))
      ? body.findLastIndex((line) => closes(line, marks))
      : findClose(body, marks);
  const block = (close === -1 ? body : body.slice(0, close)).map((line) => withoutIndent(line, indent));
  return { kind: 'lines', lines: fitIndentation(block, context.selection, ended), complete: close !== -1 };
}

/** Of an answer at its length limit: whether its code block is whole all the same, so that only words after it are missing. */
export function isClosed(text: string, context: AnswerContext): boolean {
  const soFar = readAnswer(text, false, context);
  return soFar.kind === 'lines' && soFar.complete;
}

function readUnfenced(lines: string[], context: AnswerContext): Replacement {
  const inline = /^```([^`\n]+)```$/.exec(lines.join('\n').trim())?.[1];
  if (inline !== undefined) {
    return { kind: 'lines', lines: fitIndentation([inline], context.selection, true), complete: true };
  }
  const said = lines.filter((line) => line.trim() !== '');
  if (said.length === 0) return { kind: 'waiting' };
  const known = new Set(context.selection);
  const isWords =
    !PROSE_LANGUAGES.has(context.languageId) && said.every((line) => !known.has(line) && isSentence(line.trim()));
  if (isWords) return { kind: 'words', text: said.join('\n') };
  return { kind: 'lines', lines: fitIndentation(lines, context.selection, true), complete: true };
}

/** A capital first, several words, a mark at the end, and nothing that code would have. */
const isSentence = (line: string) => /^\p{Lu}[^{}<>=;]*[.!?:]$/u.test(line) && /\s/.test(line);

const closes = (line: string, marks: string) => {
  const match = FENCE.exec(line);
  return !!match && match[3] === '' && match[2]!.startsWith(marks);
};

/** The line that ends the block: blocks that begin inside it, told by their language's name, end first. */
function findClose(body: readonly string[], marks: string): number {
  let depth = 0;
  for (const [index, line] of body.entries()) {
    const match = FENCE.exec(line);
    if (!match || !match[2]!.startsWith(marks)) continue;
    if (match[3] !== '') depth++;
    else if (depth > 0) depth--;
    else return index;
  }
  return -1;
}

const withoutIndent = (line: string, indent: string) => (line.startsWith(indent) ? line.slice(indent.length) : line);

const indentOf = (line: string) => /^[ \t]*/.exec(line)![0];

/** The indentation that all lines with text have in common. */
export function commonIndent(lines: readonly string[]): string {
  let common: string | undefined;
  for (const line of lines) {
    if (line.trim() === '') continue;
    const indent = indentOf(line);
    if (common === undefined) common = indent;
    while (!indent.startsWith(common)) common = common.slice(0, -1);
  }
  // A blank line that is indented, such as one where something is to be written.
  return common ?? indentOf(lines.find((line) => line !== '') ?? '');
}

/**
 * Models like to write a block as if it stood at the left margin, or with blanks where the file has tabs: brought back to
 * the selection's indentation and style. But an answer that differs from the selection in nothing else was asked for.
 */
export function fitIndentation(lines: readonly string[], selection: readonly string[], ended: boolean): string[] {
  const fitted = withIndent(withStyle(lines, selection), commonIndent(selection));
  const isChanged = fitted.some((line, index) => line !== lines[index]);
  if (ended && isChanged && lines.length === selection.length) {
    const onlyIndented = lines.every((line, index) => line.trimStart() === selection[index]!.trimStart());
    if (onlyIndented) return [...lines];
  }
  return fitted;
}

function withIndent(lines: readonly string[], wanted: string): string[] {
  const given = commonIndent(lines);
  if (given.length >= wanted.length || !wanted.startsWith(given)) return [...lines];
  const missing = wanted.slice(given.length);
  return lines.map((line) => (line.trim() === '' ? line : missing + line));
}

/** `lines` indented by tabs where the selection uses nothing but tabs. */
function withStyle(lines: readonly string[], selection: readonly string[]): string[] {
  const indents = selection.map(indentOf).filter((indent) => indent !== '');
  if (indents.length === 0 || !indents.every((indent) => /^\t+$/.test(indent))) return [...lines];
  const widths = lines.map((line) => indentOf(line)).filter((indent) => /^ {2,}$/.test(indent));
  if (widths.length === 0) return [...lines];
  const unit = Math.min(...widths.map((indent) => indent.length));
  return lines.map((line) => {
    const blanks = /^ +/.exec(line)?.[0].length ?? 0;
    return '\t'.repeat(Math.floor(blanks / unit)) + ' '.repeat(blanks % unit) + line.slice(blanks);
  });
}
