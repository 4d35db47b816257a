import assert from 'node:assert/strict';
import { addressReader } from '../../server/platform/http/proxies.ts';

describe('where a request came from', () => {
  const CASES: [
    title: string,
    trusted: string[],
    peer: string,
    headers: Record<string, string>,
    address: string | null,
  ][] = [
    ['this machine', [], '127.0.0.1', {}, null],
    ['this machine, by IPv6', [], '::1', {}, null],
    ['this machine, mapped', [], '::ffff:127.0.0.1', {}, null],
    ['this machine beside a proxy elsewhere', ['10.0.0.1'], '127.0.0.1', {}, null],
    ['a stranger', [], '203.0.113.5', {}, '203.0.113.5'],
    ['a stranger who names this machine', [], '203.0.113.5', { 'x-forwarded-for': '127.0.0.1' }, '203.0.113.5'],
    ['a proxy here that nobody named', [], '127.0.0.1', { 'x-forwarded-for': '203.0.113.5' }, '127.0.0.1'],
    ['the same by Via', [], '127.0.0.1', { via: '1.1 proxy' }, '127.0.0.1'],
    ['the same by Forwarded', [], '127.0.0.1', { forwarded: 'for=203.0.113.5' }, '127.0.0.1'],
    ['the same by an empty header', [], '127.0.0.1', { 'x-forwarded-for': '' }, '127.0.0.1'],
    ['the same by X-Forwarded-Proto', [], '::1', { 'x-forwarded-proto': 'https' }, '::1'],
    ['a trusted proxy here', ['127.0.0.1'], '127.0.0.1', { 'x-forwarded-for': '203.0.113.5' }, '203.0.113.5'],
    ['a trusted proxy that says nothing', ['127.0.0.1'], '127.0.0.1', {}, '127.0.0.1'],
    ['a trusted proxy that says nothing, by IPv6', ['::1'], '::1', {}, '::1'],
    ['a trusted proxy that knows nothing', ['127.0.0.1'], '127.0.0.1', { 'x-forwarded-for': 'unknown' }, '127.0.0.1'],
    ['a trusted proxy that says nonsense', ['127.0.0.0/8'], '127.0.0.9', { 'x-forwarded-for': ',,;' }, '127.0.0.9'],
    [
      'a trusted proxy that says this machine',
      ['127.0.0.1'],
      '127.0.0.1',
      { 'x-forwarded-for': '127.0.0.1' },
      '127.0.0.1',
    ],
    [
      'several hops',
      ['10.0.0.0/8'],
      '10.0.0.1',
      { 'x-forwarded-for': '1.2.3.4, 203.0.113.5, 10.0.0.2' },
      '203.0.113.5',
    ],
    ['a hop with a port', ['10.0.0.1'], '10.0.0.1', { 'x-forwarded-for': '203.0.113.5:4711' }, '203.0.113.5'],
    ['a hop by IPv6 with a port', ['10.0.0.1'], '10.0.0.1', { 'x-forwarded-for': '[2001:db8::1]:4711' }, '2001:db8::1'],
    ['a mapped hop', ['10.0.0.1'], '::ffff:10.0.0.1', { 'x-forwarded-for': '::ffff:203.0.113.5' }, '203.0.113.5'],
    [
      'Forwarded alone',
      ['10.0.0.1'],
      '10.0.0.1',
      { forwarded: 'for=192.0.2.1, proto=https;for="[2001:db8::1]:47"' },
      '2001:db8::1',
    ],
    ['Forwarded that hides', ['10.0.0.1'], '10.0.0.1', { forwarded: 'for=_hidden' }, '10.0.0.1'],
  ];
  for (const [title, trusted, peer, headers, address] of CASES)
    it(`is ${address ?? 'this machine'} for ${title}`, () =>
      assert.equal(
        addressReader(trusted)(peer, (name) => headers[name]),
        address,
      ));

  it('is told once by the log where a trusted proxy does not say it', () => {
    const told: string[] = [];
    const read = addressReader(['127.0.0.1'], (text) => told.push(text));
    read('127.0.0.1', (name) => (name === 'x-forwarded-for' ? '203.0.113.5' : undefined));
    assert.deepEqual(told, []);
    for (let n = 0; n < 3; n++) read('127.0.0.1', () => undefined);
    assert.equal(told.length, 1);
    assert.match(told[0]!, /X-Forwarded-For/);
  });
});
