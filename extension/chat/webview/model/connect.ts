import type { FromHost } from '../../protocol.ts';
import type { Host, Saved } from './host.ts';

/** `store` names the view's state, in both of its places. */
type Stored = Saved & { store: string };

const KEY = 'perigee chat';

/** The host of this page, by the editor's own interface. */
export function connectHost(): Host {
  const api = acquireVsCodeApi<Stored>();
  const empty: Saved = { conversationId: null, anchor: null, edits: {} };
  let kept = latest(api.getState(), readWindow());
  return {
    post: (message) => api.postMessage(message),
    saved: () => kept && { ...empty, ...kept },
    save: (part) => {
      kept = { ...empty, store: crypto.randomUUID(), ...kept, ...part, isLatest: undefined };
      api.setState(kept);
      writeWindow(kept);
    },
    onMessage: (listener) => window.addEventListener('message', (event) => listener(event.data as FromHost)),
  };
}

/**
 * The editor stores what `setState` was given some time later (the browser edition of VS Code: each 5 s), so a reload of the
 * window may lose it. The session storage has it at once, and lives as long as the window: where both are of the same
 * store, it is the later one. Of another workspace that was open in this window it is not taken.
 */
function latest(state: Stored | undefined, ofWindow: Stored | undefined): Stored | undefined {
  return ofWindow && (!state || state.store === ofWindow.store) ? { ...ofWindow, isLatest: true } : state;
}

function readWindow(): Stored | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? undefined;
  } catch {
    return undefined; // Not allowed here.
  }
}

function writeWindow(state: Stored): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // Not allowed here, or full: an older state must not be taken for this one.
    try {
      sessionStorage.removeItem(KEY);
    } catch {}
  }
}
