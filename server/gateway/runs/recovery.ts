import { findKeyOf } from '../../credits/holds/store.ts';
import { probe } from '../../platform/db/database.ts';
import { isAnswer, type RunRow } from '../../platform/db/schema.ts';
import { recoveredRequest } from '../../requests/notes.ts';
import { NODE_LOST } from '../../requests/outcome.ts';
import type { Ending } from './receive.ts';
import { checkpointOf, findAbandonedRuns, readStoredText, takeOverRun } from './runs.ts';
import { endCall, endOf, type Settled } from './settle.ts';
import { endRun, type TurnDeps } from './turn.ts';

type EndDeps = Pick<TurnDeps, 'db' | 'clock' | 'node' | 'policy' | 'log' | 'recorder'>;

type RecoveryDeps = EndDeps & {
  metrics: Pick<TurnDeps['metrics'], 'absorbed' | 'runRecovered'>;
  live: Pick<TurnDeps['live'], 'get'>;
};

/**
 * Watches for runs whose node has died. It ends a run only once its lease has been expired and unchanged for half a
 * lease in which the database took writes: when it was away, all leases have expired, and their owners renew them
 * within a third.
 */
export class RecoveryWatch {
  /** When this node first saw that a lease had expired, by run and lease. */
  #seen = new Map<string, number>();

  constructor(private readonly deps: RecoveryDeps & { leaseMs: number }) {}

  async look(): Promise<void> {
    const { db, clock, leaseMs } = this.deps;
    const now = clock.now();
    const expired = await findAbandonedRuns(db.read, now, false);
    if (expired.length > 0)
      await probe(db).catch((error) => {
        this.#seen.clear();
        throw error;
      });
    const nameOf = ({ id, lease_until }: RunRow) => `${id} ${lease_until}`;
    this.#seen = new Map(expired.map((run) => [nameOf(run), this.#seen.get(nameOf(run)) ?? now]));
    await endAbandoned(
      this.deps,
      expired.filter((run) => now - this.#seen.get(nameOf(run))! >= leaseMs / 2),
    );
  }
}

/**
 * Ends the runs whose lease has expired: interrupted, not charged, their text so far kept. With `all`, ends every open
 * run: at the start of an embedded server, which has its database to itself. Returns how many were ended.
 */
export async function recoverRuns(deps: RecoveryDeps, all: boolean): Promise<number> {
  return endAbandoned(deps, await findAbandonedRuns(deps.db.read, deps.clock.now(), all));
}

async function endAbandoned(deps: RecoveryDeps, runs: readonly RunRow[]): Promise<number> {
  const { log, metrics, live } = deps;
  let ended = 0;
  for (const run of runs) {
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
  const settled = await deps.db.write(async (tx) => {
    if (!(await takeOverRun(tx, run, deps.node))) return null;
    return isAnswer(run) ? endRun(tx, deps, run, ending, [], nextSeq) : endCall(tx, deps, run, ending);
  });
  if (settled) {
    const keyId = await findKeyOf(deps.db.read, run.id);
    deps.recorder.add(recoveredRequest(run, keyId, { ...endOf(run, ending, settled), code: NODE_LOST }, settled.at));
  }
  return settled;
}
