import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Database } from '../../server/platform/db/database.ts';
import { RiskKeys } from '../../server/risk/keys.ts';
import { whatIsSeen } from '../../server/risk/seen.ts';
import { encode } from '../../server/risk/signals/codec.ts';
import type { Observation } from '../../server/risk/signals/observation.ts';
import { emptySketch, fold } from '../../server/risk/signals/sketch.ts';
import { type Flush, findSketch, SketchStore, shred } from '../../server/risk/store.ts';
import { ENGINES } from '../support/engines.ts';
import { freshDatabase, openBooks, SECRET } from '../support/server.ts';
import { DAY, HOUR, MINUTE, observation, SECOND, START } from './observations.ts';

for (const engine of ENGINES)
  describe(`the sketches in the database (${engine})`, () => {
    let url: string;
    let remove: () => Promise<void>;
    let db: Database;
    /** Of another node. An embedded database has one. */
    let other: Database;
    let period: number;
    before(async function () {
      this.timeout(60_000);
      ({ url, remove } = await freshDatabase(engine));
      db = await openBooks(url);
      other = engine === 'postgres' ? await openBooks(url) : db;
      const keys = new RiskKeys(db, SECRET);
      await keys.refresh(START);
      period = keys.of('', START)[0]!.period;
    });
    after(async () => {
      await db?.close();
      if (engine === 'postgres') await other?.close();
      await remove?.();
    });

    async function account(changes: { kind?: 'guest' | 'member'; gone_at?: number } = {}): Promise<string> {
      const id = randomUUID();
      const row = { id, kind: 'member' as const, created_at: START, last_active_at: START, ...changes };
      await db.write((tx) => tx.insertInto('account').values(row).execute());
      return id;
    }
    let numbers = 0;
    const flush = (accountId: string, observations: Observation[], more: Partial<Flush> = {}): Flush => ({
      ...{ accountId, period, observations, node: 'one', number: numbers++ },
      ...more,
    });
    const some = (n: number, at = START) => Array.from({ length: n }, (_, i) => observation({ at: at + i * SECOND }));
    const requests = async (id: string) => (await findSketch(db.read, id, START))?.counters.requests ?? 0;
    const rows = (id: string) => db.read.selectFrom('risk_sketch').selectAll().where('account_id', '=', id).execute();

    it('are what folding all observations in their order makes', async () => {
      const id = await account();
      const store = new SketchStore(db);
      const all = Array.from({ length: 60 }, (_, i) =>
        observation({ at: START + i * MINUTE, turn: { root: 1 + (i % 5), paths: [i % 7, 100 + (i % 3)] } }),
      );
      for (let from = 0; from < 60; from += 7) await store.add([flush(id, all.slice(from, from + 7))], START);
      const sketch = emptySketch();
      for (const one of all) fold(sketch, one);
      const [row] = await rows(id);
      assert.deepEqual(Buffer.from(row!.state), encode(sketch));
      // A node that has nothing in memory reads the same.
      await new SketchStore(other).add([flush(id, some(1, START + 60 * MINUTE))], START);
      fold(sketch, observation({ at: START + 60 * MINUTE }));
      // Rows have floats of 32 bits.
      assert.ok(Math.abs((await requests(id)) - sketch.counters.requests) < 1e-4);
    });

    it('count a flush once, however often and from wherever it is repeated', async () => {
      const id = await account();
      const [one, two] = [new SketchStore(db), new SketchStore(other)];
      const first = flush(id, some(3));
      await one.add([first], START);
      await one.add([first], START);
      await two.add([flush(id, some(2), { node: 'two', number: 0 })], START);
      await one.add([first], START);
      await new SketchStore(db).add([first], START);
      assert.equal(await requests(id), 5);
      // A node that was started anew has another name, and begins with the same numbers.
      await one.add([flush(id, some(4), { node: 'three', number: 0 })], START);
      assert.equal(await requests(id), 9);
    });

    it('count a flush once whose commit seemed to fail', async () => {
      const id = await account();
      const broken: Database = Object.create(db, {
        writeUnsynced: {
          value: async (work: Parameters<Database['writeUnsynced']>[0]) => {
            await db.writeUnsynced(work);
            throw new Error('Connection terminated unexpectedly');
          },
        },
      });
      const store = new SketchStore(broken);
      const first = flush(id, some(3));
      await assert.rejects(store.add([first], START));
      await assert.rejects(store.add([flush(id, some(5))], START));
      await new SketchStore(db).add([first], START);
      assert.equal(await requests(id), 8);
    });

    it('lose nothing of a flush that failed', async () => {
      const id = await account();
      let fails = true;
      const broken: Database = Object.create(db, {
        writeUnsynced: {
          value: (work: Parameters<Database['writeUnsynced']>[0]) =>
            db.writeUnsynced(async (tx) => {
              const made = await work(tx);
              if (fails) throw new Error('the disk is full');
              return made;
            }),
        },
      });
      const store = new SketchStore(broken);
      await new SketchStore(db).add([flush(id, some(2))], START);
      const next = flush(id, some(3));
      for (let i = 0; i < 3; i++) await assert.rejects(store.add([next], START));
      fails = false;
      await store.add([next], START);
      assert.equal(await requests(id), 5);
    });

    it('lose and double nothing when several nodes change the same ones at once', async function () {
      this.timeout(30_000);
      const ids = await Promise.all(Array.from({ length: 6 }, () => account()));
      const nodes = [db, other, db].map((one, n) => ({ node: `node ${n}`, store: new SketchStore(one) }));
      await Promise.all(
        nodes.map(async ({ node, store }, n) => {
          for (let number = 0; number < 12; number++) {
            const flushes = ids.map((id) => flush(id, some(n + 1), { node, number }));
            // Nodes list them in different orders.
            if (n === 1) flushes.reverse();
            for (let isDone = false; !isDone; )
              isDone = await store.add(flushes, START).then(
                () => true,
                () => false,
              );
          }
        }),
      );
      for (const id of ids) assert.equal(await requests(id), 12 * (1 + 2 + 3));
      for (const id of ids) assert.equal(Number((await rows(id))[0]!.version), 36);
    });

    it('count the requests of nodes whose clocks differ by hours', async () => {
      const id = await account();
      const [early, right, late] = [new SketchStore(db), new SketchStore(other), new SketchStore(db)];
      for (let round = 0; round < 4; round++) {
        const at = START + round * 10 * SECOND;
        await early.add([flush(id, some(2, at - 3 * HOUR), { node: 'early' })], at - 3 * HOUR);
        await right.add([flush(id, some(2, at), { node: 'right' })], at);
        await late.add([flush(id, some(2, at + 3 * HOUR), { node: 'late' })], at + 3 * HOUR);
      }
      // The counters halve in 7 days.
      assert.ok(Math.abs((await requests(id)) - 24) < 0.5, String(await requests(id)));
    });

    it('take two flushes of one account in their order', async () => {
      const id = await account();
      const flushes = [flush(id, some(1)), flush(id, some(2))];
      await new SketchStore(db).add(flushes, START);
      await new SketchStore(db).add(flushes, START);
      assert.equal(await requests(id), 3);
    });

    it('remember the last flush of the 16 nodes that came last', async () => {
      const id = await account();
      const store = new SketchStore(db);
      for (let n = 0; n < 40; n++) {
        await store.add([flush(id, some(1), { node: `node ${n}` })], START);
        await store.add([flush(id, some(1), { node: 'always' })], START);
      }
      const names = Object.keys(JSON.parse((await rows(id))[0]!.flushed));
      assert.deepEqual(names, [...Array.from({ length: 15 }, (_, n) => `node ${n + 25}`), 'always']);
    });

    it('are not begun for accounts that are deleted, closed, merged or unknown, and those of others are', async () => {
      const [well, closed, gone] = [await account(), await account({ gone_at: START + DAY }), randomUUID()];
      const merged = await account({ kind: 'guest' });
      await db.write((tx) => tx.updateTable('account').set({ merged_into: well }).where('id', '=', merged).execute());
      await new SketchStore(db).add(
        [closed, gone, merged, well].map((id) => flush(id, some(2))),
        START,
      );
      for (const id of [closed, gone, merged]) assert.deepEqual(await rows(id), []);
      assert.equal(await requests(well), 2);
    });

    it('are left as they are once the account is closed or its period has ended', async () => {
      const [id, other] = [await account(), await account()];
      const store = new SketchStore(db);
      const next = { period: 3, key: 'k', starts_at: START, ends_at: START + DAY };
      await db.write((tx) => tx.insertInto('risk_key').values(next).execute());
      await store.add([flush(id, some(2)), flush(other, some(1), { period: 3 })], START);
      await db.write(async (tx) => {
        await tx
          .updateTable('account')
          .set({ gone_at: START + DAY })
          .where('id', '=', id)
          .execute();
        await tx.deleteFrom('risk_key').where('period', '=', 3).execute();
      });
      await store.add([flush(id, some(2)), flush(other, some(1), { period: 3 })], START);
      assert.equal(await requests(id), 2);
      assert.equal(Number((await rows(other))[0]!.version), 1);
    });

    it('go with their account, and what waits for it then adds nothing', async () => {
      const id = await account();
      const store = new SketchStore(db);
      await store.add([flush(id, some(2))], START);
      await db.write((tx) => tx.deleteFrom('account').where('id', '=', id).execute());
      assert.deepEqual(await rows(id), []);
      await store.add([flush(id, some(2))], START);
      assert.deepEqual(await rows(id), []);
    });

    it('are not brought back by an account that is deleted between reading and writing', async () => {
      const id = await account();
      const racing: Database = Object.create(db, {
        writeUnsynced: {
          value: async (work: Parameters<Database['writeUnsynced']>[0]) => {
            await db.write((tx) => tx.deleteFrom('account').where('id', '=', id).execute());
            return db.writeUnsynced(work);
          },
        },
      });
      await new SketchStore(db).add([flush(id, some(2))], START);
      await new SketchStore(racing).add([flush(id, some(2))], START);
      assert.deepEqual(await rows(id), []);
    });

    it('are of no period that has no key, and go with their key', async () => {
      const id = await account();
      const store = new SketchStore(db);
      await store.add([flush(id, some(1), { period: 1 })], START);
      assert.deepEqual(await rows(id), []);
      const ended = { period: 2, key: 'k', starts_at: START - 30 * DAY, ends_at: START - 1 };
      await db.write((tx) => tx.insertInto('risk_key').values(ended).execute());
      const many = await Promise.all(Array.from({ length: 250 }, () => account()));
      await store.add(
        [...many, id].map((one) => flush(one, some(1), { period: 2 })),
        START,
      );
      await store.add([flush(id, some(1))], START);
      assert.equal((await rows(id)).length, 2);
      assert.equal(await findSketch(db.read, many[0]!, START), null, 'a period that has ended is not read');
      await shred(db, START);
      assert.deepEqual(
        (await rows(id)).map((row) => Number(row.period)),
        [period],
      );
      assert.deepEqual(await db.read.selectFrom('risk_key').select('key').where('period', '=', 2).execute(), []);
      const left = await db.read.selectFrom('risk_sketch').select('account_id').where('period', '=', 2).execute();
      assert.deepEqual(left, []);
    });

    it('are read of the period that has gone on for longest', async () => {
      const id = await account();
      const next = { period: period + 1, key: 'k', starts_at: START, ends_at: START + 30 * DAY };
      await db.write((tx) => tx.insertInto('risk_key').values(next).execute());
      const store = new SketchStore(db);
      await store.add([flush(id, some(5)), flush(id, some(2), { period: period + 1 })], START);
      assert.equal(await requests(id), 5);
      await db.write((tx) =>
        tx
          .deleteFrom('risk_key')
          .where('period', '=', period + 1)
          .execute(),
      );
    });

    it('are begun anew where they can’t be read', async () => {
      const id = await account();
      await new SketchStore(db).add([flush(id, some(2))], START);
      for (const state of [Buffer.from([1, 2, 3]), Buffer.from([99]), Buffer.alloc(0)]) {
        await db.write((tx) => tx.updateTable('risk_sketch').set({ state }).where('account_id', '=', id).execute());
        await new SketchStore(db).add([flush(id, some(1))], START);
        assert.equal(await requests(id), 1);
      }
    });

    it('stay below 20 KB, whatever ids and files clients send', async function () {
      this.timeout(30_000);
      const id = await account();
      const store = new SketchStore(db);
      const any = () => 1 + Math.floor(Math.random() * 0xfffffffe);
      for (let round = 0; round < 10; round++) {
        const wild = Array.from({ length: 500 }, (_, i) =>
          observation({
            ...{ at: START + round * DAY + i * 20 * SECOND, credential: any(), proof: any() },
            client: { device: any(), fingerprint: any() },
            turn: { root: any(), template: any(), paths: Array.from({ length: 16 }, any) },
          }),
        );
        await store.add([flush(id, wild, { node: randomUUID() })], START + round * DAY);
      }
      const [row] = await rows(id);
      assert.ok(row!.state.length <= 20 * 1024, `${row!.state.length} bytes`);
    });

    it('are told to their owner in words', async () => {
      const id = await account();
      assert.equal(await whatIsSeen(db.read, id, START), null);
      await new SketchStore(db).add([flush(id, some(3))], START);
      const seen = await whatIsSeen(db.read, id, START);
      assert.equal(seen?.firstSeen, '2026-11-02T09:00:00.000Z');
      assert.equal(seen?.requestsLately, 3);
      assert.ok(
        seen!.seen.every((sentence) => sentence.endsWith('.')),
        seen!.seen.join('\n'),
      );
    });
  });
