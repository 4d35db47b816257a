/** Joins two parts of a draft. Empty parts add nothing. */
export function joined(before: string, after: string): string {
  if (before.trim() === '') return after;
  return after.trim() === '' ? before : `${before.trimEnd()}\n\n${after}`;
}

/**
 * The rest of a draft after a part of it was sent: text typed after it, or kept from before it. `isKept`: the draft is
 * known to have contained that part all along, so text directly after it was typed later, too.
 */
export function withoutSent(draft: string, sent: string, isKept = false): string {
  const after = draft.slice(sent.length);
  if (draft.startsWith(sent) && (isKept || /^(?:\s|$)/.test(after))) return after.replace(/^\n+/, '');
  return draft.endsWith(`\n\n${sent}`) ? draft.slice(0, draft.length - sent.length).trimEnd() : draft;
}
