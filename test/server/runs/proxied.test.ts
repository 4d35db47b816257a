import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UpstreamError } from '../../../server/gateway/stream.ts';
import { openAiUpstream } from '../../../server/gateway/upstreams/openai.ts';
import { parseProxies } from '../../../server/platform/config/proxyConfig.ts';
import { createLog } from '../../../server/platform/log.ts';
import { createMailer } from '../../../server/platform/mail.ts';
import { IdentityProvider } from '../../doubles/identityProvider.ts';
import { CERTIFICATE, ProxyDouble, type Refusal } from '../../doubles/proxy.ts';
import { StripeDouble } from '../../doubles/stripe.ts';
import { UpstreamDouble } from '../../doubles/upstream.ts';
import { Client } from '../../support/client.ts';
import { eventsIn } from '../../support/pieces.ts';
import { ServerProcess } from '../../support/server.ts';

const PASSWORD = 'hush-hush';
const portAt = (server: Server) => (server.address() as AddressInfo).port;
const portOf = (url: string) => Number(new URL(url).port);

for (const isSecure of [false, true])
  describe(`a server in a network that only ${isSecure ? 'a proxy behind TLS' : 'a proxy'} leads out of`, function () {
    this.timeout(60_000);
    const double = new UpstreamDouble();
    let stripe: StripeDouble;
    let identity: IdentityProvider;
    let proxy: ProxyDouble;
    let server: ServerProcess;
    let dir: string;

    before(async () => {
      dir = await mkdtemp(join(tmpdir(), 'perigee-proxied-'));
      await double.start();
      stripe = await StripeDouble.start();
      identity = await IdentityProvider.start();
      proxy = await ProxyDouble.start(
        {
          'model.service.test': portOf(double.url),
          'stripe.service.test': portOf(stripe.env.STRIPE_API_BASE!),
          'id.service.test': portOf(identity.issuer),
        },
        { isSecure },
      );
      proxy.credentials = `ada:${PASSWORD}`;
      await writeFile(join(dir, 'ca.pem'), CERTIFICATE);
      await writeFile(
        join(dir, 'config.json'),
        JSON.stringify({
          accounts: {
            providers: [{ id: 'acme', name: 'Acme', issuer: 'https://id.service.test', clientId: 'c' }],
          },
        }),
      );
      server = await ServerProcess.start(`sqlite:${join(dir, 'perigee.db')}`, 'https://model.service.test/v1', {
        ...stripe.env,
        STRIPE_API_BASE: 'https://stripe.service.test',
        PERIGEE_CONFIG: join(dir, 'config.json'),
        // Another of this machine's own must not come first.
        ...{ https_proxy: '', no_proxy: '', NO_PROXY: '' },
        HTTPS_PROXY: proxy.url,
        NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem'),
      });
    });
    after(async () => {
      await server?.kill();
      await proxy?.stop();
      await stripe?.stop();
      await identity?.stop();
      await double.stop();
      await rm(dir, { recursive: true, force: true });
    });
    beforeEach(() => {
      proxy.asked.length = 0;
      double.reset();
    });

    it('streams answers through it, keeps the tunnel, and stops them', async () => {
      const client = await Client.guest(server.url);
      assert.equal((await client.run(client.chat('Hello'))).at(-1)?.type, 'done');
      const tunnels = () => proxy.asked.filter((line) => line === 'CONNECT model.service.test:443').length;
      const before = tunnels();
      assert.ok(before > 0);
      await client.run(client.chat('Again'));
      assert.equal(tunnels(), before);
      const call = double.script({ pieces: ['one', ' two'], gateAt: 1 });
      const request = client.chat('Stop');
      await client.request('POST', '/api/runs', request);
      await call.atGate;
      await client.request('POST', `/api/runs/${request.id}/stop`);
      await call.ended;
    });

    it('asks Stripe through it', async () => {
      const told = stripe.invent('charge.refunded', {
        id: 'ch_1',
        amount: 100,
        amount_refunded: 1,
        currency: 'usd',
        payment_intent: 'pi_nobody',
      });
      await stripe.deliver(server.url, told);
      assert.ok(proxy.asked.includes('CONNECT stripe.service.test:443'), proxy.asked.join('\n'));
      assert.ok(stripe.calls.some((line) => line.includes('payment_intents/pi_nobody')));
    });

    it('asks those who sign people in through it', async () => {
      const follow = async (path: string, cookie = '') =>
        fetch(server.url + path, { redirect: 'manual', headers: { cookie } });
      const begun = await follow('/sign-in');
      const flow = new URL(begun.headers.get('location')!, server.url).searchParams.get('flow');
      const cookie = begun.headers
        .getSetCookie()
        .map((one) => one.split(';')[0])
        .join('; ');
      await follow(`/sign-in/with/acme?flow=${flow}`, cookie);
      assert.ok(proxy.asked.includes('CONNECT id.service.test:443'), proxy.asked.join('\n'));
    });

    it('says at its start by which proxies it calls, and never the password', () => {
      assert.match(server.said(), new RegExp(`"https":"${new URL(proxy.url).origin}"`));
      assert.doesNotMatch(server.said(), new RegExp(PASSWORD));
      assert.doesNotMatch(server.said(), new RegExp(Buffer.from(`ada:${PASSWORD}`).toString('base64')));
    });
  });

describe('a proxy', function () {
  this.timeout(20_000);
  const double = new UpstreamDouble();
  let proxy: ProxyDouble;
  before(async () => {
    await double.start();
    proxy = await ProxyDouble.start({ 'model.service.test': portOf(double.url) });
  });
  after(async () => {
    await proxy.stop();
    await double.stop();
  });
  beforeEach(() => {
    double.reset();
    proxy.asked.length = 0;
    proxy.refusal = null;
    proxy.credentials = null;
  });

  const upstreamBy = (url: string, scheme: string, connectMs = 5_000) =>
    openAiUpstream({
      url: `${scheme}://model.service.test/v1`,
      timeouts: { connectMs, firstByteMs: 5_000, idleMs: 5_000, tailMs: 1_000, retryMs: 1 },
      proxies: parseProxies({ ALL_PROXY: url }, { sendsMail: false }),
    });

  async function ask(upstream = upstreamBy(proxy.url, 'http'), signal = new AbortController().signal) {
    const request = {
      model: 'double',
      messages: [{ role: 'user' as const, text: 'Hi' }],
      maxOutputTokens: 50,
      cacheKey: 'c',
    };
    let text = '';
    try {
      for await (const event of eventsIn(upstream.stream(request, signal)))
        if (event.type === 'text') text += event.text;
      return { text, error: undefined };
    } catch (error) {
      return { text, error: error as Error };
    }
  }

  for (const credentials of [null, 'ada:p%40ss'])
    it(`passes plain HTTP on, ${credentials ? 'with' : 'without'} credentials, and keeps its connection`, async () => {
      proxy.credentials = credentials && decodeURIComponent(credentials);
      const upstream = upstreamBy(proxy.url.replace('p@ss', 'p%40ss'), 'http');
      double.usually({ text: 'Good day', finish: 'stop' });
      assert.equal((await ask(upstream)).text, 'Good day');
      const open = proxy.connections;
      assert.equal((await ask(upstream)).text, 'Good day');
      assert.equal(proxy.connections, open);
      assert.deepEqual(proxy.asked, Array(2).fill('POST http://model.service.test/v1/chat/completions'));
      assert.equal(double.bill.length, 2);
    });

  const REFUSALS: [refusal: Refusal, scheme: string, code: string, detail: RegExp][] = [
    [407, 'https', 'upstream_unreachable', /PROXY_407/],
    [403, 'https', 'upstream_unreachable', /PROXY_403/],
    [502, 'https', 'upstream_unreachable', /PROXY_502/],
    // No tunnel either, though it looks like an answer.
    [201, 'https', 'upstream_unreachable', /PROXY_201/],
    ['hang up', 'https', 'upstream_unreachable', /PROXY_ECONNRESET/],
    ['silence', 'https', 'upstream_unreachable', /no connection in 200 ms/],
    [407, 'http', 'upstream_refused', /407/],
    [502, 'http', 'upstream_failed', /502/],
  ];
  for (const [refusal, scheme, code, detail] of REFUSALS)
    it(`that answers ${refusal} for ${scheme} is ${code}, never an answer of the service`, async () => {
      proxy.refusal = refusal;
      const { text, error } = await ask(upstreamBy(proxy.url, scheme, 200));
      assert.equal(text, '');
      assert.ok(error instanceof UpstreamError, String(error));
      assert.equal(error.code, code);
      assert.match(String(error.options.logDetail), detail);
      assert.equal(double.bill.length, 0);
    });

  it('that is not there is told as unreachable', async () => {
    const gone = await listening(createServer());
    const port = portAt(gone);
    gone.close();
    for (const [scheme, detail] of [
      ['http', /^ECONNREFUSED/],
      ['https', /^PROXY_ECONNREFUSED/],
    ] as const) {
      const { error } = await ask(upstreamBy(`http://127.0.0.1:${port}`, scheme));
      assert.ok(error instanceof UpstreamError && error.code === 'upstream_unreachable', String(error));
      assert.match(String(error.options.logDetail), detail);
    }
  });

  it('is left at once when somebody stops while it makes the tunnel', async () => {
    proxy.refusal = 'silence';
    const stop = new AbortController();
    const asked = ask(upstreamBy(proxy.url, 'https'), stop.signal);
    while (proxy.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error('stopped'));
    assert.equal((await asked).error?.message, 'stopped');
  });

  it('takes mail by CONNECT where ALL_PROXY names it, to a server that speaks first', async () => {
    const said: string[] = [];
    const smtp = await listening(
      createServer((socket) => {
        socket.write('220 double\r\n');
        let inMessage = false;
        socket.on('data', (bytes) => {
          for (const line of bytes.toString().split('\r\n').filter(Boolean)) {
            said.push(line);
            if (line === 'DATA') inMessage = true;
            if (line === '.') inMessage = false;
            if (!inMessage || line === 'DATA') socket.write(line === 'DATA' ? '354 go on\r\n' : '250 fine\r\n');
          }
        });
      }),
    );
    const port = portAt(smtp);
    const way = await ProxyDouble.start({ 'mail.service.test': port });
    try {
      const proxies = parseProxies({ ALL_PROXY: way.url, NO_PROXY: 'direct.service.test' }, { sendsMail: true });
      const mailer = createMailer(
        { url: 'smtp://mail.service.test:2525', from: 'a@b.example' },
        createLog('silent'),
        proxies,
      );
      await mailer.send({ to: 'c@d.example', subject: 'Hi', text: 'Hi' });
      assert.deepEqual(way.asked, ['CONNECT mail.service.test:2525']);
      assert.ok(said.includes('RCPT TO:<c@d.example>'));
      const here = createMailer({ url: `smtp://127.0.0.1:${port}`, from: 'a@b.example' }, createLog('silent'), proxies);
      await here.send({ to: 'c@d.example', subject: 'Hi', text: 'Hi' });
      assert.equal(way.asked.length, 1);
      way.refusal = 403;
      await assert.rejects(
        mailer.send({ to: 'c@d.example', subject: 'Hi', text: 'Hi' }),
        /no tunnel through the proxy: 403/,
      );
    } finally {
      await way.stop();
      smtp.close();
    }
  });
});

async function listening(server: Server): Promise<Server> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
