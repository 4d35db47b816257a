import type { StreamEvent } from '../stream.ts';

export type FinishWhy = Extract<StreamEvent, { type: 'finish' }>['why'];

/**
 * Finish reasons in lower case, from the documentation of OpenAI, Anthropic, Gemini, Mistral, Cohere, DeepSeek,
 * Moonshot, Zhipu, MiniMax, OpenRouter, Bedrock, vLLM, SGLang, TGI, llama.cpp and Ollama.
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
  // These services report a broken answer as a finish reason instead of breaking the stream.
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
 * Maps a finish_reason to why the answer ended. Undefined for anything else: services write `"null"`, `"none"`, `""` or
 * their own words while the answer goes on. Such an answer ends only with the stream's `[DONE]`.
 */
export function readFinish(reason: unknown): FinishWhy | 'failed' | undefined {
  if (typeof reason !== 'string') return undefined;
  const name = reason.trim().toLowerCase();
  return Object.hasOwn(REASONS, name) ? REASONS[name] : undefined;
}
