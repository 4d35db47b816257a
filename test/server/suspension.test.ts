import assert from 'node:assert/strict';
import { suspend } from '../../server/accounts/cases/sanctions.ts';
import { RUNS_OF_ACCOUNTS } from '../../server/gateway/runs/runs.ts';
import { Client, endOf } from '../support/client.ts';
import { ENGINES } from '../support/engines.ts';
import { freshDatabase, startServer, type TestServer } from '../support/server.ts';
import { member } from '../support/tokenPrices.ts';
import { openTool } from '../support/tools.ts';

const WHY = 'It was resold.';

const DIALECTS: [path: string, body: object, told: RegExp][] = [
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] }, /data: \{"error":\{.*"code":"suspended"/],
  [
    '/v1/messages',
    { max_tokens: 500, messages: [{ role: 'user', content: 'Hi' }] },
    /event: error\ndata: .*"permission_error"/,
  ],
  ['/v1/responses', { input: 'Hi' }, /event: response\.failed\ndata: .*"code":"suspended"/],
];

for (const engine of ENGINES)
  describe(`a suspension (${engine})`, function () {
    this.timeout(30_000);
    /** The answers run on the first node; the operator's command runs beside the last one. */
    const nodes: TestServer[] = [];
    let remove: () => Promise<void>;
    before(async () => {
      const database = await freshDatabase(engine);
      ({ remove } = database);
      const options = { databaseUrl: database.url };
      nodes.push(await startServer(engine, options));
      if (engine === 'postgres') nodes.push(await startServer(engine, { ...options, double: nodes[0]!.double }));
    });
    after(async () => {
      for (const node of nodes) await node.stop();
      await nodes[0]?.double.stop();
      await remove();
    });
    afterEach(() => nodes[0]!.audit());
    const server = () => nodes[0]!;
    const sanction = (accountId: string) => {
      const { db, clock } = nodes.at(-1)!;
      return db.write((tx) => suspend(tx, RUNS_OF_ACCOUNTS, accountId, { why: WHY, until: null, at: clock.now() }));
    };
    /** Waits until no answer runs. */
    const settled = async () => {
      const open = () => server().db.read.selectFrom('run').select('id').where('state', '=', 'running').execute();
      while ((await open()).length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    };

    for (const [path, body, told] of DIALECTS)
      it(`stops a streamed call of ${path}: what came is charged, and the client reads why`, async () => {
        const tool = await openTool(server());
        const call = server().double.script({ pieces: ['one ', 'two ', 'three'], gateAt: 2 });
        const headers = { ...tool.headers, 'content-type': 'application/json' };
        const send = { method: 'POST', headers, body: JSON.stringify({ model: 'double', stream: true, ...body }) };
        const response = await fetch(server().url + path, send);
        let text = '';
        const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
        while (!text.includes('two')) text += (await reader.read()).value;
        await sanction(tool.accountId);
        // The connection is cut behind the last event.
        for (;;) {
          const piece = await reader.read().catch(() => ({ done: true, value: undefined }));
          if (piece.done) break;
          text += piece.value;
        }
        assert.match(text, told);
        assert.match(text, /It was resold\. This answer was stopped; what came of it was charged\./);
        assert.equal((await call.ended).state, 'aborted');
        await settled();
        assert.equal((await tool.log())[0]?.kind, 'charge');
        assert.equal((await tool.send({ model: 'double', ...body }, {}, path)).status, 403);
      });

    it('stops a call in one piece, which is refused with why', async () => {
      const tool = await openTool(server());
      server().double.script({ instead: 'hang' });
      const { bill } = server().double;
      const before = bill.length;
      const answer = tool.send({ model: 'double', messages: [{ role: 'user', content: 'Hi' }] });
      while (bill.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
      await sanction(tool.accountId);
      const { status, text } = await answer;
      assert.equal(status, 403);
      assert.match(text, /It was resold/);
      await settled();
    });

    it('stops a run in the editor: it ends as stopped, charged for what came', async () => {
      const client = await member(server());
      const call = server().double.script({ pieces: ['one ', 'two ', 'three'], gateAt: 2 });
      const request = client.chat('well?');
      await client.start(request);
      await client.events(request.id, 0, (event) => event.type === 'text');
      await sanction(client.accountId);
      const end = endOf(await client.events(request.id));
      assert.ok(end.type === 'done' && end.data.state === 'stopped' && end.data.chargedMicro > 0, JSON.stringify(end));
      assert.equal((await call.ended).state, 'aborted');
      const refused = await new Client(server().url, client.token, client.accountId).start(client.chat('more?'));
      assert.deepEqual([refused.status, refused.body.code], [403, 'suspended']);
    });

    it('leaves nothing running of what is admitted at the same time', async () => {
      server().double.usually({ pieces: ['one ', 'two'], everyMs: 20_000 });
      for (let round = 0; round < 8; round++) {
        const tool = await openTool(server());
        const body = { model: 'double', stream: true, messages: [{ role: 'user', content: 'Hi' }] };
        const calls = Array.from({ length: 4 }, () => tool.send(body).catch(() => null));
        const others = round % 4;
        for (let i = 0; i < others; i++) await new Promise((resolve) => setImmediate(resolve));
        await sanction(tool.accountId);
        for (const answer of await Promise.all(calls))
          assert.ok(answer === null || /resold|suspended/.test(answer.text), answer?.text);
      }
      await settled();
      server().double.usually({ text: 'Hello.' });
    });
  });
