import { useEffect, useState } from 'preact/hooks';
import type { Change, Topic } from '../../../shared/account.ts';
import { asFailure, type CallFailed, call } from './api.ts';

type Listener = (change: Change) => void;
const listeners = new Set<Listener>();
let source: EventSource | undefined;

/** Listens to the server's changes while the page is open; reconnects by itself. */
export function listen(onRefused: () => void): void {
  source?.close();
  source = new EventSource('/api/account/events');
  source.addEventListener('change', (event) => {
    const change = JSON.parse((event as MessageEvent<string>).data) as Change;
    for (const listener of [...listeners]) listener(change);
  });
  source.addEventListener('open', () => {
    // Changes before the connection, also before the first, were missed.
    for (const listener of [...listeners]) listener({ topic: 'account', id: '' });
  });
  source.addEventListener('error', () => {
    if (source?.readyState === EventSource.CLOSED) onRefused();
  });
}

export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export interface Resource<T> {
  /** The last answer; undefined before the first one. */
  value: T | undefined;
  failure: CallFailed | undefined;
  reload: () => void;
}

/** Reads a path, and reads it again when one of these topics changes. An older answer never replaces a newer one. */
export function useResource<T>(path: string | null, topics: readonly Topic[]): Resource<T> {
  const [state, setState] = useState<{ path: string | null; value?: T; failure?: CallFailed }>({ path });
  const [turn, setTurn] = useState(0);
  const reload = () => setTurn((n) => n + 1);
  useEffect(() => {
    if (path === null) return;
    let isCurrent = true;
    call<T>('GET', path).then(
      (value) => isCurrent && setState({ path, value }),
      (error) => isCurrent && setState((old) => ({ ...old, path, failure: asFailure(error) })),
    );
    return () => {
      isCurrent = false;
    };
  }, [path, turn]);
  const wanted = topics.join();
  useEffect(() => onChange(({ topic, id }) => (wanted.split(',').includes(topic) || id === '') && reload()), [wanted]);
  // The previous path's answer stays until the new one arrives, so that the layout doesn't jump.
  return { value: state.value, failure: state.failure, reload };
}
