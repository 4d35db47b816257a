import assert from 'node:assert/strict';
import * as http from 'node:http';
import { clientId } from '../../../server/gateway/dialects/messages/ids.ts';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import type { Script } from '../../doubles/script.ts';
import { CHAT, MESSAGES, RESPONSES, type Shape } from '../../support/dialects.ts';
import { onBothEngines } from '../../support/engines.ts';
import type { TestServer } from '../../support/server.ts';
import { openTool, type Tool } from '../../support/tools.ts';

const C = MICRO_PER_CREDIT;
/** A million tokens cost 1,000 credits in, 100 cached, 4,000 out. */
const PRICE = { mode: 'tokens' as const, inputMicro: 1_000 * C, cachedInputMicro: 100 * C, outputMicro: 4_000 * C };
const ALL = [CHAT, MESSAGES, RESPONSES];
/** Chat completions have these tests in files of their own. */
const NEW = [MESSAGES, RESPONSES];

/** The answer as it comes off the wire. `leave` is given the text so far, and closes the connection when it is true. */
function wire(
  server: TestServer,
  tool: Tool,
  { path, ask }: Shape,
  leave: (text: string) => boolean = () => false,
): Promise<{ status: number; headers: http.IncomingHttpHeaders; text: string; isCut: boolean }> {
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
      const { headers } = answer;
      answer.on('close', () => resolve({ status: answer.statusCode!, headers, text, isCut: !answer.complete }));
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
            const { status, headers, text, isCut } = await wire(server(), tool, shape);
            assert.equal(status, 200);
            assert.ok(isCut, 'the connection is cut');
            const last = text.trimEnd().split('\n\n').at(-1)!;
            assert.match(last, shape.failed);
            const event = JSON.parse(last.slice(last.indexOf('data: ') + 'data: '.length));
            if (shape === MESSAGES) assert.equal(event.request_id, headers['request-id']);
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
  },
  {
    policy: (policy) =>
      policy.models.push({ id: 'double', contextTokens: 32_000, maxOutputTokens: 4_000, price: PRICE }),
  },
);
