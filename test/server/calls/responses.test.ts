import assert from 'node:assert/strict';
import OpenAI, { type APIError } from 'openai';
import type {
  FunctionTool,
  Response as OpenAiResponse,
  ResponseCreateParamsNonStreaming,
  ResponseInputItem,
} from 'openai/resources/responses/responses';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { FAILURES, type Script } from '../../doubles/script.ts';
import { onBothEngines } from '../../support/engines.ts';
import { counted, openTool, type Tool } from '../../support/tools.ts';

const C = MICRO_PER_CREDIT;
const ASK: ResponseCreateParamsNonStreaming = { model: 'double', input: 'Hi' };
const READ: FunctionTool = {
  ...{ type: 'function', name: 'read', strict: false },
  parameters: { type: 'object', properties: { path: { type: 'string' } } },
};
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
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

onBothEngines('a call of OpenAI’s Responses', (server) => {
  /** Asks by the SDK, streamed or in one piece. */
  const ask = (
    tool: Tool,
    isStream: boolean,
    more: Partial<ResponseCreateParamsNonStreaming> = {},
  ): Promise<OpenAiResponse> =>
    isStream
      ? tool.openai.responses.stream({ ...ASK, ...more } as never).finalResponse()
      : tool.openai.responses.create({ ...ASK, ...more });
  const lastBody = () => server().double.bill.at(-1)!.body as { messages: Record<string, unknown>[] };
  const typesOf = (response: OpenAiResponse) => response.output.map(({ type }) => type);

  for (const isStream of [false, true])
    describe(isStream ? 'by the SDK, streamed' : 'by the SDK', () => {
      it('is answered with text and usage, charged once, and named in the token log', async () => {
        const tool = await openTool(server());
        server().double.script({ text: 'Good day to you.' });
        const answer = await ask(tool, isStream, { instructions: 'Be kind.' });
        assert.equal(answer.output_text, 'Good day to you.');
        assert.deepEqual([answer.status, answer.model], ['completed', 'double']);
        assert.equal((answer as { store?: unknown }).store, false);
        assert.deepEqual(lastBody().messages, [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Hi' },
        ]);
        assert.equal(await tool.available(), 999 * C);
        const [line] = await tool.log();
        assert.deepEqual(
          [line?.kind, line?.amount, line?.tool, line?.output_tokens, line?.input_tokens],
          ['charge', -C, 'OpenAI SDK', 4, answer.usage!.input_tokens],
        );
        assert.equal(answer.usage!.output_tokens, 4);
      });

      it('brings calls back in parallel, and their results and pictures to the service under its own ids', async () => {
        const tool = await openTool(server());
        server().double.script(CALLS);
        const first = await ask(tool, isStream, { tools: [READ] });
        assert.deepEqual(typesOf(first), ['message', 'function_call', 'function_call']);
        const calls = first.output.filter((item) => item.type === 'function_call');
        assert.deepEqual(
          calls.map(({ call_id: id, name, arguments: args }) => [id, name, args]),
          [
            ['functions.read:0', 'read', '{"path":"a.ts"}'],
            ['functions.read:1', 'read', '{"path":"b.ts"}'],
          ],
        );
        const input: ResponseInputItem[] = [
          { role: 'user', content: 'Hi' },
          ...(first.output as ResponseInputItem[]),
          { type: 'function_call_output', call_id: calls[0]!.call_id, output: 'export const a = 1' },
          {
            type: 'function_call_output',
            call_id: calls[1]!.call_id,
            output: [{ type: 'input_image', image_url: PIXEL, detail: 'auto' }],
          },
          { role: 'user', content: 'Go on.' },
        ];
        await ask(tool, isStream, { tools: [READ], input });
        const [, assistant, ...rest] = lastBody().messages;
        assert.equal(assistant!.content, 'So. ');
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
            ['tool', 'functions.read:0'],
            ['tool', 'functions.read:1'],
            // The picture, because services take none from a tool.
            ['user', undefined],
            ['user', undefined],
          ],
        );
        assert.ok(JSON.stringify(rest[2]).includes(PIXEL));
      });

      it('shows reasoning, and gives it back to the service with the next turn, encrypted or not', async () => {
        const tool = await openTool(server());
        for (const include of [[], ['reasoning.encrypted_content' as const]]) {
          server().double.script({ ...CALLS, thoughts: ['Let me ', 'see.'] });
          const first = await ask(tool, isStream, { tools: [READ], include });
          const [item] = first.output;
          assert.ok(item?.type === 'reasoning');
          assert.deepEqual(item.summary, [{ type: 'summary_text', text: 'Let me see.' }]);
          // Clients that keep no text return the encrypted content alone.
          const kept = item.encrypted_content ? { ...item, summary: [] } : item;
          const input = [{ role: 'user', content: 'Hi' }, kept, ...first.output.slice(1)] as ResponseInputItem[];
          await ask(tool, isStream, { tools: [READ], input });
          assert.equal(lastBody().messages[1]!.reasoning_content, 'Let me see.');
        }
      });

      it('says why it is incomplete', async () => {
        const tool = await openTool(server());
        server().double.script({ text: 'One two three four five.' });
        const cut = await ask(tool, isStream, { max_output_tokens: 3 });
        assert.deepEqual([cut.status, cut.incomplete_details?.reason], ['incomplete', 'max_output_tokens']);
        assert.equal(lastBody().messages.length, 1);
        server().double.script(FAILURES.refusal);
        const refused = await ask(tool, isStream);
        assert.deepEqual([refused.status, refused.incomplete_details?.reason], ['incomplete', 'content_filter']);
      });
    });

  it('is told as it comes, each event with its number, and by the items of its end', async () => {
    const tool = await openTool(server());
    const call = server().double.script({ pieces: ['one ', 'two ', 'three'], gateAt: 2 });
    let text = '';
    let next = 0;
    const done: unknown[] = [];
    for await (const event of await tool.openai.responses.create({ ...ASK, stream: true })) {
      assert.equal(event.sequence_number, next++);
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.output_item.done') done.push(event.item);
      if (event.type === 'response.completed') assert.deepEqual(event.response.output, done);
      if (text === 'one two ') call.open();
    }
    assert.equal(text, 'one two three');
  });

  describe('is refused as OpenAI’s clients read it, and costs nothing:', () => {
    /** The service's refusals, and whether the SDK would ask again. */
    const rows: [title: string, script: Script, status: number, code: string, isRetried: boolean][] = [
      ['by a service that is busy', FAILURES.busy('1'), 503, 'upstream_busy', true],
      ['by a service that fails', FAILURES.broken, 502, 'upstream_failed', true],
      ['by a service that refuses our key', FAILURES.wrongKey, 502, 'upstream_refused', false],
      ['by a service that is not paid', FAILURES.noMoney, 502, 'upstream_refused', false],
      ['by a prompt too long for the service', FAILURES.tooLong, 400, 'context_length_exceeded', false],
      ['by a page instead of an answer', FAILURES.html, 502, 'upstream_malformed', true],
    ];
    for (const [title, script, status, code, isRetried] of rows)
      it(title, async () => {
        const tool = await openTool(server());
        server().double.usually(script);
        const { count, fetch } = counted();
        // Without a try that the SDK would wait for.
        const client = tool.openai.withOptions({ maxRetries: isRetried ? 0 : 2, fetch });
        const error = await refusalOf(client.responses.create({ ...ASK, stream: true }));
        assert.deepEqual([error.status, error.code], [status, code], error.message);
        assert.equal(count(), 1);
        assert.equal(error.headers?.get('x-should-retry'), isRetried ? null : 'false');
        if (code === 'upstream_busy') assert.equal(error.headers?.get('retry-after'), '1');
        if (code === 'context_length_exceeded') assert.equal(error.param, 'input');
        assert.equal(await tool.available(), 1_000 * C);
      });

    it('a key that nobody knows: one try', async () => {
      const { count, fetch } = counted();
      const apiKey = `pgk_${'a'.repeat(43)}`;
      const client = new OpenAI({ baseURL: `${server().url}/v1`, apiKey, maxRetries: 2, fetch });
      const error = await refusalOf(client.responses.create(ASK));
      assert.deepEqual([error.status, error.code, count()], [401, 'invalid_api_key', 1]);
      assert.ok(!error.message.includes(apiKey));
    });

    it('credits that are spent, of the account or the key: one try, by the status after which Codex stops', async () => {
      const poor = await openTool(server(), { credits: 0 });
      const capped = await openTool(server(), { monthlyMicro: C });
      await capped.openai.responses.create(ASK);
      for (const tool of [poor, capped]) {
        const { count, fetch } = counted();
        const error = await refusalOf(tool.openai.withOptions({ maxRetries: 2, fetch }).responses.create(ASK));
        assert.deepEqual(
          [error.status, error.code, error.type, count()],
          [429, 'insufficient_quota', 'usage_limit_reached', 1],
        );
        assert.equal(error.headers?.get('x-should-retry'), 'false');
      }
    });

    it('a conversation that is too long', async () => {
      const tool = await openTool(server());
      const error = await refusalOf(tool.openai.responses.create({ ...ASK, input: 'word '.repeat(200_000) }));
      assert.deepEqual([error.status, error.code, error.param], [400, 'context_length_exceeded', 'input']);
    });

    const named: [title: string, more: object, code: string, param: string][] = [
      [
        'what needs a stored answer',
        { previous_response_id: 'resp_1' },
        'previous_response_not_found',
        'previous_response_id',
      ],
      ['work in the background', { background: true }, 'unsupported_parameter', 'background'],
      ['a model that is not here', { model: 'gpt-9' }, 'model_not_found', 'model'],
      ['another price', { service_tier: 'priority' }, 'unsupported_value', 'service_tier'],
    ];
    for (const [title, more, code, param] of named)
      it(title, async () => {
        const tool = await openTool(server());
        const error = await refusalOf(tool.openai.responses.create({ ...ASK, ...more } as never));
        assert.deepEqual([error.code, error.param], [code, param], error.message);
      });
  });

  for (const end of ['destroy', 'eof', 'error', 'malformed', 'half an event'] as const)
    it(`that breaks off in mid-stream (${end}) is no whole answer at the SDK, and costs nothing`, async () => {
      const tool = await openTool(server());
      server().double.script({ ...CALLS, end });
      let created: string | undefined;
      const types: string[] = [];
      await assert.rejects(async () => {
        for await (const event of await tool.openai.responses.create({ ...ASK, tools: [READ], stream: true })) {
          types.push(event.type);
          if (event.type === 'response.created') created = event.response.id;
          if (event.type !== 'response.failed') continue;
          assert.deepEqual([event.response.id, event.response.status], [created, 'failed']);
          assert.match(event.response.error!.message, /model service/);
        }
      });
      assert.ok(types.includes('response.output_text.delta'));
      assert.doesNotMatch(types.join(), /completed|incomplete/);
      assert.equal(await tool.available(), 1_000 * C);
      assert.equal((await tool.log())[0]?.kind, 'not_charged');
    });
});
