import assert from 'node:assert/strict';
import { cleanName } from '../../shared/texts.ts';
import { Browser } from '../support/browser.ts';
import { onBothEngines } from '../support/engines.ts';
import { onBothEnginesWithSignIn, somebody } from '../support/signIn.ts';

interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: { 'application/json': { schema: unknown } } };
}
type Paths = Record<string, Record<string, Operation>>;

const ODD = [
  '\0',
  'a\0b',
  '\ud800',
  '\u202e\u200b',
  '%',
  "'; drop table account; --",
  'e\u0301',
  '9'.repeat(400),
  '-1',
  '[]',
];

onBothEnginesWithSignIn('every route', (world) => {
  const url = () => world().server().url;
  const pathsOf = async () => ((await (await fetch(`${url()}/openapi.json`)).json()) as { paths: Paths }).paths;

  it('refuses or takes any text in any parameter, and fails at none', async () => {
    const { member } = await world().signIn(somebody());
    const failed: string[] = [];
    for (const [path, verbs] of Object.entries(await pathsOf()))
      for (const [verb, operation] of Object.entries(verbs)) {
        if (path.endsWith('/events') && path.includes('account')) continue;
        if (/closing|sign-out|export/.test(path)) continue;
        for (const odd of ODD) {
          const encoded = odd === '\ud800' ? '%ED%A0%80' : encodeURIComponent(odd);
          const query = (operation.parameters ?? []).filter((one) => one.in === 'query');
          const calls = [path.replaceAll(/\{\w+\}/g, encoded)];
          const fixed = path.replaceAll(/\{\w+\}/g, crypto.randomUUID());
          for (const { name } of query) calls.push(`${fixed}?${name}=${encoded}`);
          for (const call of new Set(calls)) {
            const body = ['post', 'patch'].includes(verb) ? JSON.stringify(oddBody(path, odd)) : undefined;
            const { status } = await member.request(verb.toUpperCase(), call, body);
            if (status >= 500 && status !== 501) failed.push(`${verb} ${call}: ${status}`);
          }
        }
      }
    assert.deepEqual(failed, []);
  }).timeout(60_000);

  /** With the text in each place that is a text. */
  function oddBody(path: string, odd: string): unknown {
    const id = crypto.randomUUID();
    const all: Record<string, unknown> = {
      '/api/auth/token': {
        grant_type: 'authorization_code',
        code: odd,
        code_verifier: 'v'.repeat(43),
        guest_token: odd,
      },
      '/api/auth/device': { device_name: odd, tool: odd },
      '/api/auth/page': { code: odd, confirm: true },
      '/api/account': { name: odd },
      '/api/account/terms': { version: odd },
      '/api/account/email': { email: `${odd}@example.org` },
      '/api/account/email/confirm': { email: `x${odd}@example.org`, code: odd.padEnd(6, '0').slice(0, 12) },
      '/api/credits/checkout': { pack: odd },
      '/api/runs': {
        id,
        conversationId: id,
        kind: 'chat',
        model: odd,
        input: { text: odd, attachments: [{ id: odd }] },
      },
      '/api/conversations/{id}': { title: odd },
    };
    return all[path] ?? { any: odd };
  }

  it('takes any text in pages, cookies and headers, too', async () => {
    for (const odd of ['%00', 'a%00b', '%ED%A0%80', '%', '%E2%80%AE', 'x'.repeat(5_000), '..%2f..', '%27']) {
      for (const path of [
        `/join/${odd}`,
        `/sign-in?callback=${odd}`,
        `/sign-in/with/${odd}?flow=${odd}`,
        `/sign-in/start?flow=${odd}`,
        `/api/auth/callback/${odd}?code=${odd}&state=${odd}`,
        `/api/auth/callback/google?code=${odd}&state=${odd}`,
        `/device?user_code=${odd}`,
      ]) {
        const { status } = await fetch(url() + path, { redirect: 'manual' });
        assert.ok(status < 500 && status !== 431, `${path}: ${status}`);
      }
      const cookie = `perigee_session=${odd}; perigee_joined_by=${odd}; perigee_known=${odd}; perigee_flow_abcdefghijkl=${odd}`;
      const headers = { cookie, 'perigee-device': 'x\u00e9', 'last-event-id': '1e99' };
      for (const path of ['/api/account', '/sign-in', '/sign-in/start?flow=abcdefghijkl'])
        assert.ok((await fetch(url() + path, { headers, redirect: 'manual' })).status < 500, path);
    }
  });

  it('keeps whoever came by an odd link from nothing', async () => {
    const browser = new Browser();
    const confirm = await world().identify(somebody(), `${url()}/sign-in`, browser);
    const [name, value] = browser.cookie(new URL(url()).host, /flow/)!;
    const done = await fetch(`${url()}/sign-in/confirm`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ flow: confirm.url.searchParams.get('flow')!, decision: 'continue', terms: '1' }),
      headers: { origin: url(), cookie: `${name}=${value}; perigee_joined_by=a%00b` },
    });
    assert.equal(done.status, 303);
  });

  it('has its answers kept nowhere, but files that are the same for everybody', async () => {
    const { member } = await world().signIn(somebody());
    const guest = await world().server().guest();
    for (const [path, verbs] of Object.entries(await pathsOf()))
      for (const verb of Object.keys(verbs)) {
        if (path.endsWith('/events')) continue;
        const there = path.replaceAll(/\{\w+\}/g, crypto.randomUUID());
        for (const client of [member, guest]) {
          const { headers, status } = await client.request(
            verb.toUpperCase(),
            there,
            verb === 'get' ? undefined : '{}',
          );
          assert.equal(headers.get('cache-control'), 'no-store', `${verb} ${path}: ${status}`);
          if (/closing|sign-out/.test(path)) break;
        }
      }
    assert.match((await fetch(`${url()}/sign-in.css`)).headers.get('cache-control')!, /public/);
  }).timeout(60_000);

  it('takes no crafted sign-in link for more than it is: neither 431, nor cookies without end', async () => {
    const browser = new Browser();
    for (let n = 0; n < 40; n++) {
      const page = await browser.open(
        world()
          .editor()
          .signInAddress({ callback: `vscode://perigee.perigee/x?a=${'y'.repeat(1_900)}` }),
      );
      assert.equal(page.status, 200, page.html);
    }
    const { html } = await browser.request(new URL('/nowhere', url()));
    assert.ok(html.length > 0);
    const sent = browser.cookieHeader(new URL(url()).host).length;
    assert.ok(sent < 16_000, `${sent} bytes of cookies`);
    for (const length of [9_000, 20_000, 50_000]) {
      const { status } = await fetch(`${url()}/sign-in?callback=${'x'.repeat(length)}`);
      assert.equal(status, 400, `${length}`);
    }
  });
});

onBothEngines(
  'a guest is made',
  (server) => {
    const ask = async (headers: Record<string, string>) =>
      (await fetch(`${server().url}/api/guest`, { method: 'POST', headers })).status;

    it('for programs, for this server’s pages, and for those of CORS_ORIGINS', async () => {
      for (const headers of [
        {},
        { 'sec-fetch-mode': 'cors' },
        { origin: server().url },
        { origin: server().url, 'sec-fetch-site': 'same-origin' },
        { origin: 'https://editor.example', 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'none' },
      ] as Record<string, string>[])
        assert.equal(await ask(headers), 201, JSON.stringify(headers));
    });

    it('for no page of a stranger’s, by whatever kind of request', async () => {
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { origin: 'https://editor.example.evil.example' },
        { origin: 'http://editor.example' },
        { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' },
        { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
        { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
        { 'sec-fetch-site': 'same-site' },
      ] as Record<string, string>[])
        assert.equal(await ask(headers), 403, JSON.stringify(headers));
    });
  },
  { env: { CORS_ORIGINS: 'https://editor.example' } },
);

describe('a name', () => {
  const NAMES: [given: string, shown: string][] = [
    ['  Ada   L.\n', 'Ada L.'],
    ['e\u0301', 'é'],
    ['a\u202eb\u2066c', 'abc'],
    ['a\u200b\u00ad\ufeffb', 'ab'],
    ['a\0\u0007b', 'a\ufffdb'],
    ['\ud800', '\ufffd'],
    ['👩‍💻', '👩‍💻'],
    ['می‌خواهم', 'می‌خواهم'],
    ['\u2028\u2029', ''],
    ['\u{E0041}x', 'x'],
  ];
  for (const [given, shown] of NAMES)
    it(`${JSON.stringify(given)} is shown as ${JSON.stringify(shown)}`, () => assert.equal(cleanName(given), shown));
});
