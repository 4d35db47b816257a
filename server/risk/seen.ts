import { iso } from '../platform/clock.ts';
import type { Reader } from '../platform/db/database.ts';
import { findDeclared } from './flags/store.ts';
import { inWords } from './score/dossier.ts';
import { evidenceOf } from './score/evidence.ts';
import { findSketch } from './store.ts';

/** What is seen of how an account is used, for its owner; null: nothing is. */
export async function whatIsSeen(db: Reader, accountId: string, now: number) {
  const sketch = await findSketch(db, accountId, now);
  if (!sketch) return null;
  const { ownGateway, severalMachines, automationKeys } = await findDeclared(db, accountId);
  const isDeclared = ownGateway || severalMachines || automationKeys.length > 0;
  return {
    firstSeen: iso(sketch.firstS * 1000),
    lastSeen: iso(sketch.lastS * 1000),
    // The counters halve in 7 days.
    requestsLately: Math.round(sketch.counters.requests),
    seen: inWords(evidenceOf(sketch, { isDeclared })),
  };
}
