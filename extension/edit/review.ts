import { commonPrefix, commonSuffix, reviewHunks } from './hunks.ts';
import { applySplices, type ContentChange, moveRange, type Range, type Splice, toSplices } from './track.ts';

/** A hunk in the document: `start` to `end` are its lines there, as long as nothing changed them its `newLines`. */
export interface TrackedHunk extends Range {
  /** Counted from 1 in the order of the document. */
  readonly number: number;
  /** Where its old lines were in the original text of the region. */
  readonly oldStart: number;
  readonly oldLines: readonly string[];
  readonly newLines: readonly string[];
  state: 'open' | 'accepted' | 'rejected';
  /** The lines around it were replaced, so that nobody can tell any more where it was. */
  torn: boolean;
}

/**
 * One edit in one document, without the document: a mirror of its lines, the region that is rewritten, and the hunks in
 * it. Everybody's changes go through `foreign` or `own`, and each hunk keeps its place or knows that it was changed. What
 * is to be written comes out as splices; nothing here writes.
 */
export class TrackedEdit {
  /** What stood in the region before the edit. */
  readonly original: readonly string[];
  private document: readonly string[];
  private place: Range;
  private written: readonly string[];
  private tracked: TrackedHunk[] = [];

  /** `lines` are the whole document's, `region` the lines to be rewritten. */
  constructor(lines: readonly string[], region: Range) {
    this.document = lines;
    this.place = { ...region };
    this.original = lines.slice(region.start, region.end);
    this.written = this.original;
  }

  /** The document's lines as known from its changes. */
  get lines(): readonly string[] {
    return this.document;
  }

  get region(): Readonly<Range> {
    return this.place;
  }

  /** What was last written into the region. */
  get shown(): readonly string[] {
    return this.written;
  }

  get hunks(): readonly Readonly<TrackedHunk>[] {
    return this.tracked;
  }

  get open(): readonly Readonly<TrackedHunk>[] {
    return this.tracked.filter((hunk) => hunk.state === 'open');
  }

  /** Nobody else changed the region since the last `show`. */
  get intact(): boolean {
    return this.holds(this.place, this.written);
  }

  /** Whether the hunk's lines are still what was written, so that they can be taken back. */
  isFresh(hunk: Readonly<TrackedHunk>): boolean {
    return !hunk.torn && this.holds(hunk, hunk.newLines);
  }

  /** What to write so that an intact region shows `next`. */
  planShow(next: readonly string[]): Splice[] {
    return diffOnce(this.written, this.fitted(next)).map((splice) => ({
      ...splice,
      start: splice.start + this.place.start,
    }));
  }

  /** The splices of `planShow(next)` were written: the region shows `next`, which is parted into new, open hunks. */
  show(next: readonly string[]): void {
    const shown = this.fitted(next);
    this.document = applySplices(this.document, this.planShow(shown));
    this.written = shown;
    this.place = { start: this.place.start, end: this.place.start + shown.length };
    this.tracked = reviewHunks(this.original, shown).map((hunk, index) => ({
      number: index + 1,
      start: this.place.start + hunk.newStart,
      end: this.place.start + hunk.newStart + hunk.newLines.length,
      oldStart: hunk.oldStart,
      oldLines: hunk.oldLines,
      newLines: hunk.newLines,
      state: 'open',
      torn: false,
    }));
  }

  /** What to write so that the hunks are as they were before. Those that others changed are refused, not overwritten. */
  planReject(numbers: readonly number[]): { splices: Splice[]; rejected: number[]; refused: number[] } {
    const asked = this.tracked.filter((hunk) => hunk.state === 'open' && numbers.includes(hunk.number));
    const fresh = asked.filter((hunk) => this.isFresh(hunk));
    const splices = fresh
      .toSorted((a, b) => a.start - b.start || a.number - b.number)
      .map((hunk) => ({ start: hunk.start, removed: hunk.end - hunk.start, inserted: [...hunk.oldLines] }));
    const rejected = fresh.map((hunk) => hunk.number);
    const refused = asked.filter((hunk) => !fresh.includes(hunk)).map((hunk) => hunk.number);
    return { splices, rejected, refused };
  }

  /** The splices of `planReject` were written. */
  reject(numbers: readonly number[]): void {
    const { splices, rejected } = this.planReject(numbers);
    const taken = this.tracked.filter((hunk) => rejected.includes(hunk.number));
    const others = this.tracked.filter((hunk) => !rejected.includes(hunk.number));
    this.document = applySplices(this.document, splices);
    for (const hunk of others) {
      // Two removals may have come to stand in one gap; what is put back of the earlier one belongs before the later one.
      const later = hunk.start === hunk.end && hunk.number > (rejected[0] ?? hunk.number);
      Object.assign(hunk, pick(later ? moveRange(hunk, splices, 'withEnd') : moveRange(hunk, splices)));
    }
    // The edges of the region may be edges of hunks.
    this.place = pick(moveRange(this.place, splices, 'wide'));
    let shift = 0;
    for (const hunk of taken.toSorted((a, b) => a.start - b.start || a.number - b.number)) {
      const grown = hunk.oldLines.length - (hunk.end - hunk.start);
      hunk.start += shift;
      shift += grown;
      hunk.end += shift;
      hunk.state = 'rejected';
    }
  }

  /** Everything was taken back: the region can be written anew. False if it doesn't hold its original text. */
  restart(): boolean {
    if (!this.holds(this.place, this.original)) return false;
    this.written = this.original;
    this.tracked = [];
    return true;
  }

  /** The hunks become plain text. */
  accept(numbers: readonly number[]): void {
    for (const hunk of this.tracked) {
      if (hunk.state === 'open' && numbers.includes(hunk.number)) hunk.state = 'accepted';
    }
  }

  /** Somebody else changed the document: typing, a formatter, an undo. The changes are applied one after the other. */
  foreign(changes: readonly ContentChange[]): void {
    for (const change of changes) {
      const splices = toSplices(this.document, change);
      if (splices.length === 0) continue;
      this.document = applySplices(this.document, splices);
      this.place = pick(this.settle(this.place, splices, this.written, this.original));
      for (const hunk of this.tracked) {
        const moved = this.settle(hunk, splices, hunk.newLines, hunk.oldLines);
        Object.assign(hunk, pick(moved));
        this.keepInRegion(hunk);
        // Lines prove by themselves where they are; a gap can't.
        hunk.torn = hunk.newLines.length === 0 && (hunk.torn || moved.torn);
        // An undo takes a hunk back, or a rejection; a redo does it again.
        const isNew = this.holds(hunk, hunk.newLines);
        if (hunk.state === 'open' && !isNew && this.holds(hunk, hunk.oldLines)) hunk.state = 'rejected';
        else if (hunk.state === 'rejected' && isNew && !hunk.torn) hunk.state = 'open';
      }
    }
    this.dropUndone();
  }

  /**
   * The document with the removed lines of all open hunks in place of what stands there now, changed or not: what "Show
   * removed" compares with. For showing only.
   */
  before(): string[] {
    const splices: Splice[] = [];
    let free = 0;
    for (const hunk of this.open.toSorted((a, b) => a.start - b.start || a.number - b.number)) {
      if (hunk.start < free) continue;
      splices.push({ start: hunk.start, removed: hunk.end - hunk.start, inserted: [...hunk.oldLines] });
      free = hunk.end;
    }
    return applySplices(this.document, splices);
  }

  /**
   * An undo may come as several changes that turn the lines of a hunk into others of the old text, so that no single one
   * tells it is taken back. The text tells: where the old lines stand again between what is known, nothing is open.
   */
  private dropUndone(): void {
    if (this.open.length > 0 && this.holds(this.place, this.original)) {
      this.placeOld(this.tracked, this.place.start, 0);
      return;
    }
    const isUnclear = (hunk: TrackedHunk) => hunk.state === 'open' && !this.isFresh(hunk);
    for (let from = 0; from < this.tracked.length; from++) {
      if (!isUnclear(this.tracked[from]!)) continue;
      let to = from + 1;
      while (to < this.tracked.length && isUnclear(this.tracked[to]!)) to++;
      const last = this.tracked[from - 1];
      const next = this.tracked[to];
      const oldStart = last ? last.oldStart + last.oldLines.length : 0;
      const range = { start: last ? last.end : this.place.start, end: next ? next.start : this.place.end };
      if (this.holds(range, this.original.slice(oldStart, next?.oldStart))) {
        this.placeOld(this.tracked.slice(from, to), range.start, oldStart);
      }
      from = to;
    }
  }

  /** The old lines of `hunks` are back: line `start` of the document is line `oldStart` of the original. */
  private placeOld(hunks: readonly TrackedHunk[], start: number, oldStart: number): void {
    for (const hunk of hunks) {
      hunk.start = start + hunk.oldStart - oldStart;
      hunk.end = hunk.start + hunk.oldLines.length;
      hunk.torn = false;
      if (hunk.state === 'open') hunk.state = 'rejected';
    }
  }

  /** A hunk is a part of the region, also when lines were put in, or put back, right at the region's edge. */
  private keepInRegion(hunk: TrackedHunk): void {
    const { start, end } = this.place;
    if (hunk.start < hunk.end) {
      this.place = { start: Math.min(start, hunk.start), end: Math.max(end, hunk.end) };
    } else if (hunk.end < start) {
      hunk.start = start;
      hunk.end = start;
    }
  }

  /**
   * Where `range` is after `splices`. Of the possible answers (with or without what was put in at its edges) the one that
   * holds the texts that are expected there; when none does, what now stands in its place.
   */
  private settle(range: Range, splices: readonly Splice[], ...expected: [readonly string[], readonly string[]]) {
    const narrow = moveRange(range, splices);
    const wide = moveRange(range, splices, 'wide');
    // Nothing is found everywhere: whether removed lines are back tells only the wider range.
    const isBack = expected[0].length === 0 && expected[1].length > 0 && this.holds(wide, expected[1]);
    if (!isBack && this.holds(narrow, expected[0])) return narrow;
    const withStart = moveRange(range, splices, 'withStart');
    const withEnd = moveRange(range, splices, 'withEnd');
    for (const text of isBack ? expected.toReversed() : expected) {
      const found = [narrow, withStart, withEnd, wide].find((candidate) => this.holds(candidate, text));
      if (found) return { ...found, torn: false };
    }
    const found = this.findOnce(wide, expected[0]);
    return found ? { ...found, torn: false } : moveRange(range, splices, 'covering');
  }

  /** The only place in `range` that holds `text`, if it says anything. */
  private findOnce(range: Range, text: readonly string[]): Range | undefined {
    if (text.every((line) => line.trim() === '')) return undefined;
    let found: Range | undefined;
    for (let start = range.start; start + text.length <= range.end; start++) {
      const candidate = { start, end: start + text.length };
      if (!this.holds(candidate, text)) continue;
      if (found) return undefined;
      found = candidate;
    }
    return found;
  }

  private holds(range: Range, text: readonly string[]): boolean {
    if (range.end - range.start !== text.length || range.end > this.document.length) return false;
    return text.every((line, index) => this.document[range.start + index] === line);
  }

  /** A document keeps one line at least, so that a region which is all of it can't become no line at all. */
  private fitted(next: readonly string[]): readonly string[] {
    const isWholeDocument = this.place.end - this.place.start === this.document.length;
    return next.length === 0 && isWholeDocument ? [''] : next;
  }
}

const pick = ({ start, end }: Range): Range => ({ start, end });

/** One splice from the first to the last difference: cheap, for texts that are rewritten many times a second. */
function diffOnce(from: readonly string[], to: readonly string[]): Splice[] {
  const prefix = commonPrefix(from, to);
  const suffix = commonSuffix(from, to, Math.min(from.length, to.length) - prefix);
  const inserted = to.slice(prefix, to.length - suffix);
  const removed = from.length - suffix - prefix;
  return removed === 0 && inserted.length === 0 ? [] : [{ start: prefix, removed, inserted }];
}
