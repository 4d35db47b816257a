// Changes that the file contains already, by this answer or by the user's hand.

import type { Change, ChangeLine } from '../edits.ts';
import { isTelling } from '../text/blocks.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { looseKey } from '../text/loose.ts';
import { hasEntity } from '../text/misprints.ts';
import { nearestLines } from '../text/similarity.ts';
import { type Found, findLines, isUnder, withoutBlankEdges } from './match.ts';

/** This many distinctive lines do not stand together by chance. */
const MANY = 3;

/** Lines of a file, counted from 0. */
interface Lines {
  start: number;
  length: number;
}

/** Where the new side of a change stands: its kept and its new lines. */
export interface StandingLines extends Lines {
  /** The first new line, from 0. If the change only deletes lines, the first line of all. */
  firstNew: number;
  /**
   * `made`: the change was made. `maybe`: one or two added lines stand there, but the change may mean to add them
   * again. `elsewhere`: nothing proves that these lines belong to the change, so it counts as not made.
   */
  how: 'made' | 'maybe' | 'elsewhere';
}

/**
 * The one place where the new side of a change stands; undefined if there is none or a second one. `found`: the place
 * of its old side. A change counts as made only if its own kept lines prove the place. Its new lines alone prove
 * nothing, because another function may contain the same lines. With `change.wasMade`, less distinctive new lines
 * suffice, but it proves no place.
 */
export function findStanding(file: IndexedFile, change: Change, found: Found): StandingLines | undefined {
  const side = withoutBlankEdges(change.lines.filter(isNewSide).map((line): ChangeLine => ({ ...line, op: 'keep' })));
  const keys = side.map(keyOf);
  const [start, second] = keys.length === 0 ? [] : file.places(keys);
  if (start === undefined || second !== undefined) return undefined;
  const standing = { start, length: keys.length };
  const isOldFound = found.kind === 'found' && found.how !== 'similar';
  const fresh = tellingOf(change.lines, 'new').length;
  const told = (how: StandingLines['how']) => ({ ...standing, firstNew: start + indexOfNew(change.lines), how });
  if (isOldFound) {
    if (!isAdded(change, found, standing)) return undefined;
    return told(change.wasMade || fresh >= MANY ? 'made' : 'maybe');
  }
  const isMade = isReplaced(file, change, standing) && findLines(file, change, side)?.kind === 'found';
  if (isMade && isUnderAll(file, change, standing)) return told('made');
  return fresh > 0 ? told('elsewhere') : undefined;
}

/** Whether a change only adds lines, its old side stands, and the new lines stand around it. */
function isAdded({ lines, wasMade }: Change, found: Found & { kind: 'found' }, standing: Lines): boolean {
  if (lines.some(({ op }) => op === 'old')) return false;
  if (!wasMade && tellingOf(lines, 'new').length === 0) return false;
  const length = found.lines.filter(({ op }) => op !== 'new').length;
  return standing.start <= found.start && found.start + length <= standing.start + standing.length;
}

/** Whether the old side is gone from the place where the new side stands, and that place belongs to the change. */
function isReplaced(file: IndexedFile, change: Change, standing: Lines): boolean {
  const { lines } = change;
  const old = lines.filter(({ op }) => op !== 'new');
  if (tellingOf(old).length === 0 || file.places(old.map(keyOf)).length > 0) return false;
  // Escapes or entities may hide lines that the file still has.
  if (lines.some(({ text }) => /\\[nt]/.test(text) || hasEntity(text))) return false;
  const isAround = (at: number) =>
    at >= standing.start - old.length && at < standing.start + standing.length + old.length;
  if (tellingOf(lines, 'old').some((key) => file.at(key).some(isAround))) return false;
  const isNothingNew = !lines.some(({ op, text }) => op === 'new' && /[\p{L}\p{N}_]/u.test(text));
  if (isNothingNew ? !isCut(file, lines) : !isFramed(file, change, standing)) return false;
  const nearest = nearestLines(
    file,
    old.map(({ text }) => text),
  );
  // Similar lines may be the change's old lines, edited since.
  return !nearest || overlaps({ start: nearest.line - 1, length: old.length }, standing);
}

/** Whether a unique line of the file proves the place: a kept line, or a heading just above. */
function isFramed(file: IndexedFile, { lines, headings }: Change, { start }: Lines): boolean {
  const isAbove = (heading: string) => file.at(looseKey(heading))[0] === start - 1;
  const frame = [...tellingOf(lines, 'keep'), ...headings.filter(isAbove).map(looseKey).filter(isTelling)];
  return frame.some((key) => file.at(key).length === 1);
}

/** Whether a change only deletes lines that the file no longer has, between two lines that are unique in it. */
function isCut(file: IndexedFile, lines: readonly ChangeLine[]): boolean {
  const [first, last] = [lines.findIndex(({ op }) => op === 'old'), lines.findLastIndex(({ op }) => op === 'old')];
  const isGone = tellingOf(lines, 'old').every((key) => file.at(key).length === 0);
  const isOnce = (part: readonly ChangeLine[]) => tellingOf(part, 'keep').some((key) => file.at(key).length === 1);
  return isGone && tellingOf(lines, 'old').length > 0 && isOnce(lines.slice(0, first)) && isOnce(lines.slice(last + 1));
}

/** Whether every heading of the change with a word encloses the lines. A heading that the file lacks encloses none. */
function isUnderAll(file: IndexedFile, { headings }: Change, { start, length }: Lines): boolean {
  const keys = headings.map(looseKey).filter((key) => /[\p{L}\p{N}_]/u.test(key));
  // A heading may be repeated as the first line of the change.
  const isFirst = (key: string) => file.keys.slice(start, start + length).includes(key);
  return keys.every((key) => isUnder(file, key, start) || isFirst(key));
}

/** The index of the first new line within the new side, without blank lines at its edges. */
function indexOfNew(lines: readonly ChangeLine[]): number {
  const side = withoutBlankEdges(lines.filter(isNewSide));
  return Math.max(
    0,
    side.findIndex(({ op }) => op === 'new'),
  );
}

const isNewSide = ({ op }: ChangeLine) => op !== 'old';
const keyOf = ({ text }: ChangeLine) => looseKey(text);
const overlaps = (a: Lines, b: Lines) => a.start < b.start + b.length && b.start < a.start + a.length;

function tellingOf(lines: readonly ChangeLine[], op?: ChangeLine['op']): string[] {
  return lines
    .filter((line) => op === undefined || line.op === op)
    .map(keyOf)
    .filter(isTelling);
}
