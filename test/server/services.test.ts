import assert from 'node:assert/strict';
import { runCommand } from '../../server/accounts/operator/commands.ts';
import { drainOrUse, type ListedService, upstreamTable } from '../../server/accounts/operator/upstreamCommands.ts';
import { audit } from '../../server/credits/audit/audit.ts';
import { tellListFault, warnOfServices } from '../../server/gateway/routing/listFaults.ts';
import { Router } from '../../server/gateway/routing/router.ts';
import { followDrains, setServices } from '../../server/gateway/routing/services.ts';
import { RUNS_OF_ACCOUNTS } from '../../server/gateway/runs/runs.ts';
import { openAiUpstream } from '../../server/gateway/upstreams/openai.ts';
import { parseConfig } from '../../server/platform/config/config.ts';
import { readNodeMetrics } from '../../server/platform/http/nodeMetrics.ts';
import { systemClock, systemIds } from '../../server/platform/system.ts';
import type { RequestRecord } from '../../shared/requests.ts';
import { FAILURES, UpstreamDouble } from '../doubles/upstream.ts';
import { COMMANDS } from '../support/admin.ts';
import { ENGINES } from '../support/engines.ts';
import { freshDatabase, SECRET, startServer, type TestServer } from '../support/server.ts';
import { openTool, ownerOf, type Tool } from '../support/tools.ts';

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

    it('keeps in the record of a request how many attempts it took, and for its operator alone the service that answered', async () => {
      for (const double of Object.values(doubles)) double.script(FAILURES.broken);
      const id = (await ask('a conversation')).headers.get('x-request-id')!;
      const owner = await ownerOf(server, tool);
      const { body } = await owner.request<RequestRecord>('GET', `/api/requests/${id}`);
      // One that has asked for a pause is not asked.
      const attempts = doubles.east.bill.length + doubles.west.bill.length;
      assert.ok(attempts > 1);
      assert.deepEqual([body.outcome, body.attempts, 'service' in body], ['answered', attempts, false]);
      const { lines } = await admin('requests', '--id', id);
      assert.ok(
        lines.some((line) => /^service +(east|west)$/.test(line)),
        lines.join('\n'),
      );
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
      assert.match(
        lines[1]!,
        /^east +127\.0\.0\.1:\d+ +all of its models +weight 1 +not known +lists its models in \d+ ms$/,
      );
      assert.match(lines[2]!, /^west .*double, mine .*lists its models in \d+ ms, without another$/);
    });

    it('tells its operator how each has answered a running node, or that no node can be asked', async () => {
      doubles.east.script(FAILURES.broken);
      doubles.west.script(FAILURES.broken);
      for (let i = 0; i < 4; i++) await ask(`conversation ${i}`);
      const node = { host: '127.0.0.1', port: Number(new URL(server.url).port), publicUrl: null, metricsToken: null };
      const services = (['east', 'west', 'north'] as const).map((id) => ({
        ...{ id, host: 'x', weight: 1, models: null },
        ask: async () => [],
      }));
      const deps = { db: server.db, clock: server.clock, services };
      const table = await upstreamTable({ ...deps, metrics: () => readNodeMetrics(node) });
      const health = / (well|resting), \d+ requests(, \d+ failed)?(, half begin within [\d.]+ s)? +lists its models/;
      assert.match(table[1]!, health);
      assert.match(table[2]!, health);
      assert.match(`${table[1]} ${table[2]}`, /failed, half begin within/);
      assert.match(table[3]!, / not known /);
      assert.match(table.at(-1)!, /since the start of the node on this machine/);
      // Nobody listens on port 1.
      const none = await upstreamTable({ ...deps, metrics: () => readNodeMetrics({ ...node, port: 1 }) });
      assert.match(none[1]!, / not known /);
      assert.match(none.at(-1)!, /^How they have answered is not known: no server answers on this machine\.$/);
    });

    it('names a service to its operator whose address lacks its /v1, at the start and in the table', async () => {
      const { url } = doubles.east;
      const bare = url.replace(/\/v1$/, '');
      const services = [
        { id: 'east', url: bare },
        { id: 'west', url, models: ['double'] },
        { id: 'away', url: 'http://127.0.0.1:1/v1' },
      ];
      const config = parseConfig({ PERIGEE_CONFIG: 'x.json' }, () => JSON.stringify({ services }));
      const told: string[] = [];
      const log = { warn: (_: unknown, line: string) => told.push(line) };
      await warnOfServices(setServices(config, log as never), log as never);
      assert.deepEqual(told.toSorted(), [
        `services[0].url in PERIGEE_CONFIG (${bare}) has no list of models at ${bare}/models. Its address ends with /v1: try ${bare}/v1.`,
        "services[2].url in PERIGEE_CONFIG (http://127.0.0.1:1): its models can't be listed now. The model service cannot be reached. Try again later.",
      ]);
      const only = parseConfig({ UPSTREAM_URL: `${bare}/secret` }, () => '{}');
      const [service] = setServices(only, log as never);
      const line = tellListFault(service!, await service!.upstream.models().catch((error) => error));
      assert.match(
        line,
        /^UPSTREAM_URL \(http:\/\/127\.0\.0\.1:\d+\/…\) has no list of models at .*: try .*\/…\/v1\.$/,
      );
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
      const messages = [{ role: 'user', content: 'Hi' }];
      for (const [path, body, type] of [
        ['/v1/chat/completions', { messages }, 'model_not_found'],
        ['/v1/messages', { messages, max_tokens: 9 }, 'not_found_error'],
        ['/v1/responses', { input: 'Hi' }, 'model_not_found'],
      ] as const) {
        const refused = await tool.send({ model: 'double', ...body }, {}, path);
        assert.deepEqual([refused.status, refused.headers.get('x-should-retry')], [404, 'false'], path);
        assert.equal(refused.headers.get('retry-after'), null);
        assert.match(refused.text, new RegExp(`"${type}"`));
        assert.match(refused.text, /No model service in use here has \\"double\\"\. Nothing was started\./);
      }
      const guest = await server.guest();
      const run = await guest.start(guest.chat('Hi'));
      assert.deepEqual([run.status, run.body.code], [422, 'model_unknown']);
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
