import assert from 'node:assert/strict';
import { type ObservedDeps, observeCall } from '../../server/gateway/runs/observed.ts';
import type { AppContext } from '../../server/platform/http/env.ts';
import { RiskKeys } from '../../server/risk/keys.ts';
import { decode } from '../../server/risk/signals/codec.ts';
import { SketchStore } from '../../server/risk/store.ts';
import { ENGINES } from '../support/engines.ts';
import { freshDatabase, openBooks, startServer, type TestServer, type TestServerOptions } from '../support/server.ts';
import { openTool, ownerOf, type Tool } from '../support/tools.ts';

const TEXT = 'Please find out why the invoices are sent twice';
const parameters = { type: 'object', properties: {} };
/** One conversation's beginning, in each dialect. */
const CALLS: [path: string, body: object][] = [
  [
    '/v1/chat/completions',
    {
      model: 'double',
      messages: [{ role: 'user', content: TEXT }],
      tools: [{ type: 'function', function: { name: 'read', parameters } }],
    },
  ],
  [
    '/v1/messages',
    {
      model: 'double',
      max_tokens: 100,
      messages: [{ role: 'user', content: TEXT }],
      tools: [{ name: 'read', input_schema: parameters }],
    },
  ],
  ['/v1/responses', { model: 'double', input: TEXT, tools: [{ type: 'function', name: 'read', parameters }] }],
];

for (const engine of ENGINES)
  describe(`observed requests (${engine})`, () => {
    let database: Awaited<ReturnType<typeof freshDatabase>>;
    beforeEach(async function () {
      this.timeout(60_000);
      database = await freshDatabase(engine);
    });
    afterEach(() => database.remove());

    /** What is stored of each account once the server has stopped. */
    async function sketchesAfter(work: (server: TestServer) => Promise<void>, options: TestServerOptions = {}) {
      const server = await startServer(engine, { ...options, databaseUrl: database.url });
      try {
        await work(server);
        await server.audit();
      } finally {
        await server.stop();
      }
      const db = await openBooks(database.url);
      try {
        const rows = await db.read.selectFrom('risk_sketch').selectAll().execute();
        return new Map(rows.map((row) => [row.account_id, { row, sketch: decode(Buffer.from(row.state)) }]));
      } finally {
        await db.close();
      }
    }

    it('of the editor and of all dialects are in one sketch when the server has stopped', async () => {
      let tool: Tool | undefined;
      const sketches = await sketchesAfter(async (server) => {
        tool = await openTool(server);
        for (const [path, body] of CALLS) {
          const { status, text } = await tool.send(
            body,
            { 'user-agent': 'opencode/1.18.33 ai-sdk/provider-utils/4' },
            path,
          );
          assert.equal(status, 200, text);
        }
        const owner = await ownerOf(server, tool);
        await owner.run(owner.chat(TEXT));
        await owner.run(owner.editFiles('Change it', { 'billing/invoice.ts': 'let a;\n' }));
      });
      assert.deepEqual([...sketches.keys()], [tool!.accountId]);
      const { sketch, row } = sketches.get(tool!.accountId)!;
      assert.equal(sketch.counters.requests, 5);
      assert.equal(sketch.clients.list.length, 2);
      // The three dialects began one conversation.
      assert.equal(sketch.workspaces.roots.length, 3);
      const stored = `${Buffer.from(row.state).toString('latin1')}${row.flushed}`;
      for (const told of ['invoice', 'billing', 'Please', '127.0.0.1', 'opencode', tool!.keyId])
        assert.ok(!stored.includes(told), told);
    });

    it('are none of guests, of refused requests, and of requests that are sent again', async () => {
      let accountId = '';
      const sketches = await sketchesAfter(async (server) => {
        const guest = await server.guest();
        await guest.run(guest.chat(TEXT));
        const [tool, poor] = [await openTool(server), await openTool(server, { credits: 0 })];
        ({ accountId } = tool);
        const [path, body] = CALLS[0]!;
        assert.equal((await tool.send({ ...body, model: 'none' }, {}, path)).status, 404);
        assert.equal((await tool.send('{', {}, path)).status, 400);
        assert.equal((await tool.send(body, { authorization: 'Bearer x' }, path)).status, 401);
        assert.equal((await poor.send(body, {}, path)).status, 402);
        const owner = await ownerOf(server, tool);
        const run = owner.chat(TEXT);
        await owner.run(run);
        assert.equal((await owner.request('POST', '/api/runs', run)).status, 202);
      });
      assert.deepEqual([...sketches.keys()], [accountId]);
      assert.equal(sketches.get(accountId)!.sketch.counters.requests, 1);
    });

    it('are none where observing is switched off', async () => {
      const off: TestServerOptions = { policy: (policy) => void Object.assign(policy.risk, { observe: false }) };
      const sketches = await sketchesAfter(async (server) => {
        assert.equal((await (await openTool(server)).send(CALLS[0]![1])).status, 200);
      }, off);
      assert.equal(sketches.size, 0);
    });

    it('get the same answers, refusals and charges, whether they are observed, not observed, or observing fails', async () => {
      const broken = () => {
        throw new Error('broken');
      };
      const worlds: [title: string, options: TestServerOptions, breaks: () => () => void][] = [
        ['not observed', { policy: (policy) => void Object.assign(policy.risk, { observe: false }) }, () => () => {}],
        ['observed', {}, () => () => {}],
        ['a fault in the observer', {}, () => replaced(RiskKeys.prototype, 'of', broken)],
        ['a fault in the database', {}, () => replaced(SketchStore.prototype, 'add', async () => broken())],
        ['no key to hash with', {}, () => replaced(RiskKeys.prototype, 'refresh', async () => {})],
      ];
      const outcomes: unknown[] = [];
      if (engine === 'postgres') worlds.splice(2, 1);
      for (const [title, options, breaks] of worlds) {
        const mend = breaks();
        const own = await freshDatabase(engine);
        const server = await startServer(engine, { ...options, databaseUrl: own.url });
        try {
          const [tool, poor] = [await openTool(server), await openTool(server, { credits: 0 })];
          const seen: unknown[] = [];
          for (const [path, body] of CALLS)
            for (const sent of [body, { ...body, stream: true }, { ...body, model: 'none' }]) {
              const { status, text, headers } = await tool.send(sent, {}, path);
              const names = [...headers.keys()]
                .filter((name) => name !== 'date' && !name.startsWith('ratelimit'))
                .sort();
              seen.push([path, status, names, withoutIds(text)]);
            }
          seen.push((await poor.send(CALLS[0]![1])).status);
          const owner = await ownerOf(server, tool);
          seen.push((await owner.run(owner.chat(TEXT))).map(({ type }) => type));
          seen.push(await tool.available());
          seen.push((await tool.log()).map(({ kind, amount, absorbed }) => [kind, amount, absorbed]));
          await server.audit();
          outcomes.push(seen);
          const metrics = await (await fetch(`${server.url}/metrics`)).text();
          const faults = Number(/^perigee_faults_total\{work="risk"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
          assert.equal(faults, title === 'a fault in the observer' ? 7 : 0, title);
        } finally {
          await server.stop();
          mend();
          await own.remove();
        }
      }
      for (const [i, outcome] of outcomes.entries()) assert.deepEqual(outcome, outcomes[0], worlds[i]![0]);
    }).timeout(60_000);
  });

function replaced<T extends object, K extends keyof T>(object: T, name: K, value: T[K]): () => void {
  const before = object[name];
  object[name] = value;
  return () => {
    object[name] = before;
  };
}

/** An answer but for what differs from request to request. */
const withoutIds = (text: string) =>
  text
    .replaceAll(/[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/g, 'id')
    .replaceAll(/"(created|created_at|completed_at)":\d+/g, '"$1":0');

describe('who is observed', () => {
  const seen = async (changes: object) => {
    const calls: string[] = [];
    const variables = { accountId: 'a', accountKind: 'member', isLocal: false, sessionId: 's', installKey: null };
    const c = { var: { ...variables, ...changes }, env: {} } as unknown as AppContext;
    const observer: ObservedDeps['observer'] = {
      saw: ({ credential, turn }) => void calls.push(`${credential} ${turn().kind}`),
    };
    observeCall({ observer }, c, { messages: [{ role: 'user', content: TEXT }] }, {});
    assert.deepEqual(calls, [], 'it is no part of the request');
    await new Promise((resolve) => setImmediate(resolve));
    return calls;
  };

  it('are members, by their session or their API key', async () => {
    assert.deepEqual(await seen({}), ['s human']);
    assert.deepEqual(await seen({ sessionId: '', key: { id: 'k' } }), ['k human']);
  });

  it('are neither guests nor the single user of this machine', async () => {
    assert.deepEqual(await seen({ accountKind: 'guest' }), []);
    assert.deepEqual(await seen({ isLocal: true }), []);
  });
});
