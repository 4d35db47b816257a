import { CallRefused, isObject, isUnset, type Json, missing, without, wrongType } from './refused.ts';

const TOOL_FIELDS = new Set(['tools', 'tool_choice', 'parallel_tool_calls']);
const PARALLEL = new Set(['parallel_tool_calls']);

/** Services take 128 at most; Kimi Code has 26. */
export const MAX_TOOLS = 512;

export interface ToolOptions {
  /** The service refuses a forced tool choice while the model thinks (Kimi). */
  thinkingForbidsForced?: boolean;
}

/**
 * Mends `tools`, `tool_choice` and `parallel_tool_calls`. Tools that the service would run itself are billed in ways of
 * their own: they are left out and named in `leftOut`, and refused if the answer has to use one. Returns the same body
 * if nothing changes. Throws `CallRefused`.
 */
export function mendTools(body: Json, options: ToolOptions, leftOut: string[]): Json {
  const { tools: given, tool_choice: choice } = body;
  if (!isUnset(given) && !Array.isArray(given)) throw wrongType('tools', 'a list');
  if (Array.isArray(given) && given.length > MAX_TOOLS)
    throw new CallRefused('array_above_max_length', 'tools', `tools has more than ${MAX_TOOLS} tools.`);
  const tools = Array.isArray(given) ? readTools(given, leftOut) : [];
  const isHosted = Array.isArray(given) && tools.length < given.length;
  const read = isUnset(choice) ? undefined : readChoice(choice, tools, isHosted);
  if (tools.length === 0) {
    // Services refuse an empty list, and the other two fields without a list.
    if (isUnset(given) && isUnset(choice) && isUnset(body.parallel_tool_calls)) return body;
    if (read?.isForced) throw noTools(isHosted);
    return without(body, TOOL_FIELDS);
  }
  if (read?.isForced && options.thinkingForbidsForced && !isThinkingOff(body)) {
    const advice = 'Send "auto", or turn thinking off with "thinking": {"type": "disabled"}.';
    const message = `tool_choice can't force a tool call while this model thinks. ${advice}`;
    throw new CallRefused('unsupported_value', 'tool_choice', message);
  }
  let mended = body;
  if (tools !== given) mended = { ...mended, tools };
  if (read && read.choice !== choice) mended = { ...mended, tool_choice: read.choice };
  // The flag has no meaning if no tool may be called, and some services refuse it then.
  if (read?.choice === 'none' && 'parallel_tool_calls' in mended) return without(mended, PARALLEL);
  return read?.isSingle ? { ...mended, parallel_tool_calls: false } : mended;
}

function readTools(given: readonly unknown[], leftOut: string[]): Json[] {
  const tools: Json[] = [];
  let isChanged = false;
  for (let i = 0; i < given.length; i++) {
    const tool = readTool(given[i], `tools[${i}]`);
    if (typeof tool === 'string') leftOut.push(tool);
    else tools.push(tool);
    if (tool !== given[i]) isChanged = true;
  }
  return isChanged ? tools : (given as Json[]);
}

/** A tool that the client runs; or the name of one that the service would run. */
function readTool(tool: unknown, param: string): Json | string {
  if (!isObject(tool)) throw wrongType(param, 'an object');
  const { type } = tool;
  if (!isUnset(type) && typeof type !== 'string') throw wrongType(`${param}.type`, 'a string');
  const isFunction = type === 'function' || (isUnset(type) && ('function' in tool || 'name' in tool));
  if (!isFunction && type !== 'custom') return isPlain(type) ? `${param} (${type})` : param;
  const member = isFunction ? 'function' : 'custom';
  const named = tool[member];
  if (isUnset(named))
    throw missing(
      `${param}.${member}`,
      `A tool of chat completions is {"type": "${member}", "${member}": {"name": …}}.`,
    );
  if (!isObject(named)) throw wrongType(`${param}.${member}`, 'an object with a "name"');
  if (isUnset(named.name)) throw missing(`${param}.${member}.name`);
  if (typeof named.name !== 'string') throw wrongType(`${param}.${member}.name`, 'a string');
  if (named.name === '')
    throw new CallRefused('invalid_value', `${param}.${member}.name`, `${param} has an empty name.`);
  return isUnset(type) ? { ...tool, type: 'function' } : tool;
}

/** Only a type or field that looks like one is repeated in a message. */
export function isPlain(type: unknown): type is string {
  return typeof type === 'string' && /^[a-z0-9_]{1,40}$/.test(type);
}

interface Choice {
  choice: unknown;
  /** The answer has to be a tool call. */
  isForced: boolean;
  /** At most one call. */
  isSingle: boolean;
}

/** A tool choice in the form of chat completions. Clients also send those of Anthropic and of the Responses API. */
function readChoice(choice: unknown, tools: readonly Json[], isHosted: boolean): Choice {
  if (typeof choice === 'string') return { ...readWord(choice, choice), isSingle: false };
  if (!isObject(choice)) throw wrongType('tool_choice', 'a string or an object');
  const { type } = choice;
  if (isUnset(type)) throw missing('tool_choice.type');
  if (typeof type !== 'string') throw wrongType('tool_choice.type', 'a string');
  const isSingle = choice.disable_parallel_tool_use === true;
  if (type === 'allowed_tools') return { ...readAllowed(choice, isHosted), isSingle };
  if (type === 'function' || type === 'tool' || type === 'custom')
    return { choice: readNamed(choice, type === 'custom' ? 'custom' : 'function', tools), isForced: true, isSingle };
  if (!WORDS.has(type)) throw noTools(true);
  return { ...readWord(type, choice), isSingle };
}

const WORDS = new Map([
  ['none', 'none'],
  ['auto', 'auto'],
  ['required', 'required'],
  ['any', 'required'],
]);

function readWord(word: string, given: unknown): { choice: unknown; isForced: boolean } {
  const choice = WORDS.get(word);
  if (choice === undefined) {
    const advice = 'Send "none", "auto", "required" or {"type": "function", "function": {"name": …}}.';
    throw new CallRefused('invalid_value', 'tool_choice', `tool_choice is none of its words. ${advice}`);
  }
  return { choice: choice === given ? given : choice, isForced: choice === 'required' };
}

function readNamed(choice: Json, member: 'function' | 'custom', tools: readonly Json[]): unknown {
  const named = choice[member];
  const name = isObject(named) ? named.name : choice.name;
  const param = `tool_choice.${member}.name`;
  if (isUnset(name)) throw missing(param);
  if (typeof name !== 'string') throw wrongType(param, 'a string');
  const isOffered = tools.some((tool) => isObject(tool[member]) && tool[member].name === name);
  if (!isOffered) throw new CallRefused('invalid_value', param, `${param} is the name of no tool in "tools".`);
  return isObject(named) && choice.type === member ? choice : { type: member, [member]: { name } };
}

function readAllowed(choice: Json, isHosted: boolean): { choice: unknown; isForced: boolean } {
  const { allowed_tools: allowed } = choice;
  if (!isObject(allowed)) throw wrongType('tool_choice.allowed_tools', 'an object with "mode" and "tools"');
  const { tools } = allowed;
  if (!Array.isArray(tools)) throw wrongType('tool_choice.allowed_tools.tools', 'a list');
  const isForced = allowed.mode === 'required';
  const ours = tools.filter((tool) => isObject(tool) && (tool.type === 'function' || tool.type === 'custom'));
  if (ours.length === tools.length) return { choice, isForced };
  if (ours.length > 0) return { choice: { ...choice, allowed_tools: { ...allowed, tools: ours } }, isForced };
  if (isForced) throw noTools(isHosted);
  return { choice: 'none', isForced: false };
}

function noTools(isHosted: boolean): CallRefused {
  return isHosted
    ? new CallRefused(
        'unsupported_value',
        'tool_choice',
        'tool_choice forces a tool that the model service would run, and such tools are not priced. Offer a function.',
      )
    : new CallRefused('invalid_value', 'tool_choice', 'tool_choice forces a tool call, but "tools" offers none.');
}

/** Whether the request turns thinking off, in the words of Moonshot, Qwen, vLLM, OpenAI and OpenRouter. */
function isThinkingOff({
  thinking,
  enable_thinking,
  chat_template_kwargs: template,
  reasoning_effort,
  reasoning,
}: Json) {
  return (
    (isObject(thinking) && thinking.type === 'disabled') ||
    enable_thinking === false ||
    (isObject(template) && (template.enable_thinking === false || template.thinking === false)) ||
    reasoning_effort === 'none' ||
    (isObject(reasoning) && (reasoning.enabled === false || reasoning.effort === 'none'))
  );
}
