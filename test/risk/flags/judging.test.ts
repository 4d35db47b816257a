import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Database } from '../../../server/platform/db/database.ts';
import { createLog } from '../../../server/platform/log.ts';
import { judgeDue } from '../../../server/risk/flags/judging.ts';
import { openFlags, pause, resume } from '../../../server/risk/flags/store.ts';
import { RiskKeys } from '../../../server/risk/keys.ts';
import { encode } from '../../../server/risk/signals/codec.ts';
import { emptySketch, fold } from '../../../server/risk/signals/sketch.ts';
import { ENGINES } from '../../support/engines.ts';
import { freshBooks, SECRET } from '../../support/server.ts';
import { DAY, HOUR, START } from '../observations.ts';
import { RELAY, tenPeople } from '../people.ts';

const sketch = emptySketch();
for (const one of tenPeople(6, RELAY)) fold(sketch, one);
const STATE = encode(sketch);
const NOW = START + 7 * DAY;

for (const engine of ENGINES)
  describe(`a pass of judgements (${engine})`, () => {
    let books: Awaited<ReturnType<typeof freshBooks>>;
    let db: Database;
    let period: number;
    before(async function () {
      this.timeout(60_000);
      books = await freshBooks(engine);
      db = books.db;
      const keys = new RiskKeys(db, SECRET);
      await keys.refresh(NOW);
      period = keys.of('', NOW)[0]!.period;
    });
    after(() => books?.close());
    beforeEach(() =>
      db.write(async (tx) => {
        for (const table of ['risk_standing', 'risk_sketch', 'risk_flag', 'risk_pause'] as const)
          await tx.deleteFrom(table).execute();
      }),
    );

    /** So many accounts that ten people each use through a relay, and that are due. */
    async function shared(count: number): Promise<void> {
      const ids = Array.from({ length: count }, () => randomUUID());
      const [created_at, seen_at] = [START, NOW - 6 * HOUR];
      await db.write(async (tx) => {
        for (const id of ids) {
          const account = { id, kind: 'member' as const, created_at, last_active_at: created_at };
          await tx.insertInto('account').values(account).execute();
          const row = { account_id: id, period, state: STATE, version: 1, flushed: '{}', seen_at };
          await tx.insertInto('risk_sketch').values(row).execute();
        }
      });
    }
    const judge = (own: Database, at: number) => judgeDue({ db: own, log: createLog('silent'), isFlagging: true }, at);
    const flags = async () => (await openFlags(db.read, 1000)).length;

    /** The database; after this write of a pass, this is done. The first begins to watch new accounts. */
    function afterWrite(write: number, then: () => Promise<unknown>): Database {
      let writes = 0;
      return Object.create(db, {
        write: {
          value: async (work: Parameters<Database['write']>[0]) => {
            const done = await db.write(work);
            if (++writes === write) await then();
            return done;
          },
        },
      });
    }
    const off = () => db.write((tx) => pause(tx, 'A wrong flag.', NOW));

    it('flags every account that is due', async () => {
      await shared(24);
      assert.deepEqual(await judge(db, NOW), { judged: 24, flagged: 24 });
    });

    it('opens no flag from the moment on at which flagging is switched off, in the middle of it', async () => {
      await shared(24);
      // Twenty are judged in one transaction.
      assert.deepEqual(await judge(afterWrite(2, off), NOW), { judged: 24, flagged: 20 });
      assert.equal(await flags(), 20, 'flags that were opened before stay');
      assert.deepEqual(await judge(db, NOW + DAY), { judged: 24, flagged: 0 });
      await db.write(resume);
      assert.deepEqual(await judge(db, NOW + 2 * DAY), { judged: 24, flagged: 4 });
    });

    it('opens flags again from the moment on at which it is switched on, in the middle of it', async () => {
      await shared(24);
      await off();
      assert.deepEqual(
        await judge(
          afterWrite(2, () => db.write(resume)),
          NOW,
        ),
        { judged: 24, flagged: 4 },
      );
    });
  });
