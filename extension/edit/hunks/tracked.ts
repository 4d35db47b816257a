import { commonPrefix, commonSuffix, reviewHunks } from './hunks.ts';
import { LineMap } from './lineMap.ts';
import { holds, settle } from './settle.ts';
import { applySplices, type ContentChange, moveRange, type Range, type Splice, toSplices } from './track.ts';

/** A hunk in the document: `start` to `end` are its lines there. Unless changed, they are its `newLines`. */
export interface TrackedHunk extends Range {
  /** Counted from 1 in the order of the document. */
  number: number;
  /** Where its old lines begin in the region's original text. */
  readonly oldStart: number;
  readonly oldLines: readonly string[];
  readonly newLines: readonly string[];
  /**
   * `withdrawn`: the answer itself took it back. `kept`: no more decision is possible, because it was accepted and
   * recorded, or because another change restored its text after the edit was over.
   */
  state: 'open' | 'accepted' | 'rejected' | 'withdrawn' | 'kept';
  /** The lines around it were replaced, so its place is unknown. */
  torn: boolean;
  /** After it was rejected, another change brought its text again, which is not the edit's own then. */
  isElsewhere?: boolean;
  /** The answer's named blocks that it belongs to. */
  readonly blocks?: readonly string[];
}

/** A hunk to write: `startLine` counts in the text at the start of the edit. */
export interface NewHunk extends Pick<TrackedHunk, 'oldLines' | 'newLines' | 'blocks'> {
  /** Counted from 0, in the text before any hunk. */
  startLine: number;
}

/**
 * One edit in one document, without the document: a copy of its lines, and the hunks in it. An edit either rewrites a
 * region as a whole (`show`) or puts hunks into the file one by one (`place`). `foreign` takes foreign
 * changes; each hunk then keeps its place or knows that it was changed. Each `plan…` returns the splices to write, and
 * the method of the same name records that they were written; this class writes nothing.
 */
export class TrackedEdit {
  /** The region's text before the edit. */
  readonly original: readonly string[];
  private document: readonly string[];
  private area: Range;
  private written: readonly string[];
  /** Undefined until the hunks of the shown text are needed: while an answer streams in, that is rare. */
  private parted: TrackedHunk[] | undefined = [];
  private isRough = false;
  /** The document before the last rejection. */
  private rejected: readonly string[] = [];
  /** Only if hunks are placed one by one. */
  private readonly map: LineMap | undefined;
  private isPlaced = false;

  /** `lines`: the whole document. `region`: the lines to rewrite; without it hunks may go anywhere. */
  constructor(lines: readonly string[], region?: Range) {
    this.document = lines;
    this.map = region ? undefined : new LineMap(lines);
    this.area = region ? { ...region } : { start: 0, end: lines.length };
    this.original = lines.slice(this.area.start, this.area.end);
    this.written = this.original;
  }

  /** The document's lines, as its changes imply. */
  get lines(): readonly string[] {
    return this.document;
  }

  get region(): Readonly<Range> {
    return this.area;
  }

  /** The text last written into the region. */
  get shown(): readonly string[] {
    return this.written;
  }

  get hunks(): readonly Readonly<TrackedHunk>[] {
    return this.tracked.filter((hunk) => hunk.state !== 'withdrawn');
  }

  get open(): readonly Readonly<TrackedHunk>[] {
    return this.tracked.filter((hunk) => hunk.state === 'open');
  }

  /** Whether a region is rewritten, instead of hunks placed one by one. */
  get isRegion(): boolean {
    return !this.map;
  }

  /** True if only our own writes changed the region since the last `show`. */
  get intact(): boolean {
    return this.holds(this.area, this.written);
  }

  /** Whether the hunk's lines are still as written, so that they can be taken back. */
  isFresh(hunk: Readonly<TrackedHunk>): boolean {
    return !hunk.torn && this.holds(hunk, hunk.newLines);
  }

  /** The splices that make an intact region show `next`. */
  planShow(next: readonly string[]): Splice[] {
    return diffOnce(this.written, this.fitted(next)).map((splice) => ({
      ...splice,
      start: splice.start + this.area.start,
    }));
  }

  /**
   * Records that the splices of `planShow(next)` were written: the region shows `next`, divided into new, open hunks.
   * Except for the last time the division may be rough, because it is repeated for each piece.
   */
  show(next: readonly string[], isLast = true): void {
    const shown = this.fitted(next);
    this.document = applySplices(this.document, this.planShow(shown));
    this.written = shown;
    this.area = { start: this.area.start, end: this.area.start + shown.length };
    this.isRough = !isLast;
    this.parted = undefined;
  }

  /** All hunks, in order. */
  private get tracked(): TrackedHunk[] {
    this.parted ??= this.part();
    return this.parted;
  }

  /** Divides the region's shown text into new, open hunks. */
  private part(): TrackedHunk[] {
    const { start } = this.area;
    const most = this.isRough ? MAX_DIFFERENT_WHILE_WRITING : undefined;
    return reviewHunks(this.original, this.written, most).map((hunk, index) => ({
      number: index + 1,
      start: start + hunk.newStart,
      end: start + hunk.newStart + hunk.newLines.length,
      oldStart: hunk.oldStart,
      oldLines: hunk.oldLines,
      newLines: hunk.newLines,
      state: 'open',
      torn: false,
    }));
  }

  /**
   * The splices that put these hunks into the document, each where its lines are now. `stale`: hunks whose lines were
   * changed since; they are not written.
   */
  planPlace(hunks: readonly NewHunk[]): { splices: Splice[]; placed: NewHunk[]; stale: NewHunk[] } {
    const splices: Splice[] = [];
    const placed: NewHunk[] = [];
    const stale: NewHunk[] = [];
    for (const hunk of hunks.map((each) => this.fittedHunk(each)).toSorted(inOrder)) {
      const old = { start: hunk.startLine, end: hunk.startLine + hunk.oldLines.length };
      const at = this.map?.find(old, this.document) ?? this.findWithdrawn(old);
      if (at && !this.tracked.some((other) => other.state !== 'withdrawn' && isInside(at, other))) {
        splices.push({ start: at.start, removed: at.end - at.start, inserted: [...hunk.newLines] });
        placed.push(hunk);
      } else stale.push(hunk);
    }
    return { splices, placed, stale };
  }

  /** Records that the splices of `planPlace` were written; the placed hunks are open. */
  place(hunks: readonly NewHunk[]): void {
    const { splices, placed } = this.planPlace(hunks);
    // Last to first, so that no hunk moves the lines of the next one.
    for (let index = placed.length - 1; index >= 0; index--) {
      const splice = splices[index]!;
      const { startLine, oldLines, newLines, blocks } = placed[index]!;
      for (const other of this.tracked) {
        const isBehind = other.start === other.end && startLine <= other.oldStart;
        Object.assign(other, pick(moveRange(other, [splice], isBehind ? 'withEnd' : 'narrow')));
      }
      this.map?.own(splice, startLine);
      const range = { start: splice.start, end: splice.start + newLines.length };
      const lines = { oldStart: startLine, oldLines, newLines };
      this.tracked.push({ ...range, ...lines, number: 0, state: 'open', torn: false, ...(blocks && { blocks }) });
    }
    this.setDocument(applySplices(this.document, splices));
    this.tracked.sort((a, b) => a.oldStart - b.oldStart || a.oldLines.length - b.oldLines.length);
    for (const [index, hunk] of this.tracked.entries()) hunk.number = index + 1;
  }

  /** No more hunks will be placed, so the map of the old text's lines is not needed any more. */
  endPlacing(): void {
    this.isPlaced = true;
  }

  /** The splices that restore the hunks' old lines. Hunks that others changed are refused, not overwritten. */
  planReject(numbers: readonly number[]): { splices: Splice[]; rejected: number[]; refused: number[] } {
    const asked = this.tracked.filter((hunk) => hunk.state === 'open' && numbers.includes(hunk.number));
    const fresh = asked.filter((hunk) => this.isFresh(hunk));
    const refused = asked.filter((hunk) => !fresh.includes(hunk)).map((hunk) => hunk.number);
    return { splices: fresh.toSorted(inPlace).map(toOld), rejected: fresh.map((hunk) => hunk.number), refused };
  }

  /** Records that the splices of `planReject` were written. */
  reject(numbers: readonly number[]): void {
    const { splices, rejected } = this.planReject(numbers);
    this.rejected = this.document;
    this.exchange(rejected, splices, 'rejected');
  }

  /** Records that the splices of `planReject` were written, because the answer wants other lines there. */
  withdraw(numbers: readonly number[]): void {
    const { splices, rejected } = this.planReject(numbers);
    this.exchange(rejected, splices, 'withdrawn');
  }

  /** The splices that write rejected hunks again, where their old lines are still in place. */
  planReopen(numbers: readonly number[]): { splices: Splice[]; reopened: number[] } {
    const found = this.tracked.filter(
      (hunk) =>
        hunk.state === 'rejected' && numbers.includes(hunk.number) && !hunk.torn && this.holds(hunk, hunk.oldLines),
    );
    return { splices: found.toSorted(inPlace).map(toNew), reopened: found.map((hunk) => hunk.number) };
  }

  /** Records that the splices of `planReopen` were written. */
  reopen(numbers: readonly number[]): void {
    const { splices, reopened } = this.planReopen(numbers);
    this.exchange(reopened, splices, 'open');
  }

  /** Turns the hunks into plain text. */
  accept(numbers: readonly number[]): void {
    for (const hunk of this.tracked) {
      if (hunk.state === 'open' && numbers.includes(hunk.number)) hunk.state = 'accepted';
    }
  }

  /**
   * The named blocks with lines accepted since the last `keep`, and those among them that are only partly in the text.
   */
  acceptedBlocks(): { blocks: string[]; partly: string[] } {
    const of = (states: readonly TrackedHunk['state'][]) =>
      new Set(this.tracked.flatMap(({ state, blocks }) => (states.includes(state) ? (blocks ?? []) : [])));
    const others = of(['open', 'rejected']);
    const blocks = [...of(['accepted'])];
    return { blocks, partly: blocks.filter((block) => others.has(block)) };
  }

  /** Records that the accepted hunks were stored: the next `accepted` covers only later ones. */
  keep(): void {
    for (const hunk of this.tracked) if (hunk.state === 'accepted') hunk.state = 'kept';
  }

  /**
   * Records foreign changes: typing, a formatter, an undo. They are applied one after the other. `reopens`: a
   * rejected hunk whose text is back becomes open again; otherwise it counts as plain text. Even so it is open again where
   * an undo goes back through that change, such as a further proposal, to the document that was rejected.
   */
  foreign(changes: readonly ContentChange[], reopens = true): void {
    const { tracked } = this;
    let put: Range[] = [];
    for (const change of changes) {
      const splices = toSplices(this.document, change);
      if (splices.length === 0) continue;
      put = [...put.map((range) => pick(moveRange(range, splices))), ...placesOf(splices)];
      if (!this.isPlaced) this.map?.foreign(splices);
      const document = applySplices(this.document, splices);
      if (!this.map) this.area = pick(settle(document, this.area, splices, this.written, this.original));
      this.setDocument(document);
      for (const hunk of tracked) {
        const moved = settle(this.document, hunk, splices, hunk.newLines, hunk.oldLines);
        Object.assign(hunk, pick(moved));
        this.keepInRegion(hunk);
        // Lines can be recognised where they are; a gap can't.
        hunk.torn = hunk.newLines.length === 0 && (hunk.torn || moved.torn);
        // An undo takes back a hunk or a rejection; a redo repeats it.
        const isNew = this.holds(hunk, hunk.newLines);
        if (hunk.state === 'open' && !isNew && this.holds(hunk, hunk.oldLines)) hunk.state = 'rejected';
        else if (hunk.state === 'rejected' && isNew && !hunk.torn && !hunk.isElsewhere) {
          if (reopens) hunk.state = 'open';
          else if (this.isRegion) hunk.isElsewhere = true;
          else hunk.state = 'kept';
        }
      }
    }
    if (reopens && tracked.some(({ isElsewhere }) => isElsewhere) && this.isAsRejected())
      for (const hunk of tracked) if (hunk.isElsewhere && this.isFresh(hunk)) hunk.state = 'open';
    this.dropUndone();
    if (reopens) this.raiseRedone(put);
  }

  /**
   * The document with the removed lines of all open hunks instead of the current ones, changed or not, for the
   * comparison in "Show removed". For display only.
   */
  before(): string[] {
    return this.without('open');
  }

  /** The line of `before` at which an open hunk's removed lines begin. */
  lineBefore({ start }: Readonly<TrackedHunk>): number {
    const above = this.open.filter((hunk) => hunk.start < start);
    return above.reduce((line, hunk) => line + hunk.oldLines.length - (hunk.end - hunk.start), start);
  }

  /** The open hunk at a line of `before`, or the next one after it. */
  openAtLineBefore(line: number): Readonly<TrackedHunk> | undefined {
    const inOrder = this.open.toSorted((a, b) => a.start - b.start);
    return inOrder.find((hunk) => line < this.lineBefore(hunk) + Math.max(1, hunk.oldLines.length)) ?? inOrder.at(-1);
  }

  /** The whole text before and after the accepted hunks. */
  accepted(): { before: string[]; after: readonly string[] } {
    return { before: this.without('accepted'), after: this.document };
  }

  private without(state: TrackedHunk['state']): string[] {
    const splices: Splice[] = [];
    let free = 0;
    for (const hunk of this.tracked.filter((each) => each.state === state).toSorted(inPlace)) {
      if (hunk.start < free) continue;
      splices.push(toOld(hunk));
      free = hunk.end;
    }
    return applySplices(this.document, splices);
  }

  private isAsRejected(): boolean {
    const { document, rejected } = this;
    return document.length === rejected.length && document.every((line, at) => line === rejected[at]);
  }

  private setDocument(lines: readonly string[]): void {
    this.document = lines;
    if (this.map) this.area = { start: 0, end: lines.length };
  }

  /**
   * Records that each hunk's lines were replaced by one of `splices`: by the new lines if `open`, else by the old ones.
   */
  private exchange(
    numbers: readonly number[],
    splices: readonly Splice[],
    state: Exclude<TrackedHunk['state'], 'accepted' | 'kept'>,
  ): void {
    const taken = this.tracked.filter((hunk) => numbers.includes(hunk.number));
    for (const hunk of this.tracked) {
      if (taken.includes(hunk)) continue;
      // Two removals may share one gap. Restored lines of the earlier hunk go before the later one.
      const isBehind = hunk.start === hunk.end && hunk.number > (numbers[0] ?? hunk.number);
      Object.assign(hunk, pick(moveRange(hunk, splices, isBehind ? 'withEnd' : 'narrow')));
    }
    // The region's edges may be edges of hunks.
    this.area = pick(moveRange(this.area, splices, 'wide'));
    if (!this.isPlaced) this.map?.foreign(splices);
    this.setDocument(applySplices(this.document, splices));
    let shift = 0;
    for (const hunk of taken.toSorted(inPlace)) {
      const lines = state === 'open' ? hunk.newLines : hunk.oldLines;
      const grown = lines.length - (hunk.end - hunk.start);
      hunk.start += shift;
      shift += grown;
      hunk.end += shift;
      hunk.state = state;
    }
  }

  /** The current place of old lines that a withdrawn hunk has restored. */
  private findWithdrawn({ start, end }: Range): Range | undefined {
    const hunk = this.tracked.find(
      ({ state, oldStart, oldLines }) =>
        state === 'withdrawn' && oldStart <= start && end <= oldStart + oldLines.length,
    );
    if (!hunk || hunk.torn || !this.holds(hunk, hunk.oldLines)) return undefined;
    const shift = hunk.start - hunk.oldStart;
    return { start: start + shift, end: end + shift };
  }

  /**
   * An undo may come as several changes that turn a hunk's lines into other lines of the old text, so that no single
   * change shows it. Compare texts instead: where the old lines are back between known hunks, none is open.
   */
  private dropUndone(): void {
    if (this.open.length > 0 && this.holds(this.area, this.original)) {
      this.placeOld(this.tracked, this.area.start, 0);
      return;
    }
    for (const { hunks, range, oldStart, oldEnd } of this.runs(
      (hunk) => hunk.state === 'open' && !this.isFresh(hunk),
    )) {
      if (this.holds(range, this.original.slice(oldStart, oldEnd))) this.placeOld(hunks, range.start, oldStart);
    }
  }

  /**
   * The same for a redo: where the new lines are back between known hunks, rejected ones are open again. `put` are the
   * lines that this change inserted: equal lines around the region were there before.
   */
  private raiseRedone(put: readonly Range[]): void {
    const isUnclear = ({ state, isElsewhere, start, end, oldLines }: TrackedHunk) =>
      state === 'rejected' && !isElsewhere && (oldLines.length === 0 || !this.holds({ start, end }, oldLines));
    for (const { hunks, range, oldStart, oldEnd } of this.runs(isUnclear)) {
      const text: string[] = [];
      const places: Range[] = [];
      let at = oldStart;
      for (const hunk of hunks) {
        text.push(...this.original.slice(at, hunk.oldStart));
        places.push({ start: text.length, end: text.length + hunk.newLines.length });
        text.push(...hunk.newLines);
        at = hunk.oldStart + hunk.oldLines.length;
      }
      text.push(...this.original.slice(at, oldEnd));
      // A redo's insertion at an edge of the region was counted as a foreign change.
      const ends = [range, { start: range.start, end: range.start + text.length }];
      if (hunks[0] === this.tracked[0]) ends.push({ start: range.end - text.length, end: range.end });
      const isOurs = (line: number) => isIn(line, range) || put.some((lines) => isIn(line, lines));
      const isFree = ({ start, end }: Range) => {
        for (let line = start; line < end; line++) if (!isOurs(line)) return false;
        return start >= 0;
      };
      const start = ends.find((place) => isFree(place) && this.holds(place, text))?.start;
      if (start === undefined) continue;
      for (const [index, hunk] of hunks.entries()) {
        const place = places[index]!;
        Object.assign(hunk, { start: start + place.start, end: start + place.end, torn: false, state: 'open' });
        this.keepInRegion(hunk);
      }
    }
  }

  /**
   * Runs of adjacent hunks that `isOne` accepts, with the text between the neighbouring hunks: its range now, and in
   * the old text.
   */
  private *runs(isOne: (hunk: TrackedHunk) => boolean) {
    for (let from = 0; from < this.tracked.length; from++) {
      if (!isOne(this.tracked[from]!)) continue;
      let to = from + 1;
      while (to < this.tracked.length && isOne(this.tracked[to]!)) to++;
      const last = this.tracked[from - 1];
      const next = this.tracked[to];
      const range = { start: last ? last.end : this.area.start, end: next ? next.start : this.area.end };
      const oldStart = last ? last.oldStart + last.oldLines.length : 0;
      yield { hunks: this.tracked.slice(from, to), range, oldStart, oldEnd: next?.oldStart };
      from = to;
    }
  }

  /** Records that the old lines of `hunks` are back: the document's line `start` is the original's line `oldStart`. */
  private placeOld(hunks: readonly TrackedHunk[], start: number, oldStart: number): void {
    for (const hunk of hunks) {
      hunk.start = start + hunk.oldStart - oldStart;
      hunk.end = hunk.start + hunk.oldLines.length;
      hunk.torn = false;
      if (hunk.state === 'open') hunk.state = 'rejected';
    }
  }

  /** Extends the region to a hunk whose lines were inserted or restored right at its edge. */
  private keepInRegion(hunk: TrackedHunk): void {
    const { start, end } = this.area;
    if (hunk.start < hunk.end) {
      this.area = { start: Math.min(start, hunk.start), end: Math.max(end, hunk.end) };
    } else if (hunk.end < start) {
      hunk.start = start;
      hunk.end = start;
    }
  }

  private holds(range: Range, text: readonly string[]): boolean {
    return holds(this.document, range, text);
  }

  /** The same for a hunk that removes the last line. */
  private fittedHunk(hunk: NewHunk): NewHunk {
    const takesAll = hunk.oldLines.length === this.document.length && hunk.newLines.length === 0;
    return takesAll ? { ...hunk, newLines: [''] } : hunk;
  }

  /** A document keeps at least one line, so a region that covers it all must too. */
  private fitted(next: readonly string[]): readonly string[] {
    const isWholeDocument = this.area.end - this.area.start === this.document.length;
    return next.length === 0 && isWholeDocument ? [''] : next;
  }
}

const inOrder = (a: NewHunk, b: NewHunk) => a.startLine - b.startLine || a.oldLines.length - b.oldLines.length;
const inPlace = (a: TrackedHunk, b: TrackedHunk) => a.start - b.start || a.number - b.number;
const toOld = ({ start, end, oldLines }: TrackedHunk): Splice => ({
  start,
  removed: end - start,
  inserted: [...oldLines],
});
const toNew = ({ start, end, newLines }: TrackedHunk): Splice => ({
  start,
  removed: end - start,
  inserted: [...newLines],
});

/** Whether `range` includes or splits lines of the hunk. */
function isInside(range: Range, hunk: TrackedHunk): boolean {
  if (range.start === range.end) return hunk.start < range.start && range.start < hunk.end;
  if (hunk.start === hunk.end) return range.start < hunk.start && hunk.start < range.end;
  return range.start < hunk.end && hunk.start < range.end;
}

/** Limits the search for hunks to a few milliseconds. */
const MAX_DIFFERENT_WHILE_WRITING = 200;

const pick = ({ start, end }: Range): Range => ({ start, end });

/** One splice from the first to the last difference: cheap, for texts that change many times a second. */
function diffOnce(from: readonly string[], to: readonly string[]): Splice[] {
  const prefix = commonPrefix(from, to);
  const suffix = commonSuffix(from, to, Math.min(from.length, to.length) - prefix);
  const inserted = to.slice(prefix, to.length - suffix);
  const removed = from.length - suffix - prefix;
  return removed === 0 && inserted.length === 0 ? [] : [{ start: prefix, removed, inserted }];
}

const isIn = (line: number, { start, end }: Range) => line >= start && line < end;

/** Where the inserted lines of the splices are afterwards. */
function placesOf(splices: readonly Splice[]): Range[] {
  let shift = 0;
  return splices.map(({ start, removed, inserted }) => {
    const range = { start: start + shift, end: start + shift + inserted.length };
    shift += inserted.length - removed;
    return range;
  });
}
