// The declarations in a text: the begin, the end and the parent of each.
import { blockAt, declarationAt, depthOf, isAttached, opensBlock, widthOf } from './blocks.ts';
import { isBlank } from './loose.ts';

/** A declaration, with lines counted from 0. */
export interface Declared {
  /** Its key from `declarationAt`. */
  name: string;
  /** Its first line, comments and decorators included. */
  start: number;
  head: number;
  /** The line after its last one. */
  end: number;
  /** The innermost declaration around it. */
  parent: Declared | undefined;
}

/** The kind of declaration: `function`, `class`, `method`, `import` and so on. */
export const kindOf = ({ name }: Pick<Declared, 'name'>) => name.slice(0, name.indexOf(' '));

/** Whether it can contain methods. */
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

/** The indented block below a declaration's head, unless its first line is all of it. */
const blockOf = (lines: readonly string[], head: number, name: string) =>
  lines[head]!.trimEnd().endsWith(';') || (name.startsWith('import ') && !opensBlock(lines[head]!))
    ? undefined
    : blockAt(lines, head);

/** The first of the comments and decorators directly above line `head`; the line itself if there are none. */
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

/** The declarations that make up `lines`, if all are complete; undefined if there is anything else. */
export function wholeDeclarations(lines: readonly string[]): Declared[] | undefined {
  const found: Declared[] = [];
  let start: number | undefined;
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!;
    if (isBlank(line)) {
      // A free-standing comment belongs to no declaration.
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
    // An unclosed bracket, or a head with nothing below it: the declaration is incomplete.
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

/**
 * Whether a function without a closing line surely ends where its indentation does: its last statement is its only
 * `return` that is not further in, so nothing can follow. Texts and statements may go on at the margin.
 */
export function endsWithReturn(lines: readonly string[], { head, end }: Pick<Declared, 'head' | 'end'>): boolean {
  const width = widthOf(lines[head]!);
  const body = lines.slice(head + 1, end).filter((line) => !isBlank(line) && widthOf(line) > width);
  const level = Math.min(...body.map(widthOf));
  const isReturn = (line: string) => widthOf(line) === level && /^\s*(?:return|raise)(?![\w$])/.test(line);
  const last = body.findLastIndex((line) => widthOf(line) === level);
  const statement = body.slice(last);
  if (last === -1 || body.findIndex(isReturn) !== last) return false;
  if (depthOf(statement) !== 0 || statement.at(-1)!.endsWith('\\')) return false;
  const text = body.join('\n');
  if ([`"""`, `'''`].some((quotes) => text.split(quotes).length % 2 === 0)) return false;
  const below = lines.slice(end).find((line) => !isBlank(line) && !isAttached(line));
  return below === undefined || widthOf(below) <= width;
}

/** The line after the comment or decorator that begins at line `at`; undefined if it has no beginning or no end. */
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
