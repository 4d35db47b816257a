import type { Outcome, OutcomeAnswer, RunAnswer, RunEvent, RunRequest } from '../../../shared/runs.ts';
import type { Session } from '../../account/session/session.ts';
import type { Backend } from '../../backend.ts';
import { BackendError } from '../../platform/server/backendError.ts';

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

/**
 * The server's runs for the signed-in account. `asked`: the model and the effort that the user chose, where the
 * request names none. This server may not have them; then its own default answers.
 */
export function runsOf(
  session: Session,
  backend: Backend,
  asked: () => { model?: string; effort?: string } = () => ({}),
): EditRuns {
  /** What was sent. A request that is sent again must be the same, whatever was chosen meanwhile. */
  const sent = new WeakMap<RunRequest, RunRequest>();
  const start = (request: RunRequest) => session.call((who) => backend.startRun(who, request));
  return {
    async start(request) {
      let chosen = sent.get(request) ?? (request.model === undefined ? { ...request, ...asked() } : request);
      for (;;) {
        sent.set(request, chosen);
        try {
          return await start(chosen);
        } catch (error) {
          const { model, effort, ...plain } = chosen;
          const { code } = BackendError.from(error).problem;
          if (code === 'effort_unknown' && effort !== undefined) chosen = { ...plain, model };
          else if (code === 'model_unknown' && model !== undefined) chosen = plain;
          else throw error;
        }
      }
    },
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
