import { holds } from './settle.ts';
import { moveRange, type Range, type Splice } from './track.ts';

interface Entry {
  splices: readonly Splice[];
  /** For our own splice: the line of the old text at which the hunk belongs. */
  own?: number;
}

/**
 * Maps positions in an old text to the current one. The model refers to the text that it was given; meanwhile the user
 * types, and earlier hunks of the same answer are written. A place that was changed since is not found again: no place
 * is better than a wrong one.
 */
export class LineMap {
  private readonly entries: Entry[] = [];

  /** `base`: the old text. */
  constructor(private readonly base: readonly string[]) {}

  /** Records a foreign change. `splices` are in the lines just before it. */
  foreign(splices: readonly Splice[]): void {
    if (splices.length > 0) this.entries.push({ splices });
  }

  /** Records that a hunk that belongs at the old text's line `baseLine` was written. */
  own(splice: Splice, baseLine: number): void {
    this.entries.push({ splices: [splice], own: baseLine });
  }

  /**
   * Where the old text's lines `range` are in `lines`, the current text; undefined if a foreign change hit them, or
   * inserted lines into the gap that an empty `range` is.
   */
  find(range: Range, lines: readonly string[]): Range | undefined {
    if (range.start === range.end) return this.findGap(range.start, lines);
    return this.findLines(range, lines);
  }

  private findLines(range: Range, lines: readonly string[]): Range | undefined {
    let at = range;
    for (const { splices } of this.entries) at = moveRange(at, splices, 'covering');
    return holds(lines, at, this.base.slice(range.start, range.end)) ? { start: at.start, end: at.end } : undefined;
  }

  private findGap(gap: number, lines: readonly string[]): Range | undefined {
    let at = gap;
    let isTouched = false;
    for (const { splices, own } of this.entries) {
      const isHere = splices.some(({ start, removed }) => start === at && removed === 0);
      const isTorn = splices.some(({ start, removed }) => start < at && at < start + removed);
      if (isTorn || (isHere && own === undefined)) isTouched = true;
      // Our own hunks come in any order, but must keep the order of the old text.
      const isBehind = own !== undefined && own < gap;
      at = moveRange({ start: at, end: at }, splices, isBehind ? 'withEnd' : 'withStart').start;
    }
    if (!isTouched) return { start: at, end: at };
    // Lines were inserted into the gap. If they have been removed again, the lines around it are adjacent.
    const around = { start: Math.max(0, gap - 1), end: Math.min(this.base.length, gap + 1) };
    const found = this.findLines(around, lines);
    if (!found) return undefined;
    const start = found.start + gap - around.start;
    return { start, end: start };
  }
}
