import assert from 'node:assert/strict';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import type { LogAnswer } from '../../../shared/credits.ts';
import type { NewKeyAnswer } from '../../../shared/keys.ts';
import type { ModelsAnswer } from '../../../shared/models.ts';
import type { Client } from '../../support/client.ts';
import { onBothEnginesWithSignIn, somebody } from '../../support/signIn.ts';

const C = MICRO_PER_CREDIT;
const PROBLEMS = { accept: 'text/event-stream, application/problem+json' };
const askFor = (extension: string, dailyMicro = 100 * C) => ({
  'perigee-for': extension,
  'perigee-daily-cap': String(dailyMicro),
});
const PATHS = ['/v1/chat/completions', '/v1/responses', '/v1/messages'] as const;
const bodyOf = (path: string, text = 'Hi') => {
  const messages = [{ role: 'user', content: text }];
  return {
    model: 'double',
    max_tokens: 100,
    ...(path === '/v1/responses' ? { input: text, max_tokens: undefined } : { messages }),
  };
};

onBothEnginesWithSignIn('a call of the editor for another extension', (world, engine) => {
  const server = () => world().server();
  const member = async () => (await world().signIn(somebody(), { editor: world().editor() })).member;
  const call = (who: Client, headers: Record<string, string> = {}, path: string = PATHS[0], text?: string) =>
    who.request<{ error?: { message: string; type: string; code: string } }>('POST', path, bodyOf(path, text), headers);
  const log = async (who: Client) => {
    const { body } = await who.request<LogAnswer>('GET', '/api/credits/log?limit=100');
    return body.entries.filter(({ kind }) => kind === 'charge' || kind === 'not_charged');
  };

  it('is opened by the session’s own token with its proof, a guest’s too, and named in the token log', async () => {
    for (const who of [await member(), await server().guest()]) {
      for (const path of PATHS) assert.equal((await call(who, askFor('acme.helper'), path)).status, 200, path);
      assert.equal((await call(who, askFor('core'))).status, 200);
      assert.equal((await call(who, askFor(' <i>é\t'))).status, 200);
      assert.equal((await call(who, askFor('x'.repeat(200)))).status, 200);
      assert.deepEqual(
        (await log(who)).map(({ tool, key }) => [tool, key]),
        [
          [`VS Code: ${'x'.repeat(51)}`, undefined],
          ['VS Code: i', undefined],
          ['VS Code', undefined],
          ...PATHS.map(() => ['VS Code: acme.helper', undefined]),
        ],
      );
    }
  });

  it('is refused without the proof of the session’s key, or with that of another call', async () => {
    const ada = await member();
    const calls = server().double.bill.length;
    const proofs: [what: string, headers: Record<string, string>][] = [
      ['no token', {}],
      ['as a bearer', { authorization: `Bearer ${ada.token}` }],
      ['no proof', { authorization: `DPoP ${ada.token}` }],
      ['the proof of another route', await ada.credentials('POST', '/api/runs')],
      ['the proof of another method', await ada.credentials('GET', PATHS[0])],
      [
        'another key',
        { ...(await (await member()).credentials('POST', PATHS[0])), authorization: `DPoP ${ada.token}` },
      ],
    ];
    for (const [what, headers] of proofs) {
      const init = { method: 'POST', body: JSON.stringify(bodyOf(PATHS[0])) };
      const all = { 'content-type': 'application/json', ...askFor('acme.helper'), ...headers };
      assert.equal((await fetch(server().url + PATHS[0], { ...init, headers: all })).status, 401, what);
    }
    assert.equal(server().double.bill.length, calls);
    assert.deepEqual(await log(ada), []);
  });

  it('opens no route that was closed: neither does an API key’s rule change', async () => {
    const ada = await member();
    const { secret } = (await ada.request<NewKeyAnswer>('POST', '/api/keys', { name: 'a tool' })).body;
    const byKey = {
      'content-type': 'application/json',
      authorization: `Bearer ${secret}`,
      ...askFor('acme.helper', 0),
    };
    const init = { method: 'POST', headers: byKey, body: JSON.stringify(bodyOf(PATHS[0])) };
    assert.equal((await fetch(server().url + PATHS[0], init)).status, 200, 'a key has a cap of its own');
    const [line] = await log(ada);
    assert.equal(line?.key?.name, 'a tool');
    assert.doesNotMatch(line?.tool ?? '', /VS Code/);
    for (const path of ['/api/runs', '/api/account', '/api/models'])
      assert.equal((await fetch(server().url + path, { headers: byKey })).status, 403, path);
  });

  it('must say what such calls may cost a day', async () => {
    const ada = await member();
    for (const cap of [undefined, '', '-1', '1.5', '1e9', 'all', '9'.repeat(16)]) {
      const headers: Record<string, string> = { 'perigee-for': 'acme.helper' };
      if (cap !== undefined) headers['perigee-daily-cap'] = cap;
      const { status, body } = await call(ada, headers);
      assert.deepEqual([status, body.error?.code], [400, 'invalid_request'], cap);
      assert.match(body.error?.message ?? '', /perigee-daily-cap/);
    }
    assert.deepEqual(await log(ada), []);
  });

  it('is held to the cap without a name, also if a proxy drops the empty one', async () => {
    const ada = await member();
    const cap = { 'perigee-daily-cap': String(2 * C) };
    assert.equal((await call(ada, { ...cap, 'perigee-for': 'unknown' })).status, 200);
    assert.equal((await call(ada, cap)).status, 200);
    for (const headers of [cap, { ...cap, 'perigee-for': '' }, { ...cap, 'perigee-for': 'unknown' }])
      assert.equal((await call(ada, headers)).status, 402);
    assert.deepEqual(
      (await log(ada)).map(({ tool }) => tool),
      ['VS Code', 'VS Code'],
    );
  });

  it('is refused at the cap of the day in each dialect’s shape, or as a problem, before anything is sent', async () => {
    const ada = await member();
    assert.equal((await call(ada, askFor('acme.helper', 2 * C))).status, 200);
    assert.equal((await call(ada, askFor('acme.other', 2 * C))).status, 200);
    const calls = server().double.bill.length;
    const said: unknown[] = [];
    for (const path of PATHS) {
      const { status, body } = await call(ada, askFor('acme.helper', 2 * C), path);
      said.push([status, body.error?.type]);
      assert.match(
        body.error?.message ?? '',
        /may spend 2 credits a day. They have 0 credits left until 20.*Nothing was charged/,
      );
    }
    assert.deepEqual(said, [
      [402, 'insufficient_quota'],
      [429, 'usage_limit_reached'],
      [402, 'billing_error'],
    ]);
    const problem = await call(ada, { ...askFor('acme.helper', 2 * C), ...PROBLEMS });
    assert.deepEqual([problem.status, problem.body.code], [402, 'daily_cap_reached']);
    assert.match(problem.headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.match(problem.body.retryAt ?? '', /T00:00:00\.000Z$/);
    assert.equal(server().double.bill.length, calls);
    assert.equal((await log(ada)).length, 2);

    assert.equal((await call(ada)).status, 200, 'a tool of the user’s own, by the same session');
    assert.equal((await ada.run(ada.chat('Mine'))).at(-1)?.type, 'done');
    assert.equal((await call(ada, askFor('acme.helper', 3 * C))).status, 200, 'a higher cap holds at once');
    server().clock.advance(24 * 3_600_000);
    assert.equal((await call(ada, askFor('acme.helper', 2 * C))).status, 200, 'the next day');
  });

  it('lets many calls at once, from several windows, spend no more than the cap', async () => {
    const ada = await member();
    const answers = await Promise.all(Array.from({ length: 12 }, () => call(ada, askFor('acme.helper', 3 * C))));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [
      200,
      200,
      200,
      ...Array.from({ length: 9 }, () => 402),
    ]);
    assert.equal((await log(ada)).length, 3);
  });

  it('says to the editor that it is held to a cap', async () => {
    const { body } = await (await member()).request<ModelsAnswer>('GET', '/api/models');
    assert.equal(body.capsCalls, true);
  });

  // Counting takes long, and no row matters here.
  if (engine === 'sqlite')
    it('is refused with a million tokens, and after some such mistakes before the text is read', async () => {
      const ada = await member();
      const calls = server().double.bill.length;
      const text = 'word and then another '.repeat(250_000);
      const codes: string[] = [];
      for (let i = 0; i < 40 && codes.at(-1) !== 'too_many_attempts'; i++)
        codes.push((await call(ada, { ...askFor('acme.helper'), ...PROBLEMS }, PATHS[0], text)).body.code);
      assert.equal(codes.at(-1), 'too_many_attempts', codes.join(' '));
      assert.deepEqual(new Set(codes.slice(0, -1)), new Set(['context_too_long']));
      assert.equal(server().double.bill.length, calls);
      assert.deepEqual(await log(ada), []);
    });
});
