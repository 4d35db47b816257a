import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { suspend } from '../../../server/accounts/cases/sanctions.ts';
import { revokeEveryKey } from '../../../server/accounts/keys/store.ts';
import { RUNS_OF_ACCOUNTS } from '../../../server/gateway/runs/runs.ts';
import { apiKeyOf } from '../../../server/platform/values/apiKeys.ts';
import { type ApiKey, type KeyRequest, type KeysAnswer, MAX_KEYS, type NewKeyAnswer } from '../../../shared/keys.ts';
import type { Client } from '../../support/client.ts';
import { startServer } from '../../support/server.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const DAY = 24 * 3_600_000;

/** A request whose Host can be chosen, as by no fetch. */
function raw(url: string, method: string, path: string, headers: Record<string, string>) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const sent = httpRequest(url + path, { method, headers }, (answer) => {
      let body = '';
      answer.on('data', (piece) => (body += piece));
      answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body }));
    });
    sent.on('error', reject).end();
  });
}

onBothEnginesWithSignIn('an API key', (world, engine) => {
  const server = () => world().server();
  const member = async () => (await world().signIn(somebody(), { editor: world().editor() })).member;
  const make = (who: Client, request: Partial<KeyRequest> = {}) =>
    who.request<NewKeyAnswer>('POST', '/api/keys', { name: 'a tool', ...request });
  const list = async (who: Client) => (await who.request<KeysAnswer>('GET', '/api/keys')).body.keys;
  const change = (who: Client, id: string, patch: object) => who.request<ApiKey>('PATCH', `/api/keys/${id}`, patch);
  const revoke = (who: Client, id: string) => who.request('DELETE', `/api/keys/${id}`);
  /** The answer to a call by a key, or by any other headers. */
  async function call(secret: string | Record<string, string>, path = '/v1/models') {
    const headers = typeof secret === 'string' ? { authorization: `Bearer ${secret}` } : secret;
    const response = await fetch(server().url + path, { headers });
    return { status: response.status, headers: response.headers, body: (await response.json()) as CallBody };
  }
  interface CallBody {
    object?: string;
    data?: { id: string }[];
    error?: { message: string; type: string; code: string; param: string | null };
  }

  it('is shown once; only its hash is stored, and the last four characters to recognise it by', async () => {
    const ada = await member();
    const { status, body } = await make(ada, { name: '  OpenCode\n on the laptop ' });
    assert.equal(status, 201);
    const { key, secret, baseUrl } = body;
    assert.match(secret, /^pgk_[0-9A-Za-z]{49}$/);
    assert.equal(baseUrl, `${server().url}/v1`);
    const { id, createdAt, resetsAt, ...rest } = key;
    assert.deepEqual(rest, {
      name: 'OpenCode on the laptop',
      hint: secret.slice(-4),
      models: null,
      monthlyMicro: null,
      spentMicro: 0,
      expiresAt: null,
      lastUsedAt: null,
    });
    assert.ok(Date.parse(resetsAt) > Date.parse(createdAt));
    const listed = await ada.request<KeysAnswer>('GET', '/api/keys');
    assert.deepEqual(listed.body, { keys: [key], baseUrl });
    assert.ok(!JSON.stringify(listed.body).includes(secret));
    const row = await server().db.read.selectFrom('api_key').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    assert.ok(!JSON.stringify(row).includes(secret.slice(4, 40)));
    assert.match(row.secret_hash, /^[0-9a-f]{64}$/);
  });

  it('opens the calls of tools, as Bearer and as x-api-key, and says when it was last used', async () => {
    const ada = await member();
    const { key, secret } = (await make(ada)).body;
    for (const headers of [
      { authorization: `Bearer ${secret}` },
      { authorization: `bearer   ${secret}` },
      { 'x-api-key': secret },
      { authorization: `Bearer ${secret}`, 'x-api-key': secret },
      { authorization: 'Bearer undefined', 'x-api-key': secret },
      { authorization: 'Basic dTpw', 'x-api-key': secret },
      { authorization: `Bearer ${secret}`, 'x-api-key': 'unused' },
    ] as Record<string, string>[]) {
      const { status, body } = await call(headers);
      assert.deepEqual(
        [status, body.object, body.data?.map(({ id }) => id)],
        [200, 'list', ['double']],
        JSON.stringify(Object.keys(headers)),
      );
    }
    const used = async () => (await list(ada)).find(({ id }) => id === key.id)!.lastUsedAt;
    let first: string | null = null;
    while (first === null) first = await used();
    server().clock.advance(59_000);
    await call(secret);
    assert.equal(await used(), first, 'at most once a minute');
    server().clock.advance(2_000);
    await call(secret);
    while ((await used()) === first);
  });

  it('is not needed by a session, a guest’s or a member’s, whose own token opens the same calls', async () => {
    const [guest, ada] = [await server().guest(), await member()];
    for (const who of [guest, ada]) assert.equal((await who.request('GET', '/v1/models')).status, 200);
    const { status, body } = await call({ authorization: `Bearer ${ada.token}` });
    assert.deepEqual([status, body.error?.code], [401, 'invalid_api_key'], 'without its proof');
  });

  it('is refused for what was wrong, each in words of its own, and never repeated', async () => {
    const ada = await member();
    const made = async (request: Partial<KeyRequest> = {}) => (await make(ada, request)).body;
    const [good, other, gone, late] = [
      await made(),
      await made(),
      await made(),
      await made({ expiresAt: new Date(server().clock.now() + DAY).toISOString() }),
    ];
    await revoke(ada, gone.key.id);
    server().clock.advance(DAY);
    const ada2 = ada; // Her session is a day older by now, and goes on.
    assert.equal((await ada2.account()).status, 200);
    const unknown = apiKeyOf(Buffer.alloc(32, 7));
    const CASES: [what: string, headers: Record<string, string>, words: RegExp][] = [
      ['nothing', {}, /^Send an API key as "Authorization: Bearer pgk_…" or "x-api-key: pgk_…"\. Members make keys/],
      ['a cookie', { cookie: `perigee_session=${good.secret}` }, /^Send an API key/],
      ['another service’s key', { 'x-api-key': 'sk-ant-1234567890' }, /^What was sent is no API key of this server\./],
      ['a password', { authorization: 'Basic dTpw' }, /^What was sent is no API key/],
      ['no scheme', { authorization: good.secret }, /^Send an API key as "Authorization: Bearer/],
      ['a scheme of others', { authorization: `DPoP ${good.secret}` }, /^Send an API key as "Authorization: Bearer/],
      ['two keys', { authorization: `Bearer ${good.secret}`, 'x-api-key': other.secret }, /two different API keys/],
      [
        'a token that is not known',
        { authorization: `Bearer ${'x'.repeat(43)}` },
        /^This token is unknown or has ended/,
      ],
      ['a mistyped key', { authorization: `Bearer ${good.secret.slice(0, -1)}` }, /checksum of this API key is wrong/],
      ['a beginning', { 'x-api-key': 'pgk_' }, /checksum of this API key is wrong/],
      ['an unknown key', { authorization: `Bearer ${unknown}` }, /does not know this API key/],
      ['a revoked key', { authorization: `Bearer ${gone.secret}` }, /was revoked on \d{4}-.*Make another/],
      ['an expired key', { authorization: `Bearer ${late.secret}` }, /expired on \d{4}-.*Make another/],
    ];
    for (const [what, headers, words] of CASES) {
      const { status, body, headers: answered } = await call(headers);
      assert.deepEqual(
        [status, body.error?.type, body.error?.code, body.error?.param],
        [401, 'invalid_request_error', 'invalid_api_key', null],
        what,
      );
      assert.match(body.error!.message, words, what);
      assert.deepEqual(Object.keys(body), ['error'], what);
      assert.match(answered.get('www-authenticate')!, /^Bearer/, what);
      assert.equal(answered.get('x-should-retry'), 'false', what);
      assert.equal(answered.get('request-id'), answered.get('x-request-id'), what);
      const given = Object.values(headers).join();
      for (const secret of [good, other, gone, late].map((one) => one.secret))
        assert.ok(!given.includes(secret) || !JSON.stringify(body).includes(secret.slice(4, 20)), what);
    }
    assert.equal((await call(good.secret)).status, 200);
  });

  it('that is revoked is worth nothing from then on, on every device, and its owner is told', async () => {
    const person = somebody();
    const [laptop, desktop] = [(await world().signIn(person)).member, (await world().signIn(person)).member];
    const heard = await desktop.changes();
    const { key, secret } = (await make(laptop)).body;
    await heard.next((topic, id) => topic === 'keys' && id === laptop.accountId);
    assert.equal((await call(secret)).status, 200);
    assert.equal((await revoke(desktop, key.id)).status, 204);
    await heard.next((topic) => topic === 'keys');
    heard.close();
    assert.equal((await call(secret)).status, 401);
    assert.deepEqual(await list(laptop), []);
    assert.equal((await revoke(laptop, key.id)).status, 404, 'it was revoked before');
    assert.equal((await change(laptop, key.id, { name: 'back' })).status, 404);
  });

  it('of somebody else is not found, whether it exists or not', async () => {
    const [ada, eve] = [await member(), await member()];
    const { key, secret } = (await make(ada)).body;
    for (const id of [key.id, randomUUID()])
      for (const answer of [await revoke(eve, id), await change(eve, id, { name: 'mine' })])
        assert.deepEqual(
          [answer.status, answer.body.code, answer.body.detail],
          [404, 'not_found', 'There is no such API key in your account.'],
        );
    assert.deepEqual(await list(eve), []);
    assert.deepEqual([(await list(ada))[0]!.name, (await call(secret)).status], ['a tool', 200]);
  });

  it('is for members: a guest is told to sign in, before anything is read', async () => {
    const guest = await server().guest();
    for (const [method, path, body] of [
      ['GET', '/api/keys'],
      ['POST', '/api/keys', { name: 'x' }],
      ['POST', '/api/keys', '{'],
      ['PATCH', `/api/keys/${randomUUID()}`, {}],
      ['DELETE', `/api/keys/${randomUUID()}`],
    ] as [string, string, unknown?][]) {
      const answer = await guest.request(method, path, body);
      assert.deepEqual([answer.status, answer.body.code], [403, 'members_only'], `${method} ${path}`);
      assert.match(answer.body.detail, /Sign in first/);
    }
  });

  it('is made by what fits, and refused by what does not, by name', async () => {
    const ada = await member();
    const soon = new Date(server().clock.now() + DAY).toISOString();
    const past = new Date(server().clock.now() - 1).toISOString();
    const CASES: [request: object, status: number, words: RegExp][] = [
      [{}, 400, /^name: /],
      [{ name: '' }, 400, /^name: /],
      [{ name: ' \u200b\n ' }, 400, /^name: /],
      [{ name: 'x'.repeat(61) }, 400, /^name: /],
      [{ name: 'ok', models: [] }, 400, /^models: /],
      [{ name: 'ok', models: [''] }, 400, /^models\.0: /],
      [{ name: 'ok', models: 'double' }, 400, /^models: /],
      [{ name: 'ok', models: ['double', 'gpt-9'] }, 422, /^"gpt-9" is not offered here\. There is: double\.$/],
      [{ name: 'ok', models: ['pgk_1234567890123456789'] }, 422, /^"pgk_…" is not offered/],
      [{ name: 'ok', monthlyMicro: 0 }, 400, /^monthlyMicro: /],
      [{ name: 'ok', monthlyMicro: -5 }, 400, /^monthlyMicro: /],
      [{ name: 'ok', monthlyMicro: 1.5 }, 400, /^monthlyMicro: /],
      [{ name: 'ok', monthlyMicro: 1e16 }, 400, /^monthlyMicro: /],
      [{ name: 'ok', monthlyMicro: '5' }, 400, /^monthlyMicro: /],
      [{ name: 'ok', expiresAt: past }, 400, /^expiresAt: .* is over already/],
      [{ name: 'ok', expiresAt: 'tomorrow' }, 400, /^expiresAt: /],
      [{ name: 'ok', expiresAt: 1 }, 400, /^expiresAt: /],
      [{ name: 'ok', secret: 'pgk_mine' }, 400, /secret/],
      [{ name: 'ok', [apiKeyOf(Buffer.alloc(32, 7))]: 1 }, 400, /"pgk_…"/],
      [{ name: 'ok', models: null, monthlyMicro: null, expiresAt: null }, 201, /^$/],
      [{ name: 'ok', models: ['double', 'double'], monthlyMicro: 1, expiresAt: soon }, 201, /^$/],
    ];
    for (const [request, status, words] of CASES) {
      const answer = await ada.request<NewKeyAnswer>('POST', '/api/keys', request);
      assert.deepEqual([answer.status, request], [status, request]);
      assert.match(answer.body.detail ?? '', words);
      assert.doesNotMatch(JSON.stringify(answer.body.issues ?? ''), /pgk_\w{20}/, 'nothing repeats a key');
      if (status !== 201 && 'name' in request && request.name)
        assert.equal((await change(ada, randomUUID(), request)).status, status, JSON.stringify(request));
    }
    const [newest, older] = await list(ada);
    assert.deepEqual([newest!.models, newest!.monthlyMicro, newest!.expiresAt], [['double'], 1, soon]);
    assert.deepEqual([older!.models, older!.monthlyMicro, older!.expiresAt], [null, null, null]);
  });

  it('is changed from its next call on: name, models, cap and end, one by one', async () => {
    const ada = await member();
    const { key, secret } = (await make(ada)).body;
    const changed = async (patch: object) => (await change(ada, key.id, patch)).body;
    assert.deepEqual(await changed({}), key);
    assert.deepEqual(await changed({ name: 'renamed' }), { ...key, name: 'renamed' });
    assert.equal((await changed({ monthlyMicro: 5_000_000 })).monthlyMicro, 5_000_000);
    const end = new Date(server().clock.now() + DAY).toISOString();
    assert.equal((await changed({ expiresAt: end })).expiresAt, end);
    server().clock.advance(DAY);
    assert.equal((await call(secret)).status, 401);
    assert.equal((await changed({ expiresAt: null })).name, 'renamed');
    assert.equal((await call(secret)).status, 200, 'its end was taken away');
    assert.equal((await changed({ monthlyMicro: null })).monthlyMicro, null);
    assert.deepEqual((await changed({ models: ['double'] })).models, ['double']);
    assert.equal((await changed({ models: null })).models, null);
  });

  it('is one of 50 at most, also when they are made at once', async () => {
    const ada = await member();
    const answers = await Promise.all(Array.from({ length: MAX_KEYS + 3 }, (_, n) => make(ada, { name: `tool ${n}` })));
    const refused = answers.filter(({ status }) => status !== 201);
    assert.deepEqual(
      refused.map(({ status, body }) => [status, body.code]),
      Array.from({ length: 3 }, () => [409, 'too_many_keys']),
    );
    const all = await list(ada);
    assert.equal(all.length, MAX_KEYS);
    await revoke(ada, all[0]!.id);
    assert.equal((await make(ada)).status, 201, 'a revoked one makes room');
  });

  it('sees the models that it may use, and no other', async () => {
    const ada = await member();
    const { secret, key } = (await make(ada, { models: ['double'] })).body;
    assert.deepEqual((await call(secret)).body.data, [
      { id: 'double', object: 'model', created: 0, owned_by: 'perigee' },
    ]);
    assert.deepEqual((await call(secret, '/v1/models/double')).body, {
      id: 'double',
      object: 'model',
      created: 0,
      owned_by: 'perigee',
    });
    await server().db.write((tx) =>
      tx.updateTable('api_key').set({ models: '["gone/model"]' }).where('id', '=', key.id).execute(),
    );
    assert.deepEqual((await call(secret)).body.data, []);
    const CASES: [path: string, words: RegExp][] = [
      ['/v1/models/double', /^The API key "a tool" may use none of the models/],
      ['/v1/models/gone%2Fmodel', /^"gone\/model" is not offered here\. There is: double\.$/],
      ['/v1/models/gone/model', /^"gone\/model" is not offered here/],
    ];
    for (const [path, words] of CASES) {
      const { status, body } = await call(secret, path);
      assert.deepEqual([status, body.error?.code, body.error?.param], [404, 'model_not_found', 'model'], path);
      assert.match(body.error!.message, words);
    }
  });

  it('of an account that may start nothing is refused, and the reason is told', async () => {
    const [closing, suspended] = [await member(), await member()];
    const keys = await Promise.all([closing, suspended].map(async (who) => (await make(who)).body));
    await closing.request('POST', '/api/account/closing');
    await server().db.write((tx) =>
      suspend(tx, RUNS_OF_ACCOUNTS, suspended.accountId, { why: 'Sold on.', until: null, at: server().clock.now() }),
    );
    const CASES: [secret: string, code: string, words: RegExp][] = [
      [keys[0]!.secret, 'account_closing', /You have closed this account/],
      [keys[1]!.secret, 'suspended', /^This account is suspended until further notice\. Sold on\. /],
    ];
    for (const [secret, code, words] of CASES) {
      const { status, body, headers } = await call(secret);
      assert.deepEqual([status, body.error?.type, body.error?.code], [403, 'permission_error', code]);
      assert.match(body.error!.message, words);
      assert.equal(headers.get('x-should-retry'), 'false');
    }
    for (const who of [closing, suspended]) {
      assert.equal((await make(who)).status, 403, 'and makes no other');
      assert.equal((await who.request('GET', '/v1/models')).status, 403, 'nor does its session open them');
      assert.equal((await list(who)).length, 1);
      assert.equal((await revoke(who, (await list(who))[0]!.id)).status, 204);
    }
  });

  it('goes with its account, and all of them when a backup is restored', async () => {
    const [ada, eve] = [await member(), await member()];
    const [one, two] = [(await make(ada)).body, (await make(eve)).body];
    await server().db.write((tx) => tx.deleteFrom('wallet').where('account_id', '=', ada.accountId).execute());
    await server().db.write((tx) => tx.deleteFrom('account').where('id', '=', ada.accountId).execute());
    assert.match((await call(one.secret)).body.error!.message, /does not know this API key/);
    assert.ok((await server().db.write((tx) => revokeEveryKey(tx, server().clock.now()))) > 0);
    assert.match((await call(two.secret)).body.error!.message, /was revoked/);
  });

  // No row matters here, and there are many routes.
  if (engine === 'sqlite')
    it('opens no other route, however it is sent: each refuses it by name and says where it works', async () => {
      const ada = await member();
      const { secret } = (await make(ada)).body;
      const routes = server()
        .app.routes.filter(({ method, path }) => method !== 'ALL' && !path.startsWith('/v1'))
        .map(({ method, path }) => [method, path.replace(/:\w+(\{[^}]*\})?/g, randomUUID())] as const);
      assert.ok(routes.length > 60, String(routes.length));
      const others = [
        ['GET', '/nothing'],
        ['POST', '/chat/completions'],
        ['GET', '/V1/models'],
        ['GET', '//v1/models'],
        ['GET', '/api/v1/models'],
        ['GET', '/v1x/models'],
      ] as const;
      /** Every way where it matters most, two of them elsewhere. */
      const waysOf = async (method: string, path: string): Promise<Record<string, string>[]> => [
        { authorization: `Bearer ${secret}` },
        { 'x-api-key': secret },
        ...(/^\/api\/(keys|account|runs)/.test(path)
          ? [
              { authorization: `DPoP ${secret}` },
              { authorization: secret },
              { ...(await ada.credentials(method, path)), 'x-api-key': secret },
            ]
          : []),
      ];
      const seen = new Set<string>();
      for (const [method, path] of [...routes, ...others])
        for (const headers of await waysOf(method, path)) {
          const response = await fetch(server().url + path, { method, headers, redirect: 'manual' });
          const text = await response.text();
          if (method === 'HEAD') continue;
          const body = JSON.parse(text) as { code: string; detail: string };
          assert.deepEqual([response.status, body.code], [403, 'key_elsewhere'], `${method} ${path}`);
          assert.match(body.detail, /work under \/v1 alone/);
          assert.ok(!text.includes(secret));
          seen.add(path);
        }
      assert.ok(seen.has('/api/keys') && seen.has('/healthz') && seen.has('/account') && seen.has('/metrics'));
      assert.deepEqual((await list(ada)).length, 1);
    });

  it('is refused in an address, wherever and however it is written, with the advice to revoke it', async () => {
    const ada = await member();
    const { secret } = (await make(ada)).body;
    const hex = (text: string) => [...text].map((one) => `%${one.charCodeAt(0).toString(16)}`).join('');
    const paths = [
      `/v1/models?key=${secret}`,
      `/v1/models?api_key=${secret}`,
      `/v1/models?access_token=${secret}`,
      `/v1/models?x=1&anything=Bearer%20${secret}#x`,
      `/v1/models?k=${secret.replace('pgk_', '%70gk%5F')}`,
      `/v1/models?k=${hex(secret)}`,
      `/v1/models?k=${hex(hex(secret))}`,
      `/v1/models?k=${secret.slice(0, -3)}`,
      `/v1/models/${secret}`,
      `/v1/${secret}`,
      `/${secret}`,
      `/api/account?key=${secret}`,
      `/api/conversations?search=${secret}`,
      `/healthz?key=${secret}`,
      `/account?key=${secret}`,
      `/sign-in?state=${secret}`,
    ];
    for (const path of paths)
      for (const headers of [{}, { authorization: `Bearer ${secret}` }] as Record<string, string>[]) {
        const response = await fetch(server().url + path, { headers, redirect: 'manual' });
        const text = await response.text();
        assert.equal(response.status, 400, path);
        assert.match(text, /key_in_address/, path);
        assert.match(text, /revoke that key/, path);
        assert.ok(!text.includes(secret.slice(0, 20)), path);
      }
    assert.equal((await call(secret, '/v1/models?key=')).status, 200, 'an empty one is no key');
  });
});

describe('the calls of tools', () => {
  it('answer in the shape of their dialect whatever is wrong, before and after the key is known', async () => {
    const server = await startServer('sqlite');
    try {
      const guest = await server.guest();
      const own = { authorization: `Bearer ${guest.token}` };
      const CASES: [
        method: string,
        path: string,
        headers: Record<string, string>,
        status: number,
        code: string,
        words: RegExp,
      ][] = [
        ['GET', '/v1', own, 404, 'not_found', /^There is nothing at GET \/v1\.$/],
        ['GET', '/v1/', own, 404, 'not_found', /^There is nothing at GET \/v1\/\.$/],
        ['POST', '/v1/nothing', own, 404, 'not_found', /^There is nothing at POST \/v1\/nothing\.$/],
        ['POST', '/v1/nothing', {}, 401, 'invalid_api_key', /^Send an API key/],
        ['POST', '/v1/models', own, 405, 'method_not_allowed', /^\/v1\/models takes GET, not POST\.$/],
        ['DELETE', '/v1/models/double', own, 405, 'method_not_allowed', /takes GET, not DELETE/],
        ['GET', '/v1/models', { ...own, host: 'evil.example' }, 421, 'wrong_host', /names another host/],
        ['GET', `/v1/models?${'x'.repeat(9000)}`, own, 400, 'invalid_request', /more than 8192 characters/],
        ['OPTIONS', '/v1/models', {}, 401, 'invalid_api_key', /^Send an API key/],
      ];
      for (const [method, path, headers, status, code, words] of CASES) {
        const answer = await raw(server.url, method, path, headers);
        const body = JSON.parse(answer.body) as { error: { message: string; type: string; code: string } };
        assert.deepEqual([answer.status, body.error.code], [status, code], `${method} ${path.slice(0, 40)}`);
        assert.match(body.error.message, words);
        assert.equal(answer.headers['content-type'], 'application/json');
        assert.ok(answer.headers['x-request-id']);
        assert.equal(answer.headers['request-id'], answer.headers['x-request-id']);
        if (status === 405) assert.equal(answer.headers.allow, 'GET');
      }
      const good = await raw(server.url, 'GET', '/v1/models', own);
      assert.equal(good.headers['request-id'], good.headers['x-request-id']);
      const head = await raw(server.url, 'HEAD', '/v1/models', own);
      assert.deepEqual([head.status, head.body], [200, '']);
    } finally {
      await server.stop();
    }
  });

  it('are open to pages of CORS_ORIGINS, without cookies, and to no other page', async () => {
    const server = await startServer('sqlite', { env: { CORS_ORIGINS: 'https://tool.example' } });
    try {
      const guest = await server.guest();
      const ask = (origin: string) =>
        fetch(`${server.url}/v1/models`, {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': 'GET',
            'access-control-request-headers': 'authorization',
          },
        });
      const allowed = await ask('https://tool.example');
      assert.deepEqual(
        [
          allowed.status,
          allowed.headers.get('access-control-allow-origin'),
          allowed.headers.get('access-control-allow-headers'),
        ],
        [204, 'https://tool.example', 'authorization'],
      );
      assert.equal(allowed.headers.get('access-control-allow-credentials'), null);
      assert.equal((await ask('https://evil.example')).headers.get('access-control-allow-origin'), null);
      for (const [authorization, status] of [
        [`Bearer ${guest.token}`, 200],
        ['Bearer nothing-that-is-known-here', 401],
      ] as const) {
        const read = await fetch(`${server.url}/v1/models`, {
          headers: { origin: 'https://tool.example', authorization },
        });
        assert.equal(read.status, status);
        assert.equal(read.headers.get('access-control-allow-origin'), 'https://tool.example');
        assert.match(read.headers.get('access-control-expose-headers')!, /x-request-id.*retry-after/);
      }
    } finally {
      await server.stop();
    }
  });
});
