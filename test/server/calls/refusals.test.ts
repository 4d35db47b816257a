import assert from 'node:assert/strict';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { restore, suspend } from '../../../server/accounts/cases/sanctions.ts';
import { RUNS_OF_ACCOUNTS } from '../../../server/gateway/runs/runs.ts';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import type { Script } from '../../doubles/script.ts';
import { CHAT, MESSAGES, RESPONSES } from '../../support/dialects.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { openTool } from '../../support/tools.ts';

const C = MICRO_PER_CREDIT;

// On one engine: nothing of this comes as far as the ledger. Chat completions have the same tests in a file of their own.
describe('the dialects of Anthropic’s Messages and OpenAI’s Responses', () => {
  let running: TestServer;
  const server = () => running;
  before(async () => {
    running = await startServer('sqlite');
  });
  afterEach(() => running.audit());
  after(() => running.stop());

  for (const shape of [MESSAGES, RESPONSES])
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
        ['row 53: compressed by zstd', 'x', 415, { 'content-encoding': 'zstd' }],
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

      it('of an account without credits, by the first KB of a long conversation', async () => {
        const tool = await openTool(server(), { credits: 0 });
        const { status, headers, text } = await tool.send(shape.ask('word '.repeat(50_000)), {}, shape.path);
        assert.equal(status, shape === MESSAGES ? 402 : 429);
        assert.match(text, shape === MESSAGES ? /"billing_error"/ : /"insufficient_quota"/);
        assert.equal(headers.get('x-should-retry'), 'false');
        assert.equal(headers.get('retry-after'), null);
        shape.refusal(JSON.parse(text));
      });

      it('of an account that is suspended, with why', async () => {
        const tool = await openTool(server());
        const at = server().clock.now();
        await server().db.write((tx) =>
          suspend(tx, RUNS_OF_ACCOUNTS, tool.accountId, { why: 'It was resold.', until: null, at }),
        );
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

    it('tokens of a long conversation are counted without credits, for an account in good standing', async () => {
      const tool = await openTool(server(), { credits: 0 });
      const long = MESSAGES.ask('word '.repeat(50_000));
      const path = '/v1/messages/count_tokens';
      const { status, text } = await tool.send(long, {}, path);
      assert.equal(status, 200, text);
      assert.ok(JSON.parse(text).input_tokens > 40_000);
      const at = server().clock.now();
      await server().db.write((tx) =>
        suspend(tx, RUNS_OF_ACCOUNTS, tool.accountId, { why: 'It was resold.', until: null, at }),
      );
      const refused = await tool.send(long, {}, path);
      assert.equal(refused.status, 403);
      assert.match(MESSAGES.refusal(JSON.parse(refused.text)), /It was resold/);
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
});

describe('an account that asks too often', () => {
  it('is told by each dialect when to ask again', async () => {
    const server = await startServer('sqlite', {
      policy: (policy) => {
        // A new object, because other servers of this process have the same default.
        const tiers = policy.limits.tiers.map((tier) => ({ ...tier, requestsPerMinute: 1 }));
        policy.limits = { ...policy.limits, tiers };
      },
    });
    try {
      for (const shape of [CHAT, MESSAGES, RESPONSES]) {
        const tool = await openTool(server);
        const first = await tool.send(shape.ask('Hi'), {}, shape.path);
        assert.deepEqual([first.status, first.headers.get('ratelimit') !== null], [200, true]);
        const { status, headers, text } = await tool.send(shape.ask('Hi'), {}, shape.path);
        assert.equal(status, 429);
        assert.match(text, /"type":"rate_limit_error"/);
        assert.ok(Number(headers.get('retry-after')) > 0);
        assert.equal(headers.get('x-should-retry'), null);
        assert.match(shape.refusal(JSON.parse(text)), /requests a minute/);
      }
      await server.audit();
    } finally {
      await server.stop();
    }
  });
});
