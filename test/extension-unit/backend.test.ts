import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bearer } from '../../extension/account/session/signingKey.ts';
import { type AccountSignal, Backend, type NumberedRunEvent } from '../../extension/backend.ts';
import { BackendError } from '../../extension/platform/server/backendError.ts';
import type { Balance } from '../../shared/account.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const balance: Balance = {
  availableMicro: 9_000_000,
  pendingMicro: 0,
  ofMicro: 10_000_000,
  promotionalMicro: 9_000_000,
  purchasedMicro: 0,
  guestMessagesLeft: 9,
  windows: [],
};
const event = (seq: number, type: string, data: unknown) =>
  `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
const text = (seq: number, words: string, at: number) => event(seq, 'text', { text: words, at });
const done = (seq: number) => event(seq, 'done', { state: 'complete', chargedMicro: 1_000_000, balance });
const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });

describe('the client of the server', () => {
  let server: Server;
  let backend: Backend;
  /** Answers in turn; the last one again and again. */
  let answers: Answer[];
  let requests: { url: string; headers: IncomingMessage['headers'] }[];

  /** The setting. */
  let address: string;

  beforeEach(async () => {
    requests = [];
    server = createServer((request, response) => {
      requests.push({ url: request.url ?? '', headers: request.headers });
      (answers.length > 1 ? answers.shift()! : answers[0]!)(request, response);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    address = url;
    backend = new Backend({ baseUrl: () => ({ url: address }), fetch, device: 'VS Code' });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('tells of a page that takes too long as of a page, and of a lost connection as of the server', async () => {
    for (const [name, kind, code] of [
      ['TimeoutError', 'refused', 'page_too_slow'],
      ['NetworkError', 'offline', 'unavailable'],
    ]) {
      const fails = () => Promise.reject(new DOMException('No answer', name));
      const slow = new Backend({ baseUrl: () => ({ url: address }), fetch: fails, device: 'VS Code' });
      await assert.rejects(slow.fetchPage(bearer(address, 'token'), 'https://example.org/'), (error) => {
        assert.ok(error instanceof BackendError);
        assert.deepEqual([error.kind, error.problem.code], [kind, code]);
        return true;
      });
    }
  });

  async function read(after = 0): Promise<NumberedRunEvent[]> {
    const seen: NumberedRunEvent[] = [];
    for await (const one of backend.runEvents(
      bearer(address, 'token'),
      randomUUID(),
      after,
      new AbortController().signal,
    ))
      seen.push(one);
    return seen;
  }
  const wrote = (events: NumberedRunEvent[]) =>
    events.map((one) => (one.type === 'text' ? one.data.text : `(${one.type})`)).join('');

  describe('a completion for another extension', () => {
    const asker = { extension: 'acme.helper', dailyCapMicro: 5 };
    async function chunks(extension = asker.extension): Promise<unknown[]> {
      const seen: unknown[] = [];
      const { signal } = new AbortController();
      const by = { ...asker, extension };
      for await (const one of backend.completion(bearer(address, 'token'), {}, by, signal)) seen.push(one);
      return seen;
    }

    it('is read to its end, and says who asks and for how much', async () => {
      answers = [
        (_, response) => stream(response).end('data: {"a":1}\n\n: alive\n\ndata: {"a":2}\n\ndata: [DONE]\n\n'),
      ];
      assert.deepEqual(await chunks(), [{ a: 1 }, { a: 2 }]);
      const { url, headers } = requests[0]!;
      assert.deepEqual(
        [url, headers['perigee-for'], headers['perigee-daily-cap']],
        ['/v1/chat/completions', 'acme.helper', '5'],
      );
    });

    it('has a word for an extension that the editor does not name: proxies drop empty headers', async () => {
      answers = [(_, response) => stream(response).end('data: [DONE]\n\n')];
      await chunks('');
      assert.equal(requests[0]?.headers['perigee-for'], 'unknown');
    });

    it('fails if it ends without its end, is no JSON, or is refused', async () => {
      const problem = {
        type: 'about:blank',
        title: 'No',
        status: 402,
        detail: 'no',
        code: 'daily_cap_reached',
        requestId: '',
      };
      const cases: [Answer, string, string][] = [
        [(_, response) => stream(response).end('data: {"a":1}\n\n'), 'offline', 'unavailable'],
        [(_, response) => stream(response).end('data: {"a"\n\n'), 'wrongServer', 'wrong_host'],
        [
          (_, response) =>
            response.writeHead(402, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem)),
          'refused',
          'daily_cap_reached',
        ],
      ];
      for (const [answer, kind, code] of cases) {
        answers = [answer];
        await assert.rejects(chunks(), (error: BackendError) => error.kind === kind && error.problem.code === code);
      }
    });
  });

  it('reads a run to its terminal event and tells the balance in it', async () => {
    answers = [
      (_, response) => {
        stream(response).write(`: heartbeat\n\n${text(1, 'Hel', 0)}${text(2, 'lo', 3)}`);
        response.write(done(3));
      },
    ];
    const told: Balance[] = [];
    backend.onDidChangeBalance((value) => told.push(value));
    assert.equal(wrote(await read()), 'Hello(done)');
    assert.deepEqual(told, [balance]);
    assert.equal(requests[0]?.headers.authorization, 'Bearer token');
    assert.equal(requests[0]?.headers['perigee-device'], 'VS Code');
  });

  it('tells what became of an edit, and the balance after it', async () => {
    const answer = { chargedMicro: 0, refundedMicro: 1_000_000, balance };
    answers = [
      (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
    ];
    const told: Balance[] = [];
    backend.onDidChangeBalance((value) => told.push(value));
    assert.deepEqual(await backend.outcome(bearer(address, 'token'), 'a run', { applied: 0, refused: 2 }), answer);
    assert.deepEqual(told, [balance]);
    assert.equal(requests[0]?.url, '/api/runs/a%20run/outcome');
    answers = [(_, response) => response.writeHead(204).end()];
    await assert.rejects(backend.outcome(bearer(address, 'token'), 'a run', { applied: 0, refused: 2 }), BackendError);
  });

  it('goes on after a broken connection from the last event, and drops what comes again', async () => {
    answers = [
      (_, response) => {
        stream(response).write(text(1, 'Hel', 0), () => response.destroy());
      },
      (_, response) => stream(response).end(),
      (_, response) => response.writeHead(503, { 'content-type': 'text/plain' }).end('down'),
      (_, response) => {
        stream(response).end(text(1, 'Hel', 0) + text(2, 'lo', 3) + done(3));
      },
    ];
    assert.equal(wrote(await read()), 'Hello(done)');
    assert.deepEqual(
      requests.map(({ url }) => url.replace(/.*after=/, '')),
      ['0', '1', '1', '1'],
    );
    assert.equal(requests[1]?.headers['last-event-id'], '1');
  });

  it('passes on what the model thinks, and skips events of a newer server', async () => {
    const thought = { text: 'Hm.', at: 0, ms: 5 };
    answers = [
      (_, response) => {
        stream(response).end(event(1, 'thinking', thought) + event(2, 'of_tomorrow', {}) + text(3, 'Yes', 0) + done(4));
      },
    ];
    const events = await read();
    assert.deepEqual(events[0], { seq: 1, type: 'thinking', data: thought });
    assert.equal(wrote(events), '(thinking)Yes(done)');
  });

  it('goes on in the middle of a character that was cut between two chunks', async () => {
    const bytes = Buffer.from(text(1, 'naïve 😀', 0) + done(2));
    answers = [
      (_, response) => {
        stream(response);
        for (const byte of bytes) response.write(Buffer.from([byte]));
      },
    ];
    assert.equal(wrote(await read()), 'naïve 😀(done)');
  });

  it('does not try again what the server refuses', async () => {
    answers = [(_, response) => problem(response, 404, 'not_found')];
    await assert.rejects(read(), (error) => error instanceof BackendError && error.problem.code === 'not_found');
    assert.equal(requests.length, 1);
  });

  it('ends at once when it is aborted, also while it waits', async () => {
    answers = [(_, response) => response.writeHead(503, { 'content-type': 'text/plain' }).end()];
    const stop = new AbortController();
    const events = backend.runEvents(bearer(address, 'token'), randomUUID(), 0, stop.signal);
    const next = events.next();
    stop.abort(new Error('enough'));
    await assert.rejects(next, /enough/);
  });

  it('reports an event that does not fit instead of passing it on', async () => {
    answers = [(_, response) => stream(response).write(event(1, 'text', { text: 7 }))];
    await assert.rejects(read(), (error) => error instanceof BackendError && error.kind === 'wrongServer');
  });

  const strangers: [string, Answer, BackendError['kind'], RegExp][] = [
    [
      'a web page',
      (_, r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      'wrongServer',
      /not JSON/,
    ],
    [
      'a 404 page',
      (_, r) => r.writeHead(404, { 'content-type': 'text/html' }).end('<html>'),
      'wrongServer',
      /404 with a web page/,
    ],
    [
      'other JSON',
      (_, r) => r.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
      'wrongServer',
      /does not fit at "account"/,
    ],
    [
      'a proxy before a dead server',
      (_, r) => r.writeHead(502, { 'content-type': 'text/html' }).end(),
      'offline',
      /answers 502/,
    ],
    ['a problem', (_, r) => problem(r, 402, 'insufficient_credits'), 'refused', /what to do/],
    ['a connection that is cut', (_, r) => r.destroy(), 'offline', /connection was cut/],
  ];
  for (const [title, answer, kind, words] of strangers) {
    it(`${title} is ${kind} and says so`, async () => {
      answers = [answer];
      await assert.rejects(backend.account(bearer(address, 'token')), (error) => {
        assert.ok(error instanceof BackendError);
        assert.equal(error.kind, kind);
        assert.match(error.problem.detail, words);
        return true;
      });
    });
  }

  it('sends a credential to no other server than its own, whatever the setting says by then', async () => {
    answers = [(_, response) => response.writeHead(204).end()];
    const who = bearer('http://perigee.example', 'token');
    for (const call of [() => backend.signOut(who), () => backend.stopRun(who, randomUUID())])
      await assert.rejects(call(), (error) => error instanceof BackendError && error.kind === 'refused');
    const events = backend.runEvents(who, randomUUID(), 0, new AbortController().signal);
    await assert.rejects(events.next(), /changed meanwhile/);
    assert.deepEqual(requests, []);
  });

  it('names the cause when nobody listens, or the name is unknown', async () => {
    const detail = async (url: string) => {
      const other = new Backend({ baseUrl: () => ({ url }), fetch, device: 'VS Code' });
      const error = await other.account(bearer(url, 'token')).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof BackendError);
      assert.equal(error.kind, 'offline');
      return error.problem.detail;
    };
    assert.match(await detail('http://127.0.0.1:1'), /refused|nothing listens|bad port/i);
    assert.match(await detail('http://perigee.invalid'), /the name is not known \(DNS\)/);
  });

  it('reads a conversation message by message: one that does not fit costs no other', async () => {
    const id = randomUUID();
    const createdAt = '2026-11-28T12:00:00.000Z';
    const message = { id: randomUUID(), role: 'assistant', kind: 'chat', text: 'Yes.', createdAt };
    const problem = { type: 'x', title: 'Busy', status: 503, detail: 'Later.', code: 'upstream_busy', requestId: 'r' };
    const beyond = '+058000-01-01T00:00:00.000Z';
    const messages: unknown[] = [
      message,
      { ...message, state: 'failed', problem: { ...problem, retryAt: beyond } },
      { ...message, state: 'failed', problem: { ...problem, code: 'of_tomorrow' } },
      { ...message, usage: { inputTokens: 1e300 }, reason: 'of_tomorrow', chargedMicro: 'much' },
      { ...message, createdAt: beyond },
      { ...message, id: 7, text: null },
      null,
      'x',
    ];
    const body = JSON.stringify({ id, title: 'T', kind: 'chat', updatedAt: createdAt, messages, before: null });
    answers = [(_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(body)];
    const read = (await backend.conversation(bearer(address, 'token'), id, {})).messages;
    assert.deepEqual(
      read.map(({ text, problem }) => [text, problem && `${problem.title}: ${problem.code}`]),
      [
        ['Yes.', undefined],
        ['Yes.', 'Busy: upstream_busy'],
        ['Yes.', 'Busy: internal'],
        ['Yes.', undefined],
        ['Yes.', 'This message cannot be read: internal'],
        ['', 'This message cannot be read: internal'],
        ['', 'This message cannot be read: internal'],
        ['', 'This message cannot be read: internal'],
      ],
    );
    assert.equal(read[1]!.problem?.retryAt, undefined);
    assert.deepEqual(Object.keys(read[3]!).sort(), ['createdAt', 'id', 'kind', 'role', 'text']);
  });

  it('reads an end whose words it does not know', async () => {
    const retryAt = '+058000-01-01T00:00:00.000Z';
    const odd = { status: 503, detail: 'Later.', code: 'of_tomorrow', retryAt, chargedMicro: 0 };
    answers = [(_, response) => stream(response).end(event(1, 'error', odd))];
    const [failed] = await read();
    const { code, detail, ...rest } = failed?.type === 'error' ? failed.data : assert.fail('no error');
    assert.deepEqual([code, detail, rest.retryAt], ['internal', 'Later.', undefined]);
    const end = { state: 'stopped', reason: 'of_tomorrow', chargedMicro: 0, balance };
    answers = [(_, response) => stream(response).end(event(1, 'done', end))];
    assert.equal((await read()).length, 1);
  });

  it('keeps the connection for changes: tells when it breaks and when it is back', async () => {
    const id = randomUUID();
    answers = [
      (_, response) => {
        const later = event(1, 'change', { topic: 'of-a-newer-server', id });
        stream(response).write(later + event(2, 'change', { topic: 'conversation', id }), () => response.destroy());
      },
      (_, response) => {
        stream(response).write(': heartbeat\n\n');
      },
    ];
    const stop = new AbortController();
    const seen: AccountSignal['type'][] = [];
    for await (const signal of backend.accountEvents(bearer(address, 'token'), stop.signal)) {
      seen.push(signal.type);
      if (seen.length === 4) break;
    }
    assert.deepEqual(seen, ['connected', 'change', 'disconnected', 'connected']);
  });

  it('ends the connection for changes when the token is refused', async () => {
    answers = [(_, response) => problem(response, 401, 'unauthorized')];
    const events = backend.accountEvents(bearer(address, 'token'), new AbortController().signal);
    await assert.rejects(
      events.next(),
      (error) => error instanceof BackendError && error.problem.code === 'unauthorized',
    );
  });
});

function problem(response: ServerResponse, status: number, code: string): void {
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ type: 'about:blank', title: 'No', status, detail: 'what to do', code, requestId: 'r' }));
}
