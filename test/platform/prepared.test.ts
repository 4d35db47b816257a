import assert from 'node:assert/strict';
import { parseConfig } from '../../server/platform/config/config.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { openDatabase } from '../../server/platform/db/open.ts';
import { prepared } from '../../server/platform/db/prepared.ts';
import { createLog } from '../../server/platform/log.ts';
import { ENGINES } from '../support/engines.ts';
import { freshDatabase, SECRET } from '../support/server.ts';

let built = 0;
const insert = prepared((db, p: { id: string; kind: 'guest' | 'member'; at: number }) => {
  built++;
  return db.insertInto('account').values({ id: p.id, kind: p.kind, created_at: p.at, last_active_at: p.at });
});
const add = prepared((db, p: { id: string; ms: number }) =>
  db
    .updateTable('account')
    .set((eb) => ({ last_active_at: eb('last_active_at', '+', p.ms) }))
    .where('id', '=', p.id)
    .returning('last_active_at'),
);
const touch = prepared((db, p: { kind: 'guest' | 'member' }) =>
  db.updateTable('account').set({ created_at: 0 }).where('kind', '=', p.kind),
);
const list = prepared((db, p: { after: number }) =>
  db.selectFrom('account').select('id').where('last_active_at', '>', p.after).orderBy('id'),
);

describe('a query that is written once', () => {
  const open: Database[] = [];
  const removals: (() => Promise<void>)[] = [];
  async function database(engine: (typeof ENGINES)[number]): Promise<Database> {
    const fresh = await freshDatabase(engine);
    removals.push(fresh.remove);
    const config = parseConfig({ DATABASE_URL: fresh.url, SECRET }, () => '{}');
    const db = await openDatabase(config.database, createLog('silent'));
    open.push(db);
    return db;
  }
  after(async () => {
    for (const db of open) await db.close();
    for (const remove of removals) await remove();
  });

  it('is built once for each database, and runs each time with its own parameters, on engines in turn', async function () {
    this.timeout(60_000);
    built = 0;
    const databases = [];
    for (const engine of ENGINES) databases.push(await database(engine));
    for (const at of [10, 20, 30])
      for (const db of databases) await db.write((tx) => insert.run(tx, { id: `a${at}`, kind: 'guest', at }));
    assert.equal(built, databases.length);
    for (const db of databases) {
      await db.write(async (tx) => {
        assert.deepEqual(await add.first(tx, { id: 'a20', ms: 5 }), { last_active_at: 25 });
        assert.equal(await add.first(tx, { id: 'nobody', ms: 5 }), undefined);
        assert.equal(await touch.run(tx, { kind: 'guest' }), 3n);
        assert.equal(await touch.run(tx, { kind: 'member' }), 0n);
      });
      assert.deepEqual(await list.all(db.read, { after: 10 }), [{ id: 'a20' }, { id: 'a30' }]);
      assert.deepEqual(await list.all(db.read, { after: 25 }), [{ id: 'a30' }]);
    }
  });

  it('is undone with the transaction that it was in', async () => {
    const db = await database('sqlite');
    const work = (id: string) =>
      db.write(async (tx) => {
        await insert.run(tx, { id, kind: 'guest', at: 1 });
        if (id === 'bad') throw new Error('after it');
      });
    await Promise.allSettled(['good', 'bad', 'other'].map(work));
    assert.deepEqual(await list.all(db.read, { after: 0 }), [{ id: 'good' }, { id: 'other' }]);
  });

  it('waits for its turn outside of a transaction, where others write by the same connection', async () => {
    const db = await database('sqlite');
    let foreign: Promise<bigint> | undefined;
    const failing = db.write(async (tx) => {
      await insert.run(tx, { id: 'bad', kind: 'guest', at: 1 });
      foreign = insert.run(db.foreign, { id: 'foreign', kind: 'guest', at: 1 });
      await list.all(tx, { after: 0 });
      throw new Error('after both');
    });
    await assert.rejects(failing, /after both/);
    await foreign;
    assert.deepEqual(await list.all(db.read, { after: 0 }), [{ id: 'foreign' }]);
  });
});

for (const engine of ENGINES)
  describe(`reading aside (${engine})`, () => {
    let db: Database;
    let remove: () => Promise<void>;
    before(async function () {
      this.timeout(60_000);
      const fresh = await freshDatabase(engine);
      remove = fresh.remove;
      db = await openDatabase(
        parseConfig({ DATABASE_URL: fresh.url, SECRET }, () => '{}').database,
        createLog('silent'),
      );
    });
    after(async () => {
      await db.close();
      await remove();
    });

    it('sees what is committed, in the same state for each query, while others write', async () => {
      const query = db.read.selectFrom('account').select('id').compile();
      await db.write(async (tx) => {
        await insert.run(tx, { id: 'a', kind: 'guest', at: 1 });
        assert.deepEqual(await db.readAside([query, query]), [[], []]);
      });
      assert.deepEqual(await db.readAside([query, query]), [[{ id: 'a' }], [{ id: 'a' }]]);
    });

    it('can not write, and tells what went wrong', async () => {
      const remove = db.read.deleteFrom('account').returning('id').compile();
      await assert.rejects(db.readAside([remove]), /read-?only/i);
      assert.equal((await list.all(db.read, { after: 0 })).length, 1);
    });
  });
