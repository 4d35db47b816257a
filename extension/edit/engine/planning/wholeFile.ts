// A whole file from an answer: where it ends, and whether it is complete.
import { diffLines, type Hunk } from '../../hunks/hunks.ts';
import type { Edit, FilePlan, Refusal } from '../edits.ts';
import { inForm } from '../placing/manner.ts';
import { elided, refusal } from '../placing/refusals.ts';
import { depthOf } from '../text/blocks.ts';
import { toPlacedHunks } from '../text/changeLines.ts';
import { applyHunks } from '../text/fileText.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { isHint, MARKS, withoutNumbers } from '../text/lineMarks.ts';
import { composed, findElision, hasForms, isBlank, trimTrail } from '../text/loose.ts';
import { similarity } from '../text/similarity.ts';

type Whole = Edit & { kind: 'whole' };

/** A whole file may lose this many lines whatever its length; beyond that, at most half of them. */
const MAX_LOST = 10;
/** The most lines at the file's end that are compared: a run this long occurs nowhere else. */
const MAX_TAIL = 200;
/** From this similarity on, a last line counts as a changed version of the file's. */
const ALIKE = 0.5;

export const QUOTES = 'The code contains a fence itself, so Perigee can’t tell where it ends.';

/** The plan for the file `before` when the answer writes all of it. */
export function planWhole(path: string, before: string, file: IndexedFile, edit: Whole): FilePlan | Refusal {
  const written = readingOf(edit, file);
  if (!written) return refusal(edit, 'malformed', QUOTES);
  const unnumbered = withoutNumbers(file, written);
  if (typeof unnumbered === 'string') return refusal(edit, 'uncertain', unnumbered);
  const lines = withOwnForms(file, unnumbered);
  if (isHint(file, lines.find((line) => !isBlank(line)) ?? '')) return refusal(edit, 'uncertain', MARKS.hint);
  const elision = findElision(lines, (key) => file.at(key).length > 0);
  if (elision !== undefined) return elided(edit, elision);
  const hunks = toPlacedHunks(file.lines, lines, 0);
  if (hunks.length === 0) return refusal(edit, 'noChange', 'The file reads so already.');
  const [had, has] = [file.lines, lines].map((all) => all.filter((line) => !isBlank(line)).length);
  if (has! * 2 < had! && had! - has! > MAX_LOST) {
    const message = `It has ${has} lines where the file has ${had}: it may be a piece of the file, and not all of it.`;
    return refusal(edit, 'uncertain', message);
  }
  const lost = lostAtEnd(file.lines, lines);
  if (lost !== undefined) {
    const message = `It ends before the file does, so Perigee can’t tell whether to delete the file’s lines from line ${lost + 1} on.`;
    return refusal(edit, 'uncertain', message);
  }
  return { kind: 'update', path, before, after: applyHunks(file.text, hunks), hunks };
}

/** A line that differs only in its Unicode form keeps the file's version; new lines get the file's form. */
export function withOwnForms(file: IndexedFile, lines: readonly string[]): readonly string[] {
  if (!lines.some(hasForms)) return lines;
  const own = new Map(file.lines.filter(hasForms).map((line) => [composed(line), line]));
  return inForm(lines, file.form).map((line) => own.get(composed(line)) ?? line);
}

/**
 * The lines of the code. If it quotes fences, the end is the one fence where it ends like the file, or the only one
 * where nothing of the file's end is lost. Undefined if that is ambiguous.
 */
export function readingOf({ lines, longer }: Whole, file?: IndexedFile): readonly string[] | undefined {
  if (!longer) return lines;
  if (!file) return undefined;
  const last = trimTrail(file.lines.findLast((line) => !isBlank(line)) ?? '');
  const possible = [lines, ...longer].filter((reading) => lostAtEnd(file.lines, reading) === undefined);
  const ending = possible.filter((reading) => trimTrail(reading.findLast((line) => !isBlank(line)) ?? '') === last);
  const [only, ...others] = ending.length > 0 ? ending : possible;
  return others.length > 0 ? undefined : only;
}

/**
 * The file's first line, counted from 0, that may be lost because `lines` were cut off; undefined if they surely end
 * like the file.
 */
export function lostAtEnd(fileLines: readonly string[], lines: readonly string[]): number | undefined {
  const file = fileLines.slice(0, fileLines.findLastIndex((line) => !isBlank(line)) + 1);
  const now = lines.slice(0, lines.findLastIndex((line) => !isBlank(line)) + 1);
  if (file.length === 0) return undefined;
  const hunks = diffLines(file, now);
  const filled = (all: readonly string[]) => all.filter((line) => !isBlank(line)).length;
  const gone = hunks.reduce((sum, hunk) => sum + Math.max(0, filled(hunk.oldLines) - filled(hunk.newLines)), 0);
  const last = hunks.at(-1);
  // If no line is shared, it is a new text and not a copy that was cut off.
  const known = new Set(file.filter((line) => !isBlank(line)));
  if (now.length > 0 && !now.some((line) => known.has(line))) return undefined;
  if (last && reaches(last, file.length) && !(isEnd(last) && isBalanced(last, file, now))) return last.oldStart;
  const equal = (end: number, most: number) => {
    let count = 0;
    while (count < Math.min(most, end, now.length) && file[end - 1 - count] === now[now.length - 1 - count]) count++;
    return count;
  };
  const own = equal(file.length, MAX_TAIL);
  if (own === MAX_TAIL || own === now.length) return gone > 0 && own === now.length ? 0 : undefined;
  // If it was cut off after an earlier, similar line, its end would match equally well.
  let lost = 0;
  for (let end = file.length - 1; end > 0; end--) {
    if (!isBlank(file[end]!)) lost++;
    if (lost > gone) return undefined;
    if (file[end - 1] === now.at(-1) && equal(end, own) >= own) return end;
  }
  return undefined;
}

const reaches = ({ oldStart, oldLines }: Hunk, end: number) =>
  oldLines.length > 0 && oldStart + oldLines.length === end;

/**
 * Whether no block is left open by the last hunk. A bracket that another change adds or removes far above says nothing
 * about the end.
 */
const isBalanced = ({ oldLines, newLines }: Hunk, file: readonly string[], now: readonly string[]) =>
  depthOf(newLines) === depthOf(oldLines) || depthOf(now) === depthOf(file);

/** Whether the hunk, which replaces the file's last lines, ends with a changed version of the last one. */
function isEnd({ oldLines, newLines }: Hunk): boolean {
  const [old, fresh] = [oldLines.at(-1)!, newLines.at(-1)];
  if (fresh === undefined || newLines.length < oldLines.length) return false;
  return similarity([old.trim()], [fresh.trim()]) >= ALIKE;
}
