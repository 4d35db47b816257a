import { setTimeout as delay } from 'node:timers/promises';
import OpenAI, { APIConnectionError, APIError } from 'openai';
import type { ProxyConfig } from '../../platform/config/proxyConfig.ts';
import type { Log } from '../../platform/log.ts';
import { routeTo } from '../../platform/outbound.ts';
import { toCallRequest, toChatRequest, type Variant } from '../dialects/chatCompletions.ts';
import {
  type CallRequest,
  type Piece,
  saysSomething,
  type Upstream,
  UpstreamError,
  type UpstreamRequest,
} from '../stream.ts';
import { Answer } from './answer.ts';
import {
  Body,
  broken,
  malformed,
  NotAnswered,
  type Pace,
  post,
  type Target,
  timedOut,
  unreachable,
} from './exchange.ts';
import { excerpt, failureOf, redact } from './failures.ts';
import { UnknownEncoding } from './inflater.ts';
import { boundedFetch, modelIds } from './modelList.ts';

/** Timeouts in milliseconds. */
export interface Timeouts {
  /** Until the connection is established. */
  connectMs: number;
  /** Until the response head, and again from there to the first byte of the body. */
  firstByteMs: number;
  /** Between two pieces of the answer. SSE comments and hidden reasoning count as pieces. */
  idleMs: number;
  /** In place of the two above, for an answer that comes in one piece when it is complete. */
  wholeMs: number;
  /** After the answer has finished, for the usage that follows it. */
  tailMs: number;
  /** Not a limit: how often an answer is read once it has begun. */
  pace: Pace;
  /** Pause before the one retry if the service names none: this, plus up to as much again at random. */
  retryMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  firstByteMs: 60_000,
  idleMs: 60_000,
  wholeMs: 10 * 60_000,
  tailMs: 5_000,
  pace: { leastMs: 40, mostMs: 100 },
  retryMs: 250,
};

/** If the service asks for a longer wait than this, the user decides about the retry. */
const MAX_RETRY_AFTER_MS = 2_000;
/** A stream of nothing but SSE comments is given up after this many idle timeouts. */
const IDLE_TIMES_WITHOUT_EVENT = 10;
/** Some 1,500 bytes for each token of the longest answer; a longer stream is no answer. */
export const MAX_STREAM_BYTES = 200_000_000;
export const MAX_ERROR_BYTES = 64_000;

/** These hosts take `prompt_cache_key`, which routes a conversation to the machine that has its prompt cached. */
const HOSTS_WITH_CACHE_KEY = new Set(['api.openai.com', 'api.moonshot.ai', 'api.moonshot.cn']);

export interface OpenAiUpstreamOptions {
  /** The service's base address, `/v1` included. */
  url: string;
  /** Without a key, no Authorization header is sent. */
  key?: string | null;
  log?: Pick<Log, 'warn'>;
  timeouts?: Partial<Timeouts>;
  /** The proxies for chat requests. The list of models uses those of `fetch`. */
  proxies?: ProxyConfig | null;
  /** Whether to send `prompt_cache_key`. By default only known hosts get it, because others may refuse the request. */
  cacheKey?: boolean;
  /** How often a request is tried again. With several services, the router asks another one instead. */
  retries?: number;
}

/**
 * Any OpenAI-compatible model service. Retries once on 429, 5xx and failed connections, but only before the first byte
 * of an answer.
 *
 * The `openai` package provides the types, the errors and the plain calls. Its stream (6.49) is not used: it takes 48
 * µs an event where this takes 30 (60 streams, 50 events/s each), because it runs on web streams; it prints a malformed
 * chunk, which is a user's text, to the console; it takes a line of any length; and it ends without an error both when
 * it is aborted and when the service breaks off without a last event.
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
  readonly #retries: number;
  /** The request fields that each model accepts, learnt from refusals. */
  readonly #variants = new Map<string, Variant>();

  constructor({ url, key, log, timeouts, cacheKey, proxies, retries = 1 }: OpenAiUpstreamOptions) {
    this.#retries = retries;
    const base = url.replace(/\/+$/, '');
    const endpoint = new URL(`${base}/chat/completions`);
    this.#key = key?.trim() || undefined;
    this.#log = log;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...timeouts };
    const route = routeTo(endpoint, proxies ?? null);
    this.#target = {
      ...route,
      url: endpoint,
      headers: {
        ...route.headers,
        'content-type': 'application/json',
        accept: 'text/event-stream',
        'accept-encoding': 'identity',
        'user-agent': 'perigee',
        ...(this.#key ? { authorization: `Bearer ${this.#key}` } : {}),
      },
    };
    this.#usual = {
      limit: 'max_tokens',
      streamOptions: true,
      cacheKey: cacheKey ?? HOSTS_WITH_CACHE_KEY.has(endpoint.hostname),
      developerRole: endpoint.hostname === 'api.openai.com',
      systemFirst: false,
      reasoning: false,
    };
    this.#client = new OpenAI({
      baseURL: base,
      // All options are set here, so that no environment variable (OPENAI_…) can change them.
      apiKey: this.#key ?? 'none',
      organization: null,
      project: null,
      defaultHeaders: this.#key ? {} : { authorization: null },
      maxRetries: 0,
      logLevel: 'off',
      // A redirect would send the key to another address.
      fetchOptions: { redirect: 'manual' },
      fetch: boundedFetch,
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
    const ids = modelIds(list);
    if (!ids) throw malformed('the list of models has no data');
    return ids;
  }

  stream(request: UpstreamRequest, signal: AbortSignal): AsyncIterable<Piece> {
    const payload = (variant: Variant) => JSON.stringify(toChatRequest(request, variant));
    return this.#answer(request.model, payload, this.#timeouts, signal);
  }

  call(request: CallRequest, signal: AbortSignal): AsyncIterable<Piece> {
    const payload = (variant: Variant) => JSON.stringify(toCallRequest(request, variant));
    const waits = this.#timeouts;
    // An answer in one piece is silent until it is complete.
    const patient = { ...waits, firstByteMs: waits.wholeMs, idleMs: waits.wholeMs };
    return this.#answer(request.model, payload, request.isStream ? waits : patient, signal);
  }

  async *#answer(
    model: string,
    payload: (variant: Variant) => string,
    waits: Timeouts,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, void, undefined> {
    signal.throwIfAborted();
    const body = await this.#open(model, payload, waits, signal);
    const answer = new Answer(this.#key);
    const { idleMs, tailMs, pace } = waits;
    let wait = waits.firstByteMs;
    let bytes = 0;
    let hasBegun = false;
    let lastEventAt = performance.now();
    try {
      while (!answer.isOver) {
        let piece: Buffer | 'end' | 'timeout';
        try {
          const { isFinished } = answer;
          piece = await body.next(isFinished ? tailMs : wait, hasBegun && !isFinished ? pace : undefined);
        } catch (error) {
          // The answer is complete; only its usage is missing.
          if (answer.isFinished) break;
          throw error;
        }
        wait = idleMs;
        if (piece === 'timeout') {
          if (answer.isFinished) break;
          throw timedOut('silence');
        }
        const before = answer.count;
        const read = piece === 'end' ? answer.end() : answer.feed(piece);
        if (read.events.length + read.chunks.length > 0) yield read;
        hasBegun ||= saysSomething(read);
        if (piece === 'end') break;
        bytes += piece.length;
        if (bytes > MAX_STREAM_BYTES) throw malformed('an answer without end');
        const now = performance.now();
        if (answer.count > before) lastEventAt = now;
        else if (now - lastEventAt > IDLE_TIMES_WITHOUT_EVENT * idleMs) throw timedOut('nothing but comments');
      }
      yield answer.close();
    } catch (error) {
      // If the service has reported usage for the part received so far, pass it on.
      yield answer.rest();
      if (signal.aborted) throw signal.reason;
      if (error instanceof UnknownEncoding)
        throw malformed(`a body in an encoding that can't be read: ${error.message}`);
      throw error instanceof UpstreamError ? error : broken('the connection broke', error);
    } finally {
      body.close(answer.isOver);
    }
  }

  /** Sends the request. Leaves out fields that the service refuses, and retries once where that is safe. */
  async #open(
    model: string,
    payload: (variant: Variant) => string,
    waits: Timeouts,
    signal: AbortSignal,
  ): Promise<Body> {
    let retries = this.#retries;
    let variant = this.#variants.get(model) ?? this.#usual;
    for (let isTried = false; ; ) {
      let failure: UpstreamError;
      try {
        const body = new Body(await post(this.#target, payload(variant), waits, signal), signal);
        const status = body.response.statusCode ?? 0;
        if (status >= 200 && status < 300) {
          // Only now is it known that the field was at fault, and not another one whose name the refusal repeats.
          if (isTried) this.#keep(model, variant);
          return body;
        }
        const { text, whole } = await body.text(MAX_ERROR_BYTES, waits.idleMs).finally(() => body.close(false));
        const { headers } = body.response;
        const safe = redact(whole ? text : `${text}…`, this.#key);
        const other = status === 400 || status === 422 ? variantAfter(variant, safe) : null;
        if (other) {
          variant = other;
          isTried = true;
          continue;
        }
        failure = failureOf({ status, headers, body: safe, nowMs: Date.now() });
        const again = status === 408 || status === 429 || status >= 500;
        if (!again || failure.code === 'upstream_refused' || headers['x-should-retry'] === 'false') throw failure;
      } catch (error) {
        if (!(error instanceof NotAnswered)) throw error;
        failure = error.failure;
        if (!error.again) throw failure;
      }
      const { retryMs } = waits;
      const waitMs = failure.options.retryAfterMs ?? retryMs * (1 + Math.random());
      if (retries === 0 || waitMs > MAX_RETRY_AFTER_MS) throw failure;
      retries -= 1;
      this.#log?.warn({ code: failure.code, detail: failure.options.logDetail, waitMs }, 'upstream: tried once more');
      await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /** All later requests for the model are sent in this form. */
  #keep(model: string, variant: Variant): void {
    this.#variants.set(model, variant);
    this.#log?.warn({ model, variant }, 'upstream: the service refused a field, now sent otherwise');
  }
}

/**
 * The form to try next if a service's refusal names a field that can be left out, renamed or added. Each rule applies
 * once, so the tries come to an end. The refusal may repeat names that a tool's own request has, so it proves nothing:
 * only an answer does.
 */
function variantAfter(variant: Variant, refusal: string): Variant | null {
  if (variant.limit === 'max_tokens' && refusal.includes('max_completion_tokens'))
    return { ...variant, limit: 'max_completion_tokens' };
  if (variant.cacheKey && refusal.includes('prompt_cache_key')) return { ...variant, cacheKey: false };
  if (variant.streamOptions && /stream_options|include_usage/.test(refusal))
    return { ...variant, streamOptions: false };
  if (!variant.systemFirst && /system (message|role)[^.]{0,40}(begin|first)/i.test(refusal))
    return { ...variant, systemFirst: true };
  if (!variant.reasoning && /reasoning_content[^.]{0,60}(missing|required|must|passed back)/i.test(refusal))
    return { ...variant, reasoning: true };
  return null;
}
