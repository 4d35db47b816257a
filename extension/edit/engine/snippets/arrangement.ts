// Merges the lines of a piece of code with the file's, or says why that is ambiguous.
import { diffLines } from '../../hunks/hunks.ts';
import {
  type Anchor,
  type BlockPair,
  blockPair,
  declarations,
  isNewDeclarations,
  type Snippet,
} from '../placing/anchors.ts';
import { closesBlock, depthOf, isAttached, isTelling, opensBlock, widthOf } from '../text/blocks.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { isBlank } from '../text/loose.ts';
import { lacksDeclaration, lostIn, MAX_SILENT } from './lost.ts';
import { type Arranged, arrange, type Part } from './snippetLines.ts';

/** A run of this many lines that also exists elsewhere in the file is not new. */
const COPIED = 6;
/** Unchanged lines this far from any change: a snippet that omits lines would have omitted these. */
export const FAR = 8;

export const WHY = {
  order: 'Its lines stand in another order in the file.',
  little: 'Too few of its lines are in the file to tell where it belongs.',
  leftOut:
    'It leaves out lines of the file without a mark that they stay, so Perigee can’t tell whether to delete them.',
  top: 'It begins with lines that are not in the file, so Perigee can’t tell whether they replace the lines above.',
  bottom: 'It ends with lines that are not in the file, so Perigee can’t tell whether they replace the lines below.',
  besideElision: 'New lines stand beside code that is left out, so Perigee can’t tell whether they replace some of it.',
  betweenElisions: 'New lines stand between code that is left out, so Perigee can’t tell where they belong.',
  whole: 'It may be the whole file without its first or last lines, or a part of it.',
  indentation: 'Its indentation differs from the file’s in more than one way.',
};

/** Whether the snippet shows lines far from any change, and so omits none. */
function showsFar({ lines, isElided }: Snippet, anchors: readonly Anchor[]): boolean {
  if (isElided.includes(true)) return false;
  let start = 0;
  return anchors.some(({ own, line }, index) => {
    const above = anchors[index - 1];
    if (above && (above.own + 1 !== own || above.line + 1 !== line)) start = index;
    const length = index - start + 1;
    const isAtEdge = anchors[start]!.own === 0 || own === lines.length - 1;
    return length >= (isAtEdge ? FAR : 2 * FAR);
  });
}

const says = (key: string) => /[\p{L}\p{N}_]/u.test(key);

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);

/** Merges a snippet's lines into the file, anchor by anchor. */
export class Arrangement {
  /** The declarations of the file and of the snippet. */
  private readonly known: ReadonlyMap<string, number[]>;
  private readonly own: ReadonlyMap<string, number[]>;
  /** How much further the file indents the lines than the snippet. */
  private readonly shift: number;
  readonly isComplete: boolean;
  /** Removed and added lines that may belong together. */
  private gone: string[] = [];
  private come: string[] = [];
  /** The names of removed declarations. */
  private lost: string[] = [];

  constructor(
    private readonly file: IndexedFile,
    private readonly snippet: Snippet,
    private readonly anchors: readonly Anchor[],
    readonly isAll: boolean,
  ) {
    this.known = declarations(file.lines);
    this.own = declarations(snippet.lines);
    this.shift = this.shiftOf(anchors[0]!);
    this.isComplete = showsFar(snippet, anchors);
  }

  /** Returns a message if there is more than one reading. */
  make(): Arranged | string {
    const { file, snippet, anchors } = this;
    if (this.isAll && lacksDeclaration(file, snippet)) return WHY.leftOut;
    const top = this.top(anchors[0]!);
    if (typeof top === 'string') return top;
    const bottom = this.bottom(anchors.at(-1)!);
    if (typeof bottom === 'string') return bottom;
    const parts: Part[] = [...top];
    for (const [index, anchor] of anchors.entries()) {
      this.count(anchor);
      parts.push(anchor);
      const next = anchors[index + 1];
      const between = next && this.between(anchor, next);
      if (typeof between === 'string') return between;
      parts.push(...(between ?? []));
      if (next && this.shiftOf(next) === this.shift && this.isLeftOut()) return WHY.leftOut;
    }
    if (this.isLeftOut()) return WHY.leftOut;
    parts.push(...bottom);
    return arrange(file, snippet, parts, this.isAll) ?? WHY.indentation;
  }

  /** The parts before the first anchor. */
  private top(first: Anchor): Part[] | string {
    const { file, snippet } = this;
    if (snippet.isElided.slice(0, first.own).includes(true)) return this.aroundElision(undefined, first);
    const own = snippet.lines.slice(0, first.own);
    if (this.isAll) return [...range(0, first.line).map((line) => ({ line })), ...own.map((_, at) => ({ own: at }))];
    if (own.length === 0) return [];
    const above = file.lines.slice(0, first.line).findLast((line) => !isBlank(line));
    const head = file.lines[first.line]!;
    const isInner = above !== undefined && widthOf(above) < widthOf(head) && opensBlock(above);
    const isNextToBlank = first.line === 0 || isBlank(file.lines[first.line - 1]!) || isInner;
    const isComment =
      isNextToBlank &&
      own.every(isAttached) &&
      declarations([head]).size > 0 &&
      !(above !== undefined && isAttached(above));
    const isNew = isInner && isNewDeclarations(snippet.lines, 0, first.own, this.known);
    if (above !== undefined ? !isComment && !isNew : this.repeats(0, first.own)) return WHY.top;
    return own.map((_, at) => ({ own: at }));
  }

  /** The parts after the last anchor. */
  private bottom(last: Anchor): Part[] | string {
    const { file, snippet } = this;
    const end = snippet.lines.length;
    if (snippet.isElided.slice(last.own).includes(true)) return this.aroundElision(last, undefined);
    if (this.isAll) {
      const gone = range(last.line + 1, file.lines.findLastIndex((line) => !isBlank(line)) + 1);
      return [...gone.map((line) => ({ line })), ...range(last.own + 1, end).map((own) => ({ own }))];
    }
    const block = this.openBlock(last);
    // Only a last line in both texts shows that the block ends in both.
    if (block) return last.own < end - 1 ? WHY.bottom : last.line < block.file.end - 1 ? WHY.leftOut : [];
    const own = snippet.lines.slice(last.own + 1);
    // A head that contains its body replaces the whole former block.
    const isShort = !opensBlock(snippet.lines[last.own]!) && opensBlock(file.lines[last.line]!);
    if (own.length === 0) return isShort ? WHY.leftOut : [];
    const below = file.lines.slice(last.line + 1).find((line) => !isBlank(line));
    const isInner = below !== undefined && widthOf(below) < widthOf(file.lines[last.line]!) && closesBlock(below);
    if (below !== undefined && !(isInner && isNewDeclarations(snippet.lines, last.own + 1, end, this.known)))
      return WHY.bottom;
    if (this.repeats(last.own + 1, end)) return WHY.bottom;
    return own.map((_, at) => ({ own: last.own + 1 + at }));
  }

  /** Whether most of these snippet lines exist in the file, so that they may be meant for those. */
  private repeats(start: number, end: number): boolean {
    const telling = this.snippet.keys.slice(start, end).filter(says);
    return 2 * telling.filter((key) => this.file.at(key).length > 0).length > telling.length;
  }

  /** The block without a closing line that contains the snippet's last lines and the last anchor. */
  private openBlock(last: Anchor): BlockPair | undefined {
    const { file, snippet, anchors } = this;
    for (const anchor of anchors) {
      if (!/:\s*(?:#.*)?$/.test(snippet.lines[anchor.own]!)) continue;
      const block = blockPair(file, snippet, anchor);
      const isOpen = block && !block.own.isClosed && !block.file.isClosed;
      if (isOpen && block.own.end === snippet.lines.length && block.file.end > last.line) return block;
    }
    return undefined;
  }

  private between(above: Anchor, below: Anchor): Part[] | string {
    const isElided = this.snippet.isElided.slice(above.own + 1, below.own).includes(true);
    return isElided ? this.aroundElision(above, below) : this.replaced(above, below);
  }

  /** The lines between two anchors: lines in both texts stay, the file's other lines are replaced. */
  private replaced(above: Anchor, below: Anchor): Part[] | string {
    const { file, snippet } = this;
    const old = file.keys.slice(above.line + 1, below.line);
    const fresh = snippet.keys.slice(above.own + 1, below.own);
    const parts: Part[] = [];
    let line = above.line + 1;
    let own = above.own + 1;
    const keepTo = (end: number) => {
      for (; line < end; line++, own++) {
        parts.push({ line, own });
        this.count({ line, own });
      }
    };
    const hunks = diffLines(old, fresh);
    const come = new Set(hunks.flatMap(({ newLines }) => newLines));
    // Lines removed without replacement were omitted, unless they appear elsewhere.
    const isSilent = hunks.some(
      ({ oldLines, newLines }) =>
        newLines.every((key) => key === '') && oldLines.some((key) => says(key) && !come.has(key)),
    );
    if (isSilent && !this.isAll && !this.isComplete) return WHY.leftOut;
    if (!this.isAll && hunks.some(({ newLines }) => this.isElsewhere(newLines))) return WHY.order;
    for (const hunk of hunks) {
      keepTo(above.line + 1 + hunk.oldStart);
      this.gone.push(...hunk.oldLines);
      this.lost.push(...lostIn(file, line, hunk, this));
      this.come.push(...hunk.newLines);
      for (const _ of hunk.oldLines) parts.push({ line: line++ });
      for (const _ of hunk.newLines) parts.push({ own: own++ });
    }
    keepTo(below.line);
    // An empty block may only mention its head.
    const isEmptied =
      below.own === above.own + 1 &&
      opensBlock(snippet.lines[above.own]!) &&
      closesBlock(snippet.lines[below.own] ?? '');
    return isEmptied && !this.isAll && old.some(isTelling) ? WHY.leftOut : parts;
  }

  /** Whether new lines exist in the file above or below the snippet: then it means more than these lines. */
  private isElsewhere(keys: readonly string[]): boolean {
    const [first, last] = [this.anchors[0]!.line, this.anchors.at(-1)!.line];
    return keys.some((_, at) => {
      const run = keys.slice(at, at + COPIED);
      if (run.length < COPIED || run.filter(isTelling).length * 2 < COPIED) return false;
      return this.file.places(run).some((line) => line > last || line + COPIED <= first);
    });
  }

  /** The same line at another indentation may be another line: count it as one removed and one added. */
  private count({ own, line }: Anchor): void {
    if (this.shiftOf({ own, line }) === this.shift) return;
    this.gone.push(this.file.keys[line]!);
    this.come.push(this.snippet.keys[own]!);
  }

  private shiftOf({ own, line }: Anchor): number {
    return widthOf(this.file.lines[line]!) - widthOf(this.snippet.lines[own]!);
  }

  /** Whether more was removed since the last call than an author would remove silently. */
  private isLeftOut(): boolean {
    const count = (keys: readonly string[]) => keys.filter(says).length;
    // A replacement with another bracket balance is no complete replacement.
    const isNothing = this.gone.some((key) => key !== '') && !this.come.some((key) => key !== '');
    const isHalf = !this.isComplete && (isNothing || depthOf(this.gone) !== depthOf(this.come));
    const isMuch = isHalf || count(this.gone) > Math.max(this.isComplete ? MAX_SILENT : 0, count(this.come));
    // A replaced function may as well have been omitted; in a whole file, only one without replacement counts.
    const named = declarations(this.come);
    const isMoved = (name: string) => this.own.get(name)?.length === 1 && this.known.get(name)?.length === 1;
    const names = this.lost.filter((name) => !name.startsWith('import ') && !named.has(name) && !isMoved(name));
    const fresh = [...named.keys()].filter((name) => !this.known.has(name)).length;
    const lost = new Set(names).size > (this.isAll ? fresh : 0);
    this.gone = [];
    this.come = [];
    this.lost = [];
    return lost || (isMuch && !this.isAll);
  }

  /**
   * Whether a block without closing line ends before line `end` of the snippet but continues in the file after the
   * anchor.
   */
  private isCut(last: Anchor, end: number): boolean {
    const { file, snippet, anchors } = this;
    return anchors.some((anchor) => {
      if (anchor.own > last.own || !/:\s*(?:#.*)?$/.test(snippet.lines[anchor.own]!)) return false;
      const block = blockPair(file, snippet, anchor);
      return (
        !!block &&
        !block.own.isClosed &&
        block.own.end <= end &&
        block.own.end > last.own &&
        block.file.end > last.line + 1
      );
    });
  }

  /** Omitted code between two anchors, or up to the file's edge, with new lines beside it. */
  private aroundElision(above: Anchor | undefined, below: Anchor | undefined): Part[] | string {
    const { file, snippet } = this;
    const from = (above?.own ?? -1) + 1;
    const to = below?.own ?? snippet.lines.length;
    const first = snippet.isElided.indexOf(true, from);
    const last = snippet.isElided.lastIndexOf(true, to - 1);
    const isFree = (start: number, end: number) =>
      snippet.lines.slice(start, end).every((line, at) => isBlank(line) || snippet.isElided[start + at]);
    if (!isFree(first, last)) return WHY.betweenElisions;
    if (above && this.isCut(above, first)) return WHY.leftOut;
    // The same line at another indentation may be another line, which was omitted.
    if ([above, below].some((anchor) => anchor && this.shiftOf(anchor) !== this.shift)) return WHY.besideElision;
    const [hasUpper, hasLower] = [!isFree(from, first), !isFree(last, to)];
    const isNew = (start: number, end: number) => isNewDeclarations(snippet.lines, start, end, this.known);
    if ((hasUpper && !isNew(from, first)) || (hasLower && !isNew(last + 1, to))) return WHY.besideElision;
    // A script's first lines are for the system that runs it.
    if (hasUpper && !above && /^(?:#!|<\?|["']use )/.test(file.lines[0]!)) return WHY.besideElision;
    const kept = { start: (above?.line ?? -1) + 1, end: below?.line ?? file.lines.length };
    const parts: Part[] = [];
    if (hasUpper) {
      // If both texts have a blank line here, keep only one.
      const isDouble = isBlank(snippet.lines[first - 1]!) && isBlank(file.lines[kept.start] ?? 'x');
      for (let own = from; own < first - (isDouble ? 1 : 0); own++) parts.push({ own });
    }
    // Nothing needs to be kept beyond the snippet's outermost lines.
    const isInner = (above || hasUpper) && (below || hasLower);
    for (let line = kept.start; isInner && line < kept.end; line++) parts.push({ line, stays: true });
    if (hasLower) {
      const isDouble = isBlank(snippet.lines[last + 1]!) && isBlank(file.lines[kept.end - 1] ?? 'x');
      for (let own = last + (isDouble ? 2 : 1); own < to; own++) parts.push({ own });
    }
    return parts;
  }
}
