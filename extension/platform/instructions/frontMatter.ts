/** The head of a Markdown file: `name: value` lines between two lines of dashes. */
export interface FrontMatter {
  /** Names in lower case. */
  fields: ReadonlyMap<string, string>;
  /** The text below the head. */
  body: string;
}

/** The most lines of a head, and the most characters of one. A longer line says nothing. */
const MOST_LINES = 100;
const MOST_CHARACTERS = 2_000;

/**
 * Reads single lines, not YAML: people write globs without quotes, which YAML refuses. A list in brackets, or one item a
 * line, becomes one line with commas. A head that doesn't end is text.
 */
export function readFrontMatter(text: string): FrontMatter {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const end = lines.slice(0, MOST_LINES).findIndex((line, at) => at > 0 && line.trimEnd() === '---');
  if (lines[0]?.trimEnd() !== '---' || end === -1) return { fields: new Map(), body: lines.join('\n') };
  const fields = new Map<string, string>();
  let last = '';
  for (const line of lines.slice(1, end)) {
    if (line.length > MOST_CHARACTERS) continue;
    const [, item] = /^\s*- (.*)$/.exec(line) ?? [];
    const [, name, value] = /^([A-Za-z][\w-]{0,50})\s*:(.*)$/.exec(line) ?? [];
    if (item !== undefined && last) fields.set(last, [fields.get(last), unquoted(item)].filter(Boolean).join(','));
    if (name === undefined) continue;
    last = name.toLowerCase();
    fields.set(last, readValue(value ?? ''));
  }
  return { fields, body: lines.slice(end + 1).join('\n') };
}

/** Splits at commas that are in no braces. */
export function splitList(text: string): string[] {
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

function readValue(text: string): string {
  const value = withoutComment(text.trim());
  if (!value.startsWith('[') || !value.endsWith(']')) return unquoted(value);
  return splitList(value.slice(1, -1)).map(unquoted).join(',');
}

function unquoted(text: string): string {
  const value = withoutComment(text.trim());
  return /^"(.*)"$/.exec(value)?.[1] ?? /^'(.*)'$/.exec(value)?.[1] ?? value;
}

/** A comment begins with `#` after a blank, outside of quotes. */
function withoutComment(value: string): string {
  const end = /^["']/.test(value) ? Math.max(0, value.indexOf(value[0]!, 1)) : 0;
  const comment = value.slice(end).search(/\s#/);
  return comment < 0 ? value : value.slice(0, end + comment).trimEnd();
}
