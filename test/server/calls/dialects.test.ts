import assert from 'node:assert/strict';
import * as http from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { restore, suspend } from '../../../server/accounts/operator/sanctions.ts';
import { clientId } from '../../../server/gateway/dialects/messages/ids.ts';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import type { Script } from '../../doubles/script.ts';
import { onBothEngines } from '../../support/engines.ts';
import type { TestServer } from '../../support/server.ts';
import { openTool, type Tool } from '../../support/tools.ts';

const C = MICRO_PER_CREDIT;
/** A million tokens cost 1,000 credits in, 100 cached, 4,000 out. */
const PRICE = { mode: 'tokens' as const, inputMicro: 1_000 * C, cachedInputMicro: 100 * C, outputMicro: 4_000 * C };
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SCHEMA = { type: 'object', properties: { path: { type: 'string' } } };
const ID = 'functions.read:0';

/** Any object of JSON. */
type Json = Record<string, ReturnType<typeof JSON.parse>>;

interface Shape {
  path: string;
  /** A request with one text of the user. */
  ask(content: string): Json;
  /** System, text, picture, tool call and result. */
  conversation: Json;
  /** The text, the calls and the count of tokens of an answer in one piece. */
  read(answer: Json): [text: string, calls: [id: string, name: string, args: unknown][], input: number, output: number];
  /** What only a whole stream has. */
  whole: RegExp;
  /** The last event of one that failed. */
  failed: RegExp;
  /** The message of a refusal, from a body that has the whole shape. */
  refusal(body: Json): string;
}

const openAiRefusal = ({ error, ...more }: Json): string => {
  assert.deepEqual([Object.keys(error).sort(), more], [['code', 'message', 'param', 'type'], {}]);
  return error.message;
};

const CHAT: Shape = {
  path: '/v1/chat/completions',
  ask: (content) => ({ model: 'double', messages: [{ role: 'user', content }] }),
  conversation: {
    ...{ model: 'double', max_completion_tokens: 500, temperature: 0.5, tool_choice: 'auto' },
    tools: [{ type: 'function', function: { name: 'read', description: 'reads', parameters: SCHEMA, strict: false } }],
    messages: [
      { role: 'system', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look.' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
        ],
      },
      {
        role: 'assistant',
        content: 'So.',
        tool_calls: [{ id: ID, type: 'function', function: { name: 'read', arguments: '{"path":"a.ts"}' } }],
      },
      { role: 'tool', tool_call_id: ID, content: 'text of a.ts' },
      { role: 'user', content: 'Go on.' },
    ],
  },
  read: ({ choices: [{ message }], usage }) => [
    message.content,
    message.tool_calls.map((call: Json) => [call.id, call.function.name, JSON.parse(call.function.arguments)]),
    usage.prompt_tokens,
    usage.completion_tokens,
  ],
  whole: /\[DONE\]|"finish_reason":"/,
  failed: /^data: \{"error":\{"message":"[^"]{20,}/,
  refusal: openAiRefusal,
};

const MESSAGES: Shape = {
  path: '/v1/messages',
  ask: (content) => ({ model: 'double', max_tokens: 4_000, messages: [{ role: 'user', content }] }),
  conversation: {
    ...{ model: 'double', max_tokens: 500, temperature: 0.5, tool_choice: { type: 'auto' }, system: 'Be kind.' },
    tools: [{ name: 'read', description: 'reads', input_schema: SCHEMA, strict: false }],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look.' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'So.' },
          { type: 'tool_use', id: clientId(ID), name: 'read', input: { path: 'a.ts' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: clientId(ID), content: 'text of a.ts' },
          { type: 'text', text: 'Go on.' },
        ],
      },
    ],
  },
  read: ({ content, usage }) => [
    content.find((block: Json) => block.type === 'text').text,
    content.filter((block: Json) => block.type === 'tool_use').map(({ id, name, input }: Json) => [id, name, input]),
    usage.input_tokens + usage.cache_read_input_tokens,
    usage.output_tokens,
  ],
  whole: /message_stop|"stop_reason":"/,
  failed: /^event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"[^"]{20,}/,
  refusal({ type, error, request_id: id, ...more }) {
    assert.deepEqual([type, Object.keys(error).sort(), more], ['error', ['message', 'type'], {}]);
    assert.match(id, /^[0-9a-f-]{36}$/);
    return error.message;
  },
};

const RESPONSES: Shape = {
  path: '/v1/responses',
  ask: (input) => ({ model: 'double', input }),
  conversation: {
    ...{ model: 'double', max_output_tokens: 500, temperature: 0.5, tool_choice: 'auto', instructions: 'Be kind.' },
    tools: [{ type: 'function', name: 'read', description: 'reads', parameters: SCHEMA, strict: false }],
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look.' },
          { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}` },
        ],
      },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'So.' }] },
      { type: 'function_call', call_id: ID, name: 'read', arguments: '{"path":"a.ts"}' },
      { type: 'function_call_output', call_id: ID, output: 'text of a.ts' },
      { role: 'user', content: [{ type: 'input_text', text: 'Go on.' }] },
    ],
  },
  read: ({ output, usage }) => [
    output.find((item: Json) => item.type === 'message').content[0].text,
    output
      .filter((item: Json) => item.type === 'function_call')
      .map((item: Json) => [item.call_id, item.name, JSON.parse(item.arguments)]),
    usage.input_tokens,
    usage.output_tokens,
  ],
  whole: /response\.(completed|incomplete)/,
  failed: /^event: response\.failed\ndata: \{.*"status":"failed","error":\{"code":"[a-z_]+","message":"[^"]{20,}/,
  refusal: openAiRefusal,
};

const ALL = [CHAT, MESSAGES, RESPONSES];
/** Chat completions have these tests in files of their own. */
const NEW = [MESSAGES, RESPONSES];

/** The answer as it comes off the wire. `leave` is given the text so far, and closes the connection when it is true. */
function wire(
  server: TestServer,
  tool: Tool,
  { path, ask }: Shape,
  leave: (text: string) => boolean = () => false,
): Promise<{ status: number; text: string; isCut: boolean }> {
  return new Promise((resolve, reject) => {
    const headers = { ...tool.headers, 'content-type': 'application/json' };
    const request = http.request(server.url + path, { method: 'POST', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
        if (leave(text)) request.destroy();
      });
      answer.on('error', () => {});
      answer.on('close', () => resolve({ status: answer.statusCode!, text, isCut: !answer.complete }));
    });
    request.on('error', (error: NodeJS.ErrnoException) => error.code === 'ECONNRESET' || reject(error));
    request.end(JSON.stringify({ ...ask('Hi'), stream: true }));
  });
}

/** Waits until no call runs. */
async function settled(server: TestServer): Promise<void> {
  const open = () => server.db.read.selectFrom('run').select('id').where('state', '=', 'running').execute();
  while ((await open()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

onBothEngines(
  'the dialects of tools',
  (server) => {
    it('bring one conversation to the service alike, its answer back, and cost the same', async () => {
      const tool = await openTool(server());
      const script: Script = {
        thoughts: ['Hm. '],
        text: 'Good day to you.',
        tools: [{ id: 'functions.read:1', name: 'read', arguments: ['{"path"', ':"b.ts"}'] }],
      };
      // Its prompt is in the service's cache from here on.
      await tool.send(CHAT.conversation, {}, CHAT.path);
      for (const stream of [false, true]) {
        const seen: { body: unknown; answer?: unknown; amount: unknown; usage: unknown }[] = [];
        for (const { path, conversation, read, whole } of ALL) {
          server().double.script(script);
          const asked = {
            ...conversation,
            stream,
            ...(path === CHAT.path && stream ? { stream_options: { include_usage: true } } : {}),
          };
          const { status, headers, text } = await tool.send(asked, {}, path);
          assert.equal(status, 200, text);
          assert.equal(headers.get('x-perigee-left-out'), null, path);
          const [line] = await tool.log();
          assert.deepEqual([line?.kind, line?.estimated], ['charge', 0]);
          const usage = [line!.input_tokens, line!.cached_input_tokens, line!.output_tokens];
          const one = { body: server().double.bill.at(-1)!.body, amount: line!.amount, usage };
          if (stream) assert.match(text, whole);
          else {
            const [said, calls, input, output] = read(JSON.parse(text));
            assert.deepEqual([input, output], [line!.input_tokens, line!.output_tokens], path);
            const id = path === MESSAGES.path ? clientId('functions.read:1') : 'functions.read:1';
            assert.deepEqual([said, calls], ['Good day to you.', [[id, 'read', { path: 'b.ts' }]]], path);
          }
          seen.push(one);
        }
        assert.ok((seen[0]!.amount as number) < 0);
        assert.deepEqual(seen[1], seen[0]);
        assert.deepEqual(seen[2], seen[0]);
      }
    });

    for (const shape of NEW)
      describe(`at ${shape.path}, an answer`, () => {
        for (const end of ['destroy', 'eof', 'error', 'malformed', 'half an event'] as const)
          it(`that breaks off (${end}) ends in an error and a cut, never as if it was whole; nobody is charged`, async () => {
            const tool = await openTool(server());
            server().double.script({ pieces: ['It ', 'was '], end });
            const { status, text, isCut } = await wire(server(), tool, shape);
            assert.equal(status, 200);
            assert.ok(isCut, 'the connection is cut');
            const last = text.trimEnd().split('\n\n').at(-1)!;
            assert.match(last, shape.failed);
            JSON.parse(last.slice(last.indexOf('data: ') + 'data: '.length));
            assert.doesNotMatch(text, shape.whole);
            const [line] = await tool.log();
            assert.deepEqual([line?.kind, line?.amount, line?.reason_code], ['not_charged', 0, 'upstream_failed']);
            assert.equal(await tool.available(), 1_000 * C);
          });

        it('whose client leaves stops the service, and what was written until then is charged', async () => {
          const tool = await openTool(server());
          const pieces = Array.from({ length: 500 }, (_, i) => `word${i} `);
          const call = server().double.script({ pieces, everyMs: 2 });
          await wire(server(), tool, shape, (text) => text.includes('word9'));
          assert.equal((await call.ended).state, 'aborted');
          await settled(server());
          const [line] = await tool.log();
          assert.deepEqual([line?.kind, line?.estimated], ['charge', 1]);
          assert.ok(line!.output_tokens! >= 9 && line!.output_tokens! < 2_000, String(line!.output_tokens));
        });

        it('whose client leaves right after its last event is whole', async () => {
          const tool = await openTool(server());
          server().double.script({ text: 'Whole.' });
          await wire(server(), tool, shape, (text) => shape.whole.test(text));
          await settled(server());
          const [line] = await tool.log();
          assert.deepEqual([line?.kind, line?.estimated, line?.output_tokens], ['charge', 0, 1]);
        });

        it('with nothing in it is whole, and not charged', async () => {
          const tool = await openTool(server());
          server().double.script({ pieces: [] });
          const { text } = await wire(server(), tool, shape);
          assert.match(text, shape.whole);
          assert.equal((await tool.log())[0]?.reason_code, 'empty_answer');
        });

        it('that the limit cuts within a tool call leaves no call to run', async () => {
          const tool = await openTool(server());
          const chunk = (delta: object, finish: string | null = null) =>
            `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
          const call = { index: 0, id: 'a', type: 'function', function: { name: 'write', arguments: '{"path":"a' } };
          server().double.script({ raw: [chunk({ tool_calls: [call] }), chunk({}, 'length'), 'data: [DONE]\n\n'] });
          const { text } = await wire(server(), tool, shape);
          assert.doesNotMatch(
            text,
            /"stop_reason":"tool_use"|response\.output_item\.done|function_call_arguments\.done/,
          );
          assert.match(text, /"stop_reason":"max_tokens"|"reason":"max_output_tokens"/);
        });
      });

    for (const shape of NEW)
      describe(`at ${shape.path}, a request is refused in the shape of its dialect, with nothing held and nothing sent:`, () => {
        const secret = 'a secret plan';
        const ask = shape.ask(secret);
        const list = shape === MESSAGES ? 'messages' : 'input';
        const parts = (type: string, part: object) => ({
          ...ask,
          [list]: [{ role: 'user', content: [{ type, ...part }] }],
        });
        const picture = shape === MESSAGES ? 'image' : 'input_image';
        const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
        const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
        const rows: [title: string, body: unknown, status: number, headers?: Record<string, string>][] = [
          ['without JSON', `{"model":"${secret}`, 400],
          ['without anything', '', 400],
          ['as a list', [], 400],
          ['as a text', JSON.stringify(secret), 400],
          ['as null', 'null', 400],
          ['in invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400],
          ['in UTF-16', Buffer.from(JSON.stringify(ask), 'utf16le'), 400],
          ['without a model', { ...ask, model: undefined }, 400],
          ['with a model that is a list', { ...ask, model: [secret] }, 400],
          ['of a model that is not here', { ...ask, model: 'gpt-9' }, 404],
          [`without ${list}`, { ...ask, [list]: undefined }, 400],
          [`with empty ${list}`, { ...ask, [list]: [] }, 400],
          [`with ${list} that are a number`, { ...ask, [list]: 7 }, 400],
          [`with ${list} of null`, { ...ask, [list]: [null] }, 400],
          ['with an unknown role', { ...ask, [list]: [{ role: secret, content: 'a' }] }, 400],
          ['with a role that is a list', { ...ask, [list]: [{ role: ['user'], content: 'a' }] }, 400],
          ['with content that is a number', { ...ask, [list]: [{ role: 'user', content: 7 }] }, 400],
          ['with an unknown part', parts(secret, {}), 400],
          ['with a part of another type', parts('text', { text: { text: secret } }), 400],
          ['with tools that are a text', { ...ask, tools: secret }, 400],
          ['with a tool that is null', { ...ask, tools: [null] }, 400],
          ['with a limit that is a text', { ...ask, max_tokens: secret, max_output_tokens: secret }, 400],
          ['with a limit below 1', { ...ask, max_tokens: -1, max_output_tokens: -1 }, 400],
          ['with a stream that is a text', { ...ask, stream: 'true' }, 400],
          ['at another price', { ...ask, service_tier: 'priority' }, 400],
          [
            'with a file of ours as a picture',
            parts(picture, { source: { type: 'url', url: 'file:///etc/passwd' }, image_url: 'file:///etc/passwd' }),
            400,
          ],
          ['nested without end', `{"model":"double","max_tokens":9,"${list}":${deep}}`, 400],
          ['with a prompt of 10 MB', shape.ask('word '.repeat(2_000_000)), 400],
          ['larger than any', `{"a":"${'x'.repeat(17 * 1024 * 1024)}"}`, 413],
          ['compressed by zstd', 'x', 415, { 'content-encoding': 'zstd' }],
          ['compressed, and broken', 'x', 400, { 'content-encoding': 'gzip' }],
          ['compressed to a bomb', bomb, 413, { 'content-encoding': 'gzip' }],
          ['compressed twice', gzipSync(brotliCompressSync('{}')), 415, { 'content-encoding': 'br, gzip' }],
          ['as a form', 'a=b', 400, { 'content-type': 'application/x-www-form-urlencoded' }],
        ];
        for (const [title, body, status, headers] of rows)
          it(title, async () => {
            const tool = await openTool(server());
            const sent = server().double.bill.length;
            const answer = await tool.send(body, headers, shape.path);
            assert.equal(answer.status, status, answer.text.slice(0, 500));
            const message = shape.refusal(JSON.parse(answer.text));
            assert.ok(message.length > 15, message);
            assert.doesNotMatch(answer.text, /secret plan|pgk_|etc\/passwd|word word/);
            assert.equal(answer.headers.get('x-should-retry'), 'false');
            assert.equal(server().double.bill.length, sent);
            assert.equal(await tool.available(), 1_000 * C);
            assert.equal((await tool.log()).length, 1, 'the grant alone');
          });

        it('of an account that is suspended, with why', async () => {
          const tool = await openTool(server());
          const at = server().clock.now();
          await server().db.write((tx) => suspend(tx, tool.accountId, { why: 'It was resold.', until: null, at }));
          const { status, text } = await tool.send(ask, {}, shape.path);
          assert.equal(status, 403);
          assert.match(shape.refusal(JSON.parse(text)), /It was resold/);
          await server().db.write((tx) => restore(tx, tool.accountId));
          assert.equal((await tool.send(ask, {}, shape.path)).status, 200);
        });

        it('by an error of the service that repeats the prompt or a key', async () => {
          const tool = await openTool(server());
          const key = tool.headers.authorization!.slice('Bearer '.length);
          for (const stream of [false, true])
            for (const script of [
              { status: 400, body: { error: { message: `${secret}, ${key}`, type: 'invalid_request_error' } } },
              { pieces: ['So '], end: 'error', error: { error: { message: `${secret}, ${key}` } } },
            ] satisfies Script[]) {
              server().double.usually(script);
              const { text } = await tool.send({ ...ask, stream }, {}, shape.path).catch(() => ({ text: '' }));
              assert.doesNotMatch(text, /secret plan|pgk_/);
            }
        });
      });

    describe('beside the calls', () => {
      const get = async (path: string, init: RequestInit = {}) => {
        const response = await fetch(server().url + path, { redirect: 'manual', ...init });
        const text = await response.text();
        return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
      };
      const version = { 'anthropic-version': '2023-06-01' };

      it('a client learns that a server is there before it shows its key', async () => {
        assert.equal((await get('/api/hello', { method: 'HEAD' })).status, 200);
        assert.ok((await get('/', { method: 'HEAD' })).status < 400);
      });

      it('the models are listed in the shape of the client', async () => {
        const { headers, anthropic, openai } = await openTool(server());
        const openAi = (await get('/v1/models', { headers })).json();
        assert.deepEqual([openAi.object, openAi.data[0].id, openAi.data[0].object], ['list', 'double', 'model']);
        const theirs = (await get('/v1/models?limit=1000', { headers: { ...headers, ...version } })).json();
        assert.deepEqual(
          [theirs.data[0].type, theirs.data[0].id, theirs.has_more, theirs.first_id, theirs.last_id],
          ['model', 'double', false, 'double', theirs.data.at(-1).id],
        );
        const ids: string[] = [];
        for await (const { id } of anthropic.models.list()) ids.push(id);
        for await (const { id } of openai.models.list()) assert.ok(ids.includes(id));
        assert.equal((await anthropic.models.retrieve('double')).display_name, 'double');
      });

      it('what is refused has the shape of the client as well', async () => {
        const { headers } = await openTool(server());
        for (const [path, init, status] of [
          ['/v1/models/gpt-9', { headers: { ...headers, ...version } }, 404],
          ['/v1/models', { headers: version }, 401],
          ['/v1/files', { headers: { ...headers, ...version } }, 404],
          ['/v1/messages/batches', { headers }, 404],
          ['/v1/messages', { headers }, 405],
          ['/v1/messages/count_tokens', { headers }, 405],
        ] as const) {
          const answer = await get(path, init);
          assert.equal(answer.status, status, path);
          MESSAGES.refusal(answer.json());
        }
        for (const [path, init, status] of [
          ['/v1/models/gpt-9', { headers }, 404],
          ['/v1/responses', { headers }, 405],
          ['/v1/responses', { headers: { ...headers, ...version } }, 405],
          ['/v1/responses/resp_1', { headers }, 404],
          ['/v1/responses/compact', { method: 'POST', headers }, 400],
        ] as const) {
          const answer = await get(path, init);
          assert.equal(answer.status, status, path);
          RESPONSES.refusal(answer.json());
        }
      });

      it('a base URL that gives /v1 twice is told without it', async () => {
        const { anthropic } = await openTool(server());
        for (const baseURL of [`${server().url}/v1`, `${server().url}/v1/`]) {
          const client = anthropic.withOptions({ baseURL });
          await assert.rejects(client.messages.create(MESSAGES.ask('Hi') as never), /base URL without \/v1/);
        }
      });

      it('tokens are counted or refused in the shape of Messages', async () => {
        const tool = await openTool(server());
        const path = '/v1/messages/count_tokens';
        const counted = await tool.send(MESSAGES.conversation, {}, path);
        assert.ok(JSON.parse(counted.text).input_tokens > 50);
        for (const [body, status] of [
          ['{', 400],
          [{ messages: [{ role: 'user', content: 'a' }] }, 400],
          [{ model: 'double', messages: 7 }, 400],
          [Buffer.from([0x7b, 0xff]), 400],
        ] as const) {
          const answer = await tool.send(body, {}, path);
          assert.equal(answer.status, status, answer.text);
          MESSAGES.refusal(JSON.parse(answer.text));
        }
        assert.equal(await tool.available(), 1_000 * C);
      });
    });
  },
  {
    policy: (policy) =>
      policy.models.push({ id: 'double', contextTokens: 32_000, maxOutputTokens: 4_000, price: PRICE }),
  },
);
