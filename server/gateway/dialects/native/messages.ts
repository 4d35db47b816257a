import type { StreamEvent } from '../../stream.ts';
import { withShortCache } from '../cacheTtl.ts';
import { isObject, isUnset, type Json } from '../chat/refused.ts';
import { readError } from '../chatCompletions.ts';
import { readFinish } from '../finish.ts';
import { argumentsOf } from '../messages/conversation.ts';
import { readReport } from '../usage.ts';
import { listOf, type NativeDialect, type NativeNews, only } from './native.ts';

const FIELDS: ReadonlySet<string> = new Set([
  ...['model', 'stream', 'system', 'messages', 'tools', 'tool_choice', 'stop_sequences'],
  ...['temperature', 'top_p', 'top_k', 'thinking', 'output_config', 'output_format', 'metadata', 'context_management'],
]);
const TOOL_FIELDS: ReadonlySet<string> = new Set([
  ...['name', 'type', 'description', 'input_schema', 'strict', 'cache_control', 'eager_input_streaming'],
]);
/** The translation carries and counts these, or they are of the service itself. */
const BLOCKS: ReadonlySet<unknown> = new Set([
  ...['text', 'image', 'document', 'tool_use', 'tool_result', 'thinking', 'redacted_thinking'],
]);

/** A service that speaks Anthropic's Messages. */
export const NATIVE_MESSAGES: NativeDialect = {
  path: '/messages',
  keyHeaders: (key) => ({ 'x-api-key': key }),
  body(given, model, maxOutputTokens) {
    // The hold is for what the translation carries, so nothing else goes along that the service would read or bill.
    const short = withShortCache(only(given, FIELDS));
    const { tools, tool_choice: choice, messages, context_management: context, ...body } = short;
    const own = listOf(tools)
      .filter(isOwnTool)
      .map((tool) => only(tool, TOOL_FIELDS));
    const thinking = thinkingWithin(body.thinking, maxOutputTokens);
    return {
      ...body,
      ...(thinking === undefined ? {} : { thinking }),
      model,
      max_tokens: maxOutputTokens,
      messages: listOf(messages).map(readable),
      ...(own.length === 0 ? {} : { tools: own, ...(isUnset(choice) ? {} : { tool_choice: choice }) }),
      ...withClearing(context, isDisabled(thinking)),
    };
  },
  reader() {
    let usage: Json = {};
    let hasOutput = false;
    let stop: unknown;
    return {
      take(event): NativeNews {
        const { type, message, delta, content_block: block, usage: counts } = event;
        switch (type) {
          case 'message_start':
            if (!isObject(message) || !isObject(message.usage)) return { events: [] };
            usage = { ...message.usage };
            // At once: an answer that breaks off or is stopped has no other report of its input.
            return { events: reported(usage) };
          case 'content_block_start':
            return { events: isObject(block) ? saidIn(block) : [] };
          case 'content_block_delta':
            return { events: isObject(delta) ? saidIn(delta) : [] };
          case 'message_delta':
            for (const [name, count] of isObject(counts) ? Object.entries(counts) : [])
              if (!isUnset(count)) usage[name] = count;
            hasOutput ||= isObject(counts) && !isUnset(counts.output_tokens);
            if (isObject(delta) && !isUnset(delta.stop_reason)) stop = delta.stop_reason;
            return { events: [] };
          case 'message_stop':
            return { events: [...(hasOutput ? reported(usage) : []), finished(stop)], isOver: true };
          case 'error':
          // `SseReader` puts an error that stands alone under this name.
          case undefined:
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
    const usage = isObject(answer.usage) ? reported(answer.usage) : [];
    return { events: [...said, ...usage, finished(answer.stop_reason)], isOver: true };
  },
  rename(event, model) {
    if (isObject(event.message)) event.message.model = model;
    else if (event.type === 'message') event.model = model;
  },
  // Only the opening has the id.
  follow() {},
  failed: () => null,
  follower() {
    let hasBegun = false;
    let open: unknown;
    return {
      take({ type, index }) {
        hasBegun ||= type === 'message_start';
        if (type === 'content_block_start') open = index;
        else if (type === 'content_block_stop') open = undefined;
      },
      cut({ outputTokens }) {
        if (!hasBegun) return null;
        const delta = { stop_reason: 'max_tokens', stop_sequence: null };
        return [
          ...(open === undefined ? [] : [{ type: 'content_block_stop', index: open }]),
          { type: 'message_delta', delta, usage: { output_tokens: outputTokens } },
          { type: 'message_stop' },
        ];
      },
    };
  },
  ping: { type: 'ping' },
  last: new Set(['message_delta', 'message_stop']),
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

function reported(usage: Json): StreamEvent[] {
  const report = readReport({ cache_read_input_tokens: 0, ...usage });
  return report ? [{ type: 'usage', ...report }] : [];
}

function finished(stop: unknown): StreamEvent {
  const why = readFinish(stop);
  return { type: 'finish', why: why === undefined || why === 'failed' ? 'stop' : why };
}

/** A tool that the client runs. The service's own have a price of their own. */
const isOwnTool = (tool: unknown) => isObject(tool) && (isUnset(tool.type) || tool.type === 'custom');

/**
 * Thoughts without a signature are of another service, and would be refused. So would a call whose input is no object,
 * because its model wrote none.
 */
function readable(message: unknown): unknown {
  if (!isObject(message) || !Array.isArray(message.content)) return message;
  const isSigned = ({ type, signature }: Json) => type !== 'thinking' || !(isUnset(signature) || signature === '');
  const content = message.content.filter((block) => isObject(block) && BLOCKS.has(block.type) && isSigned(block));
  const mended = content.map(withObject);
  const isRight = mended.length === message.content.length && mended.every((block, i) => block === content[i]);
  if (isRight) return message;
  return { ...message, content: mended.length > 0 ? mended : [{ type: 'text', text: '(no text)' }] };
}

function withObject(block: Json): Json {
  const { type, input } = block;
  if (type !== 'tool_use' || isObject(input)) return block;
  return { ...block, input: JSON.parse(argumentsOf(input)) };
}

/** Anthropic's smallest budget of thoughts. */
const MIN_BUDGET = 1024;

/**
 * The budget is part of the limit, and the service refuses one that leaves no room for an answer. The client's own was
 * right, before its limit was clamped to what is held.
 */
function thinkingWithin(thinking: unknown, limitTokens: number): unknown {
  if (!isObject(thinking) || typeof thinking.budget_tokens !== 'number') return thinking;
  if (thinking.budget_tokens < limitTokens) return thinking;
  const budget = limitTokens - 1;
  return budget < MIN_BUDGET ? { type: 'disabled' } : { ...thinking, budget_tokens: budget };
}

const isDisabled = (thinking: unknown) => isObject(thinking) && thinking.type === 'disabled';

/** Old results and thoughts may be cleared. A summary by the service is an answer of its own, which nothing is held for. */
function withClearing(context: unknown, isThoughtless: boolean): Json {
  const edits = isObject(context) ? listOf(context.edits) : [];
  // The service refuses to clear thoughts where none are asked for.
  const known = isThoughtless ? /^clear_(?!thinking)/ : /^clear_/;
  const clearing = edits.filter((edit) => isObject(edit) && known.test(String(edit.type)));
  return clearing.length > 0 ? { context_management: { edits: clearing } } : {};
}
