import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { STORED_TIMES } from '../../server/jobs.ts';
import { bringBack } from '../../server/platform/db/clockSteps.ts';
import { MAX_REQUEST_BYTES } from '../../shared/runs.ts';
import { endOf } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';

onBothEngines('a request', (server) => {
  it('without a token, or with one that is unknown or malformed, is refused with 401', async () => {
    for (const authorization of [undefined, 'Bearer ', `Bearer ${'x'.repeat(43)}`, 'Basic abc', 'Bearer ../../etc'])
      for (const path of [
        '/api/account',
        '/api/account/events',
        '/api/conversations',
        '/api/models',
        '/api/credits/log',
      ]) {
        const response = await fetch(server().url + path, { headers: authorization ? { authorization } : {} });
        const problem = (await response.json()) as { code: string; requestId: string };
        assert.deepEqual([response.status, problem.code], [401, 'unauthorized'], `${authorization} ${path}`);
        assert.equal(response.headers.get('content-type'), 'application/problem+json');
        assert.equal(response.headers.get('www-authenticate'), 'Bearer, DPoP algs="ES256"');
        assert.equal(problem.requestId, response.headers.get('x-request-id'));
      }
  });

  const id = randomUUID();
  const BAD: [title: string, body: unknown, status: number, code: string, detail: RegExp][] = [
    ['broken JSON', '{"id": ', 400, 'invalid_json', /JSON/],
    ['a list', [], 400, 'invalid_request', /./],
    [
      'an id that is no UUID',
      { id: 'x', conversationId: id, kind: 'chat', input: { text: 'a' } },
      400,
      'invalid_request',
      /id/,
    ],
    ['an unknown kind', { id, conversationId: id, kind: 'dance', input: {} }, 400, 'invalid_request', /kind/],
    [
      'a text that is no text',
      { id, conversationId: id, kind: 'chat', input: { text: 7 } },
      400,
      'invalid_request',
      /input\.text/,
    ],
    [
      'nothing to answer',
      { id, conversationId: id, kind: 'chat', input: { text: ' \n' } },
      400,
      'invalid_request',
      /write something/,
    ],
    [
      'a text too long',
      { id, conversationId: id, kind: 'chat', input: { text: 'x'.repeat(1_000_001) } },
      400,
      'invalid_request',
      /input\.text/,
    ],
    [
      'an unknown model',
      { id, conversationId: id, kind: 'chat', model: 'gpt-9', input: { text: 'a' } },
      422,
      'model_unknown',
      /double/,
    ],
    [
      'a message to replace that there is not',
      { id, conversationId: id, kind: 'chat', replaces: id, input: { text: 'a' } },
      404,
      'not_found',
      /./,
    ],
    [
      'a run to continue that there is not',
      { id, conversationId: id, kind: 'chat', continues: id, input: { text: '' } },
      404,
      'not_found',
      /./,
    ],
    [
      'an attachment that there is not',
      { id, conversationId: id, kind: 'chat', input: { text: 'a', attachments: [{ id: `${id}/0` }] } },
      404,
      'not_found',
      /attachment/,
    ],
  ];
  for (const [title, body, status, code, detail] of BAD)
    it(`with ${title} is refused as ${code}, costs nothing and leaves nothing`, async () => {
      const guest = await server().guest();
      const refused = await guest.request('POST', '/api/runs', body);
      assert.deepEqual([refused.status, refused.body.code], [status, code]);
      assert.match(refused.body.detail, detail);
      const { balance } = (await guest.account()).body;
      assert.deepEqual([balance.guestMessagesLeft, balance.pendingMicro], [10, 0]);
      assert.deepEqual((await guest.conversations()).body.conversations, []);
    });

  for (const [method, path] of [
    ['GET', '/api/conversations?limit=0'],
    ['GET', '/api/conversations?limit=many'],
    ['GET', '/api/conversations?before=yesterday'],
    ['GET', '/api/conversations/not-an-id'],
    ['GET', '/api/credits/log?before=x'],
    ['GET', '/api/runs/spending?since=today'],
    ['GET', `/api/runs/${id}/events?after=-1`],
  ] as const)
    it(`${method} ${path.replace(id, ':id')} is refused as invalid_request`, async () => {
      const guest = await server().guest();
      const refused = await guest.request(method, path);
      assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_request']);
    });

  it('of 100 MB is refused with 413 before it is read', async () => {
    const guest = await server().guest();
    const { status, code } = await sendForever(server().url, guest.token, 100 * 1024 * 1024);
    assert.deepEqual([status, code], [413, 'payload_too_large']);
    const big = 'x'.repeat(900_000);
    const many = Array.from({ length: 10 }, () => ({ kind: 'file', text: big }));
    assert.ok(JSON.stringify(many).length > MAX_REQUEST_BYTES);
    const refused = await guest.request(
      'POST',
      '/api/runs',
      guest.chat('', { input: { text: 'a', attachments: many } } as never),
    );
    assert.deepEqual([refused.status, refused.body.code], [413, 'payload_too_large']);
  });

  it('may have any characters, NUL and half a pair among them, wherever it has text', async () => {
    const guest = await server().guest();
    const odd = 'a\0b \ud800 \u{1F600} %_\\ \u202e';
    server().double.script({ pieces: ['c\0d \ud83d', '\ude00'] });
    const attachments = [{ kind: 'file', path: `p\0.ts`, languageId: 'x\0', text: odd }];
    const request = guest.chat('', { input: { text: odd, attachments } } as never);
    endOf(await guest.run(request));
    const { body } = await guest.conversation(request.conversationId);
    assert.deepEqual(
      body.messages.map((m) => m.text),
      ['a\ufffdb \ufffd \u{1F600} %_\\ \u202e', 'c\ufffdd \u{1F600}'],
    );
    const renamed = await guest.request('PATCH', `/api/conversations/${request.conversationId}`, { title: 't\0' });
    assert.equal(renamed.status, 204);
    assert.equal((await guest.conversations(`?search=${encodeURIComponent('c\0d')}`)).body.conversations.length, 1);
    assert.equal((await guest.conversations('?search=%00nothing')).status, 200);
  });

  it('for another host is refused: a stranger’s page can’t be pointed at this server', async () => {
    for (const host of ['evil.example', 'evil.example:80', '127.0.0.1:1', 'localhost.evil.example'])
      assert.equal(await statusFor(server().url, host), 421, host);
    const { port } = new URL(server().url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`])
      assert.equal(await statusFor(server().url, host), 200, host);
    for (const probe of ['/healthz', '/readyz'])
      assert.equal(await statusFor(server().url, '10.0.0.7:8787', probe), 200, `a probe by address: ${probe}`);
  });

  it('to nowhere is 404, in the one form of problems', async () => {
    const guest = await server().guest();
    const missing = await guest.request('GET', '/api/nothing');
    assert.deepEqual(
      [missing.status, missing.body.code, missing.body.type],
      [404, 'not_found', 'urn:perigee:problem:not_found'],
    );
  });
});

onBothEngines('operations', (server) => {
  it('answer without a token: /healthz, /readyz, /openapi.json and, on this machine, /metrics', async () => {
    const get = async (path: string) => fetch(server().url + path);
    assert.deepEqual(await (await get('/healthz')).json(), { status: 'ok' });
    assert.deepEqual(await (await get('/readyz')).json(), { status: 'ready', name: 'perigee' });
    const guest = await server().guest();
    await guest.run(guest.chat('count me'));
    const metrics = await (await get('/metrics')).text();
    assert.match(metrics, /perigee_runs_total\{state="complete"\} \d/);
    assert.match(metrics, /route="\/api\/runs\/:id\/events"/);
    assert.doesNotMatch(metrics, new RegExp(guest.accountId), 'no account is named');
    const forwarded = await fetch(`${server().url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.9' } });
    assert.equal(forwarded.status, 401, 'a forwarded request is not from this machine');
  });

  it('describe every call of the wire in /openapi.json', async () => {
    const { paths } = (await (await fetch(`${server().url}/openapi.json`)).json()) as { paths: Record<string, object> };
    const calls = Object.entries(paths).flatMap(([path, verbs]) => Object.keys(verbs).map((verb) => `${verb} ${path}`));
    for (const call of [
      'post /api/guest',
      'get /api/account',
      'get /api/account/events',
      'get /api/models',
      'post /api/runs',
      'get /api/runs/{id}/events',
      'post /api/runs/{id}/stop',
      'post /api/runs/{id}/outcome',
      'get /api/conversations',
      'get /api/conversations/{id}',
      'patch /api/conversations/{id}',
      'delete /api/conversations/{id}',
      'get /api/credits/log',
      'get /healthz',
      'get /readyz',
      'get /metrics',
    ])
      assert.ok(calls.includes(call), call);
  });
});

const forwarded = (url: string, address: string) =>
  fetch(`${url}/api/guest`, { method: 'POST', headers: { 'x-forwarded-for': address } });

onBothEngines(
  'guests',
  (server) => {
    it('are admitted 3 an hour from one /24 or /48, and told when to come again', async () => {
      for (const last of [1, 77, 254]) assert.equal((await forwarded(server().url, `203.0.113.${last}`)).status, 201);
      const refused = await forwarded(server().url, '203.0.113.8');
      const problem = (await refused.json()) as { code: string; detail: string; retryAt: string };
      assert.deepEqual([refused.status, problem.code], [429, 'too_many_guests']);
      assert.match(problem.detail, /3 new guests have come from this network in the last hour/);
      assert.ok(Number(refused.headers.get('retry-after')) > 3500);
      assert.equal((await forwarded(server().url, '203.0.114.8')).status, 201, 'another network');
      for (const tail of ['1::1', '2::2', '3::3'])
        assert.equal((await forwarded(server().url, `2001:db8:7:${tail}`)).status, 201);
      assert.equal((await forwarded(server().url, '2001:0db8:0007:9:1:2:3:4')).status, 429, 'one /48, however written');
      server().clock.advance(3_600_001);
      assert.equal((await forwarded(server().url, '203.0.113.8')).status, 201, 'an hour later');
    });

    it('are admitted exactly 3 when 12 come at the same time', async () => {
      const statuses = await Promise.all(
        Array.from({ length: 12 }, async () => (await forwarded(server().url, '198.51.100.7')).status),
      );
      assert.equal(statuses.filter((s) => s === 201).length, 3);
      assert.equal(statuses.filter((s) => s === 429).length, 9);
    });

    it('of a trusted proxy that names nobody are admitted as from one network, and /metrics is closed to it', async () => {
      const statuses = [];
      for (let n = 0; n < 4; n++) statuses.push((await fetch(`${server().url}/api/guest`, { method: 'POST' })).status);
      assert.deepEqual(statuses, [201, 201, 201, 429]);
      assert.equal((await fetch(`${server().url}/metrics`)).status, 401);
      server().clock.advance(3_600_001);
    });

    it('are brought back with the clock: nobody waits two hours more', async () => {
      for (const last of [1, 2, 3]) await forwarded(server().url, `192.0.2.${last}`);
      server().clock.advance(-2 * 3_600_000);
      await bringBack(server().db, STORED_TIMES, server().clock.now());
      const refused = await forwarded(server().url, '192.0.2.4');
      assert.ok(Number(refused.headers.get('retry-after')) <= 3_700);
      server().clock.advance(3_600_001);
      assert.equal((await forwarded(server().url, '192.0.2.5')).status, 201);
      server().clock.advance(3_600_000);
    });

    it('get 10 messages each, by the ledger: a grant in the token log', async () => {
      const guest = await server().guest();
      const [entry] = (await guest.log()).body.entries;
      assert.deepEqual([entry?.kind, entry?.amountMicro, entry?.balanceMicro], ['grant', 10_000_000, 10_000_000]);
    });
  },
  {
    policy: (policy) => {
      policy.guests.perHour = 3;
    },
    env: { TRUSTED_PROXIES: '127.0.0.1' },
  },
);

/** Streams a body of `bytes` and stops when the answer comes. */
function sendForever(url: string, token: string, bytes: number): Promise<{ status: number; code: string }> {
  return new Promise((resolve, reject) => {
    const out = httpRequest(`${url}/api/runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': bytes },
    });
    out.on('response', (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => {
        out.destroy();
        resolve({ status: response.statusCode!, code: JSON.parse(body).code });
      });
    });
    out.on('error', reject);
    out.write('{"text":"'.padEnd(65536, 'x'));
  });
}

function statusFor(url: string, host: string, path = '/openapi.json'): Promise<number> {
  return new Promise((resolve, reject) => {
    const out = httpRequest(url + path, { headers: { host }, setHost: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    out.on('error', reject);
    out.end();
  });
}
