import { PROBLEMS, type ProblemCode } from '../../shared/problems.ts';
import type { RequestOutcome } from '../../shared/requests.ts';
import type { RunEnd } from '../platform/http/env.ts';

/** Beside the codes of problems: the node that answered broke down, and another has ended the run. */
export const NODE_LOST = 'node_lost';

type Ended = { outcome: RequestOutcome; code: string | null };

/** How a request ended whose run has ended. */
export function outcomeOfRun({ state, code, reason }: Pick<RunEnd, 'state' | 'code' | 'reason'>): Ended {
  switch (state) {
    case 'complete':
      // Whole, but with nothing in it.
      return reason === 'empty_answer' ? { outcome: 'failed', code: reason } : { outcome: 'answered', code: null };
    case 'stopped':
      return { outcome: 'stopped', code: null };
    case 'interrupted':
      return { outcome: 'interrupted', code: code ?? 'shutting_down' };
    default:
      return { outcome: reason === 'request_refused' ? 'refused' : 'failed', code: code ?? 'internal' };
  }
}

/** How a request ended that started nothing. `code`: of the refusal, if there was one. */
export function outcomeOfStatus(status: number, code: ProblemCode | null): Ended {
  if (status < 400 && code === null) return { outcome: 'answered', code: null };
  // The dialects have statuses of their own for some refusals.
  const own = code === null ? status : PROBLEMS[code].status;
  return { outcome: own >= 500 ? 'failed' : 'refused', code: code ?? (status === 404 ? 'not_found' : null) };
}
