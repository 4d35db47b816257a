import type { Found } from './scoring.ts';

/** Where a language server defines a name that the question has; lines as in `Found`. */
export interface FoundSymbol {
  path: string;
  from: number;
  to: number;
}

/** A definition's lines at most: a class can be a whole file. */
const MOST_LINES = 60;
/** A file that defines a name of the question, beside one that only has it. */
const DEFINES = 1.25;
/** A definition in a file that the words did not find, beside the best one. */
const ONLY_DEFINED = 0.9;

/** Puts what language servers know beside what the words found. Best first, each file once. */
export function mergeSymbols(found: readonly Found[], symbols: readonly FoundSymbol[], limit: number): Found[] {
  const best = found[0]?.score ?? 1;
  const byPath = new Map(found.map((one) => [one.path, one]));
  for (const path of new Set(symbols.map((symbol) => symbol.path))) {
    const own = symbols.filter((symbol) => symbol.path === path);
    const known = byPath.get(path);
    const [{ from, to }] = own as [FoundSymbol];
    const lines = { from, to: Math.min(to, from + MOST_LINES - 1) };
    if (!known) byPath.set(path, { path, ...lines, score: best * ONLY_DEFINED });
    else {
      const isInside = own.some((symbol) => symbol.from <= known.to && symbol.to >= known.from);
      byPath.set(path, { ...known, ...(isInside ? {} : lines), score: known.score * DEFINES });
    }
  }
  return [...byPath.values()].sort((a, b) => b.score - a.score || (a.path < b.path ? -1 : 1)).slice(0, limit);
}

/** In backticks, or of a form that only code has. */
const NAME =
  /`([\p{L}_$][\p{L}\p{N}_$]{2,63})(?:\(\))?`|\b(\p{L}[\p{L}\p{N}]*(?:_[\p{L}\p{N}]+|\p{Ll}\p{Lu}[\p{L}\p{N}]*))/gu;
const MOST_NAMES = 3;

/** The names in a question that a language server may define. */
export function namesIn(question: string): string[] {
  const names = [...question.slice(0, 2_000).matchAll(NAME)].map(([, quoted, bare]) => (quoted ?? bare)!);
  return [...new Set(names)].slice(0, MOST_NAMES);
}
