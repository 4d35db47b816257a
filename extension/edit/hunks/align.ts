/** The farthest the lines of the two texts may be apart. It bounds the work for each new line. */
const BAND = 2_000;

/**
 * Estimates, while a replacement streams in, how many of the old lines it has replaced, so that the rest can stay
 * visible below it. It computes the edit distance of the new lines to each prefix of the old ones (one table row for
 * each new line) and takes the nearest prefix, the longest of several.
 */
export class Alignment {
  private readonly seen: string[] = [];
  private row: Float64Array;

  constructor(private readonly oldLines: readonly string[]) {
    this.row = Float64Array.from({ length: oldLines.length + 1 }, (_, index) => index);
  }

  /** The number of old lines that `newLines` replace. Cheap if they begin with those of the previous call. */
  consumed(newLines: readonly string[]): number {
    this.advance(newLines, Number.POSITIVE_INFINITY);
    if (this.seen.length === 0) return 0;
    let best = 0;
    for (let index = 1; index < this.row.length; index++) if (this.row[index]! <= this.row[best]!) best = index;
    return best;
  }

  /**
   * Processes at most `most` more of `newLines`, so that a large piece doesn't block a turn. Returns whether all are
   * done.
   */
  advance(newLines: readonly string[], most: number): boolean {
    if (this.seen.length > newLines.length || this.seen.some((line, index) => line !== newLines[index])) {
      this.seen.length = 0;
      this.row = this.row.map((_, index) => index);
    }
    const end = Math.min(newLines.length, this.seen.length + most);
    for (let index = this.seen.length; index < end; index++) this.add(newLines[index]!);
    return end === newLines.length;
  }

  private add(line: string): void {
    const from = Math.max(0, this.seen.length - BAND);
    const to = Math.min(this.oldLines.length, this.seen.length + BAND);
    let diagonal = this.row[from]!;
    this.row[from] = diagonal + 1;
    for (let index = from + 1; index <= to; index++) {
      const above = this.row[index]!;
      const replaced = diagonal + (this.oldLines[index - 1] === line ? 0 : 1);
      this.row[index] = Math.min(above + 1, this.row[index - 1]! + 1, replaced);
      diagonal = above;
    }
    for (let index = to + 1; index < this.row.length; index++) this.row[index]! += 1;
    for (let index = 0; index < from; index++) this.row[index] = Number.POSITIVE_INFINITY;
    this.seen.push(line);
  }
}

/** The region's content while the answer streams in: the new lines so far, then the old lines not yet replaced. */
export function showSoFar(alignment: Alignment, oldLines: readonly string[], newLines: readonly string[]): string[] {
  return [...newLines, ...oldLines.slice(alignment.consumed(newLines))];
}
