import { BlockReader, isBlockHead, isBlockTail } from './blockReader.ts';
import type { Edit } from './edits.ts';
import { isPatchEnd, isPatchHead, PatchReader } from './patchReader.ts';
import { pathAbove, pathOfInfo, pathOfLine } from './paths.ts';

const FENCE = /^([ \t]*)(`{3,}|~{3,})[ \t]*([^`]*)$/;

interface Fence {
  indent: string;
  marks: string;
  info: string;
  path: string | undefined;
  answerLine: number;
  /** What stands in it, unless it is known to hold blocks or a patch. */
  lines: string[];
  kind: 'undecided' | 'code' | 'marked';
  /** Fences that were opened inside. */
  depth: number;
}

/** What is being written at this moment, and isn't whole yet. */
export interface Pending {
  kind: 'block' | 'patch' | 'code';
  path?: string;
  answerLine: number;
}

/**
 * Reads the edits out of a model's answer while it comes: search/replace blocks, V4A patches and fenced files, in prose and
 * in fences, several in one answer. Never throws: what breaks the rules comes out as a `malformed` edit.
 */
export class AnswerReader {
  private rest = '';
  private line = 0;
  private block: BlockReader | undefined;
  private patch: PatchReader | undefined;
  private patchLine = 0;
  private fence: Fence | undefined;
  /** The last path that was named for a block: later blocks without one are for the same file. */
  private lastPath: string | undefined;
  /** Prose since the last edit, for the path that it may name. */
  private prose: string[] = [];
  /** The last edit of a fenced file: what follows may show that the fence ended too early. */
  private lastCode: { path: string | undefined; answerLine: number } | undefined;

  /** `defaultPath`: the file of blocks that name none. */
  constructor(private readonly defaultPath?: string) {}

  /** Takes more of the answer, cut anywhere; gives what became whole by it, in order. */
  feed(text: string): Edit[] {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop()!;
    return lines.flatMap((line) => this.add(line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  /** The answer has ended. What is open then is cut off, and never written. */
  end(): Edit[] {
    const edits = this.rest === '' ? [] : this.add(this.rest.endsWith('\r') ? this.rest.slice(0, -1) : this.rest);
    this.rest = '';
    const { block, patch, fence } = this;
    if (block) edits.push(block.malformed('The answer ended before the block did.'));
    if (patch) edits.push(...patch.broken('The answer ended before the patch did.', this.patchLine));
    if (fence && fence.kind !== 'marked') {
      const { path, answerLine, lines } = fence;
      edits.push({
        kind: 'malformed',
        path,
        answerLine,
        message: 'The answer ended before the code block did.',
        lines,
      });
    }
    this.block = this.patch = this.fence = undefined;
    return edits;
  }

  get pending(): Pending | undefined {
    if (this.block) return { kind: 'block', path: this.block.path, answerLine: this.block.answerLine };
    if (this.patch) return { kind: 'patch', path: this.patch.pending, answerLine: this.patchLine };
    if (this.fence && this.fence.kind !== 'marked') {
      return { kind: 'code', path: this.fence.path, answerLine: this.fence.answerLine };
    }
    return undefined;
  }

  private add(line: string): Edit[] {
    this.line++;
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
    // The head that broke the one before begins the next.
    return isBlockHead(line) ? [step, ...this.openBlock(line, block.path)] : [step];
  }

  private addToPatch(line: string, patch: PatchReader): Edit[] {
    const { fence } = this;
    if (fence && closes(line, fence)) {
      this.fence = undefined;
      this.patch = undefined;
      return patch.close(this.line);
    }
    const path = patch.pending;
    const edits = patch.add(line, this.line);
    this.lastPath = path ?? this.lastPath;
    if (patch.isClosed) this.patch = undefined;
    return edits;
  }

  private addToFence(line: string, fence: Fence): Edit[] {
    if (fence.kind === 'undecided' && this.startsMarked(line, fence)) {
      const [named] = fence.lines.filter((held) => held.trim() !== '').map(pathOfLine);
      fence.kind = 'marked';
      return this.openMarked(line, named ?? fence.path);
    }
    const match = FENCE.exec(line);
    if (match && match[2]![0] === fence.marks[0] && match[2]!.length >= fence.marks.length) {
      if (match[3] !== '') fence.depth++;
      else if (fence.depth > 0) fence.depth--;
      else {
        this.fence = undefined;
        return this.closeCode(fence);
      }
    }
    fence.lines.push(line.startsWith(fence.indent) ? line.slice(fence.indent.length) : line);
    const said = fence.lines.filter((held) => held.trim() !== '');
    if (said.length > 1 || (said[0] !== undefined && pathOfLine(said[0]) === undefined)) fence.kind = 'code';
    return [];
  }

  /** Whether a fence that has shown nothing, or only a path so far, turns out to hold blocks or a patch. */
  private startsMarked(line: string, fence: Fence): boolean {
    return isBlockHead(line) || (isPatchHead(line) && fence.lines.every((held) => held.trim() === ''));
  }

  private openMarked(line: string, path: string | undefined): Edit[] {
    return isPatchHead(line) ? this.openPatch(line) : this.openBlock(line, path);
  }

  private closeCode({ path, answerLine, lines }: Fence): Edit[] {
    this.prose = [];
    this.lastCode = { path, answerLine };
    return [{ kind: 'whole', path, answerLine, lines }];
  }

  private addToProse(line: string): Edit[] {
    const { fence } = this;
    if (isBlockHead(line)) return this.openBlock(line, undefined);
    if (isPatchHead(line)) return this.openPatch(line);
    if (isBlockTail(line) || isPatchEnd(line)) {
      const message = 'A mark of an end stands where nothing was open: what came before ended too early.';
      return [
        { kind: 'malformed', path: this.lastPath ?? this.defaultPath, answerLine: this.line, message, lines: [] },
      ];
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
    const path = pathOfInfo(info) ?? pathOfLine(this.nearestProse());
    const answerLine = this.line;
    this.fence = { indent, marks, info, path, answerLine, lines: [], kind: 'undecided', depth: 0 };
    const { lastCode } = this;
    this.lastCode = undefined;
    // A fence without a language just after code may be the real end of that code, which quotes fences itself.
    if (!lastCode || info !== '' || path !== undefined || this.prose.some((line) => /[.:!?]\s*$/.test(line))) return [];
    const message = 'The code quotes a fence of its own, so its end cannot be told.';
    return [{ kind: 'malformed', path: lastCode.path, answerLine: lastCode.answerLine, message, lines: [] }];
  }

  private openPatch(line: string): Edit[] {
    this.patch = new PatchReader();
    this.patchLine = this.line;
    this.prose = [];
    return this.addToPatch(line, this.patch);
  }

  private openBlock(head: string, named: string | undefined): Edit[] {
    const path = named ?? this.pathForBlock();
    this.block = new BlockReader(head, path, this.line);
    if (path !== undefined) this.lastPath = path;
    this.prose = [];
    return [];
  }

  private nearestProse(): string {
    return this.prose.findLast((line) => line.trim() !== '') ?? '';
  }

  /** The path named since the last edit, or the file of that edit; undefined when prose leaves open which it is. */
  private pathForBlock(): string | undefined {
    return pathAbove(this.prose, this.lastPath ?? this.defaultPath) ?? undefined;
  }
}

function closes(line: string, fence: Fence): boolean {
  const match = FENCE.exec(line);
  return !!match && match[3] === '' && match[2]![0] === fence.marks[0] && match[2]!.length >= fence.marks.length;
}
