import { setTimeout as delay } from 'node:timers/promises';
import OpenAI, { APIConnectionError, APIError } from 'openai';
import type { Usage } from '../../../shared/runs.ts';
import type { Log } from '../../platform/log.ts';
import { type ChunkNews, type FinishWhy, readChunk, toChatRequest, type Variant } from '../dialects/chatCompletions.ts';
import {
  Body,
  broken,
  keptAgent,
  malformed,
  NotAnswered,
  post,
  type Target,
  timedOut,
  unreachable,
} from './exchange.ts';
import { excerpt, failureInStream, failureOf, redact } from './failures.ts';
import { EventTooLong, SseReader } from './sse.ts';
import { type StreamEvent, type Upstream, UpstreamError, type UpstreamRequest } from './stream.ts';

/** How long each thing may take, in milliseconds. */
export interface Timeouts {
  /** Until the connection stands. */
  connectMs: number;
  /** Until the head of the answer, and from there until the first byte of its body. */
  firstByteMs: number;
  /** Between two pieces of the answer, comments included; thoughts that aren't shown are pieces too. */
  idleMs: number;
  /** Once the answer is finished, for the usage that follows it. */
  tailMs: number;
  /** The pause before the one retry when the service names none: this, and as much again at random. */
  retryMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  firstByteMs: 60_000,
  idleMs: 60_000,
  tailMs: 5_000,
  retryMs: 250,
};

/** A retry that the service asks to wait longer for than this is left to the user. */
const MAX_RETRY_AFTER_MS = 2_000;
/** A stream of nothing but comments is given up after this many idle times. */
const IDLE_TIMES_WITHOUT_EVENT = 10;
const MAX_BODY_BYTES = 4_000_000;
const MAX_ERROR_BYTES = 64_000;

/** Their chat completions take `prompt_cache_key`, which keeps a conversation on the machine that has it cached. */
const HOSTS_WITH_CACHE_KEY = new Set(['api.openai.com', 'api.moonshot.ai', 'api.moonshot.cn']);

export interface OpenAiUpstreamOptions {
  /** The service's base address, `/v1` included. */
  url: string;
  /** Without one, no Authorization is sent. */
  key?: string | null;
  log?: Pick<Log, 'warn'>;
  timeouts?: Partial<Timeouts>;
  /** Whether `prompt_cache_key` is sent; by default only to hosts known to take it, for others may refuse the request. */
  cacheKey?: boolean;
  /** By which its answers are asked for; plain calls go the way of every fetch. */
  proxy?: string | null;
}

/**
 * Any OpenAI-compatible model service. Before the first byte of an answer, one retry on 429, 5xx and failed connections;
 * after it, none.
 *
 * The `openai` package brings the types, the errors and the plain calls. Its stream (6.49) is not used: it takes 48 µs an
 * event where this takes 30 (60 streams, 50 events/s each), for it runs on web streams; it prints a malformed chunk, which
 * is a user's text, to the console; it takes a line of any length; and it ends without an error both when it is aborted
 * and when the service breaks off without a last event.
 */
export function openAiUpstream(options: OpenAiUpstreamOptions): Upstream {
  return new OpenAiUpstream(options);
}

class OpenAiUpstream implements Upstream {
  readonly #target: Target;
  readonly #key: string | undefined;
  readonly #log: Pick<Log, 'warn'> | undefined;
  readonly #timeouts: Timeouts;
  readonly #client: OpenAI;
  readonly #usual: Variant;
  /** What each model turned out to need, learnt from refusals. */
  readonly #variants = new Map<string, Variant>();

  constructor({ url, key, log, timeouts, cacheKey, proxy }: OpenAiUpstreamOptions) {
    const base = url.replace(/\/+$/, '');
    const endpoint = new URL(`${base}/chat/completions`);
    this.#key = key?.trim() || undefined;
    this.#log = log;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...timeouts };
    this.#target = {
      url: endpoint,
      agent: keptAgent(endpoint, proxy ?? null),
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        'user-agent': 'perigee',
        ...(this.#key ? { authorization: `Bearer ${this.#key}` } : {}),
      },
    };
    this.#usual = {
      limit: 'max_tokens',
      streamOptions: true,
      cacheKey: cacheKey ?? HOSTS_WITH_CACHE_KEY.has(endpoint.hostname),
    };
    this.#client = new OpenAI({
      baseURL: base,
      // Everything is said here, so that no variable of the environment (OPENAI_…) has a say.
      apiKey: this.#key ?? 'none',
      organization: null,
      project: null,
      defaultHeaders: this.#key ? {} : { authorization: null },
      maxRetries: 0,
      logLevel: 'off',
      // The key must not travel to another address.
      fetchOptions: { redirect: 'manual' },
    });
  }

  async models(): Promise<string[]> {
    const signal = AbortSignal.timeout(this.#timeouts.firstByteMs);
    let list: unknown;
    try {
      list = await (await this.#client.models.list({ signal }).asResponse()).json();
    } catch (error) {
      if (signal.aborted) throw timedOut(`no list of models in ${this.#timeouts.firstByteMs} ms`);
      if (error instanceof APIConnectionError) throw unreachable(excerpt(String(error.cause ?? error)), error);
      if (error instanceof APIError && error.status !== undefined) {
        const body = redact(JSON.stringify({ error: error.error ?? error.message }), this.#key);
        const headers = Object.fromEntries(error.headers ?? []);
        throw failureOf({ status: error.status, headers, body, nowMs: Date.now() });
      }
      throw malformed('the list of models is not JSON', error);
    }
    const data = (list as { data?: unknown } | null)?.data;
    if (!Array.isArray(data)) throw malformed('the list of models has no data');
    return data.map((model) => model?.id).filter((id) => typeof id === 'string');
  }

  async *stream(request: UpstreamRequest, signal: AbortSignal): AsyncGenerator<StreamEvent, void, undefined> {
    signal.throwIfAborted();
    const body = await this.#open(request, signal);
    const answer = new Answer();
    try {
      yield* /json|html/.test(body.response.headers['content-type'] ?? '')
        ? this.#readWhole(body, answer)
        : this.#readEvents(body, answer);
    } catch (error) {
      // Whoever pays for what came so far pays what the service says it is, where it has said so.
      if (answer.usageSoFar) yield { type: 'usage', usage: answer.usageSoFar };
      if (signal.aborted) throw signal.reason;
      throw error instanceof UpstreamError ? error : broken('the connection broke', error);
    } finally {
      body.close(answer.ended);
    }
  }

  async *#readEvents(body: Body, answer: Answer): AsyncGenerator<StreamEvent, void, undefined> {
    const { firstByteMs, idleMs, tailMs } = this.#timeouts;
    const reader = new SseReader();
    let wait = firstByteMs;
    let lastEventAt = performance.now();
    for (;;) {
      let piece: Buffer | 'end' | 'timeout';
      try {
        piece = await body.next(answer.finish ? tailMs : wait);
      } catch (error) {
        // The answer is whole; only what follows it is missing.
        if (answer.finish) break;
        throw error;
      }
      wait = idleMs;
      let datas: string[] = [];
      if (typeof piece !== 'string') datas = this.#feed(reader, piece, answer);
      else if (piece === 'end') datas = lastData(reader);
      const text = answer.take(datas, this.#key);
      // One event for all that came at once: fewer steps for everybody after us.
      if (text) yield { type: 'text', text };
      if (answer.failure || answer.ended || piece === 'end') break;
      if (piece === 'timeout') {
        if (answer.finish) break;
        throw timedOut('silence');
      }
      const now = performance.now();
      if (datas.length > 0) lastEventAt = now;
      else if (now - lastEventAt > IDLE_TIMES_WITHOUT_EVENT * idleMs) throw timedOut('nothing but comments');
    }
    yield* answer.close();
  }

  #feed(reader: SseReader, piece: Buffer, answer: Answer): string[] {
    try {
      return reader.feed(piece);
    } catch (error) {
      if (!(error instanceof EventTooLong)) throw error;
      answer.failure = malformed('an event without end');
      return [];
    }
  }

  /** A service that answers in one piece though a stream was asked for, or refuses with status 200. */
  async *#readWhole(body: Body, answer: Answer): AsyncGenerator<StreamEvent, void, undefined> {
    const { text, whole } = await body.text(MAX_BODY_BYTES, this.#timeouts.firstByteMs);
    if (!whole) throw broken('an answer in one piece that did not end');
    const said = answer.take([text], this.#key);
    if (said) yield { type: 'text', text: said };
    answer.ended = true;
    yield* answer.close();
  }

  /** Sends the request, by turns with fewer fields where the service refuses one, and once more where that is safe. */
  async #open(request: UpstreamRequest, signal: AbortSignal): Promise<Body> {
    let retries = 1;
    for (;;) {
      const variant = this.#variants.get(request.model) ?? this.#usual;
      let failure: UpstreamError;
      try {
        const payload = JSON.stringify(toChatRequest(request, variant));
        const body = new Body(await post(this.#target, payload, this.#timeouts, signal), signal);
        const status = body.response.statusCode ?? 0;
        if (status >= 200 && status < 300) return body;
        const { text, whole } = await body
          .text(MAX_ERROR_BYTES, this.#timeouts.idleMs)
          .finally(() => body.close(false));
        const { headers } = body.response;
        const safe = redact(whole ? text : `${text}…`, this.#key);
        if ((status === 400 || status === 422) && this.#learn(request.model, variant, safe)) continue;
        failure = failureOf({ status, headers, body: safe, nowMs: Date.now() });
        const again = status === 408 || status === 429 || status >= 500;
        if (!again || failure.code === 'upstream_refused' || headers['x-should-retry'] === 'false') throw failure;
      } catch (error) {
        if (!(error instanceof NotAnswered)) throw error;
        failure = error.failure;
        if (!error.again) throw failure;
      }
      const { retryMs } = this.#timeouts;
      const waitMs = failure.options.retryAfterMs ?? retryMs * (1 + Math.random());
      if (retries === 0 || waitMs > MAX_RETRY_AFTER_MS) throw failure;
      retries -= 1;
      this.#log?.warn({ code: failure.code, detail: failure.options.logDetail, waitMs }, 'upstream: tried once more');
      await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /** True when the refusal is about a field that can be left out or renamed: then the next try does so, and all later. */
  #learn(model: string, variant: Variant, refusal: string): boolean {
    const next = { ...variant };
    if (variant.limit === 'max_tokens' && refusal.includes('max_completion_tokens'))
      next.limit = 'max_completion_tokens';
    else if (variant.cacheKey && refusal.includes('prompt_cache_key')) next.cacheKey = false;
    else if (variant.streamOptions && /stream_options|include_usage/.test(refusal)) next.streamOptions = false;
    else return false;
    this.#variants.set(model, next);
    this.#log?.warn({ model, variant: next }, 'upstream: the service refused a field, now sent without');
    return true;
  }
}

/** What has been read of one answer. */
class Answer {
  finish: FinishWhy | 'failed' | null = null;
  usage: Usage | null = null;
  failure: UpstreamError | null = null;
  /** Read to its last event, so that the connection can be used again. */
  ended = false;
  #events = 0;
  /** Text came after the usage was reported, or the usage was passed on. */
  #isStale = false;

  /** Takes the events' data in order, up to a failure or the last event; returns the text in them. */
  take(datas: string[], key: string | undefined): string {
    let text = '';
    for (const data of datas) {
      if (this.failure || this.ended) break;
      if (data === '[DONE]') {
        this.ended = true;
        break;
      }
      const chunk = parse(data);
      if (chunk === undefined) {
        this.failure = malformed(`a chunk of ${data.length} characters is not JSON`);
        break;
      }
      const news = readChunk(chunk);
      // Some services send objects of their own in between, such as pings.
      if (!news) continue;
      this.#events += 1;
      if (news.error) this.failure = failureInStream(JSON.parse(redact(JSON.stringify(news.error), key)));
      else text += this.#note(news);
    }
    return text;
  }

  #note(news: ChunkNews): string {
    if (news.usage) this.usage = news.usage;
    if (news.usage || news.text) this.#isStale = !news.usage;
    // A refusal is not undone by the plain "stop" that may follow it.
    if (news.finish && this.finish !== 'refusal') this.finish = news.finish;
    return news.text;
  }

  /** The usage of an answer that broke off, from a service that reports it with every piece; null if it isn't known. */
  get usageSoFar(): Usage | null {
    return this.#isStale ? null : this.usage;
  }

  /** The last events: usage if it was reported, then finish; throws if the answer has not come to an end. */
  *close(): Generator<StreamEvent, void, undefined> {
    if (this.usage) yield { type: 'usage', usage: this.usage };
    this.#isStale = true;
    if (this.failure) throw this.failure;
    if (this.finish === 'failed') throw broken('the service gave up by its finish_reason');
    if (!this.finish && !(this.ended && this.#events > 0)) {
      throw this.#events > 0 ? broken('end without finish_reason') : malformed('an answer without a single event');
    }
    yield { type: 'finish', why: this.finish ?? 'stop' };
  }
}

/** The last event, if the stream ended before the blank line after it; half an event is none. */
function lastData(reader: SseReader): string[] {
  const data = reader.rest();
  return data !== null && (data === '[DONE]' || parse(data) !== undefined) ? [data] : [];
}

/** Undefined when it is no JSON. */
function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
