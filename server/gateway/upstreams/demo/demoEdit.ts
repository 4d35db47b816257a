import type { DemoAnswer } from './demoAnswer.ts';
import { fenced, readEditPrompt } from './demoPrompt.ts';
import { comment, commitMessage, documented, fixed, indentation } from './demoTexts.ts';

/**
 * A visible rule: if `pattern` matches the instruction, `apply` returns the new lines. `firstLine` is the file's line
 * number of the first line.
 */
interface EditRule {
  example: string;
  pattern: RegExp;
  apply(lines: string[], match: RegExpExecArray, languageId: string, firstLine: number): string[];
}

/** Compares by code units, so that the result is the same on every machine. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export const EDIT_RULES: EditRule[] = [
  {
    example: 'document',
    pattern: /^document\b.*/is,
    apply: (lines, [text], id, first) => documented(lines, text, id, first),
  },
  { example: 'fix', pattern: /^fix\b.*/is, apply: (lines, [text], id, first) => fixed(lines, text, id, first) },
  {
    example: 'add comment "checked"',
    pattern: /^add (?:a )?comment[:\s]+(.+)$/is,
    apply: (lines, [, text], languageId) => [...comment(unquote(text!), lines, languageId), ...lines],
  },
  {
    example: 'rename count to total',
    pattern: /^(?:rename|replace) (\S+|"[^"]+") (?:to|with|by) (\S+|"[^"]*")$/i,
    apply: (lines, [, from, to]) => rename(lines, unquote(from!), unquote(to!)),
  },
  {
    example: 'make uppercase',
    pattern: /\bupper ?-?case\b|\bcapital letters\b/i,
    apply: (lines) => lines.map((line) => line.toUpperCase()),
  },
  {
    example: 'make lowercase',
    pattern: /\blower ?-?case\b/i,
    apply: (lines) => lines.map((line) => line.toLowerCase()),
  },
  {
    example: 'sort lines descending',
    pattern: /\bsort\b.*\b(?:desc\w*|reverse\w*|backwards)\b/i,
    apply: (lines) => lines.toSorted(compare).reverse(),
  },
  { example: 'sort lines', pattern: /\bsort\b/i, apply: (lines) => lines.toSorted(compare) },
  { example: 'reverse lines', pattern: /\breverse\b/i, apply: (lines) => lines.toReversed() },
  {
    example: 'number lines',
    pattern: /\bnumber\b.*\blines\b|\badd line numbers\b/i,
    apply: (lines) => lines.map((line, index) => `${index + 1}. ${line}`),
  },
  {
    example: 'delete empty lines',
    pattern: /\b(?:delete|remove)\b.*\b(?:empty|blank)\b/i,
    apply: (lines) => lines.filter((line) => line.trim() !== ''),
  },
  {
    example: 'remove duplicate lines',
    pattern: /\b(?:delete|remove)\b.*\bduplicate/i,
    apply: (lines) => [...new Set(lines)],
  },
  {
    example: 'trim trailing spaces',
    pattern: /\btrim\b|\btrailing (?:white)?space/i,
    apply: (lines) => lines.map((line) => line.trimEnd()),
  },
  {
    example: 'outdent',
    pattern: /\b(?:out|un|de)-?indent\b|\bdedent\b|\boutdent\b/i,
    apply: (lines) => lines.map((line) => (line.startsWith('\t') ? line.slice(1) : line.replace(/^ {1,2}/, ''))),
  },
  { example: 'indent', pattern: /\bindent\b/i, apply: indent },
  { example: 'wrap in try/catch', pattern: /\btry\b/i, apply: (lines, _, languageId) => wrapInTry(lines, languageId) },
  { example: 'slow', pattern: /^slow\b/i, apply: (lines) => lines },
  { example: 'fail', pattern: /^fail\b/i, apply: (lines) => lines },
];

/** The demo model's answer to an edit: the changed selection in one fenced block, and nothing else. */
export function answerEdit(prompt: string): DemoAnswer {
  const edit = readEditPrompt(prompt);
  if (!edit) return { text: fenced('The demo model could not read this request.', '') };
  const { instruction, languageId, selection, firstLine, after } = edit;
  if (/^write the commit message\b/i.test(instruction))
    return { text: fenced(commitMessage(selection, after), languageId) };
  const eol = selection.includes('\r\n') ? '\r\n' : '\n';
  // The fence took the last line's line feed; a carriage return may remain.
  const text = selection.replace(/\r(\n|$)/g, '$1');
  // The line break at the end belongs to the last line; it isn't another empty line to sort or number.
  const end = text.endsWith('\n') ? '\n' : '';
  const lines = text.slice(0, text.length - end.length).split('\n');
  const changed =
    (applyRule(lines, instruction, languageId, firstLine) ?? withRules(lines, languageId)).join('\n') + end;
  const answer = fenced(eol === '\n' ? changed : changed.replaceAll('\n', '\r\n'), languageId);
  if (/^fail\b/i.test(instruction)) return { text: answer.slice(0, Math.ceil(answer.length / 2)), fails: true };
  return { text: answer, slower: /^slow\b/i.test(instruction) ? 8 : 1 };
}

/** Applies the first rule that matches the instruction; null if none does. */
export function applyRule(
  lines: string[],
  instruction: string,
  languageId: string,
  firstLine: number,
): string[] | null {
  for (const rule of EDIT_RULES) {
    const match = rule.pattern.exec(instruction);
    if (match) return rule.apply(lines, match, languageId, firstLine);
  }
  return null;
}

/** The lines below a comment that lists the demo model's rules; `more`: examples of other rules. */
export function withRules(lines: string[], languageId: string, more: string[] = []): string[] {
  const known = [...EDIT_RULES.map((rule) => rule.example), ...more].join('; ');
  return [...comment(`Demo model: I only know these rules: ${known}.`, lines, languageId), ...lines];
}

export function unquote(text: string): string {
  return text.trim().replace(/^(["'`“])(.*)["'`”]$/s, '$2');
}

/** If `from` is a word, replaces whole words only; otherwise every occurrence. */
function rename(lines: string[], from: string, to: string): string[] {
  const escaped = from.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const isWord = /^[\p{L}\p{N}_$]+$/u.test(from);
  const pattern = isWord ? `(?<![\\p{L}\\p{N}_$])${escaped}(?![\\p{L}\\p{N}_$])` : escaped;
  return lines.map((line) => line.replace(new RegExp(pattern, 'gu'), () => to));
}

const unitOf = (lines: string[]) => (lines.some((line) => line.startsWith('\t')) ? '\t' : '  ');

function indent(lines: string[]): string[] {
  const unit = unitOf(lines);
  return lines.map((line) => (line.trim() === '' ? line : unit + line));
}

function wrapInTry(lines: string[], languageId: string): string[] {
  const at = indentation(lines);
  const inner = indent(lines);
  if (languageId === 'python')
    return [`${at}try:`, ...inner, `${at}except Exception as error:`, `${at}${unitOf(lines)}raise error`];
  return [`${at}try {`, ...inner, `${at}} catch (error) {`, `${at}${unitOf(lines)}throw error;`, `${at}}`];
}
