import type { Usage } from '../../../../shared/runs.ts';
import { readError } from '../chatCompletions.ts';
import { readContent, readThinking } from '../content.ts';
import { type FinishWhy, readFinish } from '../finish.ts';
import { ToolCalls } from './calls.ts';
import { isObject, isUnset, type Json, without } from './refused.ts';
import { reasoningTokensOf, toUsage } from './usage.ts';

export interface StreamHead {
  /** The name that the client knows the model by. */
  model: string;
  /** The answer's id. */
  id: string;
  createdSeconds: number;
}

/** OpenAI's reasons. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'function_call';

const NONE: readonly Json[] = [];
const CHUNK = 'chat.completion.chunk';

/**
 * Rewrites the chunks of a streamed answer as OpenAI's clients expect them. Services differ in what they call reasoning,
 * how they number tool calls, and where they put the usage.
 *
 * `take` returns what to send at once. The finish reason and the usage are kept for `end`: only then is known whether
 * more text follows, and only then is the answer settled. A client that has seen the finish has a whole answer.
 */
export class ChatStream {
  /** Why the answer ended, as far as it is known. 'failed': the service itself reports that it broke off. */
  finish: FinishWhy | 'failed' | null = null;
  /** The service's count of reasoning tokens. */
  reasoningTokens: number | undefined;
  readonly #head: StreamHead & { wantsUsage: boolean };
  readonly #calls: ToolCalls;
  #isOldCall = false;
  #oldUnits = 0;
  /** The client has the role. */
  #hasBegun = false;
  #hasDeltas = false;
  /** The chunk with the finish reason. */
  #last: { chunk: Json; choice: Json } | null = null;
  #isEnded = false;

  constructor(head: StreamHead & { wantsUsage: boolean }) {
    this.#head = head;
    this.#calls = new ToolCalls(head.id);
  }

  get hasToolCalls(): boolean {
    return this.#calls.count > 0 || this.#isOldCall;
  }

  /** UTF-16 units of the names and arguments of all tool calls so far: they are output, beside text and reasoning. */
  get toolText(): number {
    return this.#calls.units + this.#oldUnits;
  }

  /**
   * The chunks to send for one event of the service. Usually it is the same object, with another `id`, `model` and
   * `created`; read it before. Errors, pings and other objects yield nothing. Throws `UnknownShape` as `readChunk` does.
   */
  take(chunk: unknown): readonly Json[] {
    if (!isObject(chunk) || (!isUnset(chunk.error) && readError(chunk))) return NONE;
    if (!isUnset(chunk.usage)) this.reasoningTokens = reasoningTokensOf(chunk.usage) ?? this.reasoningTokens;
    const { choices } = chunk;
    if (!Array.isArray(choices)) return NONE;
    const choice: unknown = choices.length === 1 ? choices[0] : (choices.find((one) => one?.index === 0) ?? choices[0]);
    if (!isObject(choice)) return this.#takeWithout(chunk);
    if (!isUnset(choice.error) && readError({ error: choice.error })) return NONE;
    const { id, model, createdSeconds, wantsUsage } = this.#head;
    chunk.id = id;
    chunk.model = model;
    chunk.created = createdSeconds;
    // Every chunk has it if the service was asked for usage. JSON leaves it out.
    if (chunk.usage === null && !wantsUsage) chunk.usage = undefined;

    const given = isObject(choice.delta) ? choice.delta : wholeOf(choice);
    const isWhole = given === choice.message && chunk.object !== CHUNK;
    // MiniMax ends a stream by repeating the whole answer.
    const delta = isWhole && this.#hasDeltas ? NOTHING : this.#mend(given, isWhole);
    const isRight =
      this.finish === null &&
      isUnset(choice.finish_reason) &&
      delta === choice.delta &&
      choices.length === 1 &&
      choice.index === 0 &&
      choice.usage === undefined &&
      isUnset(chunk.usage) &&
      chunk.object === CHUNK;
    if (isRight) return [chunk];
    return this.#rebuild(chunk, choice, delta);
  }

  /** What is still due when the answer is complete: arguments, the finish reason, and the usage if the client asked. */
  end(usage: Usage): Json[] {
    if (this.#isEnded) return [];
    this.#isEnded = true;
    const reason = this.reason;
    const due: Json[] = [];
    const empty = this.#calls.rest(reason === 'length');
    if (empty.length > 0) due.push(this.#chunk({ delta: { tool_calls: empty }, finish_reason: null }));
    const delta = this.#hasBegun ? {} : { role: 'assistant', content: '' };
    const { chunk, choice } = this.#last ?? { chunk: NOTHING, choice: NOTHING };
    due.push(this.#chunk({ ...choice, delta, finish_reason: reason }, chunk));
    if (this.#head.wantsUsage) due.push({ ...this.#base(), choices: [], usage: toUsage(usage, this.reasoningTokens) });
    return due;
  }

  /** The finish reason for the client. A client runs its tools only if the answer ended for that. */
  get reason(): FinishReason {
    if (this.finish === 'length') return 'length';
    if (this.finish === 'refusal') return 'content_filter';
    if (this.#calls.count > 0) return 'tool_calls';
    return this.#isOldCall ? 'function_call' : 'stop';
  }

  /** A chunk without a choice carries the usage; Azure's first one carries the result of its prompt filter. */
  #takeWithout(chunk: Json): readonly Json[] {
    if (!isUnset(chunk.usage) || Object.keys(chunk).every((key) => COMMON.has(key))) return NONE;
    return [{ ...without(chunk, USAGE), ...this.#base(), choices: [] }];
  }

  #mend(given: Json, isWhole: boolean): Json {
    let delta = given;
    const { content, tool_calls: calls, function_call: old } = given;
    let thinking = '';
    if (typeof content === 'object' && content !== null) {
      const said = readContent(content);
      thinking = said.thinking;
      delta = { ...delta, content: said.text };
    }
    if (typeof given.reasoning_content !== 'string' || given.reasoning_content === '') {
      thinking += thinkingIn(given);
      if (thinking !== '') delta = { ...delta, reasoning_content: thinking };
    } else if (thinking !== '') delta = { ...delta, reasoning_content: given.reasoning_content + thinking };
    if (!isUnset(calls) && !(Array.isArray(calls) && calls.length === 0)) {
      // The calls of a whole answer have no index.
      const mended = this.#calls.take(isWhole && Array.isArray(calls) ? calls.map(numbered) : calls);
      if (mended.length === 0) delta = without(delta, TOOL_CALLS);
      else if (mended !== calls) delta = { ...delta, tool_calls: mended };
    }
    if (isObject(old)) this.#takeOld(old);
    if (!this.#hasDeltas && !isWhole) this.#hasDeltas = !isEmpty(delta);
    if (this.#hasBegun) return delta;
    this.#hasBegun = true;
    return delta.role === 'assistant' ? delta : { ...delta, role: 'assistant' };
  }

  #takeOld({ name, arguments: args }: Json): void {
    this.#isOldCall = true;
    this.#oldUnits += (typeof name === 'string' ? name.length : 0) + (typeof args === 'string' ? args.length : 0);
  }

  #rebuild(chunk: Json, choice: Json, delta: Json): readonly Json[] {
    if (!isUnset(choice.usage)) this.reasoningTokens = reasoningTokensOf(choice.usage) ?? this.reasoningTokens;
    const why = readFinish(choice.finish_reason);
    const isBare = isEmpty(delta);
    // Text after a finish: with this service only the end of the stream counts. A refusal stays one.
    if (!isBare && this.finish !== 'refusal') this.finish = null;
    const { message, text, usage, ...more } = choice;
    if (why !== undefined) {
      if (this.finish !== 'refusal') this.finish = why;
      const { logprobs, ...rest } = more;
      this.#last = { chunk: without(chunk, USAGE), choice: isBare ? more : rest };
      if (isBare && !('role' in delta)) return NONE;
    }
    return [this.#chunk({ ...more, delta, finish_reason: null }, without(chunk, USAGE))];
  }

  #chunk(choice: Json, chunk: Json = NOTHING): Json {
    return { ...chunk, ...this.#base(), choices: [{ ...choice, index: 0 }] };
  }

  #base(): Json {
    const { id, model, createdSeconds } = this.#head;
    return { id, object: CHUNK, created: createdSeconds, model };
  }
}

const NOTHING: Json = {};
const USAGE = new Set(['usage']);
const TOOL_CALLS = new Set(['tool_calls']);
/** What every chunk has. */
const COMMON = new Set(['id', 'object', 'created', 'model', 'choices', 'usage', 'system_fingerprint', 'service_tier']);

/** The whole message, or the text of the old completions. */
function wholeOf({ message, text }: Json): Json {
  if (isObject(message)) return message;
  return typeof text === 'string' ? { content: text } : NOTHING;
}

function numbered(call: unknown, index: number): unknown {
  return isObject(call) ? { ...call, index } : call;
}

/** Reasoning under the names of other services. */
function thinkingIn(delta: Json): string {
  const { reasoning_content: own, reasoning, thinking, reasoning_text, reasoning_details, thinking_blocks } = delta;
  // Most deltas have none of them.
  const others = reasoning ?? thinking ?? reasoning_text ?? reasoning_details ?? thinking_blocks;
  if (isUnset(others) && (isUnset(own) || own === '')) return '';
  return readThinking(own, reasoning, thinking, reasoning_text, reasoning_details, thinking_blocks);
}

function isEmpty(delta: Json): boolean {
  return Object.keys(delta).every((key) => key === 'role' || isNothing(delta[key]));
}

function isNothing(value: unknown): boolean {
  return isUnset(value) || value === '' || (Array.isArray(value) && value.length === 0);
}
