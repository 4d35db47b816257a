import assert from 'node:assert/strict';
import { runCommand } from '../../server/accounts/operator/commands.ts';
import { drainOrUse, type ListedService } from '../../server/accounts/operator/upstreamCommands.ts';
import { audit } from '../../server/credits/audit/audit.ts';
import { Router } from '../../server/gateway/routing/router.ts';
import { followDrains } from '../../server/gateway/routing/services.ts';
import { RUNS_OF_ACCOUNTS } from '../../server/gateway/runs/runs.ts';
import { openAiUpstream } from '../../server/gateway/upstreams/openai.ts';
import { parseConfig } from '../../server/platform/config/config.ts';
import { systemClock, systemIds } from '../../server/platform/system.ts';
import { FAILURES, UpstreamDouble } from '../doubles/upstream.ts';
import { COMMANDS } from '../support/admin.ts';
import { ENGINES } from '../support/engines.ts';
import { freshDatabase, SECRET, startServer, type TestServer } from '../support/server.ts';
import { openTool, type Tool } from '../support/tools.ts';

for (const engine of ENGINES)
  describe(`a server with two model services (${engine})`, () => {
    const doubles = {} as Record<'east' | 'west', UpstreamDouble>;
    let router: Router;
    let database: Awaited<ReturnType<typeof freshDatabase>>;
    let server: TestServer;
    let tool: Tool;
    before(async () => {
      for (const id of ['east', 'west'] as const) doubles[id] = await new UpstreamDouble().start();
      database = await freshDatabase(engine);
      router = routerOf();
      server = await startServer(engine, { upstream: router, databaseUrl: database.url });
      tool = await openTool(server);
    });
    const routerOf = () => {
      const services = Object.entries(doubles).map(([id, { url }]) => ({
        id,
        weight: 1,
        dialect: 'chat' as const,
        models: null,
        upstream: openAiUpstream({ url, retries: 0 }),
      }));
      return new Router({ services, clock: systemClock, log: { warn() {} } });
    };
    beforeEach(() => {
      for (const [id, double] of Object.entries(doubles)) {
        double.reset();
        double.usually({ text: id });
      }
    });
    after(async () => {
      assert.deepEqual(await audit(server.db.read, server.clock.now(), 0), []);
      await server.stop();
      await database.remove();
      for (const double of Object.values(doubles)) await double.stop();
    });

    const ask = (prompt_cache_key: string, stream = false) =>
      tool.send({ model: 'double', stream, prompt_cache_key, messages: [{ role: 'user', content: 'Hi' }] });
    const admin = (...args: string[]) => {
      const { policy, leaseMs } = parseConfig({}, () => '{}');
      const services: ListedService[] = Object.entries(doubles).map(([id, { url }]) => ({
        id,
        host: new URL(url).host,
        weight: 1,
        dialect: 'chat' as const,
        models:
          id === 'west'
            ? new Map([
                ['double', 'double'],
                ['mine', 'another'],
              ])
            : null,
        ask: () => openAiUpstream({ url, retries: 0 }).models(),
      }));
      const { db, clock } = server;
      const base = { ...COMMANDS, db, clock, ids: systemIds, policy, leaseMs, secret: SECRET, runs: RUNS_OF_ACCOUNTS };
      return runCommand({ ...base, services }, args);
    };
    const metric = async (name: string) => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
      return Object.fromEntries(lines.map((line) => line.slice(name.length).split(' ') as [string, string]));
    };

    it('charges an answer once that the first service failed to give, and shows its client nothing of that', async () => {
      const before = await tool.available();
      for (const [i, stream] of [true, false, true, false].entries()) {
        doubles.east.script(FAILURES.broken);
        doubles.west.script(FAILURES.busy('1'));
        const { status, text } = await ask(`conversation ${i}`, stream);
        assert.equal(status, 200, text);
        assert.match(text, /east|west/);
        for (const double of Object.values(doubles)) {
          double.reset();
          double.usually({ text: 'east' });
        }
      }
      const lines = (await tool.log()).slice(0, 4);
      assert.deepEqual(
        lines.map(({ kind }) => kind),
        ['charge', 'charge', 'charge', 'charge'],
      );
      assert.equal(before - (await tool.available()), -lines.reduce((sum, { amount }) => sum + amount, 0));
    });

    it('tells of them in its metrics', async () => {
      await ask('a conversation');
      const attempts = await metric('perigee_service_attempts_total');
      assert.ok(
        Object.keys(attempts).some((labels) => labels.includes('outcome="began"')),
        JSON.stringify(attempts),
      );
      assert.ok(Object.keys(attempts).some((labels) => labels.includes('outcome="upstream_failed"')));
      assert.deepEqual(await metric('perigee_service_load'), { '{service="east"}': '0', '{service="west"}': '0' });
      assert.deepEqual(Object.keys(await metric('perigee_service_up')), ['{service="east"}', '{service="west"}']);
    });

    it('lists them for its operator: host, models, weight, and whether each lists its models now', async () => {
      const { code, lines } = await admin('upstreams');
      assert.equal(code, 0);
      assert.match(lines[1]!, /^east +127\.0\.0\.1:\d+ +all of its models +weight 1 +lists its models in \d+ ms$/);
      assert.match(lines[2]!, /^west .*double, mine .*lists its models in \d+ ms, without another$/);
    });

    it('lets nothing new go to a service that is draining, until it is in use again', async () => {
      const { lines } = await admin('upstreams', 'drain', 'east');
      assert.match(lines[0]!, /^east gets no new request from now on/);
      await followDrains(server.db, router);
      for (let i = 0; i < 6; i++) assert.match((await ask(`conversation ${i}`)).text, /"west"/);
      assert.equal(doubles.east.bill.length, 0);
      assert.equal((await metric('perigee_service_up'))['{service="east"}'], '0');
      assert.match((await admin('upstreams')).lines[1]!, /draining since 20/);
      const both = await admin('upstreams', 'drain', 'west');
      assert.match(both.lines[1]!, /^No other service is in use/);
      await followDrains(server.db, router);
      const refused = await ask('a conversation');
      assert.equal(refused.status, 502);
      assert.match(refused.text, /No model service answers for this model now/);
      await admin('upstreams', 'use', 'east');
      await admin('upstreams', 'use', 'west');
      await followDrains(server.db, router);
      assert.equal((await ask('a conversation')).status, 200);
    });

    it('warns its operator of a model that no other service in use has', async () => {
      const listed = (id: string, ...models: string[]): ListedService => ({
        ...{ id, host: 'x', weight: 1, ask: async () => models },
        models: new Map(models.map((model) => [model, model])),
      });
      const services = [listed('east', 'double'), listed('west', 'double', 'mine')];
      const deps = { db: server.db, clock: server.clock, services };
      assert.equal((await drainOrUse(deps, 'drain', 'east')).length, 1);
      await drainOrUse(deps, 'use', 'east');
      const [, warning] = await drainOrUse(deps, 'drain', 'west');
      assert.match(warning!, /^No other service in use has mine: /);
      await drainOrUse(deps, 'use', 'west');
    });

    const WRONG: [args: string[], code: number, told: RegExp][] = [
      [['upstreams', 'drain', 'north'], 1, /There is no model service "north"\. There is: east, west/],
      [['upstreams', 'stop', 'east'], 2, /takes drain or use, not "stop"/],
      [['upstreams', 'drain'], 2, /needs nothing, or drain or use and the id of a service/],
    ];
    for (const [args, code, told] of WRONG)
      it(`refuses its operator's "${args.join(' ')}"`, async () => {
        const answer = await admin(...args);
        assert.equal(answer.code, code);
        assert.match(answer.lines[0]!, told);
      });

    it('has in its books what a service reported of an attempt that failed, and charges nobody for it', async () => {
      const before = await tool.available();
      for (const double of Object.values(doubles))
        double.script({
          raw: [
            'data: {"choices":[],"usage":{"prompt_tokens":5000,"completion_tokens":300,"total_tokens":5300}}\n\n',
            'data: {"error":{"message":"x"}}\n\n',
          ],
          headers: { 'content-type': 'text/event-stream' },
        });
      const { status } = await ask('a conversation', true);
      assert.equal(status, 200);
      const [line] = await tool.log();
      // One of them may rest from before, and is not asked.
      assert.ok(line!.input_tokens! >= 5_000 && line!.output_tokens! >= 300, JSON.stringify(line));
      assert.equal(before - (await tool.available()), -line!.amount);
    });

    it('starts with what its operator has drained', async () => {
      await admin('upstreams', 'drain', 'west');
      await server.stop();
      router = routerOf();
      server = await startServer(engine, { upstream: router, databaseUrl: database.url });
      assert.equal(router.states.find(({ id }) => id === 'west')?.condition, 'draining');
      await admin('upstreams', 'use', 'west');
    });
  });
