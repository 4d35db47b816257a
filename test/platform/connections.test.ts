import assert from 'node:assert/strict';
import { connectionReader } from '../../server/platform/http/connections.ts';

describe('the connection on which a request came', () => {
  const PROXY = ['10.0.0.1', 'fd00::/8'];
  const name = '203.0.113.5:4711';
  const CASES: [title: string, trusted: string[], peer: string, id: string | undefined, connection: string | null][] = [
    ['a client without a proxy', [], '203.0.113.5', undefined, '203.0.113.5 4000'],
    ['a client beside a proxy', PROXY, '203.0.113.5', undefined, '203.0.113.5 4000'],
    ['a client that makes one up', PROXY, '203.0.113.5', name, '203.0.113.5 4000'],
    ['a proxy here that nobody named', [], '127.0.0.1', name, '127.0.0.1 4000'],
    ['an IPv4 client on a socket of IPv6', [], '::ffff:203.0.113.5', undefined, '203.0.113.5 4000'],
    ['a trusted proxy', PROXY, '10.0.0.1', name, `10.0.0.1 ${name}`],
    ['a trusted proxy, mapped', PROXY, '::ffff:10.0.0.1', name, `10.0.0.1 ${name}`],
    ['a trusted proxy of a network', PROXY, 'fd00::7', '[2001:db8::1]:4711', 'fd00::7 [2001:db8::1]:4711'],
    ['a trusted proxy that counts', PROXY, '10.0.0.1', '31-4711', '10.0.0.1 31-4711'],
    ['a trusted proxy that names none', PROXY, '10.0.0.1', undefined, null],
    ['a trusted proxy that names nothing', PROXY, '10.0.0.1', '', null],
    ['a trusted proxy that passes on a list', PROXY, '10.0.0.1', `${name}, made-up`, null],
    ['a trusted proxy that passes on a list without blanks', PROXY, '10.0.0.1', `${name},made-up`, null],
    ['a trusted proxy that names more than any', PROXY, '10.0.0.1', 'x'.repeat(129), null],
    ['a trusted proxy whose name is not of plain letters', PROXY, '10.0.0.1', 'é', null],
  ];
  for (const [title, trusted, remoteAddress, id, connection] of CASES)
    it(`of ${title}`, () => {
      const header = (asked: string) => (asked === 'x-connection-id' ? id : undefined);
      assert.equal(connectionReader(trusted)({ remoteAddress, remotePort: 4000 }, header), connection);
    });

  it('is another for each proxy, though they name it alike, and none of a socket that is closed', () => {
    const read = connectionReader(['10.0.0.0/8']);
    const by = (remoteAddress: string) => read({ remoteAddress, remotePort: 4000 }, () => '7');
    assert.notEqual(by('10.0.0.1'), by('10.0.0.2'));
    assert.equal(
      read({}, () => '7'),
      null,
    );
  });

  it('is not read with proxies that are none', () => {
    assert.throws(() => connectionReader(['proxy.example.org']), /TRUSTED_PROXIES: "proxy\.example\.org"/);
  });
});
