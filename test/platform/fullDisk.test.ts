import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { sql } from 'kysely';
import pg from 'pg';
import { pino } from 'pino';
import { isUnavailable } from '../../server/platform/db/database.ts';
import { endOf, textOf } from '../support/client.ts';
import { ENGINES } from '../support/engines.ts';
import { type Engine, freshDatabase, startServer, type TestServer } from '../support/server.ts';

/** Lets the database take no more, as a full disk does, until what it returns is called. */
const FILL: Record<Engine, (server: TestServer, url: string) => Promise<() => Promise<void>>> = {
  async sqlite({ db }) {
    const pragma = (text: string) => sql.raw(text).execute(db.foreign);
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db.foreign);
    await pragma(`pragma max_page_count = ${rows[0]!.page_count}`);
    // Pages that were freed would still be taken.
    for (const bytes of [1500, 300, 20])
      for (let n = 0; n < 40; n++)
        await sql`insert into gate (name) values (hex(randomblob(${bytes})))`.execute(db.foreign).catch(() => {});
    return async () => void (await pragma('pragma max_page_count = 1073741823'));
  },
  async postgres({ db }, url) {
    const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db.read);
    const name = rows[0]!.name;
    const set = async (value: 'on' | 'off') => {
      const admin = new pg.Client({ connectionString: url.replace(name, 'postgres') });
      await admin.connect();
      await admin.query(`alter database ${name} set default_transaction_read_only = ${value}`);
      await admin.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}'`);
      await admin.end();
    };
    await set('on');
    return () => set('off');
  },
};

for (const engine of ENGINES)
  describe(`a database that takes no more (${engine})`, () => {
    it('is told as unavailable with its cause in the log, charges nothing, loses nothing, and is ready again', async function () {
      this.timeout(60_000);
      const lines: string[] = [];
      const sink = new Writable({
        write(chunk, _encoding, done) {
          lines.push(String(chunk));
          done();
        },
      });
      const { url, remove } = await freshDatabase(engine);
      const server = await startServer(engine, { databaseUrl: url, log: pino({ level: 'warn' }, sink) });
      try {
        const guest = await server.guest();
        const ready = () => guest.request<{ status: string }>('GET', '/readyz');
        await guest.run(guest.chat('before'));
        assert.equal((await ready()).status, 200);
        const call = server.double.script({ pieces: ['An answer ', 'that goes on.'], gateAt: 1 });
        const running = guest.chat('and this?');
        await guest.start(running);
        await call.atGate;
        const before = await guest.available();
        const free = await FILL[engine](server, url);
        const text = 'long '.repeat(2_000);
        const refused = guest.chat(text);
        for (let n = 0; n < 3; n++) {
          const all = await Promise.all([guest.start(refused), guest.start(guest.chat(text))]);
          all.push((await ready()) as never);
          assert.deepEqual(
            all.map(({ status, body }) => [status, body.code]),
            Array(3).fill([503, 'unavailable']),
          );
        }
        call.open();
        assert.ok(
          lines.some((line) => /SQLITE_FULL|25006|read-only/.test(line) && /a request failed/.test(line)),
          'the cause',
        );
        await free();
        for (let n = 0; n < 200 && (await ready()).status !== 200; n++)
          await new Promise((resolve) => setImmediate(resolve));
        assert.equal((await ready()).status, 200);
        const events = await guest.events(running.id);
        assert.equal(textOf(events), 'An answer that goes on.');
        assert.equal(endOf(events).type, 'done');
        assert.equal(await guest.available(), before);
        await guest.run(refused);
        await server.audit();
      } finally {
        await server.stop();
        await remove();
      }
    });
  });

describe('an error of a database', () => {
  const TOLD: [code: string, unavailable: boolean][] = [
    ...['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED', 'SQLITE_CANTOPEN'],
    ...[
      'SQLITE_READONLY',
      'SQLITE_READONLY_DBMOVED',
      'SQLITE_NOMEM',
      'SQLITE_PROTOCOL',
      'SQLITE_CORRUPT',
      'SQLITE_NOTADB',
    ],
    ...[
      '53100',
      '53200',
      '53300',
      '57P01',
      '57P02',
      '57P03',
      '25006',
      '55P03',
      '08006',
      '58030',
      'XX001',
      '40001',
      '40P01',
    ],
    ...[
      'ENOSPC',
      'EROFS',
      'EDQUOT',
      'EIO',
      'EMFILE',
      'ECONNREFUSED',
      'ECONNRESET',
      'ETIMEDOUT',
      'EAI_AGAIN',
      'EHOSTUNREACH',
    ],
  ].map((code) => [code, true]);
  TOLD.push(
    ...['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_ERROR', '23505', '42601', '22021', 'ENOENT', ''].map(
      (code): [string, boolean] => [code, false],
    ),
  );
  for (const [code, unavailable] of TOLD)
    it(`${code || 'without a code'} ${unavailable ? 'is' : 'is not'} for lack of the database`, () =>
      assert.equal(isUnavailable(Object.assign(new Error('x'), { code })), unavailable));
});
