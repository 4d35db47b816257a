import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { sql } from 'kysely';
import {
  type AfterRestoreDeps,
  afterRestore,
  finishRestore,
  RestoreJob,
} from '../../../server/accounts/data/afterRestore.ts';
import { type BackupDeps, runBackupCommand } from '../../../server/accounts/operator/backupCommands.ts';
import { createPayment } from '../../../server/credits/payments/payments.ts';
import { RUNS_OF_ACCOUNTS } from '../../../server/gateway/runs/runs.ts';
import type { Database } from '../../../server/platform/db/database.ts';
import { markBackup, readRestoring } from '../../../server/platform/db/restoring.ts';
import { createLog } from '../../../server/platform/log.ts';
import { ENGINES } from '../../support/engines.ts';
import { freshBooks, freshDatabase, openBooks } from '../../support/server.ts';

const NOW = Date.parse('2027-01-31T12:00:00Z');
const FACTS = { takenAt: NOW - 3_600_000, secret: null, settings: [] };
const log = createLog('silent');

/** A promise, and what fulfils it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const depsOf = (db: Database, recover: () => Promise<number>): AfterRestoreDeps => ({
  ...{ db, clock: { now: () => NOW }, log, runs: RUNS_OF_ACCOUNTS, recover, sales: null },
});

describe('processes that finish a restore of PostgreSQL at once', function () {
  this.timeout(60_000);
  let one: Database;
  let two: Database;
  let recoveries: number;
  beforeEach(async () => {
    const { url } = await freshDatabase('postgres');
    [one, two] = [await openBooks(url), await openBooks(url)];
    await one.write((tx) => markBackup(tx, FACTS));
    recoveries = 0;
  });
  afterEach(async () => {
    await one.close();
    await two.close();
  });
  /** Finishes it in `one`, up to the step whose `at` is reached, and no further before it is opened. */
  function begin() {
    const [at, gone] = [gate(), gate()];
    const deps = depsOf(one, async () => {
      recoveries++;
      at.open();
      await gone.opened;
      return 0;
    });
    const done = afterRestore(deps, { acceptsLostDeletions: true });
    return { at: at.opened, open: gone.open, done };
  }
  const counting = async () => {
    recoveries++;
    return 0;
  };

  it('do each step once: the second waits, and finds it done', async () => {
    const first = begin();
    await first.at;
    const isWaiting = gate();
    const second = afterRestore(depsOf(two, counting), {
      waits: () => {
        isWaiting.open();
        return true;
      },
    });
    await isWaiting.opened;
    assert.equal(recoveries, 1);
    first.open();
    assert.equal((await first.done)!.isDone, true);
    assert.equal(await second, null);
    assert.equal(recoveries, 1);
  });

  it('tell the operator whose command waits, and that the other has done all of it', async () => {
    const first = begin();
    await first.at;
    const said: string[] = [];
    const deps: BackupDeps = {
      database: { engine: 'postgres', url: 'postgres://x' },
      secret: null,
      settings: [],
      clock: { now: () => NOW },
      openAlone: async () => ({ ...two, close: async () => {} }),
      say: (line) => {
        said.push(line);
        first.open();
      },
      finish: (db, how) => finishRestore({ ...depsOf(db, counting), leaseMs: 15_000 }, how),
    };
    const told = await runBackupCommand(deps, ['restored', '--since', '2027-01-31T11:00:00Z']);
    assert.deepEqual(said, ['Another process finishes the restore of this database. Waiting for it.']);
    assert.deepEqual(told, {
      code: 0,
      lines: ['The other process has done all of it.', 'The restore is finished. Start the server.'],
    });
    assert.equal(recoveries, 1);
    assert.equal(await readRestoring(two), null);
  });

  it('are not held up by the one that asks Stripe for all, once they serve', async () => {
    const none = { ledger_id: randomUUID(), plan: null, interval: null, windows: null };
    const pack = { id: randomUUID(), pack: 'p', name: 'P', amount_cents: 1, currency: 'usd', credits_micro: 1 };
    await one.write((tx) => createPayment(tx, { ...none, ...pack }, NOW));
    const job = new RestoreJob(depsOf(two, counting));
    await job.begin();
    assert((await readRestoring(two))!.done.runs === 0, 'Stripe is still to be asked');
    const asking = gate();
    const other = one.alone(
      () => asking.opened,
      () => false,
    );
    await job.ask();
    asking.open();
    await other;
  });

  it('go on where the one before was killed', async () => {
    const first = begin();
    await first.at;
    await sql`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted`.execute(two.read);
    const after = await afterRestore(depsOf(two, counting), { acceptsLostDeletions: true });
    assert.equal(after!.isDone, true);
    first.open();
    await first.done.catch(() => {});
  });
});

for (const engine of ENGINES)
  describe(`what remains after a restore (${engine})`, function () {
    this.timeout(60_000);
    let books: Awaited<ReturnType<typeof freshBooks>>;
    beforeEach(async () => {
      books = await freshBooks(engine);
      await books.db.write((tx) => markBackup(tx, FACTS));
    });
    afterEach(() => books.close());

    it('is the old list of deletions, unless it is lost', async () => {
      const { db } = books;
      await db.write((tx) => markBackup(tx, { ...FACTS, takenAt: 1 }));
      const deps = depsOf(db, async () => 0);
      const first = (await afterRestore(deps))!;
      assert.deepEqual([first.isDone, first.remains.length], [false, 1]);
      const { file } = db.deletions;
      assert.match(
        first.remains.join('\n'),
        file === null
          ? /^The old list of deletions is needed\. Keep the server stopped, set DELETIONS_FILE to it, and run "npm run admin -- restored"\. If it is lost, run "npm run admin -- restored --no-deletions"\.$/
          : /^The old list of deletions is needed\. .* put its lines into .*perigee\.db-deletions, and run/,
      );
      if (file !== null) assert(existsSync(file) && /list begins/.test(readFileSync(file, 'utf8')));
      const last = (await afterRestore(deps, { acceptsLostDeletions: true }))!;
      assert.deepEqual([last.isDone, last.remains], [true, []]);
      assert.equal(await afterRestore(deps), null);
    });

    it('is Stripe without a key, where something was sold', async () => {
      const none = { ledger_id: randomUUID(), plan: null, interval: null, windows: null };
      const pack = { id: randomUUID(), pack: 'p', name: 'P', amount_cents: 1, currency: 'usd', credits_micro: 1 };
      await books.db.write((tx) => createPayment(tx, { ...none, ...pack }, NOW));
      const after = (await afterRestore(
        depsOf(books.db, async () => 0),
        { acceptsLostDeletions: true },
      ))!;
      assert.equal(after.isDone, false);
      assert.match(
        after.remains.join('\n'),
        /^Stripe was not asked yet what was paid since 2027-01-31T11:00:00\.000Z, for there is no key\. Set STRIPE_SECRET_KEY/,
      );
    });
  });
