import type { ServerResponse } from 'node:http';
import type { Database } from '../../platform/db/database.ts';
import { writePiece } from '../../platform/http/streams.ts';
import type { LiveRuns } from './live.ts';
import { findRun, firstOf, type NumberedEvent, readEvents } from './runs.ts';

const HEARTBEAT_MS = 15_000;
/** About the most characters that wait for one reader. A reader that reads nothing must cost no more. */
const MAX_PIECE = 128 * 1024;
/** The batches that one query reads: few where they are large. */
const MIN_BATCHES = 4;
const MAX_BATCHES = 64;

export interface TailDeps {
  db: Database;
  live: LiveRuns;
  closing: AbortSignal;
  /** Rebuilds a run's deleted events from its message. */
  replay: (runId: string) => Promise<NumberedEvent[]>;
}

/**
 * Sends a run's events after number `after` up to its terminal event: from the database, from memory, then as they
 * come. One loop reads by number, so there are no gaps or repeats. A slow reader delays nothing: it is dropped and may
 * reconnect.
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
  let batches = MIN_BATCHES;
  try {
    while (!gone.aborted) {
      news = false;
      const events = await next(deps, runId, cursor, batches);
      if (events === 'over') return void out.end();
      const last = events.at(-1);
      if (last) {
        cursor = last.seq;
        const piece = events.map(frame).join('');
        batches = piece.length > MAX_PIECE / 4 ? MIN_BATCHES : Math.min(2 * batches, MAX_BATCHES);
        if (!(await writePiece(out, piece, gone))) return;
        if (isTerminal(last)) return void out.end();
        continue;
      }
      // The server is shutting down, so the run has ended or moved to another node: the reader reconnects elsewhere.
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

/**
 * The next events after `cursor`, at most some `batches` of them: empty if there are none yet, 'over' if the reader has
 * had the last one.
 */
async function next(
  deps: TailDeps,
  runId: string,
  cursor: number,
  batches: number,
): Promise<readonly NumberedEvent[] | 'over'> {
  const remembered = deps.live.get(runId)?.since(cursor);
  if (remembered) return firstOf(remembered, MAX_PIECE);
  const stored = await readEvents(deps.db.read, runId, cursor, batches);
  if (stored.length > 0) return firstOf(stored, MAX_PIECE);
  const run = await findRun(deps.db.read, runId);
  if (!run) return 'over';
  if (run.state === 'running') return [];
  if (cursor >= run.last_seq) return 'over';
  // The run may have ended between the two reads; then the last events are in the database.
  const late = await readEvents(deps.db.read, runId, cursor, batches);
  if (late.length > 0) return firstOf(late, MAX_PIECE);
  return deps.replay(runId);
}

const isTerminal = ({ type }: NumberedEvent) => type === 'done' || type === 'error';

const frame = ({ seq, type, json }: NumberedEvent) => `id: ${seq}\nevent: ${type}\ndata: ${json}\n\n`;
