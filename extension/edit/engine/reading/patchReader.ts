import type { ChangeLine, Edit } from '../edits.ts';
import { isBlank } from '../text/loose.ts';

const BEGIN = /^\s*\*\*\* Begin Patch\s*$/;
const END = /^\s*\*\*\* End Patch\s*$/;
const FILE = /^\s*\*\*\* (Add|Update|Delete) File:(.*)$/;
const MOVE = /^\s*\*\*\* Move to:(.*)$/;
const END_OF_FILE = /^\s*\*\*\* End of File\s*$/;
const HEADING = /^@@(.*)$/;
/** Line numbers of a unified diff. A heading after them is the tool's guess, which V4A doesn't have. */
const LINE_NUMBERS = /^-?\d{1,9}(?:,\d{1,9})?(?:\s{1,4}\+?\d{1,9}(?:,\d{1,9})?)?(?:\s{0,4}@@.*)?$|^-\d[^+]{0,99}\+\d/;

export const isPatchHead = (line: string) => BEGIN.test(line) || FILE.test(line);
export const isPatchEnd = (line: string) => END.test(line);

/** Reads a V4A patch line by line. Returns each change once the next one, or the end, shows that it is complete. */
export class PatchReader {
  private path: string | undefined;
  private action: 'Add' | 'Update' | 'Delete' | undefined;
  private fileLine = 0;
  private isTouched = false;
  private isBroken = false;
  private added: string[] = [];
  private lines: ChangeLine[] = [];
  private headings: string[] = [];
  private changeLine = 0;
  private atEndOfFile = false;
  private isEmpty = true;
  isClosed = false;
  /** Some context line lacks its leading blank. */
  isUnmarked = false;

  /** The file that the patch is changing at this point. */
  get pending(): string | undefined {
    return this.path;
  }

  /** `answerLine` counts from 1. Returns the changes that this line completes. */
  add(line: string, answerLine: number): Edit[] {
    if (BEGIN.test(line))
      return this.path === undefined ? [] : this.broken('A patch begins inside another one.', answerLine);
    if (END.test(line)) return this.close(answerLine);
    const file = FILE.exec(line);
    const isInChange = this.action === 'Update' && this.lines.length > 0;
    if (isInChange && !this.isBroken && line.startsWith(' ') && (file || MOVE.test(line) || END_OF_FILE.test(line))) {
      return this.broken(
        'A kept line of the patch reads like one of its marks, so Perigee can’t tell which it is.',
        answerLine,
      );
    }
    if (file) {
      const edits = this.closeFile();
      this.isEmpty = false;
      this.action = file[1] as 'Add' | 'Update' | 'Delete';
      this.path = file[2]!.trim();
      this.fileLine = answerLine;
      this.isTouched = false;
      this.isBroken = false;
      if (this.path === '') return [...edits, ...this.broken('The patch names no file.', answerLine)];
      return edits;
    }
    if (this.isBroken) return [];
    const move = MOVE.exec(line);
    if (move && this.action === 'Update') {
      this.isTouched = true;
      return [{ kind: 'move', path: this.path, to: move[1]!.trim(), answerLine }];
    }
    if (END_OF_FILE.test(line) && this.action === 'Update') {
      this.atEndOfFile = true;
      return this.closeChange();
    }
    if (/^\*\*\* /.test(line)) return this.broken(`A patch has no line "${line.trim()}".`, answerLine);
    if (this.action === 'Update') return this.addToUpdate(line, answerLine);
    if (this.action === 'Add') return this.addToNew(line, answerLine);
    if (isBlank(line)) return [];
    const message = this.action
      ? 'A deleted file has lines of its own.'
      : 'The patch has lines before it names a file.';
    return this.broken(message, answerLine);
  }

  /** Ends the patch, at its own end mark or at the end of the code block around it. */
  close(answerLine: number): Edit[] {
    const edits = this.closeFile();
    this.isClosed = true;
    if (!this.isEmpty) return edits;
    return [{ kind: 'malformed', answerLine, message: 'The patch is empty.', lines: [] }];
  }

  broken(message: string, answerLine: number): Edit[] {
    if (this.isBroken) return [];
    this.isBroken = true;
    this.isEmpty = false;
    const lines = this.lines.map(({ text }) => text);
    this.lines = [];
    this.headings = [];
    return [{ kind: 'malformed', path: this.path, answerLine, message, lines }];
  }

  private addToNew(line: string, answerLine: number): Edit[] {
    if (line.startsWith('+')) this.added.push(line.slice(1));
    else if (!isBlank(line)) return this.broken('A line of the new file lacks its plus.', answerLine);
    else this.added.push('\0');
    return [];
  }

  private addToUpdate(line: string, answerLine: number): Edit[] {
    const heading = HEADING.exec(line);
    if (heading) {
      const edits = this.closeChange(true);
      const said = heading[1]!.trim();
      const text = (said.endsWith('@@') ? said.slice(0, -2) : said).trim();
      if (text !== '' && !LINE_NUMBERS.test(text)) this.headings.push(text);
      return edits;
    }
    if (this.lines.length === 0) this.changeLine = answerLine;
    const mark = line[0];
    if (mark === '+') this.lines.push({ op: 'new', text: line.slice(1) });
    else if (mark === '-') this.lines.push({ op: 'old', text: line.slice(1) });
    else if (mark === ' ') this.lines.push({ op: 'keep', text: line.slice(1), otherText: line });
    else {
      this.isUnmarked ||= !isBlank(line);
      this.lines.push({ op: 'keep', text: line });
    }
    return [];
  }

  /** `isMore`: another change in the same file follows. */
  private closeChange(isMore = false): Edit[] {
    const { lines, headings, atEndOfFile, path, changeLine } = this;
    this.atEndOfFile = false;
    this.lines = [];
    // A heading without lines of its own belongs to the next change.
    if (lines.every((line) => line.op === 'keep' && isBlank(line.text))) return [];
    this.headings = [];
    this.isTouched = true;
    if (lines.every(({ op }) => op === 'keep')) {
      // The next change of the file's patch belongs below this one.
      if (isMore) {
        this.headings = [...headings, ...lines.flatMap(({ text }) => (isBlank(text) ? [] : [text.trim()]))];
        return [];
      }
      const message = 'A part of the patch has only context and changes nothing.';
      return [{ kind: 'malformed', path, answerLine: changeLine, message, lines: lines.map(({ text }) => text) }];
    }
    return [{ kind: 'change', format: 'v4a', path, answerLine: changeLine, lines, headings, atEndOfFile }];
  }

  private closeFile(): Edit[] {
    const { action, path, fileLine } = this;
    const edits = this.isBroken ? [] : this.closeOpenFile();
    this.path = undefined;
    this.action = undefined;
    this.lines = [];
    this.headings = [];
    this.added = [];
    if (action === 'Update' && !this.isTouched && !this.isBroken) {
      edits.push({
        kind: 'malformed',
        path,
        answerLine: fileLine,
        message: 'The update of the file is empty.',
        lines: [],
      });
    }
    return edits;
  }

  private closeOpenFile(): Edit[] {
    const { action, path, fileLine } = this;
    if (action === 'Update') return this.closeChange();
    if (action === 'Delete') return [{ kind: 'delete', path, answerLine: fileLine }];
    if (action !== 'Add') return [];
    while (this.added.at(-1) === '\0') this.added.pop();
    if (this.added.includes('\0')) return this.broken('A blank line of the new file lacks its plus.', fileLine);
    return [{ kind: 'create', path, answerLine: fileLine, lines: this.added }];
  }
}
