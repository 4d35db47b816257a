// Whole declarations put into a file: each in the place of the one that it changes, or where others of its kind stand.
import { diffLines } from '../../hunks/hunks.ts';
import type { PlacedHunk } from '../edits.ts';
import type { Snippet } from '../placing/anchors.ts';
import { type Gap, placeOfNew } from '../placing/newPlace.ts';
import { closesBlock, isTelling } from '../text/blocks.ts';
import { toPlacedHunks } from '../text/changeLines.ts';
import { type Declared, isClass, kindOf, outlineOf, wholeDeclarations } from '../text/declared.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { indentOf, isBlank, trimTrail } from '../text/loose.ts';
import { WHY as UNTOLD } from './arrangement.ts';
import { mayBeDeleted, readPiece, type Unread } from './piece.ts';

const WHY = {
  several: (name: string) => `The file declares ${name} more than once, so Perigee can’t tell which one is meant.`,
  renamed: (name: string, other: string) =>
    `It reads like ${other} in the file, so Perigee can’t tell whether ${name} replaces it.`,
};

/** Where parts of a declaration stay, so many more lines may go than come in one place, or so many times as many. */
const MOST_FEWER = 3;
const LEAST_SHARE = 3;
/** Of one that is written anew, so much of the former may stand in it by chance. */
const MOST_KEPT = 0.1;
/** Of several of one name, the one that has so many lines in common with it, and twice as many as any other, is meant. */
const LEAST_SHARED = 2;
/** With so much in common, a new declaration may be another one under a new name. */
const ALIKE = 0.8;
const LEAST_ALIKE = 4;

/**
 * The hunks that put a snippet which consists of whole declarations into the file; undefined where it is none. `near`: the
 * line of the cursor, which decides between places that are equally good.
 */
export function planDeclarations(
  file: IndexedFile,
  snippet: Snippet,
  near?: number,
): PlacedHunk[] | Unread | undefined {
  const declared = snippet.isElided.includes(true) ? undefined : wholeDeclarations(snippet.lines);
  if (!declared) return undefined;
  const hunks = new Placing(file, snippet, declared, near).make();
  return typeof hunks === 'string' ? { reason: 'uncertain', message: hunks } : hunks;
}

class Placing {
  private readonly outline: Declared[];
  /** What the file has of the same names. */
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

  /** A sentence where it cannot be told what becomes of the file. */
  make(): PlacedHunk[] | string {
    const { declared } = this;
    for (const each of declared) {
      const former = this.formerOf(each);
      if (typeof former === 'string') return former;
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
    // What only says that there is such a function is none of its bodies.
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

  /** Lines of the two bodies that say the same. */
  private shared(each: Declared, former: Declared): number {
    const { file, snippet } = this;
    const theirs = new Set(file.keys.slice(former.head + 1, former.end));
    return snippet.keys.slice(each.head + 1, each.end).filter((key) => isTelling(key) && theirs.has(key)).length;
  }

  /** Whether it may be all of the file without its last lines, or without a part of it. */
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

  /** Whether its comment is that of another declaration of the file. */
  private isCommentElsewhere(each: Declared): boolean {
    const { file, snippet } = this;
    const former = this.former.get(each);
    const said = snippet.keys.slice(each.start, each.head).filter(isTelling);
    const isElsewhere = (key: string) => file.at(key).length === 1 && !(former && isIn(file.at(key)[0]!, former));
    // Of that of another one as a whole, or of the beginning of it and the end of its own.
    const isOwn = (key: string) => former !== undefined && file.keys.slice(former.start, former.head).includes(key);
    return said.length > 0 && (said.every(isElsewhere) || (isElsewhere(said[0]!) && said.slice(1).some(isOwn)));
  }

  private replaced(each: Declared, former: Declared): PlacedHunk[] | string {
    const { file, snippet } = this;
    const own = { ...snippet, ...part(snippet, each.start, each.end) };
    const read = readPiece(file, own);
    if (Array.isArray(read)) return read;
    // What it is indented by is known of lines alone that stay.
    if (snippet.isRestyled) return read.message;
    // Where only indentation ends it, more of it may follow.
    if (kindOf(each) !== 'type' && each.end - each.head > 1 && !closesBlock(snippet.lines[each.end - 1]!)) {
      return read.message;
    }
    const start = this.startOf(each, former);
    const old = file.lines.slice(start, former.end);
    const fresh = this.written(each, each.start, indentOf(file.lines[former.head]!));
    if (fresh.length === 0 || !(isEven(old, fresh) || stepOf(old) === stepOf(fresh))) return UNTOLD.indentation;
    // What parts a property from the next one is no part of it.
    const last = old.at(-1)!;
    if (last.endsWith(',') && last.slice(0, -1) === fresh.at(-1)) fresh[fresh.length - 1] = last;
    const left = this.leftOut(each, former);
    return left ?? toPlacedHunks(old, fresh, start);
  }

  /** The first line that gives way: of the former's comment no line above the first one that is shown. */
  private startOf({ start, head }: Declared, former: Declared): number {
    if (start === head) return former.head;
    const first = this.file.keys.slice(former.start, former.head).indexOf(this.snippet.keys[start]!);
    return former.start + Math.max(0, first);
  }

  /**
   * Says so where lines of the former declaration may only not be shown: some are gone and none came, or many are gone from
   * between others that stay. One of which nothing stays but its head and its end is written anew.
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
    // A head may hold its body in the same line.
    const isAnew = old.length - gone <= MOST_KEPT * old.length && (come > 0 || each.end - each.head === 1);
    if (isAnew) {
      // With nothing in common it may as well be for another class.
      const isHere = this.near !== undefined && former.parent !== undefined && isIn(this.near, former.parent);
      const isSure = isHere || kindOf(each) !== 'method' || outline.filter(isClass).length < 2;
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

  /** The place of a new declaration that is shown beside one which the file has. */
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

  /** The declaration of the file of which `each` is nearly a copy. */
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

  /** What stands in the file where `each` is shown, if that says the same: a short one may have got another name. */
  private nextAlike(each: Declared, index: number): Declared | undefined {
    const { file, snippet, outline, declared } = this;
    const upper = index > 0 ? this.former.get(declared[index - 1]!) : undefined;
    const next = upper && outline.find(({ start }) => start >= upper.end);
    const body = (keys: readonly string[], { head, end }: Declared) => keys.slice(head + 1, end).join('\n');
    return next && body(snippet.keys, each) === body(file.keys, next) ? next : undefined;
  }

  /** The declaration's lines from `start` on, with its head at `indent`; none where they don't stand below it. */
  private written({ head, end }: Declared, start: number, indent: string): string[] {
    const { lines } = this.snippet;
    const own = indentOf(lines[head]!);
    const shown = lines.slice(start, end);
    if (!shown.every((line) => isBlank(line) || line.startsWith(own))) return [];
    return shown.map((line) => (isBlank(line) ? '' : indent + trimTrail(line.slice(own.length))));
  }
}

const part = ({ lines, keys, isElided }: Snippet, start: number, end: number): Snippet => ({
  lines: lines.slice(start, end),
  keys: keys.slice(start, end),
  isElided: isElided.slice(start, end),
});

const isSignature = ({ lines }: IndexedFile, end: number) => /[^}];$/.test(lines[end - 1]!);

const isIn = (line: number, { start, end }: { start: number; end: number }) => start <= line && line < end;

/** Whether most of the lines that both have are indented alike: else the new ones may be indented in another style. */
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

/** What all indentations are multiples of; tabs are none of blanks. */
function stepOf(lines: readonly string[]): string {
  const divide = (a: number, b: number): number => (b === 0 ? a : divide(b, a % b));
  const indents = lines.filter((line) => !isBlank(line) && !/^\s*\*/.test(line)).map(indentOf);
  return `${indents.some((indent) => indent.includes('\t'))} ${indents.reduce((step, { length }) => divide(step, length), 0)}`;
}

/** Several insertions into one gap as one, in their order. */
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
