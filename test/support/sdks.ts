import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, jsonSchema, type ModelMessage, RetryError, streamText, tool as toolOf } from 'ai';
import OpenAI, { APIError } from 'openai';
import type { ChatCompletionMessageParam } from 'openai/resources';

/** A request as a program makes it, in no SDK's own form. */
export interface Ask {
  prompt: string;
  /** A picture beside the prompt, PNG as base64. */
  picture?: string;
  /** Offers the tool `read {path}`. */
  withTool?: boolean;
  /** The second turn: what the model called before, and what came of it. */
  result?: { called: Called; said: string };
  signal?: AbortSignal;
}
export interface Called {
  id: string;
  name: string;
  input: unknown;
}

/** What the program has afterwards. */
export interface Told {
  text: string;
  thoughts: string;
  called: Called[];
  finish: string | null;
  outputTokens?: number;
  failed?: { type: string; status: number | undefined; message: string; retryAfter?: string | null };
}

export interface Sdk {
  name: string;
  /** The SDK's own number of tries by default. */
  tries: number;
  ask(server: { url: string; key: string }, asked: Ask): Promise<Told>;
}

const PARAMETERS = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] } as const;
const MODEL = 'double';

/** The SDKs that speak chat completions, each whole and streamed. */
export const SDKS: readonly Sdk[] = [
  { name: 'openai', tries: 3, ask: (server, asked) => askOpenAi(server, asked, false) },
  { name: 'openai, streamed', tries: 3, ask: (server, asked) => askOpenAi(server, asked, true) },
  { name: 'the AI SDK', tries: 3, ask: (server, asked) => askAiSdk(server, asked, false) },
  { name: 'the AI SDK, streamed', tries: 3, ask: (server, asked) => askAiSdk(server, asked, true) },
];

async function askOpenAi({ url, key }: { url: string; key: string }, asked: Ask, isStream: boolean): Promise<Told> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key });
  const { prompt, picture, withTool, result, signal } = asked;
  const content = picture
    ? [
        { type: 'text' as const, text: prompt },
        { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${picture}` } },
      ]
    : prompt;
  const messages: ChatCompletionMessageParam[] = [{ role: 'user', content }];
  if (result) {
    const { id, name, input } = result.called;
    const call = { id, type: 'function' as const, function: { name, arguments: JSON.stringify(input) } };
    messages.push({ role: 'assistant', tool_calls: [call] }, { role: 'tool', tool_call_id: id, content: result.said });
  }
  const body = {
    model: MODEL,
    messages,
    ...(withTool && { tools: [{ type: 'function' as const, function: { name: 'read', parameters: PARAMETERS } }] }),
  };
  const told: Told = { text: '', thoughts: '', called: [], finish: null };
  try {
    if (isStream) {
      const stream = client.chat.completions.stream(
        { ...body, stream_options: { include_usage: true } },
        { ...(signal && { signal }) },
      );
      stream.on('chunk', ({ choices: [choice] }) => {
        told.text += choice?.delta.content ?? '';
        told.thoughts += (choice?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? '';
      });
      const answer = await stream.finalChatCompletion();
      return { ...told, ...endOf(answer) };
    }
    const answer = await client.chat.completions.create(body, { ...(signal && { signal }) });
    const message = answer.choices[0]!.message as { content: string | null; reasoning_content?: string };
    return { ...told, text: message.content ?? '', thoughts: message.reasoning_content ?? '', ...endOf(answer) };
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    const retryAfter = error.headers?.get('retry-after');
    return {
      ...told,
      failed: { type: error.constructor.name, status: error.status, message: error.message, retryAfter },
    };
  }
}

function endOf({ choices: [choice], usage }: OpenAI.ChatCompletion): Partial<Told> {
  const calls = (choice?.message.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call] : []));
  return {
    called: calls.map((call) => ({
      id: call.id,
      name: call.function.name,
      input: JSON.parse(call.function.arguments),
    })),
    finish: choice?.finish_reason ?? null,
    ...(usage && { outputTokens: usage.completion_tokens }),
  };
}

async function askAiSdk({ url, key }: { url: string; key: string }, asked: Ask, isStream: boolean): Promise<Told> {
  const provider = createOpenAICompatible({ name: 'perigee', baseURL: `${url}/v1`, apiKey: key, includeUsage: true });
  const { prompt, picture, withTool, result, signal } = asked;
  const messages: ModelMessage[] = [
    {
      role: 'user',
      content: picture
        ? [
            { type: 'text', text: prompt },
            { type: 'image', image: picture, mediaType: 'image/png' },
          ]
        : prompt,
    },
  ];
  if (result) {
    const { id: toolCallId, name: toolName, input } = result.called;
    const output = { type: 'text' as const, value: result.said };
    messages.push(
      { role: 'assistant', content: [{ type: 'tool-call', toolCallId, toolName, input }] },
      { role: 'tool', content: [{ type: 'tool-result', toolCallId, toolName, output }] },
    );
  }
  const options = {
    model: provider(MODEL),
    messages,
    ...(withTool && { tools: { read: toolOf({ inputSchema: jsonSchema(PARAMETERS) }) } }),
    ...(signal && { abortSignal: signal }),
  };
  const told: Told = { text: '', thoughts: '', called: [], finish: null };
  const calledOf = ({ toolCallId, toolName, input }: { toolCallId: string; toolName: string; input: unknown }) => ({
    id: toolCallId,
    name: toolName,
    input,
  });
  try {
    if (!isStream) {
      const answer = await generateText(options);
      told.called = answer.toolCalls.map(calledOf);
      const { text, reasoningText: thoughts = '', finishReason: finish, usage } = answer;
      return { ...told, text, thoughts, finish, outputTokens: usage.outputTokens };
    }
    for await (const part of streamText({ ...options, onError: () => {} }).fullStream) {
      if (part.type === 'text-delta') told.text += part.text;
      if (part.type === 'reasoning-delta') told.thoughts += part.text;
      if (part.type === 'tool-call') told.called.push(calledOf(part));
      if (part.type === 'finish') [told.finish, told.outputTokens] = [part.finishReason, part.totalUsage.outputTokens];
      if (part.type === 'error') told.failed ??= failureOf(part.error);
    }
    return told;
  } catch (error) {
    // A connection that is cut after an error adds nothing.
    return { ...told, failed: told.failed ?? failureOf(error) };
  }
}

function failureOf(error: unknown): Told['failed'] {
  // After several tries the last of their errors is the reason.
  if (RetryError.isInstance(error)) return failureOf(error.lastError);
  if (APICallError.isInstance(error)) {
    const retryAfter = error.responseHeaders?.['retry-after'];
    return { type: 'APICallError', status: error.statusCode, message: error.message, retryAfter };
  }
  // Within a stream, the SDK hands on the error object as the server wrote it.
  return { type: error instanceof Error ? error.name : 'object', status: undefined, message: (error as Error).message };
}

/**
 * Runs `work`, in which no SDK waits before another try: `onWait` is told how long it would have. The server's own timers
 * run as ever.
 */
export async function hurried<T>(work: () => Promise<T>, onWait: (ms: number) => void): Promise<T> {
  const { setTimeout } = globalThis;
  const quick = (run: () => void, ms = 0, ...args: []) => {
    // Longer than a minute is the limit of a whole request.
    const isWait = ms > 200 && ms <= 60_000 && /node_modules\/(openai|@ai-sdk)\//.test(new Error().stack ?? '');
    if (!isWait) return setTimeout(run, ms, ...args);
    onWait(ms);
    return setTimeout(run, 0, ...args);
  };
  globalThis.setTimeout = quick as typeof setTimeout;
  try {
    return await work();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
}
