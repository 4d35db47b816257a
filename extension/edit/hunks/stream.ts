import { splitThoughts } from '../../../shared/answers/thoughts.ts';
import { splitLines } from './hunks.ts';

/** The replacement as known while the model writes, and at its end. */
export type Replacement =
  /** Nothing to show yet: no code block has begun. */
  | { kind: 'waiting' }
  /** The complete lines so far. `complete`: the code block, or the answer without one, has ended. */
  | { kind: 'lines'; lines: readonly string[]; complete: boolean }
  /** The model answered in prose instead of code; reported only at the answer's end. */
  | { kind: 'words'; text: string };

export interface AnswerContext {
  /** The lines to replace. */
  selection: readonly string[];
  languageId: string;
}

const FENCE = /^(\s*)(`{3,}|~{3,}(?!~))\s*((?:[^`\s][^`]*)?)$/;
const PROSE_LANGUAGES = new Set(['markdown', 'plaintext', 'latex', 'restructuredtext', 'asciidoc', 'git-commit']);

/**
 * The replacement in a model's answer: the content of its fenced code block, without the prose around it; or the whole
 * answer if it has none. `ended`: no more text will come. Until then only complete lines count.
 */
export function readAnswer(text: string, ended: boolean, context: AnswerContext): Replacement {
  const answer = splitThoughts(text).text;
  if (!ended) return new AnswerLines(context).read(answer);
  const lines = splitLines(answer);
  if (lines.at(-1) === '') lines.pop();
  const quotesFences = context.selection.some((line) => FENCE.test(line));
  const open = lines.findIndex((line) => FENCE.test(line));
  const fences = lines.filter((line) => FENCE.test(line)).length;
  const isItsOwnFence = quotesFences && fences <= 2 && FENCE.test(context.selection.find((l) => l.trim() !== '') ?? '');
  if (open === -1 || isItsOwnFence) return readUnfenced(lines, context);

  const [, indent = '', marks = ''] = FENCE.exec(lines[open]!)!;
  const body = lines.slice(open + 1);
  const close =
    quotesFences || PROSE_LANGUAGES.has(context.languageId)
      ? body.findLastIndex((line) => closes(line, marks))
      : findClose(body, marks);
  const block = (close === -1 ? body : body.slice(0, close)).map((line) => withoutIndent(line, indent));
  return { kind: 'lines', lines: fitIndentation(block, context.selection, true), complete: close !== -1 };
}

/**
 * The replacement while its answer streams in. Each line is read once, because the answer may be as long as its file.
 */
export class AnswerLines {
  private seen = '';
  /** The fence that opened the block. */
  private fence: { indent: string; marks: string } | undefined;
  private depth = 0;
  private isComplete = false;
  private fitted: readonly string[] = [];
  private fit: IndentationFit;
  private readonly quotesFences: boolean;

  constructor(private readonly context: AnswerContext) {
    this.fit = new IndentationFit(context.selection);
    this.quotesFences = context.selection.some((line) => FENCE.test(line));
  }

  /** `text`: the answer so far. If it doesn't continue the previous text, everything is read again. */
  read(text: string): Replacement {
    // If fences may be text, only the answer's end shows which are which.
    if (this.quotesFences) return { kind: 'waiting' };
    if (!text.startsWith(this.seen)) {
      this.seen = '';
      this.fence = undefined;
      this.depth = 0;
      this.isComplete = false;
      this.fitted = [];
      this.fit = new IndentationFit(this.context.selection);
    }
    // The text after the last line end counts only once nothing can follow it.
    const end = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r', text.length - 2)) + 1;
    if (end > this.seen.length) {
      const fresh = splitLines(text.slice(this.seen.length, end)).slice(0, -1);
      this.seen = text.slice(0, end);
      this.take(fresh);
    }
    return this.fence ? { kind: 'lines', lines: this.fitted, complete: this.isComplete } : { kind: 'waiting' };
  }

  private take(lines: readonly string[]): void {
    const block: string[] = [];
    for (const line of lines) {
      if (this.isComplete) break;
      const match = FENCE.exec(line);
      if (!this.fence) {
        if (match) this.fence = { indent: match[1]!, marks: match[2]! };
        continue;
      }
      if (match && match[2]!.startsWith(this.fence.marks)) {
        if (match[3] === '' && this.depth === 0) {
          this.isComplete = true;
          break;
        }
        this.depth += match[3] === '' ? -1 : 1;
      }
      block.push(withoutIndent(line, this.fence.indent));
    }
    if (block.length > 0) this.fitted = this.fit.take(block);
  }
}

/** For an answer at its length limit: whether its code block is complete, so that only prose is missing. */
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

/** Begins with a capital, has several words, ends with a punctuation mark, and contains no code characters. */
const isSentence = (line: string) => /^\p{Lu}[^{}<>=;]*[.!?:]$/u.test(line) && /\s/.test(line);

const closes = (line: string, marks: string) => {
  const match = FENCE.exec(line);
  return !!match && match[3] === '' && match[2]!.startsWith(marks);
};

/** The line that closes the block. Nested blocks, recognised by their language, close first. */
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

/** The indentation that all non-blank lines share. */
export function commonIndent(lines: readonly string[]): string {
  // All lines are blank: take the indentation of one, such as a line where code is to be inserted.
  return sharedIndent(lines) ?? indentOf(lines.find((line) => line !== '') ?? '');
}

/** As above, combined with the indentation shared by earlier lines; undefined if all are blank. */
function sharedIndent(lines: readonly string[], before?: string): string | undefined {
  let common = before;
  for (const line of lines) {
    if (line.trim() === '') continue;
    const indent = indentOf(line);
    common ??= indent;
    while (!indent.startsWith(common)) common = common.slice(0, -1);
  }
  return common;
}

/**
 * Models often write a block at the left margin, or with blanks in a file of tabs. Converts it to the selection's
 * indentation and style. If the answer differs from the selection in nothing else, the change was requested and stays.
 */
export function fitIndentation(lines: readonly string[], selection: readonly string[], ended: boolean): string[] {
  const fitted = new IndentationFit(selection).take(lines);
  const isChanged = fitted.some((line, index) => line !== lines[index]);
  if (ended && isChanged && lines.length === selection.length) {
    const onlyIndented = lines.every((line, index) => line.trimStart() === selection[index]!.trimStart());
    if (onlyIndented) return [...lines];
  }
  return fitted;
}

/** Converts streamed lines to a selection's indentation. */
class IndentationFit {
  private readonly wanted: string;
  /** The selection is indented only with tabs. */
  private readonly hasTabs: boolean;
  private readonly lines: string[] = [];
  private fitted: string[] = [];
  /** The number of blanks per tab; undefined if blanks stay. */
  private unit: number | undefined;
  private common: string | undefined;
  private missing = '';

  constructor(selection: readonly string[]) {
    const indents = selection.map(indentOf).filter((indent) => indent !== '');
    this.hasTabs = indents.length > 0 && indents.every((indent) => /^\t+$/.test(indent));
    this.wanted = commonIndent(selection);
  }

  /** Adds lines; returns all so far. Converts earlier lines again only if the new ones change the conversion. */
  take(fresh: readonly string[]): string[] {
    const { unit, missing, lines } = this;
    for (const line of fresh) lines.push(line);
    const widths = this.hasTabs ? fresh.map(indentOf).filter((indent) => /^ {2,}$/.test(indent)) : [];
    for (const { length } of widths) this.unit = Math.min(this.unit ?? length, length);
    const isOther = unit !== this.unit;
    const styled = (isOther ? lines : fresh).map((line) => this.styled(line));
    this.common = sharedIndent(styled, isOther ? undefined : this.common);
    const given = this.common ?? indentOf(this.styled(lines.find((line) => line !== '') ?? ''));
    const isFurther = given.length < this.wanted.length && this.wanted.startsWith(given);
    this.missing = isFurther ? this.wanted.slice(given.length) : '';
    const indented = (line: string) => (line.trim() === '' ? line : this.missing + line);
    this.fitted =
      isOther || missing !== this.missing
        ? lines.map((line) => indented(this.styled(line)))
        : [...this.fitted, ...styled.map(indented)];
    return this.fitted;
  }

  private styled(line: string): string {
    const { unit } = this;
    if (unit === undefined) return line;
    const blanks = /^ +/.exec(line)?.[0].length ?? 0;
    return '\t'.repeat(Math.floor(blanks / unit)) + ' '.repeat(blanks % unit) + line.slice(blanks);
  }
}
