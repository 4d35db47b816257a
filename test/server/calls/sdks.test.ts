import assert from 'node:assert/strict';
import { openAiUpstream } from '../../../server/gateway/upstreams/openai.ts';
import type { Policy } from '../../../server/platform/config/config.ts';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { FAILURES } from '../../doubles/script.ts';
import { UpstreamDouble } from '../../doubles/upstream.ts';
import { type Ask, hurried, SDKS, type Told } from '../../support/sdks.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { openTool, type Tool } from '../../support/tools.ts';

const C = MICRO_PER_CREDIT;
const ASK: Ask = { prompt: 'Hi' };
/** One pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const A_MINUTE = 4;

for (const sdk of SDKS)
  describe(`a program that uses ${sdk.name}`, () => {
    let server: TestServer;
    let double: UpstreamDouble;
    /** Calls that reached the server. */
    let tries = 0;
    before(async () => {
      const limits = { requestsPerMinute: A_MINUTE, modelRequestsPerMinute: A_MINUTE, tokensPerMinute: 10_000_000 };
      double = await new UpstreamDouble().start();
      // The gateway's own second try needs no wait here.
      const upstream = openAiUpstream({ url: double.url, timeouts: { retryMs: 1 } });
      const policy = (given: Policy) => given.limits.tiers.splice(0, 9, limits);
      server = await startServer('sqlite', { policy, double, upstream });
      server.app.server.on('request', (request) => {
        if (request.url === '/v1/chat/completions') tries++;
      });
    });
    beforeEach(() => {
      tries = 0;
      server.double.usually({ text: 'Hello.' });
    });
    afterEach(() => server.audit());
    after(async () => {
      await server.stop();
      await double.stop();
    });

    /** Calls, and does not wait before another try: the server's clock goes on instead. */
    async function call(tool: Tool, asked: Ask): Promise<Told & { waits: number[] }> {
      const waits: number[] = [];
      const told = await hurried(
        () => sdk.ask({ url: server.url, key: tool.secret }, asked),
        (ms) => {
          waits.push(ms);
          server.clock.advance(ms);
        },
      );
      return { ...told, waits };
    }
    const kinds = async (tool: Tool) => (await tool.log()).map(({ kind }) => kind);
    const sent = () => server.double.bill.at(-1)!.body as { messages: { content: unknown }[]; tools?: unknown[] };

    const isStream = sdk.name.includes('streamed');

    it('has the text, its end and the tokens that it was charged', async () => {
      const tool = await openTool(server);
      server.double.script({ text: 'Good day to you.' });
      const told = await call(tool, ASK);
      assert.deepEqual([told.text, told.finish, told.outputTokens, tries], ['Good day to you.', 'stop', 4, 1]);
      assert.equal((await tool.log())[0]?.output_tokens, 4);
    });

    it('is told that an answer was cut by its limit', async () => {
      const tool = await openTool(server);
      server.double.script({ text: 'Good day', finish: 'length' });
      assert.equal((await call(tool, ASK)).finish, 'length');
    });

    it('calls its tool, sends the result in a second turn, and has the answer', async () => {
      const tool = await openTool(server);
      const tools = [{ id: 'functions.read:0', name: 'read', arguments: ['{"path"', ':"src/ä.ts"}'] }];
      server.double.script({ pieces: ['So. '], tools });
      const first = await call(tool, { ...ASK, withTool: true });
      const [called] = first.called;
      assert.deepEqual(called, { id: 'functions.read:0', name: 'read', input: { path: 'src/ä.ts' } });
      assert.match(first.finish!, /^tool.calls$/);
      server.double.script({ text: 'It is empty.' });
      const result = { called: called!, said: 'const a = "}{";\n' };
      const second = await call(tool, { ...ASK, withTool: true, result });
      assert.equal(second.text, 'It is empty.');
      const [, assistant, answer] = sent().messages as [unknown, { tool_calls: unknown[] }, unknown];
      assert.deepEqual(answer, { role: 'tool', tool_call_id: called!.id, content: result.said });
      assert.deepEqual(assistant.tool_calls, [
        { id: called!.id, type: 'function', function: { name: 'read', arguments: '{"path":"src/ä.ts"}' } },
      ]);
      assert.equal(sent().tools?.length, 1);
      assert.deepEqual(await kinds(tool), ['charge', 'charge', 'grant']);
    });

    it('sends a picture, which the model gets as it is', async () => {
      const tool = await openTool(server);
      const told = await call(tool, { prompt: 'What is this?', picture: PNG });
      assert.equal(told.failed, undefined);
      assert.deepEqual(sent().messages[0]!.content, [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
      ]);
    });

    if (isStream)
      it('has the thoughts apart from the text', async () => {
        const tool = await openTool(server);
        server.double.script({ thoughts: ['Let ', 'me.'], text: 'Done.' });
        const told = await call(tool, ASK);
        assert.deepEqual([told.thoughts, told.text, told.outputTokens], ['Let me.', 'Done.', 3]);
      });

    it('tries once where its key is wrong (401), and shows what to do', async () => {
      const tool = await openTool(server);
      const { failed, waits } = await call({ ...tool, secret: 'sk-of-another-service' }, ASK);
      assert.equal(failed?.type, sdk.name.startsWith('openai') ? 'AuthenticationError' : 'APICallError');
      assert.deepEqual([failed?.status, tries, waits], [401, 1, []]);
      assert.match(failed!.message, /pgk_….*account page/);
    });

    it('tries once where its credits are spent (402), and shows what to do', async () => {
      const tool = await openTool(server, { credits: 0 });
      const { failed, waits } = await call(tool, ASK);
      assert.equal(failed?.type, sdk.name.startsWith('openai') ? 'APIError' : 'APICallError');
      assert.deepEqual([failed?.status, tries, waits], [402, 1, []]);
      assert.match(failed!.message, /does not cover this request.*add credits/);
    });

    it('waits for as long as a busy service says (503)', async () => {
      const tool = await openTool(server);
      server.double.script(FAILURES.busy('30'));
      const { failed, waits } = await call(tool, ASK);
      assert.deepEqual([failed, tries], [undefined, 2]);
      assert.ok(waits.length === 1 && waits[0]! >= 28_000 && waits[0]! <= 34_000, String(waits));
    });

    it('waits for as long as it is told where its minute is full (429), and is answered then', async () => {
      const tool = await openTool(server);
      for (let n = 0; n < A_MINUTE; n++) {
        assert.equal((await call(tool, ASK)).failed, undefined);
        // SDKs wait for less than a minute only.
        server.clock.advance(10_000);
      }
      tries = 0;
      const { failed, waits, text } = await call(tool, ASK);
      assert.deepEqual([failed, tries, text.length > 0], [undefined, 2, true]);
      assert.ok(waits.length === 1 && waits[0]! > 15_000 && waits[0]! <= 25_000, String(waits));
    });

    it('tries three times where its minute stays full (429), and is told the limit and the time', async () => {
      const tool = await openTool(server);
      for (let n = 0; n < A_MINUTE; n++) await call(tool, ASK);
      tries = 0;
      const told = await hurried(
        () => sdk.ask({ url: server.url, key: tool.secret }, ASK),
        () => {},
      );
      assert.equal(told.failed?.type, sdk.name.startsWith('openai') ? 'RateLimitError' : 'APICallError');
      assert.deepEqual([told.failed?.status, tries], [429, sdk.tries]);
      assert.match(told.failed!.message, new RegExp(`${A_MINUTE} .*minute`));
      assert.ok(Number(told.failed?.retryAfter) > 50);
    });

    it('is answered by its next try where the service was broken (5xx), and pays once', async () => {
      const tool = await openTool(server);
      // The gateway itself tries twice for each try of the client.
      server.double.script({ ...FAILURES.broken, times: 2 });
      const { failed, text, waits } = await call(tool, ASK);
      assert.deepEqual([failed, tries, waits.length], [undefined, 2, 1]);
      assert.match(text, /^Hello/);
      assert.deepEqual(await kinds(tool), ['charge', 'not_charged', 'grant']);
      assert.equal(await tool.available(), 999 * C);
    });

    it('gives up after three tries where the service stays broken (5xx), and pays nothing', async () => {
      const tool = await openTool(server);
      server.double.usually(FAILURES.broken);
      const { failed } = await call(tool, ASK);
      assert.equal(failed?.type, sdk.name.startsWith('openai') ? 'InternalServerError' : 'APICallError');
      assert.deepEqual([failed?.status, tries], [502, sdk.tries]);
      assert.match(failed!.message, /model service/);
      assert.equal(await tool.available(), 1_000 * C);
    });

    if (isStream)
      for (const end of ['destroy', 'eof', 'error', 'malformed'] as const)
        it(`never takes half an answer for the whole (${end}): it has the text so far and an error, and pays nothing`, async () => {
          const tool = await openTool(server);
          server.double.script({ pieces: ['It ', 'was '], end });
          const { failed, text, finish } = await call(tool, ASK);
          assert.equal(text, 'It was ');
          assert.equal(finish === null || finish === 'error', true, String(finish));
          assert.match(failed!.message, /^The model service (stopped|failed|sent something unreadable)/);
          assert.equal(tries, 1, 'what was shown is not asked for again');
          assert.deepEqual(await kinds(tool), ['not_charged', 'grant']);
        });
    else
      it('has an error for an answer that broke off, and no half of it', async () => {
        const tool = await openTool(server);
        server.double.usually({ instead: 'close' });
        const { failed, text } = await call(tool, ASK);
        assert.deepEqual([failed?.status, text, tries], [502, '', sdk.tries]);
        assert.equal(await tool.available(), 1_000 * C);
      });

    it('stops the service when it aborts', async () => {
      const tool = await openTool(server);
      const controller = new AbortController();
      const scripted = server.double.script({ pieces: ['It ', 'was ', 'long'], gateAt: isStream ? 1 : 0 });
      const told = call(tool, { ...ASK, signal: controller.signal }).catch((error: Error) => error);
      await (isStream ? scripted.atGate : scripted.received);
      controller.abort();
      await told;
      // An answer in one piece goes on: only its end says what it costs.
      if (!isStream) scripted.open();
      assert.equal((await scripted.ended).state, isStream ? 'aborted' : 'complete');
      const open = () => server.db.read.selectFrom('run').select('id').where('state', '=', 'running').execute();
      while ((await open()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(tries, 1);
    });
  });
