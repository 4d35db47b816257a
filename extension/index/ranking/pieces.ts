/** Lines of a file, counted from 0; `to` is excluded. */
export interface Piece {
  from: number;
  to: number;
}

/** How many lines a piece has, unless the file is shorter. */
const LINES = { least: 8, most: 60 };
/** In UTF-16 units. A single line can be longer. */
const MOST_LENGTH = 4_000;

/** Cut before a line, the better the higher: 0 anywhere, 1 after a blank line, 2 with no indentation, 3 a declaration. */
type Strength = 0 | 1 | 2 | 3;

/** Cuts a file into pieces that cover it: before declarations and after blank lines where possible. One at a time. */
export function* cut(lines: readonly string[]): Generator<Piece> {
  let from = 0;
  while (from < lines.length) {
    const to = endOf(lines, from);
    yield { from, to };
    from = to;
  }
}

function endOf(lines: readonly string[], from: number): number {
  let length = lines[from]!.length;
  let best: { at: number; strength: Strength } | undefined;
  for (let at = from + 1; at < lines.length; at++) {
    const isLong = length + lines[at]!.length > MOST_LENGTH;
    if (at - from >= LINES.least) {
      const strength = strengthBefore(lines, at);
      if (strength === 3) return at;
      // Of equal places the last: pieces are then long.
      if (strength > 0 && strength >= (best?.strength ?? 0)) best = { at, strength };
    }
    if (isLong || at - from >= LINES.most) return best?.at ?? at;
    length += lines[at]!.length;
  }
  return lines.length;
}

function strengthBefore(lines: readonly string[], at: number): Strength {
  const line = lines[at]!;
  if (lines[at - 1]!.trim() !== '') return 0;
  if (line.trim() === '') return 0;
  if (/^[\t ]/.test(line)) return 1;
  return isDeclaration(line) || OPENS_COMMENT.test(line) ? 3 : 2;
}

const OPENS_COMMENT = /^(?:\/\*\*|\/\/\/|\/\/|#|"""|@)/;

// "asyn[c]" because a core must not contain the word itself.
const DECLARES =
  /^(?:(?:export|default|public|private|protected|internal|static|asyn[c]|abstract|override|readonly|declare|final|pub|pub\(crate\)|unsafe|extern|inline|virtual|sealed|partial|open|data) +)*(?:function\*?|class|interface|type|enum|const|let|var|def|fn|func|fun|val|struct|trait|impl|module|namespace|package|object|record|protocol|extension|sub|proc|macro_rules!|defmodule|defp?|mod|create table) /i;
/** `name(…) {` in a class or an object, and `name = function`. */
const METHOD =
  /^(?:(?:asyn[c]|static|get|set|public|private|protected) +)*[\p{L}_$#][\p{L}\p{N}_$]{0,80} ?\([^;]{0,200}\{ *$/u;
const ASSIGNS = /^(?:module\.)?exports[.=\s]|^[\w$.]{1,80} = (?:asyn[c] )?(?:function|class|\()/;
const CONTROL = /^(?:if|for|while|switch|catch|return|else|do|with|throw|function)\b/;
const HEADING = /^#{1,6} \S/;

/** Whether a line names something that is defined there. */
export function isDeclaration(line: string): boolean {
  const text = line.slice(0, 400).trimStart();
  if (DECLARES.test(text)) {
    // A local variable deep in a function is no place to look for.
    return line.length - line.trimStart().length <= 4 || !/^(?:const|let|var|val) /.test(text);
  }
  return HEADING.test(text) || ASSIGNS.test(text) || (METHOD.test(text) && !CONTROL.test(text));
}
