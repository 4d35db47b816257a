import type { FromHost, ToHost } from '../protocol.ts';

/** What the editor keeps for this view while it is hidden or the window reloads. */
export interface Saved {
  conversationId: string | null;
  /** Where the reader was: a message and how far its top was from the top of the box, in CSS pixels; null: at the end. */
  anchor: { messageId: string; offset: number } | null;
  /** Earlier messages that were being edited, by conversation. */
  edits: Record<string, Editing>;
}

export interface Editing {
  messageId: string;
  text: string;
  /** Ids of the attachments that stay. */
  keep: string[];
}

/** The only way out of the web view: messages to the extension's host, and the editor's small store for this view. */
export interface Host {
  post(message: ToHost): void;
  saved(): Saved | undefined;
  save(part: Partial<Saved>): void;
  onMessage(listener: (message: FromHost) => void): void;
}

export function connectHost(): Host {
  const api = acquireVsCodeApi<Saved>();
  const empty: Saved = { conversationId: null, anchor: null, edits: {} };
  return {
    post: (message) => api.postMessage(message),
    saved: () => {
      const state = api.getState();
      return state && { ...empty, ...state };
    },
    save: (part) => void api.setState({ ...empty, ...api.getState(), ...part }),
    onMessage: (listener) => window.addEventListener('message', (event) => listener(event.data as FromHost)),
  };
}
