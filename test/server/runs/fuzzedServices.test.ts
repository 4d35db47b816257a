// A model service that answers at random: what it says follows from a seed, which is told when something does not hold.
// More of it: PERIGEE_FUZZ_RUNS=20000, or one seed again: PERIGEE_FUZZ_SEED=… (see `npm run soak`).
import assert from 'node:assert/strict';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { audit } from '../../../server/credits/audit/audit.ts';
import { openAiUpstream } from '../../../server/gateway/upstreams/openai.ts';
import { createLog } from '../../../server/platform/log.ts';
import { ConversationSchema, type Message } from '../../../shared/conversations.ts';
import type { RunRequest } from '../../../shared/runs.ts';
import { type Script, UpstreamDouble } from '../../doubles/upstream.ts';
import { type Client, endOf, textOf } from '../../support/client.ts';
import { ENGINES } from '../../support/engines.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { KIMI, member } from '../../support/tokenPrices.ts';

const RUNS = Number(process.env.PERIGEE_FUZZ_RUNS ?? 1_000);
const SEED = Number(process.env.PERIGEE_FUZZ_SEED ?? Date.now() % 2 ** 31);
const AT_ONCE = 20;

const number = fc.oneof(
  fc.nat(400),
  fc.constantFrom(-1, 0.5, 1e300, 2 ** 53, 2 ** 31, 99_999_999, '12', 'x', null, {}, [], true, Number.MAX_VALUE),
);
const words = fc.constantFrom(
  'It ',
  'is ',
  '42.',
  '\n',
  '世界',
  '🙂',
  '\uD83D',
  '\0',
  ' ',
  '```',
  '<',
  '</b>',
  '日本語',
  '',
);
const thought = fc.constantFrom(
  '<think>',
  '</think>',
  '<thinking>',
  '[THINK]',
  '[/THINK]',
  '◁think▷',
  '\n</think>\n',
  '<thi',
  'nk>',
);
const text = fc.oneof({ weight: 6, arbitrary: words }, { weight: 1, arbitrary: thought });
const part = fc.oneof(
  text.map((text) => ({ type: 'text', text })),
  text.map((thinking) => ({ type: 'thinking', thinking })),
  text.map((refusal) => ({ type: 'refusal', refusal })),
  fc.constantFrom<unknown>({}, null, { type: 'image_url' }, 7, { type: 'x', text: 'y' }, [
    [{ type: 'text', text: 'deep' }],
  ]),
);
const content = fc.oneof(
  { weight: 8, arbitrary: text as fc.Arbitrary<unknown> },
  { weight: 1, arbitrary: fc.array(part, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, undefined, 7, true, {}) },
);
const finish = fc.oneof(
  { weight: 8, arbitrary: fc.constant<unknown>(null) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(
      'stop',
      'length',
      'STOP',
      'content_filter',
      'null',
      '',
      'none',
      'error',
      'weird',
      0,
      {},
    ),
  },
);
const report = fc.record(
  {
    prompt_tokens: number,
    completion_tokens: number,
    total_tokens: number,
    cached_tokens: number,
    cache_read_input_tokens: number,
    completion_tokens_details: fc.record({ reasoning_tokens: number }),
  },
  { requiredKeys: [] },
);
const event = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(content, finish, fc.option(text, { freq: 6 }), fc.option(report, { freq: 6 }))
      .map(([content, finish_reason, reasoning_content, usage]) => {
        const delta = { content, ...(reasoning_content === null ? {} : { reasoning_content }) };
        return JSON.stringify({ choices: [{ index: 0, delta, finish_reason }], ...(usage && { usage }) });
      }),
  },
  { weight: 2, arbitrary: report.map((usage) => JSON.stringify({ choices: [], usage })) },
  {
    weight: 1,
    dialect: 'chat' as const,
    arbitrary: fc.constantFrom(
      '{broken',
      '[]',
      'null',
      '7',
      '{"type":"ping"}',
      '{"error":{"message":"maximum context length","code":7}}',
      '{"error":"x"}',
      '{"choices":{}}',
      '{"choices":[null,7,{"delta":7}]}',
      '{"message":{"content":"a"},"done":true}',
    ),
  },
);
const last = fc.constantFrom('[DONE]', JSON.stringify({ choices: [{ delta: {}, finish_reason: 'stop' }] }));

type Framing = (datas: string[]) => string;
const framing = fc.constantFrom<Framing>(
  (datas) => datas.map((data) => `data: ${data}\n\n`).join(''),
  (datas) => datas.map((data) => `data:${data}\r\n\r\n`).join(''),
  (datas) => datas.map((data) => `data: ${data}\n`).join(''),
  (datas) => datas.map((data) => `data: ${data}\r\r`).join(''),
  (datas) => datas.map((data) => `: c\nevent: x\ndata: ${data}\n\n`).join(''),
  (datas) => `${datas.filter((data) => data !== '[DONE]').join('\n')}\n`,
  (datas) => `\uFEFF${datas.map((data) => `data: ${data}\n\n`).join('')}`,
  (datas) => `<html>${datas.length}`,
);
type Coding = { name?: string; encode: (text: string) => Buffer };
const coding = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Coding>({ encode: (text) => Buffer.from(text) }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Coding>(
      { name: 'gzip', encode: (text) => zlib.gzipSync(text) },
      { encode: (text) => zlib.gzipSync(text) },
      { name: 'br', encode: (text) => zlib.brotliCompressSync(text) },
      { name: 'deflate', encode: (text) => zlib.deflateRawSync(text) },
      { name: 'gzip', encode: (text) => Buffer.from(text) },
      { name: 'zstd, x', encode: (text) => Buffer.from(text, 'utf16le') },
      { name: 'gzip', encode: (text) => zlib.gzipSync(text).subarray(0, 30) },
    ),
  },
);
const label = fc.constantFrom('text/event-stream', 'application/json', 'text/html', 'application/x-ndjson', '');
const wait = fc.constantFrom(
  '0',
  '1',
  '99999999999999999999',
  '1764288000000',
  '1e400',
  '-1',
  'soon',
  'Fri, 31 Dec 9999 23:59:59 GMT',
);

const answer: fc.Arbitrary<Script> = fc
  .record({
    datas: fc.array(event, { maxLength: 8 }),
    end: fc.option(last, { freq: 4 }),
    frame: framing,
    coding,
    label,
    cuts: fc.array(fc.nat(900), { maxLength: 5 }),
    close: fc.constantFrom<Script['end']>('done', 'done', 'done', 'destroy'),
  })
  .map(({ datas, end, frame, coding, label, cuts, close }) => {
    const body = coding.encode(frame(end === null ? datas : [...datas, end]));
    const places = [0, ...cuts.filter((cut) => cut < body.length).sort((a, b) => a - b), body.length];
    const raw = places.slice(1).map((to, i) => body.subarray(places[i], to));
    const headers = { 'content-type': label, ...(coding.name && { 'content-encoding': coding.name }) };
    return { raw, headers, end: close };
  });
const refusal: fc.Arbitrary<Script> = fc
  .tuple(
    fc.constantFrom(204, 301, 400, 401, 402, 404, 413, 429, 500, 503, 529, 599),
    fc.oneof(event, fc.constantFrom('', '<html>', 'words', '{"detail":"no"}')),
    wait,
    fc.constantFrom('retry-after', 'retry-after-ms', 'x-other'),
  )
  .map(([status, body, value, name]) => ({ status, body, headers: { [name]: value, 'x-should-retry': 'false' } }));
const script = fc.oneof({ weight: 6, arbitrary: answer }, { weight: 1, arbitrary: refusal });

const tokensOf = ({ usage }: Message) => (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);

/** Runs one request to its end, and checks what everybody is promised. Returns its charge. */
async function check(server: TestServer, client: Client, script: Script, kind: 'chat' | 'edit', stops: boolean) {
  const name = `${crypto.randomUUID()} `;
  server.double.script({ ...script, when: name });
  const request = (kind === 'chat' ? client.chat(name) : client.edit(name, 'let a;')) as RunRequest;
  const started = await client.start(request);
  assert.equal(started.status, 202, JSON.stringify(started.body));
  const held = started.body.balance.pendingMicro;
  if (stops) await client.stop(request.id);
  const events = await client.events(request.id);
  const end = endOf(events);
  const conversation = ConversationSchema.parse((await client.conversation(request.conversationId)).body);
  const message = conversation.messages.at(-1)!;
  assert.equal(message.text, textOf(events), 'what was shown is what is kept');
  assert.equal(message.chargedMicro, end.data.chargedMicro);
  const isFree = end.type === 'error' || end.data.reason !== undefined;
  if (isFree && end.type === 'error') assert.equal(end.data.chargedMicro, 0);
  assert.notEqual(message.problem?.code, 'internal', 'a service is odd, and Perigee is not');
  // Beside the hold: what a template may add, and thoughts that the limit does not count.
  assert(end.data.chargedMicro <= held + 100_000, `${end.data.chargedMicro} of ${held}`);
  if (end.data.chargedMicro > 0)
    assert(end.type === 'done' && end.data.state !== 'interrupted', 'half an answer was charged');
  if (end.type === 'done' && end.data.state === 'complete' && message.text.trim() !== '')
    assert(end.data.chargedMicro > 0 || tokensOf(message) === 0, 'a whole answer was not charged');
}

for (const engine of ENGINES)
  describe(`a model service that answers at random (${engine})`, function () {
    this.timeout(60_000 + RUNS * 200);
    const runs = engine === 'sqlite' ? RUNS : Math.ceil(RUNS / 10);
    let server: TestServer;
    const double = new UpstreamDouble();
    const rejected: unknown[] = [];
    const onRejection = (error: unknown) => void rejected.push(error);

    before(async () => {
      await double.start();
      const timeouts = { connectMs: 5_000, firstByteMs: 10_000, idleMs: 10_000, tailMs: 10, retryMs: 1 };
      server = await startServer(engine, {
        double,
        log: createLog('silent'),
        upstream: openAiUpstream({ url: double.url, timeouts }),
        policy: (policy) => {
          policy.models = [{ id: 'double', contextTokens: 128_000, maxOutputTokens: 200, price: KIMI }];
          policy.refunds.uncharged.runs = 1_000_000;
          const plenty = Number.MAX_SAFE_INTEGER;
          for (const tier of policy.limits.tiers)
            Object.assign(tier, { requestsPerMinute: plenty, modelRequestsPerMinute: plenty, tokensPerMinute: plenty });
        },
      });
      process.on('unhandledRejection', onRejection);
    });
    after(async () => {
      process.off('unhandledRejection', onRejection);
      await server.stop();
      await double.stop();
    });

    it(`ends each of ${runs} runs once, charges a whole answer or nothing, and leaves the books right`, async () => {
      const cases = fc.sample(fc.tuple(script, fc.constantFrom('chat', 'edit'), fc.nat(9)), {
        numRuns: runs,
        seed: SEED,
      });
      let at = 0;
      const worker = async () => {
        let client = await member(server);
        for (let n = 1; at < cases.length; n++) {
          const place = at++;
          const [answer, kind, luck] = cases[place]!;
          if (n % 8 === 0) client = await member(server);
          await check(server, client, answer, kind as 'chat', luck === 0).catch((error) => {
            const told = { ...answer, raw: answer.raw?.map((piece) => Buffer.from(piece).toString('latin1')) };
            throw new Error(`PERIGEE_FUZZ_SEED=${SEED}, case ${place}: ${JSON.stringify(told)}`, { cause: error });
          });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      assert.deepEqual(rejected, []);
      const open = await server.db.read.selectFrom('run').select('id').where('state', '=', 'running').execute();
      assert.deepEqual(open, []);
      assert.deepEqual(await audit(server.db.read, server.clock.now(), 0), [], `PERIGEE_FUZZ_SEED=${SEED}`);
    });
  });
