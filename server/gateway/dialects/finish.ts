import type { StreamEvent } from '../stream.ts';

export type FinishWhy = Extract<StreamEvent, { type: 'finish' }>['why'];

/**
 * The reasons for which an answer ends, by the documentation of OpenAI, Anthropic, Gemini, Mistral, Cohere, DeepSeek, Moonshot,
 * Zhipu, MiniMax, OpenRouter, Bedrock, vLLM, SGLang, TGI, llama.cpp and Ollama; in lower case.
 */
const REASONS: Readonly<Record<string, FinishWhy | 'failed'>> = {
  ...ending('stop', [
    'stop',
    'stopped',
    'stop_sequence',
    'end_turn',
    'pause_turn',
    'eos',
    'eos_token',
    'end_of_turn',
    'complete',
    'completed',
    'finish',
    'finished',
    'done',
    'end',
    'success',
    'tool_call',
    'tool_calls',
    'tool_use',
    'function_call',
  ]),
  ...ending('length', [
    'length',
    'max_tokens',
    'max_token',
    'max_output_tokens',
    'max_completion_tokens',
    'max_length',
    'model_length',
    'model_context_window_exceeded',
    'context_length_exceeded',
    'token_limit',
    'limit',
    'error_limit',
    'incomplete',
  ]),
  ...ending('refusal', [
    'content_filter',
    'content_filtered',
    'content-filter',
    'sensitive',
    'refusal',
    'safety',
    'recitation',
    'prohibited_content',
    'blocklist',
    'spii',
    'guardrail_intervened',
    'error_toxic',
  ]),
  // They end a broken answer in this way instead of breaking the stream.
  ...ending('failed', [
    'error',
    'failed',
    'failure',
    'abort',
    'aborted',
    'cancelled',
    'canceled',
    'timeout',
    'network_error',
    'server_error',
    'insufficient_system_resource',
    'malformed_function_call',
    'load',
    'unload',
  ]),
};

function ending<W>(why: W, names: string[]): Record<string, W> {
  return Object.fromEntries(names.map((name) => [name, why]));
}

/**
 * Why an answer ended, by a finish_reason. Undefined for anything else: services write `"null"`, `"none"`, `""` or words of
 * their own while the answer goes on. Such an answer has ended only when the stream says so by `[DONE]`.
 */
export function readFinish(reason: unknown): FinishWhy | 'failed' | undefined {
  if (typeof reason !== 'string') return undefined;
  const name = reason.trim().toLowerCase();
  return Object.hasOwn(REASONS, name) ? REASONS[name] : undefined;
}
