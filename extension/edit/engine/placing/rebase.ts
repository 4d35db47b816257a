import { diffLines } from '../../hunks/hunks.ts';
import { moveRange, type Range } from '../../hunks/track.ts';
import type { PlacedHunk } from '../edits.ts';
import { toPlacedHunks } from '../text/changeLines.ts';
import { applyHunks, parseFile } from '../text/fileText.ts';
import { numberLines, sureLines, type Whereabouts } from '../text/sureLines.ts';

/** A hunk that cannot be moved to the current text. */
export interface Touched {
  hunk: PlacedHunk;
  /**
   * `changed`: its lines, or the lines on both sides of its gap, are gone, or other lines stand between them.
   * `unclear`: equal lines stand around it more than once, so the match is ambiguous. `rewritten`: too much of the file
   * differs.
   */
  why: 'changed' | 'unclear' | 'rewritten';
  /** One sentence for a person. */
  message: string;
  /** The lines of the current text, from 0, where the hunk had its place. May be empty. */
  lines: Range;
}

export type Rebased = { kind: 'moved'; hunks: PlacedHunk[] } | { kind: 'touched'; touched: Touched[] };

const MESSAGES = {
  changed: 'The lines that it replaces were changed since.',
  gap: 'The lines around its place were changed since.',
  unclear: 'Equal lines stand more than once around its place, and some were added or removed since.',
  rewritten: 'Too much of the file was changed since.',
};

/**
 * Moves `hunks`, which are for the lines `base`, to the lines `current` that a user or a tool made from them; or
 * returns every hunk that cannot be moved. A hunk moves if its lines, or the gap into which it goes, are unchanged, and
 * if the match is unambiguous: all shortest differences, and those a little longer, agree about its lines, and the
 * unchanged lines from it upwards, and those from it downwards, stand nowhere else in either text.
 */
export function rebaseHunks(
  base: readonly string[],
  hunks: readonly PlacedHunk[],
  current: readonly string[],
): Rebased {
  const [a, b] = numberLines(base, current);
  if (a.length === b.length && a.every((line, index) => line === b[index])) return { kind: 'moved', hunks: [...hunks] };
  const sure = sureLines(
    a,
    b,
    hunks.flatMap((hunk) => linesOf(hunk, a.length)),
  );
  const texts = sure && new TextPair(a, b, sure);
  const moved: PlacedHunk[] = [];
  const touched: Touched[] = [];
  for (const hunk of hunks) {
    const isOfBase = hunk.oldLines.every((line, index) => line === base[hunk.startLine + index]);
    const place = !isOfBase ? 'changed' : texts ? texts.move(hunk) : 'rewritten';
    if (typeof place === 'number') moved.push({ ...hunk, startLine: place });
    else {
      const message = place === 'changed' && hunk.oldLines.length === 0 ? MESSAGES.gap : MESSAGES[place];
      touched.push({ hunk, why: place, message, lines: linesNow(base, hunk, current) });
    }
  }
  return touched.length > 0 ? { kind: 'touched', touched } : { kind: 'moved', hunks: moved };
}

/** The lines that must be unchanged: those that the hunk replaces, or those on both sides of its gap. */
function linesOf({ startLine, oldLines }: PlacedHunk, length: number): number[] {
  const isGap = oldLines.length === 0;
  const from = isGap ? Math.max(0, startLine - 1) : startLine;
  const to = isGap ? Math.min(length, startLine + 1) : startLine + oldLines.length;
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** The lines that now stand in the hunk's place. For display only. */
function linesNow(base: readonly string[], { startLine, oldLines }: PlacedHunk, current: readonly string[]): Range {
  const splices = diffLines(base, current).map((hunk) => ({
    start: hunk.oldStart,
    removed: hunk.oldLines.length,
    inserted: hunk.newLines,
  }));
  const { start, end } = moveRange({ start: startLine, end: startLine + oldLines.length }, splices, 'wide');
  return { start, end };
}

/** A text before and after other changes, in numbered lines. */
class TextPair {
  private readonly placesInA: Map<number, number[]>;
  private readonly placesInB: Map<number, number[]>;

  /** `sure`: see `sureLines`. */
  constructor(
    private readonly a: Int32Array,
    private readonly b: Int32Array,
    private readonly sure: ReadonlyMap<number, Whereabouts>,
  ) {
    this.placesInA = placesOf(a);
    this.placesInB = placesOf(b);
  }

  /** The line at which the hunk now begins. */
  move(hunk: PlacedHunk): number | 'changed' | 'unclear' {
    const { a, b, sure } = this;
    const lines = linesOf(hunk, a.length);
    const [from] = lines;
    if (from === undefined) return b.length === 0 ? 0 : 'changed';
    const places = lines.map((line) => sure.get(line)!);
    if (places.includes('unclear')) return 'unclear';
    const [first] = places;
    if (typeof first !== 'number' || places.some((place, index) => place !== first + index)) return 'changed';
    // The gap at an edge of the file has only one neighbour line, and nothing may have been added beside it.
    const isGap = hunk.oldLines.length === 0;
    if (isGap && hunk.startLine === 0 && first !== 0) return 'changed';
    if (isGap && hunk.startLine === a.length && first !== b.length - 1) return 'changed';
    const shift = first - from;
    const to = from + lines.length;
    const isKnown = this.isKnownBy(from, to, shift, -1) && this.isKnownBy(from, to, shift, 1);
    return isKnown ? hunk.startLine + shift : 'unclear';
  }

  /**
   * Whether the lines `from` to `to`, together with the unchanged lines above (`direction` -1) or below (1), stand
   * nowhere else in either text; or whether everything up to the file's edge is unchanged.
   */
  private isKnownBy(from: number, to: number, shift: number, direction: -1 | 1): boolean {
    const { a, b } = this;
    const first = direction < 0 ? to - 1 : from;
    // Other places of the first line. Places where the next lines differ are dropped.
    let inA = this.placesInA.get(a[first]!)!.filter((place) => place !== first);
    let inB = this.placesInB.get(a[first]!)!.filter((place) => place !== first + shift);
    for (let step = direction; inA.length > 0 || inB.length > 0; step += direction) {
      const line = first + step;
      const other = line + shift;
      const isEdge = direction < 0 ? line < 0 : line >= a.length;
      const isOtherEdge = direction < 0 ? other < 0 : other >= b.length;
      if (isEdge || isOtherEdge) return isEdge && isOtherEdge;
      if (a[line] !== b[other]) return false;
      inA = inA.filter((place) => a[place + step] === a[line]);
      inB = inB.filter((place) => b[place + step] === a[line]);
    }
    return true;
  }
}

function placesOf(lines: Int32Array): Map<number, number[]> {
  const places = new Map<number, number[]>();
  for (const [index, line] of lines.entries()) {
    const known = places.get(line);
    if (known) known.push(index);
    else places.set(line, [index]);
  }
  return places;
}

export type RebasedText =
  | { kind: 'moved'; after: string; hunks: PlacedHunk[] }
  | { kind: 'touched'; touched: Touched[] };

/** Applies `hunks`, made for the text `before`, to `current`, the text after other changes. */
export function rebaseText(before: string, hunks: readonly PlacedHunk[], current: string): RebasedText {
  const file = parseFile(current);
  const rebased = rebaseHunks(parseFile(before).lines, hunks, file.lines);
  if (rebased.kind === 'touched') return rebased;
  return { kind: 'moved', after: applyHunks(file, rebased.hunks), hunks: rebased.hunks };
}

export type TakenBack =
  /** `text`: the current text without the change; undefined if there was no file before it. */
  { kind: 'taken'; text: string | undefined } | { kind: 'touched'; touched: Touched[] };

/**
 * Removes a change, which turned `before` into `after`, from `current`, the text after later changes. Undefined: no
 * such file. Line ends, BOM and final newline stay as they are now.
 */
export function takeBack(
  before: string | undefined,
  after: string | undefined,
  current: string | undefined,
): TakenBack {
  if (current === after) return { kind: 'taken', text: before };
  if (before === undefined || after === undefined || current === undefined) {
    const [old, fresh, now] = [after, before, current].map((text) => (text === undefined ? [] : parseFile(text).lines));
    const hunk: PlacedHunk = { startLine: 0, oldLines: old!, newLines: fresh!, how: 'given' };
    const lines = { start: 0, end: now!.length };
    return { kind: 'touched', touched: [{ hunk, why: 'changed', message: MESSAGES.changed, lines }] };
  }
  const file = parseFile(after);
  const hunks = toPlacedHunks(file.lines, parseFile(before).lines, 0);
  const rebased = rebaseText(after, hunks, current);
  return rebased.kind === 'touched' ? rebased : { kind: 'taken', text: rebased.after };
}
