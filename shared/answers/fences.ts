// Where a fence of an answer ends. Models quote fences inside fences of the same length. The chat and the edit engine
// use the same rules for them.

export const FENCE = /^([ \t]*)(`{3,}|~{3,}(?!~))[ \t]*((?:[^` \t][^`]*)?)$/;

/** The opening line of a fence. */
export interface OpenFence {
  indent: string;
  marks: string;
}

/** Matches a line that looks like a fence of the same kind. Indented by four spaces, it is code in CommonMark. */
export function fenceLike(line: string, fence: OpenFence): RegExpExecArray | undefined {
  const match = FENCE.exec(line);
  if (!match || match[1]!.replaceAll('\t', '    ').length > fence.indent.length + 3) return undefined;
  return match[2]![0] === fence.marks[0] && match[2]!.length >= fence.marks.length ? match : undefined;
}

/** A fence, as far as the text shows it. */
export interface FencedText {
  /** With the fence lines, without the last line's end. */
  raw: string;
  info: string;
  lines: string[];
  /** The end was found, and nothing suggests another one. */
  isWhole: boolean;
}

/** A longer line is no fence. */
const MOST_OF_LINE = 1000;
const HEAD = /^[ \t]{0,20}(?:<{5,9}|-{5,9}) ?SEARCH>?[ \t]{0,20}$/;
const TAIL = /^[ \t]{0,20}(?:>{5,9}|\+{5,9}) ?REPLACE>?[ \t]{0,20}$/;
const PATCH = /^[ \t]{0,20}\*\*\* Begin Patch[ \t]{0,20}$/;
const PATCH_END = /^[ \t]{0,20}\*\*\* End Patch[ \t]{0,20}$/;

/**
 * The fence at the start of `source`. An inner fence with a language opens a quoted one, and the next one without a
 * language closes it. If that leaves no end, the first possible end counts. `more`: the text may go on.
 */
export function fenceAt(source: string, more: boolean): FencedText | undefined {
  const first = lineAt(source, 0);
  const open = first.length > MOST_OF_LINE ? null : FENCE.exec(first);
  if (!open || open[1]!.includes('\t') || open[1]!.length > 3) return undefined;
  const fence = { indent: open[1]!, marks: open[2]! };
  const lines: string[] = [];
  /** The first line that ends it in CommonMark: its position, and the number of lines before it. */
  let early: { to: number; count: number } | undefined;
  let depth = 0;
  let filled = 0;
  let isMarked = false;
  let inside: RegExp | undefined;
  let to = first.length;
  while (to < source.length) {
    const line = lineAt(source, to + 1);
    const end = to + 1 + line.length;
    const match = line.length > MOST_OF_LINE ? undefined : fenceLike(line, fence);
    const isEnd = match?.[3] === '';
    if (isEnd && !inside && depth === 0) {
      return { raw: source.slice(0, end), info: open[3]!.trim(), lines, isWhole: true };
    }
    if (isEnd) early ??= { to: end, count: lines.length };
    if (inside) inside = inside.test(line) ? undefined : inside;
    else if (match && !isMarked) depth += isEnd ? -1 : 1;
    else if (isMarked || filled < 2) inside = endOf(line, source, end);
    isMarked ||= inside !== undefined;
    if (line.trim() !== '') filled++;
    lines.push(withoutIndent(line, fence.indent.length));
    to = end;
  }
  if (early && !more) {
    const { to: cut, count } = early;
    return { raw: source.slice(0, cut), info: open[3]!.trim(), lines: lines.slice(0, count), isWhole: false };
  }
  return { raw: source, info: open[3]!.trim(), lines, isWhole: false };
}

/** Blocks and patches may contain fences of the file that they change, up to their own end. */
function endOf(line: string, source: string, from: number): RegExp | undefined {
  if (line.length > 100) return undefined;
  if (HEAD.test(line)) return TAIL;
  return PATCH.test(line) && source.indexOf('*** End Patch', from) >= 0 ? PATCH_END : undefined;
}

function lineAt(source: string, from: number): string {
  const end = source.indexOf('\n', from);
  return source.slice(from, end < 0 ? undefined : end);
}

function withoutIndent(line: string, most: number): string {
  let at = 0;
  while (at < most && line[at] === ' ') at++;
  return line.slice(at);
}
