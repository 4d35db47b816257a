import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bodyIdsOf, type ClientClaims, clientOf } from '../../../server/risk/observe/client.ts';
import { type Incoming, type TransportOptions, transportReader } from '../../../server/risk/observe/transport.ts';
import { DIRECT, headersOf, RELAYED, rawOf } from './heads.ts';

const EDGE = '10.0.0.1';
const CLIENT = '203.0.113.5';

function reader(options: Partial<TransportOptions> = {}) {
  let now = 0;
  const read = transportReader({ trustedProxies: [EDGE], hostingNetworks: [], now: () => now, ...options });
  return { read, pass: (ms: number) => (now += ms) };
}

const socketOf = (remoteAddress: string | undefined = CLIENT) => ({ remoteAddress, remotePort: 4000 });

function request(socket: Incoming['socket'], raw: string[] = ['Host', 'x'], httpVersion = '1.1'): Incoming {
  return { socket, rawHeaders: raw, headers: headersOf(raw), httpVersion };
}

/** A request that our own Caddy passes on. */
const edge = (connection: string | null, ...more: string[]) =>
  request(socketOf(EDGE), [
    ...['Host', 'x', 'X-Forwarded-For', CLIENT, 'X-Forwarded-Host', 'x', 'X-Forwarded-Proto', 'https'],
    ...(connection === null ? [] : ['X-Connection-Id', connection]),
    ...more,
  ]);

const device = (id: string): ClientClaims =>
  clientOf(
    { 'user-agent': 'claude-cli/2.1.332 (external, cli)' },
    bodyIdsOf({ metadata: { user_id: JSON.stringify({ device_id: id }) } }),
  );
const [A, B, C, D, E] = ['a', 'b', 'c', 'd', 'e'].map(device) as [
  ClientClaims,
  ClientClaims,
  ClientClaims,
  ClientClaims,
  ClientClaims,
];
const tool = (userAgent: string, os = 'Linux') => clientOf({ 'user-agent': userAgent, 'x-stainless-os': os });

describe('the clients on one connection', () => {
  const CASES: [title: string, clients: ClientClaims[], counts: number[]][] = [
    ['one client', [A, A, A], [1, 1, 1]],
    ['two, once the first comes back', [A, B, A, B], [1, 1, 2, 2]],
    ['four of five', [A, B, C, D, E, A, E], [1, 1, 1, 1, 1, 1, 4]],
    ['three', [A, B, C, A], [1, 1, 1, 3]],
    [
      'a program that sends a new device id with each request',
      ['1', '2', '3', '4', '5', '6'].map(device),
      [1, 1, 1, 1, 1, 1],
    ],
    ['an upgrade', [tool('claude-cli/2.1.331'), tool('claude-cli/2.1.332'), tool('claude-cli/2.1.332')], [1, 1, 1]],
    [
      'two extensions of one editor',
      [tool('OpenAI/JS 6.49.0'), tool('Anthropic/JS 1.14.0'), tool('OpenAI/JS 4.1.0'), tool('OpenAI/JS 6.49.0')],
      [1, 1, 1, 1],
    ],
    [
      'people on two systems',
      [tool('OpenAI/JS 6.49.0'), tool('OpenAI/JS 6.49.0', 'MacOS'), tool('OpenAI/JS 6.49.0')],
      [1, 1, 2],
    ],
  ];
  for (const [title, clients, counts] of CASES) {
    it(`are counted on a socket: ${title}`, () => {
      const { read } = reader();
      const socket = socketOf();
      assert.deepEqual(
        clients.map((client) => read(request(socket), 'ada', client).clientsOnConnection),
        counts,
      );
    });
    it(`are counted on a connection that our proxy names: ${title}`, () => {
      const { read } = reader();
      assert.deepEqual(
        clients.map((client) => read(edge('203.0.113.5:4711'), 'ada', client).clientsOnConnection),
        counts,
      );
    });
  }

  it('are those of one socket and one account alone', () => {
    const { read } = reader();
    const [one, two] = [socketOf(), socketOf()];
    const seen = [A, B, A].flatMap((client) => [
      read(request(one), 'ada', client).clientsOnConnection,
      read(request(two), 'bob', client).clientsOnConnection,
      read(request(one), client === A ? 'eve' : 'mal', client).clientsOnConnection,
    ]);
    assert.deepEqual(seen, [1, 1, 1, 1, 1, 1, 2, 2, 1]);
  });

  it('are unknown if our proxy does not name its connection, or names several', () => {
    const { read } = reader();
    for (const name of [null, '', 'a, b', 'x'.repeat(129)]) {
      const seen = [A, B, A].map((client) => read(edge(name), 'ada', client));
      assert.deepEqual(
        seen.map(({ clientsOnConnection }) => clientsOnConnection),
        [0, 0, 0],
      );
    }
  });

  it('ignore the name that a client makes up', () => {
    const { read } = reader();
    const made = (socket: Incoming['socket']) => request(socket, ['Host', 'x', 'X-Connection-Id', '203.0.113.5:4711']);
    const seen = [A, B, A].map((client) => read(made(socketOf()), 'ada', client).clientsOnConnection);
    assert.deepEqual(seen, [1, 1, 1]);
  });

  it('are forgotten after two minutes of silence behind our proxy, because the name may be that of another', () => {
    const { read, pass } = reader();
    for (const client of [A, B]) read(edge('n'), 'ada', client);
    pass(119_000);
    assert.equal(read(edge('n'), 'ada', A).clientsOnConnection, 2);
    pass(120_000);
    assert.equal(read(edge('n'), 'ada', B).clientsOnConnection, 1);
  });

  it('are remembered for four accounts of a socket and 10,000 connections of our proxy, the newest', () => {
    const { read } = reader();
    const socket = socketOf();
    for (const account of ['ada', 'b', 'c', 'd', 'e'])
      for (const client of [A, B, A]) read(request(socket), account, client);
    assert.equal(read(request(socket), 'e', B).clientsOnConnection, 2);
    assert.equal(read(request(socket), 'ada', B).clientsOnConnection, 1);
    for (const client of [A, B, A]) read(edge('first'), 'ada', client);
    for (let at = 0; at < 10_000; at++) read(edge(`other-${at}`), 'ada', A);
    assert.equal(read(edge('first'), 'ada', A).clientsOnConnection, 1);
    for (const client of [B, A]) read(edge('other-9999'), 'ada', client);
    assert.equal(read(edge('other-9999'), 'ada', B).clientsOnConnection, 2);
  });
});

describe('the leftovers of forwarding', () => {
  const DIRECTLY: [raw: string[], is: boolean][] = [
    [[], false],
    [['Via', '1.1 squid'], true],
    [['X-Forwarded-For', '198.51.100.7'], true],
    [['x-forwarded-proto', 'https'], true],
    [['Forwarded', 'for=198.51.100.7'], true],
    [['CF-Ray', 'x', 'CDN-Loop', 'cloudflare'], true],
    [['X-Real-IP', '198.51.100.7'], true],
    [['Via', '', 'Forwarded', '', 'cf-ray', '', 'x-client-ip', '', 'x-forwarded-host', ''], true],
    [['traceparent', '00-1-1-01', 'x-request-id', '7', 'Proxy-Connection', 'keep-alive', 'X-Forwarded', '1'], false],
  ];
  for (const [raw, is] of DIRECTLY)
    it(`of a direct request with ${raw.join(' ') || 'nothing'} are ${is ? 'seen' : 'none'}`, () =>
      assert.equal(reader().read(request(socketOf(), raw), 'ada', A).isForwarded, is));

  const BEHIND: [title: string, Incoming, is: boolean][] = [
    ['nothing but what our proxy adds', edge('n'), false],
    ['what our proxy adds, and X-Real-IP', edge('n', 'X-Real-IP', CLIENT), false],
    ['the Via of our proxy', edge('n', 'Via', '1.1 Caddy'), false],
    ['a Via before that of our proxy', edge('n', 'Via', '1.1 squid, 1.1 Caddy'), true],
    ['the cloud in front of our proxy', edge('n', 'CF-Ray', 'x', 'CF-Connecting-IP', CLIENT), false],
    ['a hop before the client', request(socketOf(EDGE), ['X-Forwarded-For', `198.51.100.7, ${CLIENT}`]), true],
    [
      'a hop before the client, in Forwarded',
      request(socketOf(EDGE), ['Forwarded', `for=198.51.100.7, for=${CLIENT}`]),
      true,
    ],
    ['a client that our proxy does not name', request(socketOf(EDGE), ['X-Forwarded-For', 'unknown']), false],
    [
      'two proxies of ours',
      request(socketOf(EDGE), ['X-Forwarded-For', `${CLIENT}, ${EDGE}`, 'Via', '1.1 a, 1.1 b']),
      false,
    ],
  ];
  for (const [title, incoming, is] of BEHIND)
    it(`behind our proxy with ${title} are ${is ? 'seen' : 'none'}`, () =>
      assert.equal(reader().read(incoming, 'ada', A).isForwarded, is));
});

describe('how a request came', () => {
  it('has a foreign mark if a relay wrote the head, and none behind our proxy, which wrote it itself', () => {
    const { read } = reader();
    const codex = DIRECT.find(({ by }) => by.startsWith('Codex'))!;
    const raw = rawOf(codex);
    const claims = clientOf(headersOf(raw));
    const direct = read(request(socketOf(), raw), 'ada', claims);
    assert.equal(direct.isForeignMark, false);
    const nginx = rawOf(RELAYED.find(({ by }) => by.startsWith('Codex through nginx'))!);
    const relayed = read(request(socketOf(), nginx, '1.0'), 'ada', claims);
    assert.equal(relayed.isForeignMark, true);
    const inspected = read(request(socketOf(), [...nginx, 'Via', '1.1 squid'], '1.0'), 'ada', claims);
    assert.deepEqual([inspected.isForwarded, inspected.isForeignMark], [true, false], 'what inspects traffic says so');
    const behind = read(request(socketOf(EDGE), nginx, '1.0'), 'ada', claims);
    assert.equal(behind.isForeignMark, false);
  });

  it('is from a hosting network if the operator lists it, also behind our proxy', () => {
    const { read } = reader({ hostingNetworks: ['198.51.100.0/24', '2001:db8::/32', '192.0.2.7'] });
    const from = (address: string) => read(request(socketOf(address)), 'ada', A).isHosting;
    const CASES: [address: string, hosting: boolean][] = [
      ['198.51.100.7', true],
      ['::ffff:198.51.100.7', true],
      ['198.51.101.7', false],
      ['2001:db8::1', true],
      ['2001:db9::1', false],
      ['192.0.2.7', true],
      ['', false],
    ];
    for (const [address, hosting] of [...CASES, ...CASES]) assert.equal(from(address), hosting, address);
    const behind = (address: string) => read(request(socketOf(EDGE), ['X-Forwarded-For', address]), 'ada', A).isHosting;
    assert.deepEqual([behind('198.51.100.7'), behind('203.0.113.9')], [true, false]);
    assert.throws(() => reader({ hostingNetworks: ['AS64500'] }), /risk\.hostingNetworks: "AS64500" is not an address/);
  });

  it('is told of whatever came, and of a socket that is closed', () => {
    const { read } = reader();
    const name = fc.oneof(
      fc.constantFrom('Host', 'X-Forwarded-For', 'Via', 'Forwarded', 'X-Connection-Id', '__proto__', 'constructor'),
      fc.string({ maxLength: 30 }),
    );
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom(','.repeat(60_000), 'for='.repeat(15_000), '[::1', `${EDGE},`.repeat(5_000)),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value), { maxLength: 30 }),
        fc.constantFrom(undefined, EDGE, CLIENT, 'x'),
        (pairs, peer) => {
          const seen = read(
            { ...request(socketOf(), pairs.flat()), socket: { remoteAddress: peer, remotePort: 1 } },
            'ada',
            A,
          );
          assert.ok(seen.clientsOnConnection >= 0 && seen.clientsOnConnection <= 4);
        },
      ),
      { numRuns: 200 },
    );
    assert.equal(
      read({ ...request(socketOf()), socket: { remoteAddress: undefined, remotePort: undefined } }, 'ada', A).isHosting,
      false,
    );
  });
});
