// What models get wrong when they write a true edit down: one kind of mistake at a time.
import type { Reading } from '../../../extension/edit/engine/edits.ts';
import { depthOf } from '../../../extension/edit/engine/text/blocks.ts';
import { outlineOf } from '../../../extension/edit/engine/text/declared.ts';
import {
  type Draw,
  indentOf,
  isBlank,
  linesOf,
  patch,
  type RealCase,
  type RealFile,
  searchReplace,
  type WrittenLine,
  wholeFile,
} from './realFiles.ts';

/** An answer of a model, or a piece of code that a person applies from the chat. */
export type Written = { answer: string[] } | { piece: string[] };

export interface Kind {
  name: string;
  /** Undefined where the mistake finds nothing to take hold of. */
  write: (draw: Draw, one: RealCase) => Written | undefined;
  /** Most cases, of a hundred, that may be refused. */
  mostRefused?: number;
  /** What the user answers when asked how the piece is meant. */
  isAsked?: Reading;
  /** Which files it can happen to. */
  isFor?: (file: RealFile) => boolean;
}

type Blocks = WrittenLine[][];
type Format = typeof searchReplace;
const FORMATS: [string, Format][] = [
  ['search/replace', searchReplace],
  ['patch', patch],
];

const copy = (blocks: Blocks): Blocks => blocks.map((block) => block.map((line) => ({ ...line })));

/** A mistake in the lines of blocks, in both formats. `make` is false where nothing came of it. */
function inBlocks(
  name: string,
  make: (draw: Draw, blocks: Blocks, one: RealCase, format: string) => boolean,
  more: Partial<Kind> = {},
): Kind[] {
  return FORMATS.map(([format, write]) => ({
    name: `${name}: ${format}`,
    write: (draw, one) => {
      const blocks = copy(one.blocks);
      return make(draw, blocks, one, format) ? { answer: write(one, blocks) } : undefined;
    },
    ...more,
  }));
}

const oldLines = (block: WrittenLine[]) => block.filter(({ op }) => op !== 'new').map(({ text }) => text);

/** A mistake that makes lines read as others of the file do, all of them, cannot be seen by anybody. */
const stands = (run: string[], lines: readonly string[]) => `\n${lines.join('\n')}\n`.includes(`\n${run.join('\n')}\n`);

const pick = <T>(draw: Draw, items: readonly T[]): T | undefined => items[draw(Math.max(1, items.length))];

const reindent = (text: string, turn: (indent: string) => string) =>
  isBlank(text) ? text : turn(indentOf(text)) + text.slice(indentOf(text).length);

/** All lines of all blocks written otherwise; only where some old line shows it, if a new line is concerned. */
function everywhere(blocks: Blocks, turn: (text: string) => string, shown: (text: string) => string[]): boolean {
  const all = blocks.flat();
  const old = new Set(all.filter(({ op }) => op !== 'new').flatMap(({ text }) => shown(text)));
  const isShown = all.every(({ op, text }) => op !== 'new' || shown(text).every((sign) => old.has(sign)));
  const isAny = all.some(({ text }) => turn(text) !== text);
  for (const line of all) line.text = turn(line.text);
  return isShown && isAny;
}

const CURLY: Record<string, RegExp> = { '"': /"/g, "'": /'/g, '-': /(?<= )-(?= )/g };
const typeset = (text: string) => {
  let count = 0;
  return text
    .replace(CURLY['"']!, () => (count++ % 2 === 0 ? '“' : '”'))
    .replace(CURLY["'"]!, '’')
    .replace(CURLY['-']!, '–');
};
const typesetSigns = (text: string) => typeset(text).match(/[“”’–]/g) ?? [];

const ENTITIES: [RegExp, string][] = [
  [/&/g, '&amp;'],
  [/</g, '&lt;'],
  [/>/g, '&gt;'],
  [/"/g, '&quot;'],
  [/'/g, '&#39;'],
];
const entities = (text: string) => ENTITIES.reduce((result, [plain, entity]) => result.replace(plain, entity), text);
const entitySigns = (text: string) => (/[&<>"']/.test(text) ? ['&'] : []);

const escapedTabs = (text: string) => reindent(text, (indent) => indent.replaceAll('\t', '\\t'));

/** How many levels of the file an indentation has, or undefined where it is none of whole levels. */
function levels(indent: string, unit: string): number | undefined {
  const count = indent.length / unit.length;
  return Number.isInteger(count) && indent === unit.repeat(count) ? count : undefined;
}

function otherUnit(draw: Draw, blocks: Blocks, { file }: RealCase): boolean {
  const other = pick(
    draw,
    ['\t', '  ', '    '].filter((unit) => unit !== file.unit),
  )!;
  const all = blocks.flat().filter(({ text }) => !isBlank(text));
  if (all.some(({ text }) => levels(indentOf(text), file.unit) === undefined)) return false;
  if (!all.some(({ op, text }) => op !== 'new' && indentOf(text) !== '')) return false;
  for (const line of all) line.text = reindent(line.text, (indent) => other.repeat(levels(indent, file.unit)!));
  return true;
}

/** One line of context further in or out than it stands, by `step`. */
function slip(draw: Draw, blocks: Blocks, steps: (unit: string) => string[], { file }: RealCase): boolean {
  const block = pick(draw, blocks)!;
  const line = pick(
    draw,
    block.filter(({ op, text }) => op === 'keep' && !isBlank(text)),
  );
  const step = pick(draw, steps(file.unit))!;
  if (!line) return false;
  const isOut = draw(2) === 0 && line.text.startsWith(step);
  line.text = isOut ? line.text.slice(step.length) : step + line.text;
  return true;
}

const HINTS: ((line: number) => string[])[] = [
  (line) => [`:start_line:${line}`, '-------'],
  (line) => [`:start_line:${line}`],
  (line) => [`:start_line:${line}`, `:end_line:${line + 3}`, '-------'],
  (line) => [`@@ -${line},3 +${line},4 @@`],
  () => ['@@'],
  (line) => [`[${line}]`],
  (line) => [`lines ${line}-${line + 4}:`],
  (line) => [`Line ${line}:`],
];

function hints(where: 'replacement' | 'both'): Kind {
  return {
    name: `a hint of lines in ${where === 'both' ? 'search and replacement' : 'the replacement'}`,
    mostRefused: where === 'both' ? 10 : undefined,
    write: (draw, one) => {
      const hint = pick(draw, HINTS)!(1 + (one.blocks[0]![0]!.at ?? 0));
      const answer = searchReplace(one, one.blocks);
      const put = (mark: string) => answer.splice(answer.indexOf(mark) + 1, 0, ...hint);
      put('=======');
      if (where === 'both') put('<<<<<<< SEARCH');
      return { answer };
    },
  };
}

const NUMBERINGS: ((line: number) => string)[] = [
  (line) => `${line} | `,
  (line) => `${line}|`,
  (line) => `${line}: `,
  (line) => `${String(line).padStart(6)}\t`,
  (line) => `${line}→`,
  (line) => `${String(line).padStart(5)}→`,
  (line) => `${String(line).padStart(4)} | `,
];

/** Numbers that only blanks set off. */
const SPACED: ((line: number) => string)[] = [
  (line) => `${line} `,
  (line) => `${line}  `,
  (line) => `${line}`.padEnd(7),
  (line) => `${String(line).padStart(6)}  `,
];

function numbered(draw: Draw, lines: readonly string[], first = 1, numberings = NUMBERINGS): string[] {
  const mark = pick(draw, numberings)!;
  const isTrimmed = draw(2) === 0;
  return lines.map((line, index) => {
    const text = mark(first + index) + line;
    return line === '' && isTrimmed ? text.trimEnd() : text;
  });
}

/** Old lines with the numbers that they have in the file, new ones with those that they will have. */
function numberedBlocks(draw: Draw, blocks: Blocks): boolean {
  const mark = pick(draw, NUMBERINGS)!;
  for (const block of blocks) {
    let number = block.find(({ at }) => at !== undefined)!.at! + 1;
    for (const line of block) {
      if (line.op === 'new') line.text = mark(number++) + line.text;
      else {
        line.text = mark(line.at! + 1) + line.text;
        number = Math.max(number, line.at! + 2);
      }
    }
  }
  return true;
}

const isProse = ({ path }: RealFile) => path.endsWith('.md');
const isTabbed = ({ unit }: RealFile) => unit === '\t';
const quotesFences = (file: RealFile) => isProse(file) && file.lines.some((line) => /^ {0,3}```/.test(line));

/** The lines after the edit from some above its first change to some below its last. */
function piece(draw: Draw, { file, edits, after }: RealCase): { lines: string[]; isAll: boolean } {
  const lines = linesOf(after);
  const start = Math.max(0, edits[0]!.start - 2 - draw(5));
  const end = Math.min(lines.length, lines.length - (file.lines.length - edits.at(-1)!.end) + 2 + draw(5));
  return { lines: lines.slice(start, end), isAll: start === 0 && end === lines.length };
}

/**
 * What is deleted at the edge of a piece cannot be shown by it, but by a line that stays beyond it and stands nowhere else:
 * no blank one, which beside a mark is there for the looks.
 */
function showsEdges({ blocks, file }: Pick<RealCase, 'blocks' | 'file'>): boolean {
  return blocks.every((block) => {
    const isOnce = (text: string) => file.lines.filter((line) => line.trim() === text.trim()).length === 1;
    const shows = ({ op, text }: WrittenLine) => op === 'keep' && isOnce(text);
    const first = block.findIndex(({ op }) => op !== 'keep');
    const last = block.findLastIndex(({ op }) => op !== 'keep');
    return block.slice(0, first).some(shows) && block.slice(last + 1).some(shows);
  });
}

const comment = ({ path }: RealFile) => (/\.(?:py|sh|ya?ml)$/.test(path) ? '#' : '//');

/** Pieces around each edit with marks between them and at both ends; `isLeftOut` says which of the marks are not written. */
function parts(
  draw: Draw,
  { file, edits, blocks }: RealCase,
  isLeftOut: (index: number) => boolean,
): string[] | undefined {
  const mark = (index: number) => (isLeftOut(index) ? [] : [`${comment(file)} ... existing code ...`]);
  if (!showsEdges({ blocks, file })) return undefined;
  const shown: string[] = [];
  let last = 0;
  for (const [index, block] of blocks.entries()) {
    const first = block[0]!.at ?? last;
    if (first > last || index > 0) shown.push(...mark(index));
    shown.push(...block.filter(({ op }) => op !== 'old').map(({ text }) => text));
    last = (block.findLast(({ at }) => at !== undefined)?.at ?? first) + 1;
  }
  if (last < file.lines.length) shown.push(...mark(blocks.length));
  return edits.length > 0 && draw(1) === 0 ? shown : undefined;
}

/** The new file without some of its last lines, none of which an edit touches: what it took away would not be shown, either. */
function cutShort(draw: Draw, { after, edits, file }: RealCase): string[] | undefined {
  const lines = linesOf(after);
  const shown = lines.slice(0, Math.max(3, lines.length - 1 - draw(draw(2) === 0 ? 6 : lines.length - 3)));
  const isShown = edits.every(({ end }) => end < shown.length - 4 - lines.length + file.lines.length);
  return isShown && shown.join('\n').trim() !== lines.join('\n').trim() ? shown : undefined;
}

/** The new file without one declaration of several lines, the last one of the file in every third case. */
function withoutDeclaration(draw: Draw, { after, edits, file }: RealCase): string[] | undefined {
  const lines = linesOf(after);
  const old = outlineOf(file.lines).filter(({ head, end }) => end > head + 1);
  const kept = old.filter(({ start, end }) => edits.every((edit) => edit.end < start - 1 || edit.start > end + 1));
  const gone = draw(3) === 0 ? kept.at(-1) : pick(draw, kept);
  if (!gone) return undefined;
  // An edit that opens another block than before, or begins a second declaration of one name, makes no file of code.
  const heads = new Set(old.map(({ head }) => file.trimmed[head]!));
  const isCode = edits.every(({ start, end, fresh }) => {
    const former = file.lines.slice(start, end);
    const isAgain = fresh.some((line) => heads.has(line.trim()) && !former.includes(line));
    return depthOf(fresh) === depthOf(former) && !isAgain;
  });
  if (!isCode) return undefined;
  const body = file.lines.slice(gone.start, gone.end).join('\n');
  const at = lines.findIndex((_, line) => lines.slice(line, line + gone.end - gone.start).join('\n') === body);
  if (at === -1) return undefined;
  const isBlankBelow = isBlank(lines[at + gone.end - gone.start] ?? 'end');
  return lines.toSpliced(at, gone.end - gone.start + (isBlankBelow ? 1 : 0));
}

const ACCENTED: Record<string, string> = { a: 'é', e: 'ü', o: 'ố', u: '인', n: 'ñ' };

/** The same case of a file in which letters have accents, in one normal form; what is written is in the other. */
function otherForm(draw: Draw, blocks: Blocks, one: RealCase, form: 'NFC' | 'NFD'): boolean {
  const accent = (text: string) => text.replace(/(?<=\w)[aeoun](?=\w)/g, (letter) => ACCENTED[letter]!);
  const own = form === 'NFC' ? 'NFD' : 'NFC';
  const turn = (text: string) => accent(text).normalize(own);
  one.before = turn(one.before);
  one.after = turn(one.after);
  for (const line of blocks.flat()) line.text = accent(line.text).normalize(form);
  return draw(1) === 0;
}

export const KINDS: Kind[] = [
  ...inBlocks('no mistake', () => true, { mostRefused: 1 }),
  { name: 'no mistake: whole file', write: (_, one) => ({ answer: wholeFile(one, linesOf(one.after)) }) },
  {
    name: 'no mistake: complete file in the chat',
    isAsked: 'file',
    mostRefused: 3,
    write: (_, one) => ({ piece: linesOf(one.after) }),
  },
  {
    name: 'no mistake: piece in the chat',
    write: (draw, one) => {
      const { lines, isAll } = piece(draw, one);
      if (!showsEdges(one)) return undefined;
      return isAll ? undefined : { piece: lines };
    },
  },
  {
    name: 'no mistake: pieces with marks between',
    write: (draw, one) => {
      const lines = parts(draw, one, () => false);
      return lines && { piece: lines };
    },
  },

  {
    name: 'fences quoted in a fence: patch',
    isFor: quotesFences,
    mostRefused: 1,
    write: (_, one) => ({ answer: ['```', ...patch(one, one.blocks), '```', '', 'Done.'] }),
  },
  {
    name: 'fences quoted in a fence: search/replace',
    isFor: quotesFences,
    mostRefused: 1,
    write: (_, one) => ({ answer: searchReplace(one, one.blocks).map((line) => (line === '````' ? '```' : line)) }),
  },
  {
    name: 'fences quoted in a fence: whole file',
    isFor: quotesFences,
    write: (draw, one) => {
      const head = draw(2) === 0 ? [`**${one.file.path}**`, '', '```markdown'] : [`\`\`\`md ${one.file.path}`];
      return { answer: ['The file:', '', ...head, ...linesOf(one.after), '```', '', 'That is all.'] };
    },
  },

  ...inBlocks('a line of context a level off', (draw, blocks, one) => slip(draw, blocks, (unit) => [unit], one), {
    // Beside a new line that is as far in, it may be moved together with that one.
    mostRefused: 18,
  }),
  ...inBlocks('a line of context a blank off', (draw, blocks, one) => slip(draw, blocks, () => [' '], one), {
    mostRefused: 10,
  }),
  ...inBlocks('quotes typeset everywhere', (_, blocks) => everywhere(blocks, typeset, typesetSigns)),
  ...inBlocks('HTML entities everywhere', (_, blocks) => everywhere(blocks, entities, entitySigns)),
  ...inBlocks('HTML entities everywhere, twice', (_, blocks) =>
    everywhere(blocks, (text) => entities(entities(text)), entitySigns),
  ),
  ...inBlocks(
    'tabs escaped everywhere',
    (_, blocks) => everywhere(blocks, escapedTabs, (text) => (/^\t/.test(text) ? ['\t'] : [])),
    { isFor: isTabbed },
  ),
  ...inBlocks('another unit of indentation everywhere', otherUnit),
  {
    name: 'another unit of indentation, with an odd step: complete file in the chat',
    isFor: isTabbed,
    write: (draw, one) => {
      // A new line goes on with the one above, half a level further in as the model writes it.
      const edit = one.edits.find(({ fresh }) => fresh.length > 0 && /^\t+[^\s*]/.test(fresh[0]!));
      if (!edit) return undefined;
      const at = linesOf(one.after).indexOf(edit.fresh[0]!, edit.start);
      if (at === -1) return undefined;
      const [shown, own] = [linesOf(one.after), linesOf(one.after)];
      own.splice(at + 1, 0, `${indentOf(edit.fresh[0]!)}\t+ goneOnWith(${draw(90)})`);
      one.after = `${own.join('\n')}\n`;
      const lines = shown.map((line) => reindent(line, (indent) => indent.replaceAll('\t', '    ')));
      lines.splice(at + 1, 0, `  ${reindent(own[at + 1]!, (indent) => indent.slice(1).replaceAll('\t', '    '))}`);
      return { piece: lines };
    },
  },

  hints('replacement'),
  hints('both'),

  {
    name: 'lines with their numbers: whole file',
    mostRefused: 10,
    write: (draw, one) => ({ answer: wholeFile(one, numbered(draw, linesOf(one.after))) }),
  },
  {
    name: 'lines with their numbers, but for one: whole file',
    write: (draw, one) => {
      const lines = linesOf(one.after);
      const written = numbered(draw, lines);
      const at = draw(lines.length);
      written[at] = lines[at]!;
      return { answer: wholeFile(one, written) };
    },
  },
  ...inBlocks('lines with their numbers', numberedBlocks, { mostRefused: 10 }),
  {
    name: 'lines with their numbers: complete file in the chat',
    write: (draw, one) => ({ piece: numbered(draw, linesOf(one.after)) }),
  },

  {
    name: 'a mark left out between pieces',
    write: (draw, one) => {
      const left = draw(one.blocks.length + 1);
      const lines = parts(draw, one, (index) => index === left);
      return lines && { piece: lines };
    },
  },
  {
    name: 'a line or more left out of a piece, without a mark',
    write: (draw, one) => {
      if (one.blocks.length > 1) return undefined;
      const block = pick(draw, one.blocks)!;
      const first = draw(block.length);
      const gone = block.slice(first, first + 1 + draw(3));
      // Between lines that stay, and said by no new line: else it would be another edit that says itself.
      const around = block.slice(Math.max(0, first - 1), first + gone.length + 1);
      if (!gone.some(({ text }) => /\w{3}/.test(text)) || around.some(({ op }) => op !== 'keep')) return undefined;
      if (first === 0 || first + gone.length >= block.length) return undefined;
      const fresh = new Set(block.filter(({ op }) => op === 'new').map(({ text }) => text.trim()));
      if (around.some(({ text }) => fresh.has(text.trim()))) return undefined;
      const lines = parts(
        draw,
        { ...one, blocks: one.blocks.map((each) => each.filter((line) => !gone.includes(line))) },
        () => false,
      );
      return lines && { piece: lines };
    },
  },

  {
    name: 'a whole file cut short, and its fence closed',
    write: (draw, one) => {
      const shown = cutShort(draw, one);
      return shown && { answer: wholeFile(one, shown) };
    },
  },
  {
    name: 'a whole file cut short: complete file in the chat',
    isAsked: 'part',
    write: (draw, one) => {
      const piece = cutShort(draw, one);
      return piece && { piece };
    },
  },

  ...inBlocks(
    'a blank line dropped',
    (draw, blocks, { file }) => {
      const block = pick(draw, blocks)!;
      const blanks = block.filter(
        ({ op, text }, index) => op === 'keep' && isBlank(text) && index > 0 && index < block.length - 1,
      );
      const gone = pick(draw, blanks);
      if (gone) block.splice(block.indexOf(gone), 1);
      return gone !== undefined && !stands(oldLines(block), file.lines);
    },
    // Between a line that stays and a new one, on which side the blank line belongs can't be told.
    { mostRefused: 15 },
  ),
  ...inBlocks(
    'a blank line added',
    (draw, blocks, { file }) => {
      const block = pick(draw, blocks)!;
      const places = block.flatMap((line, index) =>
        index > 0 && line.op === 'keep' && block[index - 1]!.op === 'keep' ? [index] : [],
      );
      const at = pick(draw, places);
      if (at === undefined || isBlank(block[at]!.text) || isBlank(block[at - 1]!.text)) return false;
      block.splice(at, 0, { op: 'keep', text: '' });
      return !stands(oldLines(block), file.lines);
    },
    { mostRefused: 10 },
  ),
  ...inBlocks(
    'a line of context twice',
    (draw, blocks) => {
      const block = pick(draw, blocks)!;
      const line = pick(
        draw,
        block.filter(({ op, text }) => op === 'keep' && !isBlank(text)),
      );
      if (line) block.splice(block.indexOf(line), 0, { ...line });
      return line !== undefined;
    },
    { mostRefused: 10 },
  ),
  ...(['NFC', 'NFD'] as const).flatMap((form) =>
    inBlocks(`another normal form of letters (${form})`, (draw, blocks, one) => otherForm(draw, blocks, one, form), {
      mostRefused: 10,
    }),
  ),
  {
    name: 'another normal form of letters: whole file',
    mostRefused: 10,
    write: (draw, one) => {
      otherForm(draw, [], one, 'NFC');
      return { answer: wholeFile(one, linesOf(one.after.normalize('NFC'))) };
    },
  },
  {
    name: 'marks of unequal length',
    mostRefused: 1,
    write: (draw, one) => {
      const [head, tail] = ['<'.repeat(5 + draw(5)), '>'.repeat(5 + draw(5))];
      const answer = searchReplace(one, one.blocks).map((line) =>
        line === '<<<<<<< SEARCH' ? `${head} SEARCH` : line === '>>>>>>> REPLACE' ? `${tail} REPLACE` : line,
      );
      return { answer };
    },
  },
  {
    name: 'a declaration left out of a whole file: complete file in the chat',
    isAsked: 'part',
    write: (draw, one) => {
      const piece = withoutDeclaration(draw, one);
      return piece && { piece };
    },
  },
  {
    name: 'lines with their numbers and blanks: whole file',
    // Files without an indented line are refused: they may be lists that are numbered on purpose.
    mostRefused: 35,
    write: (draw, one) => ({ answer: wholeFile(one, numbered(draw, linesOf(one.after), 1, SPACED)) }),
  },
  {
    name: 'lines with their numbers and blanks: complete file in the chat',
    // Files without an indented line are refused: they may be lists that are numbered on purpose.
    mostRefused: 35,
    write: (draw, one) => ({ piece: numbered(draw, linesOf(one.after), 1, SPACED) }),
  },
];
