import { type CallRefusal, CallRefused, isObject, isUnset, type Json, without } from './refused.ts';

// Everything in a request that changes its price. The ledger knows a price for each token that goes in and comes out,
// and it holds the credits for the prompt and the output limit before the request is sent. So a field that makes the
// service bill anything else is taken out if the answer doesn't depend on it, and refused otherwise.
//
// Fields that are not listed pass on untouched. These are known, and cost nothing beside their tokens: temperature,
// top_p, seed, stop, penalties, logit_bias, logprobs, top_logprobs, response_format, verbosity, reasoning_effort,
// thinking, store, metadata, user, moderation, prompt_cache_key, and cache_control with its usual time (`cacheTtl.ts`).

interface PricedField {
  fields: readonly string[];
  /** Values with which the field costs nothing. Null and an absent field never cost anything. */
  isHarmless: (value: unknown) => boolean;
  /** The field can be taken out, and the answer is still what was asked for. Otherwise: why the request is refused. */
  otherwise: 'left out' | Refusal;
  /** Values with which a field that is taken out otherwise changes the answer, so that the request is refused. */
  forced?: { by: (value: unknown) => boolean; refusal: Refusal };
}

interface Refusal {
  code: CallRefusal;
  advice: string;
}

const isOne = (value: unknown) => value === 1;
const never = () => false;
const oneOf =
  (...values: unknown[]) =>
  (value: unknown) =>
    values.includes(value);
const isEmpty = (value: unknown) =>
  Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
const value = (advice: string) => ({ code: 'unsupported_value' as const, advice });
const parameter = (advice: string) => ({ code: 'unsupported_parameter' as const, advice });

const SEARCH = value('Searches by the model service are not priced: leave it out, or offer a tool of your own.');

export const PRICED_FIELDS: readonly PricedField[] = [
  {
    // Each answer is billed. The names of OpenAI, Google, Cohere and Hugging Face.
    fields: ['n', 'best_of', 'candidate_count', 'candidateCount', 'num_generations', 'num_return_sequences'],
    isHarmless: isOne,
    otherwise: value('Only one answer for each request is supported: leave it out or send 1.'),
  },
  {
    // vLLM: the beams are computed beside each other.
    fields: ['use_beam_search'],
    isHarmless: oneOf(false),
    otherwise: value('Only one answer for each request is computed: leave it out.'),
  },
  {
    // "auto" is what a service takes if nothing is sent. The others are the base price's names (Groq, Anthropic).
    fields: ['service_tier'],
    isHarmless: oneOf('auto', 'default', 'standard', 'standard_only', 'on_demand'),
    otherwise: value('Requests are sent at the base price only: leave it out or send "auto" or "default".'),
  },
  {
    // Anthropic: the fast mode costs a multiple.
    fields: ['speed'],
    isHarmless: oneOf('standard'),
    otherwise: value('Requests are sent at the base price only: leave it out.'),
  },
  {
    // Anthropic: a region costs extra.
    fields: ['inference_geo'],
    isHarmless: oneOf('global'),
    otherwise: value('Requests are sent at the base price only: leave it out.'),
  },
  {
    // OpenAI bills the rejected part as output, beyond any limit. The answer is the same without it, only later.
    fields: ['prediction'],
    isHarmless: never,
    otherwise: 'left out',
  },
  {
    fields: ['modalities', 'output_modalities'],
    isHarmless: (given) => Array.isArray(given) && given.every((one) => one === 'text'),
    otherwise: value('Only text is answered: leave it out or send ["text"].'),
  },
  {
    fields: ['audio'],
    isHarmless: never,
    otherwise: parameter('Only text is answered: leave it out.'),
  },
  {
    // Searches are billed each, and what they find is input. OpenAI, Zhipu, Perplexity, Qwen, xAI.
    fields: ['web_search_options', 'web_search', 'enable_search'],
    isHarmless: oneOf(false),
    otherwise: 'left out',
  },
  {
    fields: ['search_options'],
    isHarmless: never,
    otherwise: 'left out',
    forced: { by: (given) => isObject(given) && given.forced_search === true, refusal: SEARCH },
  },
  {
    fields: ['search_parameters'],
    isHarmless: (given) => isObject(given) && given.mode === 'off',
    otherwise: 'left out',
    forced: { by: (given) => isObject(given) && given.mode === 'on', refusal: SEARCH },
  },
  {
    // Tools that the service runs itself (Anthropic).
    fields: ['mcp_servers', 'container'],
    isHarmless: isEmpty,
    otherwise: 'left out',
  },
  {
    // OpenRouter: they run on each request.
    fields: ['plugins'],
    isHarmless: isEmpty,
    otherwise: parameter('Plugins of the model service are not priced: leave it out.'),
  },
  {
    // Another model has another price. OpenRouter, LiteLLM, Bifrost.
    fields: ['models', 'fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks', 'model_list', 'preset'],
    isHarmless: isEmpty,
    otherwise: parameter('One request is answered by one model: name it in "model" and leave this out.'),
  },
  {
    // A router's choice of who serves the model, each at its own price.
    fields: ['provider', 'providerOptions', 'provider_options', 'route'],
    isHarmless: isEmpty,
    otherwise: 'left out',
  },
  {
    // Where the request goes and by which key is the operator's decision. Proxies in front of a service obey these.
    fields: ['api_key', 'api_base', 'base_url', 'custom_llm_provider', 'extra_headers', 'user_config', 'mock_response'],
    isHarmless: never,
    otherwise: parameter('Send your key in the Authorization header alone, and leave this out.'),
  },
  {
    // The service would add input that nobody has counted.
    fields: ['previous_response_id', 'conversation', 'cached_content', 'cachedContent', 'session_params'],
    isHarmless: never,
    otherwise: parameter('No conversation is kept: send all messages with each request, and leave this out.'),
  },
  {
    fields: ['prompt'],
    isHarmless: (given) => typeof given === 'string',
    otherwise: parameter('Send the text of the stored prompt in "messages".'),
  },
  {
    // vLLM and SGLang: a template can repeat the prompt, and a processor's settings change how many tokens a picture has.
    fields: ['chat_template', 'mm_processor_kwargs', 'lora_path'],
    isHarmless: never,
    otherwise: parameter('The model is used as it was set up: leave it out.'),
  },
  {
    // vLLM and Megatron read a template here as well.
    fields: ['chat_template_kwargs'],
    isHarmless: (given) =>
      !isObject(given) || Object.keys(given).every((key) => !/^(chat_template|tokenize)$/i.test(key)),
    otherwise: parameter('The model is used as it was set up: leave "chat_template" and "tokenize" out of it.'),
  },
  {
    // The service or a proxy would read any of the fields above inside it.
    fields: ['extra_body'],
    isHarmless: (given) =>
      isObject(given) &&
      Object.entries(given).every(
        ([key, inner]) => key === 'google' && isObject(inner) && Object.keys(inner).every((name) => GOOGLE.has(name)),
      ),
    otherwise: parameter('Put its fields at the top of the body.'),
  },
];

/** What Google's service documents inside `extra_body.google` and doesn't bill. */
const GOOGLE = new Set(['thinking_config', 'thought_tag_marker', 'safety_settings']);

const BY_FIELD = new Map(PRICED_FIELDS.flatMap((row) => row.fields.map((field) => [field, row] as const)));

/**
 * The body without the priced fields that the answer doesn't depend on; their names are added to `leftOut`. Returns the
 * same object if there is none. Throws `CallRefused` for a field that can't be priced.
 */
export function withoutPriced(body: Json, leftOut: string[]): Json {
  const out = new Set<string>();
  for (const field of Object.keys(body)) {
    const row = BY_FIELD.get(field);
    if (!row || isUnset(body[field]) || row.isHarmless(body[field])) continue;
    if (row.otherwise !== 'left out') throw refusal(row.otherwise, field);
    if (row.forced?.by(body[field])) throw refusal(row.forced.refusal, field);
    out.add(field);
  }
  leftOut.push(...out);
  return out.size > 0 ? without(body, out) : body;
}

function refusal({ code, advice }: Refusal, field: string): CallRefused {
  const what = code === 'unsupported_value' ? 'is not supported with this value' : 'is not supported';
  return new CallRefused(code, field, `${field} ${what}. ${advice}`);
}

type PartKind = 'text' | 'picture' | 'document' | { advice: string };

const FILES = { advice: 'Files are not priced: send their text, or pictures of their pages.' };

/**
 * Parts of a message by their `type`. A type that is not listed is refused: the service could read something that is
 * only named in it, and bill that.
 */
export const PRICED_PARTS: ReadonlyMap<string, PartKind> = new Map<string, PartKind>([
  ...rows('text', ['text', 'input_text', 'output_text', 'refusal', 'thinking', 'redacted_thinking', 'reasoning']),
  // Each is counted as `PICTURE_TOKENS`.
  ...rows('picture', ['image_url', 'input_image', 'image']),
  // Its text is taken over; other sources are refused.
  ...rows('document', ['document']),
  ...rows({ advice: 'Sound is not priced: send its text.' }, ['input_audio', 'audio_url', 'audio']),
  ...rows({ advice: 'Video is not priced: send single pictures.' }, ['video_url', 'input_video', 'video']),
  ...rows(FILES, ['file', 'input_file', 'file_url', 'image_file', 'container_upload']),
]);

function rows(kind: PartKind, types: readonly string[]): [string, PartKind][] {
  return types.map((type) => [type, kind]);
}

/** Roles of messages that name input which the service has stored (Moonshot). */
export const PRICED_ROLES: ReadonlyMap<string, string> = new Map([
  ['cache', 'Caches of the model service are not priced: send all messages.'],
]);
