import type { FromHost, ToHost } from '../../protocol.ts';
import type { Editing, Sending } from './state.ts';

/** What the editor keeps for this view while it is hidden or the window reloads. */
export interface Saved {
  conversationId: string | null;
  /** Where the reader was: a message and how far its top was from the top of the box, in CSS pixels; null: at the end. */
  anchor: { messageId: string; offset: number } | null;
  /** Earlier messages that were being edited, by conversation. */
  edits: Record<string, Editing>;
  /** What is typed for the next message, `told` to the host or not. `isAwaiting`: its chat was not there yet. */
  composer?: { text: string; told: string; chatId?: string; isAwaiting: boolean };
  /** A message that is on its way, since `at` (milliseconds since 1970). */
  sending?: Omit<Sending, 'isPassed'> & { chatId?: string; at: number };
  /** Nothing was kept after this. Else it may be of some seconds before the page was closed. */
  isLatest?: true;
}

/** The only way out of the web view: messages to the extension's host, and the editor's small store for this view. */
export interface Host {
  post(message: ToHost): void;
  saved(): Saved | undefined;
  save(part: Partial<Saved>): void;
  onMessage(listener: (message: FromHost) => void): void;
}
