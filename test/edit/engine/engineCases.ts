// Random files, random true edits of them, and how models would write them down, mistakes included.
import type fc from 'fast-check';

/** Draws a whole number below `n`. */
type Draw = (n: number) => number;

export const drawFrom =
  (gen: fc.GeneratorValue, nat: (max: number) => fc.Arbitrary<number>): Draw =>
  (n) =>
    gen(nat, n - 1);

export interface SourceFile {
  lines: string[];
  eol: string;
  bom: boolean;
  finalNewline: boolean;
  /** One level of indentation. */
  unit: string;
}

/** Lines `start` to `end` become `fresh`. */
export interface TrueEdit {
  start: number;
  end: number;
  fresh: string[];
}

export const textOf = ({ lines, eol, bom, finalNewline }: SourceFile, now: readonly string[] = lines) =>
  (bom ? '\uFEFF' : '') + now.join(eol) + (finalNewline && now.length > 0 ? eol : '');

export function editedLines({ lines }: SourceFile, edits: readonly TrueEdit[]): string[] {
  const result = [...lines];
  for (const { start, end, fresh } of edits.toSorted((a, b) => b.start - a.start)) {
    result.splice(start, end - start, ...fresh);
  }
  return result;
}

const WORDS = ['total', 'count', 'user', 'next'];

const MANY_WORDS =
  'order invoice basket customer shipment refund voucher catalogue warehouse supplier session ticket journal receipt ' +
  'channel message forecast passenger territory schedule inventory discount currency balance';

/** `few`: much of a file repeats, the hard case. `many`: as in real files, a line with words in it hardly does. */
export type Vocabulary = 'few' | 'many';

function realPhrase(draw: Draw, fancy: boolean): string {
  const words = MANY_WORDS.split(' ');
  const [a, b, c] = [words[draw(24)]!, words[draw(24)]!, words[draw(24)]!];
  const phrases = [
    `const ${a}${draw(9)} = ${b}.${c}(${draw(99)});`,
    `return ${a}.${b};`,
    '}',
    '',
    `if (${a}.${b} > ${draw(99)}) {`,
    `log("${a} of ${b}", '${c}');`,
    `// ${a}'s ${b} - before ${c}...`,
    `* ${a} and ${b}`,
    `this.${a}.${b} += ${c} - ${draw(99)};`,
    `function ${a}${draw(99)}(${b}, ${c}) {`,
  ];
  if (fancy) phrases.push(`log("${a}’s ${b} – ${c}…");`, `// ${a} – “${b}”`);
  return phrases[draw(phrases.length)]!;
}

/** What a line says, of few words, so that much of it repeats. */
function somePhrase(draw: Draw, fancy: boolean): string {
  const word = WORDS[draw(WORDS.length)]!;
  const phrases = [
    `const ${word} = read(${draw(40)});`,
    `const ${word} = read(${draw(400)});`,
    `return ${word};`,
    '}',
    '',
    `if (${word} > ${draw(12)}) {`,
    `say("${word} ${draw(30)}");`,
    `// ${word}'s value - see below...`,
    `- ${word}`,
    `+ ${word}`,
    `print('${word}\\n' + "${draw(30)}");`,
    `function ${word}${draw(60)}(a, b) {`,
    `${word}.push({ id: ${draw(200)}, name: "${word}-${draw(50)}", kind: ${draw(9)} }); // keeps the order`,
  ];
  if (fancy) phrases.push(`say(“${word}” – ${draw(30)}…);`, `// ${word}’s ${draw(30)} – “so”`);
  return phrases[draw(phrases.length)]!;
}

/** Lines that begin at `level` and go in or out by one level at a time. */
function someLines(
  draw: Draw,
  length: number,
  unit: string,
  level: number,
  fancy: boolean,
  vocabulary: Vocabulary,
): string[] {
  let depth = level;
  return Array.from({ length }, () => {
    const phrase = vocabulary === 'few' ? somePhrase(draw, fancy) : realPhrase(draw, fancy);
    const line = phrase === '' ? '' : unit.repeat(depth) + phrase;
    depth = Math.max(0, Math.min(4, depth + draw(3) - 1));
    return draw(25) === 0 ? `${line}  ` : line;
  });
}

export interface Case {
  file: SourceFile;
  edits: TrueEdit[];
  /** Whether typographic characters stand in the file. */
  fancy: boolean;
  /** Whether a stretch of the file was copied to another place of it. */
  hasCopy: boolean;
}

export function someCase(draw: Draw, mostEdits: number, vocabulary: Vocabulary = 'few'): Case {
  const unit = ['\t', '  ', '    '][draw(3)]!;
  const fancy = draw(3) === 0;
  const lines = someLines(draw, 4 + draw(36), unit, 0, fancy, vocabulary);
  // The hard case: a stretch of the file stands there twice, perhaps further in.
  const hasCopy = draw(vocabulary === 'few' ? 3 : 20) === 0;
  if (hasCopy) {
    const from = draw(lines.length);
    const copy = lines.slice(from, from + 1 + draw(8));
    const inner = draw(2) === 0 ? copy : copy.map((line) => (line === '' ? line : unit + line));
    lines.splice(draw(lines.length + 1), 0, ...inner);
  }
  const file: SourceFile = {
    lines,
    eol: draw(4) === 0 ? '\r\n' : '\n',
    bom: draw(8) === 0,
    finalNewline: lines.at(-1) === '' || draw(4) > 0,
    unit,
  };
  const edits: TrueEdit[] = [];
  let from = 0;
  for (let count = 1 + draw(mostEdits); count > 0 && from < lines.length; count--) {
    const start = from + draw(Math.max(1, Math.floor((lines.length - from) / count)));
    const end = Math.min(lines.length, start + draw(4));
    const near = lines[start] ?? '';
    const level = Math.floor(/^[ \t]*/.exec(near)![0].length / unit.length);
    const fresh = someLines(draw, end > start ? draw(5) : 1 + draw(4), unit, Math.min(4, level), fancy, vocabulary);
    const clean = fresh.map((line) => line.trimEnd());
    if (clean.join('\n') !== lines.slice(start, end).join('\n')) edits.push({ start, end, fresh: clean });
    from = end + 1;
  }
  return { file, edits, fancy, hasCopy };
}

/** One line as it is written down; `at` is the file's line that it stands for, undefined for a new one. */
export interface WrittenLine {
  op: 'keep' | 'old' | 'new';
  text: string;
  at: number | undefined;
  /** As it was meant, before any mistake. */
  meant: string;
}

export interface Block {
  /** The file's line at which what it names begins. */
  start: number;
  lines: WrittenLine[];
  /** One level of indentation as the model writes it, where that differs from the file's. */
  unit?: string;
}

/** Each edit with up to three lines around it, which no other edit changes. */
export function toBlocks(draw: Draw, { file, edits }: Case): Block[] {
  return edits.map(({ start, end, fresh }, index) => {
    const low = edits[index - 1]?.end ?? 0;
    const high = edits[index + 1]?.start ?? file.lines.length;
    const least = start === end ? 1 : 0;
    let above = Math.min(start - low, draw(4));
    const below = Math.min(high - end, Math.max(least, draw(4)));
    if (above + below < least) above = Math.min(start - low, least);
    const keep = (at: number): WrittenLine => ({ op: 'keep', text: file.lines[at]!, at, meant: file.lines[at]! });
    const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
    return {
      start: start - above,
      lines: [
        ...range(start - above, start).map(keep),
        ...range(start, end).map(
          (at): WrittenLine => ({ op: 'old', text: file.lines[at]!, at, meant: file.lines[at]! }),
        ),
        ...fresh.map((text): WrittenLine => ({ op: 'new', text, at: undefined, meant: text })),
        ...range(end, end + below).map(keep),
      ],
    };
  });
}

const indentOf = (line: string) => /^[ \t]*/.exec(line)![0];
const isBlank = (line: string) => line.trim() === '';

export type Noise = 'shift' | 'restyle' | 'trailing' | 'typography' | 'plain' | 'typo' | 'ellipsis' | 'repeat';

/** What was really done to a block's lines: noise that has nothing to take hold of isn't. */
export function disturb(draw: Draw, block: Block, noise: Noise, { file, fancy }: Case): boolean {
  const { lines } = block;
  const old = lines.filter((line) => line.op !== 'new');
  const change = (texts: (text: string, line: WrittenLine) => string) => {
    let changed = false;
    for (const line of lines) {
      const text = texts(line.text, line);
      if (text !== line.text) changed = true;
      line.text = text;
    }
    return changed;
  };
  if (noise === 'shift') {
    if (old.every((line) => isBlank(line.text))) return false;
    const indents = lines.filter((line) => !isBlank(line.text)).map((line) => indentOf(line.text));
    const common = indents.reduce((a, b) => {
      let length = 0;
      while (length < Math.min(a.length, b.length) && a[length] === b[length]) length++;
      return a.slice(0, length);
    });
    const remove = draw(2) === 0 ? common.length : 0;
    const add = remove > 0 ? '' : (block.unit ?? file.unit).repeat(1 + draw(2));
    return change((text) => (isBlank(text) ? text : add + text.slice(remove)));
  }
  if (noise === 'restyle') {
    // Moved lines are no whole levels of the file any more.
    if (lines.some((line) => line.at !== undefined && indentOf(line.text) !== indentOf(file.lines[line.at]!)))
      return false;
    if (!old.some((line) => !isBlank(line.text) && /^[ \t]/.test(line.text))) return false;
    const others = ['\t', '  ', '    '].filter((unit) => unit !== file.unit);
    const other = others[draw(others.length)]!;
    block.unit = other;
    return change((text) => {
      const indent = indentOf(text);
      return isBlank(text) ? text : other.repeat(indent.length / file.unit.length) + text.slice(indent.length);
    });
  }
  if (noise === 'trailing') {
    // A new line that differs from an old one in its blanks alone would be taken for it.
    const fresh = lines.filter((line) => line.op === 'new').map((line) => line.text.trimEnd());
    if (old.some((line) => line.text !== line.text.trimEnd() && fresh.includes(line.text.trimEnd()))) return false;
    return change((text, line) => {
      if (line.op === 'new') return text;
      const kind = draw(4);
      return kind === 0 ? text.trimEnd() : kind === 1 ? `${text}${' '.repeat(1 + draw(3))}` : text;
    });
  }
  if (noise === 'typography') {
    const said = old.map((line) => line.text).join('\n');
    // New text can be known for misprinted only by what was misprinted in the old.
    const turns: [RegExp, (count: number) => string][] = [
      [/"/g, (count) => (count % 2 === 0 ? '“' : '”')],
      [/'/g, () => '’'],
      [/\.\.\./g, () => '…'],
      [/(?<= )-(?= )/g, () => '–'],
    ];
    const possible = turns.filter(
      ([plain]) => said.match(plain) && (said.match(plain)!.length > 1 || plain.source !== '"'),
    );
    const [plain, make] = possible[draw(Math.max(1, possible.length))] ?? [];
    if (!plain || !make) return false;
    if (fancy && lines.some((line) => line.op === 'new')) {
      // Else nobody could tell a new line's own quotes from misprinted ones.
      if (lines.some((line) => line.op === 'new' && /[“”’…–]/.test(line.text))) return false;
    }
    return change((text) => {
      let count = 0;
      return text.replace(plain, () => make(count++));
    });
  }
  if (noise === 'plain') {
    const turns: [RegExp, string][] = [
      [/[“”]/g, '"'],
      [/’/g, "'"],
      [/…/g, '...'],
      [/–/g, '-'],
    ];
    const possible = turns.filter(([typeset]) => old.some((line) => line.text.search(typeset) !== -1));
    const [typeset, plain] = possible[draw(Math.max(1, possible.length))] ?? [];
    if (!typeset || plain === undefined) return false;
    return change((text) => text.replace(typeset, plain));
  }
  if (noise === 'typo') {
    const kept = lines.filter((line) => line.op === 'keep' && /[a-z]{4}/.test(line.text));
    const line = kept[draw(Math.max(1, kept.length))];
    if (!line) return false;
    line.text = line.text.replace(/[a-z](?=[a-z]{3})/, (letter) => (letter === 'q' ? 'z' : 'q'));
    return true;
  }
  if (noise === 'repeat') {
    const at = lines.findIndex(
      (line, index) => line.op === 'keep' && !isBlank(line.text) && index >= draw(lines.length),
    );
    const one = lines[at];
    // Where it stands twice in the file, nothing shows that once too often is meant.
    if (!one || [one.at! - 1, one.at! + 1].some((near) => file.lines[near]?.trim() === one.meant.trim())) return false;
    lines.splice(at, 0, { ...one });
    return true;
  }
  // Code left out: some of the new lines, or of those that stay.
  const where = lines.findIndex(
    (line, index) => line.op !== 'old' && !isBlank(line.text) && index >= draw(lines.length),
  );
  if (where === -1) return false;
  const marks = ['// ...', '# ... existing code ...', '/* … */', '...', '// rest of the code remains unchanged'];
  const own = lines[where]!;
  const text = indentOf(own.text) + marks[draw(marks.length)]!;
  if (own.op === 'new') own.text = text;
  else {
    // The search names the line, the replacement leaves it out.
    own.op = 'old';
    lines.splice(where + 1, 0, { op: 'new', text, at: undefined, meant: text });
  }
  return true;
}

/**
 * Whether a block, read as it is written, stands word for word, blanks included, at another place of the file than the one
 * that it is for, and not at that one: nobody could know that the other place isn't meant. Blank lines around it are no part
 * of it.
 */
export function saysAnotherPlace(
  block: Block,
  { lines }: SourceFile,
  readings: (line: WrittenLine) => string[],
): boolean {
  const all = block.lines.filter((line) => line.op !== 'new');
  const isEdge = (line: WrittenLine) => line.op === 'keep' && isBlank(line.text);
  const old = all.slice(
    all.findIndex((line) => !isEdge(line)),
    all.findLastIndex((line) => !isEdge(line)) + 1,
  );
  const first = old[0];
  if (!first) return false;
  const isAt = (start: number) =>
    old.every((line, index) => readings(line).some((text) => text === lines[start + index]));
  const isOwn = (start: number) => old.every((line, index) => line.at === start + index);
  if (isOwn(first.at!) && isAt(first.at!)) return false;
  return lines.some((_, start) => isAt(start) && !isOwn(start));
}

/** Whether mistakes have cancelled out in what is copied, but not in what is new: then nothing shows that any were made. */
export function hidesMistakes({ lines }: Block): boolean {
  const isMoved = ({ text, meant }: WrittenLine) => !isBlank(text) && indentOf(text) !== indentOf(meant);
  const old = lines.filter((line) => line.op !== 'new' && !isBlank(line.text));
  return !old.some(isMoved) && lines.some(isMoved);
}
