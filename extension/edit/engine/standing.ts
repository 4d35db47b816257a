// Changes that were made already, by this answer or by somebody's hand.
import { isTelling } from './blocks.ts';
import type { Change, ChangeLine } from './edits.ts';
import type { IndexedFile } from './indexedFile.ts';
import { looseKey } from './loose.ts';
import { type Found, findLines, withoutBlankEdges } from './match.ts';
import { nearestLines } from './similarity.ts';

/** So many telling lines don't come together by chance. */
const MANY = 3;
/** Nor does one line of so many characters. */
const LONG = 16;
/** From this similarity on, other lines may be those that were looked for. */
const ALIKE = 0.5;

/**
 * Where the new lines of a change stand already, in the place of its old ones: these are gone, or the change only adds lines
 * to them. Counted from 0. Undefined where that is not proven: the new lines must stand at one place alone, say enough, and be
 * where the old ones would be looked for. `found`: the place of the old lines.
 */
export function findStanding(
  file: IndexedFile,
  change: Change,
  found: Found,
): { start: number; length: number } | undefined {
  const side = withoutBlankEdges(change.lines.filter(isNewSide).map((line): ChangeLine => ({ ...line, op: 'keep' })));
  const keys = side.map(keyOf);
  if (keys.length === 0) return undefined;
  const isStanding = found.kind === 'found' && found.how !== 'similar' ? isAdded(file, change, found) : isReplaced;
  if (!isStanding || file.places(keys).length !== 1) return undefined;
  const place = findLines(file, change, side);
  if (place?.kind !== 'found') return undefined;
  const standing = { start: place.start, length: keys.length };
  return isStanding(file, change, standing) ? standing : undefined;
}

interface Lines {
  start: number;
  length: number;
}
type IsStanding = (file: IndexedFile, change: Change, standing: Lines) => boolean;

/** For a change whose old lines stand: only one that adds to them can have been made. */
function isAdded(_: IndexedFile, { lines }: Change, found: Found & { kind: 'found' }): IsStanding | undefined {
  if (lines.some(({ op }) => op === 'old')) return undefined;
  const fresh = tellingOf(lines, 'new');
  if (fresh.length < 2 && !fresh.some((key) => key.length >= LONG)) return undefined;
  const length = found.lines.filter(({ op }) => op !== 'new').length;
  return (_, __, standing) =>
    standing.start <= found.start && found.start + length <= standing.start + standing.length;
}

const isReplaced: IsStanding = (file, { lines }, standing) => {
  const old = lines.filter(({ op }) => op !== 'new');
  if (tellingOf(old).length === 0 || file.places(old.map(keyOf)).length > 0) return false;
  const fresh = tellingOf(lines, 'new');
  if (fresh.length === 0) return isCut(file, lines);
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
  return lines.filter((line) => op === undefined || line.op === op).map(keyOf).filter(isTelling);
}
