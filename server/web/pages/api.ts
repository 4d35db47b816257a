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

/**
 * Calls this page's own server; the cookie identifies the caller. Throws `CallFailed`, and tells the listeners about a
 * 401.
 */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
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
