import type { FromHost, ToHost } from '../../protocol.ts';
import type { Editing, Sending } from './state.ts';

/** The state that the editor keeps for this view while it is hidden or the window reloads. */
export interface Saved {
  conversationId: string | null;
  /**
   * The scroll position: a message and the offset of its top from the top of the box, in CSS pixels. Null: at the end.
   */
  anchor: { messageId: string; offset: number } | null;
  /** Unfinished edits of earlier messages, by conversation. */
  edits: Record<string, Editing>;
  /**
   * The text typed for the next message; `told` is the text that the host has. `isAwaiting`: its chat had not arrived.
   * `before`: marks of the texts that the host had before, newest last.
   */
  composer?: { text: string; told: string; chatId?: string; isAwaiting: boolean; before?: number[] };
  /** The pending message, since `at` (milliseconds since 1970). */
  sending?: Omit<Sending, 'isPassed'> & { chatId?: string; at: number };
  /** What waited for an answer, since `at`: a quick reload may be faster than the host's own store. */
  queue?: { chatId: string; messages: { id: string; text: string }[]; at: number };
  /** This is the last state of its page. Otherwise it may be some seconds older than the page's end. */
  isLatest?: true;
}

/**
 * The web view's only interface to the outside: messages to the extension's host, and the editor's store for this view.
 */
export interface Host {
  post(message: ToHost): void;
  saved(): Saved | undefined;
  save(part: Partial<Saved>): void;
  onMessage(listener: (message: FromHost) => void): void;
}
