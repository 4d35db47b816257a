import { Extent } from '../chat/calls.ts';
import type { Json } from '../chat/refused.ts';
import { wellFormed } from '../chat/size.ts';
import { Freeform } from './freeform.ts';
import { encodeReasoning } from './reasoning.ts';
import type { OwnTool } from './tools.ts';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** A text that arrives in pieces. No piece of it is half of a surrogate pair: strict clients read no such JSON. */
class Text {
  whole = '';
  #held = '';

  /** What can be sent of it. */
  add(piece: string): string {
    const text = this.#held + piece;
    const isCut = /[\ud800-\udbff]/.test(text.slice(-1));
    this.#held = isCut ? text.slice(-1) : '';
    return this.#take(isCut ? text.slice(0, -1) : text);
  }

  /** The half that nothing followed. */
  rest(): string {
    const held = this.#held;
    this.#held = '';
    return this.#take(held);
  }

  #take(text: string): string {
    const sent = wellFormed(text);
    this.whole += sent;
    return sent;
  }
}

/** One item of the output. */
export abstract class OutputItem {
  /** Its events that are not sent yet, without their numbers. */
  due: Json[] = [];
  /** Nothing more is expected: the next item may begin. */
  abstract readonly isWhole: boolean;

  constructor(readonly id: string) {}

  abstract json(status: ItemStatus): Json;
  /** The events between the last piece and `response.output_item.done`. */
  abstract close(): void;

  protected begin(): void {
    this.due.push({ type: 'response.output_item.added', item: this.json('in_progress') });
  }

  /** An event about a part of the item. */
  protected tell(type: string, more: Json): void {
    this.due.push({ type: `response.${type}`, item_id: this.id, ...more });
  }
}

export class ReasoningItem extends OutputItem {
  readonly isWhole = true;
  readonly #text = new Text();

  constructor(
    id: string,
    private readonly isEncoded: boolean,
  ) {
    super(id);
    this.begin();
    this.tell('reasoning_summary_part.added', { summary_index: 0, part: summary('') });
  }

  add(piece: string): void {
    this.#send(this.#text.add(piece));
  }

  close(): void {
    this.#send(this.#text.rest());
    const text = this.#text.whole;
    this.tell('reasoning_summary_text.done', { summary_index: 0, text });
    this.tell('reasoning_summary_part.done', { summary_index: 0, part: summary(text) });
  }

  json(status: ItemStatus): Json {
    const text = this.#text.whole;
    const encrypted = this.isEncoded && status !== 'in_progress' ? { encrypted_content: encodeReasoning(text) } : {};
    return { id: this.id, type: 'reasoning', summary: text === '' ? [] : [summary(text)], ...encrypted };
  }

  #send(delta: string): void {
    if (delta !== '') this.tell('reasoning_summary_text.delta', { summary_index: 0, delta });
  }
}

const summary = (text: string): Json => ({ type: 'summary_text', text });

interface Part {
  isRefusal: boolean;
  text: Text;
  logprobs: unknown[];
}

export class MessageItem extends OutputItem {
  readonly isWhole = true;
  readonly #parts: Part[] = [];

  constructor(id: string) {
    super(id);
    this.begin();
  }

  add(piece: string, isRefusal: boolean, logprobs: readonly unknown[] = []): void {
    const last = this.#parts.at(-1);
    const part = last?.isRefusal === isRefusal ? last : this.#next(isRefusal);
    for (const one of logprobs) part.logprobs.push(one);
    this.#send(part, part.text.add(piece), logprobs);
  }

  close(): void {
    this.#closePart();
  }

  json(status: ItemStatus): Json {
    return { id: this.id, type: 'message', status, role: 'assistant', content: this.#parts.map(partOf) };
  }

  #next(isRefusal: boolean): Part {
    this.#closePart();
    const part = { isRefusal, text: new Text(), logprobs: [] };
    this.#parts.push(part);
    this.#tell('content_part.added', { part: partOf(part) });
    return part;
  }

  #closePart(): void {
    const part = this.#parts.at(-1);
    if (!part) return;
    this.#send(part, part.text.rest(), []);
    const { logprobs, text } = part;
    if (part.isRefusal) this.#tell('refusal.done', { refusal: text.whole });
    else this.#tell('output_text.done', { text: text.whole, logprobs });
    this.#tell('content_part.done', { part: partOf(part) });
  }

  #send({ isRefusal }: Part, delta: string, logprobs: readonly unknown[]): void {
    if (delta === '' && logprobs.length === 0) return;
    if (isRefusal) this.#tell('refusal.delta', { delta });
    else this.#tell('output_text.delta', { delta, logprobs });
  }

  #tell(type: string, more: Json): void {
    this.tell(type, { content_index: this.#parts.length - 1, ...more });
  }
}

function partOf({ isRefusal, text, logprobs }: Part): Json {
  if (isRefusal) return { type: 'refusal', refusal: text.whole };
  return { type: 'output_text', text: text.whole, annotations: [], logprobs: [...logprobs] };
}

/** A call of a tool, in the form in which the client knows the tool. */
export abstract class CallItem extends OutputItem {
  readonly #extent = new Extent();

  constructor(
    id: string,
    protected readonly callId: string,
    protected readonly tool: OwnTool,
  ) {
    super(id);
  }

  get isWhole(): boolean {
    return this.#extent.isWhole;
  }

  /** `args`: the next piece of the function's arguments. */
  add(args: string): void {
    this.#extent.feed(args);
    this.read(args);
  }

  protected abstract read(args: string): void;

  protected head(type: string, status: ItemStatus): Json {
    const { name, namespace } = this.tool;
    return { id: this.id, type, status, call_id: this.callId, name, ...(namespace !== undefined && { namespace }) };
  }
}

export class FunctionCallItem extends CallItem {
  readonly #arguments = new Text();

  constructor(id: string, callId: string, tool: OwnTool) {
    super(id, callId, tool);
    this.begin();
  }

  protected read(args: string): void {
    this.#send(this.#arguments.add(args));
  }

  close(): void {
    this.#send(this.#arguments.rest());
    this.tell('function_call_arguments.done', { name: this.tool.name, arguments: this.#arguments.whole });
  }

  json(status: ItemStatus): Json {
    return { ...this.head('function_call', status), arguments: this.#arguments.whole };
  }

  #send(delta: string): void {
    if (delta !== '') this.tell('function_call_arguments.delta', { delta });
  }
}

export class CustomCallItem extends CallItem {
  readonly #input = new Text();
  readonly #freeform = new Freeform();
  #arguments = '';

  constructor(id: string, callId: string, tool: OwnTool) {
    super(id, callId, tool);
    this.begin();
  }

  protected read(args: string): void {
    if (!this.#freeform.isFound) this.#arguments += args;
    this.#send(this.#input.add(this.#freeform.take(args)));
  }

  close(): void {
    if (!this.#freeform.isFound) this.#send(this.#input.add(Freeform.fallback(this.#arguments)));
    this.#send(this.#input.rest());
    this.tell('custom_tool_call_input.done', { input: this.#input.whole });
  }

  json(status: ItemStatus): Json {
    return { ...this.head('custom_tool_call', status), input: this.#input.whole };
  }

  #send(delta: string): void {
    if (delta !== '') this.tell('custom_tool_call_input.delta', { delta });
  }
}
