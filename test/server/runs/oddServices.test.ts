import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { estimateTokens } from '../../../server/gateway/prompt/tokens.ts';
import { type StreamEvent, UpstreamError } from '../../../server/gateway/stream.ts';
import { createLog } from '../../../server/platform/log.ts';
import { ConversationSchema } from '../../../shared/conversations.ts';
import { ErrorEventSchema } from '../../../shared/runs.ts';
import { type Client, endOf, type SeenEvent, textOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import { upstreamOf } from '../../support/pieces.ts';
import type { TestServer } from '../../support/server.ts';
import { KIMI, member } from '../../support/tokenPrices.ts';

const C = 1_000_000;
const DAY_MS = 24 * 3_600_000;
const alarms: unknown[][] = [];
const log = Object.assign(createLog('silent'), { error: (...line: unknown[]) => void alarms.push(line) });

const chunk = (delta: unknown, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const usage = (report: unknown) => `data: ${JSON.stringify({ choices: [], usage: report })}\n\n`;
const DONE = 'data: [DONE]\n\n';

/** The conversation as its owner reads it; fails where it does not fit its contract. */
async function read(client: Client, id: string) {
  return ConversationSchema.parse((await client.conversation(id)).body);
}

const chargedOf = (events: SeenEvent[]) => endOf(events).data.chargedMicro;

onBothEngines(
  'an odd model service',
  (server: () => TestServer) => {
    const WAITS = ['99999999999999999999', '9'.repeat(400), String(Date.now() + 60_000), '1e400', '-5', '253402300800'];
    for (const name of ['retry-after', 'retry-after-ms'])
      for (const wait of WAITS)
        it(`that names ${wait.slice(0, 24)} as ${name} ends its run alone, and the conversation opens`, async () => {
          const client = await member(server());
          const body = '{"error":{"message":"slow down"}}';
          const refusal = { status: 429, headers: { [name]: wait, 'x-should-retry': 'false' }, body };
          server().double.script(refusal);
          const request = client.chat('go');
          const events = await client.run(request);
          const end = endOf(events);
          assert.deepEqual([end.type, chargedOf(events)], ['error', 0]);
          const { retryAt } = ErrorEventSchema.parse(end.data);
          if (retryAt) assert(Date.parse(retryAt) <= Date.now() + DAY_MS + 1_000, retryAt);
          const { messages } = await read(client, request.conversationId);
          assert.equal(messages.at(-1)?.problem?.code, 'upstream_busy');
          assert.equal(await client.available(), 10 * C);
        });

    it('before it was known as odd: what is stored of it is read, and costs one message nothing but itself', async () => {
      const client = await member(server());
      const request = client.chat('first');
      const ids: string[] = [];
      for (const text of ['first', 'second', 'third', 'fourth']) {
        const next = { ...request, id: crypto.randomUUID(), input: { text } } as typeof request;
        server().double.script({ status: 400, body: '{"error":{"message":"no"}}' });
        await client.run(next);
        ids.push(next.id);
      }
      const stored = [
        JSON.stringify({
          type: 'x',
          title: 'Busy',
          status: 503,
          detail: 'Later.',
          code: 'upstream_busy',
          requestId: 'r',
          retryAt: '+010000-01-01T00:00:00.000Z',
        }),
        JSON.stringify({
          type: 'x',
          title: 'Odd',
          status: 503,
          detail: 'Later.',
          code: 'no_such_code',
          requestId: 'r',
        }),
        '{"type":',
        '7',
      ];
      await server().db.write(async (tx) => {
        for (const [i, problem] of stored.entries())
          await sql`update message set problem = ${problem}, reason = 'of_tomorrow' where run_id = ${ids[i]} and role = 'assistant'`.execute(
            tx,
          );
        await sql`update message set usage = '{"inputTokens":1e300}' where run_id = ${ids[0]} and role = 'assistant'`.execute(
          tx,
        );
        await sql`update run_event set payload = ${`[["error",${stored[0]}]]`} where run_id = ${ids[0]}`.execute(tx);
      });
      const { messages } = await read(client, request.conversationId);
      assert.deepEqual(
        messages.map(({ role, text, problem }) => (role === 'user' ? text : problem?.code)),
        ['first', 'upstream_busy', 'second', 'internal', 'third', 'internal', 'fourth', 'internal'],
      );
      assert.deepEqual([messages[1]!.problem?.detail, messages[1]!.problem?.retryAt], ['Later.', undefined]);
      const [event] = await client.events(ids[0]!, 0, () => true);
      assert.equal((event as { data: { retryAt?: string } }).data.retryAt, undefined);
    });

    it('that thinks is paid for its thoughts when it is stopped at its last word', async () => {
      const client = await member(server());
      const thoughts = ['I think about this for long. '.repeat(150)];
      const call = server().double.script({ thoughts, pieces: ['Yes', '.'], gateAt: 1 });
      const request = client.chat('well?');
      await client.start(request);
      await client.events(request.id, 0, (event) => event.type === 'text');
      await client.stop(request.id);
      const charged = chargedOf(await client.events(request.id));
      assert(charged >= estimateTokens(thoughts[0]!) * 250, `${charged} for the thoughts as well`);
      assert(charged < 2 * estimateTokens(thoughts[0]!) * 250 + 200_000, `${charged}`);
      await call.ended;
    });

    it('is paid for no less than it had reported, or than was received, when it is stopped', async () => {
      const client = await member(server());
      const text = 'Words upon words. '.repeat(100);
      const cases: [unknown, number][] = [
        [{ prompt_tokens: 300, completion_tokens: 5_000 }, 300 * 60 + 5_000 * 250],
        [{ prompt_tokens: 300, completion_tokens: 0 }, 300 * 60 + estimateTokens(text) * 250],
      ];
      for (const [report, least] of cases) {
        const raw = [chunk({ content: text }), usage(report), chunk({ content: 'More.' }), chunk({}, 'stop'), DONE];
        server().double.script({ raw, gateAt: 3 });
        const request = client.chat('well?');
        await client.start(request);
        await client.events(request.id, 0, (event) => event.type === 'text' && event.data.text.includes('More'));
        await client.stop(request.id);
        const charged = chargedOf(await client.events(request.id));
        assert(charged >= least && charged < least + 50_000, `${charged} of at least ${least}`);
      }
    });

    it('that reports 200,000 tokens for a short question costs no more than was held, and alarms', async () => {
      for (const [report, side] of [
        [{ prompt_tokens: 200_000, completion_tokens: 2 }, 'input'],
        [{ prompt_tokens: 20, completion_tokens: 200_000 }, 'output'],
      ] as const) {
        const client = await member(server());
        alarms.length = 0;
        server().double.script({ pieces: ['Hello.'], usage: report });
        const request = client.chat('hello');
        const held = (await client.start(request)).body.balance.pendingMicro;
        const events = await client.events(request.id);
        const end = endOf(events);
        Object.assign(server().double.bill.at(-1)!, {
          inputTokens: report.prompt_tokens,
          cachedInputTokens: 0,
          outputTokens: report.completion_tokens,
        });
        assert(chargedOf(events) <= held + 1_024 * 60, `${chargedOf(events)} of ${held} for ${side}`);
        assert.equal(end.type === 'done' && end.data.reason, 'beyond_hold');
        assert(alarms.some(([, message]) => /impossible usage/.test(String(message))));
        assert.match(
          await (await fetch(`${server().url}/metrics`)).text(),
          new RegExp(`usage_corrected_total{wrong="${side}"}`),
        );
      }
    });

    it('that counts its reasoning beside is billed by its total', async () => {
      const client = await member(server());
      const text = 'words and words '.repeat(1_000);
      const request = client.chat('how?', { input: { text } });
      const report = {
        prompt_tokens: 4_020,
        completion_tokens: 100,
        total_tokens: 4_420,
        completion_tokens_details: { reasoning_tokens: 300 },
      };
      server().double.script({ pieces: ['Four.'], usage: report });
      assert.equal(chargedOf(await client.run(request)), 4_020 * 60 + 400 * 250);
      Object.assign(server().double.bill.at(-1)!, { inputTokens: 4_020, cachedInputTokens: 0, outputTokens: 400 });
    });

    const INLINE: [title: string, pieces: string[]][] = [
      ['in tags', ['<thi', 'nk>No, ', 'b it is.</th', 'ink>\n\nIt is ', 'b.']],
      ['in tags that its template opened', ['No, ', 'b it is.\n', '</think>', '\n\n', 'It is ', 'b.']],
    ];
    for (const [title, pieces] of INLINE)
      for (const kind of ['chat', 'edit'] as const)
        it(`that thinks ${title} has its thoughts kept out of ${kind === 'chat' ? 'the chat' : 'an edit'}`, async () => {
          const client = await member(server());
          const call = server().double.script({
            raw: [...pieces.map((content) => chunk({ content })), chunk({}, 'stop'), DONE],
            gateAt: 3,
          });
          const request = kind === 'chat' ? client.chat('a or b?') : client.edit('a or b?', 'let a;');
          await client.start(request);
          await call.atGate;
          const live = client.events(request.id);
          call.open();
          const events = await live;
          assert.equal(textOf(events), 'It is b.');
          assert.equal(textOf(await client.events(request.id)), 'It is b.', 'told again');
          const { messages } = await read(client, request.conversationId);
          assert.equal(messages.at(-1)?.text, 'It is b.');
          assert(messages.at(-1)!.usage!.outputTokens > estimateTokens('It is b.'), 'and counted');
          if (kind === 'edit') return;
          await client.run({ ...request, id: crypto.randomUUID(), input: { text: 'Sure?' } } as typeof request);
          const sent = JSON.stringify(server().double.bill.at(-1)!.body.messages);
          assert(sent.includes('It is b.') && !sent.includes('No, b'), sent);
        });

    it('sees no thoughts that were stored before they were told from answers', async () => {
      const client = await member(server());
      const request = client.chat('a or b?');
      await client.run(request);
      const old = '<think>No, b.</think>\n\nIt is b.';
      await server().db.write((tx) =>
        sql`update message set text = ${old} where run_id = ${request.id} and role = 'assistant'`.execute(tx),
      );
      await client.run({ ...request, id: crypto.randomUUID(), input: { text: 'Sure?' } } as typeof request);
      const { messages } = server().double.bill.at(-1)!.body;
      assert.equal(messages?.findLast(({ role }) => role === 'assistant')?.content, 'It is b.');
    });
  },
  {
    log,
    policy: (policy) => {
      policy.models = [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 8192, price: KIMI }];
    },
  },
);

const FAULTS: [title: string, stream: () => AsyncGenerator<StreamEvent>][] = [
  [
    'text that is none',
    async function* () {
      yield { type: 'text', text: undefined as unknown as string };
    },
  ],
  [
    'a wait that is no number',
    async function* () {
      yield { type: 'text', text: 'Half ' };
      throw new UpstreamError('upstream_busy', 'Busy.', { retryAfterMs: Number.NaN });
    },
  ],
  [
    'nothing, thrown',
    async function* () {
      yield { type: 'text', text: 'Half ' };
      throw null;
    },
  ],
];
let stream: (signal: AbortSignal) => AsyncGenerator<StreamEvent> = FAULTS[0]![1];

onBothEngines(
  'a fault while a run is answered',
  (server) => {
    for (const [title, faulty] of FAULTS)
      it(`ends that run alone, uncharged, and is counted: ${title}`, async () => {
        stream = faulty;
        const client = await server().guest();
        const request = client.chat('go');
        const end = endOf(await client.run(request));
        assert.deepEqual([end.type === 'error' && end.data.code, end.data.chargedMicro], ['internal', 0]);
        const { messages } = await read(client, request.conversationId);
        assert.deepEqual([messages.at(-1)?.state, messages.at(-1)?.reason], ['failed', 'our_failure']);
        assert.equal(await client.available(), 10 * C);
        const metrics = await (await fetch(`${server().url}/metrics`)).text();
        assert.match(metrics, /perigee_faults_total\{work="run"\} [1-9]/);
      });

    it('none: a stop during thoughts costs what was thought, for the service bills it', async () => {
      let thought = () => {};
      const hasThought = new Promise<void>((resolve) => {
        thought = resolve;
      });
      stream = async function* (signal) {
        yield { type: 'thinking', text: 'Hm.' };
        thought();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw signal.reason;
      };
      const client = await server().guest();
      const request = client.chat('go');
      await client.start(request);
      await hasThought;
      await client.stop(request.id);
      const end = endOf(await client.events(request.id));
      assert.deepEqual(end.type === 'done' && [end.data.state, end.data.chargedMicro], ['stopped', C]);
    });

    it('takes usage that is none for no report', async () => {
      stream = async function* () {
        yield { type: 'text', text: 'Whole.' };
        const usage = { inputTokens: 1e300, cachedInputTokens: Number.NaN, outputTokens: -2, estimated: false };
        yield { type: 'usage', usage };
        yield { type: 'finish', why: 'stop' };
      };
      const client = await server().guest();
      const request = client.chat('go');
      await client.run(request);
      const { messages } = await read(client, request.conversationId);
      assert.deepEqual([messages.at(-1)?.state, messages.at(-1)?.usage?.estimated], ['complete', true]);
    });
  },
  { upstream: upstreamOf((signal) => stream(signal)) },
);
