import { isIgnored, readIgnoreFile } from '../secrecy/ignoreFiles.ts';
import { splitList } from './frontMatter.ts';

/** A stranger may have written the globs: they are bounded, and matched in linear time. */
const MOST_CHARACTERS = 2_000;

const EVERYTHING = new Set(['**', '**/*', '*']);

/** Whether instructions belong to a question about some files, each as names from the workspace folder down. */
export type AppliesTo = (paths: readonly (readonly string[])[]) => boolean;

/**
 * Reads `applyTo`: globs with commas between them, as VS Code reads them (in any folder unless they begin with a slash,
 * in any case). Without globs instructions belong to no question; `**` belongs to all, also to those about no file.
 */
export function readApplyTo(applyTo: string | undefined): AppliesTo {
  if (!applyTo || applyTo.length > MOST_CHARACTERS) return () => false;
  const globs = splitList(applyTo).filter((glob) => glob !== '');
  if (globs.some((glob) => EVERYTHING.has(glob))) return () => true;
  const rules = readIgnoreFile(linesOf(globs).join('\n'));
  return (paths) => paths.some((names) => isIgnored(names, [rules], false));
}

/** The globs without braces, as lines of an ignore file, as far as the limit goes for all of them together. */
function linesOf(globs: readonly string[]): string[] {
  const lines: string[] = [];
  let left = MOST_CHARACTERS;
  for (const glob of globs)
    for (const one of expand(glob.replace(/^\.\//, '/'))) {
      left -= one.length + 1;
      if (left < 0) return lines;
      lines.push(/^\/|^\*\*\//.test(one) ? one : `**/${one}`);
    }
  return lines;
}

/** `*.{ts,tsx}` is `*.ts` and `*.tsx`. */
function* expand(glob: string): Generator<string> {
  const open = glob.indexOf('{');
  const close = open < 0 ? -1 : closing(glob, open);
  if (close < 0) return yield glob;
  const [head, tail] = [glob.slice(0, open), glob.slice(close + 1)];
  for (const choice of splitList(glob.slice(open + 1, close))) yield* expand(`${head}${choice}${tail}`);
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
