import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { sql } from 'kysely';
import { pino } from 'pino';
import { FAILURES } from '../doubles/upstream.ts';
import { type Client, endOf, textOf } from '../support/client.ts';
import { onBothEngines } from '../support/engines.ts';
import { upstreamOf } from '../support/pieces.ts';
import { startServer } from '../support/server.ts';

onBothEngines('a server', (server, engine) => {
  it('cuts an answer off that ignores its limit, and closes the connection to the model service', async () => {
    const guest = await server().guest();
    const call = server().double.script({ pieces: Array.from({ length: 100 }, () => 'x'.repeat(1000)), gateAt: 50 });
    const request = guest.chat('never stop');
    const events = await guest.run(request);
    assert.ok(textOf(events).length > 2000 * 16 && textOf(events).length <= 50_000);
    assert.equal(endOf(events).type, 'done');
    assert.equal((await call.ended).state, 'aborted');
  });

  it('lets an account wait after many answers that came to nothing, and says until when', async () => {
    const guest = await server().guest();
    server().double.usually(FAILURES.diesInMiddle);
    for (let n = 0; n < 12; n++) {
      await guest.run(guest.chat(`fail ${n}`));
      // Slowly enough for the limit on requests.
      server().clock.advance(7_000);
    }
    const before = server().double.bill.length;
    const refused = await guest.start(guest.chat('fail again'));
    assert.deepEqual([refused.status, refused.body.code], [429, 'rate_limited']);
    assert.deepEqual([refused.body.limit?.name, refused.body.limit?.limit], ['uncharged', 12]);
    assert.ok(Number(refused.headers.get('retry-after')) > 500);
    assert.equal(server().double.bill.length, before);
    server().clock.advance(10 * 60_000);
    server().double.usually({ text: 'better' });
    assert.equal(textOf(await guest.run(guest.chat('now?'))), 'better');
  });

  it('refuses what it would have to drop: words sent with a request to continue', async () => {
    const guest = await server().guest();
    const request = guest.chat('start');
    await guest.run(request);
    const { conversationId } = request;
    const wrong = [
      guest.chat('and more', { conversationId, continues: request.id }),
      guest.chat('', { conversationId, continues: request.id, replaces: randomUUID() }),
      { ...guest.edit('x', 'y'), conversationId, continues: request.id },
    ];
    for (const one of wrong) {
      const refused = await guest.start(one);
      assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_request']);
    }
  });

  it('refuses a body that is not said to be JSON', async () => {
    const guest = await server().guest();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', '', 'application/jsonp'])
      for (const [method, path] of [
        ['POST', '/api/runs'],
        ['PATCH', `/api/conversations/${randomUUID()}`],
      ] as const) {
        const refused = await guest.request(method, path, '{}', { 'content-type': type });
        assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_request'], `${type} ${path}`);
      }
  });

  it('leaves nothing of an answer to be read once its conversation is deleted', async () => {
    const guest = await server().guest();
    const request = guest.chat('forget this');
    await guest.run(request);
    await guest.request('DELETE', `/api/conversations/${request.conversationId}`);
    assert.equal(textOf(await guest.events(request.id)), '');
  });

  it('answers HEAD on a stream', async () => {
    const guest = await server().guest();
    const head = await guest.request('HEAD', '/api/account/events');
    assert.equal(head.status, 200);
  });

  const onPostgres = engine === 'postgres' ? it : () => {};
  onPostgres('stays up when its connections are cut, and when somebody else speaks on its channel', async () => {
    const { db } = server();
    await sql`select pg_notify('perigee', 'not for you')`.execute(db.read);
    const guest = await server().guest();
    const cutting = sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(db.read);
    const requests = Array.from({ length: 5 }, (_, n) => guest.chat(`during ${n}`));
    const statuses = await Promise.all(requests.map((r) => guest.start(r).then((a) => a.status)));
    await cutting;
    for (const [n, request] of requests.entries()) {
      if (statuses[n] !== 202) await retried(guest, request);
      endOf(await guest.events(request.id));
    }
  });
});

/** Sends a request again until it is admitted: what the client does after a 503. */
async function retried(guest: Client, request: ReturnType<Client['chat']>): Promise<void> {
  for (;;) {
    const answer = await guest.start(request);
    if (answer.status === 202) return;
    assert.equal(answer.body.code, 'unavailable');
  }
}

onBothEngines(
  'a server with CORS_ORIGINS',
  (server) => {
    it('streams to everybody, and names the origins that it allows', async () => {
      const guest = await server().guest();
      const request = guest.chat('hi');
      const started = await guest.request('POST', '/api/runs', request, { origin: 'https://app.example' });
      assert.equal(started.headers.get('access-control-allow-origin'), 'https://app.example');
      assert.equal(textOf(await guest.events(request.id)), 'Hello. This is an answer of the double.');
      const stream = await guest.request<string>('GET', `/api/runs/${request.id}/events`, undefined, {
        origin: 'https://app.example',
      });
      assert.match(stream.body, /event: done/);
      assert.equal(stream.headers.get('access-control-allow-origin'), 'https://app.example');
      const stranger = await guest.request('GET', '/api/account', undefined, { origin: 'https://evil.example' });
      assert.equal(stranger.headers.get('access-control-allow-origin'), null);
    });
  },
  { env: { CORS_ORIGINS: 'https://app.example' } },
);

describe('a shutdown', () => {
  it('admits nothing that was still waiting for the list of models, and leaves no hold behind', async () => {
    let asked = () => {};
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let tell: (ids: string[]) => void = () => {};
    const server = await startServer('sqlite', {
      upstream: {
        stream: () => assert.fail('nothing is sent upstream'),
        call: () => assert.fail('nothing is sent upstream'),
        models: () => {
          asked();
          return new Promise((resolve) => {
            tell = resolve;
          });
        },
      },
    });
    const guest = await server.guest();
    const starting = guest.start(guest.chat('too late')).catch(() => null);
    await arrived;
    const stopping = server.stop();
    tell(['double']);
    const answer = await starting;
    if (answer) assert.deepEqual([answer.status, answer.body.code], [503, 'shutting_down']);
    await stopping;
  });
});

describe('the log', () => {
  it('repeats neither what a user wrote nor what a model answered, whatever the model service says', async () => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const log = pino({ level: 'debug' }, sink);
    const server = await startServer('sqlite', { log });
    const guest = await server.guest();
    const echo = { error: { message: 'bad input: PRIVATE', type: 'invalid', code: 'bad' }, detail: 'PRIVATE' };
    server.double.script({ status: 422, body: echo });
    server.double.script({ pieces: ['PRIVATE '], end: 'malformed' });
    server.double.script({ pieces: ['PRIVATE '], end: 'error', error: echo });
    for (let n = 0; n < 3; n++) endOf(await guest.run(guest.chat('PRIVATE')));
    assert.ok(lines.some((line) => /an answer failed/.test(line)));
    assert.deepEqual(
      lines.filter((line) => /PRIVATE/.test(line)),
      [],
    );
    await server.stop();
  });
});

describe('a list of models', () => {
  it('stays in force while a newer one can’t be had, and nobody waits for that', async () => {
    const answers = [Promise.resolve(['double']), new Promise<string[]>(() => {})];
    let asked = 0;
    const server = await startServer('sqlite', {
      upstream: {
        ...upstreamOf(async function* () {
          yield { type: 'text', text: 'still here' };
          yield { type: 'finish', why: 'stop' };
        }),
        models: () => answers[asked++]!,
      },
    });
    const guest = await server.guest();
    endOf(await guest.run(guest.chat('first')));
    server.clock.advance(6 * 60_000);
    assert.equal(textOf(await guest.run(guest.chat('second'))), 'still here');
    assert.equal(asked, 2);
    await server.stop();
  });
});
