/// <reference types="vscode-webview" />
import type { FromHost } from '../../protocol.ts';
import type { Host, Saved } from './host.ts';

/** `store` identifies the view's state in both of its stores. `savedAt`: milliseconds since 1970. */
type Stored = Saved & { store: string; savedAt?: number };

/** The page's host, through the editor's API. `scope` names the workspace, and the host's memory for it. */
export function connectHost(scope: string): Host {
  const key = `perigee chat ${scope}`;
  const api = acquireVsCodeApi<Stored>();
  const empty: Saved = { conversationId: null, anchor: null, edits: {} };
  let kept = latest(api.getState(), readWindow(key));
  return {
    post: (message) => api.postMessage(message),
    saved: () => kept && { ...empty, ...kept },
    save: (part) => {
      kept = { ...empty, store: crypto.randomUUID(), ...kept, ...part, isLatest: undefined, savedAt: Date.now() };
      api.setState(kept);
      writeWindow(key, kept);
    },
    onMessage: (listener) => window.addEventListener('message', (event) => listener(event.data as FromHost)),
  };
}

/**
 * The editor stores the value of `setState` some time later (the browser edition of VS Code: every 5 s), so a reload of
 * the window may lose it. The session storage has it at once and lives as long as the window, so it has a key for each
 * workspace. If both have the same store, the later one counts: the workspace may have been open in another window
 * since.
 */
function latest(state: Stored | undefined, ofWindow: Stored | undefined): Stored | undefined {
  const isLatest = !state || (state.store === ofWindow?.store && (state.savedAt ?? 0) <= (ofWindow.savedAt ?? 0));
  return ofWindow && isLatest ? { ...ofWindow, isLatest: true } : state;
}

function readWindow(key: string): Stored | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null') ?? undefined;
  } catch {
    return undefined; // Not allowed here.
  }
}

function writeWindow(key: string, state: Stored): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(state));
  } catch {
    // Not allowed or full: remove the old state, so that it is not taken for this one.
    try {
      sessionStorage.removeItem(key);
    } catch {}
  }
}
