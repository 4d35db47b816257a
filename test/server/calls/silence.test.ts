import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { CHAT } from '../../../server/gateway/calls/chat.ts';
import type { Dialect, DialectCall } from '../../../server/gateway/calls/dialect.ts';
import { MESSAGES } from '../../../server/gateway/calls/messages.ts';
import { StreamReply } from '../../../server/gateway/calls/reply.ts';
import { RESPONSES } from '../../../server/gateway/calls/responses.ts';
import { boundTokens, estimateTokens } from '../../../server/gateway/prompt/tokens.ts';
import { problemOf } from '../../../server/gateway/runs/receive.ts';

/** Short, so that the test is; the dialects wait for 15 s and more. */
const SILENCE_MS = 10;
const OPTIONS = { tokens: { estimate: estimateTokens, bound: boundTokens, overhead: 4 }, developerRole: true };
const USER = [{ role: 'user', content: 'Hi' }];

interface Case {
  dialect: Dialect;
  ask: object;
  /** What comes first in silence, and what follows it. */
  first: RegExp;
  sign: RegExp;
  said: RegExp;
  end: RegExp;
  failure: RegExp;
}

const CASES: Case[] = [
  {
    dialect: CHAT,
    ask: { messages: USER },
    first: /^: waiting for the model\n\n/,
    sign: /: waiting for the model\n\n/,
    said: /data: \{.*"Good day\."/,
    end: /"finish_reason":"stop".*\n\ndata: \[DONE\]\n\n$/s,
    failure: /data: \{"error":\{"message":"The model service is broken\."/,
  },
  {
    dialect: MESSAGES,
    ask: { max_tokens: 100, messages: USER },
    first: /^event: message_start\ndata: \{.*\}\n\nevent: ping\ndata: \{"type":"ping"\}\n\n/,
    sign: /event: ping\ndata: \{"type":"ping"\}\n\n/,
    said: /event: content_block_delta\n.*"Good day\."/,
    end: /"stop_reason":"end_turn".*event: message_stop\ndata: \{"type":"message_stop"\}\n\n$/s,
    failure:
      /event: error\ndata: \{"type":"error","error":\{"type":"api_error","message":"The model service is broken\."/,
  },
  {
    dialect: RESPONSES,
    ask: { input: 'Hi' },
    first: /^event: response\.created\n.*\n\nevent: response\.in_progress\n.*\n\n: waiting for the model\n\n/,
    sign: /: waiting for the model\n\n/,
    said: /event: response\.output_text\.delta\n.*"Good day\."/,
    end: /event: response\.completed\n.*"status":"completed".*\n\n$/,
    failure: /event: response\.failed\n.*"status":"failed","error":\{.*"The model service is broken\."/,
  },
];

const HEAD = { id: 'x', model: 'double', createdSeconds: 0, inputTokens: 1, requestId: 'r' };
const ENDING = { state: 'complete', usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 } } as never;
const chunk = (content: string) => ({
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
});

for (const { dialect, ask, first, sign, said, end, failure } of CASES)
  describe(`a streamed answer of ${dialect.path} whose service says nothing`, () => {
    const call = dialect.read({ model: 'double', stream: true, ...ask }, OPTIONS);

    it('gives signs of life, and goes on when it has something to say', async () => {
      let reply: StreamReply | undefined;
      const { status, pieces } = await answered(call, (made) => (reply = made));
      assert.equal(status, 200);
      const silence = await read(pieces, new RegExp(`(${sign.source}){2}`));
      assert.match(silence, first);
      assert.doesNotMatch(silence.slice(first.exec(silence)![0].length), /message_start|response\./, 'it begins once');
      reply!.pass({ chunks: [chunk('Good day.')], events: [] });
      const text = await read(pieces, /Good day/);
      assert.match(text, said);
      assert.doesNotMatch(text, /message_start|response\.created/);
      await read(pieces, sign);
      reply!.end(ENDING);
      assert.match(await read(pieces, end), end);
      assert.equal((await pieces.next()).done, true);
    });

    it('names the fallback that answers: in a header, or in a comment behind a sign of life', async () => {
      let reply: StreamReply | undefined;
      const { pieces, headers } = await answered(call, (made) => (reply = made));
      await read(pieces, sign);
      reply!.answeredBy('kimi k3\n');
      reply!.pass({ chunks: [chunk('Good day.')], events: [] });
      assert.match(await read(pieces, /Good day/), /(^|\n\n): x-perigee-model: kimi%20k3%0A\n\n/);
      assert.equal(headers.get('x-perigee-model'), null);
      reply!.end(ENDING);
      const early = await answered(call, (made) => {
        made.answeredBy('kimi-k3');
        made.pass({ chunks: [chunk('Good day.')], events: [] });
        made.end(ENDING);
      });
      assert.equal(early.headers.get('x-perigee-model'), 'kimi-k3');
      assert.doesNotMatch(await read(early.pieces, end), /x-perigee-model/);
    });

    it('is whole for its own client with such a comment in it', async () => {
      const server = createServer((_, out: ServerResponse) => {
        const reply = new StreamReply(out, HEAD, call, SILENCE_MS);
        setTimeout(() => {
          reply.answeredBy('kimi-k3');
          reply.pass({ chunks: [chunk('Good day.')], events: [] });
          reply.end(ENDING);
        }, 3 * SILENCE_MS);
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      server.unref();
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', maxRetries: 0 });
      const anthropic = new Anthropic({ baseURL: url, apiKey: 'x', maxRetries: 0 });
      const messages = USER as { role: 'user'; content: string }[];
      const texts: Record<string, () => Promise<unknown>> = {
        '/v1/chat/completions': async () =>
          (await openai.chat.completions.stream({ model: 'x', messages }).finalChatCompletion()).choices[0]!.message
            .content,
        '/v1/messages': async () => {
          const [block] = (await anthropic.messages.stream({ model: 'x', max_tokens: 9, messages }).finalMessage())
            .content;
          return block?.type === 'text' && block.text;
        },
        '/v1/responses': async () =>
          (await openai.responses.stream({ model: 'x', input: 'Hi' }).finalResponse()).output_text,
      };
      assert.equal(await texts[dialect.path]!(), 'Good day.');
      server.closeAllConnections();
      server.close();
    });

    it('tells a failure in the stream once it has given one, and ends as no whole answer does', async () => {
      let reply: StreamReply | undefined;
      const { pieces } = await answered(call, (made) => (reply = made));
      await read(pieces, sign);
      const run = { id: 'x', kind: 'call' } as never;
      reply!.fail(problemOf({ run } as never, 'upstream_failed', 'The model service is broken.', false));
      let text = '';
      await assert.rejects(async () => {
        for (let next = await pieces.next(); !next.done; next = await pieces.next()) text += next.value;
      });
      assert.match(text, failure);
      assert.doesNotMatch(text, /DONE|message_stop|response\.completed/);
    });
  });

it('no dialect is silent for longer than its clients wait', () => {
  // Claude Code warns after 20 s, and proxies cut a connection after 60 s and even 30 s.
  assert.ok(MESSAGES.silenceMs <= 15_000);
  assert.ok(CHAT.silenceMs < 30_000 && RESPONSES.silenceMs < 30_000);
});

/** Answers one request by `act`, and gives what the client reads. */
async function answered(
  call: DialectCall,
  act: (reply: StreamReply) => void,
): Promise<{ status: number; headers: Headers; pieces: AsyncIterator<string> }> {
  const server = createServer((_, out: ServerResponse) => act(new StreamReply(out, HEAD, call, SILENCE_MS)));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  server.unref();
  const pieces = response.body!.pipeThrough(new TextDecoderStream() as never)[Symbol.asyncIterator]();
  return { status: response.status, headers: response.headers, pieces: pieces as AsyncIterator<string> };
}

async function read(pieces: AsyncIterator<string>, until: RegExp): Promise<string> {
  let text = '';
  while (!until.test(text)) {
    const { value, done } = await pieces.next();
    if (done) break;
    text += value;
  }
  return text;
}
