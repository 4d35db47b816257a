import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { Policy } from '../../../server/platform/config/config.ts';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import { onBothEngines } from '../../support/engines.ts';
import { openTool, type Tool } from '../../support/tools.ts';

const C = MICRO_PER_CREDIT;
const ASK = { model: 'double', messages: [{ role: 'user', content: 'Hi' }] };
const AT_ONCE = 100;
const MESSAGES = 10_000;
const unlimited = (policy: Policy) =>
  policy.limits.tiers.splice(0, 9, {
    requestsPerMinute: 1_000_000,
    modelRequestsPerMinute: 1_000_000,
    tokensPerMinute: 1_000_000_000,
  });

onBothEngines(
  'a client of chat completions that is up to no good',
  (server, engine) => {
    const many = engine === 'sqlite' ? AT_ONCE : AT_ONCE / 4;
    const port = () => Number(new URL(server().url).port);
    const open = async () => {
      const socket = connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true });
      // A refusal may close the connection while more is on its way.
      socket.on('error', () => {});
      await once(socket, 'connect');
      return socket;
    };
    /** All that comes until the server closes its side. */
    const rest = async (socket: Socket) => {
      let text = '';
      socket.setEncoding('utf8').on('data', (piece) => (text += piece));
      // The server ends its side, or the connection breaks.
      await new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()));
      socket.destroy();
      return text;
    };
    const head = (tool: Tool, length: number | null, ...more: string[]) =>
      [
        'POST /v1/chat/completions HTTP/1.1',
        `host: 127.0.0.1:${port()}`,
        'content-type: application/json',
        ...more,
        `authorization: Bearer ${tool.secret}`,
        ...(length === null ? [] : [`content-length: ${length}`]),
        '\r\n',
      ].join('\r\n');
    const request = (tool: Tool, body: object, ...more: string[]) => {
      const text = JSON.stringify(body);
      return head(tool, Buffer.byteLength(text), ...more) + text;
    };
    /** Nothing runs, nothing is held, nothing was charged, and the next call is answered. */
    async function unharmed(tool: Tool, answered = 0): Promise<void> {
      const running = () => server().db.read.selectFrom('run').select('id').where('state', '=', 'running').execute();
      while ((await running()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      const held = await server().db.read.selectFrom('hold').select('id').where('state', '=', 'pending').execute();
      assert.deepEqual(held, []);
      assert.equal(await tool.available(), (1_000 - answered) * C);
      assert.equal((await tool.send(ASK)).status, 200);
    }

    it('sends headers without end: it is refused, and others are answered', async () => {
      for (const [title, flood] of [
        ['large ones', Array.from({ length: 200 }, (_, n) => `x-${n}: ${'y'.repeat(1_000)}`)],
        ['one that is larger than all may be', [`x: ${'y'.repeat(1_000_000)}`]],
        ['many small ones', Array.from({ length: 20_000 }, (_, n) => `x-${n}: y`)],
      ] as const) {
        const tool = await openTool(server());
        const socket = await open();
        const answer = rest(socket);
        socket.write(request(tool, ASK, ...flood));
        assert.match(await answer, /^(HTTP\/1\.1 431 |$)/, title);
        await unharmed(tool);
      }
    });

    it('sends more headers than are kept: its key is among them or it is refused by name', async () => {
      const tool = await openTool(server());
      const socket = await open();
      const answer = rest(socket);
      socket.end(request(tool, ASK, ...Array.from({ length: 3_000 }, (_, n) => `x${n}: y`), 'connection: close'));
      const text = await answer;
      assert.match(text, /^HTTP\/1\.1 (200|400|401|431) /, text.slice(0, 300));
      if (text.includes(' 401 ')) assert.match(text, /"code":"invalid_api_key"/);
      await unharmed(tool, text.includes(' 200 ') ? 1 : 0);
    });

    it('says two lengths, or two ways of telling them: it is refused, and smuggles no second request', async () => {
      for (const more of [
        ['content-length: 4'],
        ['transfer-encoding: chunked'],
        ['transfer-encoding: chunked, identity'],
        ['content-length: -1'],
      ]) {
        const tool = await openTool(server());
        const socket = await open();
        const answer = rest(socket);
        socket.write(request(tool, ASK, ...more) + request(tool, ASK));
        assert.match(await answer, /^HTTP\/1\.1 400 /, String(more));
        await unharmed(tool);
      }
    });

    it('sends its body byte by byte: it is answered as any other', async () => {
      const tool = await openTool(server());
      const socket = await open();
      const answer = rest(socket);
      const text = JSON.stringify(ASK);
      socket.setNoDelay().write(head(tool, text.length, 'connection: close'));
      for (const byte of text) await new Promise((resolve) => socket.write(byte, resolve));
      assert.match(await answer, /^HTTP\/1\.1 200 /);
      await unharmed(tool, 1);
    });

    it('leaves in the middle of its body, by an end or a reset: nothing was started', async () => {
      for (const leave of ['end', 'resetAndDestroy', 'destroy'] as const) {
        const tool = await openTool(server());
        const sent = server().double.bill.length;
        const socket = await open();
        const received = once(server().app.server, 'request');
        socket.write(request(tool, { ...ASK, more: 'x'.repeat(200_000) }).slice(0, 100_000));
        const [incoming] = (await received) as [{ on(event: 'close', run: () => void): void }];
        const gone = new Promise<void>((resolve) => incoming.on('close', resolve));
        socket.resume();
        socket[leave]();
        await gone;
        await unharmed(tool);
        assert.equal(server().double.bill.length, sent + 1, leave);
        socket.destroy();
      }
    });

    for (const stream of [true, false])
      it(`closes its side after the request and goes on reading${stream ? ' a stream' : ''}: it gets all of its answer`, async () => {
        const tool = await openTool(server());
        const call = server().double.script({ pieces: ['one ', 'two ', 'three'], gateAt: stream ? 1 : 0 });
        const socket = await open();
        const answer = rest(socket);
        socket.end(request(tool, { ...ASK, stream }));
        await (stream ? call.atGate : call.received);
        call.open();
        const text = await answer;
        assert.match(text, /^(HTTP\/1\.1 102 Processing\r\n\r\n)?HTTP\/1\.1 200 /);
        assert.match(text, stream ? /data: \[DONE\]/ : /one two three/);
        await unharmed(tool, 1);
      });

    for (const gateAt of [0, 1])
      it(`leaves ${gateAt === 0 ? 'before the first byte' : 'while a stream pauses'}: the service is stopped at once`, async () => {
        const tool = await openTool(server());
        const call = server().double.script({ pieces: ['one ', 'two ', 'three'], gateAt });
        const socket = await open();
        socket.write(request(tool, { ...ASK, stream: true }));
        await call.atGate;
        if (gateAt > 0) await once(socket, 'data');
        socket.destroy();
        assert.equal((await call.ended).state, 'aborted');
        const running = () => server().db.read.selectFrom('run').select('id').where('state', '=', 'running').execute();
        while ((await running()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
        const [line] = await tool.log();
        assert.equal(line?.kind, gateAt === 0 ? 'not_charged' : 'charge');
      });

    it('sends several requests at once on one connection: each is answered, in their order', async () => {
      const tool = await openTool(server());
      const socket = await open();
      const answer = rest(socket);
      const asked = Array.from({ length: 8 }, (_, n) => {
        server().double.script({ text: `answer-${n}.`, when: `#${n}#` });
        const body = { ...ASK, messages: [{ role: 'user', content: `#${n}#` }], stream: n % 2 === 0 };
        return request(tool, body, ...(n === 7 ? ['connection: close'] : []));
      });
      socket.write(asked.join(''));
      const text = await answer;
      assert.deepEqual(
        [...text.matchAll(/answer-(\d)/g)].map(([, n]) => n),
        ['0', '1', '2', '3', '4', '5', '6', '7'],
      );
      await unharmed(tool, 8);
    });

    it(`opens ${many} streams at once by one key: each is whole and charged once`, async () => {
      const tool = await openTool(server());
      const calls = Array.from({ length: many }, () => tool.send({ ...ASK, stream: true }));
      for (const { status, text } of await Promise.all(calls)) {
        assert.equal(status, 200, text);
        assert.match(text, /data: \[DONE\]\n\n$/);
      }
      await unharmed(tool, many);
    });

    it(`opens ${many} streams by a key of 10 credits: ten are paid, and all others refused by name`, async () => {
      const tool = await openTool(server(), { monthlyMicro: 10 * C });
      const calls = Array.from({ length: many }, () => tool.send({ ...ASK, stream: true }));
      const answers = await Promise.all(calls);
      assert.equal(answers.filter(({ status }) => status === 200).length, 10);
      for (const { text } of answers.filter(({ status }) => status !== 200))
        assert.equal(JSON.parse(text).error.code, 'insufficient_quota');
      assert.equal(await tool.available(), 990 * C);
    });

    if (engine === 'sqlite') {
      it(`sends ${MESSAGES} messages: the model gets them all, or they are refused by name`, async () => {
        const tool = await openTool(server());
        const messages = Array.from({ length: MESSAGES }, (_, n) => ({
          role: n % 2 ? 'assistant' : 'user',
          content: 'a',
        }));
        const { status, text } = await tool.send({ ...ASK, messages });
        assert.equal(status, 200, text);
        assert.equal(server().double.bill.at(-1)!.body.messages!.length, MESSAGES);
        const more = Array.from({ length: 50 * MESSAGES }, () => ({ role: 'user', content: '' }));
        const refused = await tool.send({ ...ASK, messages: more });
        assert.equal(refused.status, 400, refused.text);
        assert.match(JSON.parse(refused.text).error.message, /\w+/);
        await unharmed(tool, 1);
      });

      it('hides depth in each place that takes any JSON: it is refused by name', async () => {
        const tool = await openTool(server());
        const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
        const places = [
          (json: string) => `{"model":"double","messages":[{"role":"user","content":"Hi"}],"extra_body":${json}}`,
          (json: string) =>
            `{"model":"double","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"a","parameters":${json}}}]}`,
          (json: string) => `{"model":"double","messages":[{"role":"user","content":[${json}]}]}`,
          (json: string) => json,
        ];
        for (const [n, place] of places.entries())
          for (const depth of [1_000, 100_000]) {
            const { status, text } = await tool.send(place(deep(depth)));
            assert.equal(status, 400, `${n} ${depth}: ${text}`);
            assert.equal(typeof JSON.parse(text).error.code, 'string');
          }
        await unharmed(tool);
      });

      it('sends bombs of every encoding, many at once: each is refused, and takes no memory that stays', async () => {
        const tool = await openTool(server());
        const plain = Buffer.alloc(64 * 1024 * 1024, ' ');
        const bombs: [string, Uint8Array][] = [
          ['gzip', gzipSync(plain, { level: 1 })],
          ['deflate', deflateSync(plain, { level: 1 })],
          ['br', brotliCompressSync(plain, { params: { 1: 1 } })],
        ];
        const before = process.memoryUsage().rss;
        for (const [encoding, bomb] of bombs) {
          const calls = Array.from({ length: 10 }, () => tool.send(bomb, { 'content-encoding': encoding }));
          for (const { status, text } of await Promise.all(calls)) {
            assert.ok([413, 503].includes(status), `${encoding}: ${status} ${text}`);
            assert.ok(JSON.parse(text).error.message);
          }
        }
        const grown = process.memoryUsage().rss - before;
        assert.ok(grown < 400 * 1024 * 1024, `${Math.round(grown / 1024 / 1024)} MB`);
        for (const encoding of ['zstd', 'gzip, gzip', 'compress', 'x'.repeat(1_000)]) {
          const { status, text } = await tool.send('x', { 'content-encoding': encoding });
          assert.deepEqual([status, JSON.parse(text).error.code], [415, 'unsupported_encoding'], encoding);
        }
        await unharmed(tool);
      });
    }
  },
  { policy: unlimited },
);
