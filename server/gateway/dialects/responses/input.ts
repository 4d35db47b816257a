import { isJson, mendArguments } from '../chat/messages.ts';
import { CallRefused, isObject, isUnset, type Json, missing, Names, wrongType } from '../chat/refused.ts';
import { MAX_MESSAGES } from '../chat/size.ts';
import { callId, flatName } from './ids.ts';
import { type LeftOut, typed } from './leftOut.ts';
import { readParts } from './parts.ts';
import { decodeReasoning } from './reasoning.ts';
import { INPUT, type Tools } from './tools.ts';
import { Turn } from './turn.ts';

interface Reading {
  messages: Json[];
  turn: Turn;
  /** Items may bring tools. */
  tools: Tools;
  leftOut: LeftOut;
}

/**
 * The messages of a request. Results need not stand behind their calls: `readChatCall` puts them there, with a result for
 * a call that has none. Throws `CallRefused`.
 */
export function readInput(instructions: unknown, input: unknown, tools: Tools, leftOut: LeftOut): Json[] {
  const messages: Json[] = [];
  if (!isUnset(instructions) && typeof instructions !== 'string') throw wrongType('instructions', 'a string');
  if (instructions) messages.push({ role: 'system', content: instructions });
  if (isUnset(input)) throw missing('input', 'Send a text, or the conversation as a list of items.');
  if (typeof input === 'string') messages.push({ role: 'user', content: input });
  else if (!Array.isArray(input)) throw wrongType('input', 'a string or a list of items');
  else {
    if (input.length === 0) throw new CallRefused('empty_array', 'input', 'input is empty. Send at least one item.');
    if (input.length > MAX_MESSAGES) throw tooLong();
    const turn = new Turn(messages, leftOut);
    for (let i = 0; i < input.length; i++) readItem(input[i], `input[${i}]`, { messages, turn, tools, leftOut });
    turn.end();
    if (messages.length > MAX_MESSAGES) throw tooLong();
    if (messages.length === 0) {
      const message = 'input has no message that can be carried. Send at least one of the user.';
      throw new CallRefused('invalid_value', 'input', message);
    }
  }
  return messages;
}

function tooLong(): CallRefused {
  const message = `input has more than ${MAX_MESSAGES} items. Leave out or summarize the oldest.`;
  return new CallRefused('array_above_max_length', 'input', message);
}

const FIELDS = new Names([
  ...['type', 'role', 'content', 'call_id', 'name', 'namespace', 'arguments', 'input', 'output', 'tools'],
  ...['summary', 'encrypted_content', 'action', 'operation'],
]);

function readItem(item: unknown, param: string, reading: Reading): void {
  if (!isObject(item)) throw wrongType(param, 'an object with a "type" or a "role"');
  FIELDS.check(item, param);
  const type = typeOf(item, param);
  const read = ITEMS.get(type);
  if (!read) {
    const advice = 'Send messages, calls of tools and their outputs.';
    throw new CallRefused('unsupported_value', `${param}.type`, `${param} has a type that is not supported. ${advice}`);
  }
  read(item, param, reading);
}

function typeOf({ type, role, id }: Json, param: string): string {
  if (typeof type === 'string') return type;
  if (!isUnset(type)) throw wrongType(`${param}.type`, 'a string');
  if (!isUnset(role)) return 'message';
  if (isUnset(id)) throw missing(`${param}.type`);
  return 'item_reference';
}

type Read = (item: Json, param: string, reading: Reading) => void;

/** Every item that is known, by its type. */
const ITEMS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['message', readMessage],
  ['reasoning', readReasoning],
  ['function_call', (item, param, reading) => readCall(item, param, reading, argumentsOf(item, param))],
  ['custom_tool_call', (item, param, reading) => readCall(item, param, reading, inputOf(item, param))],
  ['function_call_output', readOutput],
  ['custom_tool_call_output', readOutput],
  // OpenAI's own tools that run at the client, in the history of a session that began there.
  ['local_shell_call', (item, param, reading) => readOwnCall(item, param, reading, 'local_shell', 'action')],
  ['shell_call', (item, param, reading) => readOwnCall(item, param, reading, 'shell', 'action')],
  ['apply_patch_call', (item, param, reading) => readOwnCall(item, param, reading, 'apply_patch', 'operation')],
  ['local_shell_call_output', readOwnOutput],
  ['shell_call_output', readOwnOutput],
  ['apply_patch_call_output', readOwnOutput],
  ['additional_tools', readTools],
  [
    'tool_search_output',
    (item, param, reading) => {
      readTools(item, param, reading);
      leaveOut(item, param, reading);
    },
  ],
  // What other providers' servers did between two answers. The answers themselves tell what came of it.
  ...[
    ...['tool_search_call', 'web_search_call', 'file_search_call', 'image_generation_call', 'code_interpreter_call'],
    ...['computer_call', 'computer_call_output', 'mcp_list_tools', 'mcp_call', 'mcp_approval_request'],
    ...['mcp_approval_response', 'program', 'program_output'],
  ].map((type): [string, Read] => [type, leaveOut]),
  ['item_reference', notStored],
  ...['compaction', 'compaction_summary', 'compaction_trigger', 'context_compaction'].map((type): [string, Read] => [
    type,
    notCompacted,
  ]),
]);

function leaveOut({ type }: Json, param: string, { leftOut }: Reading): void {
  leftOut.add(`item ${type}`, typed(param, type));
}

function notStored(_: Json, param: string): never {
  const message = `${param} names a stored item, and no items are stored. Send the item itself (with "store": false).`;
  throw new CallRefused('previous_response_not_found', `${param}.id`, message);
}

function notCompacted(_: Json, param: string): never {
  const message = `${param} is a compaction, which only the service that made it can read. Send the items, or a summary as a message.`;
  throw new CallRefused('unsupported_value', `${param}.type`, message);
}

const ROLES = new Set<unknown>(['user', 'system', 'developer', 'assistant']);

function readMessage({ role, content }: Json, param: string, { messages, turn }: Reading): void {
  if (isUnset(role)) throw missing(`${param}.role`);
  if (typeof role !== 'string') throw wrongType(`${param}.role`, 'a string');
  if (!ROLES.has(role)) {
    const message = `${param}.role must be "user", "assistant", "system" or "developer".`;
    throw new CallRefused('invalid_value', `${param}.role`, message);
  }
  const path = `${param}.content`;
  if (role === 'assistant') {
    turn.say(isUnset(content) ? '' : textOf(content, path));
    return;
  }
  if (isUnset(content)) throw missing(path);
  if (typeof content !== 'string' && !Array.isArray(content)) throw wrongType(path, 'a string or a list of parts');
  if (content.length === 0 && typeof content !== 'string')
    throw new CallRefused('empty_array', path, `${path} has no parts. Send a text.`);
  turn.end();
  messages.push({ role, content: typeof content === 'string' ? content : plain(readParts(content, path)) });
}

/** Every service takes a text as a string, and not every one as a list with one part. */
function plain(parts: Json[]): unknown {
  return parts.length === 1 && parts[0]!.type === 'text' ? parts[0]!.text : parts;
}

function textOf(content: unknown, param: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw wrongType(param, 'a string or a list of parts');
  return readParts(content, param)
    .map(({ type, text }, i) => {
      if (type === 'text') return text;
      const message = `${param}[${i}] is a picture in an answer. Send it in a message of the user.`;
      throw new CallRefused('unsupported_value', `${param}[${i}].type`, message);
    })
    .join('');
}

/** Our own reasoning comes back as it was. Of another provider's only the readable part is left. */
function readReasoning(item: Json, param: string, { turn, leftOut }: Reading): void {
  const { encrypted_content: encrypted } = item;
  if (!isUnset(encrypted) && typeof encrypted !== 'string') throw wrongType(`${param}.encrypted_content`, 'a string');
  const own = encrypted ? decodeReasoning(encrypted) : undefined;
  if (encrypted && own === undefined) leftOut.add('encrypted reasoning', `${param}.encrypted_content`);
  const readable = readableIn(item.content, `${param}.content`) || readableIn(item.summary, `${param}.summary`);
  turn.think(own ?? readable, param);
}

function readableIn(parts: unknown, param: string): string {
  if (isUnset(parts)) return '';
  if (!Array.isArray(parts)) throw wrongType(param, 'a list of parts');
  const texts = parts.map((part: unknown, i) => {
    if (!isObject(part)) throw wrongType(`${param}[${i}]`, 'an object with a "text"');
    if (isUnset(part.text)) throw missing(`${param}[${i}].text`);
    if (typeof part.text !== 'string') throw wrongType(`${param}[${i}].text`, 'a string');
    return part.text;
  });
  return texts.join('\n\n');
}

function idOf(item: Json, param: string): string {
  const { call_id: id } = item;
  if (isUnset(id)) throw missing(`${param}.call_id`);
  if (typeof id !== 'string') throw wrongType(`${param}.call_id`, 'a string');
  return callId(id);
}

/** `args` are undefined for a call that was cut off, and was never run. */
function readCall(item: Json, param: string, { turn, leftOut }: Reading, args: string | undefined): void {
  const { name, namespace } = item;
  const id = idOf(item, param);
  if (isUnset(name)) throw missing(`${param}.name`);
  if (typeof name !== 'string') throw wrongType(`${param}.name`, 'a string');
  if (!isUnset(namespace) && typeof namespace !== 'string') throw wrongType(`${param}.namespace`, 'a string');
  if (args === undefined) leftOut.add('half a call', `${param} (a call that was cut off)`);
  else turn.call(id, flatName(namespace ?? undefined, name), args);
}

function argumentsOf(item: Json, param: string): string | undefined {
  const { arguments: args, status } = item;
  // A call that was cut off, and never run.
  if (status === 'incomplete' && typeof args === 'string' && args.trim() !== '' && !isJson(args)) return undefined;
  return mendArguments(args, `${param}.arguments`);
}

function inputOf({ input }: Json, param: string): string {
  if (isUnset(input)) throw missing(`${param}.input`);
  if (typeof input !== 'string') throw wrongType(`${param}.input`, 'a string');
  return JSON.stringify({ [INPUT]: input });
}

/** An empty output is an output. */
function readOutput(item: Json, param: string, { messages, turn }: Reading): void {
  const id = idOf(item, param);
  const { output } = item;
  if (output === undefined) throw missing(`${param}.output`, 'Send "" for a tool that says nothing.');
  if (output !== null && typeof output !== 'string' && !Array.isArray(output))
    throw wrongType(`${param}.output`, 'a string or a list of parts');
  const content = Array.isArray(output) ? joined(readParts(output, `${param}.output`)) : (output ?? '');
  turn.end();
  messages.push({ role: 'tool', tool_call_id: id, content });
}

/** Texts as one string, because some services take nothing else from a tool. Pictures find their place later. */
function joined(parts: Json[]): unknown {
  return parts.every(({ type }) => type === 'text') ? parts.map(({ text }) => text).join('\n') : parts;
}

function readOwnCall(item: Json, param: string, { turn }: Reading, name: string, member: string): void {
  const given = item[member];
  if (!isObject(given)) throw wrongType(`${param}.${member}`, 'an object');
  turn.call(idOf(withCallId(item), param), name, JSON.stringify(given));
}

function readOwnOutput(item: Json, param: string, { messages, turn }: Reading): void {
  const id = idOf(withCallId(item), param);
  const output = item.output ?? item.status ?? '';
  turn.end();
  messages.push({
    role: 'tool',
    tool_call_id: id,
    content: typeof output === 'string' ? output : JSON.stringify(output),
  });
}

/** A local shell's output names the call by its own id. */
const withCallId = (item: Json): Json => (isUnset(item.call_id) ? { ...item, call_id: item.id } : item);

function readTools({ tools }: Json, param: string, reading: Reading): void {
  if (isUnset(tools)) throw missing(`${param}.tools`);
  if (!Array.isArray(tools)) throw wrongType(`${param}.tools`, 'a list');
  reading.tools.add(tools, `${param}.tools`, true);
}
