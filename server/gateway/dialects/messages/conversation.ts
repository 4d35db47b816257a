import { wrongArguments } from '../chat/messages.ts';
import { CallRefused, isObject, isUnset, type Json, missing, wrongType } from '../chat/refused.ts';
import { readMessages } from '../chat/request.ts';
import { blocksOf, contentOf, notHere, partsIn, readBlock, readParts, stringOf, TEXT, text, textOf } from './blocks.ts';
import { CallIds, extraOf, parsed } from './ids.ts';

/**
 * The messages of chat completions for `system` and `messages`, in the same order: a service finds its cached prompt by
 * an equal beginning only. What can't be carried is added to `leftOut` by its kind. Throws `CallRefused` with the
 * dialect's own paths, such as `messages.0.content.1.source`.
 */
export function toChatMessages({ system, messages }: Json, leftOut: Set<string>): Json[] {
  const ids = new CallIds();
  const list = readMessages(messages);
  const told = list.flatMap((message, i) => toChat(message, `messages.${i}`, ids, leftOut));
  // Anthropic's older models go on with such a text; other services begin anew.
  const last = told.at(-1);
  if (last?.role === 'assistant' && isUnset(last.tool_calls)) leftOut.add('prefill');
  const prompt = isUnset(system) ? '' : systemOf(system, leftOut);
  return prompt === '' ? told : [{ role: 'system', content: prompt }, ...told];
}

/** Claude Code's note to Anthropic's billing. It differs in each request, so no service would find its cached prompt. */
const BILLING = /^\s*x-anthropic-billing-header:[^\n]*\n?/i;

function systemOf(system: unknown, leftOut: Set<string>): string {
  const parts = partsIn(system, 'system', TEXT, leftOut);
  return textOf(parts.map((part) => text(withoutBilling(part.text as string, leftOut))));
}

function withoutBilling(prompt: string, leftOut: Set<string>): string {
  if (!BILLING.test(prompt)) return prompt;
  leftOut.add('x-anthropic-billing-header');
  return prompt.replace(BILLING, '');
}

function toChat(message: unknown, path: string, ids: CallIds, leftOut: Set<string>): Json[] {
  if (!isObject(message)) throw wrongType(path, 'an object with a "role"');
  const { role, content } = message;
  if (isUnset(role)) throw missing(`${path}.role`);
  if (role === 'user') return userMessages(content, `${path}.content`, ids, leftOut);
  if (role === 'assistant') return assistantMessage(content, `${path}.content`, ids, leftOut);
  if (typeof role !== 'string') throw wrongType(`${path}.role`, 'a string');
  if (role !== 'system') {
    const message = `${path} has a role that is not supported. Send "user", "assistant" or "system".`;
    throw new CallRefused('unsupported_value', `${path}.role`, message);
  }
  const said = textOf(partsIn(content, `${path}.content`, TEXT, leftOut));
  return said === '' ? [] : [{ role, content: said }];
}

/** The results of tool calls first: services refuse a message of the user between a call and its result. */
function userMessages(content: unknown, path: string, ids: CallIds, leftOut: Set<string>): Json[] {
  if (typeof content === 'string') return [{ role: 'user', content }];
  const blocks = blocksOf(content, path);
  if (blocks.length === 0) throw new CallRefused('empty_array', path, `${path} has no blocks. Send a text.`);
  const results: Json[] = [];
  const parts: Json[] = [];
  blocks.forEach((given, i) => {
    const at = `${path}.${i}`;
    const block = readBlock(given, at, leftOut);
    if (block.type === 'tool_result') results.push(toolMessage(block, at, ids, leftOut));
    else for (const part of readParts(block, at, leftOut)) parts.push(part);
  });
  return parts.length > 0 || results.length === 0 ? [...results, { role: 'user', content: contentOf(parts) }] : results;
}

/** The pictures in a result stay in it: `readChatCall` moves them behind all results of the turn. */
function toolMessage(block: Json, path: string, ids: CallIds, leftOut: Set<string>): Json {
  const id = stringOf(block.tool_use_id, `${path}.tool_use_id`);
  const { content, is_error: isError } = block;
  if (!isUnset(isError) && typeof isError !== 'boolean') throw wrongType(`${path}.is_error`, 'true or false');
  const parts = isUnset(content) ? [] : partsIn(content, `${path}.content`, IN_RESULT, leftOut);
  const said = contentOf(parts);
  return { role: 'tool', tool_call_id: ids.of(id), content: isError === true ? asError(said) : said };
}

const IN_RESULT = new Set(['text', 'image', 'document', 'search_result', 'tool_reference']);

/** Chat completions have no mark for a failed call, so the text says it. */
const FAILED = 'The tool reported an error:';

function asError(said: string | Json[]): string | Json[] {
  return typeof said === 'string' ? `${FAILED}\n${said}` : [text(FAILED), ...said];
}

function assistantMessage(content: unknown, path: string, ids: CallIds, leftOut: Set<string>): Json[] {
  if (typeof content === 'string') return content === '' ? [] : [{ role: 'assistant', content }];
  const parts: Json[] = [];
  const thoughts: string[] = [];
  const calls: Json[] = [];
  blocksOf(content, path).forEach((given, i) => {
    const at = `${path}.${i}`;
    const block = readBlock(given, at, leftOut);
    if (block.type === 'tool_use') calls.push(readCall(block, at, ids));
    else if (block.type === 'thinking') thoughts.push(stringOf(block.thinking, `${at}.thinking`));
    else if (block.type === 'redacted_thinking') leftOut.add(block.type);
    else if (IN_ANSWER.has(block.type)) throw notHere(block.type, at);
    else for (const part of readParts(block, at, leftOut)) parts.push(part);
  });
  const said = contentOf(parts);
  const thinking = thoughts.filter((thought) => thought !== '').join('\n\n');
  if (said === '' && thinking === '' && calls.length === 0) return [];
  return [
    {
      role: 'assistant',
      content: said === '' && calls.length > 0 ? null : said,
      // Signed or not: a signature means something to Anthropic's service alone.
      ...(thinking === '' ? {} : { reasoning_content: thinking }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  ];
}

/** What only the user sends. */
const IN_ANSWER = new Set(['tool_result', 'image', 'document', 'search_result', 'tool_reference']);

function readCall(block: Json, path: string, ids: CallIds): Json {
  const id = stringOf(block.id, `${path}.id`);
  const name = stringOf(block.name, `${path}.name`);
  if (name === '') throw new CallRefused('invalid_value', `${path}.name`, `${path} has an empty name.`);
  const named = { name, arguments: argumentsOf(block.input) };
  return { id: ids.of(id), type: 'function', function: named, ...extraOf(id) };
}

/** The input as JSON. A client has no object where its model wrote none: then it sends the text, or what it parsed. */
export function argumentsOf(input: unknown): string {
  if (isUnset(input) || (typeof input === 'string' && input.trim() === '')) return '{}';
  if (isObject(input)) return JSON.stringify(input);
  if (typeof input === 'string' && isObject(parsed(input))) return input;
  return JSON.stringify(wrongArguments(typeof input === 'string' ? input : JSON.stringify(input)));
}
