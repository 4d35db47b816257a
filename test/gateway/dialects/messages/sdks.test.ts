import assert from 'node:assert/strict';
import { createAnthropic } from '@ai-sdk/anthropic';
import Anthropic from '@anthropic-ai/sdk';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import type { Json } from '../../../../server/gateway/dialects/chat/refused.ts';
import { PING } from '../../../../server/gateway/dialects/messages/answer.ts';
import { read } from './asked.ts';
import { call, eventsOf, finish, said, thought, wholeOf } from './heard.ts';

const KIMI = 'functions.read:0';
const CHUNKS = [
  thought('I '),
  thought('look.'),
  said('Let me read.'),
  call(0, '', KIMI, 'read'),
  call(0, '{"path":'),
  call(0, '"a é"}'),
  call(1, '{"path":"b"}', 'call_1', 'read'),
  finish('tool_calls'),
];

interface Asked {
  body: Json;
}

/** A server that answers each request by the next of these, streamed or not, and keeps what it was asked. */
function server(...answers: Json[][]): { fetch: typeof fetch; asked: Asked[] } {
  const asked: Asked[] = [];
  return {
    asked,
    fetch: async (_, init) => {
      const body = JSON.parse(String(init?.body)) as Json;
      const events = answers[asked.length]!;
      asked.push({ body });
      if (body.stream !== true)
        return new Response(JSON.stringify(wholeOf(events)), { headers: { 'content-type': 'application/json' } });
      const [start, ...rest] = events;
      const told = [start!, PING, ...rest].map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`);
      return new Response(told.join(''), { headers: { 'content-type': 'text/event-stream' } });
    },
  };
}

const schema = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] } as const;
const usage = { input_tokens: 40, cache_creation_input_tokens: 0, cache_read_input_tokens: 60, output_tokens: 20 };

describe('clients of the Messages dialect', () => {
  for (const isStream of [true, false])
    it(`@anthropic-ai/sdk reads an answer ${isStream ? 'as a stream' : 'in one piece'}, and its next request has the service’s own ids`, async () => {
      const { fetch, asked } = server(eventsOf(CHUNKS), eventsOf([said('Done.'), finish('stop')]));
      const client = new Anthropic({ apiKey: 'k', fetch, maxRetries: 0 });
      const ask = (messages: Anthropic.MessageParam[]) => {
        const given: Anthropic.MessageCreateParamsNonStreaming = {
          model: 'm',
          max_tokens: 500,
          messages,
          tools: [{ name: 'read', input_schema: { ...schema, required: ['path'] } }],
        };
        return isStream ? client.messages.stream(given).finalMessage() : client.messages.create(given);
      };
      const question: Anthropic.MessageParam = { role: 'user', content: 'Read a and b.' };
      const message = await ask([question]);
      assert.deepEqual(JSON.parse(JSON.stringify(message.content)), [
        { type: 'thinking', thinking: 'I look.', signature: '' },
        { type: 'text', text: 'Let me read.' },
        { type: 'tool_use', id: 'toolu_-functions_002eread_003a0', name: 'read', input: { path: 'a é' } },
        { type: 'tool_use', id: 'toolu_call_1', name: 'read', input: { path: 'b' } },
      ]);
      assert.equal(message.stop_reason, 'tool_use');
      assert.deepEqual(message.usage, usage);
      const results = message.content.flatMap((block): Anthropic.ToolResultBlockParam[] =>
        block.type === 'tool_use' ? [{ type: 'tool_result', tool_use_id: block.id, content: block.id }] : [],
      );
      const last = await ask([
        question,
        { role: 'assistant', content: message.content },
        { role: 'user', content: results },
      ]);
      assert.deepEqual([last.stop_reason, last.content.length], ['end_turn', 1]);
      const calls = [
        { id: KIMI, type: 'function', function: { name: 'read', arguments: '{"path":"a é"}' } },
        { id: 'call_1', type: 'function', function: { name: 'read', arguments: '{"path":"b"}' } },
      ];
      assert.deepEqual(read(asked[1]!.body).call.body.messages, [
        { role: 'user', content: 'Read a and b.' },
        { role: 'assistant', content: 'Let me read.', reasoning_content: 'I look.', tool_calls: calls },
        { role: 'tool', tool_call_id: KIMI, content: 'toolu_-functions_002eread_003a0' },
        { role: 'tool', tool_call_id: 'call_1', content: 'toolu_call_1' },
      ]);
    });

  it('@anthropic-ai/sdk keeps the half of a call that the limit cut, and says why', async () => {
    const { fetch } = server(eventsOf([call(0, '{"path":"a', 'a', 'read'), finish('length')]));
    const client = new Anthropic({ apiKey: 'k', fetch, maxRetries: 0 });
    const message = await client.messages.stream({ model: 'm', max_tokens: 5, messages: [] }).finalMessage();
    assert.equal(message.stop_reason, 'max_tokens');
    assert.equal(message.content[0]?.type, 'tool_use');
  });

  it('@anthropic-ai/sdk reads the same over its betas, which Claude Code uses', async () => {
    const { fetch } = server(eventsOf(CHUNKS));
    const client = new Anthropic({ apiKey: 'k', fetch, maxRetries: 0 });
    const message = await client.beta.messages.stream({ model: 'm', max_tokens: 500, messages: [] }).finalMessage();
    assert.deepEqual(
      message.content.map(({ type }) => type),
      ['thinking', 'text', 'tool_use', 'tool_use'],
    );
    assert.deepEqual([message.stop_reason, message.usage], ['tool_use', usage]);
  });

  it('@anthropic-ai/sdk knows a stream without its end as broken', async () => {
    const { fetch } = server(eventsOf(CHUNKS).slice(0, -2));
    const client = new Anthropic({ apiKey: 'k', fetch, maxRetries: 0 });
    await assert.rejects(client.messages.stream({ model: 'm', max_tokens: 5, messages: [] }).finalMessage());
  });

  for (const isStream of [true, false])
    it(`@ai-sdk/anthropic reads an answer ${isStream ? 'as a stream' : 'in one piece'}`, async () => {
      const { fetch, asked } = server(eventsOf(CHUNKS));
      const options = {
        model: createAnthropic({ apiKey: 'k', baseURL: 'http://t.example/v1', fetch })('m'),
        prompt: 'Read a and b.',
        tools: { read: tool({ description: 'Reads.', inputSchema: jsonSchema<{ path: string }>(schema) }) },
        maxRetries: 0,
        maxOutputTokens: 500,
      };
      const told = isStream ? streamText(options) : await generateText(options);
      assert.equal(await told.text, 'Let me read.');
      assert.equal(await told.reasoningText, 'I look.');
      assert.equal(await told.finishReason, 'tool-calls');
      assert.deepEqual(
        (await told.toolCalls).map(({ toolCallId, input }) => [toolCallId, input]),
        [
          ['toolu_-functions_002eread_003a0', { path: 'a é' }],
          ['toolu_call_1', { path: 'b' }],
        ],
      );
      const { inputTokens, outputTokens, inputTokenDetails } = await told.usage;
      assert.deepEqual([inputTokens, inputTokenDetails.cacheReadTokens, outputTokens], [100, 60, 20]);
      assert.deepEqual(read(asked[0]!.body).call.body.messages, [{ role: 'user', content: 'Read a and b.' }]);
    });

  it('@ai-sdk/anthropic reads a refusal', async () => {
    const { fetch } = server(eventsOf([said('No'), finish('content_filter')]));
    const model = createAnthropic({ apiKey: 'k', baseURL: 'http://t.example/v1', fetch })('m');
    const told = streamText({ model, prompt: 'x', maxRetries: 0, maxOutputTokens: 500 });
    assert.equal(await told.finishReason, 'content-filter');
  });
});
