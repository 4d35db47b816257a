import { CallRefused, isObject, isUnset, type Json, missing, wrongType } from '../chat/refused.ts';
import { MAX_TOOLS } from '../chat/tools.ts';
import { flatName } from './ids.ts';
import { type LeftOut, typed } from './leftOut.ts';

/** A tool as the client knows it. */
export interface OwnTool {
  kind: 'function' | 'custom';
  name: string;
  namespace?: string;
}

/** Fields of a function or custom tool that are carried, or that only say when and by whom it may be called. */
const CARRIED = new Set([
  'type',
  'name',
  'description',
  'parameters',
  'strict',
  'format',
  'defer_loading',
  'allowed_callers',
]);

/**
 * The tools of a request. Chat completions know functions alone, with one name: a custom tool becomes a function with
 * one string, and a function in a namespace gets a name of both.
 */
export class Tools {
  /** As chat completions take them. */
  readonly chat: Json[] = [];
  /** As the client sent them, without those that were left out. */
  readonly given: Json[] = [];
  /** What the client calls the function that a service names. */
  readonly own = new Map<string, OwnTool>();
  /** Whether one was left out, because the model service would run it. */
  hasHosted = false;

  constructor(private readonly leftOut: LeftOut) {}

  /** Adds a list of tools. `isFound`: it may repeat tools that are offered already. Throws `CallRefused`. */
  add(tools: readonly unknown[], param: string, isFound = false): void {
    if (tools.length > MAX_TOOLS) throw tooMany(param);
    for (let i = 0; i < tools.length; i++) this.#add(tools[i], `${param}[${i}]`, isFound);
    if (this.chat.length > MAX_TOOLS) throw tooMany(param);
  }

  #add(tool: unknown, param: string, isFound: boolean): void {
    const kind = typeOf(tool, param);
    const known = this.chat.length;
    if (kind === 'namespace') this.#addNamespace(tool as Json, param, isFound);
    else if (kind === 'function' || kind === 'custom') this.#addOne(tool as Json, kind, param, isFound);
    else this.#leaveOut(kind, param);
    if (this.chat.length > known) this.given.push(tool as Json);
  }

  #addNamespace(tool: Json, param: string, isFound: boolean): void {
    const { description, tools } = tool;
    const namespace = nameOf(tool, param);
    if (isUnset(tools)) throw missing(`${param}.tools`);
    if (!Array.isArray(tools)) throw wrongType(`${param}.tools`, 'a list');
    if (tools.length > MAX_TOOLS) throw tooMany(`${param}.tools`);
    let about = text(description, `${param}.description`);
    for (let i = 0; i < tools.length; i++) {
      const path = `${param}.tools[${i}]`;
      const kind = typeOf(tools[i], path);
      if (kind !== 'function' && kind !== 'custom') this.#leaveOut(kind, path);
      // The first one says what is said of all, so that the model reads it once.
      else if (this.#addOne(tools[i], kind, path, isFound, { namespace, about })) about = '';
    }
  }

  /** False: the tool is offered already. */
  #addOne(
    tool: Json,
    kind: 'function' | 'custom',
    param: string,
    isFound: boolean,
    within?: { namespace: string; about: string },
  ): boolean {
    if (isObject(tool.function)) {
      const message = `${param} has the form of chat completions. Write its name and parameters right into the tool.`;
      throw new CallRefused('unsupported_parameter', `${param}.function`, message);
    }
    const name = nameOf(tool, param);
    const own: OwnTool = { kind, name, ...(within && { namespace: within.namespace }) };
    const flat = flatName(within?.namespace, name);
    const other = this.own.get(flat);
    if (other) {
      const isSame = other.name === name && other.namespace === own.namespace;
      if (isSame && isFound) return false;
      const what = isSame
        ? 'the name of another tool'
        : 'the same name as another tool once its namespace stands before it';
      throw new CallRefused('invalid_value', `${param}.name`, `${param} has ${what}. Rename one of the two.`);
    }
    this.own.set(flat, own);
    for (const field of Object.keys(tool))
      if (!CARRIED.has(field) && !isUnset(tool[field])) this.leftOut.add(`tool ${field}`, typed(param, field));
    const about = within?.about ? `About all tools of "${within.namespace}": ${within.about}` : '';
    const description = [text(tool.description, `${param}.description`), about];
    this.chat.push(
      kind === 'custom' ? customOf(flat, description, tool.format, param) : functionOf(flat, description, tool, param),
    );
    return true;
  }

  #leaveOut(kind: string, param: string): void {
    this.hasHosted = true;
    this.leftOut.add(param, typed(param, kind));
  }
}

function tooMany(param: string): CallRefused {
  return new CallRefused('array_above_max_length', param, `${param} has more than ${MAX_TOOLS} tools.`);
}

function typeOf(tool: unknown, param: string): string {
  if (!isObject(tool)) throw wrongType(param, 'an object with a "type"');
  if (isUnset(tool.type)) throw missing(`${param}.type`);
  if (typeof tool.type !== 'string') throw wrongType(`${param}.type`, 'a string');
  return tool.type;
}

function nameOf({ name }: Json, param: string): string {
  if (isUnset(name)) throw missing(`${param}.name`);
  if (typeof name !== 'string') throw wrongType(`${param}.name`, 'a string');
  if (name === '') throw new CallRefused('invalid_value', `${param}.name`, `${param} has an empty name.`);
  return name;
}

function text(given: unknown, param: string): string {
  if (isUnset(given)) return '';
  if (typeof given !== 'string') throw wrongType(param, 'a string');
  return given;
}

/** Strictness that is not asked for is not written: this dialect has it by default, but only where a schema allows it. */
function functionOf(name: string, description: readonly string[], { parameters, strict }: Json, param: string): Json {
  if (!isUnset(parameters) && !isObject(parameters)) throw wrongType(`${param}.parameters`, 'an object');
  if (!isUnset(strict) && typeof strict !== 'boolean') throw wrongType(`${param}.strict`, 'true or false');
  return {
    type: 'function',
    function: {
      name,
      ...described(description),
      ...(isUnset(parameters) ? {} : { parameters }),
      ...(isUnset(strict) ? {} : { strict }),
    },
  };
}

function described(texts: readonly string[]): Json {
  const description = texts.filter((one) => one !== '').join('\n\n');
  return description === '' ? {} : { description };
}

/** The one argument of a custom tool. */
export const INPUT = 'input';

function customOf(name: string, description: readonly string[], format: unknown, param: string): Json {
  const said = [...description, `The argument "${INPUT}" is the whole input of this tool, as plain text.`];
  const grammar = readGrammar(format, `${param}.format`);
  if (grammar) said.push(`It must match this ${grammar.syntax}:\n${grammar.definition}`);
  return functionOf(
    name,
    said,
    {
      parameters: {
        type: 'object',
        properties: { [INPUT]: { type: 'string' } },
        required: [INPUT],
        additionalProperties: false,
      },
    },
    param,
  );
}

/** Chat completions force no grammar. The model reads it and follows it, as it follows a schema. */
function readGrammar(format: unknown, param: string): { syntax: string; definition: string } | undefined {
  if (isUnset(format)) return undefined;
  if (!isObject(format)) throw wrongType(param, 'an object with a "type"');
  const { type, syntax, definition } = format;
  if (isUnset(type)) throw missing(`${param}.type`);
  if (type === 'text') return undefined;
  if (type !== 'grammar')
    throw new CallRefused('unsupported_value', `${param}.type`, `${param}.type must be "text" or "grammar".`);
  if (isUnset(definition)) throw missing(`${param}.definition`);
  if (typeof definition !== 'string') throw wrongType(`${param}.definition`, 'a string');
  if (syntax === 'regex') return { syntax: 'regular expression', definition };
  if (syntax === 'lark') return { syntax: 'Lark grammar', definition };
  throw new CallRefused('unsupported_value', `${param}.syntax`, `${param}.syntax must be "lark" or "regex".`);
}
