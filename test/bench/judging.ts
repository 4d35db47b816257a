// What it costs to judge accounts: sketches are read from the database, judged, and the next judgement is noted.
import { randomUUID } from 'node:crypto';
import { createLog } from '../../server/platform/log.ts';
import { judgeDue } from '../../server/risk/flags/judging.ts';
import { RiskKeys } from '../../server/risk/keys.ts';
import { encode } from '../../server/risk/signals/codec.ts';
import { emptySketch, fold } from '../../server/risk/signals/sketch.ts';
import { personaNamed } from '../sim/personas/all.ts';
import { arrivals } from '../sim/traffic/account.ts';
import { worldOf } from '../sim/trial.ts';
import { freshBooks } from '../support/server.ts';
import { type Finding, type Measure, median } from './numbers.ts';

const NOW = Date.UTC(2026, 10, 9, 9);
/** Accounts that are judged, and how many they stand for: the cost grows with their number alone. */
const JUDGED = 5_000;
const ALL = 100_000;
const DAYS = 7;
/** After a week of use, in these shares of ten. */
const PEOPLE = [
  'solo',
  'solo',
  'solo',
  'devices',
  'devices',
  'heavy',
  'gateway',
  'contractor',
  'resale-5',
  'resale-10',
];

export const judging: Measure = {
  name: 'judging',
  about: 'judging 100,000 accounts',
  async run(say) {
    const sketches = PEOPLE.map((name, seed) => {
      const sketch = emptySketch();
      const account = personaNamed(name).make(worldOf(name, 'A', seed + 1));
      for (const { observation } of arrivals(account, 0, DAYS)) fold(sketch, observation);
      return encode(sketch);
    });
    const { db, close } = await freshBooks('sqlite');
    try {
      const keys = new RiskKeys(db, 'a secret of the bench, 32 characters');
      await keys.refresh(NOW);
      const { period } = keys.of('', NOW)[0]!;
      for (let i = 0; i < JUDGED; i += 500)
        await db.write(async (tx) => {
          for (let n = i; n < i + 500; n++) {
            const id = randomUUID();
            const account = { id, kind: 'member' as const, created_at: NOW, last_active_at: NOW };
            await tx.insertInto('account').values(account).execute();
            const row = { account_id: id, period, state: sketches[n % sketches.length]! };
            await tx
              .insertInto('risk_sketch')
              .values({ ...row, version: 1, flushed: '{}', seen_at: NOW - DAYS * 86_400_000 })
              .execute();
          }
        });
      say(`${JUDGED} accounts, sketches of ${median(sketches.map((bytes) => bytes.length))} bytes`);
      const before = process.cpuUsage();
      const began = performance.now();
      const { judged, flagged } = await judgeDue({ db, log: createLog('silent'), isFlagging: true }, NOW);
      const { user, system } = process.cpuUsage(before);
      if (judged !== JUDGED) throw new Error(`${judged} of ${JUDGED} accounts were judged`);
      const finding: Finding = {
        id: 'judging.accounts',
        what: 'Judging 100,000 accounts, flags and the database included',
        value: ((user + system) / 1e6) * (ALL / JUDGED),
        unit: 's of CPU',
        goal: { atMost: 60 },
        note: `${JUDGED} on SQLite, times ${ALL / JUDGED}; ${((performance.now() - began) / 1_000).toFixed(1)} s passed for them; ${flagged} flags`,
      };
      return [finding];
    } finally {
      await close();
    }
  },
};
