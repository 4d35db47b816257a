// Where a new declaration belongs in a file: after the last of its kind, in its own class.
import { blockAt, opensBlock, widthOf } from '../text/blocks.ts';
import { type Declared, isClass, kindOf } from '../text/declared.ts';
import { type IndexedFile, wordsOf } from '../text/indexedFile.ts';
import { composed, indentOf, isBlank } from '../text/loose.ts';

/** A place before line `at` of the file, with the numbers of blank lines above and below the new code. */
export interface Gap {
  at: number;
  /** The indentation of the declaration's head. */
  indent: string;
  above: number;
  below: number;
}

type Outline = readonly Declared[];

const WHY = {
  container: (name: string) => `Perigee can’t tell in which part of the file ${name} belongs.`,
  taken: (name: string) => `The file has something else by the name of ${name.slice(name.indexOf(' ') + 1)}.`,
};

/** Returns a sentence if the place is unclear. `lines`: the snippet's. */
export function placeOfNew(
  file: IndexedFile,
  outline: Outline,
  lines: readonly string[],
  each: Declared,
  near: number | undefined,
): Gap | string {
  const head = lines[each.head]!;
  const choose = <T extends Pick<Group, 'start' | 'end'>>(places: readonly T[]): T | undefined => {
    if (places.length < 2) return places[0];
    const here = places.filter((place) => near !== undefined && isIn(near, place));
    if (here.length === 1) return here[0];
    const text = lines.slice(each.start, each.end);
    const named = places.filter(({ start }) => {
      const [, name] = outline.find((other) => other.start === start && isClass(other))?.name.split(' ') ?? [];
      return name !== undefined && text.some((line) => wordsOf(line).includes(name));
    });
    if (named.length === 1) return named[0];
    // The members that it uses of its own object show its class.
    const said = new Set(text.flatMap(ownNames));
    const known = places.filter((place) =>
      file.lines.slice(place.start, place.end).some((line) => ownNames(line).some((name) => said.has(name))),
    );
    return known.length === 1 ? known[0] : undefined;
  };

  const groups = groupsOf(file, outline, each, head);
  if (groups.length > 0) {
    const group = choose(groups);
    if (!group) return WHY.container(each.name);
    if (isTaken(file, group, each)) return WHY.taken(each.name);
    return behind(file, group.siblings, each);
  }
  if (isMember(each, head)) {
    const container = choose(outline.filter((other) => HOLDS_METHODS.test(kindOf(other))));
    if (!container || isTaken(file, container, each)) return WHY.container(each.name);
    return inside(file, container);
  }
  if (isTaken(file, { start: 0, end: file.lines.length }, each)) return WHY.taken(each.name);
  return kindOf(each) === 'import' ? atTop(file) : atEnd(file, outline, near);
}

const isIn = (line: number, { start, end }: { start: number; end: number }) => start <= line && line < end;

const HOLDS_METHODS = /^(?:class|struct|impl|trait|object|record|extension|protocol)$/;

/** Declarations that only stand in classes: a method, or a Python function with its object as first parameter. */
const isMember = (each: Declared, head: string) =>
  kindOf(each) === 'method' || /\bdef\s+[^\s(]+\(\s*(?:self|cls)\b/.test(head);

const ownNames = (line: string) =>
  [...line.matchAll(/\b(?:this|self)(?:\.|->|\[)([\p{ID_Continue}$#]+)/gu)].map(([, name]) => name!);

/** Declarations of one kind in one place: a class, a block, or the file itself. */
interface Group {
  siblings: Declared[];
  start: number;
  end: number;
}

/** Declarations of the same kind as `each`, by their parent. If the file itself has some, only those. */
function groupsOf(file: IndexedFile, outline: Outline, each: Declared, head: string): Group[] {
  const groups = new Map<unknown, Group>();
  const all = { start: 0, end: file.lines.length };
  for (const other of outline) {
    const { parent } = other;
    const isOther = kindOf(other) !== kindOf(each) || (parent && !isClass(parent));
    if (isOther || isMember(other, file.lines[other.head]!) !== isMember(each, head)) continue;
    const around = parent ?? enclosing(file, other.head);
    const known = groups.get(around?.head);
    if (known) known.siblings.push(other);
    else
      groups.set(around?.head, { siblings: [other], start: around?.start ?? all.start, end: around?.end ?? all.end });
  }
  const top = groups.get(undefined);
  return top ? [top] : [...groups.values()];
}

/** The block around line `at` that is no declaration. */
function enclosing({ lines }: IndexedFile, at: number): { head: number; start: number; end: number } | undefined {
  const width = widthOf(lines[at]!);
  if (width === 0) return undefined;
  const head = lines.slice(0, at).findLastIndex((line) => !isBlank(line) && widthOf(line) < width);
  return { head, start: head, end: blockAt(lines, head)?.end ?? at + 1 };
}

/** After the last sibling, with the same separation as between that sibling and the code above it. */
function behind(file: IndexedFile, siblings: readonly Declared[], each: Declared): Gap | string {
  const last = siblings.reduce((a, b) => (b.end > a.end ? b : a));
  const line = file.lines[last.end - 1]!;
  // In a list, a separator would be needed before the next item.
  if (/,\s*$/.test(line)) return WHY.container(each.name);
  const isShort = last.end - last.start === 1 && each.end - each.start === 1;
  const above =
    siblings.length > 1 ? blanksAbove(file, last.start) : kindOf(each) === 'import' ? 0 : last.parent ? 1 : usual(file);
  const isTight = kindOf(each) === 'import' || isShort || last.end - last.start > 1;
  return {
    at: last.end,
    indent: indentOf(file.lines[last.head]!),
    above: isTight ? above : Math.max(1, above),
    below: 0,
  };
}

/** At the end of a class. */
function inside(file: IndexedFile, { head, end }: Declared): Gap | string {
  const { lines, style } = file;
  const block = blockAt(lines, head);
  const inner = lines.slice(head + 1, end).find((line) => !isBlank(line) && widthOf(line) > widthOf(lines[head]!));
  const unit = style.kind === 'tabs' ? '\t' : ' '.repeat(style.unit ?? 4);
  const indent = inner === undefined ? indentOf(lines[head]!) + unit : indentOf(inner);
  return { at: block?.isClosed ? end - 1 : end, indent, above: inner === undefined ? 0 : 1, below: 0 };
}

/** If the file has no declaration of the kind: after the last of any kind, else at the cursor, else at the end. */
function atEnd(file: IndexedFile, outline: Outline, near: number | undefined): Gap {
  const { lines } = file;
  const outer = outline.filter(({ parent, head }) => !parent && widthOf(lines[head]!) === 0);
  const others = outer.filter((other) => kindOf(other) !== 'import');
  const last = (others.length > 0 ? others : near === undefined ? outer : []).reduce(
    (end, other) => Math.max(end, other.end),
    0,
  );
  const isFree = (at: number) =>
    (at === lines.length || isBlank(lines[at]!)) && widthOf(lines.slice(at).find((line) => !isBlank(line)) ?? '') === 0;
  const end = lines.findLastIndex((line) => !isBlank(line)) + 1;
  const cursor = near === undefined ? undefined : lines.findIndex((_, at) => at >= near && isFree(at));
  const at = last > 0 ? last : cursor !== undefined && cursor !== -1 ? Math.min(cursor, end) : end;
  return { at, indent: '', above: usual(file), below: at < end && !isBlank(lines[at]!) ? 1 : 0 };
}

/** Below the lines that must come first: the shebang, comments about the file, directives. */
function atTop({ lines }: IndexedFile): Gap {
  let at = 0;
  const isHead = (line: string) => /^(?:#!|#.*coding|["']use |package\b|<\?)/.test(line);
  while (at < lines.length && (isBlank(lines[at]!) || isHead(lines[at]!))) at++;
  const comment = lines.slice(at).findIndex((line) => !/^\s*(?:\/\/|\/\*|\*|#(?!include|define|if))/.test(line));
  // A comment right above code is about that code.
  if (comment > 0 && isBlank(lines[at + comment]!)) at += comment + 1;
  return { at, indent: '', above: 0, below: at < lines.length && !isBlank(lines[at]!) ? 1 : 0 };
}

/** The usual number of blank lines between the file's outer declarations. */
function usual({ lines }: IndexedFile): number {
  return lines.some(
    (line, at) => isBlank(line) && isBlank(lines[at + 1] ?? 'x') && /^(?:def|class|@)/.test(lines[at + 2] ?? ''),
  )
    ? 2
    : 1;
}

function blanksAbove({ lines }: IndexedFile, line: number): number {
  let count = 0;
  while (line - count > 0 && isBlank(lines[line - count - 1]!)) count++;
  const above = lines[line - count - 1];
  return above !== undefined && opensBlock(above) && widthOf(above) < widthOf(lines[line]!) ? 1 : count;
}

const DECLARES = 'const|let|var|val|class|function|def|fn|func|fun|type|interface|enum|struct|trait|object|record';

/** Whether the name is taken by something that is no declaration of this kind, such as a variable. */
function isTaken({ lines }: IndexedFile, { start, end }: { start: number; end: number }, each: Declared): boolean {
  if (kindOf(each) === 'import' || /^method [gs]et /.test(each.name)) return false;
  const name = each.name.slice(each.name.indexOf(' ') + 1).replace(/[$.?*+^()[\]{}|\\]/g, '\\$&');
  const said = new RegExp(
    kindOf(each) === 'method'
      ? `^(?:[\\p{ID_Continue}$@]+\\s+)*${name}\\s*(?:[=(:<?!]|$)`
      : `^(?:(?:[a-z]+\\s+)*?(?:${DECLARES})\\s+${name}(?![\\p{ID_Continue}$])|${name}\\s*=(?!=))`,
    'u',
  );
  const inside = lines.slice(start, end).filter((line) => !isBlank(line));
  const level = start === 0 ? 0 : Math.min(...inside.map(widthOf).filter((width) => width > widthOf(lines[start]!)));
  return inside.some((line) => widthOf(line) === level && said.test(composed(line.trim())));
}
