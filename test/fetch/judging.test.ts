import assert from 'node:assert/strict';
import { isPublic } from '../../server/fetch/addresses.ts';
import { judgeUrl } from '../../server/fetch/target.ts';
import { AppError } from '../../server/platform/errors.ts';

/** Ranges that are not the public internet: an address within each, mostly the first and the last. */
const PRIVATE = {
  'this host (0/8)': ['0.0.0.0', '0.255.255.255'],
  'private (10/8)': ['10.0.0.0', '10.255.255.255'],
  'of a carrier (100.64/10)': ['100.64.0.0', '100.127.255.255'],
  'loopback (127/8)': ['127.0.0.1', '127.255.255.255'],
  'link-local, where clouds tell secrets (169.254/16)': ['169.254.0.0', '169.254.169.254', '169.254.255.255'],
  'private (172.16/12)': ['172.16.0.0', '172.31.255.255'],
  'protocols (192.0.0/24)': ['192.0.0.0', '192.0.0.255'],
  'documentation (192.0.2/24)': ['192.0.2.0', '192.0.2.255'],
  'relays of 6to4 (192.88.99/24)': ['192.88.99.0', '192.88.99.255'],
  'of the host of a cloud, public to the eye (168.63.129.16)': ['168.63.129.16'],
  'where private lookups end (AS112)': ['192.31.196.1', '192.175.48.255', '2620:4f:8000::1'],
  'tunnels of multicast (192.52.193/24)': ['192.52.193.0', '192.52.193.255'],
  'once a test network (3ffe::/16)': ['3ffe::1', '3ffe:ffff::1'],
  'private (192.168/16)': ['192.168.0.0', '192.168.255.255'],
  'benchmarks (198.18/15)': ['198.18.0.0', '198.19.255.255'],
  'documentation (198.51.100/24)': ['198.51.100.0', '198.51.100.255'],
  'documentation (203.0.113/24)': ['203.0.113.0', '203.0.113.255'],
  'multicast (224/4)': ['224.0.0.0', '239.255.255.255'],
  'reserved and broadcast (240/4)': ['240.0.0.0', '255.255.255.255'],
  'unspecified and loopback (IPv6)': ['::', '::1'],
  'IPv4 in IPv6': ['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::7f00:1'],
  NAT64: ['64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::1'],
  'discard only (100::/64)': ['100::', '100::1'],
  'Teredo and other protocols (2001::/23)': ['2001::1', '2001:0:7f00:1::', '2001:20::1', '2001:1ff::1'],
  'documentation (IPv6)': ['2001:db8::1', '2001:db8:ffff::1', '3fff::1', '3fff:fff::1'],
  '6to4 (2002::/16)': ['2002:7f00:1::', '2002:808:808::1'],
  'segment routing (5f00::/16)': ['5f00::1'],
  'unique local (fc00::/7)': ['fc00::1', 'fdff:ffff::1'],
  'link-local (fe80::/10)': ['fe80::1', 'febf::1', 'fe80::1%eth0', '2606:4700::1%1'],
  'once site-local (fec0::/10)': ['fec0::1'],
  'multicast (ff00::/8)': ['ff00::1', 'ff02::1'],
  'no address at all': ['', 'localhost', '1.2.3', '1.2.3.4.5', '8.8.8.8 ', '08.8.8.8', 'g::1'],
};

const PUBLIC = [
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
  ...['168.63.129.15', '168.63.129.17', '192.31.195.255', '192.31.197.0', '192.52.194.0', '192.175.49.0'],
  ...['128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.0', '192.0.3.0'],
  ...['192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '198.51.101.0', '203.0.112.255', '203.0.114.0'],
  ...['223.255.255.255', '2001:4860:4860::8888', '2606:4700::1111', '2a00:1450::1', '2003::1', '2001:200::1'],
];

describe('the addresses of web pages', () => {
  for (const [range, addresses] of Object.entries(PRIVATE))
    it(`has nothing public in ${range}`, () => assert.deepEqual(addresses.filter(isPublic), []));

  it('finds public what stands beside those ranges', () =>
    assert.deepEqual(
      PUBLIC.filter((address) => !isPublic(address)),
      [],
    ));

  const REFUSED: [what: string, url: string, why: RegExp][] = [
    ['no address', 'example', /no web address/],
    ['an empty one', '', /no web address/],
    ['a file of the server', 'file:///etc/passwd', /https:\/\/ or http:\/\//],
    ['another scheme', 'gopher://example.org/', /https:\/\/ or http:\/\//],
    ['a script', 'javascript:alert(1)', /https:\/\/ or http:\/\//],
    ['data', 'data:text/plain,hello', /https:\/\/ or http:\/\//],
    ['a password', 'https://user:secret@example.org/', /user name or a password/],
    ['a user name alone', 'https://example.org@10.0.0.1/', /user name or a password/],
    ['a port of a database', 'http://example.org:5432/', /port 5432/],
    ['a port of a mail server', 'https://example.org:25/', /port 25/],
    ['more characters than any page needs', `https://example.org/${'a'.repeat(2000)}`, /2000 characters/],
    ['an IPv4 address', 'http://127.0.0.1/', /private or reserved/],
    ['one in octal', 'http://0177.0.0.1/', /private or reserved/],
    ['one in hexadecimal', 'http://0x7f.0.0.1/', /private or reserved/],
    ['one as a number', 'http://2130706433/', /private or reserved/],
    ['one as a hexadecimal number', 'http://0x7f000001/', /private or reserved/],
    ['a short one', 'http://127.1/', /private or reserved/],
    ['one with escapes', 'http://%31%32%37.0.0.1/', /private or reserved/],
    ['one in wide letters', 'http://１２７.０.０.１/', /private or reserved/],
    ['one with other dots', 'http://127。0。0。1/', /private or reserved/],
    ['one with a dot at its end', 'http://127.0.0.1./', /private or reserved/],
    ['the host of secrets in clouds', 'http://169.254.169.254/latest/meta-data/', /private or reserved/],
    ['IPv6 loopback', 'http://[::1]/', /private or reserved/],
    ['IPv4 in IPv6', 'http://[::ffff:169.254.169.254]/', /private or reserved/],
    ['the same in hexadecimal', 'http://[::ffff:a9fe:a9fe]/', /private or reserved/],
    ['NAT64', 'http://[64:ff9b::10.0.0.1]/', /private or reserved/],
    ['nothing but zeros', 'http://0/', /private or reserved/],
  ];
  for (const [what, url, why] of REFUSED)
    it(`refuses ${what}`, () =>
      assert.throws(
        () => judgeUrl(url),
        (error) => error instanceof AppError && error.code === 'address_refused' && why.test(error.detail),
      ));

  it('says of a redirect that it is one', () =>
    assert.throws(
      () => judgeUrl('http://[::1]/', new URL('https://example.org/')),
      (error) => error instanceof AppError && error.detail.startsWith('The page redirects to another address. '),
    ));

  it('takes what people write', () => {
    assert.equal(judgeUrl(' https://example.org/a b?c=ä#part ').href, 'https://example.org/a%20b?c=%C3%A4');
    assert.equal(judgeUrl('HTTP://Example.ORG:80').href, 'http://example.org/');
    assert.equal(judgeUrl('https://bücher.example/').hostname, 'xn--bcher-kva.example');
    assert.equal(judgeUrl('http://8.8.8.8:443/').port, '443');
    assert.equal(judgeUrl('/b', new URL('https://example.org/a')).href, 'https://example.org/b');
  });
});
