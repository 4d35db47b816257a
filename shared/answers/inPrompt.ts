/** The loaded messages that the next prompt has: from the summary on that stands for those before it, if there is one. */
export function inPrompt<M extends { summary?: 'used' | 'unused' }>(messages: readonly M[]): M[] {
  const from = messages.findLastIndex(({ summary }) => summary === 'used');
  return messages.filter(({ summary }, i) => i >= from && summary !== 'unused');
}
