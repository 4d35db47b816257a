import { splitThoughts } from '../../../../shared/answers/thoughts.ts';
import type { Message } from '../../../../shared/conversations.ts';

/** A conversation as this view has it. Messages stand in reading order. */
export interface Conversation {
  /** Null for a chat that has no message yet. */
  id: string | null;
  /** The host's name for it, also before its first message; undefined of a host that tells none. */
  chatId: string | undefined;
  /** Another number for another conversation; a new chat that gets its id keeps it. */
  sight: number;
  title: string;
  messages: Message[];
  /** What to ask earlier messages with; null at the beginning. */
  before: string | null;
  elsewhere: string[];
  /** By message: last words that were shown while an answer ran, and that the server has not kept. */
  lost: Record<string, string>;
  /** Pieces of answers that came before what they go on from, in order of arrival. */
  early: Piece[];
}

/** More of a running answer: what stands from `at` on (UTF-16 units) is cut, then `text` appended. */
export interface Piece {
  messageId: string;
  text: string;
  at: number;
}

/** Adds pieces; one whose message or beginning is not there yet waits. Untouched messages keep their identity. */
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

/** New or changed messages by id. A running answer never gets shorter by it: pieces may have overtaken the message. */
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

/** A message as it is told, but for a running answer of which more is shown already: pieces may have overtaken the message. */
function keepLonger(old: Message, now: Message): Message {
  const isShorter = old.text.length > now.text.length && old.text.startsWith(now.text);
  return now.state === 'running' && isShorter ? { ...now, text: old.text } : now;
}

/** The messages of a conversation that is told anew as a whole. What is on the screen of a running answer stays there. */
export function toldAnew(old: Conversation | null, messages: Message[]): Message[] {
  const shown = new Map(old?.messages.map((message) => [message.id, message]));
  return messages.map((message) => keepLonger(shown.get(message.id) ?? message, message));
}

/** What was shown of answers that have ended shorter than they were. */
export function lostOf(old: Conversation | null, now: Message[]): Record<string, string> {
  const lost = { ...old?.lost };
  for (const { id, state, text } of now) {
    const before = old?.messages.find((m) => m.id === id);
    if (before?.state !== 'running' || state === 'running') continue;
    const [shown, kept] = [splitThoughts(before.text).text, splitThoughts(text).text];
    if (shown.length > kept.length && shown.startsWith(kept)) lost[id] = shown.slice(kept.length);
  }
  return lost;
}

/** A page of earlier messages goes in front; what is there already stays as it is. */
export function putEarlier(conversation: Conversation, earlier: Message[], before: string | null): Conversation {
  const there = new Set(conversation.messages.map((m) => m.id));
  const messages = [...earlier.filter((m) => !there.has(m.id)), ...conversation.messages];
  return { ...conversation, messages, before };
}

/** The answer that runs now, if any. */
export function runningAnswer(conversation: Conversation | null): Message | undefined {
  return conversation?.messages.findLast((m) => m.role === 'assistant' && m.state === 'running');
}
