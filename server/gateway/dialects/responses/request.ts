import { CallRefused, isObject, isUnset, type Json, missing, Names, wrongType } from '../chat/refused.ts';
import { inspect, wellFormed } from '../chat/size.ts';
import { offerOf } from './choice.ts';
import { KNOWN_FIELDS, passedFields } from './fields.ts';
import { readInput } from './input.ts';
import { LeftOut } from './leftOut.ts';
import { type OwnTool, Tools } from './tools.ts';

/** What the answer to a request needs to know of it. */
export interface ResponsesContext {
  /** Tools by the name that the service knows them by. */
  tools: ReadonlyMap<string, OwnTool>;
  /** The client keeps no text of reasoning, but `encrypted_content`. */
  wantsEncrypted: boolean;
  wantsLogprobs: boolean;
  /** The fields of the request that an answer repeats. */
  echo: Json;
}

/**
 * Translates the parsed body of `POST /v1/responses` into a body of chat completions, which goes through `readChatCall`
 * afterwards. Fields that are not known pass on. What can't be carried is refused, with its path in this dialect, or
 * named in `leftOut`.
 *
 * Linear in the body's size. Throws `CallRefused`.
 */
export function readResponses(given: unknown): { body: Json; context: ResponsesContext; leftOut: string[] } {
  if (!isObject(given)) throw new CallRefused('invalid_type', null, 'The body must be a JSON object.');
  const call = inspect(given) ? given : wellFormed(given);
  FIELDS.check(call, null);
  const leftOut = new LeftOut();
  const passed = passedFields(call, leftOut);

  const tools = new Tools(leftOut);
  if (Array.isArray(call.tools)) tools.add(call.tools, 'tools');
  const messages = readInput(call.instructions, call.input, tools, leftOut);
  const offer = offerOf(tools, call.tool_choice, leftOut);
  const includes = Array.isArray(call.include) ? call.include : [];
  const wantsLogprobs = includes.includes('message.output_text.logprobs') || Number(call.top_logprobs) > 0;
  const logprobs = wantsLogprobs ? { logprobs: true, top_logprobs: call.top_logprobs ?? 0 } : {};

  const body = {
    ...passed,
    ...readReasoning(call.reasoning, leftOut),
    ...readText(call.text, leftOut),
    ...readLimit(call.max_output_tokens),
    ...logprobs,
    messages,
    ...offer,
    // The answer's last event has the usage.
    stream_options: { include_usage: true },
  };
  const context = {
    tools: tools.own,
    wantsEncrypted: includes.includes('reasoning.encrypted_content'),
    wantsLogprobs,
    echo: echoOf(call, tools.given),
  };
  return { body, context, leftOut: leftOut.names };
}

const FIELDS = new Names([...KNOWN_FIELDS, 'model', 'stream', 'parallel_tool_calls']);

function readLimit(limit: unknown): Json {
  if (isUnset(limit)) return {};
  const param = 'max_output_tokens';
  if (typeof limit !== 'number') throw wrongType(param, 'a whole number');
  if (!(limit >= 1)) {
    const message = `${param} must be at least 1. Leave it out for the most that the model can write.`;
    throw new CallRefused('integer_below_min_value', param, message);
  }
  return { max_completion_tokens: limit };
}

/** A summary needs no asking: all reasoning that the service shows is shown. */
const REASONING = new Set(['effort', 'summary', 'generate_summary']);

function readReasoning(reasoning: unknown, leftOut: LeftOut): Json {
  if (!isObject(reasoning)) return {};
  leaveOutOthers(reasoning, 'reasoning', REASONING, leftOut);
  const { effort } = reasoning;
  if (isUnset(effort)) return {};
  if (typeof effort !== 'string') throw wrongType('reasoning.effort', 'a string');
  return { reasoning_effort: effort };
}

const TEXT = new Set(['format', 'verbosity']);

function readText(text: unknown, leftOut: LeftOut): Json {
  if (!isObject(text)) return {};
  leaveOutOthers(text, 'text', TEXT, leftOut);
  const { format, verbosity } = text;
  if (!isUnset(verbosity) && typeof verbosity !== 'string') throw wrongType('text.verbosity', 'a string');
  return { ...readFormat(format), ...(isUnset(verbosity) ? {} : { verbosity }) };
}

function readFormat(format: unknown): Json {
  const param = 'text.format';
  if (isUnset(format)) return {};
  if (!isObject(format)) throw wrongType(param, 'an object with a "type"');
  const { type, name, schema, strict, description } = format;
  if (isUnset(type)) throw missing(`${param}.type`);
  if (type === 'text') return {};
  if (type === 'json_object') return { response_format: { type } };
  if (type !== 'json_schema') {
    const message = `${param}.type must be "text", "json_object" or "json_schema".`;
    throw new CallRefused('unsupported_value', `${param}.type`, message);
  }
  if (isUnset(name)) throw missing(`${param}.name`);
  if (typeof name !== 'string') throw wrongType(`${param}.name`, 'a string');
  if (isUnset(schema)) throw missing(`${param}.schema`);
  if (!isObject(schema)) throw wrongType(`${param}.schema`, 'an object');
  if (!isUnset(strict) && typeof strict !== 'boolean') throw wrongType(`${param}.strict`, 'true or false');
  if (!isUnset(description) && typeof description !== 'string') throw wrongType(`${param}.description`, 'a string');
  const more = { ...(isUnset(description) ? {} : { description }), ...(isUnset(strict) ? {} : { strict }) };
  return { response_format: { type, json_schema: { name, schema, ...more } } };
}

function leaveOutOthers(object: Json, param: string, known: ReadonlySet<string>, leftOut: LeftOut): void {
  for (const field of Object.keys(object)) {
    if (known.has(field) || isUnset(object[field])) continue;
    leftOut.add(`${param}.${field}`, /^[a-z_]{1,40}$/.test(field) ? `${param}.${field}` : param);
  }
}

/** What an answer repeats, as OpenAI's does, and what holds for every answer here. */
function echoOf(call: Json, tools: readonly Json[]): Json {
  const { reasoning, text, metadata } = call;
  const thinking = isObject(reasoning) ? reasoning : {};
  const said = isObject(text) ? text : {};
  return {
    background: false,
    instructions: call.instructions ?? null,
    max_output_tokens: call.max_output_tokens ?? null,
    metadata: metadata ?? {},
    parallel_tool_calls: call.parallel_tool_calls ?? true,
    previous_response_id: null,
    prompt_cache_key: call.prompt_cache_key ?? null,
    reasoning: { effort: thinking.effort ?? null, summary: thinking.summary ?? null },
    safety_identifier: call.safety_identifier ?? null,
    service_tier: 'default',
    store: false,
    temperature: call.temperature ?? null,
    text: {
      format: said.format ?? { type: 'text' },
      ...(isUnset(said.verbosity) ? {} : { verbosity: said.verbosity }),
    },
    tool_choice: call.tool_choice ?? 'auto',
    tools,
    top_logprobs: call.top_logprobs ?? null,
    top_p: call.top_p ?? null,
    truncation: 'disabled',
  };
}
