import type { ZodType } from 'zod';
import { BackendError, describeCause } from './backendError.ts';
import type { ServerUrl } from './serverUrl.ts';
import { readSse, type SseMessage } from './sse.ts';

/** The server sends a comment line every 15 s. If three are missing in a row, the connection is dead. */
const SILENCE_MS = 45_000;
/** Under /v1 the server sends no such line, and ends by itself an answer of a model that stays silent. */
const THINKING_MS = 15 * 60_000;
/** Time limit for a response that is not a stream, body included. */
const ANSWER_MS = 30_000;
/** A body is given more time by this, which is 0.4 Mbit/s. */
const SLOWEST_BYTES_A_MS = 50;

/** The caller's credential. It makes new headers for each request, because a proof is valid only once. */
export interface Credential {
  /** The address of the server that this is for, as `parseServerUrl` returns it. `Wire` sends it to no other. */
  readonly server: string;
  /** The token; null for a key that has no token yet. */
  readonly token: string | null;
  /** `url` is absolute. */
  headers(method: string, url: string): Promise<Record<string, string>>;
  /** The server refused a proof. Takes the server's time (its `Date` header); true if a new proof may succeed. */
  takeTime?(date: string | null): boolean;
}

export interface WireOptions {
  baseUrl(): ServerUrl;
  fetch: typeof fetch;
  /** How this client names itself to the server, in printable ASCII. */
  device: string;
}

/**
 * HTTP requests and responses for `Backend`, which knows the routes. Every failure is a `BackendError`, except that an
 * abort throws the signal's reason.
 */
export class Wire {
  constructor(private readonly options: WireOptions) {}

  /** An answer in JSON, checked against the contract that `schema` loads. */
  async json<T>(
    method: string,
    path: string,
    who: Credential | null,
    schema: () => Promise<ZodType<T>>,
    body?: unknown,
  ): Promise<T> {
    const response = await this.send(method, path, who, body);
    let text: string;
    try {
      text = await response.text();
    } catch (error) {
      throw BackendError.offline(`The connection broke in the middle of the answer: ${describeCause(error)}.`, error);
    }
    return parseWith(await schema(), parseJson(text));
  }

  async send(method: string, path: string, who: Credential | null, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json, text/markdown' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const text = body === undefined ? undefined : JSON.stringify(body);
    // Pictures take their time on a slow line.
    const sendMs = (text?.length ?? 0) / SLOWEST_BYTES_A_MS;
    return this.request(path, who, {
      method,
      headers,
      body: text,
      signal: AbortSignal.timeout(Math.ceil(ANSWER_MS + sendMs)),
    });
  }

  /** The messages of a stream, the first of them `OPEN`. 45 s without data break the stream. */
  sse(
    path: string,
    who: Credential,
    signal: AbortSignal,
    lastEventId?: number,
    onOpen?: () => void,
  ): AsyncGenerator<SseMessage> {
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (lastEventId) headers['last-event-id'] = String(lastEventId);
    return this.stream(path, who, { headers }, { signal, silenceMs: SILENCE_MS, onOpen });
  }

  /** The messages of the stream that answers a POST, the first of them `OPEN`. A model may be silent for minutes. */
  answer(
    path: string,
    who: Credential,
    body: unknown,
    more: Record<string, string>,
    signal: AbortSignal,
  ): AsyncGenerator<SseMessage> {
    const accept = 'text/event-stream, application/problem+json';
    const headers = { accept, 'content-type': 'application/json', ...more };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return this.stream(path, who, init, { signal, silenceMs: THINKING_MS });
  }

  private async *stream(
    path: string,
    who: Credential,
    init: RequestInit,
    { signal, silenceMs, onOpen }: { signal: AbortSignal; silenceMs: number; onOpen?: () => void },
  ): AsyncGenerator<SseMessage> {
    const broken = new AbortController();
    let silence: ReturnType<typeof setTimeout> | undefined;
    const alive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => broken.abort(new Error(`nothing was heard for ${silenceMs / 1000} s`)), silenceMs);
    };
    const abort = () => broken.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    alive();
    try {
      const response = await this.request(path, who, { ...init, signal: broken.signal });
      if (!/^text\/event-stream/.test(response.headers.get('content-type') ?? '') || !response.body) {
        throw BackendError.wrongServer('The server is no Perigee server: it sent something other than events.');
      }
      onOpen?.();
      yield { event: OPEN, data: '', id: undefined };
      yield* readSse(response.body, alive);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof BackendError) throw error;
      const cause = broken.signal.aborted ? broken.signal.reason : error;
      throw BackendError.offline(`The connection broke: ${describeCause(cause)}.`, error);
    } finally {
      clearTimeout(silence);
      signal.removeEventListener('abort', abort);
      broken.abort();
    }
  }

  /** Resolves to a successful response; throws a `BackendError` for anything else. */
  private async request(path: string, who: Credential | null, init: RequestInit): Promise<Response> {
    const base = this.options.baseUrl();
    if ('wrong' in base) throw BackendError.wrongServer(base.wrong);
    if (who && who.server !== base.url) throw BackendError.otherServer();
    const headers = new Headers(init.headers);
    headers.set('perigee-device', this.options.device);
    const url = base.url + path;
    for (let attempt = 0; ; attempt++) {
      const proven = await who?.headers(init.method ?? 'GET', url);
      for (const [name, value] of Object.entries(proven ?? {})) headers.set(name, value);
      let response: Response;
      try {
        response = await this.options.fetch(url, { ...init, headers });
      } catch (error) {
        if (init.signal?.aborted && init.signal.reason?.name !== 'TimeoutError') throw error;
        throw BackendError.offline(`${base.url} cannot be reached: ${describeCause(error)}.`, error);
      }
      if (response.ok) return response;
      const error = await BackendError.fromResponse(response, base.url);
      const isClock = error.problem.code === 'invalid_dpop_proof' && who?.takeTime?.(response.headers.get('date'));
      if (!isClock || attempt > 0) throw error;
    }
  }
}

/** Marks the moment when an event stream opens. The server can't send this event name. */
export const OPEN = '\u0000open';

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw BackendError.wrongServer(
      'The server is no Perigee server: it answered with something that is not JSON.',
      error,
    );
  }
}

export function parseWith<T>(schema: ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw BackendError.wrongServer(
    `The server is no Perigee server, or of another version: its answer does not fit${where && ` at "${where}"`}.`,
    parsed.error,
  );
}
