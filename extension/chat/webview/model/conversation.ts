import { splitThoughts } from '../../../../shared/answers/thoughts.ts';
import type { Message } from '../../../../shared/conversations.ts';

/** The view's copy of a conversation. Messages are in reading order. */
export interface Conversation {
  /** Null for a chat that has no message yet. */
  id: string | null;
  /** The host's name for it, even before its first message; undefined if the host sends none. */
  chatId: string | undefined;
  /** Changes with each other conversation. A new chat that gets its id keeps the number. */
  sight: number;
  title: string;
  messages: Message[];
  /** Cursor for earlier messages; null at the beginning. */
  before: string | null;
  elsewhere: string[];
  /** By message: the end of an answer that was shown while it ran, but that the server has not stored. */
  lost: Record<string, string>;
  /** Pieces of answers that arrived before the text that they continue, in order of arrival. */
  early: Piece[];
}

/** More of a running answer: cut the text at `at` (UTF-16 units), then append `text`. */
export interface Piece {
  messageId: string;
  text: string;
  at: number;
}

/**
 * Adds pieces. A piece waits until its message and the text before it are there. Unchanged messages keep their
 * identity.
 */
export function addPieces(conversation: Conversation, pieces: Piece[]): Conversation {
  const grown = new Map<string, Message>();
  const byId = new Map<string, Message>();
  const wanted = new Set([...conversation.early, ...pieces].map((p) => p.messageId));
  const early = new Set(conversation.early);
  for (const m of conversation.messages) if (wanted.has(m.id)) byId.set(m.id, m);
  let waiting = [...conversation.early, ...pieces];
  for (let moved = true; moved; ) {
    moved = false;
    const left: Piece[] = [];
    for (const piece of waiting) {
      const message = grown.get(piece.messageId) ?? byId.get(piece.messageId);
      if (message && message.state !== 'running' && message.role === 'assistant') {
        moved = true; // It has ended meanwhile; its final text is the whole truth.
      } else if (message && early.has(piece) && message.text.startsWith(piece.text, piece.at)) {
        moved = true; // What it says has come another way since; to cut there would lose what follows.
      } else if (message && piece.at <= message.text.length) {
        grown.set(message.id, { ...message, text: message.text.slice(0, piece.at) + piece.text });
        moved = true;
      } else {
        left.push(piece);
      }
    }
    waiting = left;
  }
  const messages = grown.size ? conversation.messages.map((m) => grown.get(m.id) ?? m) : conversation.messages;
  return { ...conversation, messages, early: waiting };
}

/**
 * Adds new or changed messages by id. A running answer never gets shorter: its pieces may arrive before the message.
 */
export function putMessages(conversation: Conversation, upsert: Message[], removed: string[]): Conversation {
  const gone = new Set(removed);
  const changed = new Map(upsert.map((m) => [m.id, m]));
  const messages: Message[] = [];
  for (const old of conversation.messages) {
    if (gone.has(old.id)) continue;
    const now = changed.get(old.id);
    changed.delete(old.id);
    messages.push(now ? keepLonger(old, now) : old);
  }
  for (const m of changed.values()) if (!gone.has(m.id)) messages.push(m);
  return addPieces({ ...conversation, messages, lost: lostOf(conversation, upsert) }, []);
}

/** The new message, except for a running answer with more text shown: its pieces may arrive before the message. */
function keepLonger(old: Message, now: Message): Message {
  const isShorter = old.text.length > now.text.length && old.text.startsWith(now.text);
  return now.state === 'running' && isShorter ? { ...now, text: old.text } : now;
}

/** The messages of a conversation that is sent again as a whole. The shown text of a running answer stays. */
export function toldAnew(old: Conversation | null, messages: Message[]): Message[] {
  const shown = new Map(old?.messages.map((message) => [message.id, message]));
  return messages.map((message) => keepLonger(shown.get(message.id) ?? message, message));
}

/** The shown text beyond the end of answers that ended shorter, also where the end was told before its text. */
export function lostOf(old: Conversation | null, now: Message[]): Record<string, string> {
  const lost = { ...old?.lost };
  for (const { id, state, text } of now) {
    const before = old?.messages.find((m) => m.id === id);
    if (before?.role !== 'assistant' || state === 'running' || before.text === text) continue;
    const [shown, kept] = [splitThoughts(before.text).text, splitThoughts(text).text];
    if (shown.length > kept.length && shown.startsWith(kept)) lost[id] = shown.slice(kept.length);
  }
  return lost;
}

/** Puts a page of earlier messages in front. Messages that are there already stay unchanged. */
export function putEarlier(conversation: Conversation, earlier: Message[], before: string | null): Conversation {
  const there = new Set(conversation.messages.map((m) => m.id));
  const messages = [...earlier.filter((m) => !there.has(m.id)), ...conversation.messages];
  return { ...conversation, messages, before };
}

/** The running answer, if any. */
export function runningAnswer(conversation: Conversation | null): Message | undefined {
  return conversation?.messages.findLast((m) => m.role === 'assistant' && m.state === 'running');
}
