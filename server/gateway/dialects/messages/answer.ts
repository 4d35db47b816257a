import { countOf } from '../../../platform/values/numbers.ts';
import { Extent } from '../chat/calls.ts';
import { isObject, isUnset, type Json } from '../chat/refused.ts';
import { clientId, parsed } from './ids.ts';
import type { MessagesContext } from './request.ts';

/** Keeps a silent stream alive: Claude Code warns of it after 20 s, and proxies cut it after 60 s. */
export const PING: Json = { type: 'ping' };

/** A content block that the client does not have to its end yet. */
interface Block {
  /** The `content_block` that it starts with. */
  start: Json;
  /** The type of its deltas, and their member with the text. */
  delta: [type: string, member: string];
  isOpen: boolean;
  /** What came before it could be opened. */
  held: string;
  /** Of a tool call: how far its arguments have come. */
  extent?: Extent;
}

/**
 * The events of one streamed answer, made of the chunks of `ChatStream` with the usage. Each has its `type`, which is
 * also the name of its server-sent event.
 *
 * One block is open at a time, as Anthropic's clients expect it. Others wait until it is complete: text ends where
 * something else begins, a tool call where its arguments are complete. So two calls whose arguments come in turns are
 * sent one after the other.
 */
export class MessagesStream {
  readonly #head: { id: string; model: string; inputTokens: number };
  readonly #context: MessagesContext;
  /** The open block and those that wait for it. */
  readonly #blocks: Block[] = [];
  readonly #calls = new Map<unknown, Block>();
  /** Blocks that the client has to their end. */
  #closed = 0;
  #hasBegun = false;
  #isEnded = false;
  #refusal = '';
  #finish: unknown = null;
  #stopSequence: string | null = null;
  #usage: Json = {};

  /** `inputTokens`: an estimate, until the service's count comes with the end. */
  constructor(head: { id: string; model: string; inputTokens: number }, context: MessagesContext) {
    this.#head = head;
    this.#context = context;
  }

  /** The events to send for one chunk. */
  take(chunk: Json): Json[] {
    if (this.#isEnded) return [];
    const due = this.begin();
    if (isObject(chunk.usage)) this.#usage = chunk.usage;
    const choice: unknown = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
    if (!isObject(choice)) return due;
    if (isObject(choice.delta)) this.#takeDelta(choice.delta, due);
    if (!isUnset(choice.finish_reason)) this.#finish = choice.finish_reason;
    // vLLM and SGLang tell which one it was. They give a number for an end that the client did not ask for.
    for (const told of [choice.stop_reason, choice.matched_stop])
      if (typeof told === 'string' && this.#context.stopSequences.includes(told)) this.#stopSequence = told;
    return due;
  }

  /** `message_start`, once. A ping may follow it, also before the first chunk. */
  begin(): Json[] {
    if (this.#hasBegun) return [];
    this.#hasBegun = true;
    const { id, model, inputTokens } = this.#head;
    const message = {
      ...{ id: `msg_${id}`, type: 'message', role: 'assistant', model, content: [] },
      ...{ stop_reason: null, stop_sequence: null, usage: usageOf({ prompt_tokens: inputTokens }) },
    };
    return [{ type: 'message_start', message }];
  }

  /** What closes a complete answer. */
  end(): Json[] {
    if (this.#isEnded) return [];
    const due = this.begin();
    this.#isEnded = true;
    const hasCalls = this.#calls.size > 0;
    while (this.#blocks.length > 0) {
      this.#open(due);
      this.#close(due);
    }
    const reason = this.#stopReason(hasCalls);
    const delta = {
      stop_reason: reason,
      stop_sequence: reason === 'stop_sequence' ? this.#stopSequence : null,
      stop_details:
        reason === 'refusal' ? { type: 'refusal', category: null, explanation: this.#refusal || null } : null,
    };
    const usage = usageOf({ prompt_tokens: this.#head.inputTokens, ...this.#usage });
    due.push({ type: 'message_delta', delta, usage }, { type: 'message_stop' });
    return due;
  }

  /** A client runs the tools of an answer with `tool_use` alone, whatever the service calls its end. */
  #stopReason(hasCalls: boolean): string {
    if (this.#finish === 'length') return 'max_tokens';
    if (this.#finish === 'content_filter') return 'refusal';
    if (hasCalls) return 'tool_use';
    if (this.#refusal !== '') return 'refusal';
    return this.#stopSequence === null ? 'end_turn' : 'stop_sequence';
  }

  #takeDelta(
    { reasoning_content: thinking, content, refusal, tool_calls: calls, function_call: old }: Json,
    due: Json[],
  ): void {
    if (typeof thinking === 'string') this.#say('thinking', thinking, due);
    if (typeof content === 'string') this.#say('text', content, due);
    if (typeof refusal === 'string') {
      this.#refusal += refusal;
      this.#say('text', refusal, due);
    }
    for (const call of Array.isArray(calls) ? calls : []) if (isObject(call)) this.#call(call.index, call, due);
    // Older services know this form alone, for one call.
    if (isObject(old)) this.#call('function_call', { id: `call_${this.#head.id}`, function: old }, due);
  }

  /** Text or thinking: it continues the last block if that is of the same type. */
  #say(type: 'text' | 'thinking', said: string, due: Json[]): void {
    if (said === '') return;
    let block = this.#blocks.at(-1);
    if (block?.start.type !== type) {
      // No signature: a made-up one would be refused by the service that it pretends to be from.
      const start = type === 'text' ? { type, text: '' } : { type, thinking: '', signature: '' };
      block = { start, delta: [`${type}_delta`, type], isOpen: false, held: '' };
      this.#blocks.push(block);
    }
    this.#add(block, said, due);
  }

  #call(key: unknown, { id, function: named, extra_content: extra }: Json, due: Json[]): void {
    const { name, arguments: args } = isObject(named) ? named : {};
    let block = this.#calls.get(key);
    if (!block) {
      if (typeof id !== 'string' || typeof name !== 'string') return;
      const start = { type: 'tool_use', id: clientId(id, extra), name, input: {} };
      block = { start, delta: ['input_json_delta', 'partial_json'], isOpen: false, held: '', extent: new Extent() };
      this.#calls.set(key, block);
      this.#blocks.push(block);
    }
    // It was closed because its arguments are complete: whatever still comes for it belongs to no JSON object.
    if (this.#blocks.includes(block)) this.#add(block, typeof args === 'string' ? args : '', due);
  }

  #add(block: Block, said: string, due: Json[]): void {
    block.extent?.feed(said);
    if (block.isOpen) this.#push(block, said, due);
    else block.held += said;
    for (;;) {
      this.#open(due);
      const [first, next] = this.#blocks;
      if (!next || first?.extent?.isWhole === false) return;
      this.#close(due);
    }
  }

  /** Opens the first block, with what it holds. */
  #open(due: Json[]): void {
    const block = this.#blocks[0];
    if (!block || block.isOpen) return;
    block.isOpen = true;
    due.push({ type: 'content_block_start', index: this.#closed, content_block: block.start });
    this.#push(block, block.held, due);
    block.held = '';
  }

  #push({ delta: [type, member] }: Block, said: string, due: Json[]): void {
    if (said !== '') due.push({ type: 'content_block_delta', index: this.#closed, delta: { type, [member]: said } });
  }

  #close(due: Json[]): void {
    this.#blocks.shift();
    due.push({ type: 'content_block_stop', index: this.#closed++ });
  }
}

/** Usage in Anthropic's form: its parts don't overlap, whereas OpenAI's total includes the cached input. */
function usageOf({ prompt_tokens: input, completion_tokens: output, ...details }: Json): Json {
  const { prompt_tokens_details: inputs, completion_tokens_details: outputs } = details;
  const total = countOf(input) ?? 0;
  const cached = Math.min(total, (isObject(inputs) ? countOf(inputs.cached_tokens) : undefined) ?? 0);
  const thinking = isObject(outputs) ? countOf(outputs.reasoning_tokens) : undefined;
  return {
    input_tokens: total - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: countOf(output) ?? 0,
    ...(thinking === undefined ? {} : { output_tokens_details: { thinking_tokens: thinking } }),
  };
}

/** Collects the events of `MessagesStream`, `end` included, into the answer for a client that asked for no stream. */
export class WholeMessage {
  #message: Json = {};
  readonly #blocks: { block: Json; said: string }[] = [];

  add({ type, message, index, content_block: start, delta, usage }: Json): void {
    if (type === 'message_start') this.#message = message as Json;
    else if (type === 'content_block_start') this.#blocks.push({ block: start as Json, said: '' });
    else if (type === 'content_block_delta') {
      const { text, thinking, partial_json: json } = delta as Json;
      this.#blocks[index as number]!.said += text ?? thinking ?? json;
    } else if (type === 'message_delta')
      this.#message = {
        ...this.#message,
        ...(delta as Json),
        usage: { ...(this.#message.usage as Json), ...(usage as Json) },
      };
  }

  get answer(): Json {
    const isCut = this.#message.stop_reason === 'max_tokens';
    return { ...this.#message, content: this.#blocks.map(({ block, said }) => wholeOf(block, said, isCut)) };
  }
}

function wholeOf(block: Json, said: string, isCut: boolean): Json {
  if (block.type === 'tool_use') return { ...block, input: inputOf(said, isCut) };
  return { ...block, [block.type as string]: said };
}

/**
 * The input of a call. Arguments that are no object of JSON, because the limit cut them or the model erred, stand under
 * the name that Anthropic's documentation gives them. A tool refuses it; with an empty input it might run.
 */
function inputOf(json: string, isCut: boolean): Json {
  if (json.trim() === '' && !isCut) return {};
  const input = parsed(json);
  return isObject(input) ? input : { INVALID_JSON: json };
}
