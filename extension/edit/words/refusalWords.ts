import { showInvisible } from '../../../shared/answers/invisible.ts';
import type { Refusal } from '../engine/edits.ts';

/** The part of `vscode.MarkdownString` that we use. */
interface Markdown {
  appendText(text: string): unknown;
  appendCodeblock(code: string): unknown;
}

/** Lines less similar than this are no useful hint. */
const ALIKE = 0.5;
const MAX_LINES = 12;
const MAX_REFUSALS = 4;

/** Why a file was refused: the reason, the text searched for, and the most similar lines. None of it is markup. */
export function describeRefusals(text: Markdown, refusals: readonly Refusal[]): void {
  for (const { message, lookedFor, nearest, candidates } of refusals.slice(0, MAX_REFUSALS)) {
    text.appendText(`\n${message}\n`);
    if (lookedFor.length > 0) {
      text.appendText('\nLooked for\n');
      text.appendCodeblock(shorten(lookedFor));
    }
    if (nearest && nearest.similarity >= ALIKE) {
      text.appendText(`\nNearest, at line ${nearest.line}\n`);
      text.appendCodeblock(shorten(nearest.lines));
    } else if (candidates && candidates.length > 0) {
      text.appendText(`\nCould be at ${tellLines(candidates)}\n`);
    }
  }
  const more = refusals.length - MAX_REFUSALS;
  if (more > 0) text.appendText(`\nand ${more} more\n`);
}

/** The same in a sentence or two, for a message. `name`: the file's name. */
export function tellRefusal(name: string, { reason, message, nearest, candidates, lookedFor }: Refusal): string {
  const first = lookedFor.find((line) => line.trim() !== '')?.trim();
  const parts = [showInvisible(`${name}: ${message}`)];
  if (nearest && nearest.similarity >= ALIKE) {
    const line = nearest.lines.find((each) => each.trim() !== '')?.trim();
    if (first) parts.push(`Looked for “${cut(first)}”;`);
    parts.push(`${first ? 'nearest' : 'Nearest'} is line ${nearest.line}${line ? `, “${cut(line)}”` : ''}.`);
  } else if (nearest && first) {
    parts.push(`Looked for “${cut(first)}”.`);
  } else if (candidates && candidates.length > 1 && reason !== 'ambiguous') {
    parts.push(`It could be ${tellLines(candidates)}.`);
  }
  return parts.join(' ');
}

function tellLines(lines: readonly number[]): string {
  const [last, ...before] = lines.slice(0, 6).map(String).reverse();
  if (before.length === 0) return `line ${last}`;
  const listed = `lines ${before.reverse().join(', ')} or ${last}`;
  return lines.length > 6 ? `${listed}, or others` : listed;
}

const cut = (line: string) => (line.length <= 80 ? line : `${line.slice(0, 79).trimEnd()}…`);

const shorten = (lines: readonly string[]) =>
  lines.length <= MAX_LINES ? lines.join('\n') : [...lines.slice(0, MAX_LINES - 1), '…'].join('\n');
