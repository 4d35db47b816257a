import assert from 'node:assert/strict';
import { createAnthropic } from '@ai-sdk/anthropic';
import Anthropic, { type APIError } from '@anthropic-ai/sdk';
import type { MessageCreateParamsNonStreaming, MessageParam, Tool as ToolParam } from '@anthropic-ai/sdk/resources';
import { generateText, stepCountIs, streamText, tool as toolOf } from 'ai';
import { z } from 'zod';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { FAILURES, type Script } from '../../doubles/script.ts';
import { onBothEngines } from '../../support/engines.ts';
import { counted, openTool, type Tool } from '../../support/tools.ts';

const C = MICRO_PER_CREDIT;
const ASK: MessageCreateParamsNonStreaming = {
  model: 'double',
  max_tokens: 1_000,
  messages: [{ role: 'user', content: 'Hi' }],
};
const READ: ToolParam = { name: 'read', input_schema: { type: 'object', properties: { path: { type: 'string' } } } };
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** Two calls, with ids as Kimi gives them. */
const CALLS: Script = {
  pieces: ['So. '],
  tools: [
    { id: 'functions.read:0', name: 'read', arguments: ['{"path"', ':"a.ts"}'] },
    { id: 'functions.read:1', name: 'read', arguments: ['{"path":"b.ts"}'] },
  ],
};

const refusalOf = (promise: Promise<unknown>): Promise<APIError> =>
  promise.then(
    () => assert.fail('it was not refused'),
    (error) => error,
  );

onBothEngines('a call of Anthropic’s Messages', (server) => {
  /** Asks by the SDK, streamed or in one piece. */
  const ask = (tool: Tool, isStream: boolean, more: Partial<MessageCreateParamsNonStreaming> = {}) =>
    isStream
      ? tool.anthropic.messages.stream({ ...ASK, ...more }).finalMessage()
      : tool.anthropic.messages.create({ ...ASK, ...more });
  const lastBody = () => server().double.bill.at(-1)!.body as { messages: Record<string, unknown>[] };

  for (const isStream of [false, true])
    describe(isStream ? 'by the SDK, streamed' : 'by the SDK', () => {
      it('is answered with text and usage, charged once, and named in the token log', async () => {
        const tool = await openTool(server());
        server().double.script({ text: 'Good day to you.' });
        const answer = await ask(tool, isStream, { system: 'Be kind.' });
        assert.deepEqual(answer.content, [{ type: 'text', text: 'Good day to you.' }]);
        assert.deepEqual([answer.stop_reason, answer.model, answer.role], ['end_turn', 'double', 'assistant']);
        assert.equal(answer.usage.output_tokens, 4);
        assert.deepEqual(lastBody().messages, [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Hi' },
        ]);
        assert.equal(await tool.available(), 999 * C);
        const [line] = await tool.log();
        const { input_tokens: input, cache_read_input_tokens: cached } = answer.usage;
        assert.deepEqual(
          [line?.kind, line?.amount, line?.tool, line?.output_tokens, line?.input_tokens],
          ['charge', -C, 'Anthropic SDK', 4, input + cached!],
        );
      });

      it('brings calls back in parallel, and their results and pictures to the service under its own ids', async () => {
        const tool = await openTool(server());
        server().double.script(CALLS);
        const first = await ask(tool, isStream, { tools: [READ] });
        assert.equal(first.stop_reason, 'tool_use');
        const uses = first.content.filter((block) => block.type === 'tool_use');
        assert.deepEqual(
          uses.map(({ name, input }) => [name, input]),
          [
            ['read', { path: 'a.ts' }],
            ['read', { path: 'b.ts' }],
          ],
        );
        for (const { id } of uses) assert.match(id, /^[a-zA-Z0-9_-]+$/);
        const messages: MessageParam[] = [
          ...ASK.messages,
          { role: 'assistant', content: first.content },
          {
            role: 'user',
            content: [
              // In the order of their completion, as Claude Code sends them.
              { type: 'tool_result', tool_use_id: uses[1]!.id, content: 'export const b = 1' },
              {
                type: 'tool_result',
                tool_use_id: uses[0]!.id,
                content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } }],
              },
              { type: 'text', text: 'Go on.' },
            ],
          },
        ];
        await ask(tool, isStream, { tools: [READ], messages });
        const [, assistant, ...rest] = lastBody().messages;
        assert.deepEqual(
          (assistant!.tool_calls as { id: string; function: { arguments: string } }[]).map((call) => [
            call.id,
            call.function.arguments,
          ]),
          [
            ['functions.read:0', '{"path":"a.ts"}'],
            ['functions.read:1', '{"path":"b.ts"}'],
          ],
        );
        assert.deepEqual(
          rest.map(({ role, tool_call_id: id }) => [role, id]),
          [
            ['tool', 'functions.read:1'],
            ['tool', 'functions.read:0'],
            // The picture, because services take none from a tool.
            ['user', undefined],
            ['user', undefined],
          ],
        );
        assert.ok(JSON.stringify(rest[2]).includes(`data:image/png;base64,${PIXEL}`));
        assert.equal(rest[3]!.content, 'Go on.');
      });

      it('shows thinking, and gives it back to the service with the next turn', async () => {
        const tool = await openTool(server());
        server().double.script({ ...CALLS, thoughts: ['Let me ', 'see.'] });
        const first = await ask(tool, isStream, { tools: [READ], thinking: { type: 'enabled', budget_tokens: 1_024 } });
        assert.deepEqual(first.content[0], { type: 'thinking', thinking: 'Let me see.', signature: '' });
        await ask(tool, isStream, { messages: [...ASK.messages, { role: 'assistant', content: first.content }] });
        assert.equal(lastBody().messages[1]!.reasoning_content, 'Let me see.');
      });

      it('says why it ended', async () => {
        const tool = await openTool(server());
        server().double.script({ text: 'One two three four five.' });
        assert.equal((await ask(tool, isStream, { max_tokens: 3 })).stop_reason, 'max_tokens');
        server().double.script(FAILURES.refusal);
        assert.equal((await ask(tool, isStream)).stop_reason, 'refusal');
      });
    });

  it('is told as it comes', async () => {
    const tool = await openTool(server());
    const call = server().double.script({ pieces: ['one ', 'two ', 'three'], gateAt: 2 });
    let text = '';
    for await (const event of tool.anthropic.messages.stream(ASK)) {
      if (event.type === 'message_start') assert.ok(event.message.usage.input_tokens > 0, 'an estimate');
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text;
      if (text === 'one two ') call.open();
    }
    assert.equal(text, 'one two three');
  });

  it('takes a key as x-api-key and as a Bearer token, and compressed bodies', async () => {
    const tool = await openTool(server());
    const { gzipSync } = await import('node:zlib');
    const secret = tool.headers.authorization!.slice('Bearer '.length);
    const bearer = new Anthropic({ baseURL: server().url, authToken: secret, apiKey: null, maxRetries: 0 });
    for (const client of [tool.anthropic, bearer]) {
      const { data, response, request_id: id } = await client.messages.create(ASK).withResponse();
      assert.equal(data.stop_reason, 'end_turn');
      assert.equal(id, response.headers.get('x-request-id'));
    }
    const zipped = gzipSync(JSON.stringify(ASK));
    assert.equal((await tool.send(zipped, { 'content-encoding': 'gzip' }, '/v1/messages?beta=true')).status, 200);
  });

  describe('by the AI SDK', () => {
    const modelOf = (tool: Tool) => {
      const apiKey = tool.headers.authorization!.slice('Bearer '.length);
      return createAnthropic({ baseURL: `${server().url}/v1`, apiKey })('double');
    };
    const read = toolOf({
      description: 'reads a file',
      inputSchema: z.object({ path: z.string() }),
      execute: async ({ path }) => `text of ${path}`,
    });

    it('runs tools over two turns, with a picture in the prompt', async () => {
      const tool = await openTool(server());
      for (const isStream of [false, true]) {
        server().double.script(CALLS);
        server().double.script({ text: 'All read.' });
        const asked = {
          ...{ model: modelOf(tool), tools: { read }, stopWhen: stepCountIs(3), maxRetries: 0 },
          maxOutputTokens: 1_000,
          messages: [
            {
              role: 'user' as const,
              content: [
                { type: 'text' as const, text: 'Look.' },
                { type: 'image' as const, image: PIXEL, mediaType: 'image/png' },
              ],
            },
          ],
        };
        const { text, steps } = isStream ? streamText(asked) : await generateText(asked);
        assert.equal(await text, 'All read.');
        assert.deepEqual(
          (await steps).map(({ finishReason }) => finishReason),
          ['tool-calls', 'stop'],
        );
        const { messages } = lastBody();
        assert.deepEqual(
          messages.slice(-2).map(({ tool_call_id: id, content }) => [id, content]),
          [
            ['functions.read:0', 'text of a.ts'],
            ['functions.read:1', 'text of b.ts'],
          ],
        );
        assert.ok(JSON.stringify(messages[0]).includes(PIXEL));
      }
      assert.equal(await tool.available(), 996 * C);
    });

    it('tells a cut in mid-stream as an error, never as an end', async () => {
      const tool = await openTool(server());
      server().double.script(FAILURES.diesInMiddle);
      const asked = { prompt: 'Hi', maxOutputTokens: 1_000, maxRetries: 0, onError() {} };
      const types: string[] = [];
      await assert.rejects(async () => {
        const { fullStream } = streamText({ ...asked, model: modelOf(tool) });
        for await (const part of fullStream) {
          types.push(part.type);
          if (part.type === 'error') throw part.error;
        }
      });
      assert.ok(types.includes('text-delta') && !types.includes('finish'), types.join());
      assert.equal(await tool.available(), 1_000 * C);
    });
  });

  describe('is refused as Anthropic’s clients read it, and costs nothing:', () => {
    /** The service's refusals, and whether the SDK would ask again. */
    const rows: [title: string, script: Script, status: number, type: string, message: RegExp, isRetried: boolean][] = [
      ['by a service that is busy', FAILURES.busy('1'), 529, 'overloaded_error', /busy/, true],
      ['by a service that fails', FAILURES.broken, 502, 'api_error', /model service/, true],
      ['by a service that refuses our key', FAILURES.wrongKey, 502, 'api_error', /model service/, false],
      ['by a service that is not paid', FAILURES.noMoney, 502, 'api_error', /model service/, false],
      [
        'by a prompt too long for the service',
        FAILURES.tooLong,
        400,
        'invalid_request_error',
        /^prompt is too long/,
        false,
      ],
      ['by a page instead of an answer', FAILURES.html, 502, 'api_error', /model service/, true],
      [
        'by a request that the service refuses',
        { status: 422, body: { error: { message: 'tools[0] is wrong', type: 'invalid_request_error' } } },
        400,
        'invalid_request_error',
        /.{20}/,
        false,
      ],
    ];
    for (const [title, script, status, type, message, isRetried] of rows)
      it(title, async () => {
        const tool = await openTool(server());
        server().double.usually(script);
        const { count, fetch } = counted();
        // Without a try that the SDK would wait for.
        const client = tool.anthropic.withOptions({ maxRetries: isRetried ? 0 : 2, fetch });
        const error = await refusalOf(client.messages.create({ ...ASK, stream: true }));
        assert.deepEqual([error.status, error.type], [status, type], error.message);
        const body = error.error as { type: string; error: { message: string }; request_id: string };
        assert.match(body.error.message, message);
        assert.deepEqual([body.type, body.request_id], ['error', error.requestID]);
        assert.equal(count(), 1);
        assert.equal(error.headers?.get('x-should-retry'), isRetried ? null : 'false');
        if (status === 529) assert.equal(error.headers?.get('retry-after'), '1');
        assert.equal(await tool.available(), 1_000 * C);
      });

    it('a key that nobody knows: one try', async () => {
      const { count, fetch } = counted();
      for (const apiKey of ['sk-ant-123', `pgk_${'a'.repeat(43)}`]) {
        const client = new Anthropic({ baseURL: server().url, apiKey, authToken: null, maxRetries: 2, fetch });
        const error = await refusalOf(client.messages.create(ASK));
        assert.deepEqual([error.status, error.type], [401, 'authentication_error']);
        assert.ok(!error.message.includes(apiKey));
      }
      assert.equal(count(), 2);
    });

    it('credits that are spent: one try', async () => {
      const tool = await openTool(server(), { credits: 0 });
      const { count, fetch } = counted();
      const error = await refusalOf(tool.anthropic.withOptions({ maxRetries: 2, fetch }).messages.create(ASK));
      assert.deepEqual([error.status, error.type, count()], [402, 'billing_error', 1]);
      assert.equal(error.headers?.get('x-should-retry'), 'false');
    });

    it('a key that has spent its month, or may not use the model', async () => {
      const capped = await openTool(server(), { monthlyMicro: C });
      await capped.anthropic.messages.create(ASK);
      assert.equal((await refusalOf(capped.anthropic.messages.create(ASK))).type, 'billing_error');
      const other = await openTool(server(), { models: ['something-else'] });
      const error = await refusalOf(other.anthropic.messages.create(ASK));
      assert.deepEqual([error.status, error.type], [404, 'not_found_error']);
    });

    it('a conversation that is too long, with the words and numbers after which clients make a summary', async () => {
      const tool = await openTool(server());
      const long = [{ role: 'user' as const, content: 'word '.repeat(200_000) }];
      const error = await refusalOf(tool.anthropic.messages.create({ ...ASK, messages: long }));
      assert.deepEqual([error.status, error.type], [400, 'invalid_request_error']);
      const [, tokens, limit] = /prompt is too long: (\d+) tokens > (\d+) maximum/.exec(error.message) ?? [];
      assert.ok(Number(tokens) > Number(limit), error.message);
      const { input_tokens: counted } = await tool.anthropic.messages.countTokens({ model: 'double', messages: long });
      assert.equal(counted, Number(tokens));
    });
  });

  for (const end of ['destroy', 'eof', 'error', 'malformed', 'half an event'] as const)
    it(`that breaks off in mid-stream (${end}) rejects at the SDK, and costs nothing`, async () => {
      const tool = await openTool(server());
      server().double.script({ pieces: ['It ', 'was '], end });
      const stream = tool.anthropic.messages.stream(ASK);
      const types: string[] = [];
      stream.on('streamEvent', ({ type }) => void types.push(type));
      const error = await refusalOf(stream.finalMessage());
      assert.match(error.message, /model service/);
      assert.ok(types.includes('content_block_delta') && !types.includes('message_stop'), types.join());
      assert.equal(await tool.available(), 1_000 * C);
      assert.equal((await tool.log())[0]?.kind, 'not_charged');
    });

  it('counts tokens with tools and pictures, for nothing, and only for a key', async () => {
    const tool = await openTool(server(), { credits: 0 });
    const count = async (more: object) =>
      (await tool.anthropic.messages.countTokens({ model: 'double', messages: ASK.messages, ...more })).input_tokens;
    const plain = await count({});
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } };
    assert.ok(plain > 0);
    assert.ok((await count({ tools: [READ] })) > plain + 10);
    assert.ok((await count({ system: 'Be very kind to each of us.' })) > plain + 5);
    assert.ok((await count({ messages: [{ role: 'user', content: [picture] }] })) > plain + 50);
    const sent = server().double.bill.length;
    const stranger = new Anthropic({ baseURL: server().url, apiKey: 'pgk_x', authToken: null, maxRetries: 0 });
    const error = await refusalOf(stranger.messages.countTokens({ model: 'double', messages: ASK.messages }));
    assert.equal(error.type, 'authentication_error');
    assert.equal(server().double.bill.length, sent);
    assert.deepEqual(await tool.log(), []);
  });
});
