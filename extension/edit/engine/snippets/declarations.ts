// Puts whole declarations into a file: each replaces its former version, or goes where others of its kind are.
import { diffLines } from '../../hunks/hunks.ts';
import type { PlacedHunk } from '../edits.ts';
import type { Snippet } from '../placing/anchors.ts';
import { UNKNOWN } from '../placing/manner.ts';
import { type Gap, placeOfNew } from '../placing/newPlace.ts';
import { withOwnForms } from '../planning/wholeFile.ts';
import { closesBlock, isTelling, widthOf } from '../text/blocks.ts';
import { toPlacedHunks } from '../text/changeLines.ts';
import { type Declared, endsWithReturn, isClass, kindOf, outlineOf, wholeDeclarations } from '../text/declared.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { indentOf, isBlank, trimTrail } from '../text/loose.ts';
import { WHY as UNTOLD } from './arrangement.ts';
import { isRespelled, mayBeDeleted, readPiece, type Unread } from './piece.ts';

const WHY = {
  several: (name: string) => `The file declares ${name} more than once, so Perigee can’t tell which one is meant.`,
  renamed: (name: string, other: string) =>
    `It reads like ${other} in the file, so Perigee can’t tell whether ${name} replaces it.`,
};

/**
 * If parts of a declaration stay, one place may lose this many more lines than it gains, or this many times as many.
 */
const MOST_FEWER = 3;
const LEAST_SHARE = 3;
/** In a rewritten declaration, up to this share of the former lines may remain by chance. */
const MOST_KEPT = 0.1;
/** Among several of one name, choose the one that shares this many lines, and twice as many as any other. */
const LEAST_SHARED = 2;
/** With this much in common, a new declaration may be a renamed one. */
const ALIKE = 0.8;
const LEAST_ALIKE = 4;

/**
 * The hunks that put a snippet of whole declarations into the file; undefined if the snippet is something else. `near`:
 * the cursor's line, which decides between equally good places.
 */
export function planDeclarations(
  file: IndexedFile,
  snippet: Snippet,
  near?: number,
): PlacedHunk[] | Unread | undefined {
  const shown = withoutOuterMarks(snippet);
  const declared = shown.isElided.includes(true) ? undefined : wholeDeclarations(shown.lines);
  if (!declared) return undefined;
  const placing = new Placing(file, shown, declared, near);
  // Marks around one declaration say no more than that the rest of the file stays. Around a new one, they tell a place.
  if (shown !== snippet && !placing.isOneChanged()) return undefined;
  const hunks = placing.make();
  return typeof hunks === 'string' ? { reason: 'uncertain', message: hunks } : hunks;
}

/** The snippet without marks above and below its code. A mark that is further in than the code belongs to it. */
function withoutOuterMarks(snippet: Snippet): Snippet {
  const { lines, isElided } = snippet;
  const isCode = (line: string, at: number) => !isBlank(line) && !isElided[at];
  const [first, last] = [lines.findIndex(isCode), lines.findLastIndex(isCode)];
  const isInner = (line: string, at: number) =>
    (at < first || at > last) && isElided[at] && widthOf(line) > widthOf(lines[first]!);
  if (first === -1 || lines.some(isInner) || (first === 0 && last === lines.length - 1)) return snippet;
  return { ...snippet, ...part(snippet, first, last + 1) };
}

class Placing {
  private readonly outline: Declared[];
  /** The file's declaration of the same name. */
  private readonly former = new Map<Declared, Declared>();
  private readonly put = new Map<Declared, Gap>();

  constructor(
    private readonly file: IndexedFile,
    private readonly snippet: Snippet,
    private readonly declared: readonly Declared[],
    private readonly near: number | undefined,
  ) {
    this.outline = outlineOf(file.lines);
  }

  /** Whether it is one declaration, and the file has exactly one of its name. */
  isOneChanged(): boolean {
    const [only, ...others] = this.declared;
    return others.length === 0 && this.outline.filter(({ name }) => name === only!.name).length === 1;
  }

  /** Returns a message if the result is ambiguous. */
  make(): PlacedHunk[] | string {
    const { declared } = this;
    for (const each of declared) {
      const former = this.formerOf(each);
      if (typeof former === 'string') return former;
      if (former && isRespelled(this.file, this.snippet, { own: each.head, line: former.head })) return UNKNOWN.form;
      if (former) this.former.set(each, former);
    }
    if (this.mayBeFile()) return UNTOLD.whole;
    const places = [...this.former.values()].map(({ head }) => head);
    if (places.some((head, index) => index > 0 && head <= places[index - 1]!)) return UNTOLD.order;
    if (declared.some((each) => this.isCommentElsewhere(each))) return UNTOLD.order;
    const hunks: PlacedHunk[] = [];
    for (const [index, each] of declared.entries()) {
      const former = this.former.get(each);
      const made = former ? this.replaced(each, former) : this.added(each, index);
      if (typeof made === 'string') return made;
      hunks.push(...made);
    }
    return joined(hunks.toSorted((a, b) => a.startLine - b.startLine || a.oldLines.length - b.oldLines.length));
  }

  private formerOf(each: Declared): Declared | string | undefined {
    const { near, outline, file } = this;
    const same = outline.filter(({ name }) => name === each.name);
    const outer = same.filter(({ parent }) => parent === undefined || isClass(parent));
    const all = outer.length > 0 ? outer : same;
    // A signature without a body doesn't count if there are bodies.
    const bodies =
      each.end - each.head > 1 ? all.filter(({ head, end }) => end - head > 1 && !isSignature(file, end)) : all;
    const [only, ...others] = bodies.length > 0 ? bodies : all;
    if (others.length === 0) return only;
    const here = bodies.filter(({ parent, start, end }) => near !== undefined && isIn(near, parent ?? { start, end }));
    if (here.length === 1) return here[0];
    const [best, second] = bodies
      .map((former) => ({ former, shared: this.shared(each, former) }))
      .toSorted((a, b) => b.shared - a.shared);
    return best && best.shared >= LEAST_SHARED && best.shared >= 2 * second!.shared
      ? best.former
      : WHY.several(each.name);
  }

  /** The number of equal lines in the two bodies. */
  private shared(each: Declared, former: Declared): number {
    const { file, snippet } = this;
    const theirs = new Set(file.keys.slice(former.head + 1, former.end));
    return snippet.keys.slice(each.head + 1, each.end).filter((key) => isTelling(key) && theirs.has(key)).length;
  }

  /** Whether it may be the whole file without its last lines, or without some part. */
  private mayBeFile(): boolean {
    const { file, former } = this;
    const isFilled = (line: string) => !isBlank(line);
    const known = [...former.values()];
    if (known.length === 0) return false;
    const count = (start: number, end?: number) => file.lines.slice(start, end).filter(isFilled).length;
    const [start, end] = [Math.min(...known.map((each) => each.start)), Math.max(...known.map((each) => each.end))];
    if (count(0, start) === 0 && mayBeDeleted(file.lines.slice(end))) return true;
    const held = known.reduce((sum, each) => sum + count(each.start, each.end), 0);
    return known.length > 1 && held * 2 >= count(0);
  }

  /** Whether its comment belongs to another declaration of the file. */
  private isCommentElsewhere(each: Declared): boolean {
    const { file, snippet } = this;
    const former = this.former.get(each);
    const said = snippet.keys.slice(each.start, each.head).filter(isTelling);
    const isElsewhere = (key: string) => file.at(key).length === 1 && !(former && isIn(file.at(key)[0]!, former));
    // The comment is another declaration's as a whole, or it begins like another's and ends like its own.
    const isOwn = (key: string) => former !== undefined && file.keys.slice(former.start, former.head).includes(key);
    return said.length > 0 && (said.every(isElsewhere) || (isElsewhere(said[0]!) && said.slice(1).some(isOwn)));
  }

  private replaced(each: Declared, former: Declared): PlacedHunk[] | string {
    const { file, snippet } = this;
    const own = { ...snippet, ...part(snippet, each.start, each.end) };
    const read = readPiece(file, own);
    if (Array.isArray(read)) return read;
    // The indentation is known only from lines that stay.
    if (snippet.isRestyled) return read.message;
    // If only indentation ends it, more of it may follow.
    const isOpen = kindOf(each) !== 'type' && each.end - each.head > 1 && !closesBlock(snippet.lines[each.end - 1]!);
    const isEnded = read.message === UNTOLD.bottom && this.isWholeFunction(each, former);
    if (isOpen && !isEnded) return read.message;
    const start = this.startOf(each, former);
    const old = file.lines.slice(start, former.end);
    const fresh = this.written(each, each.start, indentOf(file.lines[former.head]!));
    if (fresh.length === 0 || !(isEven(old, fresh) || stepOf(old) === stepOf(fresh))) return UNTOLD.indentation;
    // The comma that separates a property from the next one isn't part of it.
    const last = old.at(-1)!;
    if (last.endsWith(',') && last.slice(0, -1) === fresh.at(-1)) fresh[fresh.length - 1] = last;
    const left = this.leftOut(each, former);
    return left ?? toPlacedHunks(old, fresh, start);
  }

  /** Whether the snippet is one function that ends by its indentation, and the file has exactly one such. */
  private isWholeFunction(each: Declared, former: Declared): boolean {
    const { file, snippet } = this;
    // A function at the margin may be a new one beside a class that has a method of its name.
    const isAsDeep = widthOf(snippet.lines[each.head]!) === widthOf(file.lines[former.head]!);
    const isWhole = endsWithReturn(snippet.lines, each) && endsWithReturn(file.lines, former);
    return kindOf(each) === 'def' && this.isOneChanged() && isAsDeep && isWhole;
  }

  /** The first replaced line. Lines of the former comment above the first one shown stay. */
  private startOf({ start, head }: Declared, former: Declared): number {
    if (start === head) return former.head;
    const first = this.file.keys.slice(former.start, former.head).indexOf(this.snippet.keys[start]!);
    return former.start + Math.max(0, first);
  }

  /**
   * Returns a message if lines of the former declaration may only be omitted: some are gone and none are new, or many
   * are gone between others that stay. A declaration that keeps only its head and end is a rewrite.
   */
  private leftOut(each: Declared, former: Declared): string | undefined {
    const { file, snippet, outline } = this;
    const isWord = (key: string) => /[\p{L}\p{N}_]/u.test(key);
    const body = (keys: readonly string[], { head, end }: Declared) => keys.slice(head + 1, end).filter(isWord);
    const [old, fresh] = [body(file.keys, former), body(snippet.keys, each)];
    const hunks = diffLines(old, fresh);
    const gone = hunks.reduce((sum, { oldLines }) => sum + oldLines.length, 0);
    const come = hunks.reduce((sum, { newLines }) => sum + newLines.length, 0);
    const names = new Set(outlineOf(snippet.lines.slice(each.start, each.end)).map(({ name }) => name));
    if (outline.some(({ parent, name }) => parent === former && isClass(former) && !names.has(name))) {
      return UNTOLD.leftOut;
    }
    // The head may contain the body on the same line.
    const isAnew = old.length - gone <= MOST_KEPT * old.length && (come > 0 || each.end - each.head === 1);
    if (isAnew) {
      // With nothing in common, it may be meant for another class.
      const isHere = this.near !== undefined && former.parent !== undefined && isIn(this.near, former.parent);
      const isMember = kindOf(each) === 'method' || (kindOf(each) === 'def' && former.parent !== undefined);
      const isSure = isHere || !isMember || outline.filter(isClass).length < 2;
      return isSure ? undefined : WHY.several(each.name);
    }
    if (come === 0 && gone > 0) return UNTOLD.leftOut;
    const moved = new Set(hunks.flatMap(({ newLines }) => newLines));
    const isSuspect = hunks.some(({ oldLines, newLines }) => {
      const lost = oldLines.filter((key) => !moved.has(key)).length;
      return lost - newLines.length > MOST_FEWER && newLines.length * LEAST_SHARE < lost;
    });
    return isSuspect ? UNTOLD.leftOut : undefined;
  }

  private added(each: Declared, index: number): PlacedHunk[] | string {
    const { file, snippet } = this;
    const like = this.alike(each) ?? this.nextAlike(each, index);
    if (like) return WHY.renamed(each.name, like.name);
    const gap = this.beside(each, index) ?? placeOfNew(file, this.outline, snippet.lines, each, this.near);
    if (typeof gap === 'string') return gap;
    this.put.set(each, gap);
    const written = this.written(each, each.start, gap.indent);
    if (written.length === 0) return UNTOLD.indentation;
    const blank = (count: number) => Array<string>(count).fill('');
    const newLines = [...blank(gap.above), ...written, ...blank(gap.below)];
    return [{ startLine: gap.at, oldLines: [], newLines, how: 'given' }];
  }

  /** The place of a new declaration that is shown beside an existing one. */
  private beside(each: Declared, index: number): Gap | undefined {
    const { declared, former, put, file } = this;
    if (kindOf(each) === 'import') return undefined;
    const [above, below] = [declared[index - 1], declared[index + 1]];
    const indentAt = ({ head }: Declared) => indentOf(file.lines[head]!);
    const upper = above && kindOf(above) !== 'import' ? former.get(above) : undefined;
    if (upper) return { at: upper.end, indent: indentAt(upper), above: each.start - above!.end, below: 0 };
    const last = above && kindOf(above) === kindOf(each) ? put.get(above) : undefined;
    if (last) return { ...last, above: last.above || each.start - above!.end };
    const lower = below && kindOf(below) !== 'import' ? former.get(below) : undefined;
    if (lower) return { at: lower.start, indent: indentAt(lower), above: 0, below: below!.start - each.end };
    return undefined;
  }

  /** The file's declaration that `each` nearly copies. */
  private alike(each: Declared): Declared | undefined {
    const { file, snippet, outline } = this;
    const body = (keys: readonly string[], { head, end }: Declared) => keys.slice(head + 1, end).filter(isTelling);
    const own = body(snippet.keys, each);
    if (own.length < LEAST_ALIKE) return undefined;
    const isShown = new Set(this.former.values());
    return outline.find((other) => {
      if (kindOf(other) !== kindOf(each) || isShown.has(other)) return false;
      const theirs = body(file.keys, other);
      const known = new Set(theirs);
      return own.filter((key) => known.has(key)).length >= ALIKE * Math.max(own.length, theirs.length);
    });
  }

  /**
   * The file's next declaration after the one above `each`, if its body is the same: a short one may have been renamed.
   */
  private nextAlike(each: Declared, index: number): Declared | undefined {
    const { file, snippet, outline, declared } = this;
    const upper = index > 0 ? this.former.get(declared[index - 1]!) : undefined;
    const next = upper && outline.find(({ start }) => start >= upper.end);
    const body = (keys: readonly string[], { head, end }: Declared) => keys.slice(head + 1, end).join('\n');
    return next && body(snippet.keys, each) === body(file.keys, next) ? next : undefined;
  }

  /** The declaration's lines from `start` on, with its head indented by `indent`; empty if a line is further left. */
  private written({ head, end }: Declared, start: number, indent: string): string[] {
    const { lines } = this.snippet;
    const own = indentOf(lines[head]!);
    const shown = lines.slice(start, end);
    if (!shown.every((line) => isBlank(line) || line.startsWith(own))) return [];
    const moved = shown.map((line) => (isBlank(line) ? '' : indent + trimTrail(line.slice(own.length))));
    return [...withOwnForms(this.file, moved)];
  }
}

const part = ({ lines, keys, isElided }: Snippet, start: number, end: number): Snippet => ({
  lines: lines.slice(start, end),
  keys: keys.slice(start, end),
  isElided: isElided.slice(start, end),
});

const isSignature = ({ lines }: IndexedFile, end: number) => /[^}];$/.test(lines[end - 1]!);

const isIn = (line: number, { start, end }: { start: number; end: number }) => start <= line && line < end;

/** Whether most shared lines have equal indentation. If not, the new lines may use another indentation style. */
function isEven(old: readonly string[], fresh: readonly string[]): boolean {
  const said = (lines: readonly string[]) => lines.map((line) => line.trim());
  let [shift, both, alike] = [0, 0, 0];
  let at = 0;
  const hunks = diffLines(said(old), said(fresh));
  for (const { oldStart, oldLines, newLines } of [...hunks, { oldStart: old.length, oldLines: [], newLines: [] }]) {
    for (; at < oldStart; at++) {
      if (isBlank(old[at]!)) continue;
      both++;
      if (indentOf(old[at]!) === indentOf(fresh[at + shift]!)) alike++;
    }
    at += oldLines.length;
    shift += newLines.length - oldLines.length;
  }
  return alike * 2 >= both;
}

/** The common divisor of all indentations. Tabs and blanks have none in common. */
function stepOf(lines: readonly string[]): string {
  const divide = (a: number, b: number): number => (b === 0 ? a : divide(b, a % b));
  const indents = lines.filter((line) => !isBlank(line) && !/^\s*\*/.test(line)).map(indentOf);
  return `${indents.some((indent) => indent.includes('\t'))} ${indents.reduce((step, { length }) => divide(step, length), 0)}`;
}

/** Merges insertions into one gap, in their order. */
function joined(hunks: readonly PlacedHunk[]): PlacedHunk[] {
  const result: PlacedHunk[] = [];
  for (const hunk of hunks) {
    const last = result.at(-1);
    const isSameGap = last?.startLine === hunk.startLine && last.oldLines.length + hunk.oldLines.length === 0;
    if (isSameGap) result[result.length - 1] = { ...last, newLines: [...last.newLines, ...hunk.newLines] };
    else result.push(hunk);
  }
  return result;
}
