import type { Change, ChangeLine, PlacedHunk, Reason, Refusal } from './edits.ts';
import { translateIndents } from './indentation.ts';
import type { IndexedFile } from './indexedFile.ts';
import { findElision, indentOf, isBlank, looseKey, PunctuationEvidence, trimTrail } from './loose.ts';
import { type Found, findPlace } from './match.ts';
import { nearestLines } from './similarity.ts';

/** Where a change belongs: the lines of the file that it names, and its hunks among them. */
export interface Placed {
  kind: 'placed';
  /** Counted from 0. */
  start: number;
  /** Lines that the change names. */
  length: number;
  hunks: PlacedHunk[];
}

export type Placement = Placed | { kind: 'refused'; refusal: Refusal };

/** So many of the lines looked for are told. */
const MAX_TOLD = 40;

/** Finds the one place of `change` in `file` and writes its new lines as the file would have them. */
export function placeChange(file: IndexedFile, change: Change): Placement {
  const old = change.lines.filter((line) => line.op !== 'new').map(({ text }) => text);
  const refuse = (reason: Reason, message: string, more: Partial<Refusal> = {}): Placement => ({
    kind: 'refused',
    refusal: { reason, message, lookedFor: old.slice(0, MAX_TOLD), answerLine: change.answerLine, ...more },
  });
  const fresh = change.lines.filter((line) => line.op === 'new').map(({ text }) => text);
  const elision = findElision(fresh, new Set([...old.map(looseKey), ...file.keys]));
  if (elision !== undefined) {
    return refuse('elided', `The new text leaves out code: "${elision.trim()}" would stand in the file instead of it.`);
  }
  if (old.length === 0) return placeWithoutContext(file, change, fresh, refuse);

  const found = findPlace(file, change);
  if (found.kind === 'ambiguous') {
    const candidates = found.starts.map((start) => start + 1);
    const named = `${candidates.slice(0, -1).join(', ')} and ${candidates.at(-1)}`;
    const message =
      candidates.length > 1
        ? `These lines stand in the file more than once: at lines ${named}.`
        : 'These lines stand in the file more than once.';
    return refuse('ambiguous', message, { candidates });
  }
  if (found.kind === 'notFound') {
    return refuse('notFound', `These lines are not in the file: ${found.why}.`, { nearest: nearestLines(file, old) });
  }
  const hunks = toHunks(file, found);
  if (typeof hunks === 'string') return refuse('uncertain', hunks, { candidates: [found.start + 1] });
  if (hunks.length === 0) return refuse('noChange', 'The new lines are the same as the old ones.');
  return { kind: 'placed', start: found.start, length: found.lines.filter((line) => line.op !== 'new').length, hunks };
}

/** An addition that names no line around it: the empty file, or by V4A's rule the end of the file. */
function placeWithoutContext(
  file: IndexedFile,
  change: Change,
  fresh: string[],
  refuse: (reason: Reason, message: string) => Placement,
): Placement {
  if (fresh.length === 0) return refuse('noChange', 'It names neither old nor new lines.');
  const isEmpty = file.lines.every(isBlank);
  if (!isEmpty && change.format === 'searchReplace') {
    return refuse('fileExists', 'It looks for nothing, which means a new file, but the file has text already.');
  }
  if (!isEmpty && change.headings.length > 0) {
    return refuse('notFound', 'It names no lines between which the new ones belong.');
  }
  const start = isEmpty ? 0 : file.lines.length;
  const oldLines = isEmpty ? [...file.lines] : [];
  const hunk: PlacedHunk = { startLine: start, oldLines, newLines: fresh, how: 'given' };
  return { kind: 'placed', start, length: oldLines.length, hunks: [hunk] };
}

/** The hunks of a found change; a sentence when it cannot be told how its new lines are to be written. */
function toHunks(file: IndexedFile, found: Found & { kind: 'found' }): PlacedHunk[] | string {
  const { lines, start, how } = found;
  const newTexts = adaptNewLines(file, found);
  if (typeof newTexts === 'string') return newTexts;
  const hunks: PlacedHunk[] = [];
  let open: PlacedHunk | undefined;
  let at = start;
  let isMarkRead = true;
  for (const [index, line] of lines.entries()) {
    if (line.op === 'keep') {
      open = undefined;
      at++;
      continue;
    }
    if (!open) {
      open = { startLine: at, oldLines: [], newLines: [], how };
      hunks.push(open);
    }
    if (line.op === 'old') open.oldLines.push(file.lines[at++]!);
    else open.newLines.push(newTexts.get(index)!);
  }
  // A line of context that begins with a plus itself and lacks its mark reads as an addition of what stands there.
  for (const hunk of hunks) {
    const after = hunk.startLine + hunk.oldLines.length;
    const first = `+${hunk.newLines[0]}`;
    const last = `+${hunk.newLines.at(-1)}`;
    if (file.lines[hunk.startLine - 1] === first || file.lines[after] === last) isMarkRead = false;
    if (file.lines[hunk.startLine - 1] === last || file.lines[after] === first) isMarkRead = false;
  }
  if (!isMarkRead) return 'A line begins with a plus as the file has it: it could be new, or be what stands there.';
  return hunks.filter(({ oldLines, newLines }) => !isSame(oldLines, newLines));
}

const isSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((line, index) => line === b[index]);

/** New lines by their index in `found.lines`, indented and punctuated as the file is. */
function adaptNewLines(file: IndexedFile, found: Found & { kind: 'found' }): Map<number, string> | string {
  const { lines, start, how } = found;
  const fresh = [...lines.entries()].filter(([, line]) => line.op === 'new');
  const written = fresh.map(([, { text }]) => text);

  let punctuated: readonly string[] = written;
  if (how === 'punctuation') {
    const evidence = new PunctuationEvidence();
    const old = lines.filter((line: ChangeLine) => line.op !== 'new');
    for (const [index, line] of old.entries()) {
      const fileLine = file.lines[start + index]!;
      evidence.add(trimTrail(line.text.trimStart()), trimTrail(fileLine.trimStart()));
    }
    const translated = written.map((line) => evidence.translate(line));
    if (translated.some((line) => line === undefined)) {
      return 'The old lines are written with other quotes or dashes than the file has; what the new ones mean cannot be told.';
    }
    punctuated = translated as string[];
  }

  const filled = punctuated.filter((line) => !isBlank(line));
  const readings = found.pairs.map((pairs) => translateIndents(pairs, filled.map(indentOf), file.style));
  const [indents, ...others] = readings.filter((reading) => reading !== undefined);
  if (!indents || others.some((other) => !isSame(other, indents))) {
    return 'The old lines are indented otherwise than the file; how far the new ones belong to the right cannot be told.';
  }
  let next = 0;
  const isMoved = filled.some((line, index) => indents[index] !== indentOf(line));
  const result = new Map<number, string>();
  for (const [at, [index]] of fresh.entries()) {
    const text = punctuated[at]!;
    if (isBlank(text)) result.set(index, isMoved ? '' : text);
    else result.set(index, indents[next++]! + text.slice(indentOf(text).length));
  }
  return result;
}
