import assert from 'node:assert/strict';
import OpenAI from 'openai';
import type { Response as Answer } from 'openai/resources/responses/responses';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { ChatStream } from '../../../../server/gateway/dialects/chat/stream.ts';
import { ResponsesStream } from '../../../../server/gateway/dialects/responses/answer.ts';
import type { ResponsesContext } from '../../../../server/gateway/dialects/responses/request.ts';
import { USAGE } from '../chat/heard.ts';
import { asked } from './asked.ts';

export const HEAD = { id: 'r1', model: 'm', createdSeconds: 1_700_000_000 };

/** The events for a service's chunks. `cut`: the answer breaks off there by a failure of the service. */
export function events(
  chunks: readonly Json[],
  request: Json = {},
  cut?: { code: string; message: string },
): { events: Json[]; stream: ResponsesStream } {
  return eventsOf(chunks, asked(request).context, cut);
}

export function eventsOf(
  chunks: readonly Json[],
  context: ResponsesContext,
  cut?: { code: string; message: string },
): { events: Json[]; stream: ResponsesStream } {
  const chat = new ChatStream({ ...HEAD, id: 'chatcmpl-r1', wantsUsage: true });
  const stream = new ResponsesStream(HEAD, context);
  const told: Json[] = [];
  for (const chunk of chunks)
    for (const mended of chat.take(chunk)) for (const event of stream.take(mended)) told.push(event);
  if (cut) for (const event of stream.fail(cut)) told.push(event);
  else {
    for (const mended of chat.end(USAGE)) for (const event of stream.take(mended)) told.push(event);
    for (const event of stream.end()) told.push(event);
  }
  return { events: told, stream };
}

/** One chunk of a service. */
export const delta = (given: Json, finish: string | null = null, more: Json = {}): Json => ({
  id: 'x',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'upstream',
  choices: [{ index: 0, delta: given, finish_reason: finish, ...more }],
});

export const callDelta = (index: number, args: string, begins?: { id: string; name: string }): Json =>
  delta({
    tool_calls: [
      begins
        ? { index, id: begins.id, type: 'function', function: { name: begins.name, arguments: args } }
        : { index, function: { arguments: args } },
    ],
  });

/** What a strict client knows while it reads: the response, and the open item. */
interface Reading {
  created: Json;
  done: Map<number, Json>;
  /** How many items there are. */
  items: number;
  open: Json | null;
  /** What the deltas of the open part add up to. */
  text: string;
  parts: number;
}

const ENDS = ['response.completed', 'response.incomplete', 'response.failed'];

/**
 * Reads events as the strictest clients do: one counter over all, one identity of the response, one open item at a time,
 * deltas only in an open part, the texts of the `done` events equal to their deltas, and the items of the last event
 * equal to those that were done. Returns the last event's response.
 */
export function read(told: readonly Json[]): Json {
  for (const [i, { sequence_number: number }] of told.entries()) assert.equal(number, i);
  const [first, second] = told;
  assert.deepEqual([first?.type, second?.type], ['response.created', 'response.in_progress']);
  const reading: Reading = {
    created: first!.response as Json,
    done: new Map(),
    items: 0,
    open: null,
    text: '',
    parts: 0,
  };
  assert.deepEqual([reading.created.output, reading.created.status], [[], 'in_progress']);
  const last = told.at(-1)!;
  for (const event of told.slice(2, -1)) readOne(event, reading);
  assert.ok(ENDS.includes(last.type as string), `ends with ${last.type}`);
  const response = last.response as Json;
  for (const field of ['id', 'object', 'created_at', 'model']) assert.equal(response[field], reading.created[field]);
  if (last.type === 'response.completed') assert.equal(reading.open, null, 'an item is open at the end');
  // Only calls that were cut off stand in the response without being done.
  for (const [i, item] of (response.output as Json[]).entries()) {
    const isHalf = last.type === 'response.incomplete' && item.status === 'incomplete' && /call$/.test(`${item.type}`);
    assert.deepEqual(reading.done.get(i), isHalf ? undefined : item);
  }
  return response;
}

function readOne(event: Json, reading: Reading): void {
  const type = (event.type as string).replace(/^response\./, '');
  const index = event.output_index as number;
  if (type === 'output_item.added') {
    const item = event.item as Json;
    // Only a call that was cut off is left open.
    if (reading.open) assert.match(String(reading.open.type), /call$/);
    assert.equal(index, reading.items++);
    reading.open = { ...item, index };
    reading.text = '';
    reading.parts = 0;
    return;
  }
  assert.ok(reading.open, `${type} without an open item`);
  assert.equal(index, reading.open.index, type);
  if (type === 'output_item.done') {
    const item = event.item as Json;
    assert.deepEqual([item.id, item.type], [reading.open.id, reading.open.type]);
    reading.done.set(index, item);
    reading.open = null;
    return;
  }
  assert.equal(event.item_id, reading.open.id, type);
  const at = (event.content_index ?? event.summary_index) as number | undefined;
  if (/part\.added$/.test(type)) {
    assert.equal(at, reading.parts++);
    reading.text = '';
  } else if (/\.delta$/.test(type)) {
    if (at !== undefined) assert.equal(at, reading.parts - 1);
    assert.ok((event.delta as unknown as { isWellFormed(): boolean }).isWellFormed());
    reading.text += event.delta;
  } else if (/part\.done$/.test(type)) {
    const { text, refusal } = event.part as Json;
    assert.equal(text ?? refusal, reading.text);
  } else {
    assert.match(type, /\.done$/);
    assert.equal(event.text ?? event.refusal ?? event.arguments ?? event.input, reading.text, type);
  }
}

/** Events as they stand on the wire. */
export const frames = (told: readonly Json[]): string =>
  told.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');

/** The final response as the SDK accumulates it from these events. */
export async function accumulated(told: readonly Json[]): Promise<Answer> {
  const client = new OpenAI({
    apiKey: 'k',
    baseURL: 'http://127.0.0.1:1/v1',
    maxRetries: 0,
    fetch: () => Promise.resolve(new Response(frames(told), { headers: { 'content-type': 'text/event-stream' } })),
  });
  return await client.responses.stream({ model: 'm', input: 'Hello' }).finalResponse();
}
