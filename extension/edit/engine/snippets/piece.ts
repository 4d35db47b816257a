// Finds where a piece of code belongs in a file, by the lines that both have.
import { diffLines } from '../../hunks/hunks.ts';
import type { PlacedHunk, Reason } from '../edits.ts';
import { type Anchor, blockPair, declarations, findAnchors, type Snippet } from '../placing/anchors.ts';
import { UNKNOWN } from '../placing/manner.ts';
import { toHunks } from '../placing/place.ts';
import { lostAtEnd } from '../planning/wholeFile.ts';
import { isTelling } from '../text/blocks.ts';
import { toPlacedHunks } from '../text/changeLines.ts';
import { wholeDeclarations } from '../text/declared.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { formOf, hasForms, isBlank, trimTrail } from '../text/loose.ts';
import { Arrangement, FAR, WHY } from './arrangement.ts';
import { MAX_SILENT } from './lost.ts';

/** The most lines at either edge of a whole file that may be changed. */
const EDGE = 2;

/** The most of the file's last lines that may have been deleted. */
const MOST_TAIL = 3;

/**
 * Whether a piece that begins like the file may be the whole file without the lines `tail`, which are no declarations.
 */
export function mayBeDeleted(tail: readonly string[]): boolean {
  const { length } = tail.filter((line) => !isBlank(line));
  return length > 0 && length <= MOST_TAIL && wholeDeclarations(tail) === undefined;
}

/** Why a piece was not placed in its file. */
export interface Unread {
  reason: Reason;
  /** A sentence for the user. */
  message: string;
}

const uncertain = (message: string): Unread => ({ reason: 'uncertain', message });

/** The hunks that replace the file's lines, all or a part, by the snippet's. Empty if the file already has them. */
export function readPiece(file: IndexedFile, snippet: Snippet): PlacedHunk[] | Unread {
  const anchors = findAnchors(file, snippet) ?? sameLines(file, snippet);
  if (!anchors) return uncertain(WHY.order);
  if (anchors.length === 0) {
    return { reason: 'notFound', message: 'None of its lines shows where in the file it belongs.' };
  }
  if (!isEnough(file, snippet, anchors)) return uncertain(WHY.little);
  if (anchors.some((anchor) => isRespelled(file, snippet, anchor))) return uncertain(UNKNOWN.form);
  const isAll = isWhole(file, snippet, anchors);
  if (!isAll && mayBeWhole(file, snippet, anchors)) return uncertain(WHY.whole);
  const arranged = new Arrangement(file, snippet, anchors, isAll).make();
  if (typeof arranged === 'string') return uncertain(arranged);

  const { start, pairs, isTypeset } = arranged;
  const isMoved = pairs.some(([[written], own]) => written !== own);
  const how = isTypeset ? 'punctuation' : isMoved ? 'reindented' : 'exact';
  const changes = toHunks(file, { kind: 'found', start, how, lines: arranged.lines, pairs });
  if (typeof changes === 'string') return uncertain(changes);
  return changes.flatMap(({ oldLines, newLines, startLine }) =>
    toPlacedHunks(oldLines, newLines, startLine).map((hunk): PlacedHunk => ({ ...hunk, how })),
  );
}

/**
 * For a whole file with reordered lines: the largest set in the same order; the others count as removed and added.
 * Undefined if more lines are missing than new, unless these are few and nearly all of the file stands as before.
 */
function sameLines(file: IndexedFile, snippet: Snippet): Anchor[] | undefined {
  const anchors: Anchor[] = [];
  let [own, line] = [0, 0];
  const keepTo = (end: number) => {
    for (; line < end; line++, own++) anchors.push({ own, line });
  };
  for (const { oldStart, oldLines, newLines } of diffLines(file.keys, snippet.keys)) {
    keepTo(oldStart);
    line += oldLines.length;
    own += newLines.length;
  }
  keepTo(file.keys.length);
  const countMissing = (from: readonly string[], to: readonly string[]) => {
    const has = new Set(to);
    return from.filter((key) => isTelling(key) && !has.has(key)).length;
  };
  const missing = countMissing(file.keys, snippet.keys);
  const isLess = missing > countMissing(snippet.keys, file.keys);
  const isFew = missing <= MAX_SILENT && anchors.length * 10 >= file.keys.length * 9;
  return anchors.length >= FAR && (!isLess || isFew) && isWhole(file, snippet, anchors) ? anchors : undefined;
}

/** Whether a changed head of a declaration has its letters in another form than the file's, which has both. */
export function isRespelled(file: IndexedFile, { lines, keys }: Snippet, { own, line }: Anchor): boolean {
  const [head, former] = [lines[own]!, file.lines[line]!];
  const isChanged = keys[own] !== file.keys[line] && hasForms(head) && hasForms(former);
  return isChanged && formOf(head) !== formOf(former) && file.form === 'mixed';
}

/** Whether the anchors are more than a chance match of two pieces of code. */
function isEnough(file: IndexedFile, { keys, lines }: Snippet, anchors: readonly Anchor[]): boolean {
  const telling = anchors.filter(({ own, line }) => keys[own] === file.keys[line] && isTelling(keys[own]!));
  const isDeclared = anchors.some(({ own, line }) => declarations([lines[own]!, file.lines[line]!]).size === 1);
  return isDeclared || telling.length > 1 || telling.some(({ own }) => keys[own]!.length >= 16);
}

/**
 * Whether the snippet is the whole file: it begins and ends like the file, or with as many lines in their place, and
 * contains most of it. Then lines that it lacks are deleted.
 */
function isWhole({ lines, keys }: IndexedFile, snippet: Snippet, anchors: readonly Anchor[]): boolean {
  const [first, last] = [anchors[0]!, anchors.at(-1)!];
  const end = lines.findLastIndex((line) => !isBlank(line));
  const [above, below] = [first.own, snippet.lines.length - 1 - last.own];
  if (snippet.isElided.includes(true)) return false;
  const top = lines.findIndex((line) => !isBlank(line));
  // The same first and last line, even if these are trivial.
  const isFramed = snippet.keys[0] === keys[top] && snippet.keys.at(-1) === keys[end];
  const isReplaced =
    isEdge(snippet.lines.slice(0, above), lines.slice(0, first.line)) &&
    isEdge(snippet.lines.slice(last.own + 1), lines.slice(last.line + 1, end + 1));
  if (!isFramed && !isReplaced) return false;
  if (lostAtEnd(lines.map(trimTrail), snippet.lines.map(trimTrail)) !== undefined) return false;
  const known = anchors.filter(({ line }) => !isBlank(lines[line]!)).length;
  const all = lines.filter((line) => !isBlank(line)).length;
  return isFramed || above + below === 0 ? known * 3 >= all * 2 : known >= FAR && known * 5 >= all * 4;
}

/** Whether an edge has as many lines as the file's. If no line of the file is missing there, they are new. */
const isEdge = (own: readonly string[], of: readonly string[]) =>
  of.every(isBlank) || (own.length === of.length && own.length <= EDGE);

/**
 * Whether the snippet may be the whole file except at an edge: it contains most of the file and more than one block, or
 * begins like the file and lacks only the last few lines.
 */
function mayBeWhole(file: IndexedFile, snippet: Snippet, anchors: readonly Anchor[]): boolean {
  if (snippet.isElided.includes(true)) return false;
  const [first] = anchors;
  const last = anchors.at(-1)!;
  const above = file.lines.slice(0, first!.line).some((line) => !isBlank(line));
  const below = file.lines.slice(last.line + 1).some((line) => !isBlank(line));
  if (!above && !below) return false;
  if (!above && mayBeDeleted(file.lines.slice(last.line + 1))) return true;
  const isOneBlock = blockPair(file, snippet, first!)?.own.end === snippet.lines.length;
  const known = anchors.filter(({ line }) => !isBlank(file.lines[line]!)).length;
  return !isOneBlock && known * 2 >= file.lines.filter((line) => !isBlank(line)).length;
}
