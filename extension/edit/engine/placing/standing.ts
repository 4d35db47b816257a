// Changes that were made already, by this answer or by somebody's hand.

import type { Change, ChangeLine } from '../edits.ts';
import { isTelling } from '../text/blocks.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { looseKey } from '../text/loose.ts';
import { hasEntity } from '../text/misprints.ts';
import { nearestLines } from '../text/similarity.ts';
import { type Found, findLines, withoutBlankEdges } from './match.ts';

/** So many telling lines don't come together by chance. */
const MANY = 3;
/** From this similarity on, other lines may be those that were looked for. */
const ALIKE = 0.5;

/**
 * Where the new lines of a change stand already, in the place of its old ones: these are gone, or the change only adds lines
 * to them. Counted from 0. Undefined where nothing tells that: the new lines must stand at one place alone, say enough, and be
 * where the old ones would be looked for. Not `isProven` where it is but likely. `found`: the place of the old lines. `isSure`: the change is known to have been made
 * once, so that its new lines may say little.
 */
export function findStanding(
  file: IndexedFile,
  change: Change,
  found: Found,
  isSure: boolean,
): { start: number; length: number; isProven: boolean } | undefined {
  const side = withoutBlankEdges(change.lines.filter(isNewSide).map((line): ChangeLine => ({ ...line, op: 'keep' })));
  const keys = side.map(keyOf);
  if (keys.length === 0) return undefined;
  const isStanding = found.kind === 'found' && found.how !== 'similar' ? isAdded(change, found, isSure) : isReplaced;
  if (!isStanding || file.places(keys).length !== 1) return undefined;
  const place = findLines(file, change, side);
  if (place?.kind !== 'found') return undefined;
  const standing = { start: place.start, length: keys.length };
  if (!isStanding(file, change, standing, isSure)) return undefined;
  // A few lines that are added may be meant to stand there twice.
  const isProven = isSure || isStanding === isReplaced || tellingOf(change.lines, 'new').length >= MANY;
  return { ...standing, isProven };
}

interface Lines {
  start: number;
  length: number;
}
type IsStanding = (file: IndexedFile, change: Change, standing: Lines, isSure: boolean) => boolean;

/** For a change whose old lines stand: only one that adds to them can have been made. */
function isAdded({ lines }: Change, found: Found & { kind: 'found' }, isSure: boolean): IsStanding | undefined {
  if (lines.some(({ op }) => op === 'old')) return undefined;
  if (!isSure && tellingOf(lines, 'new').length === 0) return undefined;
  const length = found.lines.filter(({ op }) => op !== 'new').length;
  return (_, __, standing) => standing.start <= found.start && found.start + length <= standing.start + standing.length;
}

const isReplaced: IsStanding = (file, { lines }, standing, isSure) => {
  const old = lines.filter(({ op }) => op !== 'new');
  if (tellingOf(old).length === 0 || file.places(old.map(keyOf)).length > 0) return false;
  // Lines that are hidden in escapes or entities may well be there.
  if (lines.some(({ text }) => /\\[nt]/.test(text) || hasEntity(text))) return false;
  const isAround = (at: number) =>
    at >= standing.start - old.length && at < standing.start + standing.length + old.length;
  if (tellingOf(lines, 'old').some((key) => file.at(key).some(isAround))) return false;
  if (isSure) return true;
  const fresh = tellingOf(lines, 'new');
  const isNothingNew = !lines.some(({ op, text }) => op === 'new' && /[\p{L}\p{N}_]/u.test(text));
  if (isNothingNew) return isCut(file, lines);
  if (tellingOf(lines.filter(isNewSide)).length === 0) return false;
  const nearest = nearestLines(
    file,
    old.map(({ text }) => text),
  );
  const isNear = nearest !== undefined && overlaps({ start: nearest.line - 1, length: old.length }, standing);
  return isNear || (fresh.length >= MANY && (nearest?.similarity ?? 0) < ALIKE);
};

/** Whether a change only takes lines out, which the file has no more, between others, which tell the place. */
function isCut(file: IndexedFile, lines: readonly ChangeLine[]): boolean {
  const [first, last] = [lines.findIndex(({ op }) => op === 'old'), lines.findLastIndex(({ op }) => op === 'old')];
  const isGone = tellingOf(lines, 'old').every((key) => file.at(key).length === 0);
  const isFramed = tellingOf(lines.slice(0, first)).length > 0 && tellingOf(lines.slice(last + 1)).length > 0;
  return isGone && isFramed && tellingOf(lines, 'old').length > 0;
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
