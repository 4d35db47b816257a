import type { Model } from '../../../shared/models.ts';
import { storable } from '../../../shared/texts.ts';
import type { Turn } from './prompt.ts';

/** How a summary stands in later prompts. */
export const summaryTurn = (text: string): Turn => ({
  role: 'user',
  text: `Summary of our conversation before this:\n\n${text.trim()}`,
});

/** The longest summary, thoughts included. */
export const summaryTokens = ({ contextTokens, maxOutputTokens }: Pick<Model, 'contextTokens' | 'maxOutputTokens'>) =>
  Math.min(maxOutputTokens, Math.max(1_024, Math.floor(contextTokens / 8)));

/** The longest part of a text that is kept at first, and the shortest that is worth it, in UTF-16 units. */
const LONGEST = 1 << 17;
const SHORTEST = 256;

/**
 * Turns that fit: of each text and each attachment that is too long, the beginning and the end. Null if even short
 * pieces of all do not fit.
 */
export function fitTurns(turns: readonly Turn[], fits: (turns: readonly Turn[]) => boolean): readonly Turn[] | null {
  if (fits(turns)) return turns;
  for (let most = LONGEST; most >= SHORTEST; most /= 2) {
    const cut = turns.map((turn) => cutTurn(turn, most));
    if (fits(cut)) return cut;
  }
  return null;
}

function cutTurn({ role, text, attachments, edit }: Turn, most: number): Turn {
  // Of an edit its words tell enough.
  const words = edit ? undefined : attachments?.map((one) => ({ ...one, text: cutText(one.text, most) }));
  return { role, text: cutText(text, most), ...(words && { attachments: words }) };
}

const MARK = '\n[…]\n';

function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor((most - MARK.length) / 2);
  return storable(text.slice(0, half) + MARK + text.slice(-half));
}
