import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { BodyLimit } from '../../server/platform/http/env.ts';
import { Sender, type Sent } from '../support/sender.ts';
import { onBothEnginesWithSignIn } from '../support/signIn.ts';
import { openTool } from '../support/tools.ts';

const MB = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };
const OWN = { ...JSON_TYPE, 'sec-fetch-site': 'same-origin' };
/** Of some MB, as objects without an end, and as lists in lists. */
const OBJECTS = { head: '[', repeat: '{},', times: MB, tail: '{}]' };
const NESTED = { repeat: '[', times: 3 * MB };

onBothEnginesWithSignIn('the body of a request', (world, engine) => {
  let sender: Sender;
  before(() => {
    sender = new Sender(() => world().server().url);
  });
  after(() => sender.close());
  const post = (path: string, body: Sent['body'], headers: Record<string, string> = JSON_TYPE): Sent => ({
    method: 'POST',
    path,
    headers,
    body,
  });
  const asGuest = async () => ({
    ...JSON_TYPE,
    authorization: `Bearer ${(await world().server().guest()).token}`,
  });

  it('has a limit beside each route that takes one; the others read none', async () => {
    const { routes } = world().server().app;
    const limits = new Map<string, BodyLimit>();
    for (const { method, path, handler } of routes)
      limits.set(`${method} ${path}`, (handler as { limit?: BodyLimit }).limit ?? limits.get(`${method} ${path}`)!);
    const { paths } = (await (await fetch(`${world().server().url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { requestBody?: { 'x-max-bytes'?: number } }>>;
    };
    for (const [path, verbs] of Object.entries(paths))
      for (const [verb, { requestBody }] of Object.entries(verbs)) {
        const name = `${verb.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
        assert.equal(limits.get(name)?.maxBytes, requestBody?.['x-max-bytes'], name);
      }
    const changing = routes.filter(({ method }) => !['GET', 'HEAD', 'OPTIONS', 'ALL'].includes(method));
    const names = new Set(changing.map(({ method, path }) => `${method} ${path}`));
    for (const [method, path] of [...names].map((name) => name.split(' ') as [string, string])) {
      // Each of them anew: some end a session.
      const headers = { ...(await asGuest()), 'sec-fetch-site': 'same-origin', origin: world().server().url };
      const there = path.replaceAll(/:\w+/g, crypto.randomUUID()).replaceAll('*', 'start');
      const limit = limits.get(`${method} ${path}`);
      const body = { repeat: ' ', times: (limit?.maxBytes ?? MB) + 1, chunked: !(limit && limit.maxBytes >= 8 * MB) };
      const answer = await sender.send({ method, path: there, headers, body });
      assert.ok(answer.status >= 200 && answer.status < 500, `${method} ${path}: ${answer.status}`);
      // Some routes are for members or reviewers alone, or not switched on: that is said before the body is read.
      const isForGuests = !['members_only', 'not_offered'].includes(answer.code!) && !path.startsWith('/api/desk');
      if (limit?.type === 'json' && isForGuests) assert.equal(answer.status, 413, `${method} ${path}`);
    }
  }).timeout(60_000);

  const TOO_LARGE: [title: string, path: string, headers: Record<string, string>][] = [
    ['a sign-in’s code', '/api/auth/token', JSON_TYPE],
    ['a device’s names', '/api/auth/device', JSON_TYPE],
    ['a page’s code', '/api/auth/page', OWN],
  ];
  for (const chunked of [false, true])
    for (const [title, path, headers] of TOO_LARGE)
      it(`of ${title} has some KB, ${chunked ? 'in pieces of unsaid length' : 'as it says itself'}: more is 413, not a reset`, async () => {
        const text = { head: '{"a":"', repeat: 'x', times: 9 * MB, tail: '"}', chunked };
        assert.deepEqual(await sender.send(post(path, text, headers)), { status: 413, code: 'payload_too_large' });
      });

  it('of a form, of a renaming and of an event is bounded as well', async () => {
    const large = { repeat: 'x', times: 2 * MB, chunked: true };
    const form = { 'content-type': 'application/x-www-form-urlencoded', origin: world().server().url };
    for (const path of ['/sign-in/email', '/sign-in/code', '/sign-in/confirm', '/device'])
      assert.equal((await sender.send(post(path, large, form))).status, 413, path);
    const text = { head: '{"title":"', repeat: 'x', times: 2 * MB, tail: '"}', chunked: true };
    const rename = { method: 'PATCH', path: `/api/conversations/${crypto.randomUUID()}`, headers: await asGuest() };
    assert.equal((await sender.send({ ...rename, body: text })).code, 'payload_too_large');
  });

  it('that is empty is told as empty, and not as wrong JSON', async () => {
    const server = world().server();
    const tool = await openTool(server);
    const accepted = { terms_version: '1' };
    await server.db.write((tx) => tx.updateTable('account').set(accepted).where('id', '=', tool.accountId).execute());
    const guest = await asGuest();
    const PATHS: [path: string, headers: Record<string, string>][] = [
      ['/api/runs', guest],
      ['/v1/chat/completions', tool.headers],
      ['/v1/messages', tool.headers],
      ['/v1/messages/count_tokens', tool.headers],
      ['/v1/responses', tool.headers],
    ];
    for (const [path, headers] of PATHS) {
      const bodies: (string | Uint8Array<ArrayBuffer> | undefined)[] = [undefined, '', ' \r\n\t '];
      if (path.startsWith('/v1')) bodies.push(Uint8Array.from(gzipSync('')));
      for (const body of bodies) {
        const type: Record<string, string> = body === undefined ? {} : JSON_TYPE;
        const encoding: Record<string, string> = body instanceof Uint8Array ? { 'content-encoding': 'gzip' } : {};
        const { 'content-type': _, ...own } = headers as Record<string, string>;
        const answer = await fetch(server.url + path, {
          method: 'POST',
          headers: { ...own, ...type, ...encoding },
          ...(body === undefined ? {} : { body }),
        });
        const text = await answer.text();
        assert.equal(answer.status, 400, `${path}: ${text}`);
        assert.match(text, /The body is empty\. Send a JSON object\./, path);
        assert.doesNotMatch(text, /The body is not valid JSON/);
      }
      const wrong = await fetch(server.url + path, {
        method: 'POST',
        headers: { ...headers, ...JSON_TYPE },
        body: '{',
      });
      assert.match(await wrong.text(), /The body is not valid JSON/, path);
    }
  });

  it('is taken as it is: none that is compressed, whatever it would be', async () => {
    for (const encoding of ['gzip', 'deflate', 'br', 'identity, gzip'])
      for (const [path, headers] of [
        ['/api/runs', await asGuest()],
        ['/api/auth/token', JSON_TYPE],
      ] as const) {
        const answer = await sender.send(post(path, { head: '{}' }, { ...headers, 'content-encoding': encoding }));
        assert.deepEqual(answer, { status: 400, code: 'invalid_request' }, `${path} ${encoding}`);
      }
  });

  it('may name anything: neither a prototype nor a name told twice is more than an odd name', async () => {
    const headers = await asGuest();
    for (const head of [
      '{"__proto__":{"polluted":1}}',
      '{"constructor":{"prototype":{"polluted":1}}}',
      '{"kind":"chat","kind":"edit","__proto__":null}',
      '{"id":1e999}',
      'null',
      '"text"',
      '1e999',
      '\ufeff{}',
      '',
    ]) {
      assert.equal((await sender.send(post('/api/runs', { head }, headers))).status, 400, head);
      assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    }
    for (const type of [
      'application/json;charset',
      'application/json; charset=utf-16',
      'text/json',
      'application/json5',
    ])
      assert.ok(
        (await sender.send(post('/api/runs', { head: '{}' }, { ...headers, 'content-type': type }))).status < 500,
      );
  });

  it('of a run is refused by its first KB where nothing can be admitted, and a run is told again that was', async () => {
    const guest = await world().server().guest();
    const files = Array.from({ length: 7 }, (_, n) => ({ path: `${n}.ts`, languageId: 'ts', text: 'x'.repeat(9_000) }));
    const last = guest.editFiles('first', Object.fromEntries(files.map(({ path, text }) => [path, text])));
    assert.equal((await guest.start(last)).status, 202);
    await guest.events(last.id);
    await world()
      .server()
      .db.write((tx) => tx.updateTable('account').set({ suspended_at: 1 }).where('id', '=', guest.accountId).execute());
    const again = await guest.request('POST', '/api/runs', `${JSON.stringify(last)}${' '.repeat(5_000)}`);
    assert.equal(again.status, 202, JSON.stringify(again.body));
    const another = { ...last, id: crypto.randomUUID() };
    // What comes after its first KB is no JSON, and nobody looks at it.
    const refused = await guest.request('POST', '/api/runs', `${JSON.stringify(another)}${'['.repeat(5_000)}`);
    assert.deepEqual([refused.status, refused.body.code], [403, 'suspended']);
  });

  it('of an account without credits costs no more when it is large', async () => {
    const guest = await world().server().guest();
    const { db } = world().server();
    const empty = (micro: number) =>
      db.write((tx) =>
        tx
          .updateTable('balance')
          .set({ posted: micro })
          .where('kind', '=', 'promotional')
          .where('ledger_id', 'in', (eb) =>
            eb.selectFrom('wallet').select('ledger_id').where('account_id', '=', guest.accountId),
          )
          .execute(),
      );
    await empty(0);
    try {
      const text = 'x'.repeat(900_000);
      const attachments = Array.from({ length: 8 }, () => ({ kind: 'file', text }));
      const refused = await guest.start(guest.chat('', { input: { text: 'a', attachments } } as never));
      assert.deepEqual([refused.status, refused.body.code], [402, 'insufficient_credits']);
      assert.match(refused.body.detail, /free messages are used up/);
    } finally {
      await empty(10_000_000);
    }
  });

  it('that is no run, of some MB, is read ten times in ten minutes for one account', async () => {
    const headers = await asGuest();
    const text = { head: '{"id":"', repeat: 'x', times: MB, tail: '"}' };
    const codes: string[] = [];
    for (let n = 0; n < 12; n++) codes.push((await sender.send(post('/api/runs', text, headers))).code);
    assert.deepEqual(codes, [...Array(10).fill('invalid_request'), ...Array(2).fill('too_many_attempts')]);
  });

  // Nothing of it is the database's.
  const onSqlite = engine === 'sqlite' ? it : it.skip;
  onSqlite('costs a refusal little more than receiving it, whatever is in it', async () => {
    const headers = await asGuest();
    /** The same bytes, at which nobody looks. */
    const unread = async (body: Sent['body']) => (await sender.cost(() => post('/nowhere', body))).ms;
    for (const [title, body] of [
      ['objects', OBJECTS],
      ['lists', NESTED],
      ['objects in pieces', { ...OBJECTS, chunked: true }],
    ] as const) {
      let yardstick = await unread(body);
      for (const [path, with_] of [
        ...TOO_LARGE.map(([, path, with_]) => [path, with_] as const),
        ['/api/runs', headers] as const,
      ]) {
        // Others on the machine make both dearer, not always at the same time. What is too dear by itself always is.
        for (let left = 3; ; left--) {
          const before = process.memoryUsage.rss();
          const { ms, answer } = await sender.cost(() => post(path, body, with_));
          const grown = process.memoryUsage.rss() - before;
          assert.ok(answer.status >= 400 && answer.status < 500, `${path}: ${answer.status}`);
          if (ms < 3 * yardstick + 3 && grown < 100 * MB) break;
          const told = `${title} to ${path}: ${ms} ms and ${grown} bytes, where receiving it costs ${yardstick} ms`;
          assert.ok(left > 1, told);
          yardstick = await unread(body);
        }
      }
    }
  }).timeout(120_000);

  // After what measures: some MB that were held for long are a burden to the collector.
  it('that stands still takes the room of its own account alone', async () => {
    const [one, other] = [await world().server().guest(), await world().server().guest()];
    const head = `{"id":"${crypto.randomUUID()}","x":"`;
    const length = 7 * MB;
    const still = Array.from({ length: 3 }, () => {
      const headers = { ...JSON_TYPE, authorization: `Bearer ${one.token}`, 'content-length': length };
      const out = request(`${world().server().url}/api/runs`, { method: 'POST', headers });
      out.write(head + 'x'.repeat(length - head.length - 1));
      return { out, status: once(out, 'response').then(([{ statusCode }]) => statusCode) };
    });
    try {
      assert.equal(await Promise.race(still.map(({ status }) => status)), 503);
      const text = 'x'.repeat(300_000);
      const large = other.chat('', { input: { text: 'a', attachments: [{ kind: 'file', text }] } } as never);
      const { status } = await other.start(large);
      assert.notEqual(status, 503);
    } finally {
      for (const { out, status } of still) {
        status.catch(() => {});
        out.destroy();
      }
    }
  });
});
