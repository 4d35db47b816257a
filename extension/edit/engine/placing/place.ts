import type { Change, ChangeLine, Edit, PlacedHunk, Reason, Refusal } from '../edits.ts';
import { translateIndents } from '../text/indentation.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { MARKS, withoutHints } from '../text/lineMarks.ts';
import { findElision, indentOf, isBlank, looseKey, trimTrail } from '../text/loose.ts';
import { nearestLines, similarity } from '../text/similarity.ts';
import { type Evidence, evidenceOf, Manner } from './manner.ts';
import { type Found, findPlace } from './match.ts';
import { isSoundlyMoved } from './moved.ts';
import { findStanding } from './standing.ts';

/** The place of a change: the lines of the file that it names, and its hunks among them. */
export interface Placed {
  kind: 'placed';
  /** Counted from 0. */
  start: number;
  /** The number of lines that the change names. */
  length: number;
  hunks: PlacedHunk[];
  rewrite?: Rewrite;
}

/** What a found change shows about the answer's spelling, and a function that rewrites it by what all changes show. */
export interface Rewrite {
  evidence: Evidence;
  write: (manner: Manner) => Placement;
}

/** A change that is in the file already: the lines of its new side, counted as in `Placed`. */
export interface Standing extends Pick<Placed, 'start' | 'length' | 'hunks'> {
  kind: 'standing';
  /** The first new line. */
  firstNew: number;
  /** False for one or two lines that the change may mean to add again. */
  isSure: boolean;
  rewrite?: undefined;
}

export type Placement = Placed | Standing | { kind: 'refused'; refusal: Refusal; rewrite?: Rewrite };

/** From this similarity on, an added line may be a line of the file that itself begins with a plus. */
const MISREAD = 0.6;
const MAY_BE_CONTEXT =
  'The file has a line that begins with the same sign as a marked line of the change, so Perigee can’t tell which is meant.';
const UNEVEN =
  'The old lines are indented differently from the file, and in more than one way, so Perigee can’t tell how to indent the new ones.';
const DIVIDER =
  'The file has a line like the divider between old and new text, so Perigee can’t tell which of the two it is.';
/** The most searched lines that a refusal reports. */
const MAX_TOLD = 40;

/**
 * Finds the one place of `change` in `file`, and adapts its new lines to the file's style. `isOld`: the change may be
 * in the file already.
 */
export function placeChange(file: IndexedFile, written: Change, isOld = false): Placement {
  const lines = withoutHints(file, written.lines);
  const change = lines ? { ...written, lines: [...lines] } : written;
  const old = change.lines.filter((line) => line.op !== 'new').map(({ text }) => text);
  const refuse = (reason: Reason, message: string, more: Partial<Refusal> = {}): Placement & { kind: 'refused' } => ({
    kind: 'refused',
    refusal: { reason, message, lookedFor: old.slice(0, MAX_TOLD), answerLine: change.answerLine, ...more },
  });
  if (!lines) return refuse('uncertain', MARKS.hint);
  if (isDividerText(file, change)) return refuse('uncertain', DIVIDER);
  const fresh = newTextsOf(change.lines);
  const named = new Set(old.map(looseKey));
  const isKnown = (key: string) => named.has(key) || file.at(key).length > 0;
  const refuseElided = (elision: string) =>
    refuse('elided', `The new text leaves out code: "${elision.trim()}" would replace that code in the file.`);
  const elision = findElision(fresh, isKnown);
  if (elision !== undefined) return refuseElided(elision);
  if (old.length === 0) return placeWithoutContext(file, change, fresh, refuse);

  const found = findPlace(file, change);
  const stands = isOld ? findStanding(file, change, found) : undefined;
  if (stands && stands.how !== 'elsewhere') {
    const { how, ...lines } = stands;
    return { kind: 'standing', ...lines, hunks: [], isSure: how === 'made' };
  }
  if (found.kind === 'ambiguous') {
    const candidates = found.starts.map((start) => start + 1);
    const named = `${candidates.slice(0, -1).join(', ')} and ${candidates.at(-1)}`;
    const what = found.isSimilar ? 'Lines much like these' : 'These lines';
    const message = `${what} stand in the file more than once: at lines ${named}.`;
    return refuse('ambiguous', message, { candidates });
  }
  if (found.kind === 'notFound') {
    const also = stands ? ` The new lines stand at line ${stands.firstNew + 1} already, perhaps as another part.` : '';
    const message = `These lines are not in the file: ${found.why}.${also}`;
    return refuse('notFound', message, { nearest: nearestLines(file, old) });
  }
  if (found.kind === 'unclear') return refuse('uncertain', found.why);
  if (found.kind === 'uneven') return refuse('uncertain', UNEVEN, { candidates: [found.start + 1] });
  // Escapes may have hidden the ellipsis before.
  const hidden = found.misprint ? findElision(newTextsOf(found.lines), isKnown) : undefined;
  if (hidden !== undefined) return refuseElided(hidden);
  if (change.format === 'v4a' && mayBeContext(file, found.lines)) return refuse('uncertain', MAY_BE_CONTEXT);
  const own = evidenceOf(file, found, change.lines);
  const write = (manner?: Manner): Placement => {
    const hunks = toHunks(file, found, own, manner);
    if (typeof hunks === 'string') return { ...refuse('uncertain', hunks, { candidates: [found.start + 1] }), rewrite };
    if (hunks.length === 0) return { ...refuse('noChange', 'The new lines are the same as the old ones.'), rewrite };
    const length = found.lines.filter((line) => line.op !== 'new').length;
    return { kind: 'placed', start: found.start, length, hunks, rewrite };
  };
  const rewrite: Rewrite = { evidence: own, write };
  return write();
}

/**
 * Whether the file has the divider as a line of text: anywhere if the divider is doubtful, else between these very
 * lines.
 */
function isDividerText(file: IndexedFile, { divider, lines }: Change): boolean {
  if (!divider) return false;
  const places = file.at(looseKey(divider.text));
  if (divider.mayBeText || places.length === 0) return places.length > 0;
  const side = (op: 'old' | 'new') => lines.filter((line) => line.op === 'keep' || line.op === op);
  const [above, below] = [side('old'), side('new')];
  const isAt = (start: number, part: readonly ChangeLine[]) =>
    part.every(({ text }, index) => looseKey(file.lines[start + index] ?? '') === looseKey(text));
  return places.some((at) => at >= above.length && isAt(at - above.length, above) && isAt(at + 1, below));
}

const newTextsOf = (lines: readonly ChangeLine[]) => lines.filter(({ op }) => op === 'new').map(({ text }) => text);

/** Places an addition without context lines: in an empty file or, by V4A's rule, at the end of the file. */
function placeWithoutContext(
  file: IndexedFile,
  change: Change,
  fresh: string[],
  refuse: (reason: Reason, message: string) => Placement,
): Placement {
  if (fresh.length === 0) return refuse('noChange', 'It has neither old nor new lines.');
  const isEmpty = file.lines.every(isBlank);
  if (!isEmpty && change.format === 'searchReplace') {
    return refuse('fileExists', 'It has no old lines, which means a new file, but the file has text already.');
  }
  if (!isEmpty && change.headings.length > 0) {
    return refuse('notFound', 'It does not say between which lines the new ones belong.');
  }
  if (mayBeContext(file, change.lines)) return refuse('uncertain', MAY_BE_CONTEXT);
  const start = isEmpty ? 0 : file.lines.length;
  const oldLines = isEmpty ? [...file.lines] : [];
  const hunk: PlacedHunk = { startLine: start, oldLines, newLines: fresh, how: 'given' };
  return { kind: 'placed', start, length: oldLines.length, hunks: [hunk] };
}

/**
 * The hunks of a found change, or a sentence if it is unclear how to write its new lines. `manner`: from all changes of
 * the answer to this file.
 */
export function toHunks(
  file: IndexedFile,
  found: Found & { kind: 'found' },
  own = evidenceOf(file, found, found.lines),
  manner = new Manner(file).add(own),
): PlacedHunk[] | string {
  const { lines, start, how } = found;
  const newTexts = adaptNewLines(file, found, own, manner);
  if (typeof newTexts === 'string') return newTexts;
  if (how !== 'exact' && how !== 'lineEnds' && isTwofold(file, found, newTexts)) {
    return 'Lines that are alike in the change differ in the file, so Perigee can’t tell which of them stay.';
  }
  const hunks: PlacedHunk[] = [];
  let open: PlacedHunk | undefined;
  let at = start;
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
  return hunks.filter(({ oldLines, newLines }) => !isSame(oldLines, newLines));
}

/**
 * Whether the result depends on how equal lines of the change are matched: they differ in the file or a new one would
 * be written differently, and not all of them stay.
 */
function isTwofold(
  file: IndexedFile,
  { lines, start }: Found & { kind: 'found' },
  newTexts: Map<number, string>,
): boolean {
  const seen = new Map<string, { result: string; stays: boolean; isOne: boolean }>();
  let at = start;
  for (const [index, { op, text }] of lines.entries()) {
    const result = op === 'new' ? newTexts.get(index)! : file.lines[at++]!;
    const key = trimTrail(text);
    const known = seen.get(key);
    if (!known) seen.set(key, { result, stays: op === 'keep', isOne: true });
    else {
      known.stays &&= op === 'keep';
      known.isOne &&= known.result === result;
    }
  }
  return [...seen.values()].some(({ stays, isOne }) => !stays && !isOne);
}

/**
 * A context line that begins with a plus or a minus and lacks its own mark reads as new or old. Returns whether one of
 * the lines may be such a line, exact or slightly wrong.
 */
function mayBeContext(file: IndexedFile, lines: readonly ChangeLine[]): boolean {
  return lines.some(({ op, text }) => {
    const key = looseKey(text);
    if (op === 'old') return /^[ \t]/.test(text) && file.at(`- ${key}`).length > 0;
    return op === 'new' && file.afterPlus.some((other) => similarity([key], [other]) > MISREAD);
  });
}

const isSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((line, index) => line === b[index]);

/** New lines by their index in `found.lines`, with the file's indentation and punctuation. */
function adaptNewLines(
  file: IndexedFile,
  found: Found & { kind: 'found' },
  own: Evidence,
  manner: Manner,
): Map<number, string> | string {
  const { lines } = found;
  const fresh = [...lines.entries()].filter(([, line]) => line.op === 'new');
  const written = fresh.map(([, { text }]) => text);

  const punctuated = manner.translate(written, own);
  if (typeof punctuated === 'string') return punctuated;
  const filled = punctuated.filter((line) => !isBlank(line));
  const pairs = manner.pairsFor(found.pairs, filled);
  const indents = pairs && translateIndents(pairs, filled.map(indentOf), file.style);
  if (!pairs || !indents) {
    return 'The old lines are indented differently from the file, so Perigee can’t tell how to indent the new ones.';
  }
  let next = 0;
  const isMoved = filled.some((line, index) => indents[index] !== indentOf(line));
  if (isMoved && !isSoundlyMoved(lines, pairs, file.style)) return UNEVEN;
  const result = new Map<number, string>();
  for (const [at, [index]] of fresh.entries()) {
    const text = punctuated[at]!;
    if (isBlank(text)) result.set(index, isMoved ? '' : text);
    else result.set(index, indents[next++]! + text.slice(indentOf(text).length));
  }
  return result;
}

/** One edit. A change keeps its place, so that it is searched only once. */
export interface Slot {
  edit: Edit;
  placement?: Placement;
  /** The version of the manner by which it was last written; undefined if only its own evidence was used. */
  version?: number;
}
