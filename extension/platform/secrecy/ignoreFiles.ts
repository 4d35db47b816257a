/** The parts of a pattern, by character or by name: `*` matches any number of them, each other part matches one. */
type Pattern<One> = ('*' | One)[];
type Name = Pattern<(character: string) => boolean>;

interface Rule {
  path: Pattern<Name>;
  /** A match includes the file again (`!` in `.gitignore`). */
  isNegated: boolean;
  isForFolders: boolean;
}

/**
 * Whether ignore files exclude the file or folder at `path`, given as names from a folder down. `rules[n]` is the ignore file of
 * the folder that contains name `n`, in the syntax of `.gitignore`. As in Git, the deeper file wins, and nothing within
 * an excluded folder is included again. Case is ignored, because some disks ignore it.
 */
export function isLeftOut(path: readonly string[], rules: readonly (string | undefined)[], isFolder = false): boolean {
  const known = rules.map((text) => readIgnoreFile(text ?? ''));
  return path.some((_, last) => isIgnored(path.slice(0, last + 1), known, isFolder || last < path.length - 1));
}

/** An ignore file that was read once, for many paths. */
export type IgnoreFile = readonly Rule[];

export const readIgnoreFile = (text: string): IgnoreFile => text.split(/\r?\n/).flatMap(ruleOf);

/**
 * Whether the last name of `path` itself is excluded. Like `isLeftOut`, but for a caller that goes down folder by folder
 * and enters no excluded one.
 */
export function isIgnored(
  path: readonly string[],
  files: readonly (IgnoreFile | undefined)[],
  isFolder: boolean,
): boolean {
  // The disk may store a name in another Unicode normal form than the ignore file.
  const names = path.map(plain);
  let isOut = false;
  for (const [from, rules] of files.slice(0, names.length).entries())
    for (const { path: pattern, isNegated, isForFolders } of rules ?? [])
      if ((!isForFolders || isFolder) && fits(pattern, names.slice(from), isNamedSo)) isOut = !isNegated;
  return isOut;
}

const plain = (text: string) => text.normalize('NFC').toLowerCase();

/** The rule of a line; none for a blank line or a comment. */
function ruleOf(line: string): Rule[] {
  let text = plain(line);
  // Trailing spaces don't count, unless a backslash keeps one.
  while (text.endsWith(' ') && !text.endsWith('\\ ')) text = text.slice(0, -1);
  if (text === '' || text.startsWith('#')) return [];
  const isNegated = text.startsWith('!');
  if (isNegated) text = text.slice(1);
  const isForFolders = text.endsWith('/');
  if (isForFolders) text = text.slice(0, -1);
  if (text === '') return [];
  const names = text.replace(/^\//, '').split('/');
  // At the end, `**` matches everything in a folder, but not the folder itself.
  if (names.at(-1) === '**') names.push('*');
  if (!text.includes('/')) names.unshift('**');
  return [{ path: names.map((name) => (name === '**' ? '*' : nameOf(name))), isNegated, isForFolders }];
}

function nameOf(part: string): Name {
  const tokens: Name = [];
  const is = (one: string) => (character: string) => character === one;
  for (let at = 0; at < part.length; at++) {
    const character = part[at]!;
    const end = character === '[' ? part.indexOf(']', /^\[[!^]?\]/.test(part.slice(at, at + 3)) ? at + 3 : at + 2) : -1;
    if (character === '*') tokens.push('*');
    else if (character === '?') tokens.push(() => true);
    else if (end > 0) {
      tokens.push(oneOf(part.slice(at + 1, end)));
      at = end;
    } else if (character === '\\' && at + 1 < part.length) tokens.push(is(part[++at]!));
    else tokens.push(is(character));
  }
  return tokens;
}

/** A character class in brackets: characters and ranges, or their negation. */
function oneOf(list: string): (character: string) => boolean {
  const isNot = /^[!^]/.test(list);
  const ranges: [string, string][] = [];
  for (let at = isNot ? 1 : 0; at < list.length; at++) {
    if (list[at] === '\\' && at + 1 < list.length) at++;
    const isRange = list[at + 1] === '-' && at + 2 < list.length;
    ranges.push([list[at]!, list[isRange ? at + 2 : at]!]);
    if (isRange) at += 2;
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== isNot;
}

const isNamedSo = (pattern: Name, name: string) => fits(pattern, [...name], (takes, character) => takes(character));

/** Takes time proportional to the product of both lengths, for any input: only the last star can need more items. */
function fits<One, Given>(
  pattern: Pattern<One>,
  given: readonly Given[],
  isOne: (one: One, it: Given) => boolean,
): boolean {
  let [next, at] = [0, 0];
  let star: { next: number; at: number } | undefined;
  while (at < given.length) {
    const wanted = pattern[next];
    if (wanted === '*') star = { next: next++, at };
    else if (wanted !== undefined && isOne(wanted, given[at]!)) [next, at] = [next + 1, at + 1];
    else if (star) [next, at] = [star.next + 1, ++star.at];
    else return false;
  }
  return pattern.slice(next).every((rest) => rest === '*');
}
