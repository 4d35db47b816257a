import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Database } from '../../server/platform/db/database.ts';
import type { Log } from '../../server/platform/log.ts';
import { KEPT_A_DAY, KEPT_A_MINUTE, RequestRecorder } from '../../server/requests/recorder.ts';
import { ENGINES } from '../support/engines.ts';
import { freshBooks } from '../support/server.ts';
import { requestOf } from './rows.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

for (const engine of ENGINES)
  describe(`the recorder of requests (${engine})`, () => {
    let db: Database;
    let close: () => Promise<void>;
    let account: string;
    let now = 1_000 * DAY;
    let logged: unknown[];

    before(async () => ({ db, close } = await freshBooks(engine)));
    after(() => close());
    beforeEach(async () => {
      account = randomUUID();
      logged = [];
      await db.write((tx) =>
        tx.insertInto('account').values({ id: account, kind: 'member', created_at: 0, last_active_at: 0 }).execute(),
      );
    });

    const log = { error: (...line: unknown[]) => logged.push(line), warn: (...line: unknown[]) => logged.push(line) };
    const openRecorder = () => new RequestRecorder({ db, clock: { now: () => now }, log: log as unknown as Log });
    const rows = () => db.read.selectFrom('request').selectAll().where('account_id', '=', account).execute();
    const sum = (of: readonly { times: number }[]) => of.reduce((all, { times }) => all + times, 0);

    it('counts a flood by the minute in which it records, however old its requests are', async () => {
      const recorder = openRecorder();
      for (let second = 0; second < 10; second++) {
        for (let n = 0; n < KEPT_A_MINUTE; n++) recorder.addFree(requestOf(account, { at: now - MINUTE - second }));
        await recorder.flush();
      }
      now += MINUTE;
      await recorder.flush();
      const stored = await rows();
      assert.equal(stored.length, KEPT_A_MINUTE + 1);
      assert.equal(sum(stored), 10 * KEPT_A_MINUTE);
    });

    it('keeps a number a day, and beyond it one row, whose count grows by the minute', async function () {
      this.timeout(120_000);
      now = (Math.floor(now / DAY) + 1) * DAY;
      const recorder = openRecorder();
      let sent = 0;
      const flood = async (minutes: number) => {
        for (let minute = 0; minute < minutes; minute++) {
          for (let n = 0; n < 2 * KEPT_A_MINUTE; n++, sent++) recorder.addFree(requestOf(account));
          now += MINUTE;
          await recorder.flush();
        }
        const stored = await rows();
        assert.equal(sum(stored), sent);
        return stored.length;
      };
      const full = await flood(20);
      assert.ok(full >= KEPT_A_DAY && full <= KEPT_A_DAY + 1, String(full));
      assert.equal(await flood(20), full);
      recorder.addFree(requestOf(account, { outcome: 'failed' }));
      await recorder.flush();
      assert.equal((await rows()).length, full + 1, 'another outcome is kept');
      now = (Math.floor(now / DAY) + 1) * DAY;
      recorder.addFree(requestOf(account));
      await recorder.flush();
      assert.equal((await rows()).length, full + 2, 'a new day');
    });

    it('leaves out only a row that the database refuses, and logs nothing of it', async () => {
      const { writeUnsynced } = db;
      let writes = 0;
      db.writeUnsynced = (work) => {
        writes++;
        return writeUnsynced.call(db, work) as ReturnType<typeof work>;
      };
      try {
        const recorder = openRecorder();
        recorder.add(requestOf(account, { outcome: 'nonsense' as 'refused', asked: 'do-not-log-me' }));
        for (let n = 1; n < 1_000; n++) recorder.add(requestOf(account));
        await recorder.flush();
      } finally {
        db.writeUnsynced = writeUnsynced;
      }
      assert.equal((await rows()).length, 999);
      assert.equal(writes, 1 + 8 + 124, 'the batch, its rows one by one, and the other batches');
      const [line] = logged as [Record<string, unknown>][];
      assert.deepEqual(Object.keys(line![0]), ['code', 'constraint']);
      assert.match(String(line![0].code), /^(SQLITE_CONSTRAINT_CHECK|23514)$/);
      assert.ok(!JSON.stringify(logged).includes('do-not-log-me'), JSON.stringify(logged));
    });

    it('loses no count when the server stops', async () => {
      const recorder = openRecorder();
      for (let n = 0; n < KEPT_A_MINUTE + 5; n++) recorder.addFree(requestOf(account));
      await recorder.flush({ all: true });
      assert.equal(sum(await rows()), KEPT_A_MINUTE + 5);
    });
  });
