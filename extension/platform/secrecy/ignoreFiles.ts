/** What a pattern is made of, character by character or name by name: `*` stands for any number of them, the rest for one. */
type Pattern<One> = ('*' | One)[];
type Name = Pattern<(character: string) => boolean>;

interface Rule {
  path: Pattern<Name>;
  /** What it fits is not left out after all. */
  isNegated: boolean;
  isForFolders: boolean;
}

/**
 * Whether ignore files leave out the file at `path`, name by name from a folder on. `rules[n]` is what those of the folder
 * above the name `n` say, in the syntax of `.gitignore`. As in Git, the deeper file has the last word, and nothing within a
 * folder that is left out comes back. Capitals make no difference: some disks know none.
 */
export function isLeftOut(path: readonly string[], rules: readonly (string | undefined)[]): boolean {
  // A disk may have a name in another normal form than the file that speaks of it.
  const names = path.map(plain);
  const known = rules.map((text = '') => text.split(/\r?\n/).flatMap(ruleOf));
  return names.some((_, last) => {
    let isIgnored = false;
    for (let from = 0; from <= last; from++)
      for (const { path: pattern, isNegated, isForFolders } of known[from] ?? [])
        if ((!isForFolders || last < names.length - 1) && fits(pattern, names.slice(from, last + 1), isNamedSo))
          isIgnored = !isNegated;
    return isIgnored;
  });
}

const plain = (text: string) => text.normalize('NFC').toLowerCase();

/** The rule of a line, if it has one. */
function ruleOf(line: string): Rule[] {
  let text = plain(line);
  // Blanks at the end don't count, unless a backslash keeps one.
  while (text.endsWith(' ') && !text.endsWith('\\ ')) text = text.slice(0, -1);
  if (text === '' || text.startsWith('#')) return [];
  const isNegated = text.startsWith('!');
  if (isNegated) text = text.slice(1);
  const isForFolders = text.endsWith('/');
  if (isForFolders) text = text.slice(0, -1);
  if (text === '') return [];
  const names = text.replace(/^\//, '').split('/');
  // At the end it stands for all that is in a folder, not for the folder.
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

/** What stands between brackets: characters and ranges of them, or what is none of these. */
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

/** Takes the one's length times the other's steps, whatever stands there: of all stars only the last can need more. */
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
