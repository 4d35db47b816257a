// Random texts, hunks for them, and what others do to the text meanwhile, each line known by its identity.
import type { PlacedHunk } from '../../../extension/edit/engine/edits.ts';

/** Draws a whole number below `n`. */
type Draw = (n: number) => number;

/** A line of the base keeps its `id`, its index there, whatever happens around it; others have none. */
export interface Line {
  text: string;
  id?: number;
}

export interface RebaseCase {
  base: string[];
  hunks: PlacedHunk[];
  /** What others made of the base. */
  current: Line[];
  /** What they did. */
  done: string[];
}

/** Few lines, so that nearly all of them stand more than once. */
export function fewWords(draw: Draw): string[] {
  return Array.from({ length: 1 + draw(24) }, () => ['a', 'b', 'c', '', '}', 'x = 1'][draw(6)]!);
}

/** Functions with names of their own whose bodies repeat each other, as those of real files do. */
export function functions(draw: Draw): string[] {
  return Array.from({ length: 1 + draw(6) }, () => someFunction(draw)).flat();
}

const NAMES = 'open close read write start stop load save find merge parse print'.split(' ');

function someFunction(draw: Draw): string[] {
  const name = `${NAMES[draw(NAMES.length)]}${['All', 'One', 'Rows', 'Files'][draw(4)]}${draw(3) === 0 ? draw(9) : ''}`;
  const bodies = [
    ['  check(input);', '  return null;'],
    ['  if (!input) {', '    return null;', '  }', '  return input.length;'],
    ['  const rows = [];', '  for (const row of input) {', '    rows.push(row);', '  }', '  return rows;'],
    ['  const rows = [];', `  rows.push(${name});`, '  return rows;'],
  ];
  return [`function ${name}(input) {`, ...bodies[draw(bodies.length)]!, '}', ''];
}

/** Functions of which no line says what another one says, but for brackets and blank lines. */
export function ownFunctions(draw: Draw): string[] {
  return Array.from({ length: 1 + draw(6) }, (_, at) =>
    someFunction(draw).map((line) => (/\w/.test(line) ? `${line} // ${at}.${line.length}` : line)),
  ).flat();
}

/** Lines replaced, removed or put in, none beside another. */
export function someHunks(draw: Draw, base: readonly string[]): PlacedHunk[] {
  const hunks: PlacedHunk[] = [];
  let from = 0;
  for (let count = 1 + draw(3); count > 0 && from <= base.length; count--) {
    const startLine = from + draw(base.length - from + 1);
    const oldLines = base.slice(startLine, startLine + draw(4));
    const newLines = Array.from(
      { length: oldLines.length === 0 ? 1 + draw(2) : draw(3) },
      (_, at) => `new ${count}.${at}`,
    );
    hunks.push({ startLine, oldLines, newLines, how: 'exact' });
    from = startLine + oldLines.length + 1;
  }
  return hunks;
}

const KINDS = ['insert', 'change', 'remove', 'copy', 'cut and paste', 'insert known', 'change to known'] as const;

/** Typing, copying, cutting and pasting of others. `mark` is a text that is nowhere else. */
function doForeign(draw: Draw, lines: Line[], mark: string): { lines: Line[]; done: string } {
  const kind = KINDS[draw(KINDS.length)]!;
  const at = draw(lines.length + 1);
  const length = 1 + draw(Math.min(8, Math.max(1, lines.length - at)));
  const known = lines[draw(Math.max(1, lines.length))]?.text ?? mark;
  const to = draw(lines.length + 1);
  const cut = lines.slice(at, at + length);
  const rest = lines.toSpliced(at, length);
  const result = {
    insert: () => lines.toSpliced(at, 0, { text: mark }),
    'insert known': () => lines.toSpliced(at, 0, { text: known }),
    change: () => lines.toSpliced(at, 1, { text: mark }),
    'change to known': () => (lines[at]?.text === known ? lines : lines.toSpliced(at, 1, { text: known })),
    remove: () => rest,
    // What is cut is still itself where it is pasted; a copy is something new.
    copy: () => lines.toSpliced(to, 0, ...cut.map(({ text }): Line => ({ text }))),
    'cut and paste': () => rest.toSpliced(Math.min(to, rest.length), 0, ...cut),
  }[kind]();
  return { lines: result, done: `${kind} ${at}+${length} to ${to}` };
}

export function someRebase(draw: Draw, someLines: (draw: Draw) => string[]): RebaseCase {
  const base = someLines(draw);
  const hunks = someHunks(draw, base);
  let current: Line[] = base.map((text, id) => ({ text, id }));
  const done: string[] = [];
  for (let count = draw(5); count > 0; count--) {
    const step = doForeign(draw, current, `mark ${count}`);
    current = step.lines;
    done.push(step.done);
  }
  return { base, hunks, current, done };
}

/** The text with the hunks done to the lines that they were made for; undefined when somebody touched one's place. */
export function trueResult({ base, hunks, current }: RebaseCase): string[] | undefined {
  const places = new Map(current.flatMap(({ id }, place) => (id === undefined ? [] : [[id, place]])));
  // The file's edges are lines that nobody touches.
  places.set(-1, -1).set(base.length, current.length);
  const splices: { at: number; hunk: PlacedHunk }[] = [];
  for (const hunk of hunks) {
    const { startLine, oldLines } = hunk;
    const isGap = oldLines.length === 0;
    const ids = isGap ? [startLine - 1, startLine] : oldLines.map((_, at) => startLine + at);
    const first = places.get(ids[0]!);
    if (first === undefined || ids.some((id, at) => places.get(id) !== first + at)) return undefined;
    splices.push({ at: isGap ? first + 1 : first, hunk });
  }
  const result = current.map(({ text }) => text);
  for (const { at, hunk } of splices.sort((a, b) => b.at - a.at)) {
    result.splice(at, hunk.oldLines.length, ...hunk.newLines);
  }
  return result;
}

/** Whether what was done is a shortest way from one text to the other, so that the texts can tell it at all. */
export function isShortest({ base, current }: RebaseCase): boolean {
  const row = new Array<number>(current.length + 1).fill(0);
  for (const text of base) {
    let diagonal = 0;
    for (let at = 1; at <= current.length; at++) {
      const above = row[at]!;
      row[at] = text === current[at - 1]!.text ? diagonal + 1 : Math.max(above, row[at - 1]!);
      diagonal = above;
    }
  }
  // The longest rising row of identities: what stayed, when what was cut and pasted counts as put in.
  const rising: number[] = [];
  for (const { id } of current) {
    if (id === undefined) continue;
    const at = rising.findIndex((last) => last > id);
    rising[at === -1 ? rising.length : at] = id;
  }
  return rising.length === row[current.length];
}
