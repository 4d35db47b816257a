import { holds } from './settle.ts';
import { moveRange, type Range, type Splice } from './track.ts';

interface Entry {
  splices: readonly Splice[];
  /** For a splice of our own: the line of the old text at which it was to be written. */
  own?: number;
}

/**
 * Carries places of an old text to what became of it. The model speaks of the text that it was given; meanwhile the user
 * types, and earlier hunks of the same answer are written. What was touched since is not found again: better no place
 * than a wrong one.
 */
export class LineMap {
  private readonly entries: Entry[] = [];

  /** `base`: the old text. */
  constructor(private readonly base: readonly string[]) {}

  /** Somebody changed the text. `splices` are in its lines just before. */
  foreign(splices: readonly Splice[]): void {
    if (splices.length > 0) this.entries.push({ splices });
  }

  /** A hunk that belongs to line `baseLine` of the old text was written. */
  own(splice: Splice, baseLine: number): void {
    this.entries.push({ splices: [splice], own: baseLine });
  }

  /**
   * Where the lines `range` of the old text are in `lines`, what it is now; undefined when somebody changed them, or put
   * lines into the gap that an empty `range` is.
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
      // Our own hunks come in any order, and stand in that of the old text.
      const isBehind = own !== undefined && own < gap;
      at = moveRange({ start: at, end: at }, splices, isBehind ? 'withEnd' : 'withStart').start;
    }
    if (!isTouched) return { start: at, end: at };
    // Something was put into the gap, and is perhaps gone: then the lines around it stand together again.
    const around = { start: Math.max(0, gap - 1), end: Math.min(this.base.length, gap + 1) };
    const found = this.findLines(around, lines);
    if (!found) return undefined;
    const start = found.start + gap - around.start;
    return { start, end: start };
  }
}
