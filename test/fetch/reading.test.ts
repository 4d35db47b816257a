import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { MAX_PAGE_BYTES } from '../../server/fetch/body.ts';
import { internet as realInternet } from '../../server/fetch/network.ts';
import { inTime, readPage } from '../../server/fetch/reading.ts';
import { judgeUrl } from '../../server/fetch/target.ts';
import { AppError } from '../../server/platform/errors.ts';
import { InternetDouble, PUBLIC } from '../doubles/internet.ts';

const SITE = 'www.service.test';
const OTHER = 'other.service.test';
const clock = { now: () => Date.UTC(2030, 0, 2, 3, 4, 5) };

describe('reading a web page', () => {
  let internet: InternetDouble;
  before(async () => {
    internet = await new InternetDouble().start();
  });
  beforeEach(() => {
    internet.reset();
    internet.names.set(SITE, [PUBLIC]);
    internet.names.set(OTHER, [PUBLIC]);
  });
  after(() => internet.stop());

  const read = (url: string, ms = 10_000, network = internet.network) =>
    inTime(ms, (signal) => readPage(judgeUrl(url), { network, clock }, signal));
  const refuses = (url: string, code: string, why: RegExp, ms?: number) =>
    assert.rejects(read(url, ms), (error) => {
      assert.ok(error instanceof AppError, String(error));
      assert.equal(error.code, code);
      assert.match(error.detail, why);
      return true;
    });
  /** Answers in pieces, until the reader has gone. */
  const forEver = (response: ServerResponse, piece: Buffer | string) => {
    const more = () => {
      while (!response.destroyed && response.write(piece));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };

  it('reads by HTTPS: name and certificate are those of the address, and the connection goes where was judged', async () => {
    internet.answer = (_, response) => response.setHeader('content-type', 'text/plain').end('The text.\n');
    const page = await read(`https://${SITE}/a?b=c#d`);
    assert.deepEqual(page, { url: `https://${SITE}/a?b=c`, text: 'The text.', readAt: '2030-01-02T03:04:05.000Z' });
    assert.deepEqual(internet.connected, [`${PUBLIC}:443`]);
    const [{ headers, servername }] = internet.requests as [(typeof internet.requests)[0]];
    assert.deepEqual([headers.host, servername], [SITE, SITE]);
    for (const header of ['cookie', 'authorization', 'referer', 'origin', 'x-forwarded-for'])
      assert.equal(headers[header], undefined, header);
  });

  it('reads by HTTP, and by an address without a name', async () => {
    assert.equal((await read(`http://${SITE}/`)).text, 'hello');
    assert.equal((await read(`http://${PUBLIC}/`)).text, 'hello');
    assert.deepEqual(internet.looked, [SITE]);
  });

  it('does not accept the certificate of another host', () => {
    internet.names.set('evil.test', [PUBLIC]);
    return refuses('https://evil.test/', 'page_unreachable', /certificate/);
  });

  it('uses no proxy of the environment', async () => {
    const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : 'http://127.0.0.1:1';
    try {
      assert.equal((await read(`http://${SITE}/`)).text, 'hello');
      assert.equal((await read(`https://${SITE}/`)).text, 'hello');
    } finally {
      for (const [at, name] of names.entries())
        if (before[at] === undefined) delete process.env[name];
        else process.env[name] = before[at];
    }
  });

  describe('refuses, and connects to nothing, a name that', () => {
    const NO_PUBLIC = /^It has no public address: .*private or reserved .*written right/;
    const NAMES: [what: string, addresses: string[]][] = [
      ['leads to loopback', ['127.0.0.1']],
      ['leads to the secrets of a cloud', ['169.254.169.254']],
      ['leads to IPv6 loopback', ['::1']],
      ['leads to a private address, written as IPv6', ['::ffff:10.1.2.3']],
      ['leads to a private address by NAT64', ['64:ff9b::a01:203']],
      ['leads to several addresses, the last of them private', [PUBLIC, '8.8.8.8', '192.168.0.1']],
      ['leads to several addresses, the first of them private', ['10.0.0.1', PUBLIC]],
      ['leads to no address that can be understood', ['not an address']],
    ];
    for (const [what, addresses] of NAMES)
      it(what, async () => {
        internet.names.set('inside.service.test', addresses);
        await refuses('http://inside.service.test/', 'address_refused', NO_PUBLIC);
        assert.deepEqual(internet.connected, []);
      });

    // The same words as for a private address: else anybody could ask for the names of the server's network.
    it('nobody has', () => refuses('https://nobody.service.test/', 'address_refused', NO_PUBLIC));
  });

  it('connects to the address that was judged, whatever the name leads to a moment later', async () => {
    internet.names.set('rebinding.service.test', [[PUBLIC], ['127.0.0.1']]);
    assert.equal((await read('http://rebinding.service.test/')).text, 'hello');
    assert.deepEqual(internet.looked, ['rebinding.service.test']);
    assert.deepEqual(internet.connected, [`${PUBLIC}:80`]);
  });

  it('tries the next address of a name if one does not answer', async () => {
    internet.names.set(SITE, ['93.184.215.15', PUBLIC]);
    internet.dead.add('93.184.215.15');
    assert.equal((await read(`https://${SITE}/`)).text, 'hello');
    internet.dead.add(PUBLIC);
    await refuses(`https://${SITE}/`, 'page_unreachable', /did not answer/);
  });

  describe('at a redirect', () => {
    const to = (location: string, status = 302) => {
      internet.answer = (url, response) =>
        url === `http://${SITE}/`
          ? response.writeHead(status, { location }).end('moved')
          : response.end(`here is ${url}`);
    };
    for (const status of [301, 302, 303, 307, 308])
      it(`with ${status} reads where it leads, and says so`, async () => {
        to(`https://${OTHER}/b`, status);
        const { url, text } = await read(`http://${SITE}/`);
        assert.deepEqual([url, text], [`https://${OTHER}/b`, `here is https://${OTHER}/b`]);
      });

    const raw = (location: Buffer) => {
      internet.answer = (url, response) => {
        if (url !== `http://${SITE}/`) return response.end(`here is ${url}`);
        const parts = [Buffer.from('HTTP/1.1 302 Found\r\nLocation: '), location, Buffer.from('\r\n\r\n')];
        return response.socket!.end(Buffer.concat(parts));
      };
    };

    it('reads one that is written in UTF-8, or in Latin-1', async () => {
      for (const [encoding, path] of [
        ['utf8', '/%C3%A9t%C3%A9'],
        ['latin1', '/%C3%A9t%C3%A9'],
      ] as const) {
        raw(Buffer.from('/été', encoding));
        assert.equal((await read(`http://${SITE}/`)).url, `http://${SITE}${path}`);
      }
    });

    it('takes an empty one for none', async () => {
      for (const location of ['', '  ']) {
        raw(Buffer.from(location));
        await refuses(`http://${SITE}/`, 'page_failed', /status 302/);
      }
      assert.equal(internet.requests.length, 2);
    });

    it('says of a name without a public address that it came from there', async () => {
      to('https://nobody.service.test/');
      await refuses(`http://${SITE}/`, 'address_refused', /^The page redirects .*It has no public address/);
    });

    it('reads a relative one', async () => {
      to('c?d');
      assert.equal((await read(`http://${SITE}/`)).url, `http://${SITE}/c?d`);
    });

    it('resolves and judges the same name anew', async () => {
      internet.names.set(SITE, [[PUBLIC], ['127.0.0.1']]);
      to('/second');
      await refuses(`http://${SITE}/`, 'address_refused', /^The page redirects .*private or reserved/);
      assert.deepEqual(internet.connected, [`${PUBLIC}:80`]);
    });

    const INWARDS: [location: string, why: RegExp][] = [
      ['http://127.0.0.1/', /private or reserved/],
      ['http://2130706433/', /private or reserved/],
      ['http://169.254.169.254/latest/meta-data/', /private or reserved/],
      ['//[::1]/', /private or reserved/],
      ['http://inside.service.test/', /private or reserved/],
      [`http://${OTHER}:8787/`, /port 8787/],
      [`http://user@${OTHER}/`, /user name/],
      ['file:///etc/passwd', /https:\/\/ or http:\/\//],
      ['http://', /no web address/],
    ];
    for (const [location, why] of INWARDS)
      it(`does not go to ${location}`, async () => {
        internet.names.set('inside.service.test', ['10.0.0.1']);
        to(location);
        await refuses(`http://${SITE}/`, 'address_refused', why);
        assert.deepEqual(internet.connected, [`${PUBLIC}:80`]);
      });

    it('follows three, and not a fourth', async () => {
      internet.answer = (url, response) => {
        const left = Number(url.at(-1));
        if (left === 0) response.end('the end');
        else response.writeHead(302, { location: `/${left - 1}` }).end();
      };
      assert.equal((await read(`http://${SITE}/3`)).text, 'the end');
      await refuses(`http://${SITE}/4`, 'page_failed', /more than 3 times/);
    });

    it('keeps one time limit for all of them', async () => {
      internet.answer = (url, response) => {
        if (url.endsWith('/slow')) return;
        response.writeHead(302, { location: '/slow' }).end();
      };
      await refuses(`http://${SITE}/`, 'page_too_slow', /0\.3 seconds/, 300);
    });
  });

  describe('refuses a page that', () => {
    const big = Buffer.alloc(64 * 1024, 'a');
    const BAD: [what: string, answer: InternetDouble['answer'], code: string, why: RegExp][] = [
      [
        'streams for ever',
        (_, response) => forEver(response, big),
        'page_too_large',
        /200 KB\. Copy the part that matters, and paste it/,
      ],
      [
        'says that it is large',
        (_, response) => response.writeHead(200, { 'content-length': MAX_PAGE_BYTES + 1 }).flushHeaders(),
        'page_too_large',
        /200 KB/,
      ],
      ['never answers', () => {}, 'page_too_slow', /0\.3 seconds/],
      ['sends its head, and then nothing', (_, response) => response.flushHeaders(), 'page_too_slow', /0\.3/],
      ['sends a byte now and then', (_, response) => void response.write('a'), 'page_too_slow', /0\.3 seconds/],
      ['hangs up', (_, response) => response.socket?.destroy(), 'page_unreachable', /broke off/],
      [
        'breaks off in the middle',
        (_, response) => response.writeHead(200, { 'content-length': 10 }).write('half', () => response.socket?.end()),
        'page_unreachable',
        /broke off/,
      ],
      [
        'speaks something else than HTTP',
        (_, response) => response.socket?.end('220 mail.service.test ESMTP\r\n'),
        'page_unreachable',
        /did not answer/,
      ],
      [
        'has a head of a megabyte',
        (_, response) => response.socket?.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(1_000_000)}\r\n\r\n`),
        'page_unreachable',
        /did not answer/,
      ],
      ['is not there', (_, response) => response.writeHead(404).end('no'), 'page_failed', /404: there is no such/],
      ['is closed', (_, response) => response.writeHead(403).end('no'), 'page_failed', /403: it does not let/],
      ['fails', (_, response) => response.writeHead(500).end('no'), 'page_failed', /500: try again later/],
      [
        'changes to another protocol',
        (_, response) => {
          const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
          response.socket!.write(head);
        },
        'page_failed',
        /status 101/,
      ],
      ['has only a part', (_, response) => response.writeHead(206).end('no'), 'page_failed', /206/],
      ['redirects nowhere', (_, response) => response.writeHead(302).end(), 'page_failed', /302/],
      [
        'is a picture by its type',
        (_, response) => response.writeHead(200, { 'content-type': 'image/png' }).end('text'),
        'page_not_text',
        /image\/png/,
      ],
      ['is a program by its bytes', (_, response) => response.end('\x7fELF\0\0\0'), 'page_not_text', /binary/],
      ['is a PDF that says it is text', (_, response) => response.end('%PDF-1.7 …'), 'page_not_text', /binary/],
      ['is empty', (_, response) => response.end(' \n'), 'page_not_text', /no text/],
    ];
    for (const [what, answer, code, why] of BAD)
      it(what, async () => {
        internet.answer = answer;
        await refuses(`http://${SITE}/`, code, why, code === 'page_too_slow' ? 300 : 5_000);
      });
  });

  const UNREAD: [what: string, begin: (response: ServerResponse) => void][] = [
    ['did not read to its end', (response) => forEver(response, Buffer.alloc(64 * 1024, 'a'))],
    [
      'did not begin to read',
      (response) => void response.writeHead(200, { 'content-length': MAX_PAGE_BYTES + 1 }).write('a'),
    ],
  ];
  for (const [what, begin] of UNREAD)
    it(`leaves no connection open behind a page that it ${what}`, async () => {
      const closed = new Promise((resolve) => {
        internet.answer = (_, response) => {
          response.on('close', resolve);
          begin(response);
        };
      });
      await refuses(`https://${SITE}/`, 'page_too_large', /200 KB/);
      await closed;
    });

  it('stops looking a name up when the time is over', async () => {
    let signal: AbortSignal | undefined;
    const resolve = (_: string, one: AbortSignal) => {
      signal = one;
      return new Promise<string[]>((done) => one.addEventListener('abort', () => done([])));
    };
    const slow = read(`http://${SITE}/`, 50, { ...internet.network, resolve });
    await assert.rejects(slow, (error) => error instanceof AppError && error.code === 'page_too_slow');
    assert.ok(signal?.aborted);
  });

  describe('of a compressed page', () => {
    const compressed = (encoding: string, body: Buffer) => {
      internet.answer = (_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body);
    };
    for (const [encoding, compress] of Object.entries({
      gzip: gzipSync,
      br: brotliCompressSync,
    })) {
      it(`reads ${encoding}`, async () => {
        compressed(encoding, compress(Buffer.from('The text.')));
        assert.equal((await read(`http://${SITE}/`)).text, 'The text.');
      });

      it(`refuses a bomb in ${encoding}`, async () => {
        const bomb = compress(Buffer.alloc(50_000_000));
        assert.ok(bomb.length < MAX_PAGE_BYTES);
        compressed(encoding, bomb);
        await refuses(`http://${SITE}/`, 'page_too_large', /200 KB/);
      });

      it(`refuses damaged ${encoding}`, async () => {
        compressed(encoding, Buffer.from('The text, not compressed at all'));
        await refuses(`http://${SITE}/`, 'page_not_text', /damaged/);
      });
    }

    it('asks for no deflate, which servers send in two ways', async () => {
      for (const compress of [deflateSync, deflateRawSync]) {
        compressed('deflate', compress(Buffer.from('x')));
        await refuses(`http://${SITE}/`, 'page_not_text', /does not read/);
      }
      assert.deepEqual([...new Set(internet.requests.map(({ headers }) => headers['accept-encoding']))], ['gzip, br']);
    });

    it('refuses a way that is not known, or several', async () => {
      for (const encoding of ['zstd', 'gzip, gzip', 'constructor']) {
        compressed(encoding, gzipSync(gzipSync(Buffer.from('x'))));
        await refuses(`http://${SITE}/`, 'page_not_text', /does not read/);
      }
    });
  });

  it('looks nothing up once the time is over', () =>
    assert.rejects(realInternet.resolve(SITE, AbortSignal.abort(new Error('over'))), /over/));

  it('is over in time also if what it waits for never ends', async () => {
    const connect = () => {
      // It takes all, says nothing, and does not close.
      const stuck = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), destroy() {} });
      setImmediate(() => stuck.emit('connect'));
      return stuck as Socket;
    };
    const never = read(`http://${SITE}/`, 50, { ...internet.network, connect });
    await assert.rejects(never, (error) => error instanceof AppError && error.code === 'page_too_slow');
  });

  it('cleans the title, and takes out of the text what nobody sees', async () => {
    internet.answer = (_, response) =>
      response
        .setHeader('content-type', 'text/html; charset=utf-8')
        .end(
          `<title>A\u202e\u2066moc.elgoog\u200b\u{E0041}${'x'.repeat(288)}😀</title>a\u{E0049}\u{E0067}\u202eb\u2066c`,
        );
    const { title, text } = await read(`http://${SITE}/`);
    assert.deepEqual([title, text], [`Amoc.elgoog${'x'.repeat(288)}`, 'abc']);
  });

  it('reads pages of exactly as much as is allowed', async () => {
    internet.answer = (_, response) => response.end(Buffer.alloc(MAX_PAGE_BYTES, 'a'));
    assert.equal((await read(`http://${SITE}/`)).text.length, MAX_PAGE_BYTES);
  });
});
