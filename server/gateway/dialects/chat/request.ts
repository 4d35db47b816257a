import { withShortCache } from '../cacheTtl.ts';
import { mendMessages, withoutDeveloper, withSystemFirst } from './messages.ts';
import { PRICED_FIELDS, withoutPriced } from './priced.ts';
import { CallRefused, isObject, isUnset, type Json, missing, Names, without, wrongType } from './refused.ts';
import { inspect, MAX_MESSAGES, PromptSize, type TokenCounts, wellFormed } from './size.ts';
import { mendTools, type ToolOptions } from './tools.ts';

export interface CallOptions extends ToolOptions {
  /** The functions of `prompt/tokens.ts`. */
  tokens: TokenCounts;
  /** Whether the service knows the role `developer`. */
  developerRole: boolean;
  /** The service takes a system message only as the first one. */
  systemFirst?: boolean;
}

/** A chat-completions request. */
export interface ChatCall {
  model: string;
  stream: boolean;
  /** The client asked for a chunk with the usage. */
  wantsUsage: boolean;
  /** The most output tokens that the client wants; null: as many as the model has. Not more than `MOST_TOKENS`. */
  limitTokens: number | null;
  /** What goes to the service beside the fields above: the client's own fields, mended where they were wrong. */
  body: Json;
  /** The prompt's tokens. */
  size: PromptSize;
  /** Fields and tools that were taken out, because they have a price of their own and the answer doesn't need them. */
  leftOut: string[];
}

/** No model writes more in one answer; the same as `MAX_TOKENS` of usage reports. */
const MOST_TOKENS = 100_000_000;
const MOST_MODEL_UNITS = 256;

/** The limit's names, the first one that is set wins: OpenAI's, then those of Responses, llama.cpp, Ollama and TGI. */
const LIMITS = [
  'max_completion_tokens',
  'max_tokens',
  'max_output_tokens',
  'n_predict',
  'num_predict',
  'max_new_tokens',
];

/** Written anew for the service. Its own names for the limit would undo the one that is paid for. */
const OURS = new Set(['model', 'stream', 'stream_options', ...LIMITS]);

/**
 * Reads the parsed body of `POST /v1/chat/completions`. Fields that are not known pass on. What no service could read,
 * or what has no price, is refused by name. A request that is right goes on unchanged, in the same order.
 *
 * Linear in the body's size. Throws `CallRefused`.
 */
export function readChatCall(given: unknown, options: CallOptions): ChatCall {
  if (!isObject(given)) throw new CallRefused('invalid_type', null, 'The body must be a JSON object.');
  const call = inspect(given) ? given : wellFormed(given);
  FIELDS.check(call, null);
  const { model } = call;
  if (isUnset(model)) throw missing('model', 'GET /v1/models lists the models.');
  if (typeof model !== 'string') throw wrongType('model', 'a string');
  if (model === '') throw new CallRefused('invalid_value', 'model', 'model is empty. GET /v1/models lists the models.');
  if (model.length > MOST_MODEL_UNITS)
    throw new CallRefused('string_above_max_length', 'model', `model is longer than ${MOST_MODEL_UNITS} characters.`);
  const stream = readFlag(call.stream, 'stream');
  const wantsUsage = readWantsUsage(call.stream_options);
  const limitTokens = readLimit(call);
  checkTypes(call);

  const leftOut: string[] = [];
  let body = withoutPriced(without(call, OURS), leftOut);
  body = mendTools(body, options, leftOut);
  const messages = mendMessages(readMessages(call.messages));
  if (messages !== body.messages) body = { ...body, messages };
  if (!options.developerRole) body = withoutDeveloper(body);
  if (options.systemFirst) body = withSystemFirst(body);
  const short = withShortCache(body);
  if (short !== body) leftOut.push('cache_control.ttl');
  body = short;
  return { model, stream, wantsUsage, limitTokens, body, size: new PromptSize(body, options.tokens), leftOut };
}

/** The list of messages. The paths are those of every dialect with the field `messages`. */
export function readMessages(messages: unknown): unknown[] {
  if (isUnset(messages)) throw missing('messages', 'Send the conversation as a list of messages.');
  if (!Array.isArray(messages)) throw wrongType('messages', 'a list of messages');
  if (messages.length === 0) throw new CallRefused('empty_array', 'messages', 'messages is empty. Send at least one.');
  if (messages.length > MAX_MESSAGES) {
    const message = `messages has more than ${MAX_MESSAGES} messages. Leave out or summarize the oldest.`;
    throw new CallRefused('array_above_max_length', 'messages', message);
  }
  return messages;
}

function readFlag(value: unknown, param: string): boolean {
  if (isUnset(value)) return false;
  if (typeof value !== 'boolean') throw wrongType(param, 'true or false');
  return value;
}

function readWantsUsage(options: unknown): boolean {
  if (isUnset(options)) return false;
  if (!isObject(options)) throw wrongType('stream_options', 'an object');
  return readFlag(options.include_usage, 'stream_options.include_usage');
}

/** The first limit that is set. All are checked, because a wrong one is a mistake in any case. */
function readLimit(call: Json): number | null {
  let limit: number | null = null;
  for (const param of LIMITS) {
    const value = call[param];
    if (isUnset(value)) continue;
    if (typeof value !== 'number') throw wrongType(param, 'a whole number');
    // Clients compute it as a share of the context.
    const whole = Math.floor(Math.min(value, MOST_TOKENS));
    if (!(whole >= 1)) {
      const message = `${param} must be at least 1. Leave it out for the most that the model can write.`;
      throw new CallRefused('integer_below_min_value', param, message);
    }
    limit ??= whole;
  }
  return limit;
}

/** Every field that is read here, refused, or taken out. */
const FIELDS = new Names([
  ...OURS,
  ...PRICED_FIELDS.flatMap(({ fields }) => fields),
  ...['messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call', 'response_format'],
]);

const isNumber = (value: unknown) => typeof value === 'number';
const TYPES: [field: string, isRight: (value: unknown) => boolean, expected: string][] = [
  ['temperature', isNumber, 'a number'],
  ['top_p', isNumber, 'a number'],
  ['frequency_penalty', isNumber, 'a number'],
  ['presence_penalty', isNumber, 'a number'],
  ['seed', isNumber, 'a whole number'],
  ['top_logprobs', isNumber, 'a whole number'],
  ['logprobs', (value) => typeof value === 'boolean' || isNumber(value), 'true or false'],
  ['parallel_tool_calls', (value) => typeof value === 'boolean', 'true or false'],
  ['stop', (value) => typeof value === 'string' || Array.isArray(value), 'a string or a list of strings'],
  ['logit_bias', isObject, 'an object'],
  ['response_format', isObject, 'an object with a "type"'],
  ['functions', Array.isArray, 'a list'],
];

/** Fields that every service reads in the same way: its own refusal would not say which one is wrong. */
function checkTypes(call: Json): void {
  for (const [field, isRight, expected] of TYPES)
    if (!isUnset(call[field]) && !isRight(call[field])) throw wrongType(field, expected);
}
