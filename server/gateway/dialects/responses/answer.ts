import { isObject, isUnset, type Json } from '../chat/refused.ts';
import type { StreamHead } from '../chat/stream.ts';
import { CallItem, CustomCallItem, FunctionCallItem, MessageItem, type OutputItem, ReasoningItem } from './items.ts';
import type { ResponsesContext } from './request.ts';

type Status = 'in_progress' | 'completed' | 'incomplete' | 'failed';

/** Why an answer is incomplete, by the finish reason of chat completions. */
const CUT: ReadonlyMap<unknown, string> = new Map([
  ['length', 'max_output_tokens'],
  ['content_filter', 'content_filter'],
]);

/**
 * The events of an answer from the chunks that `ChatStream` makes of it, `end` included.
 *
 * One item is open at a time, as in OpenAI's own streams. A service may write on at several calls in turn: what belongs
 * to a later one waits until the open one is whole, or the answer ends.
 *
 * A call that the limit cuts in half gets no `done`: clients run a call when its item is done.
 */
export class ResponsesStream {
  readonly #head: StreamHead;
  readonly #context: ResponsesContext;
  readonly #items: OutputItem[] = [];
  readonly #calls = new Map<unknown, CallItem>();
  /** The items that nothing follows in, as they were told. The next one is open. */
  readonly #output: Json[] = [];
  #events: Json[] = [];
  #sequence = 0;
  #status: Status = 'in_progress';
  #isBegun = false;
  #finish: unknown;
  #usage: Json | null = null;
  #error: { code: string; message: string } | null = null;

  /** `id`: without a prefix. The ids of the response and of its items are made of it. */
  constructor(head: StreamHead, context: ResponsesContext) {
    this.#head = head;
    this.#context = context;
  }

  /** The events for one chunk. */
  take(chunk: Json): Json[] {
    if (this.#status !== 'in_progress') return [];
    this.#begin();
    if (isObject(chunk.usage)) this.#usage = usageOf(chunk.usage);
    const choice: unknown = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
    if (isObject(choice)) {
      if (isObject(choice.delta)) this.#read(choice.delta, choice.logprobs);
      this.#finish = choice.finish_reason ?? this.#finish;
    }
    this.#flush();
    return this.#sent();
  }

  /** The events after the last chunk. The last one is `response.completed` or `response.incomplete`. */
  end(): Json[] {
    if (this.#status !== 'in_progress') return [];
    this.#begin();
    const isCut = CUT.has(this.#finish);
    // Clients look for a message in an answer that is complete.
    if (this.#items.length === 0 && !isCut) this.#message().add('', false);
    for (const item of this.#items.slice(this.#output.length)) {
      this.#tell(item);
      const isCall = item instanceof CallItem;
      if (isCut && isCall && !item.isWhole) this.#output.push(item.json('incomplete'));
      else this.#close(item, isCut && !isCall && item === this.#items.at(-1) ? 'incomplete' : 'completed');
    }
    this.#status = isCut ? 'incomplete' : 'completed';
    this.#tellAll(`response.${this.#status}`);
    return this.#sent();
  }

  /** The events of an answer that failed in its middle. What was open stays open. */
  fail(error: { code: string; message: string }): Json[] {
    if (this.#status !== 'in_progress') return [];
    this.#begin();
    this.#status = 'failed';
    this.#error = { code: error.code, message: error.message };
    this.#tellAll('response.failed');
    return this.#sent();
  }

  /** The response as it stands; after the end, the body of an answer in one piece. */
  get response(): Json {
    const { id, model, createdSeconds } = this.#head;
    return {
      id: `resp_${id}`,
      object: 'response',
      created_at: createdSeconds,
      status: this.#status,
      error: this.#error,
      incomplete_details: this.#status === 'incomplete' ? { reason: CUT.get(this.#finish) } : null,
      model,
      output: [...this.#output],
      usage: this.#usage,
      ...this.#context.echo,
    };
  }

  #read(delta: Json, logprobs: unknown): void {
    const { reasoning_content: thought, content, refusal, tool_calls: calls, function_call: old } = delta;
    if (isText(thought)) this.#reasoning().add(thought);
    const isLogged = this.#context.wantsLogprobs && isObject(logprobs) && Array.isArray(logprobs.content);
    const logged: unknown[] = isLogged ? ((logprobs as Json).content as unknown[]) : [];
    if (isText(content)) this.#message().add(content, false, logged);
    if (isText(refusal)) this.#message().add(refusal, true);
    if (Array.isArray(calls)) for (const call of calls) if (isObject(call)) this.#readCall(call);
    // From a service that knows only the form before tool calls.
    if (isObject(old)) this.#readCall({ index: 'old', id: `call_${this.#head.id}`, function: old });
  }

  #readCall({ index, id, function: named, custom }: Json): void {
    const given = isObject(named) ? named : isObject(custom) ? custom : {};
    let item = this.#calls.get(index);
    if (!item) {
      item = this.#call(String(id ?? `call_${this.#head.id}_${this.#items.length}`), String(given.name ?? ''));
      this.#calls.set(index, item);
    }
    const args = given.arguments ?? given.input;
    if (isText(args)) item.add(args);
  }

  #call(callId: string, name: string): CallItem {
    const tool = this.#context.tools.get(name) ?? { kind: 'function', name };
    if (tool.kind === 'custom') return this.#open(new CustomCallItem(this.#id('ctc'), callId, tool));
    return this.#open(new FunctionCallItem(this.#id('fc'), callId, tool));
  }

  #reasoning(): ReasoningItem {
    const last = this.#items.at(-1);
    if (last instanceof ReasoningItem) return last;
    return this.#open(new ReasoningItem(this.#id('rs'), this.#context.wantsEncrypted));
  }

  #message(): MessageItem {
    const last = this.#items.at(-1);
    return last instanceof MessageItem ? last : this.#open(new MessageItem(this.#id('msg')));
  }

  #id(prefix: string): string {
    return `${prefix}_${this.#head.id}_${this.#items.length}`;
  }

  #open<T extends OutputItem>(item: T): T {
    this.#items.push(item);
    return item;
  }

  #begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#tellAll('response.created');
    this.#tellAll('response.in_progress');
  }

  /** Tells what is due of the open item, and of those behind it if it is whole. */
  #flush(): void {
    for (;;) {
      const open = this.#items[this.#output.length];
      if (!open) return;
      this.#tell(open);
      if (!open.isWhole || open === this.#items.at(-1)) return;
      this.#close(open, 'completed');
    }
  }

  #close(item: OutputItem, status: 'completed' | 'incomplete'): void {
    item.close();
    const json = item.json(status);
    item.due.push({ type: 'response.output_item.done', item: json });
    this.#tell(item);
    this.#output.push(json);
  }

  #tell(item: OutputItem): void {
    const index = this.#output.length;
    for (const { type, ...more } of item.due)
      this.#events.push({ type, sequence_number: this.#sequence++, output_index: index, ...more });
    item.due = [];
  }

  #tellAll(type: string): void {
    this.#events.push({ type, sequence_number: this.#sequence++, response: this.response });
  }

  #sent(): Json[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Here and in chat completions, the input includes what was cached, and the output what was thought. */
function usageOf({ prompt_tokens: input, completion_tokens: output, total_tokens: total, ...details }: Json): Json {
  const { prompt_tokens_details: inputs, completion_tokens_details: outputs } = details;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: countIn(inputs, 'cached_tokens'), cache_write_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: countIn(outputs, 'reasoning_tokens') },
    total_tokens: total,
  };
}

function countIn(details: unknown, field: string): unknown {
  const count = isObject(details) ? details[field] : undefined;
  return isUnset(count) ? 0 : count;
}
