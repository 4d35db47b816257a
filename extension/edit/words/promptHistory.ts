/** How many requests are remembered. */
export const MAX_HISTORY = 20;

/** `history` with `request` in front: no duplicates, at most `MAX_HISTORY`. Blank requests change nothing. */
export function remember(history: readonly string[], request: string): string[] {
  const text = request.trim();
  if (text === '') return [...history];
  return [text, ...history.filter((earlier) => earlier !== text)].slice(0, MAX_HISTORY);
}

/** `history` without `request`. */
export function forget(history: readonly string[], request: string): string[] {
  return history.filter((earlier) => earlier !== request);
}

/** Reads a stored history, and accepts any value: it may come from an older or a damaged installation. */
export function readHistory(stored: unknown): string[] {
  if (!Array.isArray(stored)) return [];
  const texts = stored.filter((entry): entry is string => typeof entry === 'string' && entry.trim() !== '');
  return [...new Set(texts)].slice(0, MAX_HISTORY);
}
