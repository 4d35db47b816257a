// How a repair relates to the first answer: repeated blocks, and blocks that replace refused ones.
import type { Edit, PlacedHunk } from '../edits.ts';
import type { Slot } from '../placing/place.ts';
import { isBlank, looseKey } from '../text/loose.ts';

/** Whether `other` already includes all that `slot` does, so that `slot` is redundant. */
export function repeats(slot: Slot, other: Slot): boolean {
  if (slot.edit.kind !== other.edit.kind) return false;
  if (slot.edit.kind !== 'change') return isSameEdit(slot.edit, other.edit);
  const [own, others] = [slot.placement, other.placement];
  if (own?.kind !== 'placed' || others?.kind !== 'placed') return false;
  return own.hunks.every((hunk) => others.hunks.some((outer) => includes(outer, hunk)));
}

function isSameEdit(a: Edit, b: Edit): boolean {
  if (a.kind === 'move' && b.kind === 'move') return a.to === b.to;
  if ('lines' in a && 'lines' in b) return JSON.stringify(a.lines) === JSON.stringify(b.lines);
  return a.kind === 'delete' && b.kind === 'delete';
}

/** Whether `outer` removes all that `inner` removes, and inserts all of its new lines as one run. */
function includes(outer: PlacedHunk, inner: PlacedHunk): boolean {
  const end = inner.startLine + inner.oldLines.length;
  const outerEnd = outer.startLine + outer.oldLines.length;
  if (inner.startLine < outer.startLine || end > outerEnd) return false;
  const last = outer.newLines.length - inner.newLines.length;
  for (let at = 0; at <= last; at++) {
    if (inner.newLines.every((line, index) => outer.newLines[at + index] === line)) return true;
  }
  return false;
}

/**
 * Whether one of `answers` replaces the refused `edit`. `refused` are all refused edits of the file, as `answers` are
 * all its repairs.
 */
export function isAnswered(edit: Edit, refused: readonly Edit[], answers: readonly Edit[]): boolean {
  return answers.length >= refused.length || answers.some((answer) => isRecognisable(edit, answer));
}

/** Whether `answer` resembles the refused `edit`: it adds half of its new lines, or removes half of its old ones. */
export function isRecognisable(edit: Edit, answer: Edit): boolean {
  if (answer.kind === 'malformed') return false;
  const said = saidBy(edit);
  const again = saidBy(answer);
  const side = said.fresh.size > 0 ? 'fresh' : 'old';
  const known = [...said[side]].filter((key) => again[side].has(key));
  return said[side].size > 0 && known.length * 2 >= said[side].size;
}

function saidBy(edit: Edit): { fresh: Set<string>; old: Set<string> } {
  const keys = (lines: readonly string[]) => new Set(lines.filter((line) => !isBlank(line)).map(looseKey));
  if (edit.kind === 'change') {
    const side = (op: 'old' | 'new') => keys(edit.lines.flatMap((line) => (line.op === op ? [line.text] : [])));
    return { fresh: side('new'), old: side('old') };
  }
  return { fresh: 'lines' in edit ? keys(edit.lines) : new Set(), old: new Set() };
}
