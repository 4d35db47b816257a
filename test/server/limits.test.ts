import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { purgeLimitUses } from '../../server/credits/limits/limits.ts';
import { STORED_TIMES, storedTimes } from '../../server/jobs.ts';
import type { MinuteLimits, Policy } from '../../server/platform/config/config.ts';
import { bringBack, ClockSteps } from '../../server/platform/db/clockSteps.ts';
import type { RunAnswer } from '../../shared/runs.ts';
import { type Answer, Client } from '../support/client.ts';
import { ENGINES, onBothEngines } from '../support/engines.ts';
import { freshDatabase, startServer, type TestServer } from '../support/server.ts';

const perMinute = (requests: number, ofModel: number, tokens: number): MinuteLimits => ({
  requestsPerMinute: requests,
  modelRequestsPerMinute: ofModel,
  tokensPerMinute: tokens,
});
const LIMITS: Policy['limits'] = {
  guest: perMinute(3, 3, 50_000),
  tiers: [perMinute(5, 2, 20_000), perMinute(7, 6, 1_000_000)],
};
const policy = (policy: Policy) => {
  const price = { mode: 'flat' as const, runMicro: 0 };
  policy.models = ['small', 'large'].map((id) => ({ id, contextTokens: 64_000, maxOutputTokens: 5_000, price }));
  policy.limits = LIMITS;
};

/** An account of that tier; sign-in is not part of these tests, so its row is changed here. */
async function member(server: TestServer, tier: number | null): Promise<Client> {
  const client = await server.guest();
  await server.db.write((tx) =>
    sql`update account set kind = 'member', tier = ${tier}, terms_version = '1' where id = ${client.accountId}`.execute(
      tx,
    ),
  );
  return client;
}

/** Starts a run and waits for its end. */
async function ask(client: Client, model?: string): Promise<Answer<RunAnswer>> {
  const request = client.chat('hello', { model });
  const started = await client.start(request);
  if (started.status === 202) await client.events(request.id);
  return started;
}

/** A structured field of the draft's form as a table: `"requests";r=2;t=60` is `requests: {r: '2', t: '60'}`. */
function field(answer: Answer<unknown>, name: string): Record<string, Record<string, string>> {
  const items = (answer.headers.get(name) ?? '').split(', ').filter(Boolean);
  return Object.fromEntries(
    items.map((item) => {
      const [, key = '', rest = ''] = /^"([a-z-]+)"((?:;[a-z]+=(?:\d+|"[a-z]+"))+)$/.exec(item) ?? assert.fail(item);
      return [
        key,
        Object.fromEntries(
          rest
            .slice(1)
            .split(';')
            .map((p) => p.split('=') as [string, string]),
        ),
      ];
    }),
  );
}

onBothEngines(
  'the limits of an account',
  (server) => {
    it('are told with each run: what they are, what is left of them, and when more frees up', async () => {
      const guest = await server().guest();
      const { limits } = (await guest.account()).body;
      assert.deepEqual([limits.requestsPerMinute, limits.tokensPerMinute], [3, 50_000]);
      const first = await ask(guest);
      assert.deepEqual(field(first, 'ratelimit-policy'), {
        requests: { q: '3', w: '60' },
        'model-requests': { q: '3', w: '60' },
        tokens: { q: '50000', w: '60', qu: '"tokens"' },
      });
      assert.deepEqual(field(first, 'ratelimit').requests, { r: '2', t: '60' });
      server().clock.advance(20_000);
      const second = field(await ask(guest), 'ratelimit').requests!;
      assert.equal(second.r, '1');
      assert.ok(Number(second.t) <= 40 && Number(second.t) > 30);
    });

    it('let so many requests through in any minute, and name the limit and when it has room', async () => {
      const guest = await server().guest();
      for (let n = 0; n < 3; n++) assert.equal((await ask(guest)).status, 202);
      const before = server().double.bill.length;
      const refused = await ask(guest);
      assert.deepEqual([refused.status, refused.body.code], [429, 'rate_limited']);
      assert.deepEqual(refused.body.limit, { name: 'requests', limit: 3, left: 0, needed: 1, windowSeconds: 60 });
      assert.match(
        refused.body.detail,
        /^3 requests a minute are allowed\. Nothing was started: try again in \d+ s\.$/,
      );
      const wait = Number(refused.headers.get('retry-after'));
      assert.ok(wait > 50 && wait <= 60, String(wait));
      assert.equal(field(refused, 'ratelimit').requests!.r, '0');
      assert.ok(Math.abs(Date.parse(refused.body.retryAt!) - server().clock.now() - wait * 1000) < 2_000);
      assert.equal(server().double.bill.length, before);
      server().clock.advance(wait * 1000);
      assert.equal((await ask(guest)).status, 202);
    });

    it('slide: the end of one minute and the beginning of the next let no more through than a minute', async () => {
      const guest = await server().guest();
      assert.equal((await ask(guest)).status, 202);
      server().clock.advance(50_000);
      for (let n = 0; n < 2; n++) assert.equal((await ask(guest)).status, 202);
      server().clock.advance(11_000);
      assert.equal((await ask(guest)).status, 202, 'the first has left the minute');
      assert.equal((await ask(guest)).status, 429, 'the others have not');
    });

    it('count neither reads, nor what was refused, nor a request that is sent again', async () => {
      const guest = await server().guest();
      const request = guest.chat('once');
      await guest.run(request);
      for (let n = 0; n < 5; n++) {
        assert.equal((await guest.start(request)).status, 202);
        assert.equal((await guest.start(guest.chat('', {}))).status, 400);
        assert.equal((await guest.account()).status, 200);
      }
      assert.equal(field(await ask(guest), 'ratelimit').requests!.r, '1');
      await ask(guest);
      for (let n = 0; n < 3; n++) assert.equal((await ask(guest)).status, 429);
      server().clock.advance(60_000);
      assert.equal(field(await ask(guest), 'ratelimit').requests!.r, '2', 'what was refused did not count');
    });

    it('count a request that fails, for it was a call of the model', async () => {
      const guest = await server().guest();
      server().double.usually({ status: 500 });
      for (let n = 0; n < 3; n++) await ask(guest);
      assert.equal((await ask(guest)).body.limit?.name, 'requests');
    });

    it('are there for each model, too', async () => {
      const client = await member(server(), 0);
      for (let n = 0; n < 2; n++) assert.equal((await ask(client, 'small')).status, 202);
      const refused = await ask(client, 'small');
      assert.equal(refused.body.limit?.name, 'model-requests');
      assert.match(refused.body.detail, /^2 requests a minute to small are allowed\./);
      assert.equal((await ask(client, 'large')).status, 202);
    });

    it('reserve an answer at its longest, and give back what it did not use as soon as it ends', async () => {
      const client = await member(server(), 0);
      const gates = ['small', 'small', 'large'].map((model, n) => ({
        gate: server().double.script({ when: `hold ${n}`, pieces: ['a ', 'b '], gateAt: 1 }),
        request: client.chat(`hold ${n}`, { model }),
      }));
      for (const { request, gate } of gates) {
        assert.equal((await client.start(request)).status, 202);
        await gate.atGate;
      }
      const refused = await client.start(client.chat('one more', { model: 'large' }));
      assert.equal(refused.body.limit?.name, 'tokens');
      assert.ok(refused.body.limit!.needed > 5_000 && refused.body.limit!.left < 5_000);
      assert.match(refused.body.detail, /^20000 tokens a minute are allowed; \d+ are left, and this may take \d+\./);
      for (const { gate, request } of gates) {
        gate.open();
        await client.events(request.id);
      }
      const after = await ask(client, 'large');
      assert.equal(after.status, 202);
      assert.ok(Number(field(after, 'ratelimit').tokens!.r) > 20_000 - 5_000 - 1_500);
    });

    it('count what a run really used, also beyond what was reserved', async () => {
      const client = await member(server(), 0);
      server().double.script({ text: 'x', usage: { prompt_tokens: 19_000, completion_tokens: 500 } });
      // Of a model that reads each character as a token.
      await client.run(client.chat('x'.repeat(18_500), { model: 'small' }));
      Object.assign(server().double.bill.at(-1)!, { inputTokens: 19_000, cachedInputTokens: 0, outputTokens: 500 });
      const refused = await ask(client, 'small');
      assert.deepEqual([refused.body.limit?.name, refused.body.limit?.left], ['tokens', 500]);
    });

    it('count no more than can have been used', async () => {
      const client = await member(server(), 0);
      server().double.script({ text: 'x', usage: { prompt_tokens: 19_000_000, completion_tokens: 5 } });
      await client.run(client.chat('hi', { model: 'small' }));
      Object.assign(server().double.bill.at(-1)!, { inputTokens: 19_000_000, cachedInputTokens: 0, outputTokens: 5 });
      assert.equal((await ask(client, 'small')).status, 202);
    });

    it('give the tokens of a failed answer back', async () => {
      const client = await member(server(), 0);
      server().double.usually({ status: 500 });
      await ask(client, 'small');
      server().double.usually({ text: 'fine' });
      const { r } = field(await ask(client, 'small'), 'ratelimit').tokens!;
      assert.ok(Number(r) > 14_000, r);
    });

    it('answer a request that is larger than a whole minute when nothing else was asked, instead of never', async () => {
      const client = await member(server(), 0);
      const large = 'word '.repeat(30_000);
      const request = client.chat(large, { model: 'small' });
      assert.equal((await client.start(request)).status, 202);
      await client.events(request.id);
      assert.equal((await client.start(client.chat(large, { model: 'small' }))).body.limit?.name, 'tokens');
    });

    it('follow from the tier; a member without one has the lowest, one beyond the list the highest', async () => {
      for (const [tier, requests] of [
        [null, '4'],
        [0, '4'],
        [1, '6'],
        [9, '6'],
      ] as const)
        assert.equal(field(await ask(await member(server(), tier)), 'ratelimit').requests!.r, requests);
    });

    it('nor leave a run of a dead node open until the clock is where it was', async () => {
      const { db, clock } = server();
      const guest = await server().guest();
      const { id } = (await guest.start(guest.chat('hi'))).body.run;
      await guest.events(id);
      const lease = () =>
        db.read.selectFrom('run').select('lease_until').where('id', '=', id).executeTakeFirstOrThrow();
      const now = clock.now();
      await db.write((tx) =>
        tx
          .updateTable('run')
          .set({ lease_until: now + 3_600_000 })
          .where('id', '=', id)
          .execute(),
      );
      await bringBack(db, storedTimes(15_000), now);
      assert.equal((await lease()).lease_until, now + 15_000);
    });

    it('neither lock out for long nor let all through again when the clock is set back', async () => {
      const { db, clock } = server();
      const guest = await server().guest();
      for (let n = 0; n < 3; n++) await ask(guest);
      const steps = new ClockSteps(db, STORED_TIMES);
      await steps.look(clock.now());
      clock.advance(-3_600_000);
      try {
        const refused = await ask(guest);
        assert.equal(refused.status, 429, 'what was counted still counts');
        await steps.look(clock.now());
        const again = await ask(guest);
        assert.ok(Number(again.headers.get('retry-after')) <= 60, 'for a minute at most');
        assert.equal(await bringBack(db, STORED_TIMES, clock.now()), 0);
        server().clock.advance(61_000);
        assert.equal((await ask(guest)).status, 202);
      } finally {
        server().clock.advance(3_600_000);
      }
    });

    it('admit exactly as many as there is room for when all ask at once', async () => {
      const guest = await server().guest();
      const requests = Array.from({ length: 12 }, (_, n) => guest.chat(`all at once ${n}`));
      const answers = await Promise.all(requests.map((request) => guest.start(request)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [
        202,
        202,
        202,
        ...Array.from({ length: 9 }, () => 429),
      ]);
      for (const [i, { status }] of answers.entries()) if (status === 202) await guest.events(requests[i]!.id);
    });

    it('leave no rows behind that nothing looks at any more', async () => {
      await ask(await server().guest());
      await server().db.write((tx) => purgeLimitUses(tx, server().clock.now() + 2 * 3_600_000));
      assert.deepEqual(await server().db.read.selectFrom('limit_use').selectAll().execute(), []);
    });
  },
  { policy },
);

describe('the limits of an account', function () {
  this.timeout(60_000);

  it('are one count over two nodes on PostgreSQL', async () => {
    const { url } = await freshDatabase('postgres');
    const first = await startServer('postgres', { databaseUrl: url, policy });
    const second = await startServer('postgres', { databaseUrl: url, policy, double: first.double });
    try {
      first.double.usually({ text: 'hello' });
      const guest = await first.guest();
      const nodes = [first.url, second.url];
      const clients = nodes.map((node) => new Client(node, guest.token, guest.accountId));
      const requests = Array.from({ length: 16 }, (_, n) => guest.chat(`on both ${n}`));
      const answers = await Promise.all(requests.map((request, n) => clients[n % 2]!.start(request)));
      assert.equal(answers.filter(({ status }) => status === 202).length, 3);
      assert.equal(answers.filter(({ body }) => body.code === 'rate_limited').length, 13);
      for (const [i, { status }] of answers.entries()) if (status === 202) await guest.events(requests[i]!.id);
      await first.audit();
    } finally {
      await second.stop();
      await first.stop();
    }
  });

  for (const engine of ENGINES)
    it(`are none in local mode, unless the operator sets some (${engine})`, async () => {
      for (const [local, expected] of [
        [undefined, 202],
        [perMinute(1, 1, 1000), 429],
      ] as const) {
        const server = await startServer(engine, {
          policy: (p) => {
            policy(p);
            p.limits = { ...LIMITS, ...(local ? { local } : {}) };
          },
        });
        try {
          server.double.usually({ text: 'hello' });
          const user = await member(server, 0);
          await server.db.write((tx) => sql`update account set is_local = 1 where id = ${user.accountId}`.execute(tx));
          const first = await ask(user);
          assert.equal(first.headers.has('ratelimit'), local !== undefined);
          assert.equal((await ask(user)).status, expected);
        } finally {
          await server.stop();
        }
      }
    });
});
