// The paths of a workspace. A word of an answer that is one of them needs no guess.

/**
 * The longest text that can name a file, in UTF-16 units: PATH_MAX of Linux, the longest of the supported systems.
 * Longer lines name no file, so that a model's text is always cheap to read.
 */
export const MAX_PATH = 4_096;

/** Normalises a path, so that all spellings of a file are equal: forward slashes, NFC, no leading "./". */
export function spelling(path: string): string {
  let tidy = path.trim().replaceAll('\\', '/').normalize('NFC');
  while (tidy.startsWith('./')) tidy = tidy.slice(2);
  return tidy;
}

/** Undefined: no such path. `null`: several paths that differ only in their normal form. */
type Found = string | null | undefined;

/** A word. A path has the same words within a text, because `isWhole` allows no word character beside it there. */
const WORD = /[\p{L}\p{M}\p{N}_]+/gu;

/** The workspace's paths as they are on the disk, with forward slashes. */
export class KnownPaths {
  /** By spelling. */
  private readonly own = new Map<string, string | null>();
  /** The spellings by their rarest word, '' if they have none. Built on first use. */
  private byWord: Map<string, string[]> | undefined;

  constructor(paths: Iterable<string>) {
    for (const path of paths) {
      const key = spelling(path);
      if (key === '' || key.length > MAX_PATH) continue;
      const other = this.own.get(key);
      this.own.set(key, other === undefined || other === path ? path : null);
    }
  }

  get size(): number {
    return this.own.size;
  }

  /** The path that all of `text` spells: as it is, or in the spelling of diffs, links and addresses. */
  find(text: string): Found {
    if (text.length > MAX_PATH) return undefined;
    for (const way of SPELLINGS) {
      const spelled = way(text);
      const found = spelled === undefined ? undefined : this.own.get(spelling(spelled));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The only path that ends with `end`, from a folder on. */
  endingWith(end: string): Found {
    const tail = `/${spelling(end)}`;
    let only: Found;
    for (const [key, path] of this.own) {
      if (!key.endsWith(tail)) continue;
      if (only !== undefined) return null;
      only = path;
    }
    return only;
  }

  /** The paths in `text`, longest first, and `text` with a NUL in place of each. */
  within(text: string): { paths: (string | null)[]; rest: string } {
    const paths: (string | null)[] = [];
    if (this.own.size === 0 || text.length > MAX_PATH) return { paths, rest: text };
    let rest = text.replaceAll('\\', '/').normalize('NFC');
    const words = new Set(['', ...(rest.match(WORD) ?? [])]);
    this.byWord ??= indexed(this.own.keys());
    const isThere = [...words].flatMap((word) => this.byWord!.get(word) ?? []).filter((key) => rest.includes(key));
    for (const key of isThere.sort((a, b) => b.length - a.length)) {
      const path = this.own.get(key)!;
      for (let at = rest.indexOf(key); at >= 0; at = rest.indexOf(key, at + 1)) {
        if (!isWhole(rest, at, key.length)) continue;
        paths.push(path);
        rest = `${rest.slice(0, at)}\0${rest.slice(at + key.length)}`;
      }
    }
    return paths.length > 0 ? { paths, rest } : { paths, rest: text };
  }
}

function indexed(keys: Iterable<string>): Map<string, string[]> {
  const all = [...keys].map((key) => ({ key, words: key.match(WORD) ?? [''] }));
  const counts = new Map<string, number>();
  for (const { words } of all) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const index = new Map<string, string[]>();
  for (const { key, words } of all) {
    const rarest = words.reduce((best, word) => (counts.get(word)! < counts.get(best)! ? word : best));
    const others = index.get(rarest);
    if (others) others.push(key);
    else index.set(rarest, [key]);
  }
  return index;
}

const PART_BEFORE = /[\p{L}\p{M}\p{N}_/.@+~$%\])}=&#!-]/u;
const PART_AFTER = /[\p{L}\p{M}\p{N}_/@+~$%[({=&!-]/u;

/** Whether the match is not part of a longer name. */
function isWhole(text: string, at: number, length: number): boolean {
  const before = text.slice(Math.max(0, at - 3), at);
  const isHere = /(?:^|[^\p{L}\p{N}_/.-])(?:\.\/|[ab]\/)$/u.test(before);
  if (!isHere && before !== '' && PART_BEFORE.test(before.at(-1)!)) return false;
  // A quote or bracket within a name, as in `it's/a.ts`.
  if (/[\p{L}\p{N}_/]['’([{,;]$/u.test(before)) return false;
  const after = text.slice(at + length, at + length + 2);
  if (after === '') return true;
  if (after[0] === '.') return !/[\p{L}\p{N}_]/u.test(after[1] ?? ' ');
  if (/[)\]}',;]/.test(after[0]!)) return !/[\p{L}\p{N}_/.]/u.test(after[1] ?? ' ');
  return !PART_AFTER.test(after[0]!);
}

/** In the order in which they are tried. */
const SPELLINGS: ((text: string) => string | undefined)[] = [
  (text) => text,
  // Markdown escapes: `my\_file.ts`, `\[id\].tsx`.
  (text) => (text.includes('\\') ? text.replace(/\\([!-/:-@[-`{-~])/g, '$1') : undefined),
  (text) => (text.includes('%') ? decoded(text) : undefined),
  // The prefixes of diffs, and paths from the workspace's root.
  (text) => (/^[ab]\//.test(text) ? text.slice(2) : undefined),
  (text) => (/^\/[^/]/.test(text) ? text.slice(1) : undefined),
];

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
