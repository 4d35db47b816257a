import assert from 'node:assert/strict';
import { audit } from '../../server/credits/audit/audit.ts';
import { Router } from '../../server/gateway/routing/router.ts';
import { openAiUpstream } from '../../server/gateway/upstreams/openai.ts';
import { systemClock } from '../../server/platform/system.ts';
import { FAILURES, UpstreamDouble } from '../doubles/upstream.ts';
import { ENGINES } from '../support/engines.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openTool } from '../support/tools.ts';

const flat = (credits: number) => ({ mode: 'flat' as const, runMicro: credits * 1_000_000 });
const SIZES = { contextTokens: 8_000, maxOutputTokens: 100 };

for (const engine of ENGINES)
  describe(`a model that fails, and has a fallback (${engine})`, () => {
    let double: UpstreamDouble;
    let server: TestServer;
    before(async () => {
      double = await new UpstreamDouble().start();
      server = await startServer(engine, {
        double,
        upstream: new Router({
          services: [
            {
              id: 'only',
              weight: 1,
              dialect: 'chat' as const,
              models: null,
              upstream: openAiUpstream({ url: double.url, retries: 0 }),
            },
          ],
          clock: systemClock,
          log: { warn() {} },
        }),
        policy: (policy) => {
          policy.models = [
            { id: 'big', ...SIZES, price: flat(5), fallbacks: ['middle', 'dear'] },
            { id: 'middle', ...SIZES, price: flat(2) },
            { id: 'dear', ...SIZES, price: flat(20) },
          ];
        },
      });
    });
    beforeEach(() => double.reset());
    after(async () => {
      assert.deepEqual(await audit(server.db.read, server.clock.now(), 0), []);
      await server.stop();
      await double.stop();
    });
    const C = 1_000_000;

    it('is answered by the fallback at the fallback’s price, and the client and the log are told', async () => {
      const tool = await openTool(server);
      for (const stream of [true, false]) {
        double.script(FAILURES.noModel);
        double.script(FAILURES.noModel);
        double.usually({ text: 'from the fallback' });
        const body = { model: 'big', stream, messages: [{ role: 'user', content: 'Hi' }] };
        const { status, headers, text } = await tool.send(body);
        assert.equal(status, 200, text);
        assert.equal(headers.get('x-perigee-model'), 'dear');
        assert.match(text, /fallback/);
      }
      assert.deepEqual(
        double.bill.slice(0, 3).map(({ body }) => body.model),
        ['big', 'middle', 'dear'],
      );
      assert.equal(await tool.available(), (1_000 - 40) * C);
      const rows = await server.db.read
        .selectFrom('log_entry')
        .select(['model', 'amount'])
        .where('kind', '=', 'charge')
        .execute();
      assert.deepEqual(rows.slice(0, 2), [
        { model: 'dear', amount: -20 * C },
        { model: 'dear', amount: -20 * C },
      ]);
    });

    it('is held at the dearest of the chain that the account can pay', async () => {
      for (const [credits, held] of [
        [30, 20],
        [10, 5],
      ] as const) {
        const tool = await openTool(server, { credits });
        const call = double.script({ pieces: ['one ', 'two'], gateAt: 1 });
        const answer = tool.send({ model: 'big', stream: true, messages: [{ role: 'user', content: 'Hi' }] });
        await call.atGate;
        assert.equal(await tool.available(), (credits - held) * C);
        call.open();
        assert.equal((await answer).status, 200);
        assert.equal(await tool.available(), (credits - 5) * C);
      }
    });

    it('asks no fallback that the key may not use, or that the credits don’t cover', async () => {
      const strict = await openTool(server, { models: ['big'] });
      const poor = await openTool(server, { credits: 6 });
      for (const [tool, asked] of [
        [strict, ['big']],
        [poor, ['big', 'middle']],
      ] as const) {
        double.reset();
        double.usually(FAILURES.noModel);
        const { status } = await tool.send({ model: 'big', messages: [{ role: 'user', content: 'Hi' }] });
        assert.equal(status, 404);
        assert.deepEqual([...new Set(double.bill.map(({ body }) => body.model))], asked);
      }
      assert.equal(await poor.available(), 6 * C);
    });

    it('answers a conversation, too, and names who did', async () => {
      const client = await server.guest();
      await server.db.write((tx) =>
        tx.updateTable('account').set({ kind: 'member', tier: 4 }).where('id', '=', client.accountId).execute(),
      );
      double.script(FAILURES.noModel);
      double.usually({ text: 'from the fallback' });
      const asked = client.chat('Hi', { model: 'big' });
      await client.run(asked);
      const message = await server.db.read
        .selectFrom('message')
        .select(['model', 'text'])
        .where('role', '=', 'assistant')
        .where('run_id', '=', asked.id)
        .executeTakeFirstOrThrow();
      assert.deepEqual(message, { model: 'middle', text: 'from the fallback' });
    });
  });
