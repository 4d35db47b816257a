import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { audit } from '../../../server/credits/audit/audit.ts';
import { parseConfig } from '../../../server/platform/config/config.ts';
import { openDatabase } from '../../../server/platform/db/open.ts';
import { createLog } from '../../../server/platform/log.ts';
import { MICRO_PER_CREDIT } from '../../../shared/account.ts';
import type { RequestRecord } from '../../../shared/requests.ts';
import { UpstreamDouble } from '../../doubles/upstream.ts';
import { breakTable } from '../../support/broken.ts';
import { Client, endOf, textOf } from '../../support/client.ts';
import { ENGINES } from '../../support/engines.ts';
import { checkBill, freshDatabase, SECRET, ServerProcess, startServer } from '../../support/server.ts';

const LEASE_MS = '1000';

/** Opens the books of a stopped server and proves them, also against the model service's own bill. */
async function auditDatabase(databaseUrl: string, double: UpstreamDouble): Promise<void> {
  const { database } = parseConfig({ DATABASE_URL: databaseUrl, SECRET }, () => '{}');
  const db = await openDatabase(database, createLog('silent'));
  try {
    assert.deepEqual(await audit(db.read, Date.now(), 0), []);
    await checkBill(db, double);
  } finally {
    await db.close();
  }
}

for (const engine of ENGINES)
  describe(`a server that dies (${engine})`, function () {
    this.timeout(60_000);
    let double: UpstreamDouble;
    let database: Awaited<ReturnType<typeof freshDatabase>>;
    let server: ServerProcess;
    const start = () => ServerProcess.start(database.url, double.url, { LEASE_MS, LOG_LEVEL: 'info' });

    beforeEach(async () => {
      double = await new UpstreamDouble().start();
      database = await freshDatabase(engine);
      server = await start();
    });
    afterEach(async () => {
      await server.kill();
      try {
        await auditDatabase(database.url, double);
      } finally {
        await double.stop();
        await database.remove();
      }
    });

    it('by kill -9 in the middle of an answer: the text so far is there, interrupted, not charged, and can go on', async () => {
      const guest = await Client.guest(server.url);
      const pieces = ['Once ', 'upon ', 'a ', 'time'];
      const gate = double.script({ when: 'A story', thoughts: ['How do they ', 'begin?'], pieces, gateAt: 2 });
      const request = guest.chat('A story');
      const started = await guest.start(request);
      await gate.atGate;
      await guest.events(request.id, 0, (e) => e.type === 'text' && e.data.text.includes('upon'));
      await stored(database.url, request.id);
      await server.kill();
      server = await start();
      const again = new Client(server.url, guest.token, guest.accountId);
      const events = await again.events(request.id);
      const end = endOf(events);
      assert.equal(textOf(events), 'Once upon ');
      assert.deepEqual(end.type === 'done' && [end.data.state, end.data.chargedMicro, end.data.reason], [
        'interrupted',
        0,
        'interrupted',
      ]);
      const { messages } = (await again.conversation(request.conversationId)).body;
      assert.deepEqual(
        [messages[1]!.text, messages[1]!.thinking?.text, messages[1]!.state, messages[1]!.chargedMicro],
        ['Once upon ', 'How do they begin?', 'interrupted', 0],
      );
      assert.equal(await again.available(), 10 * MICRO_PER_CREDIT);
      // Guard: run.request_id, and recovery's own record of it.
      for (const known of [request.id, started.headers.get('x-request-id')]) {
        const { status, body } = await again.request<RequestRecord>('GET', `/api/requests/${known}`);
        assert.deepEqual([status, body.id], [200, started.headers.get('x-request-id')]);
        assert.deepEqual([body.outcome, body.code, body.chargedMicro], ['interrupted', 'node_lost', 0]);
      }
      // A reader that had seen more than was stored is told the end as well.
      assert.equal(endOf(await again.events(request.id, 500)).type, 'done');
      const { conversationId } = request;
      double.script({ text: 'a time.' });
      await again.run(again.chat('', { conversationId, continues: request.id }));
      assert.equal(await again.available(), 9 * MICRO_PER_CREDIT);
    });

    it('in the middle of a call for another extension: its record names the extension, and no API key', async () => {
      const guest = await Client.guest(server.url);
      const gate = double.script({ when: 'A story', pieces: ['Once ', 'upon ', 'a '], gateAt: 2 });
      const body = { model: 'double', max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'A story' }] };
      const headers = { 'perigee-for': 'acme.helper', 'perigee-daily-cap': String(100 * MICRO_PER_CREDIT) };
      const asked = guest.request('POST', '/v1/chat/completions', body, headers).catch(() => {});
      await gate.atGate;
      await server.kill();
      await asked;
      server = await start();
      const again = new Client(server.url, guest.token, guest.accountId);
      let records: RequestRecord[] = [];
      // Records are stored a moment after what they are of.
      while (records.length === 0)
        ({ requests: records } = (await again.request<{ requests: RequestRecord[] }>('GET', '/api/requests')).body);
      assert.deepEqual(
        records.map(({ tool, key, code }) => [tool, key, code]),
        [['VS Code: acme.helper', undefined, 'node_lost']],
      );
    });

    // Guard: recoverRuns at the start of a server, which ends the run together with its hold (endAbandonedRun).
    it('5: by kill -9 between hold and settle, then a restart: the hold is given back, and the cost is on the house', async () => {
      const guest = await Client.guest(server.url);
      const gate = double.script({ pieces: ['x '], gateAt: 0 });
      const request = guest.chat('hold');
      await guest.start(request);
      await gate.atGate;
      assert.equal(await guest.available(), 9 * MICRO_PER_CREDIT);
      await server.kill();
      server = await start();
      const again = new Client(server.url, guest.token, guest.accountId);
      endOf(await again.events(request.id));
      assert.equal(await again.available(), 10 * MICRO_PER_CREDIT);
      const retried = await again.start(request);
      assert.deepEqual(
        [retried.status, retried.body.run.state],
        [202, 'interrupted'],
        'it is never silently run again',
      );
    });

    it('by SIGTERM: new runs are refused, the running answer may end, and the process exits with 0', async () => {
      const guest = await Client.guest(server.url);
      const gate = double.script({ pieces: ['slow ', 'answer'], gateAt: 1 });
      const request = guest.chat('finish');
      await guest.start(request);
      await gate.atGate;
      const reading = guest.events(request.id);
      const exit = server.terminate();
      for (;;) {
        const refused = await guest.start(guest.chat('too late'));
        if (refused.status === 503) {
          assert.equal(refused.body.code, 'shutting_down');
          break;
        }
        // The signal had not arrived yet: that answer is let through and read to its end.
        await guest.events(refused.body.run.id);
      }
      gate.open();
      const end = endOf(await reading);
      assert.equal(end.type === 'done' && end.data.state, 'complete');
      assert.equal(await exit, 0);
      server = await start();
    });
  });

/** Resolves when text of the run is in the database, seen from outside. */
async function stored(databaseUrl: string, runId: string): Promise<void> {
  if (databaseUrl.startsWith('sqlite:')) {
    const { default: Sqlite } = await import('better-sqlite3');
    const db = new Sqlite(databaseUrl.slice('sqlite:'.length), { readonly: true });
    const count = db.prepare("select count(*) as seq from run_event where run_id = ? and payload like '%upon%'");
    while ((count.get(runId) as { seq: number }).seq < 1) await turn();
    db.close();
    return;
  }
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  for (;;) {
    const { rows } = await client.query(
      "select count(*)::int as seq from run_event where run_id = $1 and payload like '%upon%'",
      [runId],
    );
    if (rows[0].seq >= 1) break;
    await turn();
  }
  await client.end();
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('two nodes on one PostgreSQL', function () {
  this.timeout(60_000);

  it('tail, stop and see each other’s runs and charges at once', async () => {
    const database = await freshDatabase('postgres');
    const one = await startServer('postgres', { databaseUrl: database.url });
    const two = await startServer('postgres', { databaseUrl: database.url, double: one.double });
    try {
      const here = await one.guest();
      const there = new Client(two.url, here.token, here.accountId);
      const gate = one.double.script({ when: 'count', pieces: ['one ', 'two ', 'three '], gateAt: 2 });
      const changes = await there.changes();
      const request = here.chat('count');
      await here.start(request);
      await gate.atGate;
      await changes.next((topic) => topic === 'balance');
      const reading = there.events(request.id);
      await there.events(request.id, 0, (e) => e.type === 'text' && e.data.text.includes('two'));
      const busy = await there.start(there.chat('me too', { conversationId: request.conversationId }));
      assert.deepEqual([busy.status, busy.body.runId], [409, request.id]);
      await there.stop(request.id);
      const events = await reading;
      assert.equal(textOf(events), 'one two ');
      assert.deepEqual(events, await here.events(request.id));
      changes.close();
      const many = Array.from({ length: 30 }, (_, n) => (n % 2 ? here : there).chat(`parallel ${n}`));
      const answers = await Promise.all(many.map((r, n) => (n % 2 ? here : there).start(r)));
      const admitted = many.filter((_, i) => answers[i]!.status === 202);
      assert.equal(admitted.length, 9, 'nine messages were left, on whichever node');
      for (const r of admitted) endOf(await there.events(r.id));
      await one.audit();
    } finally {
      await two.stop();
      await one.stop();
    }
  });

  it('end the runs of a node that fell silent, which then finds that they are no longer its own', async () => {
    const database = await freshDatabase('postgres');
    const one = await startServer('postgres', { databaseUrl: database.url, env: { LEASE_MS: '60000' } });
    const two = await startServer('postgres', {
      databaseUrl: database.url,
      double: one.double,
      env: { LEASE_MS: '500' },
    });
    try {
      const guest = await one.guest();
      const gate = one.double.script({ pieces: ['a ', 'b '], gateAt: 1 });
      const request = guest.chat('silence');
      await guest.start(request);
      await gate.atGate;
      // The second node's clock is past the first one's lease: to it, the first has fallen silent.
      two.clock.advance(120_000);
      const there = new Client(two.url, guest.token, guest.accountId);
      const end = endOf(await there.events(request.id));
      assert.deepEqual(end.type === 'done' && [end.data.state, end.data.chargedMicro], ['interrupted', 0]);
      gate.open();
      await gate.ended;
      assert.equal(await guest.available(), 10 * MICRO_PER_CREDIT, 'the late end of the silent node charges nothing');
      await one.audit().catch((error) => {
        // The double reported usage to a node that had lost its run: the house carries it as an estimate.
        if (!/own bill/.test(String(error))) throw error;
      });
    } finally {
      await two.stop();
      await one.stop();
    }
  });
});

describe('an embedded database', () => {
  it('is refused to a second process while the first one lives, and free after it', async () => {
    const database = await freshDatabase('sqlite');
    const first = await startServer('sqlite', { databaseUrl: database.url });
    await assert.rejects(startServer('sqlite', { databaseUrl: database.url }), /another Perigee server uses/);
    await first.stop();
    const second = await startServer('sqlite', { databaseUrl: database.url });
    await second.stop();
    await database.remove();
  });
});

for (const engine of ENGINES)
  describe(`a store that is down (${engine})`, function () {
    this.timeout(60_000);
    let double: UpstreamDouble;
    let database: Awaited<ReturnType<typeof freshDatabase>>;
    const servers: Server[] = [];
    async function start() {
      const server = await startServer(engine, { databaseUrl: database.url, double });
      servers.push(server.app.server);
      return server;
    }
    before(async () => {
      double = await new UpstreamDouble().start();
      database = await freshDatabase(engine);
    });
    after(async () => {
      for (const server of servers.filter((one) => one.listening)) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
      await double.stop();
      await database.remove();
    });

    // Guards: admitRun throws what the database throws, and runTurn is reached by its answer alone (routes.ts); before
    // it, authenticate knows nobody without the database.
    it('8: fails closed: nothing is started, the model service is not reached, and nothing of it is left later', async () => {
      const server = await start();
      const guest = await server.guest();
      const request = guest.chat('anyone there?');
      const isRefused = async () => {
        const { status } = await guest.start(request);
        assert.ok(status >= 500, `status ${status}`);
        assert.equal(double.bill.length, 0);
      };
      // One that still answers and takes no hold, and one that is gone.
      const mend = await breakTable(server.db, 'hold', 'insert');
      await isRefused();
      await mend();
      await server.db.close();
      await isRefused();
      const later = await start();
      const again = new Client(later.url, guest.token, guest.accountId);
      assert.equal(await again.available(), 10 * MICRO_PER_CREDIT);
      endOf(await again.run(request));
      assert.equal(double.bill.length, 1);
      await later.audit();
      await later.stop();
    });
  });
