import type { RunEvent, Usage } from '../../../shared/runs.ts';
import type { Clock } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log.ts';
import { insertEvents, type NumberedEvent, renewEnding, renewRuns } from './runs.ts';

const FLUSH_MS = 150;
const FLUSH_BYTES = 4096;
/** Stored events that stay in memory for readers that are slightly behind. */
const RING = 512;

/** `left`: the client of a call has closed its connection. */
export type AbortReason = 'stopped' | 'left' | 'shutdown' | 'lost' | 'overdue';

/** A run that this node answers: its events until they are stored, and the readers that wait for more. */
export class LiveRun {
  readonly #abort = new AbortController();
  readonly #waiting = new Set<() => void>();
  #events: NumberedEvent[] = [];
  #lastSeq = 0;
  #storedSeq = 0;
  #unstoredBytes = 0;
  usage: Usage;
  leaseUntil: number;
  /** Its end is being stored, with all events that no tick has stored yet. */
  ending = false;

  constructor(
    readonly id: string,
    usage: Usage,
    leaseUntil: number,
  ) {
    this.usage = usage;
    this.leaseUntil = leaseUntil;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  get unstoredBytes(): number {
    return this.#unstoredBytes;
  }

  /** The reason for the abort, if any. */
  get abortReason(): AbortReason | null {
    return this.#abort.signal.aborted ? (this.#abort.signal.reason as AbortReason) : null;
  }

  abort(reason: AbortReason): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(reason);
  }

  append(event: RunEvent): void {
    this.#lastSeq++;
    const json = JSON.stringify(event.data);
    this.#events.push({ seq: this.#lastSeq, type: event.type, json });
    this.#unstoredBytes += json.length;
    this.wake();
  }

  unstored(): NumberedEvent[] {
    return this.#events.filter((event) => event.seq > this.#storedSeq);
  }

  stored(seq: number): void {
    this.#storedSeq = Math.max(this.#storedSeq, seq);
    this.#unstoredBytes = this.unstored().reduce((sum, event) => sum + event.json.length, 0);
    const spare = this.#events.findIndex((event) => event.seq > this.#storedSeq);
    const keepFrom = (spare === -1 ? this.#events.length : spare) - RING;
    if (keepFrom > 0) this.#events = this.#events.slice(keepFrom);
  }

  /** Events after `after`, or null if memory no longer has the first of them. */
  since(after: number): NumberedEvent[] | null {
    if (after >= this.#lastSeq) return [];
    const first = this.#events[0];
    if (!first || first.seq > after + 1) return null;
    return this.#events.slice(after + 1 - first.seq);
  }

  wake(): void {
    for (const wake of this.#waiting) wake();
  }

  onWake(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }
}

/**
 * All runs of this node. One tick stores the new events of all runs in one transaction and renews their leases. A run
 * that now belongs to another node is aborted.
 */
export class LiveRuns {
  readonly #runs = new Map<string, { run: LiveRun; unsubscribe: () => void }>();
  #tick: NodeJS.Timeout | null = null;
  #flushing: Promise<void> | null = null;
  readonly #renewal: NodeJS.Timeout;

  constructor(private readonly deps: { db: Database; clock: Clock; log: Log; node: string; leaseMs: number }) {
    this.#renewal = setInterval(() => this.#flushSoon(0), deps.leaseMs / 3);
    this.#renewal.unref();
  }

  get(id: string): LiveRun | undefined {
    return this.#runs.get(id)?.run;
  }

  get all(): LiveRun[] {
    return [...this.#runs.values()].map(({ run }) => run);
  }

  open(id: string, usage: Usage, leaseUntil: number): LiveRun {
    const run = new LiveRun(id, usage, leaseUntil);
    const unsubscribe = this.deps.db.changes.subscribe(`run:${id}`, ({ topic }) => {
      if (topic === 'stop') run.abort('stopped');
    });
    this.#runs.set(id, { run, unsubscribe });
    return run;
  }

  append(run: LiveRun, event: RunEvent): void {
    run.append(event);
    this.#flushSoon(run.unstoredBytes >= FLUSH_BYTES ? 0 : FLUSH_MS);
  }

  /** Stops ticks from storing this run; resolves when no tick is doing so. */
  async quiesce(run: LiveRun): Promise<void> {
    run.ending = true;
    await this.#flushing;
  }

  /** Removes a run once its end is stored: readers find the rest in the database. */
  close(run: LiveRun): void {
    this.#runs.get(run.id)?.unsubscribe();
    this.#runs.delete(run.id);
    run.wake();
  }

  #flushSoon(delayMs: number): void {
    if (this.#runs.size === 0 || (this.#tick && delayMs > 0)) return;
    if (this.#tick) clearTimeout(this.#tick);
    this.#tick = setTimeout(() => {
      this.#tick = null;
      this.#flushing ??= this.#flush()
        .catch((error) => this.deps.log.error({ err: error }, 'running answers could not be stored; trying again'))
        .finally(() => {
          this.#flushing = null;
          if (this.all.some((run) => !run.ending && run.unstoredBytes > 0)) this.#flushSoon(FLUSH_MS);
        });
    }, delayMs);
  }

  async #flush(): Promise<void> {
    const { db, clock, node, leaseMs } = this.deps;
    const leaseUntil = clock.now() + leaseMs;
    const isDue = (run: LiveRun) => run.leaseUntil < leaseUntil - leaseMs / 4;
    // An end may wait for the database longer than a lease, and another node must not take its answer meanwhile.
    const ending = this.all.filter((run) => run.ending && isDue(run));
    // Collect before the transaction: events appended during it wait for the next tick.
    const batch = this.all
      .filter((run) => !run.ending && (run.unstoredBytes > 0 || isDue(run)))
      .map((run) => ({ run, events: run.unstored(), lastSeq: run.lastSeq, usage: run.usage }));
    if (batch.length + ending.length === 0) return;
    const renewed = await db.writeLeases(async (tx) => {
      const runs = batch.map(({ run: { id }, usage, lastSeq }) => ({ id, usage, lastSeq }));
      const owned = await renewRuns(tx, db.engine, { runs, node, leaseUntil });
      const told = batch.flatMap(({ run: { id }, events }) =>
        owned.has(id) && events.length > 0 ? [{ id, events }] : [],
      );
      await insertEvents(tx, db.engine, told);
      for (const { id } of told) changed(tx, `run:${id}`, 'events', id);
      if (ending.length > 0) await renewEnding(tx, db.engine, { ids: ending.map(({ id }) => id), node, leaseUntil });
      return owned;
    });
    for (const run of ending) run.leaseUntil = leaseUntil;
    for (const { run, events, lastSeq } of batch) {
      const answer = renewed.get(run.id);
      if (!answer) {
        run.abort('lost');
        continue;
      }
      if (events.length > 0) run.stored(lastSeq);
      run.leaseUntil = leaseUntil;
      if (answer.stopRequested) run.abort('stopped');
    }
  }

  /** Stops the ticks; recovery ends the open runs. */
  async stop(): Promise<void> {
    clearInterval(this.#renewal);
    if (this.#tick) clearTimeout(this.#tick);
    await this.#flushing;
  }
}
