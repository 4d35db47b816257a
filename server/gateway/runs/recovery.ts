import { findAbandonedRuns, readStoredText } from './runs.ts';
import { endAbandonedRun, type TurnDeps } from './turn.ts';

/**
 * Ends the runs whose node has died: interrupted, not charged, their text so far kept. With `all`, ends every open run:
 * at the start of an embedded server, which has its database to itself. Returns how many were ended.
 */
export async function recoverRuns(
  deps: Pick<TurnDeps, 'db' | 'clock' | 'node' | 'policy' | 'log'> & {
    metrics: Pick<TurnDeps['metrics'], 'absorbed' | 'runRecovered'>;
    live: Pick<TurnDeps['live'], 'get'>;
  },
  all: boolean,
): Promise<number> {
  const { db, clock, log, metrics, live } = deps;
  let ended = 0;
  for (const run of await findAbandonedRuns(db.read, clock.now(), all)) {
    // This node's own lease may have expired in a stall. The run is still alive, and the next tick renews it.
    if (live.get(run.id)) continue;
    try {
      const stored = await readStoredText(db.read, run.id);
      const end = await endAbandonedRun(deps, run, stored);
      if (!end) continue;
      ended++;
      metrics.runRecovered();
      if (end.reason) metrics.absorbed(end.reason, end.absorbedMicro);
      log.warn({ runId: run.id }, 'an answer whose node died was ended as interrupted');
    } catch (error) {
      // One failure must not stop the others; the next round tries this run again.
      log.error({ runId: run.id, err: error }, 'an abandoned answer could not be ended');
    }
  }
  return ended;
}
