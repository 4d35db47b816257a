import type { Change, ChangeLine, How } from './edits.ts';
import { type IndentPair, isUniform } from './indentation.ts';
import type { IndexedFile } from './indexedFile.ts';
import { indentOf, isBlank, looseKey, trimTrail, unescapeLines } from './loose.ts';
import { RIVAL, similarity, similarPlaces } from './similarity.ts';

/** From this similarity on a place counts as the one that was meant, if it is the only one. */
const SIMILAR = 0.95;
/** So many of the equally good places are told. */
const MAX_CANDIDATES = 20;

export type Found =
  /** `lines`: the change as it is to be read, without blank lines or escapes that the model added. */
  | { kind: 'found'; start: number; how: How; lines: readonly ChangeLine[]; pairs: readonly (readonly IndentPair[])[] }
  /** Places counted from 0. */
  | { kind: 'ambiguous'; starts: readonly number[] }
  /** The model's own words contradict the only place. */
  | { kind: 'notFound'; why: string };

/**
 * The one place in `file` that `change` is for. A place that looks as written wins over one that only says the same; among
 * places of one sort there must be no second, unless the V4A headings or the end-of-file mark tell them apart.
 */
export function findPlace(file: IndexedFile, change: Change): Found {
  const written = change.format === 'v4a' ? withoutBlankEdges(change.lines) : change.lines;
  const direct = findLines(file, change, written);
  if (direct) return direct;
  if (change.format === 'searchReplace') {
    const trimmed = withoutBlankEdges(written);
    const found = trimmed.length < written.length ? findLines(file, change, trimmed) : undefined;
    if (found) return found;
  }
  const unescaped = unescapeChange(written);
  const found = unescaped && findLines(file, change, unescaped);
  if (found?.kind === 'ambiguous') return found;
  if (
    found?.kind === 'found' &&
    (found.how === 'exact' || found.how === 'lineEnds' || found.how === 'trailingBlanks')
  ) {
    return { ...found, how: 'escapes' };
  }
  return findSimilar(file, change, written);
}

const isOld = (line: ChangeLine) => line.op !== 'new';

/** Blank lines around a change tell no place: some models part their changes by them. */
function withoutBlankEdges(lines: readonly ChangeLine[]): readonly ChangeLine[] {
  const isEdge = (line: ChangeLine) => line.op === 'keep' && isBlank(line.text);
  const first = lines.findIndex((line) => !isEdge(line));
  const last = lines.findLastIndex((line) => !isEdge(line));
  return first === -1 ? [] : lines.slice(first, last + 1);
}

interface Graded {
  start: number;
  /** Undefined when the lines say the same but are indented in no uniform way. */
  how: How | undefined;
  looksAsWritten: boolean;
  pairs: readonly (readonly IndentPair[])[];
}

/** Undefined when nothing in the file says what `lines` say. */
function findLines(file: IndexedFile, change: Change, lines: readonly ChangeLine[]): Found | undefined {
  const old = lines.filter(isOld);
  if (old.length === 0) return undefined;
  const graded = file.places(old.map((line) => looseKey(line.text))).map((start) => grade(file, old, start));
  if (graded.length === 0) return undefined;
  const asWritten = graded.filter((place) => place.looksAsWritten);
  const equal = asWritten.length > 0 ? asWritten : graded;
  const fitting = told(file, change, equal, old.length);
  if (fitting.length === 0 && equal.length === 1) {
    return { kind: 'notFound', why: 'the only such lines stand above the heading that was named for them' };
  }
  const [place] = fitting;
  if (fitting.length !== 1 || !place) {
    return { kind: 'ambiguous', starts: equal.slice(0, MAX_CANDIDATES).map(({ start }) => start) };
  }
  return place.how && { kind: 'found', start: place.start, how: place.how, lines, pairs: place.pairs };
}

function grade(file: IndexedFile, old: readonly ChangeLine[], start: number): Graded {
  const fileLines = file.lines.slice(start, start + old.length);
  const texts = (line: ChangeLine) => (line.otherText === undefined ? [line.text] : [line.text, line.otherText]);
  const isEach = (same: (text: string, fileLine: string) => boolean) =>
    old.every((line, index) => texts(line).some((text) => same(text, fileLines[index]!)));
  // Whichever reading of a kept line was meant, it may show how the model indents.
  const pairs = (['text', 'otherText'] as const).map((reading) =>
    old.flatMap((line, index): IndentPair[] => {
      if (isBlank(line.text)) return [];
      return [[indentOf(line[reading] ?? line.text), indentOf(fileLines[index]!)]];
    }),
  );
  const place = { start, pairs: isSamePairs(pairs) ? [pairs[0]!] : pairs };
  if (isEach((text, fileLine) => text === fileLine)) {
    const { ends, bom } = file.text;
    const differs = (bom && start === 0) || ends.slice(start, start + old.length).some((end) => end.startsWith('\r'));
    return { ...place, how: differs ? 'lineEnds' : 'exact', looksAsWritten: true };
  }
  if (isEach((text, fileLine) => trimTrail(text) === trimTrail(fileLine))) {
    return { ...place, how: 'trailingBlanks', looksAsWritten: true };
  }
  if (!place.pairs.some(isUniform)) return { ...place, how: undefined, looksAsWritten: false };
  const saysSame = isEach((text, fileLine) => text.trim() === fileLine.trim());
  return { ...place, how: saysSame ? 'reindented' : 'punctuation', looksAsWritten: false };
}

const isSamePairs = ([a, b]: IndentPair[][]) => a!.every(([written], index) => written === b![index]![0]);

/** Those of equally good places that the change's headings and end-of-file mark allow. */
function told(file: IndexedFile, change: Change, places: readonly Graded[], length: number): readonly Graded[] {
  let left = places;
  if (change.atEndOfFile && left.length > 1) {
    const atEnd = left.filter(({ start }) => file.keys.slice(start + length).every((key) => key === ''));
    if (atEnd.length > 0) left = atEnd;
  }
  for (const heading of change.headings) {
    const positions = file.at(looseKey(heading));
    // Models invent headings: one that stands nowhere says nothing.
    if (positions.length === 0) continue;
    left = left.filter(({ start }) => positions[0]! < start + length);
    if (left.length > 1) left = left.filter(({ start }) => isUnder(file, positions, start));
  }
  return left;
}

/** Whether the nearest heading above `start` is just above, or encloses it by its indentation. */
function isUnder(file: IndexedFile, positions: readonly number[], start: number): boolean {
  const heading = positions.findLast((position) => position <= start);
  if (heading === undefined) return false;
  const width = indentOf(file.lines[heading]!).length;
  for (let line = heading + 1; line < start; line++) {
    if (!isBlank(file.lines[line]!) && indentOf(file.lines[line]!).length <= width) return false;
  }
  return true;
}

/** The change as it was meant when its old and its new side are escaped in the same way. */
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
    return [
      ...before.map((text): ChangeLine => ({ op: 'old', text })),
      ...after.map((text): ChangeLine => ({ op: 'new', text })),
    ];
  }
  if (!unescapeLines(side('old'))) return undefined;
  return lines.map((line) => {
    const [text] = unescapeLines([line.text]) ?? [line.text];
    return { op: line.op, text: text! };
  });
}

/**
 * The last resort. Lines that only stay may be remembered wrongly; those to be replaced must stand as written, since a
 * new line made from a wrongly remembered one would bring the mistake into the file.
 */
function findSimilar(file: IndexedFile, change: Change, written: readonly ChangeLine[]): Found {
  const lines = written;
  const old = lines.filter(isOld);
  if (old.every((line) => isBlank(line.text))) return { kind: 'notFound', why: 'blank lines alone tell no place' };
  const keys = old.map((line) => looseKey(line.text));
  const places = similarPlaces(file, keys);
  if (!places) return { kind: 'notFound', why: 'too many lines are alike to tell them apart' };
  if (places.length > 1) return { kind: 'ambiguous', starts: places };
  const [start] = places;
  if (start === undefined) return { kind: 'notFound', why: 'no lines come near enough' };
  const fileLines = file.lines.slice(start, start + old.length).map(trimTrail);
  const readings = old.map((line, index) => {
    const texts = [line.text, line.otherText ?? line.text].map(trimTrail);
    return texts.find((text) => text === fileLines[index]) ?? texts[0]!;
  });
  const value = similarity(readings, fileLines);
  if (value < SIMILAR) {
    const why = value < RIVAL ? 'its lines are indented unevenly' : 'the nearest lines differ too much';
    return { kind: 'notFound', why };
  }
  if (old.some((line, index) => line.op === 'old' && readings[index] !== fileLines[index])) {
    return { kind: 'notFound', why: 'a line that is to be replaced differs from the file' };
  }
  const pairs = old.flatMap((_, index): IndentPair[] => {
    const isSame = readings[index] === fileLines[index] && readings[index] !== '';
    return isSame ? [[indentOf(readings[index]!), indentOf(fileLines[index]!)]] : [];
  });
  const found: Found = { kind: 'found', start, how: 'similar', lines, pairs: [pairs] };
  return told(file, change, [{ start, how: 'similar', looksAsWritten: false, pairs: [pairs] }], old.length).length === 1
    ? found
    : { kind: 'notFound', why: 'the only such lines stand above the heading that was named for them' };
}
