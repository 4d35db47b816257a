import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '../../../server/platform/log.ts';
import { judgeDue } from '../../../server/risk/flags/judging.ts';
import { openFlags } from '../../../server/risk/flags/store.ts';
import { THRESHOLDS } from '../../../server/risk/score/constants.ts';
import { SketchStore } from '../../../server/risk/store.ts';
import { runAdmin } from '../../support/admin.ts';
import { decided } from '../../support/cases.ts';
import { startServer } from '../../support/server.ts';
import { openTool } from '../../support/tools.ts';
import { CASES } from '../cases.ts';
import { personaNamed } from '../personas/all.ts';
import { arrivals } from '../traffic/account.ts';
import { HOUR } from '../traffic/day.ts';
import type { SetName } from '../traffic/parameters.ts';
import { worldOf } from '../trial.ts';

interface Made {
  persona: string;
  set: SetName;
  seed: number;
  /** Of observation, before it is judged. */
  hours: number;
  isReversed: boolean;
  /** No single user is flagged by today's thresholds, so one who appeals was flagged by lower ones. */
  byLowThresholds?: boolean;
}

const MADE: readonly Made[] = [
  { persona: 'resale-100', set: 'B', seed: 1, hours: 12, isReversed: false },
  { persona: 'resale-10', set: 'B', seed: 1, hours: 168, isReversed: false },
  { persona: 'resale-10-cc-gateway', set: 'B', seed: 1, hours: 240, isReversed: false },
  // Of the single users those who came closest to a flag.
  { persona: 'clients-machines', set: 'B', seed: 2, hours: 720, isReversed: true, byLowThresholds: true },
  { persona: 'gateway-containers', set: 'B', seed: 13, hours: 24, isReversed: true, byLowThresholds: true },
  { persona: 'gateway-heavy', set: 'A', seed: 85, hours: 720, isReversed: true, byLowThresholds: true },
];

const LOW = { firstDay: 0, later: 0, persons: 0, groups: 0, corroboration: 0 };

/** Flags simulated accounts on a server, lets them appeal, and writes what `admin case` prints. */
export async function makeCases(): Promise<string[]> {
  const server = await startServer('sqlite');
  const names: string[] = [];
  const usual = { ...THRESHOLDS };
  try {
    await server.app.observer.flush();
    for (const [i, made] of MADE.entries()) {
      const { persona, set, seed, hours, isReversed } = made;
      const { accountId } = await openTool(server);
      await server.app.observer.flush();
      const all = [
        ...arrivals(
          personaNamed(persona).make(worldOf(persona, set, seed)),
          isReversed ? seed % 7 : seed % 5,
          hours / 24 + 1,
        ),
      ];
      const first = all[0]!.observation.at;
      const seen = all.map(({ observation }) => observation).filter(({ at }) => at < first + hours * HOUR);
      const late = server.clock.now() - seen.at(-1)!.at;
      const observations = seen.map((one) => ({ ...one, at: one.at + late }));
      const { period } = await server.db.read.selectFrom('risk_key').select('period').executeTakeFirstOrThrow();
      const flush = { accountId, period: Number(period), observations, node: 'sim', number: i };
      await new SketchStore(server.db).add([flush], server.clock.now());
      if (made.byLowThresholds) Object.assign(THRESHOLDS, LOW);
      for (let looks = 0; looks < 2; looks++) {
        await judgeDue({ db: server.db, log: createLog('silent'), isFlagging: true }, server.clock.now());
        server.clock.advance(7 * HOUR);
      }
      Object.assign(THRESHOLDS, usual);
      const flag = (await openFlags(server.db.read, 100)).find((one) => one.accountId === accountId);
      if (!flag) throw new Error(`${persona} ${seed} is not flagged after ${hours} h`);
      const outcome = isReversed ? ('reversed' as const) : ('upheld' as const);
      await decided(server.db, flag.number, 'warn', { numbers_may_be_used: 1, outcome });
      const { code, lines } = await runAdmin(server, 'case', String(flag.number));
      if (code !== 0) throw new Error(lines.join('\n'));
      const name = `simulated-${persona}-${outcome}.json`;
      writeFileSync(join(CASES, name), `${lines.join('\n')}\n`);
      names.push(name);
    }
  } finally {
    Object.assign(THRESHOLDS, usual);
    await server.stop();
  }
  return names;
}
