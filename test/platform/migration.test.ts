import assert from 'node:assert/strict';
import Sqlite from 'better-sqlite3';
import { Kysely, Migrator, PostgresDialect, SqliteDialect, sql } from 'kysely';
import pg from 'pg';
import { readExtras } from '../../server/conversations/attachments.ts';
import { readConversation } from '../../server/conversations/reading.ts';
import { findByText, indexDue } from '../../server/conversations/search.ts';
import { appendMessages } from '../../server/conversations/store.ts';
import { announcePrices } from '../../server/credits/prices/announcements.ts';
import { createLog } from '../../server/platform/log.ts';
import { migrations } from '../../server/platform/migrations/index.ts';
import { hashSecret } from '../../server/platform/secrets.ts';
import { runAdmin } from '../support/admin.ts';
import { Client } from '../support/client.ts';
import { ENGINES } from '../support/engines.ts';
import { emptyDatabase, openBooks, startServer } from '../support/server.ts';

/** A database as it was after that migration. */
async function oldDatabase(engine: (typeof ENGINES)[number], url: string, after: string): Promise<Kysely<unknown>> {
  const dialect =
    engine === 'sqlite'
      ? new SqliteDialect({ database: new Sqlite(url.slice('sqlite:'.length)) })
      : new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) });
  const old = new Kysely<unknown>({ dialect });
  const migrated = await new Migrator({ db: old, provider: migrations(engine) }).migrateTo(after);
  assert.equal(migrated.error, undefined);
  return old;
}

for (const engine of ENGINES) {
  describe(`a database from before there were accounts (${engine})`, () => {
    it('keeps its guests, their tokens, their credits and their token logs', async function () {
      this.timeout(60_000);
      const { url, remove } = await emptyDatabase(engine);
      const token = 'a'.repeat(43);
      const at = Date.now();
      const old = await oldDatabase(engine, url, '003-cut-short');
      const id = '0f0e0d0c-0b0a-4908-8706-050403020100';
      for (const statement of [
        sql`insert into account values (${id}, 'guest', ${at}, ${at})`,
        sql`insert into token values (${id}, ${id}, ${hashSecret(token)}, ${at}, ${at}, null)`,
        sql`insert into token values ('ended', ${id}, ${hashSecret('b'.repeat(43))}, ${at}, ${at}, ${at})`,
        sql`insert into wallet values (${id}, 'ledger', 7)`,
        sql`insert into balance values ('ledger', 'promotional', 7, 0), ('ledger', 'purchased', 0, 0)`,
        sql`insert into transfer values ('t', 'house:grants', 'promotional:ledger', 7, 'grant', 'r', null, ${at})`,
        sql`insert into log_entry (id, ledger_id, kind, amount, reason, at) values ('l', 'ledger', 'grant', 7, 'was', ${at})`,
      ])
        await statement.execute(old);
      await old.destroy();
      const server = await startServer(engine, { databaseUrl: url });
      try {
        const guest = new Client(server.url, token, id);
        assert.equal(await guest.available(), 7);
        assert.deepEqual(
          (await guest.log()).body.entries.map(({ reason }) => reason),
          ['was'],
        );
        assert.equal((await new Client(server.url, 'b'.repeat(43), id).account()).status, 401);
        await server.audit();
      } finally {
        await server.stop();
        await remove();
      }
    });
  });

  describe(`a database from before there were promotions and notices of the operator (${engine})`, () => {
    it('takes both, and knows whom its welcome bonus was given to', async function () {
      this.timeout(60_000);
      const { url, remove } = await emptyDatabase(engine);
      const old = await oldDatabase(engine, url, '018-customers');
      await sql`insert into bonus_claim (key, at) values ('known', 1)`.execute(old);
      await old.destroy();
      const server = await startServer(engine, { databaseUrl: url });
      try {
        const { code } = await runAdmin(server, 'notice', 'Moved.', '--until', '1h');
        const options = ['--credits', '1', '--budget', '1', '--until', '1h', '--why', 'x'];
        assert.deepEqual([code, (await runAdmin(server, 'promotion', 'FIRST', ...options)).code], [0, 0]);
        const { notices } = (await (await server.guest()).account()).body;
        assert.deepEqual(
          notices.map(({ text }) => text),
          ['Moved.'],
        );
        const claims = await server.db.read.selectFrom('bonus_claim').select('key').execute();
        assert.deepEqual(claims, [{ key: 'known' }]);
        // The budget is kept by the table itself.
        await assert.rejects(
          server.db.write((tx) => tx.updateTable('promotion').set({ given: 1_000_001 }).execute()),
          /check|CHECK/,
        );
      } finally {
        await server.stop();
        await remove();
      }
    });
  });

  describe(`a database from before there were API keys (${engine})`, () => {
    it('keeps its holds and its token log, which no key made, and takes keys', async function () {
      this.timeout(60_000);
      const { url, remove } = await emptyDatabase(engine);
      const old = await oldDatabase(engine, url, '019-incidents');
      const [id, token, at] = ['0f0e0d0c-0b0a-4908-8706-050403020100', 'a'.repeat(43), Date.now()];
      for (const statement of [
        sql`insert into account (id, kind, created_at, last_active_at) values (${id}, 'guest', ${at}, ${at})`,
        sql`insert into session (id, account_id, kind, name, tool, created_at, last_used_at)
          values (${id}, ${id}, 'guest', 'n', '', ${at}, ${at})`,
        sql`insert into token (token_hash, session_id, created_at) values (${hashSecret(token)}, ${id}, ${at})`,
        sql`insert into wallet (ledger_id, account_id, of_micro) values ('ledger', ${id}, 7)`,
        sql`insert into balance (ledger_id, kind, posted, pending)
          values ('ledger', 'promotional', 5, 0), ('ledger', 'purchased', 0, 0)`,
        sql`insert into transfer values ('t', 'house:grants', 'promotional:ledger', 7, 'grant', 'r', null, ${at})`,
        sql`insert into transfer values ('h:promotional', 'promotional:ledger', 'house:revenue', 2, 'charge', 'run', 'h', ${at})`,
        sql`insert into hold (id, ledger_id, run_id, state, amount, plan, promotional, purchased, posted_amount, created_at,
          resolved_at) values ('h', 'ledger', 'run', 'posted', 3, 0, 3, 0, 2, ${at}, ${at})`,
        sql`insert into log_entry (id, ledger_id, kind, amount, balance, absorbed, reason, run_id, input_tokens,
          cached_input_tokens, output_tokens, estimated, at)
          values ('run:run', 'ledger', 'charge', -2, 5, 0, 'was', 'run', 1, 0, 1, 1, ${at})`,
      ])
        await statement.execute(old);
      await old.destroy();
      const server = await startServer(engine, { databaseUrl: url });
      try {
        const guest = new Client(server.url, token, id);
        assert.equal(await guest.available(), 5);
        assert.deepEqual(
          (await guest.log()).body.entries.map(({ reason }) => reason),
          ['was'],
        );
        const { read } = server.db;
        const [hold] = await read.selectFrom('hold').select(['key_id', 'key_name']).execute();
        assert.deepEqual(hold, { key_id: null, key_name: null });
        const { lines } = await runAdmin(server, 'create', 'ada@example.org');
        assert.match(lines[0]!, /^Made /);
        const made = await runAdmin(server, 'key', 'ada@example.org', '--name', 'first');
        const secret = /pgk_\w+/.exec(made.lines.join())![0];
        const answer = await fetch(`${server.url}/v1/models`, { headers: { 'x-api-key': secret } });
        assert.equal(answer.status, 200);
        await server.audit();
      } finally {
        await server.stop();
        await remove();
      }
    });
  });

  describe(`a database from before announced prices were kept (${engine})`, () => {
    // Guard: toldAt, where nothing is kept of what is to come.
    it('tells of a price as long as it has announced it', async function () {
      this.timeout(60_000);
      const { url, remove } = await emptyDatabase(engine);
      const price = (micro: number) => ({ mode: 'flat' as const, runMicro: micro });
      const old = await oldDatabase(engine, url, '013-debts');
      await sql`insert into account (id, kind, created_at, last_active_at) values ('a', 'guest', 1, 1)`.execute(old);
      await sql`insert into price_in_force (model, price) values ('m', ${JSON.stringify(price(1))})`.execute(old);
      await sql`insert into price_announcement (model, price_hash, announced_at, counts_from)
        values ('m', ${hashSecret(JSON.stringify(price(2)))}, 5, 35)`.execute(old);
      await old.destroy();
      const db = await openBooks(url);
      try {
        const model = { id: 'm', contextTokens: 1, maxOutputTokens: 1, price: price(1) };
        const priceChanges = [{ from: new Date(35).toISOString(), price: price(2) }];
        for (const now of [10, 20]) {
          const [announced] = await announcePrices(
            { db, log: createLog('silent'), noticeDays: 0 },
            [{ ...model, priceChanges }],
            now,
          );
          assert.deepEqual(announced!.priceChanges, [{ ...priceChanges[0], announcedAt: 5 }]);
        }
      } finally {
        await db.close();
        await remove();
      }
    });
  });

  describe(`a database from before attached texts had rows of their own (${engine})`, () => {
    it('keeps what messages carry, and finds what they say', async function () {
      this.timeout(60_000);
      const { url, remove } = await emptyDatabase(engine);
      const old = await oldDatabase(engine, url, '014-coming-prices');
      const file = { path: 'a.ts', languageId: 'typescript', text: 'let ä = "😀";' };
      const range = { start: 3, end: 4 };
      const EXTRAS = [
        {
          attachments: [
            { kind: 'file', ...file },
            { kind: 'diff', text: '' },
            { kind: 'selection', ...file, range },
          ],
        },
        { edit: { instruction: 'x', files: [file, { ...file, path: 'b.ts' }], paths: ['c.ts'] } },
        {
          edit: {
            instruction: 'y',
            ...file,
            text: undefined,
            selection: { ...range, text: 'one' },
            before: 'b',
            after: '',
          },
        },
        { edit: { repairs: 'r', refused: [{ path: 'a', lookedFor: 'b', why: 'c' }] } },
      ].map((one) => JSON.parse(JSON.stringify(one)));
      await sql`insert into account (id, kind, created_at, last_active_at) values ('a', 'guest', 1, 1)`.execute(old);
      await sql`insert into conversation values ('c', 'a', 'Old', 'chat', 1, 1)`.execute(old);
      for (const [n, extras] of [...EXTRAS, null].entries())
        await sql`insert into message (id, conversation_id, seq, role, kind, text, attachments, created_at)
          values (${`m${n}`}, 'c', ${n}, 'user', 'chat', ${`The text ${n}`}, ${extras && JSON.stringify(extras)}, 1)`.execute(
          old,
        );
      await old.destroy();
      const db = await openBooks(url);
      try {
        const extras = await readExtras(db.read, ['m0', 'm1', 'm2', 'm3', 'm4']);
        assert.deepEqual(
          ['m0', 'm1', 'm2', 'm3', 'm4'].map((id) => extras.get(id)),
          [...EXTRAS, undefined],
        );
        const conversation = await readConversation(db.read, 'a', 'c', { limit: 10 });
        assert.deepEqual(
          conversation?.messages.map(({ attachments }) => attachments?.map(({ characters }) => characters)),
          [[13, 0, 13], [13, 13], [3], undefined, undefined],
        );
        const look = () => findByText(db, 'a', 'TEXT 3', { limit: 5 });
        assert.equal((await look()).length, 1);
        await indexDue(db, new AbortController().signal);
        assert.equal((await look()).length, 1);
      } finally {
        await db.close();
        await remove();
      }
    });
  });

  describe(`a database from before thoughts were kept (${engine})`, () => {
    it('keeps its answers, which have none, and takes new ones with theirs', async function () {
      this.timeout(60_000);
      const { url, remove } = await emptyDatabase(engine);
      const old = await oldDatabase(engine, url, '021-calls');
      for (const statement of [
        sql`insert into account (id, kind, created_at, last_active_at) values ('a', 'guest', 1, 1)`,
        sql`insert into conversation values ('c', 'a', 'Old', 'chat', 1, 1)`,
        sql`insert into message (id, conversation_id, seq, role, kind, text, state, created_at)
          values ('m', 'c', 1, 'assistant', 'chat', 'Old answer', 'complete', 1)`,
      ])
        await statement.execute(old);
      await old.destroy();
      const db = await openBooks(url);
      try {
        await db.write((tx) =>
          appendMessages(
            tx,
            'c',
            [
              {
                row: { id: 'n', role: 'assistant', kind: 'chat', text: 'New answer', thinking: 'Hm.', thinking_ms: 7 },
              },
            ],
            2,
          ),
        );
        const conversation = await readConversation(db.read, 'a', 'c', { limit: 10 });
        assert.deepEqual(
          conversation?.messages.map(({ text, thinking }) => [text, thinking]),
          [
            ['Old answer', undefined],
            ['New answer', { text: 'Hm.', ms: 7 }],
          ],
        );
      } finally {
        await db.close();
        await remove();
      }
    });
  });
}
