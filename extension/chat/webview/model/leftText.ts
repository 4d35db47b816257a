import { joined, withoutSent } from '../../../../shared/answers/draftText.ts';
import type { FromHost } from '../../protocol.ts';
import type { Saved } from './host.ts';

type Conversation = Extract<FromHost, { type: 'conversation' }>;

/** The latest draft of a chat: the host's, or a later one that the previous page could not send to it. */
export function lastKnown({ draft, chatId, id }: Conversation, left: Saved | undefined): string {
  const mine = left?.composer;
  if (!mine || mine.isAwaiting || mine.chatId !== (chatId ?? id) || mine.text === draft) return draft;
  // The host had the text and lost it since: it sent or moved it. The very last text may just not have been stored in
  // time.
  if (mine.text === mine.told && draft === '' && !left.isLatest) return draft;
  if (mine.told === draft) return mine.text;
  // The editor stores what the host has some seconds late: after a reload it may be what was typed before this.
  if (draft !== '' && mine.before?.includes(markOf(draft)) && (mine.text !== '' || left.isLatest)) return mine.text;
  if (mine.text.includes(draft)) return mine.text;
  return draft.includes(mine.text) || left.sending ? draft : joined(draft, mine.text);
}

/**
 * The composer was filled with `restored` before its chat arrived, and the chat's draft turns out to be `known`.
 * Returns the composer's text, and as `aside` the part of the draft that is not in it.
 */
export function goOn(composer: string, restored: string, known: string): { draft: string; aside: string } {
  if (composer === restored) return { draft: known, aside: '' };
  // The user continued the restored text.
  if (known === restored) return { draft: composer, aside: '' };
  if (known === '') return { draft: withoutSent(composer, restored, true), aside: '' };
  if (composer === '') return { draft: known, aside: '' };
  const ofOthers = known.endsWith(`\n\n${restored}`);
  return { draft: composer, aside: ofOthers ? known.slice(0, -restored.length).trimEnd() : known };
}

/** A hash of a text (FNV-1a): the page stores it in place of each text that it has told. */
export function markOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** Whether a text begins with the whole earlier draft as separate lines. A common first word may be chance. */
export const beginsWith = (text: string, left: string) => text === left || text.startsWith(`${left.trimEnd()}\n\n`);
