import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CHAT } from '../../../server/gateway/calls/chat.ts';
import { StreamReply } from '../../../server/gateway/calls/reply.ts';
import { boundTokens, estimateTokens } from '../../../server/gateway/prompt/tokens.ts';
import { problemOf } from '../../../server/gateway/runs/receive.ts';

/** Short, so that the test is; the dialects wait for 15 s and more. */
const SILENCE_MS = 10;
const ASKED = CHAT.read(
  { model: 'double', stream: true, messages: [{ role: 'user', content: 'Hi' }] },
  { tokens: { estimate: estimateTokens, bound: boundTokens, overhead: 4 }, developerRole: true },
);
const HEAD = { id: 'x', model: 'double', createdSeconds: 0, inputTokens: 1, requestId: 'r' };
const ENDING = { state: 'complete', usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 } } as never;
const chunk = (content: string) => ({
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
});

describe('a streamed call whose service says nothing', () => {
  /** Answers one request by `act`, and gives what the client reads. */
  async function answered(
    act: (reply: StreamReply) => void,
  ): Promise<{ status: number; pieces: AsyncIterator<string> }> {
    const server = createServer((_, out: ServerResponse) => act(new StreamReply(out, HEAD, ASKED, SILENCE_MS)));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.unref();
    const pieces = response.body!.pipeThrough(new TextDecoderStream() as never)[Symbol.asyncIterator]();
    return { status: response.status, pieces: pieces as AsyncIterator<string> };
  }
  const read = async (pieces: AsyncIterator<string>, until: RegExp) => {
    let text = '';
    while (!until.test(text)) {
      const { value, done } = await pieces.next();
      if (done) break;
      text += value;
    }
    return text;
  };

  it('gives signs of life, and goes on when it has something to say', async () => {
    let reply: StreamReply | undefined;
    const { status, pieces } = await answered((made) => (reply = made));
    assert.equal(status, 200);
    const silence = await read(pieces, /(: waiting for the model\n\n){2}/);
    assert.doesNotMatch(silence, /data:/);
    reply!.pass({ chunks: [chunk('Good day.')], events: [] });
    assert.match(await read(pieces, /Good day/), /data: \{.*"Good day\."/);
    await read(pieces, /: waiting/);
    reply!.end(ENDING);
    assert.match(await read(pieces, /\[DONE\]/), /"finish_reason":"stop".*\n\ndata: \[DONE\]\n\n$/s);
    assert.equal((await pieces.next()).done, true);
  });

  it('tells a failure in the stream once it has given one, and ends as no whole answer does', async () => {
    let reply: StreamReply | undefined;
    const { pieces } = await answered((made) => (reply = made));
    await read(pieces, /: waiting/);
    const run = { id: 'x', kind: 'call' } as never;
    reply!.fail(problemOf({ run } as never, 'upstream_failed', 'The model service is broken.', false));
    let text = '';
    await assert.rejects(async () => {
      for (let next = await pieces.next(); !next.done; next = await pieces.next()) text += next.value;
    });
    assert.match(text, /"message":"The model service is broken\."/);
    assert.doesNotMatch(text, /DONE/);
  });
});
