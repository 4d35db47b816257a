import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import type OpenAI from 'openai';
import { audit } from '../../../server/credits/audit/audit.ts';
import { NativeAnswer } from '../../../server/gateway/calls/nativeAnswer.ts';
import { NATIVE_RESPONSES } from '../../../server/gateway/dialects/native/responses.ts';
import { Router } from '../../../server/gateway/routing/router.ts';
import { problemOf } from '../../../server/gateway/runs/receive.ts';
import { NOTHING_USED } from '../../../server/gateway/runs/runs.ts';
import type { NativeName } from '../../../server/gateway/stream.ts';
import { nativeUpstream } from '../../../server/gateway/upstreams/native.ts';
import { systemClock } from '../../../server/platform/system.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { openTool } from '../../support/tools.ts';

/** A service that speaks one dialect: it answers with these events, or with this status and body. */
class NativeService {
  readonly seen: { path: string; headers: IncomingHttpHeaders; body: Record<string, unknown> }[] = [];
  answer: {
    events?: object[];
    /** Behind the events, in the same packet. */
    rest?: string;
    whole?: object;
    status?: number;
    headers?: Record<string, string>;
    cut?: boolean;
    hang?: boolean;
  } = {};
  readonly #server: Server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    if (request.method === 'GET') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ data: [{ id: 'their-model' }] }));
      return;
    }
    const body = JSON.parse(Buffer.concat(pieces).toString());
    this.seen.push({ path: request.url!, headers: request.headers, body });
    const { events = [], rest = '', whole, status = 200, headers = {}, cut, hang } = this.answer;
    response.writeHead(status, { 'content-type': whole ? 'application/json' : 'text/event-stream', ...headers });
    if (whole) return response.end(JSON.stringify(whole));
    const frames = events.map(
      (event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`,
    );
    response.write(frames.join('') + rest);
    if (hang) return;
    if (cut) setImmediate(() => response.destroy());
    else response.end();
  });

  async start(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const MILLION = 1_000_000;
const PRICE = {
  mode: 'tokens' as const,
  inputMicro: 10 * MILLION,
  cachedInputMicro: MILLION,
  outputMicro: 100 * MILLION,
};

function suite(dialect: NativeName, body: (at: { service: () => NativeService; server: () => TestServer }) => void) {
  describe(`a service that speaks ${dialect} itself`, () => {
    let service: NativeService;
    let server: TestServer;
    before(async () => {
      service = await new NativeService().start();
      const upstream = nativeUpstream({ url: service.url, key: 'their-key', dialect, timeouts: { idleMs: 2_000 } });
      const models = new Map([
        ['double', 'their-model'],
        ['long', 'their-model'],
      ]);
      server = await startServer('sqlite', {
        upstream: new Router({
          services: [{ id: 'own', weight: 1, dialect, models, upstream }],
          clock: systemClock,
          log: { warn() {} },
        }),
        policy: (policy) => {
          const model = { contextTokens: 100_000, price: PRICE };
          policy.models = [
            { ...model, id: 'double', maxOutputTokens: 1_000 },
            { ...model, id: 'long', maxOutputTokens: 4_000 },
          ];
        },
      });
    });
    beforeEach(() => {
      service.seen.length = 0;
    });
    after(async () => {
      assert.deepEqual(await audit(server.db.read, server.clock.now(), 0), []);
      await server.stop();
      service.stop();
    });
    body({ service: () => service, server: () => server });
  });
}

const MESSAGE = {
  ...{ id: 'msg_theirs', type: 'message', role: 'assistant', model: 'their-model', content: [] },
  ...{ stop_reason: null, stop_sequence: null },
  usage: { input_tokens: 100, cache_creation_input_tokens: 20, cache_read_input_tokens: 200, output_tokens: 1 },
};
const THEIRS = [
  { type: 'message_start', message: MESSAGE },
  { type: 'ping' },
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Let me see.' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'c2lnbmVk' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Good day.' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 50 } },
  { type: 'message_stop' },
];

suite('messages', ({ service, server }) => {
  const open = async () => {
    const tool = await openTool(server());
    const apiKey = tool.headers.authorization!.slice('Bearer '.length);
    return { tool, client: new Anthropic({ baseURL: server().url, apiKey, maxRetries: 0 }) };
  };
  const ASK = { model: 'double', max_tokens: 500, messages: [{ role: 'user' as const, content: 'Hi' }] };

  it('answers Anthropic’s client as it is: signatures and all, under our name of the model, charged by its count', async () => {
    const { tool, client } = await open();
    service().answer = { events: THEIRS };
    const before = await tool.available();
    const message = await client.messages.stream(ASK).finalMessage();
    assert.deepEqual(message.content, [
      { type: 'thinking', thinking: 'Let me see.', signature: 'c2lnbmVk' },
      { type: 'text', text: 'Good day.' },
    ]);
    assert.deepEqual([message.id, message.model, message.stop_reason], ['msg_theirs', 'double', 'end_turn']);
    // 120 tokens in, 200 of the cache, 50 out.
    assert.equal(before - (await tool.available()), 120 * 10 + 200 * 1 + 50 * 100);
    const { path, headers, body } = service().seen[0]!;
    assert.deepEqual([path, headers['x-api-key'], headers.authorization], ['/v1/messages', 'their-key', undefined]);
    assert.ok(headers['anthropic-version']);
    assert.deepEqual([body.model, body.max_tokens, body.stream], ['their-model', 500, true]);
  });

  it('gets what it alone understands, and nothing that it would bill beside tokens or refuse', async () => {
    const { tool, client } = await open();
    service().answer = { whole: { ...MESSAGE, content: [{ type: 'text', text: 'Yes.' }], stop_reason: 'end_turn' } };
    const message = await client.messages.create({
      ...ASK,
      thinking: { type: 'enabled', budget_tokens: 100 },
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      tools: [
        { name: 'read', input_schema: { type: 'object' }, cache_control: { type: 'ephemeral' } },
        { type: 'web_search_20250305', name: 'web_search' },
      ],
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Ours.', signature: '' },
            { type: 'text', text: 'Hello.' },
          ],
        },
        { role: 'user', content: 'Go on' },
      ],
    });
    assert.deepEqual(message.content, [{ type: 'text', text: 'Yes.' }]);
    assert.equal(message.model, 'double');
    const { body } = service().seen[0]!;
    assert.deepEqual(body.thinking, { type: 'enabled', budget_tokens: 100 });
    assert.deepEqual(body.system, [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }]);
    assert.deepEqual(
      (body.tools as { name: string }[]).map(({ name }) => name),
      ['read'],
    );
    assert.deepEqual((body.messages as { content: unknown }[])[1]!.content, [{ type: 'text', text: 'Hello.' }]);
    assert.equal((await tool.log())[0]?.kind, 'charge');
  });

  const BAD: [what: string, answer: NativeService['answer'], status: number | undefined][] = [
    [
      'is overloaded',
      { status: 529, whole: { type: 'error', error: { type: 'overloaded_error', message: 'x' } } },
      529,
    ],
    [
      'refuses the operator’s key',
      { status: 401, whole: { type: 'error', error: { type: 'authentication_error', message: 'x' } } },
      502,
    ],
    [
      'says an error in mid-stream',
      { events: [...THEIRS.slice(0, 8), { type: 'error', error: { type: 'overloaded_error', message: 'x' } }] },
      undefined,
    ],
    ['breaks off', { events: THEIRS.slice(0, 8), cut: true }, undefined],
    ['ends without its last event', { events: THEIRS.slice(0, 9) }, undefined],
    ['says nothing at all', { events: [] }, 502],
  ];
  for (const [what, answer, status] of BAD)
    it(`that ${what} is a failure for the client, and free`, async () => {
      const { tool, client } = await open();
      service().answer = answer;
      const before = await tool.available();
      const failure = await client.messages
        .stream(ASK)
        .finalMessage()
        .catch((error: unknown) => error);
      assert.ok(failure instanceof Anthropic.APIError || failure instanceof Anthropic.AnthropicError, String(failure));
      if (status !== undefined) assert.equal((failure as { status?: number }).status, status);
      assert.doesNotMatch(String(failure), /their-key/);
      assert.equal(await tool.available(), before);
    });

  it('gets nothing that nobody counted: no betas, hosted tools, blocks, edits or fields that cost beside the hold', async () => {
    const { tool } = await open();
    service().answer = { whole: { ...MESSAGE, content: [{ type: 'text', text: 'Yes.' }], stop_reason: 'end_turn' } };
    const send = {
      ...ASK,
      messages: [
        { role: 'user', content: 'half \ud83d' },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Hm.' },
            { type: 'mcp_tool_result', tool_use_id: 'x', content: 'word '.repeat(1_000) },
          ],
        },
        { role: 'user', content: 'Hi' },
      ],
      tools: [{ name: 'read', input_schema: { type: 'object' }, input_examples: [{ path: 'word '.repeat(1_000) }] }],
      context_management: { edits: [{ type: 'compact_20260112' }, { type: 'clear_tool_uses_20250919' }] },
      compaction: { enabled: true },
    };
    const response = await fetch(`${server().url}/v1/messages`, {
      method: 'POST',
      headers: {
        ...tool.headers,
        'content-type': 'application/json',
        'anthropic-beta': 'context-1m-2025-08-07, interleaved-thinking-2025-05-14,compact-2026-01-12',
      },
      body: JSON.stringify(send),
    });
    assert.equal(response.status, 200, await response.text());
    const { headers, body } = service().seen[0]!;
    assert.deepEqual(
      [headers['anthropic-beta'], headers['anthropic-version']],
      ['interleaved-thinking-2025-05-14', '2023-06-01'],
    );
    assert.deepEqual(body.context_management, { edits: [{ type: 'clear_tool_uses_20250919' }] });
    assert.deepEqual(Object.keys(body).sort(), ['context_management', 'max_tokens', 'messages', 'model', 'tools']);
    assert.doesNotMatch(JSON.stringify(body), /word word|ud83d/);
  });

  it('has its input in the books as it counted it, also where the client leaves in the middle', async () => {
    const { tool, client } = await open();
    service().answer = { events: THEIRS.slice(0, 8), hang: true };
    const before = await tool.available();
    const stream = client.messages.stream(ASK);
    stream.on('text', () => stream.abort());
    await stream.finalMessage().catch(() => {});
    while ((await tool.log()).length < 2) await new Promise((later) => setImmediate(later));
    const [line] = await tool.log();
    assert.deepEqual([line!.kind, line!.input_tokens, line!.cached_input_tokens], ['charge', 320, 200]);
    assert.equal(before - (await tool.available()), -line!.amount);
  });

  it('is counted by what was heard where it reports no output', async () => {
    const { tool, client } = await open();
    const said = THEIRS.map((event) => (event.type === 'message_delta' ? { ...event, usage: {} } : event));
    service().answer = { events: said };
    await client.messages.stream(ASK).finalMessage();
    const [line] = await tool.log();
    assert.ok(line!.output_tokens! > 3, JSON.stringify(line));
    assert.equal(line!.estimated, 1);
  });

  it('shows nobody the raw error of a service', async () => {
    const { client } = await open();
    const rest = 'event: error\ndata: {"message":"Bad key sk-ant-their-key at http://10.0.0.3"}\n\n';
    service().answer = { events: THEIRS.slice(0, 8), rest };
    const failure = await client.messages
      .stream(ASK)
      .finalMessage()
      .catch((error: unknown) => error);
    assert.ok(failure instanceof Anthropic.APIError, String(failure));
    assert.doesNotMatch(String(failure), /their-key|10\.0\.0/);
  });

  it('has no budget of thoughts beyond its limit, or no thoughts at all where no budget is left', async () => {
    const rows: [asked: number, budget: number, thinking: object][] = [
      [1_000, 999, { type: 'enabled', budget_tokens: 999 }],
      [1_000, 1_000, { type: 'disabled' }],
      [3_000, 2_048, { type: 'enabled', budget_tokens: 2_048 }],
      // The model writes 4,000 at most, whatever its client asks for.
      [64_000, 32_000, { type: 'enabled', budget_tokens: 3_999 }],
      [1, 1_000_000, { type: 'disabled' }],
    ];
    const { client } = await open();
    service().answer = { whole: { ...MESSAGE, content: [{ type: 'text', text: 'Yes.' }], stop_reason: 'end_turn' } };
    const context_management = { edits: [{ type: 'clear_thinking_20251015' }, { type: 'clear_tool_uses_20250919' }] };
    for (const [max_tokens, budget_tokens, thinking] of rows) {
      const thought = { type: 'enabled' as const, budget_tokens };
      const more = { context_management } as object;
      const send = { ...ASK, model: 'long', max_tokens, thinking: thought, ...more };
      await client.messages.create(send, { timeout: 10_000 });
      const { body } = service().seen.at(-1)!;
      assert.deepEqual([body.thinking, body.max_tokens], [thinking, Math.min(max_tokens, 4_000)]);
      const edits = (body.context_management as typeof context_management).edits.map(({ type }) => type);
      const isThoughtless = (thinking as { type: string }).type === 'disabled';
      assert.deepEqual(edits.length, isThoughtless ? 1 : 2, edits.join());
    }
  });

  it('keeps its cache for five minutes, whatever is asked for: an hour has another price', async () => {
    const { tool } = await open();
    service().answer = { whole: { ...MESSAGE, content: [{ type: 'text', text: 'Yes.' }], stop_reason: 'end_turn' } };
    const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } };
    const minutes = { cache_control: { type: 'ephemeral', ttl: '5m' } };
    const shown = { cache_control: { type: 'ephemeral' } };
    const image = { type: 'image', source: { type: 'url', url: 'https://t.example/a.png' } };
    const read = { name: 'read', input_schema: { type: 'object' } };
    const write = { ...read, name: 'write' };
    const use = { type: 'tool_use', id: 'a', name: 'read', input: { cache_control: { ttl: '1h' } } };
    const result = (hint: object) => ({
      type: 'tool_result',
      tool_use_id: 'a',
      content: [{ ...image, ...hint }],
      ...hint,
    });
    const send = {
      ...ASK,
      system: [{ type: 'text', text: 'Be brief.', ...hour }],
      tools: [
        { ...read, ...hour },
        { ...write, ...minutes },
      ],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hi', ...hour }] },
        { role: 'assistant', content: [use] },
        { role: 'user', content: [result(hour)] },
      ],
    };
    const { status, headers, text } = await tool.send(send, {}, '/v1/messages');
    assert.equal(status, 200, text);
    assert.match(headers.get('x-perigee-left-out')!, /cache_control/);
    const { body } = service().seen[0]!;
    assert.deepEqual(body.system, [{ type: 'text', text: 'Be brief.', ...shown }]);
    assert.deepEqual(body.tools, [
      { ...read, ...shown },
      { ...write, ...minutes },
    ]);
    assert.deepEqual(body.messages, [
      { role: 'user', content: [{ type: 'text', text: 'Hi', ...shown }] },
      // The arguments of a call are its own.
      { role: 'assistant', content: [use] },
      { role: 'user', content: [result(shown)] },
    ]);
  });

  it('gets an earlier call whose model wrote no JSON as an object, which it takes', async () => {
    const { client } = await open();
    service().answer = { whole: { ...MESSAGE, content: [{ type: 'text', text: 'Yes.' }], stop_reason: 'end_turn' } };
    const call = (id: string, input: unknown) => ({ type: 'tool_use' as const, id, name: 'read', input });
    const calls = [call('a', { path: 'x' }), call('b', '{"path": "x'), call('c', [1])];
    const results = calls.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'no' }));
    await client.messages.create({
      ...ASK,
      tools: [{ name: 'read', input_schema: { type: 'object' } }],
      messages: [...ASK.messages, { role: 'assistant', content: calls }, { role: 'user', content: results }],
    });
    const sent = (service().seen[0]!.body.messages as { content: { input: unknown }[] }[])[1]!.content;
    assert.deepEqual(
      sent.map(({ input }) => input),
      [{ path: 'x' }, { INVALID_JSON: '{"path": "x' }, { INVALID_JSON: '[1]' }],
    );
  });

  it('that writes beyond the limit is cut off there, and ends for its client as an answer that reached it', async () => {
    const { tool, client } = await open();
    const more = {
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'thinking_delta', thinking: 'Hm, so be it. ' },
    };
    service().answer = { events: [...THEIRS.slice(0, 4), ...Array(2_000).fill(more)], hang: true };
    const message = await client.messages.stream({ ...ASK, max_tokens: 1 }).finalMessage();
    assert.deepEqual([message.stop_reason, message.content[0]?.type], ['max_tokens', 'thinking']);
    assert.equal((await tool.log())[0]?.kind, 'charge');
  });

  it('that writes without an opening fails in the dialect’s own words', async () => {
    const { tool } = await open();
    const more = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hm, so be it. ' } };
    service().answer = { events: Array(2_000).fill(more), hang: true };
    const { text } = await tool
      .send({ ...ASK, max_tokens: 1, stream: true }, {}, '/v1/messages')
      .catch((error) => error);
    if (text !== undefined) assert.match(text, /event: error\ndata: \{"type":"error"/);
  });

  it('answers no chat completions and no other dialect, and says which one', async () => {
    const { tool } = await open();
    const body = { model: 'double', messages: [{ role: 'user', content: 'Hi' }], input: 'Hi' };
    for (const path of ['/v1/chat/completions', '/v1/responses']) {
      const { messages: _, ...responses } = body;
      const { status, text, headers } = await tool.send(path === '/v1/responses' ? responses : body, {}, path);
      assert.deepEqual([status, headers.get('x-should-retry')], [404, 'false'], text);
      assert.match(text, /\\"double\\" answers only the tools that call \/v1\/messages\. Nothing was started\./);
    }
    assert.equal(service().seen.length, 0);
  });
});

const RESPONSE = {
  ...{ id: 'resp_theirs', object: 'response', created_at: 1, status: 'in_progress', model: 'their-model', output: [] },
  ...{ error: null, incomplete_details: null, tools: [], tool_choice: 'auto', parallel_tool_calls: true },
};
const ITEM = {
  ...{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' },
  content: [{ type: 'output_text', text: 'Good day.', annotations: [] }],
};
const DONE = {
  ...RESPONSE,
  ...{ status: 'completed', output: [ITEM] },
  usage: {
    ...{ input_tokens: 300, output_tokens: 50, total_tokens: 350 },
    input_tokens_details: { cached_tokens: 200 },
    output_tokens_details: { reasoning_tokens: 10 },
  },
};
const part = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const EVENTS = [
  { type: 'response.created', response: RESPONSE },
  { type: 'response.in_progress', response: RESPONSE },
  { type: 'response.output_item.added', output_index: 0, item: { ...ITEM, status: 'in_progress', content: [] } },
  { type: 'response.content_part.added', ...part, part: { type: 'output_text', text: '', annotations: [] } },
  { type: 'response.output_text.delta', ...part, delta: 'Good day.', logprobs: [] },
  { type: 'response.output_text.done', ...part, text: 'Good day.', logprobs: [] },
  { type: 'response.content_part.done', ...part, part: ITEM.content[0] },
  { type: 'response.output_item.done', output_index: 0, item: ITEM },
  { type: 'response.completed', response: DONE },
].map((event, i) => ({ ...event, sequence_number: i }));

suite('responses', ({ service, server }) => {
  const open = async () => {
    const tool = await openTool(server());
    return { tool, client: tool.openai as OpenAI };
  };
  const ASK = { model: 'double', input: 'Hi', max_output_tokens: 500 };

  it('answers OpenAI’s client as it is, under our name of the model, charged by its count', async () => {
    const { tool, client } = await open();
    service().answer = { events: EVENTS };
    const before = await tool.available();
    const response = await client.responses.stream(ASK).finalResponse();
    assert.deepEqual([response.id, response.model, response.output_text], ['resp_theirs', 'double', 'Good day.']);
    assert.equal(before - (await tool.available()), 100 * 10 + 200 * 1 + 50 * 100);
    const { path, headers, body } = service().seen[0]!;
    assert.deepEqual(
      [path, headers.authorization, headers['x-api-key']],
      ['/v1/responses', 'Bearer their-key', undefined],
    );
    assert.deepEqual([body.model, body.max_output_tokens, body.store], ['their-model', 500, false]);
  });

  it('is whole, whatever follows its last event in the same packet', async () => {
    const { tool, client } = await open();
    service().answer = { events: EVENTS, rest: 'data: [DONE]\n\ndata: {nonsense\n\n' };
    const response = await client.responses.stream(ASK).finalResponse();
    assert.equal(response.output_text, 'Good day.');
    assert.equal((await tool.log())[0]?.kind, 'charge');
  });

  it('gets no tool, item or field that it would bill beside tokens', async () => {
    const { tool } = await open();
    service().answer = { whole: DONE };
    const hosted = [{ type: 'web_search' }, { type: 'code_interpreter', container: { type: 'auto' } }];
    const own = { type: 'function', name: 'read', parameters: { type: 'object' } };
    const { status, text } = await tool.send(
      {
        ...ASK,
        input: [
          { type: 'mcp_call', id: 'm', name: 'x', server_label: 's', arguments: '{}', output: 'word '.repeat(1_000) },
          { role: 'user', content: 'Hi' },
        ],
        tools: [...hosted, own, { type: 'namespace', name: 'ns', tools: [...hosted, { ...own, name: 'write' }] }],
        search_parameters: { mode: 'auto' },
        max_tokens: 999_999,
      },
      {},
      '/v1/responses',
    );
    assert.equal(status, 200, text);
    const { body } = service().seen[0]!;
    assert.deepEqual(body.tools, [own, { type: 'namespace', name: 'ns', tools: [{ ...own, name: 'write' }] }]);
    assert.deepEqual(body.input, [{ role: 'user', content: 'Hi' }]);
    assert.deepEqual(Object.keys(body).sort(), ['input', 'max_output_tokens', 'model', 'store', 'tools']);
  });

  it('goes on under the id and the numbers of the sign of life before it', () => {
    const answer = new NativeAnswer(NATIVE_RESPONSES, 'double', { id: 'resp_ours', events: 2 });
    const frames = answer.take(structuredClone(EVENTS)) + answer.end(NOTHING_USED);
    const events = frames.split('\n').flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []));
    assert.deepEqual(
      events.map(({ sequence_number }) => sequence_number),
      [2, 3, 4, 5, 6, 7, 8],
    );
    assert.equal(events.at(-1).response.id, 'resp_ours');
    const failing = new NativeAnswer(NATIVE_RESPONSES, 'double', { id: 'resp_ours', events: 2 });
    failing.take(structuredClone(EVENTS.slice(0, 5)));
    const run = { id: 'x', kind: 'call' } as never;
    const failed = failing.fail(problemOf({ run } as never, 'upstream_failed', 'It broke.', false))!;
    assert.match(failed, /^event: response\.failed\n.*"sequence_number":5,"response":\{"id":"resp_ours"/s);
  });

  it('that writes beyond the limit is cut off there, and ends for its client as an answer that reached it', async () => {
    const { tool, client } = await open();
    const delta = { ...EVENTS[4]!, delta: 'Hm, so be it. ' };
    const more = Array.from({ length: 2_000 }, (_, i) => ({ ...delta, sequence_number: 5 + i }));
    service().answer = { events: [...EVENTS.slice(0, 5), ...more], hang: true };
    const events: { type: string; sequence_number: number; response?: Record<string, unknown> }[] = [];
    for await (const event of await client.responses.create({ ...ASK, max_output_tokens: 1, stream: true }))
      events.push(event as never);
    const last = events.at(-1)!;
    assert.equal(last.type, 'response.incomplete');
    assert.equal(last.sequence_number, events.length - 1);
    const { id, status, incomplete_details } = last.response!;
    assert.deepEqual([id, status, incomplete_details], ['resp_theirs', 'incomplete', { reason: 'max_output_tokens' }]);
    assert.equal((await tool.log())[0]?.kind, 'charge');
  });

  it('answers in one piece, too', async () => {
    const { client } = await open();
    service().answer = { whole: DONE };
    const response = await client.responses.create(ASK);
    assert.deepEqual(
      [response.model, response.output_text, response.usage?.output_tokens],
      ['double', 'Good day.', 50],
    );
  });

  it('that fails in mid-stream fails under the same response id', async () => {
    const { tool, client } = await open();
    const before = await tool.available();
    const error = { type: 'error', code: 'server_error', message: 'x', sequence_number: 5 };
    service().answer = { events: [...EVENTS.slice(0, 5), error] };
    const events: { type: string; response?: { id: string; status?: string } }[] = [];
    const read = async () => {
      for await (const event of await client.responses.create({ ...ASK, stream: true })) events.push(event as never);
    };
    await read().catch(() => {});
    const last = events.at(-1)!;
    assert.deepEqual(
      [last.type, last.response?.id, last.response?.status],
      ['response.failed', 'resp_theirs', 'failed'],
    );
    assert.equal(await tool.available(), before);
  });
});
