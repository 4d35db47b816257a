/** The head of a Markdown file: `name: value` lines between two lines of dashes. */
export interface FrontMatter {
  /** Names in lower case. */
  fields: ReadonlyMap<string, string>;
  /** The text below the head. */
  body: string;
}

/** The most lines of a head. */
const MOST_LINES = 100;

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
    const [, item] = /^\s*- (.*)$/.exec(line) ?? [];
    const [, name, value] = /^([A-Za-z][\w-]{0,50})\s*:(.*)$/.exec(line) ?? [];
    if (item !== undefined && last) fields.set(last, [fields.get(last), unquoted(item)].filter(Boolean).join(','));
    if (name === undefined) continue;
    last = name.toLowerCase();
    fields.set(last, unquoted(value ?? ''));
  }
  return { fields, body: lines.slice(end + 1).join('\n') };
}

function unquoted(value: string): string {
  const text = value.trim();
  const inside = /^\[(.*)\]$/.exec(text)?.[1] ?? /^"(.*)"$/.exec(text)?.[1] ?? /^'(.*)'$/.exec(text)?.[1];
  if (inside === undefined) return text;
  return text.startsWith('[') ? inside.split(',').map(unquoted).join(',') : inside;
}
