import { CallRefused, isObject, isUnset, type Json, missing, wrongType } from '../chat/refused.ts';
import { isPlain } from '../chat/tools.ts';
import { stringOf } from './blocks.ts';

/** Anthropic's own fields of a tool. They change how its service runs or loads the tool, not what the tool is. */
const HINTS = ['cache_control', 'eager_input_streaming', 'input_examples', 'defer_loading', 'allowed_callers'];

/**
 * `tools` and `tool_choice` as chat completions have them. A tool that Anthropic's service would run, or whose schema
 * only Anthropic's models know (`web_search_…`, `bash_…`), is left out, and refused if the answer has to use it. Throws
 * `CallRefused`.
 */
export function toChatTools(given: Json, leftOut: Set<string>): Json {
  const { tools, tool_choice: choice, thinking } = given;
  if (!isUnset(tools) && !Array.isArray(tools)) throw wrongType('tools', 'a list');
  const hosted: unknown[] = [];
  const offered: Json[] = [];
  for (const [i, tool] of (Array.isArray(tools) ? tools : []).entries()) {
    const read = readTool(tool, `tools.${i}`, leftOut);
    if (read) offered.push(read);
    else hosted.push((tool as Json).name);
  }
  const read = isUnset(choice) ? {} : readChoice(choice, offered, hosted);
  const isForced = read.tool_choice === 'required' || isObject(read.tool_choice);
  // Anthropic refuses it as well, and so do services whose model thinks: the model may not think before a forced call.
  if (isForced && isObject(thinking) && thinking.type !== 'disabled') {
    const advice = 'Send {"type": "auto"}, or turn thinking off with "thinking": {"type": "disabled"}.';
    throw new CallRefused(
      'unsupported_value',
      'tool_choice',
      `tool_choice can't force a call with thinking. ${advice}`,
    );
  }
  return offered.length === 0 ? {} : { tools: offered, ...read };
}

/** A tool that the client runs; null for another, which is then in `leftOut`. */
function readTool(tool: unknown, path: string, leftOut: Set<string>): Json | null {
  if (!isObject(tool)) throw wrongType(path, 'an object');
  const { type, description, strict, input_schema: parameters } = tool;
  if (!isUnset(type) && typeof type !== 'string') throw wrongType(`${path}.type`, 'a string');
  if (type === 'function') {
    const message = `${path} is a tool of another dialect. Send {"name": …, "description": …, "input_schema": …}.`;
    throw new CallRefused('unsupported_value', `${path}.type`, message);
  }
  if (!isUnset(type) && type !== 'custom') {
    leftOut.add(isPlain(type) ? `${path} (${type})` : path);
    return null;
  }
  const name = stringOf(tool.name, `${path}.name`);
  if (name === '') throw new CallRefused('invalid_value', `${path}.name`, `${path} has an empty name.`);
  if (!isUnset(description)) stringOf(description, `${path}.description`);
  if (isUnset(parameters)) throw missing(`${path}.input_schema`, 'Send the JSON schema of the tool’s input.');
  if (!isObject(parameters)) throw wrongType(`${path}.input_schema`, 'an object');
  if (!isUnset(strict) && typeof strict !== 'boolean') throw wrongType(`${path}.strict`, 'true or false');
  for (const hint of HINTS) if (!isUnset(tool[hint]) && tool[hint] !== false) leftOut.add(hint);
  return {
    type: 'function',
    function: {
      name,
      ...(isUnset(description) ? {} : { description }),
      parameters,
      ...(isUnset(strict) ? {} : { strict }),
    },
  };
}

const WORDS = new Map([
  ['auto', 'auto'],
  ['any', 'required'],
  ['none', 'none'],
]);

function readChoice(choice: unknown, offered: readonly Json[], hosted: readonly unknown[]): Json {
  if (!isObject(choice)) throw wrongType('tool_choice', 'an object with a "type"');
  const type = stringOf(choice.type, 'tool_choice.type');
  const { disable_parallel_tool_use: isSingle } = choice;
  if (!isUnset(isSingle) && typeof isSingle !== 'boolean')
    throw wrongType('tool_choice.disable_parallel_tool_use', 'true or false');
  const flag = isSingle === true ? { parallel_tool_calls: false } : {};
  const word = WORDS.get(type);
  if (word === 'required' && offered.length === 0) throw noTools('tool_choice', hosted.length > 0);
  if (word !== undefined) return { tool_choice: word, ...flag };
  if (type !== 'tool') {
    const message = 'tool_choice.type is none of its words. Send "auto", "any", "tool" or "none".';
    throw new CallRefused('invalid_value', 'tool_choice.type', message);
  }
  const name = stringOf(choice.name, 'tool_choice.name');
  if (!offered.some((tool) => (tool.function as Json).name === name))
    throw noTools('tool_choice.name', hosted.includes(name));
  return { tool_choice: { type: 'function', function: { name } }, ...flag };
}

function noTools(path: string, isHosted: boolean): CallRefused {
  return isHosted
    ? new CallRefused(
        'unsupported_value',
        path,
        `${path} forces a tool that only Anthropic's service has. Offer a tool with an "input_schema".`,
      )
    : new CallRefused('invalid_value', path, `${path} forces a tool call, but "tools" does not offer it.`);
}
