import { diffLines } from '../hunks.ts';
import { fitIndentation } from '../stream.ts';
import type { Range } from '../track.ts';
import type { Change, Edit, PlacedHunk, Reason, Refusal } from './edits.ts';
import { applyHunks, newFileText, parseFile } from './fileText.ts';
import { IndexedFile } from './indexedFile.ts';
import { findElision, looseKey } from './loose.ts';
import { type Placed, placeChange } from './place.ts';

/** What becomes of one file: all that was asked for, or nothing of it. */
export type FilePlan =
  | { kind: 'create'; path: string; after: string; hunks: PlacedHunk[] }
  | { kind: 'update'; path: string; before: string; after: string; hunks: PlacedHunk[] }
  /** Moved, with or without changes. */
  | { kind: 'move'; path: string; to: string; before: string; after: string; hunks: PlacedHunk[] }
  | { kind: 'delete'; path: string; before: string }
  /** `path` is undefined where the answer names no file. */
  | { kind: 'refused'; path?: string; refusals: Refusal[] };

/**
 * What all edits of an answer make of the files, in the order in which the answer first names them. `read` gives a file's
 * text, undefined where there is none. All edits are in the lines of the text that `read` gives, in any order.
 */
export function planEdits(edits: readonly Edit[], read: (path: string) => string | undefined): FilePlan[] {
  const byPath = new Map<string | undefined, Edit[]>();
  for (const edit of edits) {
    const path = edit.path === undefined ? undefined : tidyPath(edit.path);
    byPath.set(path, [...(byPath.get(path) ?? []), edit]);
  }
  const plans: FilePlan[] = [];
  const targets = new Map<string, number>();
  for (const [path, own] of byPath) {
    if (path === undefined) {
      const told = own.map((edit) =>
        edit.kind === 'malformed'
          ? malformed(edit)
          : refusal(edit, 'noPath', 'The answer does not say for which file it is.'),
      );
      plans.push({ kind: 'refused', refusals: told });
      continue;
    }
    const plan = planFile(path, read(path), own);
    const target = plan.kind === 'move' ? plan.to : plan.kind === 'create' ? path : undefined;
    if (target !== undefined) targets.set(target, (targets.get(target) ?? 0) + 1);
    plans.push(plan);
  }
  return plans.map((plan): FilePlan => {
    if (plan.kind !== 'move' && plan.kind !== 'create') return plan;
    const target = plan.kind === 'move' ? plan.to : plan.path;
    const isTaken = plan.kind === 'move' && (read(target) !== undefined || byPath.has(target));
    if (!isTaken && targets.get(target) === 1) return plan;
    const own = byPath.get(plan.path)!;
    const at = own.find((edit) => edit.kind === 'move') ?? own[0]!;
    return refuse(plan.path, refusal(at, 'fileExists', `${target} exists already, or is written by another edit too.`));
  });
}

/** Paths that name the same file from the workspace's root. */
export const tidyPath = (path: string) =>
  path
    .trim()
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '');

/** What `edits`, all of one file, make of its text `before`; undefined where there is no such file. */
export function planFile(path: string, before: string | undefined, edits: readonly Edit[]): FilePlan {
  const broken = edits.filter((edit) => edit.kind === 'malformed');
  const [first, ...more] = edits;
  if (broken.length > 0 || !first) return { kind: 'refused', path, refusals: broken.map(malformed) };
  const alone = edits.find(({ kind }) => kind === 'create' || kind === 'delete' || kind === 'whole');
  if (alone && more.length > 0) {
    return refuse(path, refusal(alone, 'overlap', 'The answer writes or deletes the whole file and edits it as well.'));
  }
  if (first.kind === 'create' || (before === undefined && first.kind === 'whole')) {
    if (before !== undefined) return refuse(path, refusal(first, 'fileExists', 'It adds a file that exists already.'));
    return planCreate(path, first, first.lines);
  }
  const changes = edits.filter((edit) => edit.kind === 'change');
  if (before === undefined) {
    const [only] = changes;
    if (only?.format === 'searchReplace' && edits.length === 1 && only.lines.every(({ op }) => op === 'new')) {
      return planCreate(
        path,
        only,
        only.lines.map(({ text }) => text),
      );
    }
    return {
      kind: 'refused',
      path,
      refusals: edits.map((edit) => refusal(edit, 'fileMissing', 'There is no such file.')),
    };
  }
  if (first.kind === 'delete') return { kind: 'delete', path, before };
  const file = new IndexedFile(before);
  if (first.kind === 'whole') return planWhole(path, before, file, first);

  const moves = edits.filter((edit) => edit.kind === 'move');
  if (moves.length > 1) return refuse(path, refusal(moves[1]!, 'overlap', 'The answer moves the file twice.'));
  const { hunks, refusals } = planChanges(file, changes);
  if (refusals.length > 0) return { kind: 'refused', path, refusals };
  const after = applyHunks(file.text, hunks);
  const to = moves[0] && tidyPath(moves[0].to);
  return to === undefined || to === path
    ? { kind: 'update', path, before, after, hunks }
    : { kind: 'move', path, to, before, after, hunks };
}

/** The hunks of all changes of one file in the file's order; or what stands in the way of any of them. */
function planChanges(file: IndexedFile, changes: readonly Change[]): { hunks: PlacedHunk[]; refusals: Refusal[] } {
  const refusals: Refusal[] = [];
  const placed: (Placed & { change: Change })[] = [];
  for (const change of changes) {
    const placement = placeChange(file, change);
    if (placement.kind === 'refused') refusals.push(placement.refusal);
    else placed.push({ ...placement, change });
  }
  placed.sort((a, b) => a.start - b.start || a.length - b.length);
  // The one before that reaches furthest down is the only one that can reach into the next.
  let above: (typeof placed)[number] | undefined;
  for (const place of placed) {
    if (above && isOverlap(above, place)) {
      const lines = place.change.lines.filter(({ op }) => op !== 'new').map(({ text }) => text);
      const message = `It changes lines that another block of the same answer (line ${above.change.answerLine}) names too.`;
      const candidates = [above.start + 1, place.start + 1];
      const { answerLine } = place.change;
      refusals.push({ reason: 'overlap', message, lookedFor: lines, candidates, answerLine });
    }
    if (!above || place.start + place.length >= above.start + above.length) above = place;
  }
  const hunks = placed.flatMap((place) => place.hunks);
  hunks.sort((a, b) => a.startLine - b.startLine || a.oldLines.length - b.oldLines.length);
  return { hunks, refusals };
}

/** Whether one changes what the other names. Lines that both leave alone may be named by both. */
function isOverlap(a: Placed, b: Placed): boolean {
  const touches = (hunk: PlacedHunk, { start, length }: Placed) => {
    const end = start + length;
    const hunkEnd = hunk.startLine + hunk.oldLines.length;
    if (hunk.oldLines.length > 0) return hunk.startLine < end && hunkEnd > start;
    return hunk.startLine > start && hunk.startLine < end;
  };
  // Two insertions into one gap: nobody knows which comes first.
  const sameGap = a.hunks.some((x) =>
    b.hunks.some((y) => x.startLine === y.startLine && x.oldLines.length === 0 && y.oldLines.length === 0),
  );
  return sameGap || a.hunks.some((hunk) => touches(hunk, b)) || b.hunks.some((hunk) => touches(hunk, a));
}

function planCreate(path: string, edit: Edit, lines: readonly string[]): FilePlan {
  const elision = findElision(lines);
  if (elision !== undefined) return refuse(path, elided(edit, elision));
  const hunk: PlacedHunk = { startLine: 0, oldLines: [], newLines: [...lines], how: 'given' };
  return { kind: 'create', path, after: newFileText(lines), hunks: [hunk] };
}

function planWhole(path: string, before: string, file: IndexedFile, edit: Edit & { kind: 'whole' }): FilePlan {
  const elision = findElision(edit.lines, (key) => file.at(key).length > 0);
  if (elision !== undefined) return refuse(path, elided(edit, elision));
  const hunks = toPlacedHunks(file.lines, edit.lines, 0);
  if (hunks.length === 0) return refuse(path, refusal(edit, 'noChange', 'The file reads so already.'));
  return { kind: 'update', path, before, after: applyHunks(file.text, hunks), hunks };
}

/**
 * A plain replacement of `range` of the text `before` by `lines`, which are moved to the range's indentation where the model
 * wrote them at the margin.
 */
export function planReplacement(path: string, before: string, range: Range, lines: readonly string[]): FilePlan {
  const text = parseFile(before);
  const selection = text.lines.slice(range.start, range.end);
  const edit: Edit = { kind: 'whole', path, lines: [...lines], answerLine: 1 };
  const elision = findElision(lines, (key) => text.lines.some((line) => looseKey(line) === key));
  if (elision !== undefined) return refuse(path, elided(edit, elision));
  const fitted = fitIndentation(lines, selection, true);
  if (fitted.some((line, index) => line !== lines[index]) && sharesIndent(selection, lines)) {
    const message =
      'Some lines are indented as in the file, others less than all of it: what was meant cannot be told.';
    return refuse(path, refusal(edit, 'uncertain', message));
  }
  const hunks = toPlacedHunks(selection, fitted, range.start);
  if (hunks.length === 0) return refuse(path, refusal(edit, 'noChange', 'The selection reads so already.'));
  return { kind: 'update', path, before, after: applyHunks(text, hunks), hunks };
}

/** Whether some indented line stands in both, so that the model is known to have kept the indentation. */
function sharesIndent(selection: readonly string[], lines: readonly string[]): boolean {
  const known = new Set(selection.filter((line) => /^[ \t]+\S/.test(line)));
  return lines.some((line) => known.has(line));
}

function toPlacedHunks(oldLines: readonly string[], newLines: readonly string[], offset: number): PlacedHunk[] {
  return diffLines(oldLines, newLines).map((hunk) => ({
    startLine: offset + hunk.oldStart,
    oldLines: hunk.oldLines,
    newLines: hunk.newLines,
    how: 'given',
  }));
}

const refuse = (path: string, ...refusals: Refusal[]): FilePlan => ({ kind: 'refused', path, refusals });

function refusal(edit: Edit, reason: Reason, message: string): Refusal {
  const lookedFor = edit.kind === 'change' ? edit.lines.filter(({ op }) => op !== 'new').map(({ text }) => text) : [];
  return { reason, message, lookedFor, answerLine: edit.answerLine };
}

const malformed = ({ message, lines, answerLine }: Edit & { kind: 'malformed' }): Refusal => ({
  reason: 'malformed',
  message,
  lookedFor: lines,
  answerLine,
});

const elided = (edit: Edit, elision: string) =>
  refusal(edit, 'elided', `The new text leaves out code: "${elision.trim()}" would stand in the file instead of it.`);
