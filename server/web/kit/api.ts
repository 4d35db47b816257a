import type { Problem } from '../../../shared/problems.ts';

/** A failed call: the server refused, or could not be reached. */
export class CallFailed extends Error {
  constructor(
    readonly code: Problem['code'] | 'offline',
    readonly title: string,
    readonly detail: string,
  ) {
    super(`${title}: ${detail}`);
  }
}

const OFFLINE = ['offline', 'The server cannot be reached', 'Nothing was changed. Try again in a moment.'] as const;

type Watcher = (path: string, failure: CallFailed | undefined) => void;
const watchers = new Set<Watcher>();

/** Tells of each call that was answered or failed; returns a function that ends it. */
export function watchCalls(watcher: Watcher): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Calls this page's own server; the cookie identifies the caller. Throws `CallFailed`. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  try {
    const value = await answerTo<T>(method, path, body);
    for (const watcher of [...watchers]) watcher(path, undefined);
    return value;
  } catch (error) {
    for (const watcher of [...watchers]) watcher(path, asFailure(error));
    throw error;
  }
}

async function answerTo<T>(method: string, path: string, body: unknown): Promise<T> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.headers = { 'content-type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init).catch(() => {
    throw new CallFailed(...OFFLINE);
  });
  const text = await response.text().catch(() => '');
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
  throw failureOf(response.status, text);
}

/** Sends a file as it is. `onProgress`: the part that is sent, 0 to 1. Only XMLHttpRequest tells of that. */
export function sendFile<T>(path: string, file: Blob, onProgress: (part: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0));
    request.addEventListener('load', () => {
      const { status, responseText } = request;
      if (status >= 200 && status < 300) resolve(JSON.parse(responseText) as T);
      else reject(failureOf(status, responseText));
    });
    request.addEventListener('error', () => reject(new CallFailed(...OFFLINE)));
    request.open('POST', path);
    request.setRequestHeader('content-type', file.type);
    request.send(file);
  });
}

function failureOf(status: number, text: string): CallFailed {
  try {
    const { code, title, detail } = JSON.parse(text) as Problem;
    if (typeof title === 'string' && typeof detail === 'string') return new CallFailed(code, title, detail);
  } catch {
    // A proxy's error page is no JSON.
  }
  if (status >= 502) return new CallFailed(...OFFLINE);
  return new CallFailed('internal', 'The server made a mistake', 'Nothing was changed. Try again in a moment.');
}

export const asFailure = (error: unknown): CallFailed =>
  error instanceof CallFailed
    ? error
    : new CallFailed('internal', 'This page made a mistake', error instanceof Error ? error.message : String(error));
