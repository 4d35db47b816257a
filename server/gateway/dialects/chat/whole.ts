import type { Usage } from '../../../../shared/runs.ts';
import { isObject, isUnset, type Json } from './refused.ts';
import { ChatStream, type StreamHead } from './stream.ts';

/**
 * The answer to a request that asked for no stream, from the service's own whole answer. Null if it is none. Throws
 * `UnknownShape`. Fields that are not known pass.
 */
export function mendWhole(answer: unknown, head: StreamHead, usage: Usage): Json | null {
  const chunks = chunksOf(answer, { ...head, wantsUsage: true }, usage);
  return chunks && wholeOf(chunks);
}

/** The chunks for a client that asked for a stream, from a service that doesn't stream. Null if it is no answer. */
export function chunksOf(answer: unknown, head: StreamHead & { wantsUsage: boolean }, usage: Usage): Json[] | null {
  const stream = new ChatStream(head);
  const chunks = stream.take(answer);
  return chunks.length === 0 && stream.finish === null ? null : [...chunks, ...stream.end(usage)];
}

/** The whole answer from all chunks that `ChatStream` made of a stream. */
export function wholeOf(chunks: Iterable<Json>): Json {
  const whole = new WholeAnswer();
  for (const chunk of chunks) whole.add(chunk);
  return whole.answer;
}

/** Collects the chunks of `ChatStream`, `end` included, into the answer for a client that asked for no stream. */
export class WholeAnswer {
  #head: Json = {};
  #choice: Json = {};
  readonly #message = new Map<string, unknown>();
  readonly #calls: Json[] = [];
  #usage: unknown;

  add({ choices, usage, ...head }: Json): void {
    this.#head = { ...this.#head, ...head };
    this.#usage = usage ?? this.#usage;
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
    if (!isObject(choice)) return;
    const { delta, logprobs, ...more } = choice;
    const known = this.#choice.logprobs;
    this.#choice = {
      ...this.#choice,
      ...more,
      logprobs: isObject(logprobs) ? added(known, logprobs) : (known ?? null),
    };
    if (!isObject(delta)) return;
    for (const [key, value] of Object.entries(delta)) {
      if (key === 'tool_calls') for (const call of Array.isArray(value) ? value : []) this.#addCall(call);
      else if (key !== 'role') this.#message.set(key, joined(this.#message.get(key), value));
    }
  }

  get answer(): Json {
    const { content: said, refusal, ...more } = Object.fromEntries(this.#message);
    const calls = this.#calls.length > 0 ? { tool_calls: this.#calls.map(({ index, ...call }) => call) } : {};
    const isSilent = this.#calls.length > 0 || !isUnset(refusal) || !isUnset(more.function_call);
    const content = said ?? (isSilent ? null : '');
    return {
      ...this.#head,
      object: 'chat.completion',
      choices: [
        {
          ...this.#choice,
          index: 0,
          message: { role: 'assistant', content, refusal: refusal ?? null, ...more, ...calls },
        },
      ],
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
    };
  }

  #addCall(delta: unknown): void {
    if (!isObject(delta) || typeof delta.index !== 'number') return;
    const { function: named, custom, ...more } = delta;
    const known = this.#calls[delta.index] ?? {};
    this.#calls[delta.index] = {
      ...known,
      ...more,
      ...(isObject(named) ? { function: added(known.function, named) } : {}),
      ...(isObject(custom) ? { custom: added(known.custom, custom) } : {}),
    };
  }
}

/** Two objects as one; texts and lists are joined. */
function added(known: unknown, more: Json): Json {
  const sum: Json = isObject(known) ? { ...known } : {};
  return { ...sum, ...Object.fromEntries(Object.entries(more).map(([key, value]) => [key, joined(sum[key], value)])) };
}

function joined(known: unknown, more: unknown): unknown {
  if (typeof known === 'string' && typeof more === 'string') return known + more;
  // In place: a list may grow by an entry with every chunk.
  if (Array.isArray(known) && Array.isArray(more)) {
    for (const one of more) known.push(one);
    return known;
  }
  if (Array.isArray(more)) return [...more];
  if (isObject(known) && isObject(more)) return added(known, more);
  return isUnset(more) ? (known ?? more) : more;
}
