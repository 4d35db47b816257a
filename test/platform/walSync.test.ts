import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changed } from '../../server/platform/db/changes.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { DeletionList } from '../../server/platform/db/deletions.ts';
import { openSqlite } from '../../server/platform/db/sqlite.ts';
import { Checkpointer, openWal, WalSync } from '../../server/platform/db/walSync.ts';

/** A disk whose syncs end when the test says so. */
class Disk {
  readonly syncs: { done: () => void; fail: (error: Error) => void }[] = [];
  readonly sync = () => new Promise<void>((done, fail) => this.syncs.push({ done, fail }));
}

/** Whether a promise has settled, once all that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await new Promise(setImmediate);
  return settled;
}

describe('the sync of commits to the disk', () => {
  it('confirms a commit with the first sync that began after it', async () => {
    const disk = new Disk();
    const wal = new WalSync(disk.sync);
    const first = wal.synced();
    // Committed while that sync runs: it may miss these.
    const second = wal.synced();
    const third = wal.synced();
    assert.equal(disk.syncs.length, 1);
    disk.syncs[0]!.done();
    await first;
    assert.equal(await isSettled(second), false);
    assert.equal(disk.syncs.length, 2, 'both wait for one sync');
    disk.syncs[1]!.done();
    await Promise.all([second, third]);
    assert.equal(disk.syncs.length, 2, 'and nothing is synced that nobody waits for');
  });

  it('begins at once when none is running', async () => {
    const disk = new Disk();
    const wal = new WalSync(disk.sync);
    for (const n of [1, 2, 3]) {
      const confirmed = wal.synced();
      assert.equal(disk.syncs.length, n);
      disk.syncs[n - 1]!.done();
      await confirmed;
    }
  });

  it('confirms nothing any more once the disk has failed, for a later sync would confirm what is lost', async () => {
    const disk = new Disk();
    const wal = new WalSync(disk.sync);
    const [running, waiting] = [wal.synced(), wal.synced()];
    assert.equal(wal.failure, null);
    const broken = Object.assign(new Error('i/o error'), { code: 'EIO' });
    disk.syncs[0]!.fail(broken);
    for (const promise of [running, waiting, wal.synced()]) await assert.rejects(promise, broken);
    assert.equal(wal.failure, broken);
    assert.equal(disk.syncs.length, 1);
  });
});

describe('a database in a file', () => {
  let folder: string;
  let db: Database;
  let file: string;
  let disk: Disk | null;
  let failure: Error | null;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perigee-wal-'));
    file = join(folder, 'perigee.db');
    disk = null;
    failure = null;
    db = await open();
  });

  afterEach(async () => {
    // Ends what a failed test left waiting.
    const left = setInterval(() => {
      for (const { done } of disk?.syncs ?? []) done();
    }, 10);
    await db.close();
    clearInterval(left);
    await rm(folder, { recursive: true, force: true });
  });

  /** A real file, whose disk is the test's where it has one. */
  const open = () =>
    openSqlite(file, new DeletionList(null), false, async (path) => {
      const { sync, close } = await openWal(path);
      return { sync: () => (failure ? Promise.reject(failure) : disk ? disk.sync() : sync()), close };
    });
  const insert = (name: string) => (tx: Parameters<Parameters<Database['write']>[0]>[0]) =>
    tx.insertInto('gate').values({ name }).execute();
  const names = async () =>
    (await db.read.selectFrom('gate').select('name').orderBy('name').execute()).map((r) => r.name);

  it('ends a write only when its commit is on the disk, and one that need not be there with the commit', async () => {
    disk = new Disk();
    await db.writeUnsynced(insert('unsynced'));
    assert.equal(disk.syncs.length, 0);
    const write = db.write(insert('synced'));
    while (disk.syncs.length === 0) await new Promise(setImmediate);
    assert.deepEqual((await names()).slice(-2), ['synced', 'unsynced'], 'both are committed');
    assert.equal(await isSettled(write), false);
    // The next writes don't wait for the disk, but are confirmed by it.
    const next = db.write(insert('next'));
    while (!(await names()).includes('next')) await new Promise(setImmediate);
    disk.syncs[0]!.done();
    await write;
    assert.equal(await isSettled(next), false);
    disk.syncs[1]!.done();
    await next;
  });

  it('tells of changes only when they are on the disk', async () => {
    disk = new Disk();
    const told: string[] = [];
    db.changes.subscribe('somebody', ({ topic }) => told.push(topic));
    const write = db.write(async (tx) => changed(tx, 'somebody', 'balance', 'somebody'));
    while (disk.syncs.length === 0) await new Promise(setImmediate);
    assert.deepEqual(told, []);
    disk.syncs[0]!.done();
    await write;
    assert.deepEqual(told, ['balance']);
  });

  it('refuses every write after the disk has failed, until it is opened again', async () => {
    const broken = Object.assign(new Error('i/o error'), { code: 'EIO' });
    failure = broken;
    await assert.rejects(db.write(insert('lost')), broken);
    failure = null;
    await assert.rejects(db.write(insert('refused')), broken);
    await assert.rejects(db.writeUnsynced(insert('refused')), broken);
    await db.close();
    db = await open();
    await db.write(insert('anew'));
    assert.ok((await names()).includes('anew'));
  });

  it('keeps its log small while it writes without a pause', async () => {
    const text = '.'.repeat(20_000);
    for (let i = 0; i < 40; i++)
      await Promise.all(Array.from({ length: 64 }, (_, n) => db.writeUnsynced(insert(`${i} ${n} ${text}`))));
    // 50 MB were written, and 32 MB are the writer's own limit.
    assert.ok(statSync(`${file}-wal`).size < 45_000_000, String(statSync(`${file}-wal`).size));
  });
});

describe('the thread that checkpoints', () => {
  it('copies what was committed into the database, and ends when it is told to', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'perigee-wal-'));
    const file = join(folder, 'perigee.db');
    const db = await openSqlite(file, new DeletionList(null));
    try {
      const before = statSync(file).size;
      const checkpoints = new Checkpointer(file);
      await db.write((tx) =>
        tx
          .insertInto('gate')
          .values({ name: '.'.repeat(100_000) })
          .execute(),
      );
      for (let i = 0; i < 256; i++) checkpoints.committed();
      while (statSync(file).size === before) await new Promise(setImmediate);
      await checkpoints.close();
    } finally {
      await db.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
