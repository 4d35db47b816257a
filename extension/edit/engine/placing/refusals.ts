import type { Edit, Reason, Refusal } from '../edits.ts';

/** The most searched lines that a refusal reports. */
const MAX_TOLD = 40;

/** The refusal of a whole edit, without the results of a search for its place. */
export function refusal(edit: Edit, reason: Reason, message: string, more: Partial<Refusal> = {}): Refusal {
  return { reason, message, lookedFor: lookedForBy(edit), answerLine: edit.answerLine, ...more };
}

/** The old lines of a change, as the model wrote them. */
export function lookedForBy(edit: Edit): string[] {
  if (edit.kind === 'malformed') return edit.lines;
  if (edit.kind !== 'change') return [];
  return edit.lines.flatMap(({ op, text }) => (op === 'new' ? [] : [text])).slice(0, MAX_TOLD);
}

export const malformed = (edit: Edit & { kind: 'malformed' }) => refusal(edit, 'malformed', edit.message);

export const elided = (edit: Edit, elision: string) =>
  refusal(edit, 'elided', `The new text leaves out code: "${elision.trim()}" would replace that code in the file.`);
