// Where a fence of an answer ends. Models quote fences within fences of the same length; the chat shows, and the edit engine
// reads, such code by the same rules.

export const FENCE = /^([ \t]*)(`{3,}|~{3,}(?!~))[ \t]*((?:[^` \t][^`]*)?)$/;

/** How a fence began. */
export interface OpenFence {
  indent: string;
  marks: string;
}

/** A line that reads like a fence of the same sort. Four blanks further in it is code, by CommonMark. */
export function fenceLike(line: string, fence: OpenFence): RegExpExecArray | undefined {
  const match = FENCE.exec(line);
  if (!match || match[1]!.replaceAll('\t', '    ').length > fence.indent.length + 3) return undefined;
  return match[2]![0] === fence.marks[0] && match[2]!.length >= fence.marks.length ? match : undefined;
}

/** What a fence and the text after it turn out to be. */
export interface FencedText {
  /** With its fences, without the end of the last line. */
  raw: string;
  info: string;
  lines: string[];
  /** Its end was found, and nothing shows that it is another. */
  isWhole: boolean;
}

/** A line of a fence is no longer than this. */
const MOST_OF_LINE = 1000;
const HEAD = /^[ \t]{0,20}(?:<{5,9}|-{5,9}) ?SEARCH>?[ \t]{0,20}$/;
const TAIL = /^[ \t]{0,20}(?:>{5,9}|\+{5,9}) ?REPLACE>?[ \t]{0,20}$/;
const PATCH = /^[ \t]{0,20}\*\*\* Begin Patch[ \t]{0,20}$/;
const PATCH_END = /^[ \t]{0,20}\*\*\* End Patch[ \t]{0,20}$/;

/**
 * The fence that `source` begins with. A fence inside with the name of a language begins one that is quoted, and the next
 * without a name ends that. Where so none is left for the end, the first one was it. `more`: the text may go on.
 */
export function fenceAt(source: string, more: boolean): FencedText | undefined {
  const first = lineAt(source, 0);
  const open = first.length > MOST_OF_LINE ? null : FENCE.exec(first);
  if (!open || open[1]!.includes('\t') || open[1]!.length > 3) return undefined;
  const fence = { indent: open[1]!, marks: open[2]! };
  const lines: string[] = [];
  /** The first line that would end it by CommonMark: where it stands, and how many lines there were before. */
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

/** Blocks and patches may hold fences of the file that they change, up to their own end. */
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
