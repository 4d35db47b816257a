import assert from 'node:assert/strict';
import OpenAI, { APIError } from 'openai';
import type { ChatCompletionMessage, ChatCompletionTool } from 'openai/resources';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { onBothEngines } from '../../support/engines.ts';
import { openTool } from '../../support/tools.ts';

const ASK = { model: 'double', messages: [{ role: 'user' as const, content: 'Hi' }] };
/** In credits: 1 for an answer, as the price of a model that the operator has not priced. */
const C = MICRO_PER_CREDIT;
const READ: ChatCompletionTool = { type: 'function', function: { name: 'read', parameters: { type: 'object' } } };

onBothEngines('a call of chat completions', (server) => {
  it('is answered in one piece, charged once, and named in the token log', async () => {
    const tool = await openTool(server());
    server().double.script({ text: 'Good day to you.' });
    const answer = await tool.openai.chat.completions.create(ASK);
    assert.equal(answer.choices[0]?.message.content, 'Good day to you.');
    assert.equal(answer.choices[0]?.finish_reason, 'stop');
    assert.equal(answer.model, 'double');
    assert.match(answer.id, /^chatcmpl-/);
    assert.deepEqual(answer.usage?.completion_tokens, 4);
    assert.equal(await tool.available(), 999 * C);
    const [line] = await tool.log();
    assert.deepEqual(
      [line?.kind, line?.amount, line?.tool, line?.key_name, line?.output_tokens],
      ['charge', -C, 'OpenAI SDK', 'a tool', 4],
    );
  });

  it('is streamed as it comes, and its usage comes only to those who ask for it', async () => {
    for (const include_usage of [true, false]) {
      const tool = await openTool(server());
      const call = server().double.script({ pieces: ['one ', 'two ', 'three'], gateAt: 2 });
      const stream = await tool.openai.chat.completions.create({
        ...ASK,
        stream: true,
        stream_options: { include_usage },
      });
      let text = '';
      const usages: unknown[] = [];
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        if (chunk.usage) usages.push(chunk.usage);
        // What has come is here before the rest is written.
        if (text === 'one two ') call.open();
      }
      assert.equal(text, 'one two three');
      assert.equal(usages.length, include_usage ? 1 : 0);
      assert.equal((await call.ended).body.stream_options?.include_usage, true, 'the bill rests on it');
      assert.equal(await tool.available(), 999 * C);
    }
  });

  it('brings the tools of a client to the model and the calls of the model back, in parallel and in pieces', async () => {
    const tool = await openTool(server());
    const tools = [
      { id: 'functions.read:0', name: 'read', arguments: ['{"path"', ':"a.ts"}'] },
      { id: 'functions.read:1', name: 'read', arguments: ['{"path":"b.ts"}'] },
    ];
    for (const stream of [true, false]) {
      server().double.script({ pieces: [], tools });
      const asked = { ...ASK, tools: [READ] };
      const message: ChatCompletionMessage = stream
        ? await tool.openai.chat.completions.stream(asked).finalMessage()
        : (await tool.openai.chat.completions.create(asked)).choices[0]!.message;
      assert.deepEqual(
        message.tool_calls?.map((call) => call.type === 'function' && [call.id, call.function.arguments]),
        [
          ['functions.read:0', '{"path":"a.ts"}'],
          ['functions.read:1', '{"path":"b.ts"}'],
        ],
      );
      assert.deepEqual(server().double.bill.at(-1)!.body.tools, [READ]);
    }
    // A call is a result, although there is no text.
    assert.equal(await tool.available(), 998 * C);
  });

  it('passes on what it does not know, and neither more tokens nor another model than are paid for', async () => {
    const tool = await openTool(server());
    const { status } = await tool.send({
      ...ASK,
      max_tokens: 3,
      top_k: 40,
      chat_template_kwargs: { a: [1] },
      stream: true,
    });
    assert.equal(status, 200);
    const { body } = server().double.bill.at(-1)!;
    assert.deepEqual(
      [body.top_k, body.chat_template_kwargs, body.max_tokens, body.model],
      [40, { a: [1] }, 3, 'double'],
    );
  });

  it('asks for no more output than the model has, however much the client wants', async () => {
    const tool = await openTool(server());
    await tool.openai.chat.completions.create({ ...ASK, max_completion_tokens: 262_144 });
    assert.equal(server().double.bill.at(-1)!.body.max_tokens, 8192);
  });

  it('says what was left out of it, and to how much its answer was cut by what is left', async () => {
    const tool = await openTool(server());
    const search = { type: 'web_search\u00e9\r\nx-forged: 1' };
    const answer = await tool.send({ ...ASK, tools: [READ, search] });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.get('x-perigee-left-out'), 'tools[1]');
    assert.equal(answer.headers.get('x-forged'), null);
    assert.equal(answer.headers.get('x-perigee-clamped-to'), null);
    assert.deepEqual(server().double.bill.at(-1)!.body.tools, [READ]);
  });

  it('may come compressed', async () => {
    const tool = await openTool(server());
    const { gzipSync, brotliCompressSync, deflateSync } = await import('node:zlib');
    const plain = JSON.stringify(ASK);
    for (const [encoding, bytes] of [
      ['gzip', gzipSync(plain)],
      ['br', brotliCompressSync(plain)],
      ['deflate', deflateSync(plain)],
    ] as const)
      assert.equal((await tool.send(bytes, { 'content-encoding': encoding })).status, 200, encoding);
  });

  it('is answered to a session’s own token as well, a guest’s among them', async () => {
    const guest = await server().guest();
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${guest.token}` };
    const options = { method: 'POST', headers, body: JSON.stringify(ASK) };
    const response = await fetch(`${server().url}/v1/chat/completions`, options);
    assert.equal(response.status, 200);
    await response.text();
    assert.equal(await guest.available(), 9 * C);
  });

  describe('is refused by name, with nothing held and nothing sent', () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    const rows: [title: string, body: unknown, status: number, code: string, headers?: Record<string, string>][] = [
      ['without JSON', '{"model":', 400, 'invalid_json'],
      ['as a list', [], 400, 'invalid_type'],
      ['in invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, 'invalid_json'],
      ['without messages', { model: 'double' }, 400, 'missing_required_parameter'],
      ['without a model', { messages: ASK.messages }, 400, 'missing_required_parameter'],
      ['of a model that is not here', { ...ASK, model: 'gpt-9' }, 404, 'model_not_found'],
      ['with several answers', { ...ASK, n: 2 }, 400, 'unsupported_value'],
      ['at another price', { ...ASK, service_tier: 'priority' }, 400, 'unsupported_value'],
      ['with a name that some services read as another', { ...ASK, Model: 'dearer' }, 400, 'unsupported_parameter'],
      ['with the same in another script', { ...ASK, '\u017fervice_tier': 'fast' }, 400, 'unsupported_parameter'],
      [
        'with a part that is two things',
        { ...ASK, messages: [{ role: 'user', content: [{ type: 'text', Type: 'image_url', text: 'a' }] }] },
        400,
        'unsupported_parameter',
      ],
      [
        'with a document as a picture',
        {
          ...ASK,
          messages: [
            { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.example/b.pdf?c' } }] },
          ],
        },
        400,
        'unsupported_value',
      ],
      [
        'with a file of ours as a picture',
        {
          ...ASK,
          messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }] }],
        },
        400,
        'unsupported_value',
      ],
      ['nested without end', `{"model":"double","messages":${deep}}`, 400, 'invalid_request'],
      [
        'longer than the model reads',
        { ...ASK, messages: [{ role: 'user', content: 'word '.repeat(200_000) }] },
        400,
        'context_length_exceeded',
      ],
      ['larger than any', `{"a":"${'x'.repeat(17 * 1024 * 1024)}"}`, 413, 'payload_too_large'],
      ['row 53: compressed by zstd', 'x', 415, 'unsupported_encoding', { 'content-encoding': 'zstd' }],
      ['compressed, and broken', 'x', 400, 'invalid_request', { 'content-encoding': 'gzip' }],
      ['as a form', 'a=b', 400, 'invalid_request', { 'content-type': 'application/x-www-form-urlencoded' }],
    ];
    for (const [title, body, status, code, headers] of rows)
      it(title, async () => {
        const tool = await openTool(server());
        const sent = server().double.bill.length;
        const answer = await tool.send(body, headers);
        const { error } = JSON.parse(answer.text) as { error: { message: string; code: string } };
        assert.deepEqual([answer.status, error.code], [status, code], answer.text);
        assert.ok(error.message.length > 20);
        assert.ok(answer.headers.get('x-request-id'));
        assert.equal(server().double.bill.length, sent);
        assert.equal(await tool.available(), 1_000 * C);
        assert.equal((await tool.log()).length, 1, 'the grant alone');
      });

    it('when a few KB unpack to a hundred times as many', async () => {
      const tool = await openTool(server());
      const { gzipSync } = await import('node:zlib');
      const { status } = await tool.send(gzipSync(Buffer.alloc(2 * 1024 * 1024, ' ')), { 'content-encoding': 'gzip' });
      assert.equal(status, 413);
    });

    it('when a few bytes unpack to more than is taken', async () => {
      const tool = await openTool(server());
      const { gzipSync } = await import('node:zlib');
      const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
      const { status } = await tool.send(bomb, { 'content-encoding': 'gzip' });
      assert.equal(status, 413);
    });

    it('by the key of another service, with what to send instead', async () => {
      const tool = await openTool(server());
      for (const key of ['sk-123', 'sk-proj-0123456789abcdef0123456789abcdef0123456789abcdef']) {
        const { status, text } = await tool.send(ASK, { authorization: `Bearer ${key}` });
        assert.equal(status, 401);
        assert.match(JSON.parse(text).error.message, /pgk_….*account page/);
      }
    });

    it('of a base URL without /v1, by words that OpenAI’s clients show', async () => {
      const tool = await openTool(server());
      const client = new OpenAI({ baseURL: server().url, apiKey: tool.openai.apiKey, maxRetries: 0 });
      const refused = await client.chat.completions.create(ASK).catch((error) => error as APIError);
      assert.equal((refused as APIError).status, 403);
      assert.match((refused as APIError).message, /with \/v1 at its end/);
    });

    it('when the credits are spent, so that no client tries again', async () => {
      const tool = await openTool(server(), { credits: 0 });
      const refused = await tool.openai.chat.completions.create(ASK).catch((error) => error as APIError);
      assert.ok(refused instanceof APIError);
      assert.deepEqual([refused.status, refused.code], [402, 'insufficient_quota']);
      assert.equal(refused.headers?.get('x-should-retry'), 'false');
    });

    it('when the key has spent its month, or may not use the model', async () => {
      const capped = await openTool(server(), { monthlyMicro: C });
      await capped.openai.chat.completions.create(ASK);
      const spent = await capped.openai.chat.completions.create(ASK).catch((error) => error as APIError);
      assert.deepEqual([(spent as APIError).status, (spent as APIError).code], [402, 'insufficient_quota']);
      const other = await openTool(server(), { models: ['something-else'] });
      const refused = await other.openai.chat.completions.create(ASK).catch((error) => error as APIError);
      assert.deepEqual([(refused as APIError).status, (refused as APIError).code], [404, 'model_not_found']);
    });
  });
});
