import type { ChatCompletionCreateParamsStreaming, ChatCompletionMessageParam } from 'openai/resources';
import type { Usage } from '../../../shared/runs.ts';
import type { PromptMessage, StreamEvent, UpstreamRequest } from '../upstreams/stream.ts';

/**
 * Where a service departs from the common form. `streamOptions` and `cacheKey` say whether these fields are sent: a
 * service may refuse a request for a field that it doesn't know.
 */
export interface Variant {
  limit: 'max_tokens' | 'max_completion_tokens';
  streamOptions: boolean;
  cacheKey: boolean;
}

/** The body of a streamed chat-completions request. */
export function toChatRequest(request: UpstreamRequest, variant: Variant): ChatCompletionCreateParamsStreaming {
  return {
    model: request.model,
    messages: request.messages.map(toChatMessage),
    stream: true,
    // Without it most services report no usage at all, and the bill would have to be an estimate.
    ...(variant.streamOptions ? { stream_options: { include_usage: true } } : {}),
    [variant.limit]: request.maxOutputTokens,
    ...(variant.cacheKey ? { prompt_cache_key: request.cacheKey } : {}),
  };
}

function toChatMessage({ role, text }: PromptMessage): ChatCompletionMessageParam {
  return { role, content: text };
}

export type FinishWhy = Extract<StreamEvent, { type: 'finish' }>['why'];

/** What one chunk says. `finish: 'failed'` is a service that says itself that it broke off. */
export interface ChunkNews {
  text: string;
  finish?: FinishWhy | 'failed';
  usage?: Usage;
  /** The service's own error, sent in place of a chunk. */
  error?: ServiceError;
}

/** An error object as services send it; every member may be missing. */
export interface ServiceError {
  message: string;
  code: string;
  type: string;
  param: string;
}

/**
 * One parsed chunk of a stream, or a whole answer of a service that doesn't stream; null when it is neither. Thoughts
 * (`reasoning_content`, `reasoning`) are no text: they are counted in the usage, and not shown.
 */
export function readChunk(chunk: unknown): ChunkNews | null {
  if (!isObject(chunk)) return null;
  const error = readError(chunk);
  if (error) return { text: '', error };
  const usage = readUsage(chunk);
  const choices = chunk.choices;
  if (!Array.isArray(choices)) return usage ? { text: '', usage } : null;
  const choice: unknown = choices[0];
  // The usage chunk has no choices; so have some services' first chunks, which carry their prompt filter's result.
  if (!isObject(choice)) return { text: '', usage };
  const delta = isObject(choice.delta) ? choice.delta : isObject(choice.message) ? choice.message : {};
  const refusal = typeof delta.refusal === 'string' ? delta.refusal : '';
  const text = (typeof delta.content === 'string' ? delta.content : '') + refusal;
  return { text, usage, finish: refusal ? 'refusal' : readFinish(choice.finish_reason) };
}

function readFinish(reason: unknown): ChunkNews['finish'] {
  switch (reason) {
    case null:
    case undefined:
    case '':
      return undefined;
    case 'length':
    case 'max_tokens':
      return 'length';
    case 'content_filter':
    case 'sensitive':
      return 'refusal';
    // OpenRouter, vLLM and DeepSeek end a broken answer in this way instead of breaking the stream.
    case 'error':
    case 'abort':
    case 'insufficient_system_resource':
      return 'failed';
    default:
      return 'stop';
  }
}

/**
 * The usage that a chunk reports: at its top, or inside its first choice as Moonshot sends it. Explicit zeros are a report
 * and stay zeros; half a report, or one that isn't of counts, is none. Cached tokens are part of the input.
 */
export function readUsage(chunk: Record<string, unknown>): Usage | undefined {
  const choice: unknown = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
  const usage = isObject(chunk.usage) ? chunk.usage : isObject(choice) ? choice.usage : undefined;
  if (!isObject(usage)) return undefined;
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage;
  if (!isCount(inputTokens) || !isCount(outputTokens)) return undefined;
  const details = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  // In this order: OpenAI; Moonshot; DeepSeek.
  const cached = [details.cached_tokens, usage.cached_tokens, usage.prompt_cache_hit_tokens].find(isCount) ?? 0;
  return { inputTokens, cachedInputTokens: Math.min(cached, inputTokens), outputTokens, estimated: false };
}

/** The error object in a body or chunk: OpenAI's `{error: {…}}`, `{error: "…"}`, vLLM's `{object: "error", …}`. */
export function readError(body: unknown): ServiceError | undefined {
  if (!isObject(body)) return undefined;
  const { error } = body;
  if (typeof error === 'string' && error !== '') return { message: error, code: '', type: '', param: '' };
  const found = isObject(error) ? error : body.object === 'error' ? body : undefined;
  if (!found) return undefined;
  return { message: say(found.message), code: say(found.code), type: say(found.type), param: say(found.param) };
}

function say(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

/** No model reads or writes more in one answer; a service that says so has miscounted, and its count is not taken. */
const MAX_COUNT = 100_000_000;

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_COUNT;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
