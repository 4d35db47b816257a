/** Two parts of what is typed for a message, as one text. Empty parts leave no trace. */
export function joined(before: string, after: string): string {
  if (before.trim() === '') return after;
  return after.trim() === '' ? before : `${before.trimEnd()}\n\n${after}`;
}

/**
 * What is left of a draft once a part of it was sent: what was typed after it, or what was kept from before it. `isKept`: the
 * draft is known to have had that part all the time, so that also what stands right behind it was typed after it.
 */
export function withoutSent(draft: string, sent: string, isKept = false): string {
  const after = draft.slice(sent.length);
  if (draft.startsWith(sent) && (isKept || /^(?:\s|$)/.test(after))) return after.replace(/^\n+/, '');
  return draft.endsWith(`\n\n${sent}`) ? draft.slice(0, draft.length - sent.length).trimEnd() : draft;
}
