// One piece of code among the lines of a file, found by the lines that both have.
import { diffLines } from '../../hunks/hunks.ts';
import type { PlacedHunk, Reason } from '../edits.ts';
import { type Anchor, blockPair, declarations, findAnchors, type Snippet } from '../placing/anchors.ts';
import { toHunks } from '../placing/place.ts';
import { lostAtEnd } from '../planning/wholeFile.ts';
import { isTelling } from '../text/blocks.ts';
import { toPlacedHunks } from '../text/changeLines.ts';
import { wholeDeclarations } from '../text/declared.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { isBlank, trimTrail } from '../text/loose.ts';
import { Arrangement, FAR, WHY } from './arrangement.ts';

/** Lines at either edge of a whole file that may be changed. */
const EDGE = 2;

/** So many of the file's last lines may have been deleted. */
const MOST_TAIL = 3;

/** Whether a piece that begins as the file does may be all of it without the lines `tail`, which are no declarations. */
export function mayBeDeleted(tail: readonly string[]): boolean {
  const { length } = tail.filter((line) => !isBlank(line));
  return length > 0 && length <= MOST_TAIL && wholeDeclarations(tail) === undefined;
}

/** Why a piece is not put into its file. */
export interface Unread {
  reason: Reason;
  /** A sentence. */
  message: string;
}

const uncertain = (message: string): Unread => ({ reason: 'uncertain', message });

/**
 * The hunks by which the file has the snippet's lines in place of its own: all of its own, or those of a part. None where it
 * has them already.
 */
export function readPiece(file: IndexedFile, snippet: Snippet): PlacedHunk[] | Unread {
  const anchors = findAnchors(file, snippet) ?? sameLines(file, snippet);
  if (!anchors) return uncertain(WHY.order);
  if (anchors.length === 0) {
    return { reason: 'notFound', message: 'None of its lines shows where in the file it belongs.' };
  }
  if (!isEnough(file, snippet, anchors)) return uncertain(WHY.little);
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
 * Of a whole file, of which some lines stand in another order, the most that are in one order: the others go and come. None
 * where more are left out than are new.
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
  const missing = (from: readonly string[], to: readonly string[]) => {
    const has = new Set(to);
    return from.filter((key) => isTelling(key) && !has.has(key)).length;
  };
  const isLess = missing(file.keys, snippet.keys) > missing(snippet.keys, file.keys);
  return anchors.length >= FAR && !isLess && isWhole(file, snippet, anchors) ? anchors : undefined;
}

/** Whether the anchors say more than what may stand in two pieces of code by chance. */
function isEnough(file: IndexedFile, { keys, lines }: Snippet, anchors: readonly Anchor[]): boolean {
  const telling = anchors.filter(({ own, line }) => keys[own] === file.keys[line] && isTelling(keys[own]!));
  const isDeclared = anchors.some(({ own, line }) => declarations([lines[own]!, file.lines[line]!]).size === 1);
  return isDeclared || telling.length > 1 || telling.some(({ own }) => keys[own]!.length >= 16);
}

/**
 * Whether the snippet is the whole file: it begins and ends as the file does, or with as many lines in their place, and holds
 * most of it. Then what it doesn't hold is to go.
 */
function isWhole({ lines, keys }: IndexedFile, snippet: Snippet, anchors: readonly Anchor[]): boolean {
  const [first, last] = [anchors[0]!, anchors.at(-1)!];
  const end = lines.findLastIndex((line) => !isBlank(line));
  const [above, below] = [first.own, snippet.lines.length - 1 - last.own];
  if (snippet.isElided.includes(true)) return false;
  const top = lines.findIndex((line) => !isBlank(line));
  // The same first line and the same last one, however little they say.
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

/** Whether as many lines stand in the place of those at an edge of the file; where nothing of it is missing, they are new. */
const isEdge = (own: readonly string[], of: readonly string[]) =>
  of.every(isBlank) || (own.length === of.length && own.length <= EDGE);

/**
 * Whether the snippet, without an edge of the file, may be all of it: it holds most of the file and more than one block, or
 * begins as the file does and lacks but the last few lines.
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
