import { FENCE, fenceLike } from '../../../../shared/answers/fences.ts';
import { isDiffLanguage } from '../../../../shared/answers/unifiedDiff.ts';
import type { Edit } from '../edits.ts';
import { type KnownPaths, type Named, NONE, named, readAbove, readInfo, readLine } from '../paths.ts';
import { BlockReader, isBlockHead, isBlockTail } from './blockReader.ts';
import { readDiff } from './diffReader.ts';
import { isPatchEnd, isPatchHead, PatchReader } from './patchReader.ts';

interface Fence {
  indent: string;
  marks: string;
  info: string;
  /** The file named by its info string or the line above. */
  named: Named;
  answerLine: number;
  /** Its lines, unless it is known to hold blocks or a patch. */
  lines: string[];
  kind: 'undecided' | 'code' | 'marked';
  /** Fences opened inside it. */
  depth: number;
  /** Some line inside looks like a fence. */
  quotes: boolean;
}

/** A fence that seems to have ended, but later lines may show that the end mark was only quoted. */
interface Doubt {
  /** The answer's line with that end mark, counted from 1. */
  line: number;
  /** That line and those after it. */
  held: string[];
  /** How many of them may be the fence's end. */
  ends: number;
}

const languageOf = (info: string) => /^[\w+#-]*/.exec(info.trim())![0];
/** Names of files that may quote fences. */
const PROSE = /\.(?:md|mdx|mdc|markdown|rst|adoc|txt)$|(?:^|\/)[^.]+$/i;
const PROSE_INFO = /^(?:md|mdx|markdown|rst|text|txt)\b/i;
/** The most fences in a row that are tried as the end of one. */
const MAX_ENDS = 64;
const QUOTED_IN_PATCH =
  'The patch has no end mark, and a fence inside it may be context, so Perigee can’t tell where it ends.';
const QUOTES = 'The code contains a fence itself, so Perigee can’t tell where it ends.';
/** A line with a patch's mark that is no list item. */
const PATCHED = /^(?:@@|[+-](?! \S))(?!--)/;
const AFTER_QUOTES = 'The code follows other code whose end is not clear, and may belong to it.';

/** The edit that is being written and isn't complete yet. */
export interface Pending {
  kind: 'block' | 'patch' | 'code';
  path?: string;
  answerLine: number;
}

/**
 * Reads the edits from a model's answer while it streams: search/replace blocks, V4A patches and fenced files, in prose
 * and in fences, several in one answer. Never throws: an edit that breaks the rules becomes a `malformed` edit.
 */
export class AnswerReader {
  private rest = '';
  private line = 0;
  private block: BlockReader | undefined;
  private patch: PatchReader | undefined;
  private patchLine = 0;
  private fence: Fence | undefined;
  private doubt: Doubt | undefined;
  /** The last file named for a block. Later blocks that name no file belong to it, too. */
  private last: Named = NONE;
  /** The file named for the block that is being read. */
  private ofBlock: Named = NONE;
  /** Prose since the last edit; it may name a path. */
  private prose: string[] = [];
  /** The last edit from a fenced file. The following lines may show that the fence ended too early. */
  private lastCode: { path: string | undefined; answerLine: number } | undefined;

  /** `defaultPath`: the file of blocks that name none. `known`: the paths that the answer may name. */
  constructor(
    private readonly defaultPath?: string,
    private readonly known?: KnownPaths,
  ) {}

  /** Takes more of the answer, cut anywhere. Returns the edits that it completes, in order. */
  feed(text: string): Edit[] {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop()!;
    return lines.flatMap((line) => this.add(line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  /** Ends the answer. An unfinished edit counts as cut off and is never applied. */
  end(): Edit[] {
    const edits = this.rest === '' ? [] : this.add(this.rest.endsWith('\r') ? this.rest.slice(0, -1) : this.rest);
    this.rest = '';
    while (this.doubt) edits.push(...this.settle());
    const { block, patch, fence } = this;
    if (block) edits.push(saying(this.ofBlock, block.malformed('The answer ended before the block did.')));
    if (patch) edits.push(...patch.broken('The answer ended before the patch did.', this.patchLine));
    if (fence && fence.kind !== 'marked') {
      const { answerLine, lines } = fence;
      const message = 'The answer ended before the code block did.';
      edits.push(saying(fence.named, { kind: 'malformed', path: pathOf(fence.named), answerLine, message, lines }));
    }
    this.block = this.patch = this.fence = undefined;
    return edits;
  }

  get pending(): Pending | undefined {
    if (this.block) return { kind: 'block', path: this.block.path, answerLine: this.block.answerLine };
    if (this.patch) return { kind: 'patch', path: this.patch.pending, answerLine: this.patchLine };
    if (this.fence && this.fence.kind !== 'marked') {
      return { kind: 'code', path: pathOf(this.fence.named), answerLine: this.fence.answerLine };
    }
    return undefined;
  }

  private add(line: string): Edit[] {
    this.line++;
    if (this.doubt && this.patch) return this.addToDoubtfulPatch(line, this.doubt, this.patch);
    if (this.doubt && this.fence) return this.addToDoubtfulFence(line, this.doubt, this.fence);
    if (this.block) return this.addToBlock(line, this.block);
    if (this.patch) return this.addToPatch(line, this.patch);
    if (this.fence && this.fence.kind !== 'marked') return this.addToFence(line, this.fence);
    return this.addToProse(line);
  }

  private addToBlock(line: string, block: BlockReader): Edit[] {
    const step = block.add(line);
    if (step === 'open') return [];
    this.block = undefined;
    this.prose = [];
    const edit = saying(this.ofBlock, step);
    // The head that broke the previous block begins the next one.
    return isBlockHead(line) ? [edit, ...this.openBlock(line, this.ofBlock)] : [edit];
  }

  private addToPatch(line: string, patch: PatchReader): Edit[] {
    // With a leading blank, the mark of context, it is a context line.
    if (this.fence && closes(line, this.fence) && !(line.startsWith(' ') && this.fence.indent === '')) {
      this.doubt = { line: this.line, held: [line], ends: 1 };
      return [];
    }
    const path = patch.pending;
    const edits = patch.add(line, this.line);
    if (path !== undefined) this.last = named(path);
    if (patch.isClosed) this.patch = undefined;
    return edits;
  }

  private addToFence(line: string, fence: Fence): Edit[] {
    if (fence.kind === 'undecided' && this.startsMarked(line, fence)) {
      const inside = fence.lines.map((held) => readLine(held, this.known)).find(({ kind }) => kind !== 'none');
      fence.kind = 'marked';
      return this.openMarked(line, inside ?? fence.named);
    }
    const match = fenceLike(line, fence);
    if (match) {
      // With a leading blank, the mark of context, it is a line of a diff.
      const isContext = line.startsWith(' ') && fence.indent === '' && isDiffLanguage(languageOf(fence.info));
      if (match[3] === '' && fence.depth === 0 && !isContext) {
        if (!mayQuote(fence)) return this.closeCode(fence, []);
        this.doubt = { line: this.line, held: [line], ends: 1 };
        return [];
      }
      fence.quotes = true;
      fence.depth += match[3] === '' ? -1 : 1;
    }
    fence.lines.push(unindented(line, fence));
    if (fence.kind === 'undecided' && line.trim() !== '') {
      const said = fence.lines.filter((held) => held.trim() !== '');
      if (said.length > 1 || (said[0] !== undefined && readLine(said[0], this.known).kind === 'none'))
        fence.kind = 'code';
    }
    return [];
  }

  /** Whether a fence that is empty or holds only a path so far turns out to hold blocks or a patch. */
  private startsMarked(line: string, fence: Fence): boolean {
    return isBlockHead(line) || (isPatchHead(line) && fence.lines.every((held) => held.trim() === ''));
  }

  private openMarked(line: string, said: Named): Edit[] {
    return isPatchHead(line) ? this.openPatch(line) : this.openBlock(line, said);
  }

  private closeCode({ named: said, info, answerLine, lines }: Fence, longer: string[][]): Edit[] {
    this.fence = undefined;
    this.prose = [];
    const path = pathOf(said);
    this.lastCode = { path, answerLine };
    const of = said.kind === 'unreadable' ? undefined : (path ?? this.defaultPath);
    const changes = longer.length === 0 && readDiff({ lines, path: of, answerLine }, languageOf(info));
    if (changes) return changes;
    return [saying(said, { kind: 'whole', path, answerLine, lines, ...(longer.length > 0 && { longer }) })];
  }

  /** Only the patch's end, its next file, or the end of the answer shows whether the fence in it was context. */
  private addToDoubtfulPatch(line: string, doubt: Doubt, patch: PatchReader): Edit[] {
    const isInPatch = isPatchEnd(line) || /^(?:\s+\*\*\* |\*\*\* (?!Begin))/.test(line);
    if (!isInPatch && (isBlockHead(line) || isPatchHead(line))) return [...this.settle(), ...this.addAgain([line])];
    doubt.held.push(line);
    if (!isInPatch) return [];
    this.doubt = undefined;
    const edits = doubt.held.flatMap((held, index) => (patch.isClosed ? [] : patch.add(held, doubt.line + index)));
    if (patch.isClosed) this.patch = undefined;
    return edits;
  }

  /** A line that clearly begins something else shows that the code has ended. */
  private addToDoubtfulFence(line: string, doubt: Doubt, fence: Fence): Edit[] {
    const isMarked = isBlockHead(line) || isPatchHead(line);
    const isOther = isMarked || this.opensNamed(line, doubt);
    if (isOther && fence.depth === 0) return [...this.settle(isMarked), ...this.addAgain([line])];
    const quoted = fenceLike(line, fence);
    // A fence with a language always opens, and the next one without a language closes it.
    if (quoted && quoted[3] !== '') fence.depth++;
    else if (quoted && fence.depth > 0) fence.depth--;
    else if (quoted) doubt.ends++;
    doubt.held.push(line);
    return [];
  }

  /** Whether `line` opens other code with a path in it or above it, and not a fence that `fence` quotes. */
  private opensNamed(line: string, { held, ends }: Doubt): boolean {
    const match = FENCE.exec(line);
    if (!match) return false;
    if (readInfo(match[3]!, this.known).kind !== 'none') return true;
    const above = held.findLastIndex((other) => other.trim() !== '');
    if (above === 0 || readLine(held[above]!, this.known).kind === 'none') return false;
    // Without a language it may also end a quoted list of paths, which begins at its own fence.
    const isFirst = above > 1 && held.findIndex((other, at) => at > 0 && other.trim() !== '') === above;
    // After an even number of ends no quote is open, so the following lines may still belong to the code.
    return (match[3] !== '' || isFirst) && ends % 2 === 1;
  }

  /**
   * Decides what the held lines are, and reads again those outside the fence or patch. `isMarked`: a block or a patch
   * follows, which a fence may have opened.
   */
  private settle(isMarked = false): Edit[] {
    const { doubt, patch, fence } = this;
    this.doubt = undefined;
    if (!doubt || !fence) return [];
    const [, ...after] = doubt.held;
    if (patch) {
      this.patch = this.fence = undefined;
      this.line = doubt.line;
      // A blank line separates prose from a fence.
      const isApart = after[0] === undefined || after[0].trim() === '';
      const isQuoted = patch.isUnmarked || !isApart || after.some((line) => PATCHED.test(line));
      const edits = isQuoted ? patch.broken(QUOTED_IN_PATCH, doubt.line) : patch.close(doubt.line);
      return [...edits, ...this.addAgain(after)];
    }
    // A fence directly above the next block or patch opens it.
    const last = after.findLastIndex((line) => line.trim() !== '' && readLine(line, this.known).kind === 'none');
    const opener = isMarked && last !== -1 && closes(after[last]!, fence) ? last : after.length;
    const ends = endsOf([doubt.held[0]!, ...after.slice(0, opener)], fence);
    this.line = doubt.line;
    if (ends.length % 2 === 0 || ends.length > MAX_ENDS) {
      const { named: said, answerLine, lines } = fence;
      this.fence = undefined;
      this.line += after.length;
      const edit = saying(said, { kind: 'malformed', path: pathOf(said), answerLine, message: QUOTES, lines });
      return [edit, ...this.refuseNamed(after, doubt.line + 1, fence)];
    }
    const [shortest, ...others] = ends
      .filter((_, index) => index % 2 === 0)
      .map((end) => [...fence.lines, ...doubt.held.slice(0, end).map((line) => unindented(line, fence))]);
    const edits = this.closeCode({ ...fence, lines: shortest! }, others);
    const end = ends.at(-1)!;
    this.line += end;
    return [...edits, ...this.addAgain(after.slice(end))];
  }

  /** Refuses code with a path among lines that may only be quoted. `first`: their first line number in the answer. */
  private refuseNamed(lines: readonly string[], first: number, fence: Fence): Edit[] {
    const edits: Edit[] = [];
    let above = '';
    let code: string[] | undefined;
    for (const [at, line] of lines.entries()) {
      const info = fenceLike(line, fence)?.[3];
      const said = info ? readLine(above, this.known) : NONE;
      if (line.trim() !== '') above = line;
      if (said.kind === 'named') {
        code = [];
        const answerLine = first + at;
        edits.push({ kind: 'malformed', path: said.path, answerLine, message: AFTER_QUOTES, lines: code });
      } else if (info === '') code = undefined;
      else code?.push(line);
    }
    return edits;
  }

  private addAgain(lines: readonly string[]): Edit[] {
    return lines.flatMap((line) => this.add(line));
  }

  private addToProse(line: string): Edit[] {
    const { fence } = this;
    if (isBlockHead(line)) return this.openBlock(line, NONE);
    if (isPatchHead(line)) return this.openPatch(line);
    if (isBlockTail(line) || isPatchEnd(line)) {
      const message = 'An end mark stands where no block is open, so the block before it ended too early.';
      const path = pathOf(this.before);
      return [saying(this.before, { kind: 'malformed', path, answerLine: this.line, message, lines: [] })];
    }
    if (fence && closes(line, fence)) {
      this.fence = undefined;
      return [];
    }
    const match = fence ? null : FENCE.exec(line);
    if (match) return this.openFence(match[1]!, match[2]!, match[3]!.trim());
    this.prose.push(line);
    return [];
  }

  private openFence(indent: string, marks: string, info: string): Edit[] {
    const inInfo = readInfo(info, this.known);
    const said = inInfo.kind === 'none' ? readLine(this.nearestProse(), this.known) : inInfo;
    const answerLine = this.line;
    this.fence = {
      indent,
      marks,
      info,
      named: said,
      answerLine,
      lines: [],
      kind: 'undecided',
      depth: 0,
      quotes: false,
    };
    const { lastCode } = this;
    this.lastCode = undefined;
    // A fence without a language right after code may be that code's real end; the code then quotes fences itself.
    if (!lastCode || info !== '' || said.kind !== 'none' || this.prose.some((line) => /[.:!?]\s*$/.test(line)))
      return [];
    return [{ kind: 'malformed', path: lastCode.path, answerLine: lastCode.answerLine, message: QUOTES, lines: [] }];
  }

  private openPatch(line: string): Edit[] {
    this.patch = new PatchReader();
    this.patchLine = this.line;
    this.prose = [];
    return this.addToPatch(line, this.patch);
  }

  private openBlock(head: string, said: Named): Edit[] {
    this.ofBlock = said.kind === 'none' ? readAbove(this.prose, this.before, this.known) : said;
    this.block = new BlockReader(head, pathOf(this.ofBlock), this.line);
    if (this.ofBlock.kind !== 'none') this.last = this.ofBlock;
    this.prose = [];
    return [];
  }

  private nearestProse(): string {
    return this.prose.findLast((line) => line.trim() !== '') ?? '';
  }

  /** The file of a block that names none. */
  private get before(): Named {
    return this.last.kind === 'none' && this.defaultPath !== undefined ? named(this.defaultPath) : this.last;
  }
}

const pathOf = (said: Named) => (said.kind === 'named' ? said.path : undefined);

/** Adds the words that name the file to an `edit` if they can't be parsed as a path. */
const saying = (said: Named, edit: Edit): Edit =>
  said.kind === 'unreadable' ? { ...edit, unreadable: said.text } : edit;

const closes = (line: string, fence: Fence) => fenceLike(line, fence)?.[3] === '';

/** Whether the code may contain fences, so that the reader must wait for the following lines. */
const mayQuote = ({ named: said, info, quotes }: Fence) =>
  quotes || (said.kind === 'named' ? PROSE.test(said.path) : PROSE_INFO.test(info));

/** The lines that may end the fence: those that look like an end, except the ends of fences with a language. */
function endsOf(lines: readonly string[], fence: Fence): number[] {
  let depth = 0;
  return lines.flatMap((line, index) => {
    const match = fenceLike(line, fence);
    if (!match) return [];
    if (match[3] !== '') depth++;
    else if (depth > 0) depth--;
    else return [index];
    return [];
  });
}

const unindented = (line: string, { indent }: Fence) => (line.startsWith(indent) ? line.slice(indent.length) : line);
