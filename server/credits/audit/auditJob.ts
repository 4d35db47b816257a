import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { auditLive } from './audit.ts';

/** After this long, some node has certainly ended the run of an expired lease. */
export const auditGrace = (leaseMs: number) => 4 * leaseMs;

/** Audits the books, updates the metrics, and logs each broken invariant with ids only. Returns how many are broken. */
export async function runAudit(deps: {
  db: Database;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  leaseMs: number;
}): Promise<number> {
  const { db, clock, log, metrics, leaseMs } = deps;
  const violations = await auditLive(db, clock.now(), auditGrace(leaseMs));
  metrics.audited(violations.length, clock.now());
  for (const { invariant, what, ids, count } of violations)
    log.error({ invariant, what, ids, count }, 'the books break an invariant');
  return violations.length;
}
