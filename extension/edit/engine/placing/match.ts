import type { Change, ChangeLine, How } from '../edits.ts';
import { withOwnBlanks, withoutDouble } from '../text/blankLines.ts';
import { toChangeLines } from '../text/changeLines.ts';
import { type IndentPair, isUniform } from '../text/indentation.ts';
import type { IndexedFile } from '../text/indexedFile.ts';
import { unnumberedChange } from '../text/lineMarks.ts';
import { composed, indentOf, isBlank, looseKey, trimTrail } from '../text/loose.ts';
import { decodeEntities, hasEntity, unescapeLines } from '../text/misprints.ts';
import { similarity, similarPlaces } from '../text/similarity.ts';
import { isSingleSlip } from './moved.ts';

/** The minimum similarity of a place that is not exact, if it is the only one. */
const SIMILAR = 0.95;
/** How much worse the second best place must be. */
const MARGIN = 0.04;
const BLANK = 'blank lines alone tell no place';
/** The most equally good places that are reported. */
const MAX_CANDIDATES = 20;

/** How all lines of a change had to be decoded to match. */
export interface Misprint {
  escaped?: 'tabs' | 'lines';
  /** How often HTML entities were decoded. */
  decoded?: number;
}

export type Found =
  /** `lines`: the change to apply, without blank lines or escapes that the model added. */
  | {
      kind: 'found';
      start: number;
      how: How;
      lines: readonly ChangeLine[];
      pairs: readonly IndentPair[];
      misprint?: Misprint;
    }
  /** Places counted from 0. */
  | { kind: 'ambiguous'; starts: readonly number[]; isSimilar?: boolean }
  /** The model's own text contradicts the only place. */
  | { kind: 'notFound'; why: string }
  /** `why`: a sentence. */
  | { kind: 'unclear'; why: string }
  /** The lines stand there (`start` from 0), but their indentation is ambiguous. */
  | { kind: 'uneven'; start: number };

/**
 * The one place in `file` for `change`. An exact match wins over one that differs in form. Among places of the same
 * rank there must be no second one, unless the V4A headings or the end-of-file mark exclude it.
 */
export function findPlace(file: IndexedFile, change: Change): Found {
  const written = change.format === 'v4a' ? withoutBlankEdges(change.lines) : change.lines;
  // Blank lines identify no place, even if the file has only one.
  if (written.filter(isOld).every((line) => isBlank(line.text))) return { kind: 'notFound', why: BLANK };
  const direct = findLines(file, change, written);
  if (direct) return direct;
  const numbered = findNumbered(file, change);
  if (numbered) return numbered;
  if (change.format === 'searchReplace') {
    const trimmed = withoutBlankEdges(written);
    const found = trimmed.length < written.length ? findLines(file, change, trimmed) : undefined;
    if (found) return found;
  }
  const unescaped = unescapeChange(written);
  const found = unescaped && findLines(file, change, unescaped);
  if (found?.kind === 'ambiguous') return found;
  if (found?.kind === 'found' && IS_WRITTEN.has(found.how)) {
    const isOneLine = written.filter(isOld).length === 1;
    return { ...found, how: 'escapes', misprint: { escaped: isOneLine ? 'lines' : 'tabs' } };
  }
  for (const decoded of written.some(({ text }) => hasEntity(text)) ? [1, 2] : []) {
    const lines = written.map((line) => decodedLine(line, decoded));
    const other = findLines(file, change, lines);
    if (other) return other.kind === 'found' ? { ...other, how: 'escapes', misprint: { decoded } } : other;
  }
  for (const lines of [withOwnBlanks(file, written) ?? [], ...withoutDouble(written)]) {
    const slipped = lines.length > 0 ? findLines(file, change, lines) : undefined;
    if (slipped?.kind === 'found' && (IS_WRITTEN.has(slipped.how) || slipped.how === 'reindented')) return slipped;
  }
  return findSimilar(file, change, written);
}

/** Exact matches, apart from line ends and trailing blanks. */
const IS_WRITTEN: ReadonlySet<How> = new Set<How>(['exact', 'lineEnds', 'trailingBlanks']);

/** A change whose lines carry the file's line numbers. */
function findNumbered(file: IndexedFile, change: Change): Found | undefined {
  const read = unnumberedChange(file, change);
  if (read === undefined) return undefined;
  if (typeof read === 'string') return { kind: 'unclear', why: read };
  const found = read.readings
    .map((lines) => findLines(file, change, lines))
    .filter((place) => place?.kind === 'found' && place.start === read.first - 1);
  return (
    found.find((place) => place?.kind === 'found' && IS_WRITTEN.has(place.how)) ??
    (found.length === 1 ? found[0] : undefined)
  );
}

const decodedLine = (line: ChangeLine, times: number): ChangeLine => ({
  ...line,
  text: decodeEntities(line.text, times),
  ...(line.otherText !== undefined && { otherText: decodeEntities(line.otherText, times) }),
});

const isOld = (line: ChangeLine) => line.op !== 'new';

/** Drops blank lines around a change: some models separate changes by them, so they identify no place. */
export function withoutBlankEdges(lines: readonly ChangeLine[]): readonly ChangeLine[] {
  const isEdge = (line: ChangeLine) => line.op === 'keep' && isBlank(line.text);
  const first = lines.findIndex((line) => !isEdge(line));
  const last = lines.findLastIndex((line) => !isEdge(line));
  return first === -1 ? [] : lines.slice(first, last + 1);
}

interface Graded {
  start: number;
  /** Undefined if the text matches, but the indentation differs in no uniform way. */
  how: How | undefined;
  looksAsWritten: boolean;
  pairs: readonly IndentPair[];
}

/** Undefined if the file has no lines with this text. */
export function findLines(file: IndexedFile, change: Change, lines: readonly ChangeLine[]): Found | undefined {
  const old = lines.filter(isOld);
  if (old.length === 0) return undefined;
  const graded = file.places(old.map((line) => looseKey(line.text))).map((start) => grade(file, old, start));
  if (graded.length === 0) return undefined;
  const asWritten = graded.filter((place) => place.looksAsWritten);
  if (asWritten.length === 0 && !old.some((line) => /[\p{L}\p{N}_]/u.test(line.text))) {
    return { kind: 'notFound', why: 'brackets alone tell no place unless they stand just as they are written' };
  }
  const equal = asWritten.length > 0 ? asWritten : graded;
  const fitting = told(file, change, equal, old.length);
  if (fitting.length === 0 && equal.length === 1) {
    return { kind: 'notFound', why: 'the only such lines stand above the heading that was named for them' };
  }
  const [place] = fitting;
  if (fitting.length !== 1 || !place) {
    return { kind: 'ambiguous', starts: equal.slice(0, MAX_CANDIDATES).map(({ start }) => start) };
  }
  const { start, how, pairs } = place;
  if (how) return { kind: 'found', start, how, lines, pairs };
  const fileLines = file.lines.slice(start, start + old.length);
  if (!isSingleSlip(lines, fileLines, file.style)) return { kind: 'uneven', start };
  const isSame = old.every((line, index) => line.text.trim() === fileLines[index]!.trim());
  const straight = pairs.flatMap(([written, own]): IndentPair[] => (written.includes(own) ? [[[own], own]] : []));
  return { kind: 'found', start, how: isSame ? 'reindented' : 'punctuation', lines, pairs: straight };
}

function grade(file: IndexedFile, old: readonly ChangeLine[], start: number): Graded {
  const fileLines = file.lines.slice(start, start + old.length);
  const texts = (line: ChangeLine) => (line.otherText === undefined ? [line.text] : [line.text, line.otherText]);
  const isEach = (same: (text: string, fileLine: string) => boolean) =>
    old.every((line, index) => texts(line).some((text) => same(text, fileLines[index]!)));
  const pairs = old.flatMap((line, index): IndentPair[] =>
    isBlank(line.text) ? [] : [[texts(line).map(indentOf), indentOf(fileLines[index]!)]],
  );
  // A line that matches exactly shows that the model kept the file's indentation, in either of the line's readings.
  const kept = old.flatMap((line, index): IndentPair[] => {
    const indent = indentOf(fileLines[index]!);
    return isBlank(line.text) ? [] : [[[indent], indent]];
  });
  if (isEach((text, fileLine) => text === fileLine)) {
    const { ends, bom } = file.text;
    const differs = (bom && start === 0) || ends.slice(start, start + old.length).some((end) => end.startsWith('\r'));
    return { start, pairs: kept, how: differs ? 'lineEnds' : 'exact', looksAsWritten: true };
  }
  if (isEach((text, fileLine) => trimTrail(text) === trimTrail(fileLine))) {
    return { start, pairs: kept, how: 'trailingBlanks', looksAsWritten: false };
  }
  if (isEach((text, fileLine) => composed(trimTrail(text)) === composed(trimTrail(fileLine)))) {
    return { start, pairs: kept, how: 'punctuation', looksAsWritten: false };
  }
  const place = { start, pairs };
  if (!isUniform(pairs, file.style)) return { ...place, how: undefined, looksAsWritten: false };
  const saysSame = isEach((text, fileLine) => composed(text.trim()) === composed(fileLine.trim()));
  return { ...place, how: saysSame ? 'reindented' : 'punctuation', looksAsWritten: false };
}

/** The equally good places that the change's headings and end-of-file mark allow. */
function told(file: IndexedFile, change: Change, places: readonly Graded[], length: number): readonly Graded[] {
  let left = places;
  if (change.atEndOfFile && left.length > 1) {
    const atEnd = left.filter(({ start }) => file.keys.slice(start + length).every((key) => key === ''));
    if (atEnd.length > 0) left = atEnd;
  }
  for (const heading of change.headings) {
    const key = looseKey(heading);
    const [first] = file.at(key);
    // Models invent headings. Ignore one that the file does not have, or that contains no word.
    if (first === undefined || !/[\p{L}\p{N}_]/u.test(key)) continue;
    left = left.filter(({ start }) => first < start + length);
    if (left.length > 1) left = left.filter(({ start }) => isUnder(file, key, start));
  }
  return left;
}

/** Whether a line with the text `key` stands just above `start`, or encloses it by its indentation. */
export function isUnder(file: IndexedFile, key: string, start: number): boolean {
  let least = Number.POSITIVE_INFINITY;
  for (let line = start - 1; line >= 0 && least > 0; line--) {
    const text = file.lines[line]!;
    if (isBlank(text)) continue;
    const width = indentOf(text).length;
    if (file.keys[line] === key && width < least) return true;
    least = Math.min(least, width);
  }
  return false;
}

/** The change without escapes, if its old and its new side are escaped in the same way. */
function unescapeChange(lines: readonly ChangeLine[]): readonly ChangeLine[] | undefined {
  const side = (op: 'old' | 'new') =>
    lines.filter((line) => line.op === 'keep' || line.op === op).map(({ text }) => text);
  const isOneLine = side('old').length === 1 && /\\n/.test(side('old')[0]!);
  if (isOneLine) {
    const before = unescapeLines(side('old'));
    const now = side('new');
    if (!before || now.length > 1) return undefined;
    const after = now[0] === undefined || !/\\/.test(now[0]) ? now : unescapeLines(now);
    if (!after) return undefined;
    // If both sides end with a newline, it adds no blank line. If only one does, the meaning is unclear.
    const isEnded = before.at(-1) === '';
    if (isEnded !== (after.at(-1) === '')) return undefined;
    if (isEnded) return toChangeLines(before.slice(0, -1), after.slice(0, -1));
    return toChangeLines(before, after);
  }
  if (!unescapeLines(side('old'))) return undefined;
  return lines.map((line) => {
    const [text] = unescapeLines([line.text]) ?? [line.text];
    return { op: line.op, text: text! };
  });
}

/**
 * The last resort. The model may remember kept lines wrongly. Lines to replace must match exactly, since a new line
 * made from a wrong one would bring the mistake into the file.
 */
function findSimilar(file: IndexedFile, change: Change, written: readonly ChangeLine[]): Found {
  const lines = written;
  const old = lines.filter(isOld);
  const keys = old.map((line) => looseKey(line.text));
  const places = similarPlaces(file, keys, MAX_CANDIDATES);
  if (!places) return { kind: 'notFound', why: 'too many lines are alike to tell them apart' };
  const [best, second] = places;
  if (!best) return { kind: 'notFound', why: 'no lines come near enough' };
  // The search stopped at its limit: there may be more places, and a better one among them.
  const isCut = places.length >= MAX_CANDIDATES;
  if (second && (isCut || second.similarity >= SIMILAR || second.similarity > best.similarity - MARGIN)) {
    return { kind: 'ambiguous', starts: places.map((place) => place.start), isSimilar: true };
  }
  const { start } = best;
  const fileLines = file.lines
    .slice(start, start + old.length)
    .map(trimTrail)
    .map(composed);
  const readings = old.map((line, index) => {
    const texts = [line.text, line.otherText ?? line.text].map(trimTrail).map(composed);
    return texts.find((text) => text === fileLines[index]) ?? texts[0]!;
  });
  const value = similarity(readings, fileLines);
  if (value < SIMILAR) {
    const isText = best.similarity < SIMILAR;
    return { kind: 'notFound', why: isText ? 'the nearest lines differ too much' : 'they are indented unevenly' };
  }
  if (old.some((line, index) => line.op === 'old' && readings[index] !== fileLines[index])) {
    return { kind: 'notFound', why: 'a line that is to be replaced differs from the file' };
  }
  // A wrongly remembered line stands nowhere. If it does stand somewhere, it is misplaced, as when context is repeated.
  if (readings.some((text, index) => text !== fileLines[index] && file.at(looseKey(text)).length > 0)) {
    return { kind: 'notFound', why: 'some of them stand elsewhere' };
  }
  // An entity in one of them may be a misprint, perhaps in that line alone.
  const isEncoded = readings.some((text, index) => text !== fileLines[index] && hasEntity(text));
  if (isEncoded && lines.some(({ op, text }) => op === 'new' && hasEntity(text))) {
    return { kind: 'notFound', why: 'some characters are written as HTML entities, and not all of them' };
  }
  const pairs = old.flatMap((line, index): IndentPair[] =>
    isBlank(line.text) ? [] : [[[indentOf(readings[index]!)], indentOf(fileLines[index]!)]],
  );
  // Wrong text together with different indentation is too uncertain: the new lines' indentation would be a guess.
  if (pairs.some(([[own], files]) => own !== files))
    return { kind: 'notFound', why: 'they are indented otherwise, and not all the same' };
  const found: Found = { kind: 'found', start, how: 'similar', lines, pairs };
  return told(file, change, [{ start, how: 'similar', looksAsWritten: false, pairs }], old.length).length === 1
    ? found
    : { kind: 'notFound', why: 'the only such lines stand above the heading that was named for them' };
}
