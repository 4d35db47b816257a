import type { FromHost } from '../../protocol.ts';
import type { Host, Saved } from './host.ts';

/** The host of this page, by the editor's own interface. */
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
