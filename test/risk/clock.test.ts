import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { STORED_TIMES } from '../../server/jobs.ts';
import { bringBack } from '../../server/platform/db/clockSteps.ts';
import type { Database } from '../../server/platform/db/database.ts';
import { createLog } from '../../server/platform/log.ts';
import { judgeDue } from '../../server/risk/flags/judging.ts';
import { PERIOD_MS, RiskKeys } from '../../server/risk/keys.ts';
import type { Observation } from '../../server/risk/signals/observation.ts';
import { findSketch, SketchStore } from '../../server/risk/store.ts';
import { ENGINES } from '../support/engines.ts';
import { freshBooks, SECRET } from '../support/server.ts';
import { DAY, HOUR, MINUTE, observation, SECOND, START } from './observations.ts';

const YEAR = 365 * DAY;

for (const engine of ENGINES)
  describe(`a clock that was far ahead (${engine})`, () => {
    let books: Awaited<ReturnType<typeof freshBooks>>;
    let db: Database;
    let accountId: string;
    let store: SketchStore;
    before(async function () {
      this.timeout(60_000);
      books = await freshBooks(engine);
      db = books.db;
    });
    after(() => books?.close());
    beforeEach(async () => {
      accountId = randomUUID();
      const account = { id: accountId, kind: 'member' as const, created_at: START, last_active_at: START };
      await db.write(async (tx) => {
        for (const table of ['risk_key', 'account'] as const) await tx.deleteFrom(table).execute();
        await tx.insertInto('account').values(account).execute();
      });
      store = new SketchStore(db);
    });

    let flushes = 0;
    /** Stores a person's turns that came at these times, at `now`, and reads the sketch. */
    async function stored(now: number, ...times: number[]) {
      const keys = new RiskKeys(db, SECRET);
      await keys.refresh(now);
      const { period } = keys.of(accountId, now)[0]!;
      const observations = times.map((at): Observation => observation({ at, turn: { root: 1, isFirst: false } }));
      await store.add([{ accountId, period, observations, node: 'one', number: flushes++ }], now);
      return (await findSketch(db.read, accountId, now))!;
    }
    const hours = (sketch: Awaited<ReturnType<typeof stored>>) =>
      sketch.hours.turns.reduce((sum, turns) => sum + turns, 0);

    it('takes an observation of more than an hour ahead for one of now', async () => {
      const now = START + 2 * HOUR;
      const sketch = await stored(now, START, now + HOUR + SECOND, now + YEAR);
      assert.deepEqual([sketch.lastS * SECOND, sketch.hours.last, hours(sketch)], [now, now / HOUR, 3]);
      const near = await stored(now, now + HOUR);
      assert.equal(near.lastS * SECOND, now + HOUR, 'clocks of nodes differ');
    });

    it('leaves no sketch that is blind once the clock is right', async () => {
      await stored(START + YEAR, START + YEAR, START + YEAR + MINUTE);
      await bringBack(db, STORED_TIMES, START);
      const after = await stored(START, START - MINUTE, START);
      assert.deepEqual([after.counters.requests, hours(after), after.lastS * SECOND], [2, 2, START]);
      // Of another node, which has it in memory.
      const later = await stored(START + HOUR, START + HOUR);
      assert.deepEqual([Math.round(later.counters.requests), hours(later)], [3, 3]);
    });

    it('leaves a sketch as it is where clocks differ by less than a day, and soon sees again', async () => {
      await stored(START + 20 * HOUR, START + 20 * HOUR);
      const after = await stored(START, START);
      assert.deepEqual([Math.round(after.counters.requests), hours(after)], [2, 2]);
      const next = await stored(START + 21 * HOUR, START + 21 * HOUR);
      assert.deepEqual([Math.round(next.counters.requests), next.hours.last], [3, START / HOUR + 21]);
    });

    it('leaves no key that lasts longer than promised', async () => {
      const keys = new RiskKeys(db, SECRET);
      await keys.refresh(START + YEAR);
      await bringBack(db, STORED_TIMES, START);
      const { ends_at } = await db.read.selectFrom('risk_key').select('ends_at').executeTakeFirstOrThrow();
      assert.equal(Number(ends_at), START + PERIOD_MS);
      await keys.refresh(START);
      assert.equal(keys.of(accountId, START + PERIOD_MS - 1).length, 1);
      assert.equal(keys.of(accountId, START + PERIOD_MS).length, 0);
    });

    it('leaves no account unjudged for longer than a day', async () => {
      await stored(START, START);
      const judge = (at: number) => judgeDue({ db, log: createLog('silent'), isFlagging: true }, at);
      await judge(START);
      await db.write((tx) =>
        tx
          .updateTable('risk_standing')
          .set({ judge_at: START + YEAR, since: START + YEAR })
          .execute(),
      );
      await bringBack(db, STORED_TIMES, START);
      assert.equal((await judge(START + DAY)).judged, 1);
      assert.equal(await bringBack(db, STORED_TIMES, START + DAY), 0);
    });
  });
