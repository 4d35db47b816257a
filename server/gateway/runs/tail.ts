import type { ServerResponse } from 'node:http';
import type { Database } from '../../platform/db/database.ts';
import { writePiece } from '../../platform/http/streams.ts';
import type { LiveRuns } from './live.ts';
import { findRun, type NumberedEvent, readEvents } from './runs.ts';

const HEARTBEAT_MS = 15_000;

export interface TailDeps {
  db: Database;
  live: LiveRuns;
  closing: AbortSignal;
  /** The events of a run whose own are deleted, made from its message. */
  replay: (runId: string) => Promise<NumberedEvent[]>;
}

/**
 * Shows a run from the event after `after` to its terminal event: what is stored, what is in memory, what comes. One
 * loop pulls by number, so there is no gap and no repeat, and a reader that is slow holds nothing up: it is dropped and
 * may come again.
 */
export async function tailRun(
  deps: TailDeps,
  runId: string,
  after: number,
  out: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const { db, live, closing } = deps;
  let news = true;
  let wake = () => {};
  const ring = () => {
    news = true;
    wake();
  };
  const local = live.get(runId);
  const leave = [local?.onWake(ring), db.changes.subscribe(`run:${runId}`, ring)];
  for (const signal of [gone, closing]) signal.addEventListener('abort', ring);
  let beat = false;
  const heartbeat = setInterval(() => {
    beat = true;
    wake();
  }, HEARTBEAT_MS);
  let cursor = after;
  try {
    while (!gone.aborted) {
      news = false;
      const events = await next(deps, runId, cursor);
      if (events === 'over') return void out.end();
      const last = events.at(-1);
      if (last) {
        cursor = last.seq;
        if (!(await writePiece(out, events.map(frame).join(''), gone))) return;
        if (isTerminal(last)) return void out.end();
        continue;
      }
      // The server goes down and the run is ended by then, or another node's: the reader comes again elsewhere.
      if (closing.aborted) return void out.end();
      if (!news && !beat) await new Promise<void>((resolve) => (wake = resolve));
      if (beat && !news && !(await writePiece(out, ': still here\n\n', gone))) return;
      beat = false;
    }
  } finally {
    clearInterval(heartbeat);
    for (const unsubscribe of leave) unsubscribe?.();
    for (const signal of [gone, closing]) signal.removeEventListener('abort', ring);
  }
}

/** The next events after `cursor`, empty if there are none yet, or 'over' if the reader has had the last one. */
async function next(deps: TailDeps, runId: string, cursor: number): Promise<NumberedEvent[] | 'over'> {
  const remembered = deps.live.get(runId)?.since(cursor);
  if (remembered) return remembered;
  const stored = await readEvents(deps.db.read, runId, cursor);
  if (stored.length > 0) return stored;
  const run = await findRun(deps.db.read, runId);
  if (!run) return 'over';
  if (run.state === 'running') return [];
  if (cursor >= run.last_seq) return 'over';
  // It may have ended between the two reads; only then are there still events to be read.
  const late = await readEvents(deps.db.read, runId, cursor);
  if (late.length > 0) return late;
  return deps.replay(runId);
}

const isTerminal = ({ type }: NumberedEvent) => type === 'done' || type === 'error';

const frame = ({ seq, type, json }: NumberedEvent) => `id: ${seq}\nevent: ${type}\ndata: ${json}\n\n`;
