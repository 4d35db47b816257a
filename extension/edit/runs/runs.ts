import type { Outcome, OutcomeAnswer, RunAnswer, RunEvent, RunRequest } from '../../../shared/runs.ts';
import type { Session } from '../../account/session/session.ts';
import type { Backend } from '../../backend.ts';

/** The server calls of an edit. All reject with a `BackendError`. */
export interface EditRuns {
  /** Starts a run. The same request may be sent again after a lost answer. */
  start(request: RunRequest): Promise<RunAnswer>;
  /** All events of a run until its terminal one, across network interruptions. */
  events(runId: string, signal: AbortSignal): AsyncIterable<RunEvent>;
  stop(runId: string): Promise<void>;
  /** Reports the outcome of an edit. Resolves to its final cost and the refund. */
  tellOutcome(runId: string, outcome: Outcome): Promise<OutcomeAnswer>;
}

/** The server's runs for the signed-in account. */
export function runsOf(session: Session, backend: Backend): EditRuns {
  return {
    start: (request) => session.call((who) => backend.startRun(who, request)),
    async *events(runId, signal) {
      const who = await session.credential();
      try {
        yield* backend.runEvents(who, runId, 0, signal);
      } catch (error) {
        await session.failed(error, who);
        throw error;
      }
    },
    stop: (runId) => session.call((who) => backend.stopRun(who, runId)),
    tellOutcome: (runId, outcome) => session.call((who) => backend.outcome(who, runId, outcome)),
  };
}
