/** Two parts of what is typed for a message, as one text. Empty parts leave no trace. */
export function joined(before: string, after: string): string {
  if (before.trim() === '') return after;
  return after.trim() === '' ? before : `${before.trimEnd()}\n\n${after}`;
}

/** What is left of a draft once a part of it was sent: what was typed after it, or what was kept from before it. */
export function withoutSent(draft: string, sent: string): string {
  if (draft.startsWith(sent)) return draft.slice(sent.length).replace(/^\n+/, '');
  return draft.endsWith(sent) ? draft.slice(0, draft.length - sent.length).trimEnd() : draft;
}
