import { isAnswer, type RunRow } from '../../platform/db/schema.ts';
import type { Ending } from './receive.ts';
import { checkpointOf, findAbandonedRuns, readStoredText, takeOverRun } from './runs.ts';
import { endCall, type Settled } from './settle.ts';
import { endRun, type TurnDeps } from './turn.ts';

type EndDeps = Pick<TurnDeps, 'db' | 'clock' | 'node' | 'policy' | 'log'>;

/**
 * Ends the runs whose node has died: interrupted, not charged, their text so far kept. With `all`, ends every open run:
 * at the start of an embedded server, which has its database to itself. Returns how many were ended.
 */
export async function recoverRuns(
  deps: EndDeps & {
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
      const end = await endAbandonedRun(deps, run);
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

/**
 * Ends a run whose node died: interrupted, not charged, its stored text kept. Returns null if it was ended or taken over
 * meanwhile.
 */
async function endAbandonedRun(deps: EndDeps, run: RunRow): Promise<Settled | null> {
  const { text, thinking, nextSeq } = await readStoredText(deps.db.read, run.id);
  const ending: Ending = {
    state: 'interrupted',
    usage: checkpointOf(run),
    text,
    thinking,
    // A call keeps no text. What it used tells whether its client may have had something.
    produced: isAnswer(run) ? text.trim() !== '' : checkpointOf(run).outputTokens > 0,
    free: 'interrupted',
  };
  return deps.db.write(async (tx) => {
    if (!(await takeOverRun(tx, run, deps.node))) return null;
    return isAnswer(run) ? endRun(tx, deps, run, ending, [], nextSeq) : endCall(tx, deps, run, ending);
  });
}
