import type { Tokens } from 'marked';
import { readCode, type ShownCode } from './applicable.ts';
import { BlockReader } from './blocks.ts';
import type { ShownChange } from './changes.ts';

/** Screen readers get no more than this of an answer or block at once (UTF-16 units): nobody listens to more. */
const MOST_SPOKEN = 20_000;
const MOST_OF_BLOCK = 2000;

/** Markdown as one would read it aloud: without marks, and with a short name or summary for each code block. */
export function spoken(markdown: string): string {
  return new BlockReader()
    .read(markdown.slice(0, MOST_SPOKEN), true)
    .map((block) =>
      block.token.type === 'code'
        ? spokenCode(readCode(block.token as Tokens.Code, block, true))
        : spokenProse(block.token.raw.slice(0, MOST_OF_BLOCK)),
    )
    .filter((text) => text !== '')
    .join('\n');
}

function spokenCode({ language, file, changes }: ShownCode): string {
  if (!changes) return `${['Code block', language, file].filter(Boolean).join(', ')}.`;
  return changes.map((change) => `${spokenChange(change)}.`).join('\n');
}

function spokenChange({ kind, path = 'a file', movedTo }: ShownChange): string {
  switch (kind) {
    case 'create':
      return `New file ${path}`;
    case 'delete':
      return `Deletes ${path}`;
    case 'move':
      return `Moves ${path} to ${movedTo}`;
    case 'update':
      return `Changes ${path}`;
    default:
      return kind satisfies never;
  }
}

function spokenProse(markdown: string): string {
  return withoutCode(markdown)
    .map((line) =>
      line
        .replace(/!?\[([^[\]]*)\]\([^()]*\)/g, '$1')
        .replace(/^\s{0,3}(#{1,6}|>|[-*+]|\d{1,9}[.)])\s+/, '')
        .replace(/\*\*|__|~~|`/g, '')
        .trim(),
    )
    .filter((line) => line !== '' && !(line.includes('|') && /^[\s:|-]+$/.test(line)))
    .join('\n');
}

/** The lines of a text, with each code block replaced by one line. */
function withoutCode(markdown: string): string[] {
  const lines: string[] = [];
  let open: string | undefined;
  for (const line of markdown.split('\n')) {
    const fence = /^[ \t]*(`{3,}|~{3,}(?!~))([^`]*)$/.exec(line);
    if (open !== undefined) {
      if (line.trim() === open) open = undefined;
    } else if (fence) {
      open = fence[1]!;
      const [name] = fence[2]!.trim().split(/\s/, 1);
      lines.push(name ? `Code block, ${name}.` : 'Code block.');
    } else lines.push(line);
  }
  return lines;
}
