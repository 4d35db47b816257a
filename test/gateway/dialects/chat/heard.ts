import assert from 'node:assert/strict';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';

export const USAGE = { inputTokens: 100, cachedInputTokens: 60, outputTokens: 20, estimated: false };

export interface Heard {
  text: string;
  thinking: string;
  toolCalls: [id: string, name: string, args: string][];
  finish: unknown;
}

/**
 * Reads a stream as strict clients do: indices from 0 without a gap, the id, type and name as texts in a call's first
 * delta and in no other.
 */
export function hear(chunks: readonly Json[]): Heard {
  const heard: Heard = { text: '', thinking: '', toolCalls: [], finish: undefined };
  for (const chunk of chunks) {
    if (!Array.isArray(chunk.choices)) continue;
    for (const { delta, finish_reason: reason } of chunk.choices as Json[]) {
      const { content, reasoning_content: thinking, tool_calls: calls } = delta as Json;
      heard.text += content ?? '';
      heard.thinking += thinking ?? '';
      for (const call of (calls as Json[] | undefined) ?? []) hearCall(heard.toolCalls, call);
      heard.finish = reason ?? heard.finish;
    }
  }
  return heard;
}

function hearCall(calls: Heard['toolCalls'], call: Json): void {
  const index = call.index as number;
  const named = (call.function ?? { name: '', arguments: '' }) as Json;
  if (index === calls.length) {
    assert.equal(typeof call.id, 'string');
    assert.notEqual(call.id, '');
    assert.equal(typeof call.type, 'string');
    assert.equal(typeof named.name, 'string');
    assert.equal(typeof named.arguments, 'string');
    calls.push([call.id as string, named.name as string, named.arguments as string]);
    return;
  }
  assert.ok(index >= 0 && index < calls.length, `a call by the index ${index} after ${calls.length} calls`);
  assert.deepEqual(['id' in call, 'type' in call, 'name' in named], [false, false, false]);
  assert.equal(typeof named.arguments, 'string');
  calls[index]![2] += named.arguments;
}
