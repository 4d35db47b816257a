import { type CallRefusal, CallRefused, isObject, isUnset, type Json, wrongType } from '../chat/refused.ts';
import type { LeftOut } from './leftOut.ts';

interface Refusal {
  code: CallRefusal;
  advice: string;
}

interface Rule {
  /**
   * What becomes of the field:
   * - 'read': it is translated, or answered, elsewhere;
   * - 'kept': it asks for nothing that a chat-completions service does;
   * - 'left out': the answer is the same without it, or nearly so, and the owner is told;
   * - a refusal.
   */
  is: 'read' | 'kept' | 'left out' | Refusal;
  /** Values with which a field that is left out or refused asks for nothing. */
  isHarmless?: (value: unknown) => boolean;
  /** Checked first. */
  type?: [isRight: (value: unknown) => boolean, expected: string];
}

const parameter = (advice: string): Refusal => ({ code: 'unsupported_parameter', advice });
const isBoolean: Rule['type'] = [(value) => typeof value === 'boolean', 'true or false'];
const anObject: Rule['type'] = [isObject, 'an object'];
const aList: Rule['type'] = [Array.isArray, 'a list'];

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['input', { is: 'read' }],
  ['instructions', { is: 'read' }],
  ['tools', { is: 'read', type: aList }],
  ['tool_choice', { is: 'read' }],
  ['reasoning', { is: 'read', type: anObject }],
  ['text', { is: 'read', type: anObject }],
  ['max_output_tokens', { is: 'read' }],
  ['include', { is: 'read', type: aList }],
  ['top_logprobs', { is: 'read', type: [(value) => typeof value === 'number', 'a whole number'] }],
  // Nothing is stored, so the answer says `store: false`.
  ['store', { is: 'kept', type: isBoolean }],
  // Returned with the answer. OpenAI's chat completions refuse it unless they store the answer.
  ['metadata', { is: 'kept', type: anObject }],
  // Codex tells its own server about its installation.
  ['client_metadata', { is: 'kept' }],
  // Padding of the events against observers of their lengths.
  ['stream_options', { is: 'kept', type: anObject }],
  // They bound and cut what is done by OpenAI's own tools and stores, of which there are none here.
  ['max_tool_calls', { is: 'left out' }],
  ['context_management', { is: 'left out', isHarmless: (value) => Array.isArray(value) && value.length === 0 }],
  ['moderation', { is: 'left out' }],
  // A conversation that is too long is refused by name; nothing is taken out of its middle.
  [
    'truncation',
    {
      is: 'left out',
      isHarmless: (value) => value === 'disabled',
      type: [(value) => typeof value === 'string', 'a string'],
    },
  ],
  [
    'background',
    {
      is: parameter('Answers are not kept: leave it out and read the answer as it comes.'),
      isHarmless: (value) => value === false,
      type: isBoolean,
    },
  ],
  [
    'previous_response_id',
    {
      is: {
        code: 'previous_response_not_found',
        advice: 'Answers are not kept: send all items of the conversation in "input", and leave this out.',
      },
    },
  ],
  ['conversation', { is: parameter('No conversation is kept: send all its items in "input", and leave this out.') }],
  ['prompt', { is: parameter('No prompts are stored: send its text in "instructions" or "input".') }],
  // Chat completions have other names for what is written above.
  ['messages', { is: parameter('That is a field of chat completions. Send the conversation as "input".') }],
  ['response_format', { is: parameter('That is a field of chat completions. Send it as "text.format".') }],
  ['functions', { is: parameter('That is a field of chat completions. Send "tools".') }],
  ['function_call', { is: parameter('That is a field of chat completions. Send "tool_choice".') }],
]);

/** The names of all fields that have a rule. */
export const KNOWN_FIELDS: readonly string[] = [...RULES.keys()];

/**
 * The fields that go to the service as they are: those without a rule. Among them are model, stream, temperature, top_p,
 * parallel_tool_calls, prompt_cache_key, safety_identifier, user and service_tier, which `readChatCall` checks and
 * prices. Throws `CallRefused`.
 */
export function passedFields(call: Json, leftOut: LeftOut): Json {
  return Object.fromEntries(
    Object.entries(call).filter(([field, value]) => {
      if (isUnset(value)) return false;
      const rule = RULES.get(field);
      if (!rule) return true;
      if (rule.type && !rule.type[0](value)) throw wrongType(field, rule.type[1]);
      if (rule.isHarmless?.(value)) return false;
      if (rule.is === 'left out') leftOut.add(field, field);
      else if (typeof rule.is === 'object')
        throw new CallRefused(rule.is.code, field, `${field} is not supported. ${rule.is.advice}`);
      return false;
    }),
  );
}
