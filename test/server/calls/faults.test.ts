import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import { connect, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { revokeKey } from '../../../server/accounts/keys/store.ts';
import type { Log } from '../../../server/platform/log.ts';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { FAILURES, type Script } from '../../doubles/script.ts';
import { onBothEngines } from '../../support/engines.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { openTool, type Tool } from '../../support/tools.ts';

const C = MICRO_PER_CREDIT;
const ASK = { model: 'double', messages: [{ role: 'user' as const, content: 'Hi' }] };
/** A million tokens cost 1,000 credits in, 100 cached, 4,000 out. */
const PRICE = { mode: 'tokens' as const, inputMicro: 1_000 * C, cachedInputMicro: 100 * C, outputMicro: 4_000 * C };

/** An answer as it comes off the wire, to its end or to the cut. */
interface Wire {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  /** The connection was closed before the answer was complete. */
  isCut: boolean;
}

/** Sends a call; `leave` is given the text so far, and closes the connection when it is true. */
function wire(
  server: TestServer,
  tool: Tool,
  body: object,
  leave: (text: string) => boolean = () => false,
): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const headers = { ...tool.headers, 'content-type': 'application/json' };
    const request = http.request(`${server.url}/v1/chat/completions`, { method: 'POST', headers }, (answer) => {
      let text = '';
      const end = () => resolve({ status: answer.statusCode!, headers: answer.headers, text, isCut: !answer.complete });
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
        if (leave(text)) request.destroy();
      });
      answer.on('error', () => {});
      answer.on('close', end);
    });
    request.on('error', (error: NodeJS.ErrnoException) => error.code === 'ECONNRESET' || reject(error));
    request.end(JSON.stringify(body));
  });
}

/** Waits until no call runs. */
async function settled(server: TestServer): Promise<void> {
  const open = () => server.db.read.selectFrom('run').select('id').where('state', '=', 'running').execute();
  while ((await open()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

onBothEngines(
  'a call that goes wrong',
  (server) => {
    const stream = { ...ASK, stream: true };
    afterEach(() => server().double.usually({ text: 'Hello.' }));

    describe('before its answer began is refused with the status that its clients read, and costs nothing', () => {
      const rows: [title: string, script: Script, status: number, code: string, more?: Record<string, string>][] = [
        ['by a service that is busy', FAILURES.busy('30'), 503, 'upstream_busy', { 'retry-after': '30' }],
        ['by a service that fails', FAILURES.broken, 502, 'upstream_failed'],
        [
          'by a service that refuses our key',
          FAILURES.wrongKey,
          502,
          'upstream_refused',
          { 'x-should-retry': 'false' },
        ],
        ['by a service that is not paid', FAILURES.noMoney, 502, 'upstream_refused', { 'x-should-retry': 'false' }],
        [
          'by a prompt that is too long',
          FAILURES.tooLong,
          400,
          'context_length_exceeded',
          { 'x-should-retry': 'false' },
        ],
        [
          'by a request that the service refuses',
          { status: 422, body: { error: { message: 'tools[0] is wrong', type: 'invalid_request_error' } } },
          400,
          'request_refused',
          { 'x-should-retry': 'false' },
        ],
        ['by a page instead of an answer', FAILURES.html, 502, 'upstream_malformed'],
        ['by a connection that closes', { instead: 'close' }, 502, 'upstream_failed'],
      ];
      for (const isStream of [true, false])
        for (const [title, script, status, code, more] of rows)
          it(`${title}${isStream ? ', streamed' : ''}`, async () => {
            const tool = await openTool(server());
            server().double.usually(script);
            const answer = await wire(server(), tool, { ...ASK, stream: isStream });
            assert.deepEqual([answer.status, JSON.parse(answer.text).error.code], [status, code], answer.text);
            for (const [name, value] of Object.entries(more ?? {})) assert.equal(answer.headers[name], value, name);
            assert.equal(await tool.available(), 1_000 * C);
            const [line] = await tool.log();
            assert.equal(line?.kind, 'not_charged');
            // The client's own mistakes don't count with the failures after which an account has to wait.
            assert.equal(line.reason_code, status === 400 ? 'request_refused' : 'upstream_failed');
          });
    });

    for (const end of ['destroy', 'eof', 'error', 'malformed', 'half an event'] as const)
      it(`in the middle of a stream (${end}) ends in an error and a cut, never as if it was whole; nobody is charged`, async () => {
        const tool = await openTool(server());
        server().double.script({ pieces: ['It ', 'was '], end });
        const answer = await wire(server(), tool, stream);
        assert.equal(answer.status, 200);
        assert.match(answer.text, /"content":"It "/);
        const last = answer.text.trimEnd().split('\n\n').at(-1)!;
        assert.ok(JSON.parse(last.slice('data: '.length)).error.message, last);
        assert.ok(answer.isCut, 'the connection is cut');
        assert.doesNotMatch(answer.text, /\[DONE\]/);
        const [line] = await tool.log();
        assert.deepEqual([line?.kind, line?.amount, line?.reason_code], ['not_charged', 0, 'upstream_failed']);
        assert.ok(line!.absorbed > 0, 'the house pays what the service bills');
        assert.equal(await tool.available(), 1_000 * C);
      });

    it('and is tried again is charged once', async () => {
      const tool = await openTool(server());
      server().double.script(FAILURES.diesInMiddle);
      server().double.script({ text: 'Whole.' });
      await wire(server(), tool, stream);
      await wire(server(), tool, stream);
      assert.deepEqual(
        (await tool.log()).map(({ kind }) => kind),
        ['charge', 'not_charged', 'grant'],
      );
    });

    describe('because its client leaves', () => {
      it('stops the service, and charges what was written until then', async () => {
        const tool = await openTool(server());
        const call = server().double.script({ pieces: Array.from({ length: 500 }, (_, i) => `word${i} `), everyMs: 2 });
        await wire(server(), tool, stream, (text) => text.includes('word9'));
        const entry = await call.ended;
        assert.equal(entry.state, 'aborted');
        assert.ok(entry.outputTokens < 500);
        await settled(server());
        const [line] = await tool.log();
        assert.deepEqual([line?.kind, line?.estimated], ['charge', 1]);
        assert.ok(line!.output_tokens! >= 9 && line!.output_tokens! < 2_000, String(line!.output_tokens));
      });

      it('with all of the text but before the usage is charged as the service reports it', async () => {
        const tool = await openTool(server());
        const pieces = ['one ', 'two ', 'three'];
        const call = server().double.script({
          raw: [
            ...pieces.map((content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`),
            `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n`,
            `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } })}\n\n`,
            'data: [DONE]\n\n',
          ],
          gateAt: 4,
        });
        const left = wire(server(), tool, stream, (text) => text.includes('three'));
        await call.atGate;
        await left;
        call.open();
        await settled(server());
        const [line] = await tool.log();
        assert.deepEqual([line?.kind, line?.input_tokens, line?.output_tokens, line?.estimated], ['charge', 7, 3, 0]);
        // The double doesn't read its own raw answers.
        Object.assign(server().double.bill.at(-1)!, { reported: true, inputTokens: 7, outputTokens: 3 });
      });

      it('an answer in one piece goes on, and is charged as the service reports it', async () => {
        const tool = await openTool(server());
        const call = server().double.script({ text: 'A whole answer.', gateAt: 0, everyMs: 1 });
        const request = http.request(`${server().url}/v1/chat/completions`, {
          method: 'POST',
          headers: { ...tool.headers, 'content-type': 'application/json' },
        });
        request.on('error', () => {});
        request.end(JSON.stringify(ASK));
        await call.received;
        request.destroy();
        call.open();
        await settled(server());
        const [line] = await tool.log();
        assert.deepEqual([line?.kind, line?.output_tokens, line?.estimated], ['charge', 3, 0]);
      });

      it('right after the end has a whole answer', async () => {
        const tool = await openTool(server());
        server().double.script({ text: 'Whole.' });
        await wire(server(), tool, stream, (text) => text.includes('[DONE]'));
        await settled(server());
        assert.equal((await tool.log())[0]?.kind, 'charge');
      });
    });

    describe('with its usage', () => {
      const usages: [title: string, usage: Script['usage'], input: number, output: number, estimated: number][] = [
        ['of zero stays zero', 'zero', 0, 0, 0],
        ['within its choices is read', 'choices', 8, 2, 0],
        ['as Moonshot sends it is read', 'moonshot', 8, 2, 0],
        ['with every chunk is read once', 'every chunk', 8, 2, 0],
      ];
      for (const [title, usage, input, output, estimated] of usages)
        it(title, async () => {
          const tool = await openTool(server());
          server().double.script({ pieces: ['Two ', 'words'], usage });
          const answer = await wire(server(), tool, { ...stream, stream_options: { include_usage: true } });
          const [line] = await tool.log();
          assert.deepEqual([line?.input_tokens, line?.output_tokens, line?.estimated], [input, output, estimated]);
          const told = answer.text.split('\n\n').filter((event) => event.includes('"usage":{'));
          assert.equal(told.length, 1, 'told once, in a chunk of its own');
          const chunk = JSON.parse(told[0]!.slice('data: '.length));
          assert.deepEqual(
            [chunk.choices, chunk.usage.prompt_tokens, chunk.usage.completion_tokens],
            [[], input, output],
          );
          if (usage === 'zero')
            Object.assign(server().double.bill.at(-1)!, { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 });
        });

      it('not reported is estimated, and marked so', async () => {
        const tool = await openTool(server());
        server().double.script({ text: 'Some words of an answer.', usage: 'none' });
        await wire(server(), tool, stream);
        const [line] = await tool.log();
        assert.deepEqual([line?.kind, line?.estimated], ['charge', 1]);
        assert.ok(line!.output_tokens! > 2);
      });
    });

    it('that the service goes on with beyond its limit ends as cut by it, and with no half of a tool call to run', async () => {
      const tool = await openTool(server());
      for (const isStream of [true, false]) {
        const pieces = Array.from({ length: 40 }, (_, i) => `${'{"a":"'.repeat(i === 0 ? 1 : 0)}${'x'.repeat(20)}`);
        const chunk = (delta: object) => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`;
        server().double.script({
          raw: [
            chunk({ content: 'Well. ' }),
            chunk({
              tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'write', arguments: '' } }],
            }),
            ...pieces.map((text) =>
              chunk({ content: text, tool_calls: [{ index: 0, function: { arguments: text } }] }),
            ),
          ],
          end: 'hang',
        });
        const { text } = await wire(server(), tool, { ...ASK, stream: isStream, max_tokens: 16 });
        assert.deepEqual(
          [...new Set(text.match(/"finish_reason":"\w+"/g))],
          ['"finish_reason":"length"'],
          text.slice(-300),
        );
      }
    });

    it('that ends without a reason in a tool call has failed, whatever [DONE] says', async () => {
      const tool = await openTool(server());
      const call = { index: 0, id: 'a', type: 'function', function: { name: 'write', arguments: '{"pa' } };
      server().double.script({
        raw: [
          `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [call] } }] })}\n\n`,
          'data: [DONE]\n\n',
        ],
      });
      const answer = await wire(server(), tool, stream);
      assert.ok(answer.isCut);
      assert.doesNotMatch(answer.text, /\[DONE\]|finish_reason":"/);
    });

    it('by a field that one client sent changes nothing for others', async () => {
      const tool = await openTool(server());
      const said = (message: string): Script => ({
        status: 400,
        body: { error: { message, type: 'invalid_request_error' } },
      });
      for (const field of ['max_completion_tokens_x', 'include_usage', 'reasoning_content_missing']) {
        server().double.script({ ...said(`Extra inputs are not permitted: ${field} is required`), times: 3 });
        await wire(server(), tool, { ...stream, [field]: 1 });
        server().double.reset();
        await wire(server(), tool, stream);
        const { body } = server().double.bill.at(-1)!;
        assert.deepEqual([body.max_tokens, body.stream_options], [4_000, { include_usage: true }], field);
        server().double.reset();
        await server().db.write((tx) => tx.updateTable('log_entry').set({ estimated: 1 }).execute());
      }
    });

    it('because its key is revoked ends at once', async () => {
      const tool = await openTool(server());
      const call = server().double.script({ pieces: ['one ', 'two'], gateAt: 1 });
      let begin = () => {};
      const begun = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const answer = wire(server(), tool, stream, (text) => {
        if (text.includes('one ')) begin();
        return false;
      });
      await begun;
      await server().db.write((tx) => revokeKey(tx, tool.accountId, tool.keyId, server().clock.now()));
      assert.ok((await answer).isCut);
      assert.equal((await call.ended).state, 'aborted');
      await settled(server());
    });

    it('an empty answer is not charged', async () => {
      const tool = await openTool(server());
      server().double.script({ pieces: [] });
      const answer = await wire(server(), tool, stream);
      assert.match(answer.text, /\[DONE\]/);
      assert.deepEqual((await tool.log())[0]?.reason_code, 'empty_answer');
    });

    it('row 54: a WebSocket is refused at once, so that Codex goes on by HTTP', async () => {
      const { port } = new URL(server().url);
      const accepted = once(server().app.server, 'connection') as Promise<[Socket]>;
      // It never closes its side: the server must not wait for that.
      const client = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
      const [socket] = await accepted;
      const closed = once(socket, 'close');
      client.write(
        `GET /v1/responses HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nmore`,
      );
      let answer = '';
      client.on('data', (bytes) => (answer += bytes));
      await closed;
      client.destroy();
      assert.match(answer, /^HTTP\/1\.1 426 /);
    });
  },
  {
    policy: (policy) =>
      policy.models.push({ id: 'double', contextTokens: 32_000, maxOutputTokens: 4_000, price: PRICE }),
  },
);

describe('the log of a server with tools', () => {
  it('has neither keys nor prompts nor answers, whatever goes wrong', async () => {
    const lines: string[] = [];
    const write = (...parts: unknown[]) => void lines.push(inspect(parts, { depth: 20, maxStringLength: null }));
    const log = { debug: write, info: write, warn: write, error: write, fatal: write } as unknown as Log;
    const server = await startServer('sqlite', { log });
    try {
      const tool = await openTool(server);
      const secret = tool.headers.authorization!.slice('Bearer '.length);
      const body = { ...ASK, messages: [{ role: 'user', content: `a secret plan, and ${secret}` }] };
      for (const script of [
        FAILURES.broken,
        FAILURES.tooLong,
        { status: 400, body: { error: { message: 'a secret plan is too secret', type: 'invalid_request_error' } } },
        { pieces: ['a secret answer'], end: 'malformed' },
        { pieces: ['a secret answer'], end: 'error', error: { error: { message: 'a secret plan' } } },
      ] satisfies Script[])
        for (const isStream of [true, false]) {
          server.double.script({ ...script, times: 2 });
          const { text } = await wire(server, tool, { ...body, stream: isStream });
          assert.doesNotMatch(text, /secret plan|pgk_/);
        }
      await tool.send('{"secret plan', { 'x-api-key': secret });
      await tool.send({ ...body, n: 'a secret plan' });
      assert.ok(lines.length > 10);
      assert.doesNotMatch(lines.join('\n'), /secret (plan|answer)|pgk_/);
    } finally {
      await server.stop();
    }
  });
});
