import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StripeService } from '../../server/credits/stripe.ts';
import { parseConfig } from '../../server/platform/config.ts';
import { createLog } from '../../server/platform/log.ts';
import { createMailer } from '../../server/platform/mail.ts';
import { parseProxies, proxyFor } from '../../server/platform/outbound.ts';
import { CERTIFICATE, ProxyDouble } from '../doubles/proxy.ts';
import { UpstreamDouble } from '../doubles/upstream.ts';
import { Client, textOf } from '../support/client.ts';
import { freshDatabase, ServerProcess } from '../support/server.ts';

describe('a proxy of the environment', () => {
  const P = 'http://proxy.example:3128/';
  const Q = 'http://other.example:8080/';
  const CHOSEN: [env: Record<string, string>, url: string, proxy: string | null][] = [
    [{}, 'https://api.example/v1', null],
    [{ HTTPS_PROXY: P }, 'https://api.example/v1', P],
    [{ https_proxy: P }, 'https://api.example/v1', P],
    [{ https_proxy: P, HTTPS_PROXY: Q }, 'https://api.example/v1', P],
    [{ HTTPS_PROXY: '' }, 'https://api.example/v1', null],
    [{ HTTPS_PROXY: ' proxy.example:3128 ' }, 'https://api.example/v1', P],
    [
      { HTTPS_PROXY: 'http://ada:p%40ss@proxy.example:3128' },
      'https://api.example',
      'http://ada:p%40ss@proxy.example:3128/',
    ],
    [{ HTTPS_PROXY: P }, 'http://api.example/v1', null],
    [{ HTTP_PROXY: P }, 'https://api.example/v1', null],
    [{ HTTP_PROXY: P, HTTPS_PROXY: Q }, 'http://api.example/v1', P],
    [{ ALL_PROXY: P }, 'https://api.example/v1', P],
    [{ all_proxy: P }, 'smtp://mail.example', P],
    [{ ALL_PROXY: 'socks5://x', HTTPS_PROXY: P, HTTP_PROXY: P }, 'https://api.example', P],
    [{ HTTPS_PROXY: P }, 'smtp://mail.example', null],
    [{ HTTPS_PROXY: P }, 'https://127.0.0.1:8443/', null],
    [{ HTTPS_PROXY: P }, 'https://localhost/', null],
    [{ HTTPS_PROXY: P }, 'https://[::1]/', null],
    ...(
      [
        ['api.example', 'https://api.example/', null],
        ['api.example', 'https://eu.api.example/', null],
        ['api.example', 'https://myapi.example/', P],
        ['api.example', 'https://example/', P],
        ['.api.example', 'https://api.example/', null],
        ['*.api.example', 'https://eu.api.example/', null],
        ['API.Example', 'https://api.EXAMPLE./', null],
        ['*', 'https://api.example/', null],
        ['a.example, api.example', 'https://api.example/', null],
        ['a.example api.example', 'https://api.example/', null],
        ['api.example:443', 'https://api.example/', null],
        ['api.example:8443', 'https://api.example/', P],
        ['api.example:8443', 'https://api.example:8443/', null],
        ['10.1.2.3', 'https://10.1.2.3/', null],
        ['10.1.2.3', 'https://10.1.2.30/', P],
        ['10.0.0.0/8', 'https://10.200.3.4:8000/', null],
        ['10.0.0.0/8', 'https://11.0.0.1/', P],
        ['fd00::/8', 'https://[fd12::1]/', null],
        ['[fd12::1]:443', 'https://[fd12::1]/', null],
        ['fd12::1', 'https://[fd12::2]/', P],
        ['10.0.0.0/8', 'https://10.example/', P],
        ['', 'https://api.example/', P],
      ] as const
    ).map(([list, url, proxy]): [Record<string, string>, string, string | null] => [
      { HTTPS_PROXY: P, NO_PROXY: list },
      url,
      proxy,
    ]),
  ];
  for (const [env, url, proxy] of CHOSEN)
    it(`${JSON.stringify(env)} calls ${url} ${proxy ? `by ${proxy}` : 'directly'}`, () =>
      assert.equal(proxyFor(parseProxies(env), new URL(url)), proxy));

  for (const value of [
    'socks5://proxy.example:1080',
    'ftp://proxy.example',
    'http://',
    'http://ada:hush@proxy example',
    'http://proxy.example/path',
    'http://proxy.example?hush',
  ])
    for (const name of ['HTTPS_PROXY', 'http_proxy', 'ALL_PROXY'])
      it(`${name}=${value} stops the start with one line that names it and repeats no password`, () =>
        assert.throws(
          () => parseConfig({ [name]: value }, () => '{}'),
          (error: Error) =>
            error.message.startsWith(`${name} must be the address of a proxy`) && !/hush|\n/.test(error.message),
        ));
});

describe('a server behind a proxy', function () {
  this.timeout(60_000);
  let double: UpstreamDouble;
  let proxy: ProxyDouble;
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'perigee-proxy-'));
    await writeFile(join(dir, 'ca.pem'), CERTIFICATE);
  });
  beforeEach(async () => {
    double = await new UpstreamDouble().start();
    proxy = await new ProxyDouble().start(Number(new URL(double.url).port));
  });
  afterEach(async () => {
    proxy.stop();
    await double.stop();
  });
  after(() => rm(dir, { recursive: true, force: true }));

  for (const scheme of ['https', 'http'])
    it(`streams, stops and lists models by it, of a service with ${scheme}`, async () => {
      const database = await freshDatabase('sqlite');
      const withPassword = proxy.url.replace('//', '//ada:hush@');
      const env = { HTTPS_PROXY: withPassword, HTTP_PROXY: withPassword, NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem') };
      const server = await ServerProcess.start(database.url, `${scheme}://models.test/v1`, env);
      try {
        const guest = await Client.guest(server.url);
        double.script({ pieces: ['By ', 'a ', 'proxy.'] });
        assert.equal(textOf(await guest.run(guest.chat('Which way?'))), 'By a proxy.');
        const call = double.script({ pieces: ['one ', 'two'], gateAt: 1 });
        const stopped = guest.chat('and stop');
        await guest.start(stopped);
        await guest.events(stopped.id, 0, (event) => event.type === 'text');
        await guest.stop(stopped.id);
        assert.equal((await call.ended).state, 'aborted');
        const calls = scheme === 'https' ? /^CONNECT models\.test:443$/ : /^POST http:\/\/models\.test(:80)?\/v1\/chat/;
        assert.ok(proxy.asked.length >= 2 && proxy.asked.some((one) => calls.test(one)), proxy.asked.join('\n'));
        const basic = `Basic ${Buffer.from('ada:hush').toString('base64')}`;
        assert.deepEqual([...new Set(proxy.credentials)], [basic]);
      } finally {
        await server.kill();
        await database.remove();
      }
    });

  it('asks Stripe and sends mail by it', async () => {
    const proxies = parseProxies({ HTTP_PROXY: proxy.url, ALL_PROXY: proxy.url });
    const config = { secretKey: 'sk_x', webhookSecret: 'whsec_x', apiBase: 'http://stripe.test' };
    const stripe = await StripeService.open(config, proxies);
    await assert.rejects(stripe.readCheckout('cs_1'));
    assert.match(proxy.asked[0]!, /^GET http:\/\/stripe\.test(:80)?\/v1\/checkout\/sessions\/cs_1/);
    const mailer = createMailer({ url: 'smtp://mail.test:2525', from: 'a@example.org' }, createLog('silent'), proxies);
    await assert.rejects(mailer.send({ to: 'b@example.org', subject: 's', text: 't' }));
    assert.equal(proxy.asked.at(-1), 'CONNECT mail.test:2525');
  });
});
