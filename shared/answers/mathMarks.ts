// Where a model writes math: `\( \)`, `\[ \]`, `$$ $$`, and `$ $` where it can't be prices or variable names.

export interface FoundMath {
  /** The math with its marks. */
  raw: string;
  tex: string;
  /** On lines of its own. */
  display: boolean;
}

/** Longer text, or text with an empty line, is not math (UTF-16 units). */
export const MOST_OF_MATH = 4000;
const MOST_OF_LINE = 300;
const BEGIN = /^ {0,3}(\\\[|\$\$)/;
const AFTER_BLOCK = /^[ \t]{0,20}[.,;]?[ \t]{0,20}(?:\n|$)/;
const COMMAND = /\\[A-Za-z]|[\^]|_(?:\{|[A-Za-z0-9](?![A-Za-z]))/;
/** Math without words: letters are variables. */
const PLAIN = /^[\s\dA-Za-z.,:;!|/*()[\]'<>=+−×·≤≥≠±-]+$/;
const WORD = /[A-Za-z]{3}/;

/** Inline math at the start of `source`. `before`: the character before it. */
export function mathAt(source: string, before: string): FoundMath | undefined {
  if (source.startsWith('\\(')) return between(source, '\\)', false);
  if (source.startsWith('\\[')) {
    const found = between(source, '\\]', true);
    const isLink = /^[([]/.test(source.slice(found?.raw.length ?? 0, (found?.raw.length ?? 0) + 1));
    // `\[x\]` and `\[0\]` are escaped brackets, not math.
    return found && !isLink && (/^\s[\s\S]*\s$|[=<>+]/.test(found.tex) || COMMAND.test(found.tex)) ? found : undefined;
  }
  if (!source.startsWith('$') || source.startsWith('$$$') || /[\w$\\]/.test(before)) return undefined;
  if (!source.startsWith('$$')) return inDollars(source);
  const found = between(source, '$$', true);
  return found && isMath(found.tex) ? found : undefined;
}

/** Display math at the start of `source`, on lines of its own. */
export function mathBlockAt(source: string): FoundMath | undefined {
  const open = BEGIN.exec(source);
  if (!open) return undefined;
  const indent = open[0].length - 2;
  const found = between(source.slice(indent), open[1] === '$$' ? '$$' : '\\]', true);
  if (!found || /^[ \t]*(?:`{3}|~{3})/m.test(found.tex)) return undefined;
  const from = indent + found.raw.length;
  const after = AFTER_BLOCK.exec(source.slice(from, from + 50));
  if (!after || (!found.tex.includes('\n') && !/^\s|\s$/.test(found.tex) && !isMath(found.tex))) return undefined;
  return { raw: source.slice(0, from + after[0].length), tex: found.tex + after[0].trim(), display: true };
}

/** Where display math begins on a line of its own within a paragraph, which ends the paragraph. */
export function mathBlockWithin(paragraph: string): number | undefined {
  for (let at = paragraph.indexOf('\n'); at >= 0; at = paragraph.indexOf('\n', at + 1)) {
    if (/^\n[ \t]*(?:\n|$)/.test(paragraph.slice(at, at + 50))) return undefined;
    if (BEGIN.test(paragraph.slice(at + 1, at + 6)) && mathBlockAt(paragraph.slice(at + 1))) return at;
  }
  return undefined;
}

/** Whether `source` starts with display math that is still open. */
export function isOpenMathBlock(source: string): boolean {
  const open = BEGIN.exec(source);
  if (!open || source.length > MOST_OF_MATH || /\n[ \t]*\n/.test(source)) return false;
  return !source.slice(open[0].length).includes(open[1] === '$$' ? '$$' : '\\]');
}

function between(source: string, close: string, display: boolean): FoundMath | undefined {
  const within = source.slice(2, 2 + MOST_OF_MATH);
  for (let at = within.indexOf(close); at >= 0; at = within.indexOf(close, at + 1)) {
    if (isEscaped(within, at)) continue;
    const tex = within.slice(0, at);
    if (tex.trim() === '' || /\n[ \t]*\n/.test(tex)) return undefined;
    return { raw: source.slice(0, 2 + at + close.length), tex, display };
  }
  return undefined;
}

function inDollars(source: string): FoundMath | undefined {
  const line = source.slice(1, MOST_OF_LINE);
  const at = line.indexOf('$');
  const tex = line.slice(0, at);
  if (at < 1 || /^[\s{]|[\s\\]$|\n/.test(tex) || /[\w{$]/.test(line[at + 1] ?? '')) return undefined;
  const isMeant = COMMAND.test(tex) ? !/^\d/.test(tex) || !WORD.test(tex.replace(/\\[A-Za-z]+/g, '')) : isMath(tex);
  return isMeant ? { raw: `$${tex}$`, tex, display: false } : undefined;
}

const isMath = (tex: string) => COMMAND.test(tex) || (PLAIN.test(tex) && !WORD.test(tex));

/** Whether a backslash escapes the character at `at`. */
function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text[from - 1] === '\\') from--;
  return (at - from) % 2 === 1;
}
