import type { StreamEvent } from '../../stream.ts';
import { withinLimit } from '../budgets.ts';
import { isObject, isUnset, type Json } from '../chat/refused.ts';
import { readError, type ServiceError } from '../chatCompletions.ts';
import { readFinish } from '../finish.ts';
import { decodeReasoning } from '../responses/reasoning.ts';
import { readReport } from '../usage.ts';
import { listOf, type NativeDialect, type NativeNews, only } from './native.ts';

/** Deltas by the kind of output that they are. */
const DELTAS: ReadonlyMap<unknown, 'text' | 'thinking' | 'tools'> = new Map([
  ['response.output_text.delta', 'text'],
  ['response.refusal.delta', 'text'],
  ['response.reasoning_text.delta', 'thinking'],
  ['response.reasoning_summary_text.delta', 'thinking'],
  ['response.function_call_arguments.delta', 'tools'],
  ['response.custom_tool_call_input.delta', 'tools'],
]);

const FIELDS: ReadonlySet<string> = new Set([
  ...['model', 'stream', 'instructions', 'input', 'include', 'tools', 'tool_choice', 'parallel_tool_calls'],
  ...['reasoning', 'text', 'temperature', 'top_p', 'top_logprobs', 'prompt_cache_key', 'metadata', 'user'],
  ...['safety_identifier', 'stream_options'],
]);
const INCLUDED: ReadonlySet<unknown> = new Set(['reasoning.encrypted_content', 'message.output_text.logprobs']);
/** The translation carries and counts these. */
const ITEMS: ReadonlySet<unknown> = new Set([
  ...[undefined, 'message', 'reasoning', 'function_call', 'function_call_output'],
  ...['custom_tool_call', 'custom_tool_call_output', 'local_shell_call', 'local_shell_call_output'],
  ...['shell_call', 'shell_call_output', 'apply_patch_call', 'apply_patch_call_output'],
]);

/** Tools that the client runs. The service's own have a price of their own. */
const ownTools = (tools: unknown): Json[] =>
  listOf(tools).flatMap((tool) => {
    if (!isObject(tool)) return [];
    if (tool.type === 'function' || tool.type === 'custom') return [tool];
    return tool.type === 'namespace' ? [{ ...tool, tools: ownTools(tool.tools) }] : [];
  });

/** A service that speaks OpenAI's Responses. */
export const NATIVE_RESPONSES: NativeDialect = {
  path: '/responses',
  keyHeaders: (key) => ({ authorization: `Bearer ${key}` }),
  body(given, model, maxOutputTokens) {
    // The hold is for what the translation carries, so nothing else goes along that the service would read or bill.
    const { tools, tool_choice: choice, input, include, ...body } = only(given, FIELDS);
    const own = ownTools(tools);
    const included = listOf(include).filter((name) => INCLUDED.has(name));
    return {
      ...withinLimit(body, maxOutputTokens),
      model,
      max_output_tokens: maxOutputTokens,
      // Nothing of an account is kept at the service, where nobody could delete it.
      store: false,
      input: Array.isArray(input) ? input.filter(isReadable) : input,
      ...(included.length === 0 ? {} : { include: included }),
      ...(own.length === 0 ? {} : { tools: own, ...(isUnset(choice) ? {} : { tool_choice: choice }) }),
    };
  },
  reader() {
    return {
      take(event): NativeNews {
        const { type, delta, item, response } = event;
        const kind = DELTAS.get(type);
        if (kind && typeof delta === 'string') return { events: delta === '' ? [] : [{ type: kind, text: delta }] };
        switch (type) {
          case 'response.output_item.added':
            return { events: isObject(item) ? nameOf(item) : [] };
          case 'response.completed':
          case 'response.incomplete':
            return { events: ending(isObject(response) ? response : {}), isOver: true };
          case 'response.failed':
          case 'error':
          // `SseReader` puts an error object that stands alone under this name.
          case undefined:
            return { events: usageOf(response), error: errorOf(event) };
          default:
            return { events: [] };
        }
      },
    };
  },
  whole(answer) {
    const failed = answer.status === 'failed' || (!Array.isArray(answer.output) && readError(answer));
    if (failed) return { events: usageOf(answer), error: errorOf({ response: answer }) };
    if (!Array.isArray(answer.output)) return { events: [] };
    const said = answer.output.filter(isObject).flatMap(saidIn);
    return { events: [...said, ...ending(answer)], isOver: true };
  },
  rename(event, model) {
    if (isObject(event.response)) event.response.model = model;
    else if (event.object === 'response') event.model = model;
  },
  follow(event, id, number) {
    event.sequence_number = number;
    if (isObject(event.response)) event.response.id = id;
  },
  failed(error, opened) {
    if (opened === null) return null;
    const { response, sequence_number: number } = opened;
    const seq = typeof number === 'number' ? number + 1 : 0;
    return {
      type: 'response.failed',
      sequence_number: seq,
      response: { ...(response as Json), status: 'failed', error: { code: error.code, message: error.message } },
    };
  },
  follower() {
    let response: Json | null = null;
    let number = -1;
    const output: unknown[] = [];
    return {
      take(event) {
        if (isObject(event.response)) response = event.response;
        if (typeof event.sequence_number === 'number') number = event.sequence_number;
        if (event.type === 'response.output_item.done') output.push(event.item);
      },
      cut(usage) {
        if (response === null) return null;
        const { inputTokens, cachedInputTokens, outputTokens } = usage;
        const counts = {
          input_tokens: inputTokens,
          input_tokens_details: { cached_tokens: cachedInputTokens },
          output_tokens: outputTokens,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: inputTokens + outputTokens,
        };
        const end = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
        const type = 'response.incomplete';
        return [{ type, sequence_number: number + 1, response: { ...response, ...end, output, usage: counts } }];
      },
    };
  },
  ping: null,
  last: new Set(['response.completed', 'response.incomplete']),
  opening: new Set(['response.created', 'response.in_progress', 'response.queued']),
};

function nameOf({ type, name }: Json): StreamEvent[] {
  const isCall = type === 'function_call' || type === 'custom_tool_call';
  return isCall && typeof name === 'string' ? [{ type: 'tools', text: name }] : [];
}

function saidIn(item: Json): StreamEvent[] {
  const { type, content, summary, arguments: args, input } = item;
  const texts = (parts: unknown) =>
    (Array.isArray(parts) ? parts : [])
      .filter(isObject)
      .map(({ text, refusal }) => (typeof text === 'string' ? text : typeof refusal === 'string' ? refusal : ''))
      .join('');
  const event = (kind: 'text' | 'thinking' | 'tools', text: string): StreamEvent[] =>
    text === '' ? [] : [{ type: kind, text }];
  if (type === 'message') return event('text', texts(content));
  if (type === 'reasoning') return event('thinking', texts(content) + texts(summary));
  const given = typeof args === 'string' ? args : typeof input === 'string' ? input : '';
  return [...nameOf(item), ...event('tools', given)];
}

function usageOf(response: unknown): StreamEvent[] {
  const report = isObject(response) && isObject(response.usage) ? readReport(response.usage) : undefined;
  return report ? [{ type: 'usage', ...report }] : [];
}

function ending(response: Json): StreamEvent[] {
  const { incomplete_details: details, status } = response;
  const why = readFinish(isObject(details) ? details.reason : status);
  return [...usageOf(response), { type: 'finish', why: why === undefined || why === 'failed' ? 'stop' : why }];
}

function errorOf({ response, error, code, message }: Json): ServiceError {
  const own = isObject(response) ? response.error : (error ?? { code, message });
  return readError({ error: own }) ?? { message: '', code: '', type: 'server_error', param: '' };
}

/** Reasoning that this server encoded is of a turn that another service answered. */
function isReadable(item: unknown): boolean {
  if (!isObject(item) || !ITEMS.has(item.type ?? undefined)) return false;
  const { type, encrypted_content: encrypted } = item;
  return type !== 'reasoning' || isUnset(encrypted) || decodeReasoning(String(encrypted)) === undefined;
}
