import { fenced } from './demoPrompt.ts';

/** Lines of a file and their replacement. */
export interface Block {
  search: string[];
  replace: string[];
}

/** Lines `start` to `end` (exclusive) of the old text become `lines`. */
interface Hunk {
  start: number;
  end: number;
  lines: string[];
}

/** Above this many pairs of lines, everything from the first to the last difference is one hunk. */
const MAX_PAIRS = 4_000_000;
const MARK = /^[ \t]*(?:[<-]{5,9} ?SEARCH>?|[>+]{5,9} ?REPLACE>?)[ \t]*$/;

/**
 * The blocks that turn `before` into `after`. Each has just enough context lines to occur in `before` only once. Blocks
 * don't overlap. Null if no block can express the change: in a file that has only blank lines.
 */
export function blocksOf(before: readonly string[], after: readonly string[]): Block[] | null {
  if (before.every((line) => line.trim() === '')) return null;
  const keys = before.map((line) => line.trimEnd());
  const hunks = diff(before, after);
  const windows: { from: number; to: number; hunks: Hunk[] }[] = [];
  for (const hunk of hunks) {
    const window = { ...grow(keys, hunk.start, hunk.end), hunks: [hunk] };
    let last = windows.at(-1);
    while (last && last.to > window.from) {
      window.from = Math.min(window.from, last.from);
      window.to = Math.max(window.to, last.to);
      window.hunks.unshift(...last.hunks);
      windows.pop();
      last = windows.at(-1);
    }
    windows.push(window);
  }
  return windows.map(({ from, to, hunks }) => {
    const replace: string[] = [];
    let at = from;
    for (const { start, end, lines } of hunks) {
      replace.push(...before.slice(at, start), ...lines);
      at = end;
    }
    return { search: before.slice(from, to), replace: [...replace, ...before.slice(at, to)] };
  });
}

/** Adds a line above and a line below in turn, until the lines occur only once in the file and aren't all blank. */
function grow(keys: readonly string[], start: number, end: number): { from: number; to: number } {
  let [from, to] = [start, end];
  for (let up = true; !tellsPlace(keys, from, to) && (from > 0 || to < keys.length); up = !up) {
    if ((up && from > 0) || to === keys.length) from--;
    else to++;
  }
  return { from, to };
}

function tellsPlace(keys: readonly string[], from: number, to: number): boolean {
  const wanted = keys.slice(from, to);
  if (wanted.every((key) => key === '')) return false;
  let seen = 0;
  for (let at = keys.indexOf(wanted[0]!); at !== -1 && seen < 2; at = keys.indexOf(wanted[0]!, at + 1))
    if (wanted.every((key, i) => keys[at + i] === key)) seen++;
  return seen === 1;
}

/** The hunks of a shortest edit, in order. */
function diff(before: readonly string[], after: readonly string[]): Hunk[] {
  let top = 0;
  while (top < before.length && top < after.length && before[top] === after[top]) top++;
  let [end, afterEnd] = [before.length, after.length];
  while (end > top && afterEnd > top && before[end - 1] === after[afterEnd - 1]) {
    end--;
    afterEnd--;
  }
  const [old, fresh] = [before.slice(top, end), after.slice(top, afterEnd)];
  if (old.length === 0 && fresh.length === 0) return [];
  if (old.length * fresh.length > MAX_PAIRS) return [{ start: top, end, lines: fresh }];
  // common[i][j]: length of the longest common subsequence of the texts from lines i and j on.
  const width = fresh.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = fresh.length - 1; j >= 0; j--)
      common[i * width + j] =
        old[i] === fresh[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
  const hunks: Hunk[] = [];
  let open: Hunk | undefined;
  for (let i = 0, j = 0; i < old.length || j < fresh.length; ) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      open = undefined;
      i++;
      j++;
      continue;
    }
    if (!open) {
      open = { start: top + i, end: top + i, lines: [] };
      hunks.push(open);
    }
    const drop = j === fresh.length || (i < old.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!);
    if (drop) open.end = top + ++i;
    else open.lines.push(fresh[j++]!);
  }
  return hunks;
}

/** Renders a file's blocks, each in a fence below the file's path. `text` is the file's text. */
export function renderBlocks(path: string, languageId: string, blocks: readonly Block[], text = ''): string {
  const isPlain = canStandAlone(path) && !blocks.some((b) => [...b.search, ...b.replace].some((l) => MARK.test(l)));
  if (!isPlain)
    return fenced(
      ['*** Begin Patch', `*** Update File: ${path}`, ...blocks.flatMap(section), '*** End Patch'].join('\n'),
      '',
    );
  const own = new Set(text.split('\n').map((line) => line.trim()));
  return blocks.map((block) => `${path}\n${fenced(renderBlock(block, own), languageId)}`).join('\n\n');
}

function renderBlock({ search, replace }: Block, own: ReadonlySet<string> = new Set()): string {
  // A line of equally many equals signs would split the block at the wrong place or make the split ambiguous.
  const isMark = (line: string, size: number) => line.trim() === '='.repeat(size);
  const isTaken = (size: number) => own.has('='.repeat(size)) || [...search, ...replace].some((l) => isMark(l, size));
  const size = [7, 9, 8, 6].find((s) => !isTaken(s)) ?? 5;
  const mark = (sign: string) => sign.repeat(size);
  return [`${mark('<')} SEARCH`, ...search, mark('='), ...replace, `${mark('>')} REPLACE`].join('\n');
}

/** One block as a section of a patch. */
function section({ search, replace }: Block): string[] {
  let top = 0;
  while (top < search.length && top < replace.length && search[top] === replace[top]) top++;
  let end = 0;
  while (end < Math.min(search.length, replace.length) - top && search.at(-1 - end) === replace.at(-1 - end)) end++;
  const context = (lines: string[]) => lines.map((line) => ` ${line}`);
  return [
    '@@',
    ...context(search.slice(0, top)),
    ...search.slice(top, search.length - end).map((line) => `-${line}`),
    ...replace.slice(top, replace.length - end).map((line) => `+${line}`),
    ...context(search.slice(search.length - end)),
  ];
}

/** A new file: a block with an empty search part. */
export function renderNewFile(path: string, languageId: string, lines: string[]): string {
  if (canStandAlone(path)) return `${path}\n${fenced(renderBlock({ search: [], replace: lines }), languageId)}`;
  const added = lines.map((line) => `+${line}`);
  return fenced(['*** Begin Patch', `*** Add File: ${path}`, ...added, '*** End Patch'].join('\n'), '');
}

/** A file without lines to search for: its whole new text. */
export function renderWholeFile(path: string, languageId: string, lines: string[]): string {
  if (!canStandAlone(path)) return renderBlocks(path, languageId, [{ search: [], replace: lines }]);
  return `${path}\n${fenced(lines.join('\n'), languageId)}`;
}

export const renderDeletion = (path: string) => fenced(`*** Begin Patch\n*** Delete File: ${path}\n*** End Patch`, '');

export const renderMove = (path: string, to: string) =>
  fenced(`*** Begin Patch\n*** Update File: ${path}\n*** Move to: ${to}\n*** End Patch`, '');

/** Whether a line with only this path can be told from a line of prose. */
const canStandAlone = (path: string) => /^[\p{L}\p{N}_./+@$~[\]-]+\.[\p{L}\p{N}_+-]{1,16}$/u.test(path);
