import { CallRefused, isObject, isUnset, type Json, missing, wrongType } from '../chat/refused.ts';
import { flatName } from './ids.ts';
import { type LeftOut, typed } from './leftOut.ts';
import type { Tools } from './tools.ts';

/** What a chat-completions body says of tools. */
interface Offer {
  tools?: Json[];
  tool_choice?: unknown;
}

/** The tools and the choice among them, as chat completions take them. Throws `CallRefused`. */
export function offerOf(tools: Tools, choice: unknown, leftOut: LeftOut): Offer {
  const offer = tools.chat.length > 0 ? { tools: tools.chat } : {};
  if (isUnset(choice)) return offer;
  if (typeof choice === 'string') return { ...offer, tool_choice: readWord(choice, 'tool_choice', tools) };
  if (!isObject(choice)) throw wrongType('tool_choice', 'a string or an object');
  const { type } = choice;
  if (isUnset(type)) throw missing('tool_choice.type');
  if (typeof type !== 'string') throw wrongType('tool_choice.type', 'a string');
  if (type === 'function' || type === 'custom')
    return { ...offer, tool_choice: { type: 'function', function: { name: named(choice, 'tool_choice', tools) } } };
  if (type === 'allowed_tools') return allowed(choice, tools, leftOut);
  throw hosted();
}

function readWord(word: unknown, param: string, tools: Tools): string {
  if (word !== 'none' && word !== 'auto' && word !== 'required') {
    const advice = 'Send "none", "auto", "required" or {"type": "function", "name": …}.';
    throw new CallRefused('invalid_value', param, `${param} is none of its words. ${advice}`);
  }
  if (word === 'required' && tools.chat.length === 0) throw tools.hasHosted ? hosted() : noTools();
  return word;
}

function named(choice: Json, param: string, tools: Tools): string {
  const { name, namespace } = choice;
  if (isUnset(name)) throw missing(`${param}.name`);
  if (typeof name !== 'string') throw wrongType(`${param}.name`, 'a string');
  if (!isUnset(namespace) && typeof namespace !== 'string') throw wrongType(`${param}.namespace`, 'a string');
  const flat = flatName(namespace ?? undefined, name);
  if (!tools.own.has(flat))
    throw new CallRefused('invalid_value', `${param}.name`, `${param}.name is the name of no tool in "tools".`);
  return flat;
}

/** Only OpenAI's service knows the list. Offering no others is the same to the model. */
function allowed(choice: Json, tools: Tools, leftOut: LeftOut): Offer {
  const { mode, tools: list } = choice;
  if (!Array.isArray(list)) throw wrongType('tool_choice.tools', 'a list');
  if (!isUnset(mode) && mode !== 'auto' && mode !== 'required')
    throw new CallRefused('invalid_value', 'tool_choice.mode', 'tool_choice.mode must be "auto" or "required".');
  const names = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    const param = `tool_choice.tools[${i}]`;
    const one: unknown = list[i];
    if (!isObject(one)) throw wrongType(param, 'an object with a "type"');
    if (one.type === 'function' || one.type === 'custom') names.add(named(one, param, tools));
    else if (one.type === 'namespace') {
      for (const [flat, { namespace }] of tools.own) if (namespace === one.name) names.add(flat);
    } else leftOut.add(param, typed(param, one.type));
  }
  const chosen = tools.chat.filter((tool) => names.has((tool.function as Json).name as string));
  if (chosen.length > 0) return { tools: chosen, tool_choice: mode ?? 'auto' };
  if (mode === 'required') throw list.length > 0 ? hosted() : noTools();
  return tools.chat.length > 0 ? { tools: tools.chat, tool_choice: 'none' } : {};
}

const hosted = () =>
  new CallRefused(
    'unsupported_value',
    'tool_choice',
    'tool_choice forces a tool that the model service would run, and such tools are not priced. Offer a function.',
  );

const noTools = () =>
  new CallRefused('invalid_value', 'tool_choice', 'tool_choice forces a tool call, but "tools" offers none.');
