import type { Divider, Edit } from '../edits.ts';
import { toChangeLines } from '../text/changeLines.ts';

/** `<<<<<<< SEARCH` as aider and Roo write it, `------- SEARCH` as Cline does. */
const HEAD = /^([ \t]*)(<{5,9}|-{5,9}) ?SEARCH>?[ \t]*$/;
const TAIL = /^([ \t]*)(>{5,9}|\+{5,9}) ?REPLACE>?[ \t]*$/;
const DIVIDER = /^([ \t]*)={5,9}[ \t]*$/;
/** An underline of a heading in Markdown or reStructuredText. */
const UNDERLINE = /^\s*([^\w\s])\1{2,}\s*$/;
const LINE_HINT = /^:(?:start_line|end_line):\s*\d+\s*$/;
const ESCAPED_MARK = /^\\(?=<{5,9}|={5,9}|>{5,9}|-{5,9}|:start_line:|:end_line:)/;

const MORE_DIVIDERS =
  'The block has more than one line of =======, so Perigee can’t tell which one divides old and new text.';

export const isBlockHead = (line: string) => HEAD.test(line);
export const isBlockTail = (line: string) => TAIL.test(line);

/** The result of one more line: the block continues, is complete, or is broken. */
export type BlockStep = 'open' | Edit;

/** Reads one search/replace block line by line, starting after its head. */
export class BlockReader {
  private readonly indent: string;
  /** The divider is as long as the head's mark, so that other underlines can be part of the text. */
  private readonly width: number;
  private readonly search: string[] = [];
  private replace: string[] | undefined;
  private isHinted = false;
  private isBelowHint = false;
  private dividers = 0;

  constructor(
    head: string,
    readonly path: string | undefined,
    readonly answerLine: number,
  ) {
    const [, indent = '', mark = ''] = HEAD.exec(head) ?? [];
    this.indent = indent;
    this.width = mark.length;
  }

  add(line: string): BlockStep {
    if (HEAD.test(line)) return this.malformed('A block begins inside another one, which has no end.');
    if (TAIL.test(line)) return this.close();
    // The replacement may repeat the hints.
    const isAtStart = (this.replace ?? this.search).length === 0 && (!this.replace || this.isHinted);
    if (isAtStart && LINE_HINT.test(line)) {
      this.isHinted = this.isBelowHint = true;
      return 'open';
    }
    const isHintEnd = this.isBelowHint && /^-{5,9}$/.test(line.trim());
    this.isBelowHint = false;
    if (isHintEnd) return 'open';
    if (DIVIDER.test(line) && line.trim().length === this.width) {
      this.dividers++;
      if (this.replace) this.replace.push(this.unmarked(line));
      else this.replace = [];
      return 'open';
    }
    (this.replace ?? this.search).push(this.unmarked(line));
    return 'open';
  }

  malformed(message: string): Edit {
    const lines = [...this.search, ...(this.replace ?? [])];
    return { kind: 'malformed', path: this.path, answerLine: this.answerLine, message, lines };
  }

  private close(): Edit {
    const { path, answerLine } = this;
    const sides = this.sides();
    if (typeof sides === 'string') return this.malformed(sides);
    const [search, replace, divider] = sides;
    const lines = toChangeLines(search, replace);
    const format = 'searchReplace';
    return { kind: 'change', format, path, answerLine, lines, divider, headings: [], atEndOfFile: false };
  }

  /** The old and new lines and the divider between them; a message if they can't be told apart. */
  private sides(): [search: string[], replace: string[], divider: Divider] | string {
    const { search, replace } = this;
    if (!replace) {
      // The marks differ in length: accept the only line that looks like a divider.
      const [at, ...others] = search.flatMap((line, index) => (DIVIDER.test(line) ? [index] : []));
      if (at === undefined) return 'The block has no line of ======= between the old and the new text.';
      if (others.length > 0) return MORE_DIVIDERS;
      return [search.slice(0, at), search.slice(at + 1), { text: search[at]!, mayBeText: true }];
    }
    const text = '='.repeat(this.width);
    if (this.dividers === 1) return [search, replace, { text, mayBeText: false }];
    // A doubled divider with an empty replacement is a deletion, unless one underline replaces another.
    const isDeletion = this.dividers === 2 && replace.length === 1 && !UNDERLINE.test(search.at(-1) ?? '');
    return isDeletion ? [search, [], { text, mayBeText: true }] : MORE_DIVIDERS;
  }

  private unmarked(line: string): string {
    const text = line.startsWith(this.indent) ? line.slice(this.indent.length) : line;
    return this.isHinted ? text.replace(ESCAPED_MARK, '') : text;
  }
}
