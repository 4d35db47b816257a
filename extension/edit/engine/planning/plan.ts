import { fitIndentation } from '../../hunks/stream.ts';
import type { Range } from '../../hunks/track.ts';
import type { Edit, FilePlan, Refusal } from '../edits.ts';
import { elided, refusal } from '../placing/refusals.ts';
import { toPlacedHunks } from '../text/changeLines.ts';
import { applyHunks, parseFile } from '../text/fileText.ts';
import { findElision, looseKey } from '../text/loose.ts';
import { FilePlanner } from './filePlanner.ts';
import { EditsPlanner } from './planner.ts';

/**
 * The plans for all files of an answer, in the order in which it first names them. `read` returns a file's text,
 * undefined if there is no such file. All edits refer to that text, in any order. `isOld`: the answer is older than
 * these texts, so some of its changes may already be in them; those are left out.
 */
export function planEdits(
  edits: readonly Edit[],
  read: (path: string) => string | undefined,
  { isOld = false } = {},
): FilePlan[] {
  const planner = new EditsPlanner(isOld);
  planner.add(edits);
  for (const path of planner.needs()) planner.provide(path, read(path));
  return planner.plans();
}

/** The plan for one file with text `before`, undefined if there is no such file. */
export function planFile(path: string, before: string | undefined, edits: readonly Edit[]): FilePlan {
  const planner = new FilePlanner(path);
  planner.provide(before);
  for (const edit of edits) planner.add(edit);
  return planner.plan();
}

/**
 * Replaces `range` of the text `before` by `lines`. If the model wrote them at the margin, they get the range's
 * indentation.
 */
export function planReplacement(path: string, before: string, range: Range, lines: readonly string[]): FilePlan {
  const text = parseFile(before);
  const selection = text.lines.slice(range.start, range.end);
  const refuse = (refusal: Refusal): FilePlan => ({ kind: 'refused', path, before, refusals: [refusal], placed: [] });
  const edit: Edit = { kind: 'whole', path, lines: [...lines], answerLine: 1 };
  const elision = findElision(lines, (key) => text.lines.some((line) => looseKey(line) === key));
  if (elision !== undefined) return refuse(elided(edit, elision));
  const fitted = fitIndentation(lines, selection, true);
  if (fitted.some((line, index) => line !== lines[index]) && sharesIndent(selection, lines)) {
    const message =
      'Some lines are indented as in the file and others less, so Perigee can’t tell the right indentation.';
    return refuse(refusal(edit, 'uncertain', message));
  }
  const hunks = toPlacedHunks(selection, fitted, range.start);
  if (hunks.length === 0) return refuse(refusal(edit, 'noChange', 'The selection reads so already.'));
  return { kind: 'update', path, before, after: applyHunks(text, hunks), hunks };
}

/** Whether both contain the same indented line, which shows that the model kept the indentation. */
function sharesIndent(selection: readonly string[], lines: readonly string[]): boolean {
  const known = new Set(selection.filter((line) => /^[ \t]+\S/.test(line)));
  return lines.some((line) => known.has(line));
}
