import { joined, withoutSent } from '../../../../shared/answers/draftText.ts';
import type { FromHost } from '../../protocol.ts';
import type { Saved } from './host.ts';

type Conversation = Extract<FromHost, { type: 'conversation' }>;

/** What was left in a chat: by what the host knows, and by what the page before this one could not tell it any more. */
export function lastKnown({ draft, chatId, id }: Conversation, left: Saved | undefined): string {
  const mine = left?.composer;
  if (!mine || mine.isAwaiting || mine.chatId !== (chatId ?? id) || mine.text === draft) return draft;
  // Told, and not there any more: the host sent or moved it. Of the very last text, it had no time to be stored.
  if (mine.text === mine.told && draft === '' && !left.isLatest) return draft;
  if (mine.told === draft) return mine.text;
  if (mine.text.includes(draft)) return mine.text;
  return draft.includes(mine.text) || left.sending ? draft : joined(draft, mine.text);
}

/**
 * How a composer that was filled with `restored` before its chat was told goes on once `known` is found to have been left
 * there. `aside`: what was left there and is not in the composer.
 */
export function goOn(composer: string, restored: string, known: string): { draft: string; aside: string } {
  if (composer === restored) return { draft: known, aside: '' };
  // The user went on writing.
  if (known === restored) return { draft: composer, aside: '' };
  if (known === '') return { draft: withoutSent(composer, restored, true), aside: '' };
  if (composer === '') return { draft: known, aside: '' };
  const ofOthers = known.endsWith(`\n\n${restored}`);
  return { draft: composer, aside: ofOthers ? known.slice(0, -restored.length).trimEnd() : known };
}

/** Whether a text begins with what was left before it, all of it and apart from the rest: a word of it alone may be chance. */
export const beginsWith = (text: string, left: string) => text === left || text.startsWith(`${left.trimEnd()}\n\n`);
