import assert from 'node:assert/strict';
import { parseConfig } from '../../../server/platform/config/config.ts';
import { FAILURES } from '../../doubles/upstream.ts';
import { type Client, endOf } from '../../support/client.ts';
import { onBothEngines } from '../../support/engines.ts';
import type { TestServer } from '../../support/server.ts';

const C = 1_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

// The accounting scenarios about ways around a budget: see scenarios.test.ts.
onBothEngines(
  'what went wrong elsewhere with routes',
  (server) => {
    /** How many holds there ever were of an account's runs. */
    async function holdsOf({ accountId }: Client): Promise<number> {
      const holds = server().db.read.selectFrom('hold').innerJoin('run', 'run.id', 'hold.run_id');
      return (await holds.select('hold.id').where('run.account_id', '=', accountId).execute()).length;
    }

    // Guard: upstream.stream is called by runTurn alone, upstream.call by runCall, and each is handed what was held for.
    it('18: of all routes none reaches the model service past a hold, and none at all when nothing is left', async () => {
      const { double, app } = server();
      const reaching = new Set<string>();
      for (const [method, path] of requestsOf(app.routes)) {
        const guest = await server().guest();
        const known = guest.chat('known');
        // One id for both, so that a route finds what it is for.
        known.conversationId = known.id;
        await guest.run(known);
        const address = path.replaceAll(/:\w+(\{.*?\})?/g, known.id).replaceAll('*', 'v1/chat/completions');
        /** Asks with all that could make the route ask a model; returns how many calls came of it, all of them held for. */
        const ask = async () => {
          const before = [double.bill.length, await holdsOf(guest)] as const;
          for (const body of method === 'GET' ? [undefined] : bodiesOf(guest)) {
            const response = await fetch(guest.url + address, {
              method,
              headers: { ...(await guest.credentials(method, address)), 'content-type': 'application/json' },
              body: body && JSON.stringify(body),
              redirect: 'manual',
            });
            await response.body?.cancel();
            if (path === '/api/runs' && response.status === 202) endOf(await guest.events(String(body?.id)));
          }
          const calls = double.bill.length - before[0];
          assert.equal((await holdsOf(guest)) - before[1], calls, `${method} ${path} asked a model without a hold`);
          return calls;
        };
        if ((await ask()) > 0) reaching.add(`${method} ${address}`);
        for (;;) {
          const rest = guest.chat('the rest');
          if ((await guest.start(rest)).status !== 202) break;
          await guest.events(rest.id);
        }
        assert.equal(await ask(), 0, `${method} ${path} asked a model for one who has nothing left`);
      }
      assert.deepEqual([...reaching].sort(), [
        'POST /api/runs',
        'POST /v1/chat/completions',
        'POST /v1/messages',
        'POST /v1/responses',
      ]);
    }).timeout(180_000);
  },
  {
    policy: (policy) => {
      policy.guests.messages = 3;
    },
  },
);

/** What to ask of every route; what a middleware may answer by itself is asked as well. */
function requestsOf(routes: readonly { method: string; path: string }[]): [method: string, path: string][] {
  const all = routes.flatMap(({ method, path }) =>
    (method === 'ALL' ? ['GET', 'POST'] : [method]).map((one) => `${one} ${path}`),
  );
  assert.ok(all.length > 40, 'routes are found');
  return [...new Set(all)].map((one) => one.split(' ') as [string, string]);
}

/** Requests for an answer, as this wire and as others have them. */
function bodiesOf(guest: Client): Record<string, unknown>[] {
  const completion = { model: 'double', messages: [{ role: 'user', content: 'hi' }], prompt: 'hi', max_tokens: 10 };
  return [
    { ...completion, ...guest.chat('hi') },
    { ...completion, ...guest.edit('improve', 'let a;') },
    { model: 'double', input: 'hi', max_output_tokens: 10 },
    {},
  ];
}

/** Every budget, at a value that is no default. */
const SETTINGS = {
  models: ['double', 'other', 'dear'].map((id) => ({ id, price: { mode: 'flat', runMicro: 7 * C } })),
  guests: {
    enabled: true,
    messages: 9,
    perHour: 2,
    perDay: 3,
    dailyBudget: 4,
    models: ['double', 'other'],
    maxInputTokens: 1000,
    maxOutputTokens: 40,
    runMicro: 2 * C,
  },
  refunds: { withinMinutes: 5, perDay: 1, uncharged: { runs: 2, withinMinutes: 3 } },
  limits: { guest: { requestsPerMinute: 5, modelRequestsPerMinute: 3, tokensPerMinute: 2400 } },
};
const read = (settings: object) =>
  parseConfig({ PERIGEE_CONFIG: 'budgets.json' }, () => JSON.stringify(settings)).policy;

onBothEngines(
  'what went wrong elsewhere with settings',
  (server) => {
    // Guard: the settings' objects are strict (config.ts).
    it('19: a budget under a wrong name, or of a wrong kind, is refused by its name and never ignored', () => {
      for (const [path] of leavesOf(SETTINGS)) {
        if (path[0] === 'models') continue;
        const said = new RegExp(`at ${path.slice(0, -1).join('\\.')}`);
        assert.throws(
          () => read(changed(SETTINGS, path, (of, name) => (of[`${name}s`] = of[name]))),
          said,
          path.join(),
        );
        assert.throws(() => read(changed(SETTINGS, path, (of, name) => (of[name] = '5'))), said, path.join());
      }
    });

    // Guards: each budget's own, where it is enforced.
    it('19: every budget that can be set counts', async () => {
      const checked = new Set<string>();
      for (const [names, check] of Object.entries(CHECKS)) {
        await check(server()).catch((error) => {
          error.message = `${names}: ${error.message}`;
          throw error;
        });
        for (const name of names.split(' ')) checked.add(name);
        // Their guests came through one proxy, and count as its own: they are of yesterday for the next.
        server().clock.advance(24 * HOUR);
      }
      const { guests, refunds, limits } = parseConfig({}, () => '{}').policy;
      const all = leavesOf({ guests, refunds, limits: { guest: limits.guest } }).map(([path]) => path.join('.'));
      assert.deepEqual(
        all.filter((name) => !checked.has(name)),
        ['guests.enabled'],
        'a budget that no check here is for',
      );
    });
  },
  {
    policy: (policy) => void Object.assign(policy, read(SETTINGS)),
    env: { TRUSTED_PROXIES: '127.0.0.1' },
  },
);

/** What each budget does, by its name in the settings. */
const CHECKS: Record<string, (server: TestServer) => Promise<void>> = {
  async 'guests.messages guests.runMicro guests.maxOutputTokens'(server) {
    const guest = await server.guest();
    assert.equal(await guest.available(), 9 * 2 * C);
    assert.equal(endOf(await guest.run(guest.chat('one'))).data.chargedMicro, 2 * C);
    assert.equal(server.double.bill.at(-1)!.body.max_tokens, 40);
  },
  async 'guests.models guests.maxInputTokens'(server) {
    const guest = await server.guest();
    const other = await guest.start(guest.chat('hi', { model: 'dear' }));
    assert.equal(other.body.code, 'model_unknown');
    const long = await guest.start(guest.chat('word '.repeat(800)));
    assert.deepEqual([long.body.code, long.body.limitTokens], ['context_too_long', 1000]);
  },
  async 'guests.perHour guests.perDay guests.dailyBudget'(server) {
    const from = async (address: string) =>
      (await fetch(`${server.url}/api/guest`, { method: 'POST', headers: { 'x-forwarded-for': address } })).status;
    const admitted = [await from('203.0.113.1'), await from('203.0.113.2'), await from('203.0.113.3')];
    assert.deepEqual(admitted, [201, 201, 429], '2 an hour');
    server.clock.advance(HOUR);
    assert.deepEqual([await from('203.0.113.4'), await from('203.0.113.5')], [201, 429], '3 a day');
    assert.deepEqual([await from('198.51.100.1'), await from('192.0.2.1')], [201, 429], '4 a day in all');
  },
  async 'refunds.perDay refunds.withinMinutes'(server) {
    const guest = await server.guest();
    const told: (string | undefined)[] = [];
    for (const afterMs of [5 * MINUTE + 1, 0, 0]) {
      const edit = guest.edit('improve', 'let a;');
      await guest.run(edit);
      server.clock.advance(afterMs);
      told.push((await guest.outcome(edit.id, 0, 1)).body.notRefunded);
    }
    assert.deepEqual(told, ['late', undefined, 'daily_limit']);
  },
  async 'refunds.uncharged.runs refunds.uncharged.withinMinutes'(server) {
    const guest = await server.guest();
    server.double.script({ ...FAILURES.diesInMiddle, times: 2 });
    for (let n = 0; n < 2; n++) await guest.run(guest.chat('fail'));
    assert.equal((await guest.start(guest.chat('again'))).body.limit?.name, 'uncharged');
    server.clock.advance(3 * MINUTE);
    endOf(await guest.run(guest.chat('again')));
  },
  async 'limits.guest.requestsPerMinute limits.guest.modelRequestsPerMinute'(server) {
    const guest = await server.guest();
    const ask = async (model: string) => {
      const request = guest.chat('hi', { model });
      const { status, body } = await guest.start(request);
      if (status === 202) await guest.events(request.id);
      return body.limit?.name;
    };
    const asked = [];
    for (const model of ['double', 'double', 'double', 'double', 'other', 'other', 'other'])
      asked.push(await ask(model));
    const fine = undefined;
    assert.deepEqual(asked, [fine, fine, fine, 'model-requests', fine, fine, 'requests']);
  },
  async 'limits.guest.tokensPerMinute'(server) {
    const guest = await server.guest();
    const long = 'word '.repeat(600);
    await guest.run(guest.chat(long));
    await guest.run(guest.chat(long));
    assert.equal((await guest.start(guest.chat(long))).body.limit?.name, 'tokens');
  },
};

type Json = { [name: string]: unknown };

/** Every value in settings with the way to it; a list is one value. */
function leavesOf(of: object, above: string[] = []): [path: string[], value: unknown][] {
  return Object.entries(of).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leavesOf(value, [...above, name])
      : [[[...above, name], value] as [string[], unknown]],
  );
}

/** A copy of settings in which one value was changed. */
function changed(settings: object, path: string[], change: (of: Json, name: string) => void): Json {
  const copy = structuredClone(settings) as Json;
  const of = path.slice(0, -1).reduce((one, name) => one[name] as Json, copy);
  change(of, path.at(-1)!);
  return copy;
}
