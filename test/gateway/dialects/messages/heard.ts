import assert from 'node:assert/strict';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { ChatStream } from '../../../../server/gateway/dialects/chat/stream.ts';
import { MessagesStream, WholeMessage } from '../../../../server/gateway/dialects/messages/answer.ts';
import { USAGE } from '../chat/heard.ts';

export const HEAD = { id: '01', model: 'ours', inputTokens: 77 };

/** The events for a service's chunks, by the way that they take in the routes. */
export function eventsOf(chunks: readonly unknown[], stopSequences: string[] = [], usage = USAGE): Json[] {
  const chat = new ChatStream({ id: 'chatcmpl-01', model: 'ours', createdSeconds: 1, wantsUsage: true });
  const stream = new MessagesStream(HEAD, { stopSequences, cacheKey: null });
  const mended = chunks.flatMap((chunk) => chat.take(chunk));
  const events = [...mended, ...chat.end(usage)].flatMap((chunk) => stream.take(chunk));
  return [...events, ...stream.end()];
}

export interface Heard {
  content: Json[];
  stopReason: unknown;
  stopSequence: unknown;
  stopDetails: unknown;
  usage: Json;
}

const DELTAS: Record<string, [type: string, member: string]> = {
  text: ['text_delta', 'text'],
  thinking: ['thinking_delta', 'thinking'],
  tool_use: ['input_json_delta', 'partial_json'],
};

/** Reads the events as the strictest client does: one open block at a time, indices in order, deltas of its type. */
export function hear(events: readonly Json[]): Heard {
  assert.equal(events[0]?.type, 'message_start');
  assert.deepEqual(
    events.slice(-2).map(({ type }) => type),
    ['message_delta', 'message_stop'],
  );
  const content: Json[] = [];
  let open: { block: Json; said: string } | null = null;
  for (const event of events.slice(1, -2)) {
    const block = event.content_block as Json;
    if (event.type === 'content_block_start') {
      assert.equal(open, null, 'a block starts within another');
      assert.equal(event.index, content.length);
      open = { block, said: '' };
      continue;
    }
    assert.ok(open, `${event.type} without a block`);
    assert.equal(event.index, content.length);
    const [type, member]: [string, string] = DELTAS[open.block.type as string]!;
    if (event.type === 'content_block_stop') {
      content.push({ ...open.block, [member]: open.said });
      open = null;
      continue;
    }
    assert.equal(event.type, 'content_block_delta');
    const delta = event.delta as Json;
    assert.deepEqual(Object.keys(delta), ['type', member]);
    assert.equal(delta.type, type);
    assert.notEqual(delta[member], '');
    open.said += delta[member];
  }
  assert.equal(open, null, 'a block stays open');
  const { delta, usage } = events.at(-2) as { delta: Json; usage: Json };
  return {
    content,
    stopReason: delta.stop_reason,
    stopSequence: delta.stop_sequence,
    stopDetails: delta.stop_details,
    usage,
  };
}

export function wholeOf(events: readonly Json[]): Json {
  const whole = new WholeMessage();
  for (const event of events) whole.add(event);
  return JSON.parse(JSON.stringify(whole.answer));
}

export const chunk = (delta: Json, more: Json = {}): Json => ({
  ...{ id: 'theirs', object: 'chat.completion.chunk', created: 5, model: 'theirs' },
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
});
export const said = (content: string): Json => chunk({ content });
export const thought = (reasoning_content: string): Json => chunk({ reasoning_content });
export const finish = (finish_reason: string, more: Json = {}): Json => chunk({}, { finish_reason, ...more });
export const call = (index: number | undefined, args: string, id?: string, name?: string): Json =>
  chunk({
    tool_calls: [
      {
        ...(index === undefined ? {} : { index }),
        ...(id === undefined ? {} : { id, type: 'function' }),
        function: { ...(name === undefined ? {} : { name }), arguments: args },
      },
    ],
  });
