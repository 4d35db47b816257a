// The declarations of a text: where each begins and ends, and in which other one it stands.
import { blockAt, declarationAt, isAttached, opensBlock, widthOf } from './blocks.ts';
import { isBlank } from './loose.ts';

/** A declaration, with lines counted from 0. */
export interface Declared {
  /** What it declares, as `declarationAt` tells it. */
  name: string;
  /** Its first line, comments and decorators included. */
  start: number;
  head: number;
  /** The line after its last one. */
  end: number;
  /** The innermost declaration around it. */
  parent: Declared | undefined;
}

/** The sort of thing that is declared: `function`, `class`, `method`, `import` and so on. */
export const kindOf = ({ name }: Pick<Declared, 'name'>) => name.slice(0, name.indexOf(' '));

/** Whether methods stand in it. */
export const isClass = (declared: Pick<Declared, 'name'>) =>
  /^(?:class|interface|struct|impl|trait|enum|object|record|protocol|extension|module|namespace|union)$/.test(
    kindOf(declared),
  );

/** All declarations of a file, in order. */
export function outlineOf(lines: readonly string[]): Declared[] {
  const found: Declared[] = [];
  const around: Declared[] = [];
  for (let head = 0; head < lines.length; head++) {
    const name = declarationAt(lines, head);
    if (name === undefined) continue;
    while (around.length > 0 && around.at(-1)!.end <= head) around.pop();
    const end = blockOf(lines, head, name)?.end ?? head + 1;
    const declared = { name, start: attachedAbove(lines, head), head, end, parent: around.at(-1) };
    found.push(declared);
    around.push(declared);
  }
  return found;
}

/** What stands further in below the head of a declaration, unless its first line is all of it. */
const blockOf = (lines: readonly string[], head: number, name: string) =>
  lines[head]!.trimEnd().endsWith(';') || (name.startsWith('import ') && !opensBlock(lines[head]!))
    ? undefined
    : blockAt(lines, head);

/** The first of the comments and decorators that stand right above line `head`; the line itself where there are none. */
function attachedAbove(lines: readonly string[], head: number): number {
  let start = head;
  const width = widthOf(lines[head]!);
  while (start > 0) {
    const above = lines[start - 1]!;
    if (isBlank(above) || widthOf(above) < width) return start;
    if (above.trimEnd().endsWith('*/')) {
      const open = lines.slice(0, start).findLastIndex((line) => OPENS_COMMENT.test(line));
      if (open === -1) return start;
      start = open;
    } else if (isAttached(above) && !/^\s*(?:\*|"""|''')/.test(above)) start--;
    else return start;
  }
  return start;
}

const OPENS_COMMENT = /^\s*\/\*/;

/** The declarations of which `lines` consist, each whole; undefined where they hold anything else. */
export function wholeDeclarations(lines: readonly string[]): Declared[] | undefined {
  const found: Declared[] = [];
  let start: number | undefined;
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!;
    if (isBlank(line)) {
      // A comment that stands by itself belongs to nothing.
      if (start !== undefined) return undefined;
      at++;
      continue;
    }
    start ??= at;
    if (isAttached(line)) {
      const end = attachedEnd(lines, at);
      if (end === undefined) return undefined;
      at = end;
      continue;
    }
    const name = declarationAt(lines, at);
    if (name === undefined) return undefined;
    const block = blockOf(lines, at, name);
    // A bracket that nothing closes, or a head without anything below it: there is more of it.
    if (block ? !block.isClosed && /[{([<]\s*$/.test(line) : opensBlock(line)) return undefined;
    const end = block?.end ?? at + 1;
    found.push({ name, start, head: at, end, parent: undefined });
    start = undefined;
    at = end;
  }
  const [first] = found;
  const isOneLevel = first && found.every(({ head }) => widthOf(lines[head]!) === widthOf(lines[first.head]!));
  return start === undefined && isOneLevel ? found : undefined;
}

/** The line after a comment or a decorator that begins at line `at`; undefined where it has no beginning or no end. */
function attachedEnd(lines: readonly string[], at: number): number | undefined {
  const line = lines[at]!;
  if (OPENS_COMMENT.test(line)) {
    const end = lines.findIndex((other, index) => index >= at && other.includes('*/'));
    return end === -1 ? undefined : end + 1;
  }
  if (/^\s*\*/.test(line)) return undefined;
  const block = /^\s*@/.test(line) && opensBlock(line) ? blockAt(lines, at) : undefined;
  return block?.end ?? at + 1;
}
