import type { PlacedHunk } from '../edits.ts';

const BOM = '\uFEFF';

/** A file's text in lines, with everything that an edit must preserve. */
export interface FileText {
  bom: boolean;
  /** Without line ends. A final line end adds no line; an empty file has none. */
  lines: string[];
  /** The end of each line; the last is empty if the file has no final line end. */
  ends: string[];
  /** The most frequent line end; `\n` if there is none. */
  eol: string;
}

export function parseFile(text: string): FileText {
  const bom = text.startsWith(BOM);
  const lines: string[] = [];
  const ends: string[] = [];
  let at = bom ? 1 : 0;
  const seen = { '\n': 0, '\r\n': 0, '\r': 0 };
  const end = /\r\n|\r|\n/g;
  end.lastIndex = at;
  for (let match = end.exec(text); match; match = end.exec(text)) {
    const eol = match[0] as keyof typeof seen;
    seen[eol]++;
    lines.push(text.slice(at, match.index));
    ends.push(eol);
    at = end.lastIndex;
  }
  if (at < text.length) {
    lines.push(text.slice(at));
    ends.push('');
  }
  const eol = seen['\r\n'] > seen['\n'] && seen['\r\n'] >= seen['\r'] ? '\r\n' : seen['\r'] > seen['\n'] ? '\r' : '\n';
  return { bom, lines, ends, eol };
}

/**
 * The whole text after `hunks`, which are ordered and don't touch each other. A new line gets the line end of the line
 * that it replaces, or of the line before. BOM and final line end, or its absence, stay.
 */
export function applyHunks(file: FileText, hunks: readonly PlacedHunk[]): string {
  const { lines, ends, eol } = file;
  const parts: string[] = [];
  const partEnds: string[] = [];
  let at = 0;
  const keepTo = (to: number) => {
    for (; at < to; at++) {
      parts.push(lines[at]!);
      partEnds.push(ends[at]!);
    }
  };
  for (const { startLine, oldLines, newLines } of hunks) {
    keepTo(startLine);
    for (const [index, line] of newLines.entries()) {
      const model = oldLines.length > 0 ? startLine + Math.min(index, oldLines.length - 1) : Math.max(0, startLine - 1);
      parts.push(line);
      partEnds.push(ends[model] || eol);
    }
    at += oldLines.length;
  }
  keepTo(lines.length);
  const last = parts.length - 1;
  for (let index = 0; index < last; index++) partEnds[index] ||= eol;
  if (last >= 0) partEnds[last] = ends.at(-1) === '' ? '' : partEnds[last] || eol;
  let text = file.bom ? BOM : '';
  for (const [index, part] of parts.entries()) text += part + partEnds[index];
  return text;
}

/** The text of a new file with these lines. */
export const newFileText = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
