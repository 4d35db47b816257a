import type { ChatCompletionCreateParamsStreaming, ChatCompletionMessageParam } from 'openai/resources';
import type { CallRequest, PromptMessage, UpstreamRequest } from '../stream.ts';
import { withinLimit } from './budgets.ts';
import { addReasoning, withoutDeveloper, withSystemFirst } from './chat/messages.ts';
import { readContent, readThinking } from './content.ts';
import { type FinishWhy, readFinish } from './finish.ts';
import { type ReadUsage, readReport } from './usage.ts';

/**
 * Where a service departs from the common form. `streamOptions` and `cacheKey` say whether to send these fields: a
 * service may refuse a request over a field that it doesn't know.
 */
export interface Variant {
  limit: 'max_tokens' | 'max_completion_tokens';
  streamOptions: boolean;
  cacheKey: boolean;
  /** The service knows the role `developer`. */
  developerRole: boolean;
  /** A system message may only be the first one. */
  systemFirst: boolean;
  /** The service wants the reasoning before each tool call back. */
  reasoning: boolean;
}

/** The body of a streamed chat-completions request. */
export function toChatRequest(request: UpstreamRequest, variant: Variant): ChatCompletionCreateParamsStreaming {
  return {
    model: request.model,
    messages: request.messages.map(toChatMessage),
    stream: true,
    // Without it most services report no usage, and the bill would rest on an estimate.
    ...(variant.streamOptions ? { stream_options: { include_usage: true } } : {}),
    [variant.limit]: request.maxOutputTokens,
    ...(variant.cacheKey ? { prompt_cache_key: request.cacheKey } : {}),
    ...request.thinking,
  };
}

/** The body of a tool's request: its client's own fields, and those that Perigee answers for. */
export function toCallRequest(request: CallRequest, variant: Variant): Record<string, unknown> {
  let body = withinLimit(request.body, request.maxOutputTokens);
  if (!variant.developerRole) body = withoutDeveloper(body);
  if (variant.systemFirst) body = withSystemFirst(body);
  if (variant.reasoning) body = addReasoning(body);
  return {
    model: request.model,
    ...body,
    stream: request.isStream,
    // Asked for whether the client wants it or not, because the bill rests on it.
    ...(request.isStream && variant.streamOptions ? { stream_options: { include_usage: true } } : {}),
    [variant.limit]: request.maxOutputTokens,
    ...(variant.cacheKey && request.cacheKey ? { prompt_cache_key: request.cacheKey } : {}),
  };
}

function toChatMessage({ role, text, images }: PromptMessage): ChatCompletionMessageParam {
  if (role !== 'user' || !images) return { role, content: text };
  const pictures = images.map(({ mediaType, data }) => {
    const base64 = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
    return { type: 'image_url' as const, image_url: { url: `data:${mediaType};base64,${base64}` } };
  });
  return { role, content: [{ type: 'text', text }, ...pictures] };
}

/** The content of one chunk. `finish: 'failed'` means that the service itself reports that it broke off. */
export interface ChunkNews {
  text: string;
  /** Reasoning, kept apart from the answer. */
  thinking: string;
  /** The names and arguments of tool calls, to be counted. */
  tools: string;
  finish?: FinishWhy | 'failed';
  /** The model refuses to answer; its text says why. */
  isRefusal?: boolean;
  /** The chunk holds the whole answer instead of a delta. */
  isWhole?: boolean;
  usage?: ReadUsage;
  /** The service's own error, sent instead of a chunk. */
  error?: ServiceError;
}

/**
 * Reads one chunk of a stream, one line of Ollama's own stream, or the whole answer of a service that doesn't stream.
 * Returns null for anything else. Throws `UnknownShape` if the answer has a form that would lose its text.
 */
export function readChunk(chunk: unknown): ChunkNews | null {
  if (!isObject(chunk)) return null;
  const choices = Array.isArray(chunk.choices) ? chunk.choices.filter(isObject) : null;
  const error = readError(chunk) ?? choices?.map((choice) => readError({ error: choice.error })).find(Boolean);
  if (error) return { ...SILENT, error };
  const usage = readUsage(chunk);
  if (!choices) return readLine(chunk, usage);
  // The usage chunk has no choices. Some services' first chunk has none either: it carries the prompt filter's result.
  const choice = choices.find(({ index }) => index === 0) ?? choices[0];
  if (!choice) return { ...SILENT, usage };
  const said = readMessage(choice.delta ?? choice.message ?? { content: choice.text });
  return {
    ...said,
    usage,
    finish: readFinish(choice.finish_reason),
    isWhole: isObject(choice.message) && choice.delta === undefined && chunk.object !== 'chat.completion.chunk',
  };
}

/** The text of a message or delta. Each service has its own name for the reasoning field. */
function readMessage(message: unknown): Pick<ChunkNews, 'text' | 'thinking' | 'tools' | 'isRefusal'> {
  if (!isObject(message)) return { ...readContent(message), tools: '' };
  const { text, thinking, isRefusal } = readContent(message.content);
  const refusal = typeof message.refusal === 'string' ? message.refusal : '';
  const apart = readThinking(
    message.reasoning_content,
    message.reasoning,
    message.thinking,
    message.reasoning_text,
    message.reasoning_details,
    message.thinking_blocks,
  );
  return {
    text: text + refusal,
    thinking: thinking + apart,
    isRefusal: isRefusal || refusal !== '',
    tools: readTools(message),
  };
}

/** The names and arguments of a message's tool calls, and of the one `function_call` of older services. */
function readTools({ tool_calls: calls, function_call: single }: Record<string, unknown>): string {
  let text = '';
  if (!calls && !single) return text;
  for (const call of [...(Array.isArray(calls) ? calls : []), ...(single ? [{ function: single }] : [])]) {
    const called: unknown = isObject(call) ? (call.function ?? call.custom) : undefined;
    if (!isObject(called)) continue;
    for (const part of [called.name, called.arguments ?? called.input])
      if (typeof part === 'string') text += part;
      else if (isObject(part)) text += JSON.stringify(part);
  }
  return text;
}

const SILENT = { text: '', thinking: '', tools: '' };

/** Ollama's `/api/chat` and `/api/generate`: one object a line, without choices. */
function readLine(chunk: Record<string, unknown>, usage: ReadUsage | undefined): ChunkNews | null {
  if (typeof chunk.done !== 'boolean') return usage ? { ...SILENT, usage } : null;
  const said = readMessage(chunk.message ?? { content: chunk.response, thinking: chunk.thinking });
  const finish = chunk.done ? readFinish(chunk.done_reason ?? 'stop') : undefined;
  return { ...said, finish, usage: usage ?? readReport(chunk) };
}

/** The usage in a chunk: at the top level, or inside the first choice (Moonshot). */
function readUsage(chunk: Record<string, unknown>): ReadUsage | undefined {
  const choice: unknown = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
  const report = isObject(chunk.usage) ? chunk.usage : isObject(choice) ? choice.usage : undefined;
  return isObject(report) ? readReport(report) : undefined;
}

/**
 * The error in a body or chunk, or undefined. Forms: OpenAI's `{error: {…}}`, `{error: "…"}`, vLLM's `{object: "error",
 * …}`, FastAPI's `{detail}`, MiniMax's `{base_resp}`, and a bare `{code, message}`.
 */
export function readError(body: unknown): ServiceError | undefined {
  if (Array.isArray(body)) return body.map(readError).find(Boolean);
  if (!isObject(body)) return undefined;
  const { error, errors, detail, base_resp: base } = body;
  if (typeof error === 'string' && error !== '') return { ...NO_ERROR, message: error };
  if (isObject(error) && Object.keys(error).length > 0) return errorIn(error);
  if (body.object === 'error' || body.type === 'error') return errorIn(body);
  if (isObject(base) && typeof base.status_code === 'number' && base.status_code !== 0) return errorIn(base);
  if (body.choices !== undefined || body.done !== undefined) return undefined;
  if (Array.isArray(errors) && errors.length > 0) return readError({ error: errors[0] });
  if (typeof detail === 'string' && detail !== '') return { ...errorIn(body), message: detail };
  const named = errorIn(body);
  const isNamed = !/^(|0|200|ok|success)$/i.test(named.code) || /err|exception|fail|invalid|exceed/i.test(named.type);
  return named.message !== '' && isNamed ? named : undefined;
}

const NO_ERROR: ServiceError = { message: '', code: '', type: '', param: '' };

function errorIn(error: Record<string, unknown>): ServiceError {
  return {
    message: say(error.message ?? error.msg ?? error.status_msg ?? error.detail),
    code: say(error.code ?? error.status_code),
    type: say(error.type ?? error.status),
    param: say(error.param),
  };
}

function say(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An error object as services send it; missing fields are empty. */
export interface ServiceError {
  message: string;
  code: string;
  type: string;
  param: string;
}
