import type { ProxyConfig } from '../../platform/config/proxyConfig.ts';
import { routeTo } from '../../platform/outbound.ts';
import type { Json } from '../dialects/chat/refused.ts';
import { inspect, wellFormed } from '../dialects/chat/size.ts';
import { NATIVE_MESSAGES } from '../dialects/native/messages.ts';
import type { NativeDialect } from '../dialects/native/native.ts';
import { NATIVE_RESPONSES } from '../dialects/native/responses.ts';
import {
  type CallRequest,
  type NativeName,
  type Piece,
  type StreamEvent,
  saysSomething,
  type Upstream,
  UpstreamError,
} from '../stream.ts';
import { Body, broken, malformed, NotAnswered, post, type Target, timedOut, unreachable } from './exchange.ts';
import { failureInStream, failureOf, redact } from './failures.ts';
import { UnknownEncoding } from './inflater.ts';
import { parseJson } from './jsonSplitter.ts';
import { boundedFetch, modelIds } from './modelList.ts';
import { DEFAULT_TIMEOUTS, MAX_ERROR_BYTES, MAX_STREAM_BYTES, type Timeouts } from './openai.ts';
import { EventTooLong, NoStream, SseReader } from './sse.ts';

const DIALECTS: Record<NativeName, NativeDialect> = { messages: NATIVE_MESSAGES, responses: NATIVE_RESPONSES };
/** Of Anthropic's API, for clients that name none. */
const VERSION = '2023-06-01';

export interface NativeUpstreamOptions {
  /** The service's base address, `/v1` included. */
  url: string;
  key: string | null;
  dialect: NativeName;
  timeouts?: Partial<Timeouts>;
  proxies?: ProxyConfig | null;
}

/** A service that speaks a dialect of tools itself. It answers calls of that dialect alone. */
export function nativeUpstream(options: NativeUpstreamOptions): Upstream {
  return new NativeUpstream(options);
}

class NativeUpstream implements Upstream {
  readonly #target: Target;
  readonly #key: string | undefined;
  readonly #dialect: NativeDialect;
  readonly #timeouts: Timeouts;
  readonly #models: { url: string; headers: Record<string, string> };

  constructor({ url, key, dialect, timeouts, proxies }: NativeUpstreamOptions) {
    const base = url.replace(/\/+$/, '');
    this.#key = key?.trim() || undefined;
    this.#dialect = DIALECTS[dialect];
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...timeouts };
    const endpoint = new URL(base + this.#dialect.path);
    const route = routeTo(endpoint, proxies ?? null);
    const keyHeaders = this.#key ? this.#dialect.keyHeaders(this.#key) : {};
    this.#target = {
      ...route,
      url: endpoint,
      headers: {
        ...route.headers,
        ...keyHeaders,
        'content-type': 'application/json',
        'accept-encoding': 'identity',
        'user-agent': 'perigee',
      },
    };
    const version: Record<string, string> = dialect === 'messages' ? { 'anthropic-version': VERSION } : {};
    this.#models = { url: `${base}/models`, headers: { ...keyHeaders, ...version } };
  }

  async models(): Promise<string[]> {
    const signal = AbortSignal.timeout(this.#timeouts.firstByteMs);
    let response: Response;
    let text: string;
    try {
      response = await boundedFetch(this.#models.url, { headers: this.#models.headers, redirect: 'manual', signal });
      text = await response.text();
    } catch (error) {
      if (signal.aborted) throw timedOut(`no list of models in ${this.#timeouts.firstByteMs} ms`);
      throw unreachable(String((error as Error).cause ?? error), error);
    }
    if (!response.ok) {
      const headers = Object.fromEntries(response.headers);
      throw failureOf({ status: response.status, headers, body: redact(text, this.#key), nowMs: Date.now() });
    }
    const ids = modelIds(parseJson(text));
    if (!ids) throw malformed('the list of models has no data');
    return ids;
  }

  // biome-ignore lint/correctness/useYield: it has no answer to give
  async *stream(): AsyncGenerator<Piece, void, undefined> {
    throw new UpstreamError('upstream_unreachable', 'This model service answers no chat.');
  }

  async *call(request: CallRequest, signal: AbortSignal): AsyncGenerator<Piece, void, undefined> {
    if (!request.native) throw new UpstreamError('upstream_unreachable', 'This model service answers no chat.');
    signal.throwIfAborted();
    const waits = request.isStream
      ? this.#timeouts
      : { ...this.#timeouts, firstByteMs: this.#timeouts.wholeMs, idleMs: this.#timeouts.wholeMs };
    const body = await this.#open(request, waits, signal);
    let isOver = false;
    try {
      for await (const piece of request.isStream ? this.#events(body, waits) : this.#whole(body, waits)) {
        isOver ||= piece.events.some(({ type }) => type === 'finish');
        yield piece;
      }
      if (!isOver) throw broken('end without a terminal event');
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof UnknownEncoding) throw malformed(`an encoding that can't be read: ${error.message}`);
      throw error instanceof UpstreamError ? error : broken('the connection broke', error);
    } finally {
      body.close(isOver);
    }
  }

  /** Nothing of the request is kept once it is sent: an answer may take half an hour. */
  #post({ native, model, maxOutputTokens }: CallRequest, waits: Timeouts, signal: AbortSignal) {
    const headers = { 'anthropic-version': VERSION, ...native!.headers, ...this.#target.headers };
    // Services answer half a character with a 500.
    const given = inspect(native!.body) ? native!.body : wellFormed(native!.body);
    const payload = JSON.stringify(this.#dialect.body(given, model, maxOutputTokens));
    return post({ ...this.#target, headers }, payload, waits, signal);
  }

  async #open(request: CallRequest, waits: Timeouts, signal: AbortSignal): Promise<Body> {
    let body: Body;
    try {
      body = new Body(await this.#post(request, waits, signal), signal);
    } catch (error) {
      throw error instanceof NotAnswered ? error.failure : error;
    }
    const status = body.response.statusCode ?? 0;
    if (status >= 200 && status < 300) return body;
    const { text } = await body.text(MAX_ERROR_BYTES, waits.idleMs).finally(() => body.close(false));
    const { headers } = body.response;
    throw failureOf({ status, headers, body: redact(text, this.#key), nowMs: Date.now() });
  }

  async *#events(body: Body, { firstByteMs, idleMs, pace }: Timeouts): AsyncGenerator<Piece, void, undefined> {
    const reader = this.#dialect.reader();
    const sse = new SseReader();
    let wait = firstByteMs;
    let bytes = 0;
    let hasBegun = false;
    for (;;) {
      const piece = await body.next(wait, hasBegun ? pace : undefined);
      wait = idleMs;
      if (piece === 'timeout') throw timedOut('silence');
      if (piece === 'end') return;
      bytes += piece.length;
      if (bytes > MAX_STREAM_BYTES) throw malformed('an answer without end');
      const events: StreamEvent[] = [];
      const native: Json[] = [];
      let isOver = false;
      for (const data of fed(sse, piece)) {
        // What follows the end says nothing, such as `[DONE]`.
        if (isOver) break;
        if (data === '[DONE]') continue;
        const event = parseJson(data);
        if (typeof event !== 'object' || event === null) throw malformed('an event that is no JSON object');
        const news = reader.take(event as Json);
        events.push(...news.events);
        if (news.error) {
          if (events.length > 0 || native.length > 0) yield { chunks: [], events, native };
          throw failureInStream(news.error);
        }
        native.push(event as Json);
        isOver ||= news.isOver === true;
      }
      const read = { chunks: [], events, native };
      if (native.length > 0) yield read;
      if (isOver) return;
      hasBegun ||= saysSomething(read);
    }
  }

  async *#whole(body: Body, { idleMs }: Timeouts): AsyncGenerator<Piece, void, undefined> {
    const { text, whole } = await body.text(MAX_STREAM_BYTES, idleMs);
    const answer = whole ? parseJson(text) : undefined;
    if (typeof answer !== 'object' || answer === null) throw malformed('an answer that is no JSON object');
    const { events, error, isOver } = this.#dialect.whole(answer as Json);
    if (error) throw failureInStream(error);
    if (!isOver) throw malformed('an answer of another dialect');
    yield { chunks: [], events, native: [answer as Json] };
  }
}

function fed(sse: SseReader, piece: Buffer): string[] {
  try {
    return sse.feed(piece);
  } catch (error) {
    if (error instanceof EventTooLong) throw malformed('an event without end');
    if (error instanceof NoStream) throw malformed('a page instead of an answer');
    throw error;
  }
}
