import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ConfigError, parseConfig } from '../../server/platform/config/config.ts';
import { addressReader } from '../../server/platform/http/proxies.ts';

const SECRET = 'x'.repeat(32);
const parse = (env: Record<string, string>, file = '{}') => parseConfig(env, () => file);

const RATES = { inputMicro: 1, cachedInputMicro: 1, outputMicro: 1 };

describe('the settings', () => {
  it('have defaults for a single machine: loopback, port 8787, SQLite under data/, the demo model', () => {
    const config = parse({});
    assert.deepEqual(
      [config.host, config.port, config.database, config.upstream, config.leaseMs],
      [
        '127.0.0.1',
        8787,
        { engine: 'sqlite', file: 'data/perigee.db', deletionsFile: 'data/perigee.db-deletions' },
        null,
        15_000,
      ],
    );
    assert.deepEqual(
      [config.policy.guests.messages, config.policy.guests.perHour, config.policy.guests.perDay],
      [10, 10, 30],
    );
  });

  it('take PUBLIC_URL and CORS_ORIGINS as browsers write an origin', () => {
    const taken = (PUBLIC_URL: string) => parse({ PUBLIC_URL, DEMO: '1' }).publicUrl;
    assert.deepEqual(
      [
        'https://perigee.example',
        'https://Perigee.Example/',
        'https://perigee.example:443/',
        ' https://perigee.example ',
      ].map(taken),
      Array(4).fill('https://perigee.example'),
    );
    assert.equal(taken('https://perigee.example:8443/'), 'https://perigee.example:8443');
    assert.equal(taken('http://[::1]:8787'), 'http://[::1]:8787');
    assert.deepEqual(parse({ CORS_ORIGINS: 'https://a.example/, http://localhost:3000' }).corsOrigins, [
      'https://a.example',
      'http://localhost:3000',
    ]);
  });

  it('name a model service with or without a key, without a slash at its end', () => {
    assert.deepEqual(parse({ UPSTREAM_URL: 'http://127.0.0.1:11434/v1/', UPSTREAM_MODEL: 'qwen' }).upstream, {
      url: 'http://127.0.0.1:11434/v1',
      key: null,
      model: 'qwen',
    });
  });

  it('name several model services, each with its key, its weight and its own names of models', () => {
    const services = [
      { id: 'east', url: 'https://east.example/v1', weight: 2, models: ['kimi-k2'] },
      { id: 'west', url: 'http://127.0.0.1:8000/v1', models: { 'kimi-k2': 'moonshot/kimi-k2' } },
      { id: 'all', url: 'https://all.example/v1' },
    ];
    const env = { PERIGEE_CONFIG: 'c.json', SERVICE_EAST_KEY: 'k1', SERVICE_ALL_KEY: '' };
    assert.deepEqual(
      parse(env, JSON.stringify({ services })).services.map(({ url, ...rest }) => rest),
      [
        { id: 'east', weight: 2, dialect: 'chat', models: { 'kimi-k2': 'kimi-k2' }, key: 'k1' },
        { id: 'west', weight: 1, dialect: 'chat', models: { 'kimi-k2': 'moonshot/kimi-k2' }, key: null },
        { id: 'all', weight: 1, dialect: 'chat', key: null },
      ],
    );
  });

  it('offer those ways to sign in that are set up, and a local one where there is none', () => {
    const none = parse({}).signIn;
    assert.deepEqual(none, { providers: [], mail: null, local: true });
    const file = JSON.stringify({
      accounts: { providers: [{ id: 'acme', name: 'Acme', issuer: 'https://id.acme.example/', clientId: 'c' }] },
    });
    const { signIn } = parse(
      {
        GOOGLE_CLIENT_ID: 'g',
        GOOGLE_CLIENT_SECRET: 's',
        GITHUB_CLIENT_ID: 'h',
        GITHUB_CLIENT_SECRET: 's',
        GITHUB_URL: 'https://github.acme.example/',
        OIDC_ACME_SECRET: 'hush',
        MAIL_URL: 'smtps://user:password@mail.example',
        MAIL_FROM: 'Perigee <mail@perigee.example>',
        PERIGEE_CONFIG: 'a.json',
      },
      file,
    );
    assert.equal(signIn.local, false);
    assert.equal(signIn.mail?.from, 'Perigee <mail@perigee.example>');
    assert.deepEqual(
      signIn.providers.map((p) => [p.id, p.clientSecret, p.kind === 'oidc' ? p.issuer : p.apiUrl]),
      [
        ['google', 's', 'https://accounts.google.com'],
        ['github', 's', 'https://github.acme.example/api/v3'],
        ['acme', 'hush', 'https://id.acme.example'],
      ],
    );
  });

  const WRONG: [env: Record<string, string>, told: RegExp, file?: string][] = [
    [{ PORT: 'many' }, /^PORT must be a number/],
    [{ PORT: '70000' }, /^PORT must be a number/],
    [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL must begin with/],
    [{ DATABASE_URL: 'sqlite:' }, /^DATABASE_URL names no file/],
    [{ DATABASE_URL: 'postgres://db/x' }, /^SECRET is required on PostgreSQL/],
    [{ DATABASE_SESSION_URL: 'postgres://db/x' }, /^DATABASE_SESSION_URL is for PostgreSQL/],
    [{ DATABASE_URL: 'postgres://db/x', DATABASE_SESSION_URL: 'db' }, /^DATABASE_SESSION_URL must begin/],
    [{ DATABASE_STATEMENTS: 'none' }, /^DATABASE_STATEMENTS must be named or unnamed/],
    [{ SECRET: 'short' }, /^SECRET must have 32/],
    [{ UPSTREAM_URL: 'ollama' }, /^UPSTREAM_URL is not a URL/],
    [{ UPSTREAM_URL: 'ftp://x' }, /^UPSTREAM_URL must be http/],
    [{ UPSTREAM_KEY: 'k' }, /^UPSTREAM_KEY is set, but UPSTREAM_URL is not/],
    [{ UPSTREAM_MODEL: 'm' }, /^UPSTREAM_MODEL is set, but UPSTREAM_URL is not/],
    [{ SERVICE_EAST_KEY: 'k' }, /^SERVICE_EAST_KEY is set, but PERIGEE_CONFIG lists no such service/],
    [
      { PERIGEE_CONFIG: 'c.json', UPSTREAM_URL: 'http://x/v1' },
      /^UPSTREAM_URL is set, and PERIGEE_CONFIG lists services/,
      '{"services":[{"id":"east","url":"http://y/v1"}]}',
    ],
    [{ PERIGEE_CONFIG: 'c.json' }, /at services: it lists no service/, '{"services":[]}'],
    [
      { PERIGEE_CONFIG: 'c.json' },
      /^services\[0\]\.url in PERIGEE_CONFIG must be without a query/,
      '{"services":[{"id":"east","url":"http://y/v1?api-version=1"}]}',
    ],
    [
      { PERIGEE_CONFIG: 'c.json' },
      /lists the model "kimi-k3", which no service has/,
      '{"models":[{"id":"kimi-k3"}],"services":[{"id":"east","url":"http://y/v1","models":["kimi-k2"]}]}',
    ],
    ...[
      '{"id":"East","url":"http://y/v1"}',
      '{"id":"east","url":"y"}',
      '{"id":"east","url":"http://y","models":[]}',
    ].map((service): [Record<string, string>, RegExp, string] => [
      { PERIGEE_CONFIG: 'c.json' },
      /^PERIGEE_CONFIG: .* at services\[0\]\./,
      `{"services":[${service}]}`,
    ]),
    [
      { PERIGEE_CONFIG: 'c.json' },
      /a service is listed twice/,
      '{"services":[{"id":"east","url":"http://y/v1"},{"id":"east","url":"http://z/v1"}]}',
    ],
    [{ HOST: '0.0.0.0' }, /^UPSTREAM_URL is not set and HOST 0\.0\.0\.0 is not loopback/],
    ...['https://perigee.example', 'https://10.0.0.1', 'https://localhost.example'].map(
      (url): [Record<string, string>, RegExp] => [
        { PUBLIC_URL: url, TRUSTED_PROXIES: '127.0.0.1' },
        /^UPSTREAM_URL is not set and PUBLIC_URL https:\/\/[\w.]+ is not loopback: name a model service, or set DEMO=1/,
      ],
    ),
    [{ PUBLIC_URL: 'http://perigee.example' }, /^PUBLIC_URL must be https/],
    ...['/perigee', '/perigee/', '//', '/a/b', '/%20', '\\perigee'].map((path): [Record<string, string>, RegExp] => [
      { PUBLIC_URL: `https://perigee.example${path}` },
      /^PUBLIC_URL must be without a path: write https:\/\/perigee\.example, .* host of its own/,
    ]),
    [
      { PUBLIC_URL: 'http://127.0.0.1:8787/perigee' },
      /^PUBLIC_URL must be without a path: write http:\/\/127\.0\.0\.1:8787,/,
    ],
    [{ PUBLIC_URL: 'https://perigee.example/?a=b' }, /^PUBLIC_URL must be without a query/],
    [{ PUBLIC_URL: 'https://perigee.example?' }, /^PUBLIC_URL must be without a query/],
    [{ PUBLIC_URL: 'https://perigee.example#account' }, /^PUBLIC_URL must be without a query/],
    [{ PUBLIC_URL: 'https://user@perigee.example' }, /^PUBLIC_URL must be without a user name/],
    [{ PUBLIC_URL: 'https://:hush@perigee.example' }, /^PUBLIC_URL must be without a user name(?!.*hush)/],
    [{ PUBLIC_URL: 'perigee.example' }, /^PUBLIC_URL is not a URL/],
    [{ PUBLIC_URL: 'perigee.example:8787' }, /^PUBLIC_URL must be http or https/],
    [{ PUBLIC_URL: 'wss://perigee.example' }, /^PUBLIC_URL must be http or https/],
    [
      { CORS_ORIGINS: 'https://a.example,https://b.example/app' },
      /^CORS_ORIGINS must be without a path: write https:\/\/b/,
    ],
    [{ CORS_ORIGINS: 'https://a.example?x' }, /^CORS_ORIGINS must be without a query/],
    [{ UPSTREAM_URL: 'https://models.example/v1?api-version=1' }, /^UPSTREAM_URL must be without a query/],
    [{ UPSTREAM_URL: 'https://models.example/v1#x' }, /^UPSTREAM_URL must be without a query/],
    [
      { GITHUB_CLIENT_ID: 'a', GITHUB_CLIENT_SECRET: 'b', GITHUB_URL: 'https://github.example/?x' },
      /^GITHUB_URL must be without a query/,
    ],
    [
      { GITHUB_CLIENT_ID: 'a', GITHUB_CLIENT_SECRET: 'b', GITHUB_URL: 'https://a:hush@github.example' },
      /^GITHUB_URL must be without a user name/,
    ],
    [{ CORS_ORIGINS: 'everybody' }, /^CORS_ORIGINS is not a URL/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of trace/],
    [{ DEMO: 'yes' }, /^DEMO must be 1 or 0/],
    [{ LEASE_MS: '5' }, /^LEASE_MS must be/],
    [{ GOOGLE_CLIENT_ID: 'a' }, /^GOOGLE_CLIENT_SECRET is missing/],
    [{ GITHUB_CLIENT_SECRET: 'a' }, /^GITHUB_CLIENT_ID is missing/],
    [
      { GITHUB_CLIENT_ID: 'a', GITHUB_CLIENT_SECRET: 'b', GITHUB_URL: 'http://github.example' },
      /^GITHUB_URL must be https/,
    ],
    [{ MAIL_URL: 'mail.example.org', MAIL_FROM: 'a@b.example' }, /^MAIL_URL must be smtp/],
    [{ MAIL_URL: 'smtp://mail.example.org' }, /^MAIL_FROM must be/],
    [{ MAIL_URL: 'console:', MAIL_FROM: 'a@b.example\nbcc: c@d.example' }, /^MAIL_FROM must be/],
    [
      { MAIL_URL: 'console:', MAIL_FROM: 'a@b.example', HOST: '0.0.0.0', DEMO: '1' },
      /^PUBLIC_URL is required for sign-in/,
    ],
    [
      { PERIGEE_CONFIG: 'a.json' },
      /^PERIGEE_CONFIG: the issuer of "acme" must be https/,
      '{"accounts":{"providers":[{"id":"acme","name":"Acme","issuer":"http://acme.example","clientId":"c"}]}}',
    ],
    [
      { PERIGEE_CONFIG: 'a.json' },
      /^PERIGEE_CONFIG: the provider id "email" is taken/,
      '{"accounts":{"providers":[{"id":"email","name":"Acme","issuer":"https://acme.example","clientId":"c"}]}}',
    ],
    [{ PERIGEE_CONFIG: 'a.json' }, /^PERIGEE_CONFIG: a\.json is no JSON/, '{'],
    [{ PERIGEE_CONFIG: 'a.json' }, /^PERIGEE_CONFIG: a\.json, at guests\.messages/, '{"guests":{"messages":0}}'],
    [
      { PERIGEE_CONFIG: 'a.json' },
      /at guests: messages times runMicro is more than a balance can hold/,
      '{"guests":{"messages":10000000,"runMicro":9000000000000000}}',
    ],
    [{ PERIGEE_CONFIG: 'a.json' }, /^PERIGEE_CONFIG: a\.json, at budget: there is no such setting/, '{"budget":5}'],
    ...['AS64500', '203.0.113.0/33', '203.0.113.0/', '2001:db8::/129', '203.0.113.0/24/8', ''].map(
      (network): [Record<string, string>, RegExp, string] => [
        { PERIGEE_CONFIG: 'a.json' },
        /at risk\.hostingNetworks\[1\]: hostingNetworks: ".*" is not an address or a network/,
        JSON.stringify({ risk: { hostingNetworks: ['2001:db8::/32', network] } }),
      ],
    ),
    [
      { PERIGEE_CONFIG: 'a.json' },
      /at models\[0\]\.price\.outputMicro/,
      '{"models":[{"id":"m","price":{"mode":"tokens","inputMicro":1,"cachedInputMicro":1,"outputMicro":-1}}]}',
    ],
    [{ PERIGEE_CONFIG: 'a.json' }, /at models: a model is listed twice/, '{"models":[{"id":"m"},{"id":"m"}]}'],
    // A price with a hole, one that is no whole number, one beyond what can be counted, and one that nobody knows.
    [{ PERIGEE_CONFIG: 'a.json' }, /at models\[0\]\.price\.outputMicro/, priced({ outputMicro: undefined })],
    [{ PERIGEE_CONFIG: 'a.json' }, /at models\[0\]\.price\.inputMicro/, priced({ inputMicro: 0.5 })],
    [{ PERIGEE_CONFIG: 'a.json' }, /at models\[0\]\.price\.inputMicro/, priced({ inputMicro: 2 ** 60 })],
    [
      { PERIGEE_CONFIG: 'a.json' },
      /at models\[0\]\.price\.thoughtMicro: there is no such setting/,
      priced({ thoughtMicro: 1 }),
    ],
    [
      { PERIGEE_CONFIG: 'a.json' },
      /at models\[0\]\.price\.tiers: each tier begins above the one before it/,
      priced({ tiers: [200, 100].map((aboveInputTokens) => ({ aboveInputTokens, ...RATES })) }),
    ],
    [
      { PERIGEE_CONFIG: 'a.json' },
      /at models\[0\]\.priceChanges: each change counts from later than the one before it/,
      changed(['2027-02-01T00:00:00Z', '2027-01-01T00:00:00Z']),
    ],
    [{ PERIGEE_CONFIG: 'a.json' }, /at models\[0\]\.priceChanges\[0\]\.from/, changed(['next month'])],
  ];
  for (const [env, told, file] of WRONG)
    it(`refuse ${JSON.stringify(env)}${file ? ` with ${file}` : ''} in one line that names it`, () => {
      assert.throws(
        () => parse(env, file),
        (error: Error) => error instanceof ConfigError && told.test(error.message) && !error.message.includes('\n'),
      );
    });

  it('tell all mistakes of the file at once, each by its path and in plain words', () => {
    const file = JSON.stringify({
      budget: 5,
      models: [
        { id: 'a', price: { mode: 'tokens', input: 60, cachedInputMicro: '15', outputMicro: 0.5 } },
        { id: '', contextTokens: 5, price: { mode: 'token' } },
        { id: 'c', price: { mode: 'flat', runMicro: -1 }, priceChanges: [{ from: 'soon', price: {} }] },
        { id: 'd', price: 60, maxOutputTokens: 'many', fallbacks: 'a' },
      ],
      services: [{ id: 'east', url: 'y', dialect: 'grpc', models: 5 }],
      limits: { tiers: [] },
      accounts: { providers: [{ id: 'x', name: 'X', issuer: 'https://x.example', clientId: 'c', clientSecret: 77 }] },
    });
    let told = '';
    assert.throws(
      () => parse({ PERIGEE_CONFIG: 'a.json' }, file),
      (error: Error) => {
        told = error.message;
        return error instanceof ConfigError;
      },
    );
    const [head, ...lines] = told.split('\n');
    assert.equal(head, `PERIGEE_CONFIG: a.json has ${lines.length} mistakes:`);
    const expected = [
      'models[0].price.inputMicro: is missing',
      'models[0].price.input: there is no such setting. Check its name, or leave it out',
      'models[0].price.cachedInputMicro: must be a number, not "15"',
      'models[0].price.outputMicro: must be a whole number, not 0.5',
      'models[1].id: must have at least 1 character, not 0',
      'models[1].contextTokens: must be at least 1024, not 5',
      'models[1].price.mode: must be "flat" or "tokens", not "token"',
      'models[2].price.runMicro: must be at least 0, not -1',
      'models[2].priceChanges[0].from: must be an instant in UTC such as 2027-01-31T12:00:00Z',
      'models[2].priceChanges[0].price.mode: is missing',
      'models[3].price: must be an object, not 60',
      'models[3].maxOutputTokens: must be a number, not "many"',
      'models[3].fallbacks: must be a list, not "a"',
      'services[0].url: must be an address such as https://example.org/v1',
      'services[0].dialect: must be "chat" or "messages" or "responses", not "grpc"',
      'services[0].models: has the wrong form, not 5',
      'limits.tiers: must have at least 1 entry, not 0',
      'budget: there is no such setting. Check its name, or leave it out',
    ].map((line) => `  ${line}`);
    assert.deepEqual(
      expected.filter((line) => !lines.includes(line)),
      [],
      told,
    );
    assert.doesNotMatch(told, /Invalid|expected|received|undefined/);
    assert.ok(
      lines.some((line) => line.startsWith('  accounts.providers[0].clientSecret: ')),
      told,
    );
  });

  it('say what is wrong with the file of PERIGEE_CONFIG: that it is not there, can not be read, or is no JSON', () => {
    const failing = (code: string) => () => {
      throw Object.assign(new Error(`${code}: of the system, open 'etc/p.json'`), { code });
    };
    const FILES: [readFile: () => string, told: RegExp][] = [
      [failing('ENOENT'), /^PERIGEE_CONFIG: there is no file etc\/p\.json\. Name a JSON file, best by its whole path$/],
      [failing('EISDIR'), /^PERIGEE_CONFIG: etc\/p\.json can't be read: it is a folder\./],
      [
        failing('EACCES'),
        /^PERIGEE_CONFIG: etc\/p\.json can't be read: EACCES\. Name a JSON file that this user can read$/,
      ],
      [() => '', /^PERIGEE_CONFIG: etc\/p\.json is no JSON: Unexpected end/],
      [() => 'models: []', /^PERIGEE_CONFIG: etc\/p\.json is no JSON: /],
    ];
    for (const [readFile, told] of FILES)
      assert.throws(() => parseConfig({ PERIGEE_CONFIG: 'etc/p.json' }, readFile), { message: told });
    assert.equal(parse({ PERIGEE_CONFIG: 'a.json' }, '\uFEFF{ "currency": "eur" }').policy.currency, 'eur');
  });

  it('take the example file that the README names', () => {
    const config = parseConfig({ PERIGEE_CONFIG: 'perigee.config.example.json' }, (path) => readFileSync(path, 'utf8'));
    assert.deepEqual(
      config.policy.models.map((m) => [m.id, m.price.mode, m.maxOutputTokens]),
      [
        ['kimi-k2', 'tokens', 8192],
        ['qwen3-coder', 'flat', 8192],
      ],
    );
  });

  it('offer the demo model beyond loopback only where DEMO=1 says so', () => {
    const open: Record<string, string>[] = [{ HOST: '0.0.0.0' }, { PUBLIC_URL: 'https://perigee.example' }];
    for (const env of open) assert.equal(parse({ ...env, DEMO: '1' }).upstream, null);
    for (const url of ['http://localhost:8787', 'http://127.0.0.1:1', 'http://[::1]:8787', 'https://localhost'])
      assert.equal(parse({ PUBLIC_URL: url }).upstream, null, url);
  });

  it('take PostgreSQL with a secret, and https as public address', () => {
    const more = { PUBLIC_URL: 'https://perigee.example/', UPSTREAM_URL: 'http://127.0.0.1:11434/v1' };
    const config = parse({ DATABASE_URL: 'postgres://db/x', SECRET, ...more });
    assert.deepEqual([config.database.engine, config.publicUrl], ['postgres', 'https://perigee.example']);
  });
});

/** A file with one model at token prices, some of them as given. */
function priced(more: Record<string, unknown>): string {
  return JSON.stringify({ models: [{ id: 'm', price: { mode: 'tokens', ...RATES, ...more } }] });
}

/** A file with one model whose price changes at these instants. */
function changed(instants: string[]): string {
  const priceChanges = instants.map((from) => ({ from, price: { mode: 'flat', runMicro: 1 } }));
  return JSON.stringify({ models: [{ id: 'm', priceChanges }] });
}

describe('where a request came from', () => {
  const CASES: [
    title: string,
    trusted: string[],
    peer: string,
    headers: Record<string, string>,
    address: string | null,
  ][] = [
    ['this machine without a proxy', [], '127.0.0.1', {}, null],
    ['this machine over IPv6', [], '::1', {}, null],
    ['this machine as a mapped address', [], '::ffff:127.0.0.1', {}, null],
    ['a stranger', [], '203.0.113.5', {}, '203.0.113.5'],
    ['a proxy on this machine that nobody trusts', [], '127.0.0.1', { 'x-forwarded-for': '10.0.0.1' }, '127.0.0.1'],
    ['a stranger who forges a header', [], '203.0.113.5', { 'x-forwarded-for': '127.0.0.1' }, '203.0.113.5'],
    ['behind a trusted proxy', ['127.0.0.1'], '127.0.0.1', { 'x-forwarded-for': '203.0.113.5' }, '203.0.113.5'],
    [
      'behind two, read from the end',
      ['127.0.0.1', '10.0.0.0/8'],
      '127.0.0.1',
      { 'x-forwarded-for': '9.9.9.9, 203.0.113.5, 10.1.2.3' },
      '203.0.113.5',
    ],
    [
      'behind a proxy that writes ports',
      ['127.0.0.1'],
      '127.0.0.1',
      { 'x-forwarded-for': '6.6.6.6, 1.2.3.4:5555' },
      '1.2.3.4',
    ],
    [
      'behind one that writes IPv6 with a port',
      ['127.0.0.1'],
      '127.0.0.1',
      { 'x-forwarded-for': '[2001:db8::1]:55' },
      '2001:db8::1',
    ],
    [
      'never what stands before nonsense',
      ['127.0.0.1'],
      '127.0.0.1',
      { 'x-forwarded-for': '6.6.6.6, me' },
      '127.0.0.1',
    ],
    ['behind a trusted proxy that says nonsense', ['127.0.0.1'], '127.0.0.1', { 'x-forwarded-for': 'me' }, '127.0.0.1'],
  ];
  for (const [title, trusted, peer, headers, address] of CASES)
    it(title, () =>
      assert.equal(
        addressReader(trusted)(peer, (name) => headers[name]),
        address,
      ),
    );

  for (const wrong of ['proxy', '10.0.0.0/40', '::1/200', '10.0.0.0/x', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/ 8'])
    it(`refuses ${wrong} as a trusted proxy`, () =>
      assert.throws(() => addressReader([wrong]), /^Error: TRUSTED_PROXIES/));
});
