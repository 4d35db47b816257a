import { IMAGE_TOKENS_BOUND } from '../../../../shared/media/images.ts';
import { CallRefused, isObject, isUnset, type Json } from './refused.ts';

/** How tokens are counted. `overhead`: what a chat template puts around one message. See `prompt/tokens.ts`. */
export interface TokenCounts {
  estimate(text: string): number;
  /** At least as many as any tokenizer makes. */
  bound(text: string): number;
  overhead: number;
}

/** Tokens of one picture of unknown size. The estimate is a screenshot of 1,280 × 960: see `imageTokens`. */
export const PICTURE_TOKENS = { estimate: 1_600, bound: IMAGE_TOKENS_BOUND };

/** Deeper than any tool's schema (OpenAI allows 10 levels, each of 3 values), and far below the stack's limit. */
export const MAX_DEPTH = 128;
/** Kimi Code's 26 tools have 1,500 values. A walk over the most takes about 20 ms. */
export const MAX_VALUES = 500_000;
/** No client's session is as long; one message takes 8 tokens at least. */
export const MAX_MESSAGES = 10_000;

/** From ES2024: every runtime here has it, but the shared type library does not. */
type WellFormable = { isWellFormed(): boolean; toWellFormed(): string };

/**
 * Checks how deep and how many the values of a body are; throws `CallRefused`. Returns true if all texts are well
 * formed: clients cut texts between the two halves of an emoji, and services answer half of one with a 500.
 */
export function inspect(body: Json): boolean {
  let values = 0;
  let isWell = true;
  const walk = (value: unknown, depth: number): void => {
    if (++values > MAX_VALUES)
      throw new CallRefused('array_above_max_length', null, `The body has more than ${MAX_VALUES} values.`);
    if (typeof value === 'string') {
      if (isWell && !(value as unknown as WellFormable).isWellFormed()) isWell = false;
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    if (depth >= MAX_DEPTH)
      throw new CallRefused('invalid_value', null, `The body is nested more than ${MAX_DEPTH} levels deep.`);
    if (Array.isArray(value)) {
      for (const one of value) walk(one, depth + 1);
      return;
    }
    for (const key of Object.keys(value)) {
      if (isWell && !(key as unknown as WellFormable).isWellFormed()) isWell = false;
      walk((value as Json)[key], depth + 1);
    }
  };
  walk(body, 0);
  return isWell;
}

/** The same value with each half of a surrogate pair replaced by U+FFFD. Call it after `inspect`. */
export function wellFormed<T>(value: T): T;
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return (value as unknown as WellFormable).toWellFormed();
  if (Array.isArray(value)) return value.map((one) => wellFormed(one));
  if (!isObject(value)) return value;
  // Not by assignment: a field may be called __proto__.
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [wellFormed(key), wellFormed(inner)]));
}

/** The prompt's tokens. */
export class PromptSize {
  /** No service makes more of it. */
  readonly bound: number;
  /** The same without the pictures. */
  readonly textBound: number;
  readonly pictures: number;
  #body: Json | null;
  #estimate = 0;

  constructor(
    body: Json,
    private readonly tokens: TokenCounts,
  ) {
    const bound = (value: unknown) => boundOf(value, tokens.bound);
    this.bound = count(body, bound, PICTURE_TOKENS.bound, tokens.overhead, () => true);
    this.pictures = Array.isArray(body.messages) ? body.messages.reduce((sum, one) => sum + picturesIn(one), 0) : 0;
    this.textBound = this.bound - this.pictures * PICTURE_TOKENS.bound;
    this.#body = body;
  }

  /** Counted when it is first asked for, because it takes ten times as long as the bound. The body is kept until then. */
  get estimate(): number {
    if (this.#body) {
      const { overhead } = this.tokens;
      const estimate = (value: unknown) =>
        this.tokens.estimate(typeof value === 'string' ? value : JSON.stringify(value));
      this.#estimate = count(this.#body, estimate, PICTURE_TOKENS.estimate, overhead, (key) => SHOWN.has(key));
      this.#body = null;
    }
    return this.#estimate;
  }
}

/** The fields beside the messages that a chat template shows to the model. */
const SHOWN = new Set(['tools', 'functions', 'response_format', 'documents']);

/** The tokens of a body, where `tokensOf` counts one value. */
function count(
  body: Json,
  tokensOf: (value: unknown) => number,
  picture: number,
  overhead: number,
  isCounted: (key: string) => boolean,
): number {
  let tokens = overhead;
  for (const key of Object.keys(body)) {
    const value = body[key];
    if (key === 'messages' && Array.isArray(value)) {
      for (const message of value) tokens += overhead + countMessage(message, tokensOf, picture);
    } else if (!isUnset(value) && isCounted(key)) tokens += tokensOf(value);
  }
  return tokens;
}

function countMessage(message: Json, tokensOf: (value: unknown) => number, picture: number): number {
  let tokens = 0;
  for (const key of Object.keys(message)) {
    const value = message[key];
    if (key === 'role' || isUnset(value)) continue;
    if (key === 'content' && Array.isArray(value)) {
      for (const part of value) tokens += countPart(part, tokensOf, picture);
    } else tokens += tokensOf(value);
  }
  return tokens;
}

const picturesIn = ({ content }: Json): number =>
  Array.isArray(content)
    ? content.filter(({ type, image_url }) => type === 'image_url' && !isUnset(image_url)).length
    : 0;

/** The parts are mended, so every picture is an `image_url`. What else stands in a part counts as text. */
function countPart(part: Json, tokensOf: (value: unknown) => number, picture: number): number {
  let tokens = 0;
  for (const key of Object.keys(part)) {
    const value = part[key];
    if (key === 'type' || isUnset(value)) continue;
    tokens += key === 'image_url' && part.type === 'image_url' ? picture : tokensOf(value);
  }
  return tokens;
}

/** An upper bound for a value as JSON, without making the JSON: that takes as long as all the rest of a request. */
function boundOf(value: unknown, bound: (text: string) => number): number {
  if (typeof value === 'string') return bound(value);
  let tokens = 0;
  const walk = (inner: unknown): void => {
    if (typeof inner === 'string') {
      // As JSON, a control character is six characters. The other escapes are a token each.
      tokens += (CONTROL.test(inner) ? 6 * bound(inner) : bound(inner)) + QUOTES;
    } else if (typeof inner !== 'object' || inner === null) tokens += MOST_OF_NUMBER;
    else if (Array.isArray(inner)) {
      tokens += QUOTES;
      for (const one of inner) walk(one);
    } else {
      tokens += QUOTES;
      for (const key of Object.keys(inner)) {
        tokens += bound(key) + 2 * QUOTES;
        walk((inner as Json)[key]);
      }
    }
  };
  walk(value);
  return tokens;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f]/;
/** Quotes, brackets, colons and commas around a value. */
const QUOTES = 3;
/** Digits of a number such as -1.7976931348623157e+308. */
const MOST_OF_NUMBER = 24;
