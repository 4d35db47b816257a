import { readThinking } from '../content.ts';
import { mendParts } from './parts.ts';
import { PRICED_ROLES } from './priced.ts';
import { CallRefused, isObject, isUnset, type Json, missing, Names, without, wrongType } from './refused.ts';
import { pairResults } from './results.ts';

/**
 * Mends the messages of a request. Returns the same array, with the same objects, if they are right: a service finds its
 * cached prompt only by an equal text. Throws `CallRefused`.
 */
export function mendMessages(messages: readonly unknown[]): Json[] {
  let mended: Json[] | null = null;
  for (let i = 0; i < messages.length; i++) {
    const message = mendMessage(messages[i], `messages[${i}]`);
    if (message !== messages[i]) mended ??= messages.slice(0, i) as Json[];
    mended?.push(message);
  }
  return pairResults(mended ?? (messages as Json[]));
}

const FIELDS = new Names([
  'role',
  'content',
  'tool_calls',
  'tool_call_id',
  'function_call',
  'audio',
  'reasoning_content',
]);

function mendMessage(message: unknown, param: string): Json {
  if (!isObject(message)) throw wrongType(param, 'an object with a "role"');
  FIELDS.check(message, param);
  const { role } = message;
  if (isUnset(role)) throw missing(`${param}.role`);
  if (typeof role !== 'string') throw wrongType(`${param}.role`, 'a string');
  const advice = PRICED_ROLES.get(role);
  if (advice !== undefined)
    throw new CallRefused('unsupported_value', `${param}.role`, `${param} has a role that is not supported. ${advice}`);
  const mended = mendContent(message, param);
  if (role === 'assistant') return mendAssistant(mended, param);
  if (role === 'tool') {
    const { tool_call_id: id } = mended;
    if (isUnset(id)) throw missing(`${param}.tool_call_id`, 'Send the id of the call that this is the result of.');
    if (typeof id !== 'string') throw wrongType(`${param}.tool_call_id`, 'a string');
  }
  return mended;
}

function mendContent(message: Json, param: string): Json {
  const { content, role } = message;
  if (typeof content === 'string') return message;
  if (Array.isArray(content)) {
    // An empty result is a result. Services refuse a list without parts.
    if (content.length === 0 && (role === 'tool' || role === 'assistant')) return { ...message, content: '' };
    if (content.length === 0)
      throw new CallRefused('empty_array', `${param}.content`, `${param}.content has no parts. Send a text.`);
    const parts = mendParts(content, `${param}.content`);
    return parts === content ? message : { ...message, content: parts };
  }
  if (!isUnset(content)) throw wrongType(`${param}.content`, 'a string or a list of parts');
  if (role === 'tool') return { ...message, content: '' };
  if (role === 'system' || role === 'developer' || role === 'user') throw missing(`${param}.content`);
  return message;
}

function mendAssistant(message: Json, param: string): Json {
  if (!isUnset(message.audio))
    throw new CallRefused(
      'unsupported_parameter',
      `${param}.audio`,
      `${param}.audio is not supported. Send the text of the answer as "content".`,
    );
  const { tool_calls: calls, function_call: old } = message;
  let mended = message;
  if (Array.isArray(calls) && calls.length === 0) mended = without(mended, TOOL_CALLS);
  else if (Array.isArray(calls)) {
    const right = mendCalls(calls, `${param}.tool_calls`);
    if (right !== calls) mended = { ...mended, tool_calls: right };
  } else if (!isUnset(calls)) throw wrongType(`${param}.tool_calls`, 'a list');
  if (isObject(old)) {
    const right = mendFunction(old, `${param}.function_call`);
    if (right !== old) mended = { ...mended, function_call: right };
  }
  // Services refuse an answer that says nothing at all unless its content is a text.
  const saysNothing = isUnset(mended.content) && isUnset(mended.tool_calls) && isUnset(old) && isUnset(mended.refusal);
  return saysNothing ? { ...mended, content: '' } : mended;
}

const TOOL_CALLS: ReadonlySet<string> = new Set(['tool_calls']);

function mendCalls(calls: readonly unknown[], param: string): Json[] {
  const mended = calls.map((call, i) => mendCall(call, `${param}[${i}]`));
  return mended.some((call, i) => call !== calls[i]) ? mended : (calls as Json[]);
}

/** The id is never changed: a model that named its calls itself (Kimi) reads its own names again. */
function mendCall(call: unknown, param: string): Json {
  if (!isObject(call)) throw wrongType(param, 'an object');
  const { id, type, function: named, custom } = call;
  if (isUnset(id)) throw missing(`${param}.id`);
  if (typeof id !== 'string') throw wrongType(`${param}.id`, 'a string');
  if (type === 'custom' && isObject(custom)) return call;
  if (isUnset(named)) throw missing(`${param}.function`);
  if (!isObject(named)) throw wrongType(`${param}.function`, 'an object with "name" and "arguments"');
  const right = mendFunction(named, `${param}.function`);
  if (right === named && !isUnset(type)) return call;
  return { ...call, type: isUnset(type) ? 'function' : type, function: right };
}

function mendFunction(named: Json, param: string): Json {
  if (isUnset(named.name)) throw missing(`${param}.name`);
  if (typeof named.name !== 'string') throw wrongType(`${param}.name`, 'a string');
  const right = mendArguments(named.arguments, `${param}.arguments`);
  return right === named.arguments ? named : { ...named, arguments: right };
}

/**
 * The arguments of an earlier call as JSON, which services parse and answer 400 to if they can't. A call without any
 * has none. What a model wrote as no JSON is carried in an object: it reads its mistake beside what the tool said to it,
 * and its conversation goes on.
 */
export function mendArguments(given: unknown, param: string): string {
  if (isUnset(given)) return '{}';
  if (isObject(given)) return JSON.stringify(given);
  if (typeof given !== 'string') throw wrongType(param, 'a string of JSON');
  if (given.trim() === '') return '{}';
  return isJson(given) ? given : JSON.stringify(wrongArguments(given));
}

/** Arguments that are no JSON, or no object where only an object is taken. */
export const wrongArguments = (text: string) => ({ INVALID_JSON: text });

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** For a service that doesn't know the role `developer`. Returns the same body if it has none. */
export function withoutDeveloper(body: Json): Json {
  return withMessages(body, (message) => (message.role === 'developer' ? { ...message, role: 'system' } : message));
}

/**
 * For a service that takes a system message only as the first (Qwen's chat template): the leading ones become one, and
 * each later one a message of the user. Call it after `withoutDeveloper`.
 */
export function withSystemFirst(body: Json): Json {
  const messages = body.messages as Json[];
  const isSystem = ({ role }: Json) => role === 'system' || role === 'developer';
  const found = messages.findIndex((message) => !isSystem(message));
  const leading = messages.slice(0, found < 0 ? messages.length : found);
  const rest = messages.slice(leading.length);
  if (leading.length <= 1 && !rest.some(isSystem)) return body;
  const head = leading.length <= 1 ? leading : [{ ...leading[0]!, content: joined(leading) }];
  const tail = rest.map((message) => (isSystem(message) ? { ...message, role: 'user' } : message));
  // A message of the user between a call and its result would be refused.
  return { ...body, messages: pairResults([...head, ...tail]) };
}

function joined(messages: readonly Json[]): unknown {
  if (messages.every(({ content }) => typeof content === 'string'))
    return messages.map(({ content }) => content).join('\n\n');
  return messages.flatMap(({ content }) => (Array.isArray(content) ? content : [{ type: 'text', text: content }]));
}

/** What stands in for reasoning that the client did not keep. An empty text counts as missing. */
export const REASONING_PLACEHOLDER = '(not kept)';

/**
 * For a service that refuses an answer with tool calls but without the reasoning before them (Kimi and DeepSeek while
 * they think). Reasoning that the client sent under another name is carried over. Returns the same body if nothing is
 * missing.
 */
export function addReasoning(body: Json): Json {
  return withMessages(body, (message) => {
    const { role, tool_calls: calls, reasoning_content: kept } = message;
    if (role !== 'assistant' || !Array.isArray(calls) || calls.length === 0) return message;
    if (typeof kept === 'string' && kept.trim() !== '') return message;
    const { reasoning, thinking, reasoning_text, reasoning_details, thinking_blocks } = message;
    const found = readThinking(kept, reasoning, thinking, reasoning_text, reasoning_details, thinking_blocks);
    return { ...message, reasoning_content: found.trim() === '' ? REASONING_PLACEHOLDER : found };
  });
}

function withMessages(body: Json, mend: (message: Json) => Json): Json {
  const messages = body.messages as Json[];
  const mended = messages.map(mend);
  return mended.some((message, i) => message !== messages[i]) ? { ...body, messages: mended } : body;
}
