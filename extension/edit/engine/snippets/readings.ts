// The readings of a piece of code that only the user can tell apart: all of its file, or a part of it.
import type { PlacedHunk, Reading } from '../edits.ts';
import { declarations, findAnchors, type Snippet } from '../placing/anchors.ts';
import { toPlacedHunks } from '../text/changeLines.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { isBlank, trimTrail } from '../text/loose.ts';
import { MAX_SILENT } from './lost.ts';

/** The lines of a text from the first that is not blank to the last. */
interface Filled {
  start: number;
  lines: string[];
}

type Gap = Pick<PlacedHunk, 'startLine' | 'oldLines'>;

export interface Readings {
  hunks: Partial<Record<Reading, PlacedHunk[]>>;
  /** Asks the user, in one or two sentences. Undefined if the lines that the code lacks can't be told. */
  question?: string;
}

/**
 * The changes that each reading makes. None if the code contains less than half of the file's lines: such code is no
 * whole file. `part` only if it can be told which lines of the file stay, although the code lacks them.
 */
export function readingsOf(file: IndexedFile, snippet: Snippet): Readings {
  if (snippet.isElided.includes(true)) return { hunks: {} };
  const own = filledOf(file.lines);
  const fresh = snippet.lines.map(trimTrail);
  const whole = changes(own, fresh);
  const filled = countFilled(own.lines);
  const isMost = (filled - whole.reduce((sum, { oldLines }) => sum + countFilled(oldLines), 0)) * 2 >= filled;
  if (!isMost || whole.length === 0) return { hunks: {} };
  const part = partOf(file, snippet, own);
  if (!part || part.gaps.length === 0) return { hunks: { file: whole } };
  // If nothing else changes, there is nothing to apply to a file that keeps its lines.
  const hunks = { file: whole, ...(part.hunks.length > 0 && { part: part.hunks }) };
  return { hunks, question: question(own, part.gaps) };
}

/** The change by which the code replaces the lines from the first to the last that both have, and the file's others. */
function partOf(
  file: IndexedFile,
  snippet: Snippet,
  { start, lines }: Filled,
): { hunks: PlacedHunk[]; gaps: Gap[] } | undefined {
  const anchors = findAnchors(file, snippet);
  const [first, last] = [anchors?.[0], anchors?.at(-1)];
  if (!first || !last) return undefined;
  const end = start + lines.length;
  const gap = (from: number, to: number): Gap => ({ startLine: from, oldLines: file.lines.slice(from, to) });
  const above = gap(start, first.line);
  const below = gap(last.line + 1, end);
  const edges = [above, below].filter(({ oldLines }) => countFilled(oldLines) > 0);
  // New lines beside lines that the code lacks may replace some of them.
  if (edges.includes(above) && first.own > 0) return undefined;
  if (edges.includes(below) && last.own < snippet.lines.length - 1) return undefined;
  const middle = { start: first.line, lines: file.lines.slice(first.line, last.line + 1) };
  const all = changes(middle, snippet.lines.map(trimTrail));
  const gone = all.filter(({ newLines }) => newLines.every(isBlank));
  const large = gone.filter(isLarge);
  // Beside more that the code lacks, few lines are deleted on purpose.
  const gaps = large.length + edges.length > 0 ? large : gone;
  return {
    hunks: all.filter((hunk) => !gaps.includes(hunk)),
    gaps: [...edges, ...gaps].sort((a, b) => a.startLine - b.startLine),
  };
}

const isLarge = ({ oldLines }: Gap) => countFilled(oldLines) > MAX_SILENT || declarations(oldLines).size > 0;

/** Lines that differ from the file's only in blanks at their end stay as they are. */
function changes({ start, lines }: Filled, fresh: readonly string[]): PlacedHunk[] {
  return toPlacedHunks(lines.map(trimTrail), fresh, start).map((hunk) => ({
    ...hunk,
    oldLines: lines.slice(hunk.startLine - start, hunk.startLine - start + hunk.oldLines.length),
  }));
}

function question({ start, lines }: Filled, gaps: readonly Gap[]): string {
  const [only, ...others] = gaps as [Gap, ...Gap[]];
  const count = gaps.reduce((sum, { oldLines }) => sum + countFilled(oldLines), 0);
  const isEnd = only.startLine + only.oldLines.length === start + lines.length;
  // Of equal lines at both ends of a gap, such as closing brackets, either may be meant.
  const from =
    only.startLine +
    Math.max(
      0,
      only.oldLines.findIndex((line) => /[\p{L}\p{N}_]/u.test(line)),
    ) +
    1;
  const edge = others.length > 0 ? '' : only.startLine === start ? 'first ' : isEnd ? 'last ' : '';
  const [what, them] = count === 1 ? ['line', 'it'] : [`${count} lines`, 'them'];
  const lacks =
    edge !== '' ? `the file’s ${edge}${what}` : `${count === 1 ? 'a line' : what} of the file, from line ${from} on`;
  return `The code lacks ${lacks}. Perigee can’t tell whether to delete ${them}.`;
}

function filledOf(lines: readonly string[]): Filled {
  const start = Math.max(
    0,
    lines.findIndex((line) => !isBlank(line)),
  );
  return { start, lines: lines.slice(start, lines.findLastIndex((line) => !isBlank(line)) + 1) };
}

const countFilled = (lines: readonly string[]) => lines.filter((line) => !isBlank(line)).length;
