import type { StreamEvent } from '../../stream.ts';
import { withoutPriced } from '../chat/priced.ts';
import { isObject, isUnset, type Json } from '../chat/refused.ts';
import { readError } from '../chatCompletions.ts';
import { readFinish } from '../finish.ts';
import { readReport } from '../usage.ts';
import type { NativeDialect, NativeNews } from './native.ts';

/** A service that speaks Anthropic's Messages. */
export const NATIVE_MESSAGES: NativeDialect = {
  path: '/messages',
  keyHeaders: (key) => ({ 'x-api-key': key }),
  body(given, model, maxOutputTokens) {
    // What has a price of its own was refused or named as left out when the request was read.
    const body = withoutPriced(given, []);
    const tools = Array.isArray(body.tools) ? body.tools.filter(isOwnTool) : null;
    return {
      ...body,
      model,
      max_tokens: maxOutputTokens,
      ...(Array.isArray(body.messages) ? { messages: body.messages.map(withoutUnsigned) } : {}),
      ...(tools === null ? {} : { tools }),
    };
  },
  reader() {
    const usage: Json = {};
    let stop: unknown;
    return {
      take(event): NativeNews {
        const { type, message, delta, content_block: block, usage: reported } = event;
        switch (type) {
          case 'message_start':
            if (isObject(message) && isObject(message.usage)) Object.assign(usage, message.usage);
            return { events: [] };
          case 'content_block_start':
            return { events: isObject(block) ? saidIn(block) : [] };
          case 'content_block_delta':
            return { events: isObject(delta) ? saidIn(delta) : [] };
          case 'message_delta':
            if (isObject(reported))
              for (const [name, count] of Object.entries(reported)) if (!isUnset(count)) usage[name] = count;
            if (isObject(delta) && !isUnset(delta.stop_reason)) stop = delta.stop_reason;
            return { events: [], isLast: true };
          case 'message_stop':
            return { events: ending(usage, stop), isLast: true, isOver: true };
          case 'error':
            return { events: [], error: readError(event) ?? { message: '', code: '', type: 'api_error', param: '' } };
          default:
            // Pings, and events of later versions.
            return { events: [] };
        }
      },
    };
  },
  whole(answer) {
    const error = readError(answer);
    if (error || !Array.isArray(answer.content)) return { events: [], ...(error ? { error } : {}) };
    const said = answer.content.filter(isObject).flatMap(saidIn);
    const usage = isObject(answer.usage) ? answer.usage : {};
    return { events: [...said, ...ending(usage, answer.stop_reason)], isLast: true, isOver: true };
  },
  rename(event, model) {
    if (isObject(event.message)) event.message.model = model;
    else if (event.type === 'message') event.model = model;
  },
  failed: () => null,
  ping: { type: 'ping' },
  opening: new Set(['message_start']),
};

/** Of a block or a delta: they name their text alike. Signatures and redacted thoughts say nothing to be counted. */
function saidIn({ type, text, thinking, name, partial_json: json, input }: Json): StreamEvent[] {
  const events: StreamEvent[] = [];
  if (typeof text === 'string' && text !== '') events.push({ type: 'text', text });
  if (typeof thinking === 'string' && thinking !== '') events.push({ type: 'thinking', text: thinking });
  const tools = [
    type === 'tool_use' && typeof name === 'string' ? name : '',
    typeof json === 'string' ? json : '',
    isObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : '',
  ].join('');
  if (tools !== '') events.push({ type: 'tools', text: tools });
  return events;
}

function ending(usage: Json, stop: unknown): StreamEvent[] {
  const report = readReport({ cache_read_input_tokens: 0, ...usage });
  const why = readFinish(stop);
  return [
    ...(report ? [{ type: 'usage' as const, ...report }] : []),
    { type: 'finish', why: why === undefined || why === 'failed' ? 'stop' : why },
  ];
}

/** A tool that the client runs. The service's own have a price of their own. */
const isOwnTool = (tool: unknown) => isObject(tool) && (isUnset(tool.type) || tool.type === 'custom');

/** Thoughts without a signature are of another service, and would be refused. */
function withoutUnsigned(message: unknown): unknown {
  if (!isObject(message) || !Array.isArray(message.content)) return message;
  const isForeign = (block: unknown) =>
    isObject(block) && block.type === 'thinking' && (isUnset(block.signature) || block.signature === '');
  const content = message.content.filter((block) => !isForeign(block));
  if (content.length === message.content.length) return message;
  return { ...message, content: content.length > 0 ? content : [{ type: 'text', text: '(no text)' }] };
}
