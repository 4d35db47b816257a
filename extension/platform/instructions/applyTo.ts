import { isIgnored, readIgnoreFile } from '../secrecy/ignoreFiles.ts';

/** A stranger may have written the globs: they are bounded, and matched in linear time. */
const MOST_CHARACTERS = 2_000;
const MOST_GLOBS = 100;

const EVERYTHING = new Set(['**', '**/*', '*']);

/**
 * Whether instructions belong to a question about some files, by their `applyTo`: globs with commas between them, as VS
 * Code reads them (in any folder unless they begin with a slash, in any case). `paths`: the files, as names from the
 * workspace folder down. Without globs they belong to no question; `**` belongs to all, also to those about no file.
 */
export function appliesTo(applyTo: string | undefined, paths: readonly (readonly string[])[]): boolean {
  if (!applyTo || applyTo.length > MOST_CHARACTERS) return false;
  const globs = split(applyTo).filter((glob) => glob !== '');
  if (globs.some((glob) => EVERYTHING.has(glob))) return true;
  const lines: string[] = [];
  for (const glob of globs)
    for (const one of expand(glob)) {
      if (lines.length === MOST_GLOBS) break;
      lines.push(/^\/|^\*\*\//.test(one) ? one : `**/${one}`);
    }
  const rules = readIgnoreFile(lines.join('\n'));
  return paths.some((names) => isIgnored(names, [rules], false));
}

/** Splits at commas that are in no braces. */
function split(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text.replace(/[\r\n]/g, ' ')) {
    if (character === ',' && depth === 0) parts.push('');
    else {
      if (character === '{') depth += 1;
      if (character === '}') depth = Math.max(0, depth - 1);
      parts[parts.length - 1] += character;
    }
  }
  return parts.map((part) => part.trim());
}

/** `*.{ts,tsx}` is `*.ts` and `*.tsx`. */
function* expand(glob: string): Generator<string> {
  const open = glob.indexOf('{');
  const close = open < 0 ? -1 : closing(glob, open);
  if (close < 0) return yield glob;
  const [head, tail] = [glob.slice(0, open), glob.slice(close + 1)];
  for (const choice of split(glob.slice(open + 1, close))) yield* expand(`${head}${choice}${tail}`);
}

/** The brace that closes the one at `open`; -1 for none. */
function closing(glob: string, open: number): number {
  let depth = 0;
  for (let at = open; at < glob.length; at++) {
    if (glob[at] === '{') depth += 1;
    if (glob[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}
