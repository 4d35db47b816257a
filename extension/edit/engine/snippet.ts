import { diffLines } from '../hunks.ts';
import {
  type Anchor,
  type BlockPair,
  blockPair,
  declarations,
  findAnchors,
  isNewDeclarations,
  type Snippet,
} from './anchors.ts';
import { closesBlock, depthOf, isAttached, isTelling, opensBlock, widthOf } from './blocks.ts';
import { toPlacedHunks } from './changeLines.ts';
import type { Edit, PlacedHunk, Reason } from './edits.ts';
import type { FilePlan } from './filePlanner.ts';
import { applyHunks } from './fileText.ts';
import { IndexedFile } from './indexedFile.ts';
import { isHint, MARKS, withoutNumbers } from './lineMarks.ts';
import { elisionsIn, isBlank, looseKey, trimTrail } from './loose.ts';
import { readLine } from './paths.ts';
import { toHunks } from './place.ts';
import { planFile } from './plan.ts';
import { refusal } from './refusals.ts';
import { nearestLines } from './similarity.ts';
import { type Arranged, arrange, inStyle, type Part } from './snippetLines.ts';
import { lostAtEnd } from './wholeFile.ts';

/** So many lines may go without any in their place, from code that is surely shown whole. */
const MAX_SILENT = 3;
/** Unchanged lines so far from any change would have been left out if any were. */
const FAR = 8;
/** Lines at either edge of a whole file that may be changed. */
const EDGE = 2;

const WHY = {
  order: 'Its lines stand in another order in the file.',
  little: 'Too few of its lines are in the file to tell where it belongs.',
  leftOut: 'It leaves out lines of the file without a sign that they stay: what becomes of them cannot be told.',
  top: 'It begins with lines that are not in the file: whether they replace those above cannot be told.',
  bottom: 'It ends with lines that are not in the file: whether they replace those below cannot be told.',
  besideElision: 'New lines stand beside code that is left out: whether they replace some of it cannot be told.',
  betweenElisions: 'New lines stand between code that is left out: where they belong cannot be told.',
  whole: 'It may be the whole file without its first or last lines, or a part of it.',
  indentation: 'It is indented otherwise than the file, and not all the same.',
};

/**
 * What a piece of code without any marks, from a model's answer, makes of the file `before`: of all of it, or of a part, or of
 * several parts with marks such as `// ... existing code ...` between them, which keep what stands there. Refused as
 * `notFound` when nothing of it is in the file, so that nobody can tell where it belongs, and as `uncertain` when it can be
 * read in more than one way. What it leaves out between two known lines goes only where little goes.
 */
export function planSnippet(path: string, before: string | undefined, lines: readonly string[]): FilePlan {
  const edit: Edit = { kind: 'whole', path, lines: [...lines], answerLine: 1 };
  if (before === undefined) return planFile(path, undefined, [edit]);
  const file = new IndexedFile(before);
  if (file.lines.every(isBlank)) return planFile(path, before, [edit]);
  const refuse = (reason: Reason, message: string): FilePlan => {
    const nearest = reason === 'notFound' ? nearestLines(file, lines) : undefined;
    const refusals = [refusal(edit, reason, message, { lookedFor: [...lines], nearest })];
    return { kind: 'refused', path, before, refusals, placed: [] };
  };

  const unnumbered = withoutNumbers(file, lines);
  if (typeof unnumbered === 'string') return refuse('uncertain', unnumbered);
  if (isHint(file, unnumbered.find((line) => !isBlank(line)) ?? '')) return refuse('uncertain', MARKS.hint);
  const snippet = readSnippet(file, unnumbered);
  const anchors = findAnchors(file, snippet);
  if (!anchors) return refuse('uncertain', WHY.order);
  if (anchors.length === 0) return refuse('notFound', 'None of its lines tells where in the file it belongs.');
  if (!isEnough(file, snippet, anchors)) return refuse('uncertain', WHY.little);
  const isAll = isWhole(file, snippet, anchors);
  if (!isAll && mayBeWhole(file, snippet, anchors)) return refuse('uncertain', WHY.whole);
  const arranged = new Arrangement(file, snippet, anchors, isAll).make();
  if (typeof arranged === 'string') return refuse('uncertain', arranged);

  const { start, pairs, isTypeset } = arranged;
  const isMoved = pairs.some(([[written], own]) => written !== own);
  const how = isTypeset ? 'punctuation' : isMoved ? 'reindented' : 'exact';
  const changes = toHunks(file, { kind: 'found', start, how, lines: arranged.lines, pairs });
  if (typeof changes === 'string') return refuse('uncertain', changes);
  const hunks = changes.flatMap(({ oldLines, newLines, startLine }) =>
    toPlacedHunks(oldLines, newLines, startLine).map((hunk): PlacedHunk => ({ ...hunk, how })),
  );
  if (hunks.length === 0) return refuse('noChange', 'The file reads so already.');
  return { kind: 'update', path, before, after: applyHunks(file.text, hunks), hunks };
}

function readSnippet(file: IndexedFile, written: readonly string[]): Snippet {
  const first = written.findIndex((line) => !isBlank(line));
  const last = written.findLastIndex((line) => !isBlank(line));
  let lines = written.slice(first, last + 1);
  // A comment that names the file.
  const [head] = lines;
  const isName = head !== undefined && /^(?:\/\/|#|--|<!--|\/\*)/.test(head) && isOnlyPath(head);
  if (isName && file.at(looseKey(head)).length === 0)
    lines = lines.slice(lines.findIndex((line, at) => at > 0 && !isBlank(line)));
  const isElided = elisionsIn(lines, (key) => file.at(key).length > 0);
  lines = inStyle(lines, file);
  return { lines, keys: lines.map(looseKey), isElided };
}

/** Whether a comment says a path and nothing else. */
function isOnlyPath(comment: string): boolean {
  const said = readLine(comment);
  return said.kind === 'named' && /^\W*(?:file(?:name)?|path)?\W*$/i.test(comment.replace(said.path, ''));
}

/** Whether the anchors say more than what may stand in two pieces of code by chance. */
function isEnough(file: IndexedFile, { keys, lines }: Snippet, anchors: readonly Anchor[]): boolean {
  const telling = anchors.filter(({ own, line }) => keys[own] === file.keys[line] && isTelling(keys[own]!));
  const isDeclared = anchors.some(({ own, line }) => declarations([lines[own]!, file.lines[line]!]).size === 1);
  return isDeclared || telling.length > 1 || telling.some(({ own }) => keys[own]!.length >= 16);
}

/**
 * Whether the snippet is the whole file: it begins and ends as the file does, or with as many lines in their place, and holds
 * most of it. Then what it doesn't hold is to go.
 */
function isWhole({ lines }: IndexedFile, snippet: Snippet, anchors: readonly Anchor[]): boolean {
  const [first, last] = [anchors[0]!, anchors.at(-1)!];
  const end = lines.findLastIndex((line) => !isBlank(line));
  const [above, below] = [first.own, snippet.lines.length - 1 - last.own];
  if (snippet.isElided.includes(true) || above !== first.line || below !== end - last.line) return false;
  if (above > EDGE || below > EDGE) return false;
  if (lostAtEnd(lines.map(trimTrail), snippet.lines.map(trimTrail)) !== undefined) return false;
  const known = anchors.filter(({ line }) => !isBlank(lines[line]!)).length;
  const all = lines.filter((line) => !isBlank(line)).length;
  return above + below === 0 ? known * 3 >= all * 2 : known >= FAR && known * 5 >= all * 4;
}

/** Whether the snippet shows lines that are far from any change, and so leaves out none. */
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

/** Whether the snippet holds most of the file and more than one block of it, but not its edges. */
function mayBeWhole(file: IndexedFile, snippet: Snippet, anchors: readonly Anchor[]): boolean {
  if (snippet.isElided.includes(true)) return false;
  const [first] = anchors;
  const last = anchors.at(-1)!;
  const above = file.lines.slice(0, first!.line).some((line) => !isBlank(line));
  const below = file.lines.slice(last.line + 1).some((line) => !isBlank(line));
  if (!above && !below) return false;
  const isOneBlock = blockPair(file, snippet, first!)?.own.end === snippet.lines.length;
  const known = anchors.filter(({ line }) => !isBlank(file.lines[line]!)).length;
  return !isOneBlock && known * 2 >= file.lines.filter((line) => !isBlank(line)).length;
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);

/** Puts a snippet's lines among those of the file, anchor by anchor. */
class Arrangement {
  private readonly known: ReadonlyMap<string, unknown>;
  /** How much further in the file has the lines than the snippet. */
  private readonly shift: number;
  private readonly isComplete: boolean;
  /** Lines that go and come, as far as they may belong together. */
  private gone: string[] = [];
  private come: string[] = [];

  constructor(
    private readonly file: IndexedFile,
    private readonly snippet: Snippet,
    private readonly anchors: readonly Anchor[],
    private readonly isAll: boolean,
  ) {
    this.known = declarations(file.lines);
    this.shift = this.shiftOf(anchors[0]!);
    this.isComplete = showsFar(snippet, anchors);
  }

  /** A sentence where it can be read in more than one way. */
  make(): Arranged | string {
    const { file, snippet, anchors } = this;
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
    return arrange(file, snippet, parts) ?? WHY.indentation;
  }

  /** What stands before the first anchor. */
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
    if (above !== undefined && !isComment && !isNew) return WHY.top;
    return own.map((_, at) => ({ own: at }));
  }

  /** What stands behind the last anchor. */
  private bottom(last: Anchor): Part[] | string {
    const { file, snippet } = this;
    const end = snippet.lines.length;
    if (snippet.isElided.slice(last.own).includes(true)) return this.aroundElision(last, undefined);
    if (this.isAll) {
      const gone = range(last.line + 1, file.lines.findLastIndex((line) => !isBlank(line)) + 1);
      return [...gone.map((line) => ({ line })), ...range(last.own + 1, end).map((own) => ({ own }))];
    }
    const block = this.openBlock(last);
    // Only a last line that both texts have tells that the block ends in both.
    if (block) return last.own < end - 1 ? WHY.bottom : last.line < block.file.end - 1 ? WHY.leftOut : [];
    const own = snippet.lines.slice(last.own + 1);
    if (own.length === 0) return [];
    const below = file.lines.slice(last.line + 1).find((line) => !isBlank(line));
    const isInner = below !== undefined && widthOf(below) < widthOf(file.lines[last.line]!) && closesBlock(below);
    if (below !== undefined && !(isInner && isNewDeclarations(snippet.lines, last.own + 1, end, this.known)))
      return WHY.bottom;
    return own.map((_, at) => ({ own: last.own + 1 + at }));
  }

  /** The block, without a line that closes it, in which the snippet's last lines are and the last anchor is. */
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

  /** Lines between two anchors: what stands in both stays, the rest gives way. */
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
    for (const hunk of diffLines(old, fresh)) {
      keepTo(above.line + 1 + hunk.oldStart);
      this.gone.push(...hunk.oldLines);
      this.come.push(...hunk.newLines);
      for (const _ of hunk.oldLines) parts.push({ line: line++ });
      for (const _ of hunk.newLines) parts.push({ own: own++ });
    }
    keepTo(below.line);
    // A block without anything in it may be but the mention of its head.
    const isEmptied =
      below.own === above.own + 1 &&
      opensBlock(snippet.lines[above.own]!) &&
      closesBlock(snippet.lines[below.own] ?? '');
    return isEmptied && !this.isAll && old.some(isTelling) ? WHY.leftOut : parts;
  }

  /** What says the same further in or out may be another line: it is counted as one that goes and one that comes. */
  private count({ own, line }: Anchor): void {
    if (this.shiftOf({ own, line }) === this.shift) return;
    this.gone.push(this.file.keys[line]!);
    this.come.push(this.snippet.keys[own]!);
  }

  private shiftOf({ own, line }: Anchor): number {
    return widthOf(this.file.lines[line]!) - widthOf(this.snippet.lines[own]!);
  }

  /** Whether since the last call more is gone than one would take away without a word. */
  private isLeftOut(): boolean {
    const count = (keys: readonly string[]) => keys.filter((key) => /[\p{L}\p{N}_]/u.test(key)).length;
    // What doesn't open and close as many brackets as what was there is no whole of its own in its place.
    const isNothing = this.gone.some((key) => key !== '') && !this.come.some((key) => key !== '');
    const isHalf = !this.isComplete && (isNothing || depthOf(this.gone) !== depthOf(this.come));
    const isMuch = isHalf || count(this.gone) > Math.max(this.isComplete ? MAX_SILENT : 0, count(this.come));
    // A function that is replaced by another one may as well have been left out; of a whole file only one that isn't.
    const named = declarations(this.come);
    const names = [...declarations(this.gone).keys()].filter((name) => !name.startsWith('import ') && !named.has(name));
    const lost = names.length > (this.isAll ? named.size : 0);
    this.gone = [];
    this.come = [];
    return lost || (isMuch && !this.isAll);
  }

  /** Whether a block that nothing closes ends before line `end` of the snippet, but goes on in the file behind the anchor. */
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

  /** Code that is left out between two anchors, or up to the file's edge, and new lines beside it. */
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
    // A line that says the same further in may be another one, which is left out.
    if ([above, below].some((anchor) => anchor && this.shiftOf(anchor) !== this.shift)) return WHY.besideElision;
    const [hasUpper, hasLower] = [!isFree(from, first), !isFree(last, to)];
    const isNew = (start: number, end: number) => isNewDeclarations(snippet.lines, start, end, this.known);
    if ((hasUpper && !isNew(from, first)) || (hasLower && !isNew(last + 1, to))) return WHY.besideElision;
    // The first lines of a script are for the system that runs it.
    if (hasUpper && !above && /^(?:#!|<\?|["']use )/.test(file.lines[0]!)) return WHY.besideElision;
    const kept = { start: (above?.line ?? -1) + 1, end: below?.line ?? file.lines.length };
    const parts: Part[] = [];
    if (hasUpper) {
      // A blank line that both texts have is one.
      const isDouble = isBlank(snippet.lines[first - 1]!) && isBlank(file.lines[kept.start] ?? 'x');
      for (let own = from; own < first - (isDouble ? 1 : 0); own++) parts.push({ own });
    }
    // Beyond the outermost lines of the snippet nothing has to be mentioned.
    const isInner = (above || hasUpper) && (below || hasLower);
    for (let line = kept.start; isInner && line < kept.end; line++) parts.push({ line, stays: true });
    if (hasLower) {
      const isDouble = isBlank(snippet.lines[last + 1]!) && isBlank(file.lines[kept.end - 1] ?? 'x');
      for (let own = last + (isDouble ? 2 : 1); own < to; own++) parts.push({ own });
    }
    return parts;
  }
}
