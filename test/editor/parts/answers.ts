// Model answers for scripts of the double. Each line is one piece.

/** A search/replace block in a fence, in the format that the model is asked for. */
export function block(path: string, search: string, replace: string): string {
  return `${path}\n\`\`\`typescript\n<<<<<<< SEARCH\n${lines(search)}=======\n${lines(replace)}>>>>>>> REPLACE\n\`\`\`\n\n`;
}

const lines = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

/** Joins blocks into pieces of a script. `between`: the indexes between two blocks, for `gateAt`. */
export function answerOf(...blocks: string[]): { pieces: string[]; between: number[] } {
  const pieces: string[] = [];
  const between: number[] = [];
  for (const one of blocks) {
    if (pieces.length > 0) between.push(pieces.length);
    pieces.push(...one.split(/(?<=\n)/));
  }
  return { pieces, between };
}

/** Guest settings for tests that send more messages than people do. */
export const BUSY_GUESTS = {
  guests: { messages: 100, perHour: 1000, perDay: 1000 },
  limits: { guest: { requestsPerMinute: 1000, modelRequestsPerMinute: 1000, tokensPerMinute: 1_000_000 } },
};
