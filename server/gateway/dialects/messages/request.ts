import { withoutPriced } from '../chat/priced.ts';
import { CallRefused, isObject, isUnset, type Json, missing, wrongType } from '../chat/refused.ts';
import { type CallOptions, readChatCall } from '../chat/request.ts';
import { inspect, type PromptSize, wellFormed } from '../chat/size.ts';
import { isPlain } from '../chat/tools.ts';
import { stringOf } from './blocks.ts';
import { toChatMessages } from './conversation.ts';
import { digestOf } from './ids.ts';
import { toChatTools } from './tools.ts';

/** What the answer to a request needs to know of it. */
export interface MessagesContext {
  /** The client's `stop_sequences`. */
  stopSequences: readonly string[];
  /**
   * Stable and opaque for each `metadata.user_id`, which Claude Code makes for each session: a `prompt_cache_key` for
   * the services that take one. Null if the client sent none.
   */
  cacheKey: string | null;
}

/** Fields of both dialects with the same meaning. `readChatCall` checks their values. */
const SAME = ['model', 'max_tokens', 'stream', 'temperature', 'top_p'];

/** Fields that are translated, or that only mean the default if `withoutPriced` lets them pass. */
const READ = new Set([
  ...SAME,
  ...['system', 'messages', 'tools', 'tool_choice', 'stop_sequences', 'output_config', 'output_format'],
  ...['service_tier', 'speed', 'inference_geo', 'mcp_servers', 'container'],
]);

/**
 * Reads the parsed body of `POST /v1/messages` or `/v1/messages/count_tokens` as a chat-completions body, to be read by
 * `readChatCall`. `leftOut` names what the service doesn't get and the answer doesn't need: hints, tools of Anthropic's
 * service, betas. What the answer would depend on is refused by name.
 *
 * `thinking` and `output_config.effort` are left out. `reasoning_effort` would be the nearest, but models that don't
 * think refuse it, Claude Code sends both with every request, and a budget in tokens has no counterpart. So a model
 * thinks as its operator has set it up, and its thinking reaches the client whatever `thinking.display` says: some
 * services refuse a history without it.
 *
 * Linear in the body's size. Throws `CallRefused` with the dialect's own paths.
 */
export function readMessages(given: unknown): { body: Json; context: MessagesContext; leftOut: string[] } {
  if (!isObject(given)) throw new CallRefused('invalid_type', null, 'The body must be a JSON object.');
  const priced: string[] = [];
  const call = withoutPriced(inspect(given) ? given : wellFormed(given), priced);
  const leftOut = new Set(priced);
  for (const field of Object.keys(call))
    if (!READ.has(field) && !isUnset(call[field])) leftOut.add(isPlain(field) ? field : 'an unknown field');
  checkThinking(call.thinking);

  const body: Json = {};
  for (const field of SAME) if (!isUnset(call[field])) body[field] = call[field];
  body.messages = toChatMessages(call, leftOut);
  Object.assign(body, toChatTools(call, leftOut));
  const stopSequences = readStops(call.stop_sequences);
  if (stopSequences.length > 0) body.stop = stopSequences;
  const format = readFormat(call, leftOut);
  if (format) body.response_format = format;
  return { body, context: { stopSequences, cacheKey: cacheKeyOf(call.metadata) }, leftOut: [...leftOut] };
}

/** How large the prompt of a request is. Throws `CallRefused`. */
export const sizeOf = (given: unknown, options: CallOptions): PromptSize =>
  readChatCall(readMessages(given).body, options).size;

function checkThinking(thinking: unknown): void {
  if (isUnset(thinking)) return;
  if (!isObject(thinking)) throw wrongType('thinking', 'an object with a "type"');
  stringOf(thinking.type, 'thinking.type');
}

function readStops(stops: unknown): string[] {
  if (isUnset(stops)) return [];
  if (!Array.isArray(stops)) throw wrongType('stop_sequences', 'a list of strings');
  return stops.map((stop, i) => {
    const path = `stop_sequences.${i}`;
    if (typeof stop !== 'string') throw wrongType(path, 'a string');
    if (stop === '') throw new CallRefused('invalid_value', path, `${path} is empty. Leave it out.`);
    return stop;
  });
}

/** `output_config.format`, or its older name `output_format`, as `response_format`. Both promise an answer that fits. */
function readFormat({ output_config: config, output_format: old }: Json, leftOut: Set<string>): Json | null {
  if (!isUnset(config) && !isObject(config)) throw wrongType('output_config', 'an object');
  for (const field of Object.keys(config ?? {}))
    if (field !== 'format' && !isUnset((config as Json)[field]))
      leftOut.add(isPlain(field) ? `output_config.${field}` : 'output_config');
  const isNew = isObject(config) && !isUnset(config.format);
  const format = isNew ? config.format : old;
  const path = isNew ? 'output_config.format' : 'output_format';
  if (isUnset(format)) return null;
  if (!isObject(format)) throw wrongType(path, 'an object with a "type"');
  if (stringOf(format.type, `${path}.type`) !== 'json_schema') {
    const message = `${path} has a type that is not supported. Send "json_schema", or leave it out.`;
    throw new CallRefused('unsupported_value', `${path}.type`, message);
  }
  if (isUnset(format.schema)) throw missing(`${path}.schema`);
  if (!isObject(format.schema)) throw wrongType(`${path}.schema`, 'an object');
  return { type: 'json_schema', json_schema: { name: 'answer', schema: format.schema, strict: true } };
}

function cacheKeyOf(metadata: unknown): string | null {
  if (isUnset(metadata)) return null;
  if (!isObject(metadata)) throw wrongType('metadata', 'an object');
  if (isUnset(metadata.user_id)) return null;
  return digestOf(stringOf(metadata.user_id, 'metadata.user_id'));
}
