import type { Message } from '../../../../shared/conversations.ts';

/** More of a running answer's thoughts: cut them at `at` (UTF-16 units), then append `text`. */
export interface ThinkingPiece {
  messageId: string;
  text: string;
  at: number;
  /** How long the model has thought so far. */
  ms: number;
  /** When the view got it, in ms since 1970. */
  cameAt: number;
}

/** The thoughts of a running answer. */
export interface Thoughts {
  text: string;
  ms: number;
  /** When the model began to think, by this machine's clock. */
  since: number;
}

/**
 * By message. They are apart from the conversation, so that nothing of it is drawn again while a model thinks: its
 * thoughts are mostly folded.
 */
export type RunningThoughts = Readonly<Record<string, Thoughts>>;

/** Adds pieces. One with a gap before it is left out: the message has everything when it ends. */
export function addThoughts(thoughts: RunningThoughts, pieces: readonly ThinkingPiece[]): RunningThoughts {
  const grown = { ...thoughts };
  for (const { messageId, text, at, ms, cameAt } of pieces) {
    const { text: before = '', since = cameAt } = grown[messageId] ?? {};
    if (at > before.length) continue;
    // A delay on the way must not set the seconds back.
    grown[messageId] = { text: before.slice(0, at) + text, ms, since: Math.min(since, cameAt - ms) };
  }
  return grown;
}

/** Takes over what the messages of running answers have, and forgets the thoughts of all others. */
export function followThoughts(thoughts: RunningThoughts, messages: readonly Message[], now: number): RunningThoughts {
  const running = messages.filter(({ role, state }) => role === 'assistant' && state === 'running');
  return Object.fromEntries(
    running.flatMap(({ id, thinking }): [string, Thoughts][] => {
      const known = thoughts[id];
      if (!thinking || (known && known.text.length >= thinking.text.length)) return known ? [[id, known]] : [];
      return [[id, { ...thinking, since: Math.min(known?.since ?? now, now - thinking.ms) }]];
    }),
  );
}
