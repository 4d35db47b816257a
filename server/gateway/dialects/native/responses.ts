import type { StreamEvent } from '../../stream.ts';
import { isObject, isUnset, type Json } from '../chat/refused.ts';
import { readError, type ServiceError } from '../chatCompletions.ts';
import { readFinish } from '../finish.ts';
import { decodeReasoning } from '../responses/reasoning.ts';
import { readReport } from '../usage.ts';
import type { NativeDialect, NativeNews } from './native.ts';

/** Deltas by the kind of output that they are. */
const DELTAS: ReadonlyMap<unknown, 'text' | 'thinking' | 'tools'> = new Map([
  ['response.output_text.delta', 'text'],
  ['response.refusal.delta', 'text'],
  ['response.reasoning_text.delta', 'thinking'],
  ['response.reasoning_summary_text.delta', 'thinking'],
  ['response.function_call_arguments.delta', 'tools'],
  ['response.custom_tool_call_input.delta', 'tools'],
]);

/** Tools that the client runs. The service's own have a price of their own. */
const OWN_TOOLS: ReadonlySet<unknown> = new Set(['function', 'custom', 'namespace']);

/** A service that speaks OpenAI's Responses. */
export const NATIVE_RESPONSES: NativeDialect = {
  path: '/responses',
  keyHeaders: (key) => ({ authorization: `Bearer ${key}` }),
  body(given, model, maxOutputTokens) {
    const tools = Array.isArray(given.tools)
      ? given.tools.filter((tool) => isObject(tool) && OWN_TOOLS.has(tool.type))
      : null;
    return {
      ...given,
      model,
      max_output_tokens: maxOutputTokens,
      // Nothing of an account is kept at the service, where nobody could delete it.
      store: false,
      ...(Array.isArray(given.input) ? { input: given.input.filter((item) => !isOurReasoning(item)) } : {}),
      ...(tools === null ? {} : { tools }),
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
            return { events: ending(isObject(response) ? response : {}), isLast: true, isOver: true };
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
    return { events: [...said, ...ending(answer)], isLast: true, isOver: true };
  },
  rename(event, model) {
    if (isObject(event.response)) event.response.model = model;
    else if (event.object === 'response') event.model = model;
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
  ping: null,
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

/** Reasoning that this server encoded, of a turn that another service answered. */
const isOurReasoning = (item: unknown) =>
  isObject(item) &&
  item.type === 'reasoning' &&
  !isUnset(item.encrypted_content) &&
  decodeReasoning(String(item.encrypted_content)) !== undefined;
