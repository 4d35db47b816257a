// Parts of a listing that models copy but that are no text of the file: line numbers, and hints of where lines are.

import type { Change, ChangeLine } from '../edits.ts';
import { toChangeLines } from './changeLines.ts';
import type { IndexedFile } from './indexedFile.ts';
import { indentOf, isBlank, looseKey } from './loose.ts';

export const MARKS = {
  numbered: 'Some lines begin with numbers that do not fit the file, so Perigee can’t tell what belongs to the text.',
  hint: 'A new line reads like a line number, so Perigee can’t tell whether it belongs to the text.',
};

const ROO_HINT = /^:(?:start|end)_line:\s*\d+$/;
const HINT =
  /^(?::(?:start|end)_line:\s*\d+|@@(?:.*@@)?|\[L?\d+(?:\s*[-–,:]\s*L?\d+)?\]:?|(?:(?:\/\/|#|--)\s*)?[([]?lines?:?\s+\d+(?:\s*(?:-|–|to)\s*\d+)?[)\]]?:?|L\d+(?:\s*[-–]\s*L?\d+)?:?)$/i;

/** Whether a line is only a position hint. If the file itself has such lines, it counts as text. */
export const isHint = (file: IndexedFile, line: string) =>
  HINT.test(line.trim()) &&
  file.at(looseKey(line)).length === 0 &&
  (ROO_HINT.test(line.trim()) || !file.lines.some((own) => HINT.test(own.trim())));

/**
 * The change without hints at its beginning, which belong to the old lines, alone or with the new ones. Undefined if
 * only a new line looks like a hint.
 */
export function withoutHints(file: IndexedFile, lines: readonly ChangeLine[]): readonly ChangeLine[] | undefined {
  let end = 0;
  while (end < lines.length && isHintAt(file, lines, end)) end++;
  const [hints, rest] = [lines.slice(0, end), lines.slice(end)];
  const isOnlyNew = hints.length > 0 && hints.every(({ op }) => op === 'new');
  const first = rest.findIndex(({ op }) => op === 'new');
  const isDoubtful = rest.some(
    ({ op, text }, index) => op === 'new' && (ROO_HINT.test(text.trim()) || index === first) && isHint(file, text),
  );
  return isOnlyNew || isDoubtful ? undefined : rest;
}

function isHintAt(file: IndexedFile, lines: readonly ChangeLine[], at: number): boolean {
  const text = lines[at]!.text.trim();
  const above = lines[at - 1];
  return isHint(file, text) || (/^-{5,9}$/.test(text) && above !== undefined && ROO_HINT.test(above.text.trim()));
}

const NUMBERED = /^[ \t]*(\d{1,6})[ ]*([|│:→\t])(.*)$/;

interface Numbered {
  first: number;
  isConsecutive: boolean;
  sign: string;
  /** The possible texts: all after the number's sign, and without the blank that separates them. */
  readings: string[][];
}

/** Parses lines that each begin with their number, in ascending order; undefined if they don't. */
function readNumbered(lines: readonly string[]): Numbered | undefined {
  const found = lines.map((line) => NUMBERED.exec(line) ?? NUMBERED.exec(`${line}|`));
  const sign = found.find((match, index) => match && NUMBERED.test(lines[index]!))?.[2];
  if (sign === undefined) return undefined;
  const numbers: number[] = [];
  const texts: string[] = [];
  for (const [index, match] of found.entries()) {
    const isWhole = match && (NUMBERED.test(lines[index]!) ? match[2] === sign : /^[ \t]*\d+$/.test(lines[index]!));
    if (!isWhole) return undefined;
    numbers.push(Number(match[1]));
    texts.push(NUMBERED.test(lines[index]!) ? match[3]! : '');
  }
  if (numbers.some((number, index) => index > 0 && number < numbers[index - 1]!)) return undefined;
  const isConsecutive = numbers.every((number, index) => number === numbers[0]! + index);
  const isParted = '|│:'.includes(sign) && texts.every((text) => text === '' || text.startsWith(' '));
  const readings = isParted ? [texts.map((text) => text.slice(1)), texts] : [texts];
  return { first: numbers[0]!, isConsecutive, sign, readings };
}

/** Whether the file's own lines begin with consecutive numbers. */
function isTable(file: IndexedFile): boolean {
  let above: number | undefined;
  return file.lines.some((line) => {
    const number = NUMBERED.exec(line)?.[1];
    const isNext = above !== undefined && number !== undefined && Number(number) === above + 1;
    above = number === undefined ? undefined : Number(number);
    return isNext;
  });
}

/** The lines of a file, or of a piece of it, without their numbers; a message if it is unclear what is a number. */
export function withoutNumbers(file: IndexedFile, lines: readonly string[]): readonly string[] | string {
  const filled = lines.filter((line) => !isBlank(line));
  const some = filled.filter((line) => NUMBERED.test(line)).length;
  if (some < 2 || some * 2 < filled.length) return withoutSpacedNumbers(file, lines);
  if (isTable(file)) return lines;
  const last = lines.findLastIndex((line) => !isBlank(line));
  const numbered = readNumbered(
    lines.slice(
      lines.findIndex((line) => !isBlank(line)),
      last + 1,
    ),
  );
  if (!numbered?.isConsecutive) return MARKS.numbered;
  const known = numbered.readings.map(
    (texts) => texts.filter((text) => !isBlank(text) && file.lines.includes(text)).length,
  );
  const best = numbered.readings[known.indexOf(Math.max(...known))]!;
  const isAsInFile = best.some((text, index) => !isBlank(text) && file.lines[numbered.first - 1 + index] === text);
  return isAsInFile && Math.max(...known) * 2 >= best.filter((text) => !isBlank(text)).length ? best : MARKS.numbered;
}

/** A number with nothing but blanks behind it, which may as well be the first word of a text. */
const SPACED = /^( *(\d{1,6}))(?: .*)?$/;
/** Two such lines may begin with successive numbers by chance. */
const LEAST_SPACED = 3;
/** The most blanks between numbers and lines. */
const MOST_BLANKS = 8;

/**
 * The lines without numbers that only blanks set off, if each line that is not blank has the next number, and most lines
 * without them are in the file. Otherwise the same lines, or a message if it is unclear.
 */
function withoutSpacedNumbers(file: IndexedFile, lines: readonly string[]): readonly string[] | string {
  const first = lines.findIndex((line) => !isBlank(line));
  const shown = lines.slice(first, lines.findLastIndex((line) => !isBlank(line)) + 1);
  const number = (line: string) => Number(SPACED.exec(line)?.[2]);
  const start = number(shown[0] ?? '');
  const isNext = (line: string, index: number) => isBlank(line) || number(line) === start + index;
  if (shown.length < LEAST_SPACED || !shown.every(isNext)) return lines;
  // A file with such lines of its own is a table.
  if (file.lines.some((line, at) => number(line) + 1 === number(file.lines[at + 1] ?? ''))) return lines;
  const ends = shown.map((line) => (SPACED.exec(line)?.[1] ?? '').length);
  const column = ends.reduce((most, end) => Math.max(most, end), 0);
  const known = new Set(file.lines.filter((line) => !isBlank(line)));
  const readings = new Map<string, { texts: string[]; count: number }>();
  // All numbers have as many blanks behind them, or all texts begin in one column.
  for (let blanks = 1; blanks <= MOST_BLANKS; blanks++) {
    for (const starts of [ends.map((end) => end + blanks), ends.map(() => column + blanks)]) {
      if (shown.some((line, index) => !isBlank(line.slice(ends[index], starts[index])))) continue;
      const texts = shown.map((line, index) => line.slice(starts[index]));
      readings.set(texts.join('\n'), { texts, count: texts.filter((text) => known.has(text)).length });
    }
  }
  const [best, second] = [...readings.values()].toSorted((a, b) => b.count - a.count);
  const { texts, count } = best ?? { texts: [], count: 0 };
  const isAtNumber = texts.some((text, index) => known.has(text) && file.lines[start - 1 + index] === text);
  if (count === 0 || count * 2 < texts.filter((text) => !isBlank(text)).length) return lines;
  // A list may be numbered on purpose; its lines are not indented.
  const isCode = texts.some((text) => known.has(text) && indentOf(text) !== '');
  return isCode && isAtNumber && count !== second?.count ? texts : MARKS.numbered;
}

/** Whether all lines of a new file seem to be numbered. A table doesn't count: its columns use the same separators. */
export function isListing(path: string, lines: readonly string[]): boolean {
  const numbered = lines.length > 2 && !/\.(?:tsv|tab|psv)$/i.test(path) ? readNumbered(lines) : undefined;
  return numbered?.isConsecutive === true && numbered.first === 1 && '|│→\t'.includes(numbered.sign);
}

/**
 * A change with consecutive numbers on its old lines: the change without the numbers, in each possible reading.
 * `first`: the first number, counted from 1. Returns a message if only some new lines are numbered.
 */
export function unnumberedChange(
  file: IndexedFile,
  { format, lines }: Pick<Change, 'format' | 'lines'>,
): { first: number; readings: ChangeLine[][] } | string | undefined {
  const old = lines.filter(({ op }) => op !== 'new').map(({ text }) => text);
  const fresh = lines.filter(({ op }) => op === 'new').map(({ text }) => text);
  if (!old.some((text) => NUMBERED.test(text)) || isTable(file)) return undefined;
  const before = readNumbered(old);
  if (!before?.isConsecutive) return undefined;
  const isPlain = !fresh.some((text) => NUMBERED.test(text));
  const now = isPlain ? undefined : readNumbered(fresh);
  if (!isPlain && now?.sign !== before.sign) return MARKS.numbered;
  // A blank separates number and text in all lines or in none.
  const isParted = before.readings.length > 1 && (!now || now.readings.length > 1);
  const readings = before.readings.slice(isParted ? 0 : -1).map((texts, index) => {
    const freshTexts = now ? now.readings.slice(isParted ? 0 : -1)[index]! : fresh;
    let [o, n] = [0, 0];
    const read = lines.map(({ op }): ChangeLine => ({ op, text: op === 'new' ? freshTexts[n++]! : texts[o++]! }));
    if (format === 'v4a') return read;
    const side = (op: 'old' | 'new') =>
      read.filter((line) => line.op === 'keep' || line.op === op).map(({ text }) => text);
    return toChangeLines(side('old'), side('new'));
  });
  return { first: before.first, readings };
}
