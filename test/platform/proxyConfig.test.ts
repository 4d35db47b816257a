import assert from 'node:assert/strict';
import { ConfigError, parseConfig } from '../../server/platform/config/config.ts';
import { proxyFor } from '../../server/platform/config/proxyConfig.ts';

type Env = Record<string, string>;
const BASE = {
  MAIL_FROM: 'a@b.example',
  MAIL_URL: 'smtp://mail.example',
  PUBLIC_URL: 'https://perigee.example',
  DEMO: '1',
};
const parse = (env: Env) => parseConfig({ ...BASE, ...env }, () => '{}').proxies;
const by = (env: Env, url: string) => proxyFor(parse(env), new URL(url))?.origin ?? 'direct';

const P = 'http://proxy.example:3128';
const Q = 'http://other.example:8080';

describe('the proxies of the environment', () => {
  const CHOSEN: [env: Env, url: string, by: string][] = [
    [{}, 'https://a.example', 'direct'],
    [{ HTTPS_PROXY: P }, 'https://a.example/v1', P],
    [{ HTTPS_PROXY: P }, 'http://a.example', 'direct'],
    [{ HTTP_PROXY: P }, 'http://a.example', P],
    [{ HTTP_PROXY: P }, 'https://a.example', 'direct'],
    [{ https_proxy: P }, 'https://a.example', P],
    [{ http_proxy: P }, 'http://a.example', P],
    [{ https_proxy: P, HTTPS_PROXY: Q }, 'https://a.example', P],
    [{ https_proxy: '', HTTPS_PROXY: Q }, 'https://a.example', Q],
    [{ https_proxy: ' ', HTTPS_PROXY: '' }, 'https://a.example', 'direct'],
    [{ ALL_PROXY: P }, 'https://a.example', P],
    [{ all_proxy: P }, 'http://a.example', P],
    [{ ALL_PROXY: P, HTTPS_PROXY: Q }, 'https://a.example', Q],
    [{ ALL_PROXY: P, HTTPS_PROXY: Q }, 'http://a.example', P],
    // Mail.
    [{ ALL_PROXY: P }, 'smtp://mail.example:25', P],
    [{ HTTPS_PROXY: P, HTTP_PROXY: P }, 'smtp://mail.example:25', 'direct'],
    // As people write an address.
    [{ HTTPS_PROXY: 'proxy.example:3128' }, 'https://a.example', P],
    [{ HTTPS_PROXY: ' http://proxy.example:3128/ ' }, 'https://a.example', P],
    [{ HTTPS_PROXY: 'HTTP://Proxy.Example:3128' }, 'https://a.example', P],
    [{ HTTPS_PROXY: 'proxy.example' }, 'https://a.example', 'http://proxy.example'],
    [{ HTTPS_PROXY: 'localhost:3128' }, 'https://a.example', 'http://localhost:3128'],
    [{ HTTPS_PROXY: '[::1]:3128' }, 'https://a.example', 'http://[::1]:3128'],
    [{ HTTPS_PROXY: 'https://proxy.example' }, 'https://a.example', 'https://proxy.example'],
    // This machine never goes through a proxy.
    ...[
      'localhost',
      'LOCALHOST:9',
      'a.localhost',
      '127.0.0.1:11434',
      '127.9.9.9',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
    ].map((host): [Env, string, string] => [{ HTTP_PROXY: P }, `http://${host}/v1`, 'direct']),
    [{ HTTP_PROXY: P }, 'http://localhost.example', P],
    [{ HTTP_PROXY: P }, 'http://notlocalhost', P],
    [{ HTTP_PROXY: P }, 'http://10.0.0.1', P],
    // Not needed, so not looked at.
    [
      { HTTPS_PROXY: P, HTTP_PROXY: P, ALL_PROXY: 'socks5://127.0.0.1:7890', MAIL_URL: 'console:' },
      'https://a.example',
      P,
    ],
    [{ ALL_PROXY: 'socks5://127.0.0.1:7890', NO_PROXY: '*' }, 'https://a.example', 'direct'],
    [{ NO_PROXY: '10.0.0.0/99' }, 'https://a.example', 'direct'],
  ];
  for (const [env, url, wanted] of CHOSEN)
    it(`${JSON.stringify(env)} send ${url} ${wanted === 'direct' ? 'directly' : `by ${wanted}`}`, () =>
      assert.equal(by(env, url), wanted));

  const EXCEPTIONS: [list: string, direct: string[], proxied: string[]][] = [
    ['*', ['https://a.example', 'https://10.0.0.1'], []],
    ['a.example, *', ['https://b.example'], []],
    [
      'example.org',
      [
        'https://example.org',
        'https://a.example.org',
        'https://EXAMPLE.org',
        'https://example.org.',
        'https://example.org:8443',
      ],
      ['https://badexample.org', 'https://example.org.evil.example', 'https://org'],
    ],
    ['.example.org', ['https://example.org', 'https://a.b.example.org'], ['https://badexample.org']],
    ['*.example.org', ['https://a.example.org', 'https://example.org'], ['https://badexample.org']],
    ['Example.ORG.', ['https://a.example.org'], []],
    ['*corp.example', ['https://mycorp.example', 'https://a.mycorp.example'], ['https://corp.example.org']],
    ['192.168.*', ['https://192.168.7.9'], ['https://192.169.0.1']],
    ['internal', ['https://internal', 'https://a.internal'], ['https://internal.example']],
    ['example.org:8443', ['https://example.org:8443'], ['https://example.org', 'https://example.org:8444']],
    ['example.org:443', ['https://example.org', 'https://a.example.org'], ['https://example.org:8443']],
    ['10.0.0.0/8', ['https://10.1.2.3', 'https://10.255.0.1:8443'], ['https://11.0.0.1', 'https://ten.example']],
    ['169.254/16', ['https://169.254.169.254'], ['https://169.253.1.1']],
    ['192.168.1.7', ['https://192.168.1.7'], ['https://192.168.1.70', 'https://192.168.1.8']],
    ['10.0.0.1:8443', ['https://10.0.0.1:8443'], ['https://10.0.0.1']],
    ['fd00::/8', ['https://[fd12::1]'], ['https://[fe80::1]']],
    ['2001:db8::1', ['https://[2001:db8:0:0::1]'], ['https://[2001:db8::2]']],
    ['[2001:db8::1]', ['https://[2001:db8::1]'], []],
    ['[2001:db8::1]:8443', ['https://[2001:db8::1]:8443'], ['https://[2001:db8::1]']],
    ['bücher.example', ['https://bücher.example', 'https://a.xn--bcher-kva.example'], ['https://bucher.example']],
    [
      'a.example b.example\tc.example',
      ['https://a.example', 'https://b.example', 'https://c.example'],
      ['https://d.example'],
    ],
    [',a.example,,b.example, ', ['https://a.example', 'https://b.example'], ['https://d.example']],
    ['a_b.example', ['https://a_b.example'], []],
  ];
  for (const [list, direct, proxied] of EXCEPTIONS)
    it(`NO_PROXY=${JSON.stringify(list)} excepts ${direct.join(', ')}, and not ${proxied.join(', ') || 'all'}`, () => {
      for (const name of ['NO_PROXY', 'no_proxy'])
        for (const url of [...direct, ...proxied])
          assert.equal(by({ HTTPS_PROXY: P, [name]: list }, url), direct.includes(url) ? 'direct' : P, url);
    });

  it('keep credentials for the proxy alone, as it reads them', () => {
    const https = (HTTPS_PROXY: string) => parse({ HTTPS_PROXY })?.https;
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    assert.deepEqual(https('http://ada:p%40ss%2F%23ü@proxy.example:3128'), {
      origin: P,
      authorization: basic('ada:p@ss/#ü'),
    });
    assert.deepEqual(https('ada@proxy.example:3128'), { origin: P, authorization: basic('ada:') });
    assert.deepEqual(https('http://:hush@proxy.example:3128'), { origin: P, authorization: basic(':hush') });
    assert.deepEqual(https(P), { origin: P, authorization: null });
  });

  const WRONG: [env: Env, told: RegExp][] = [
    [{ HTTPS_PROXY: 'ftp://hush.example' }, /^HTTPS_PROXY must be the address of an HTTP proxy: write http:\/\//],
    [{ https_proxy: 'ftp://hush.example' }, /^https_proxy must be/],
    [{ HTTP_PROXY: 'socks5://hush:1080' }, /^HTTP_PROXY names a SOCKS proxy, .*NO_PROXY=\*/],
    [{ all_proxy: 'socks5h://hush:1080' }, /^all_proxy names a SOCKS proxy/],
    [{ HTTPS_PROXY: P, HTTP_PROXY: P, ALL_PROXY: 'socks5://hush:1080' }, /^ALL_PROXY names a SOCKS proxy/],
    [{ HTTPS_PROXY: 'http://' }, /^HTTPS_PROXY is no address/],
    [{ HTTPS_PROXY: '3128' }, /^HTTPS_PROXY is no address/],
    [{ HTTPS_PROXY: ':3128' }, /^HTTPS_PROXY is no address/],
    [{ HTTPS_PROXY: 'http://hush.example:many' }, /^HTTPS_PROXY is no address/],
    [{ HTTPS_PROXY: 'http://hush.example:70000' }, /^HTTPS_PROXY is no address/],
    [{ HTTPS_PROXY: 'http://hush.example:0' }, /^HTTPS_PROXY names port 0/],
    [{ HTTPS_PROXY: 'hush with blanks' }, /^HTTPS_PROXY is no address/],
    [{ HTTPS_PROXY: 'http://hush.example/proxy.pac' }, /^HTTPS_PROXY has more than a host and a port/],
    [{ HTTPS_PROXY: 'http://ada:x#hush@proxy.example' }, /^HTTPS_PROXY/],
    [{ HTTPS_PROXY: 'http://ada:50%hush@proxy.example' }, /^HTTPS_PROXY has a .* not percent-encoded \(% is %25\)/],
    ...[
      '10.0.0.0/33',
      '10.0.0.0/x',
      'fd00::/129',
      'https://a.example',
      'a.example/b',
      '[::1',
      'a.example:0',
      'a.example:99999',
      'a;b',
      '<local>',
      ':8080',
    ].map((NO_PROXY): [Env, RegExp] => [
      { HTTPS_PROXY: P, NO_PROXY: `b.example,${NO_PROXY}` },
      /^NO_PROXY: ".+" is not a host, a domain/,
    ]),
  ];
  for (const [env, told] of WRONG)
    it(`refuse ${JSON.stringify(env)} in one line that names it, and repeat no secret`, () =>
      assert.throws(
        () => parse(env),
        (error) => error instanceof ConfigError && told.test(error.message) && !/\n|hush/.test(error.message),
      ));
});
