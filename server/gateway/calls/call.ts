import type { Problem } from '../../../shared/problems.ts';
import { readSuspension } from '../../accounts/cases/sanctions.ts';
import { howToAppeal, suspensionInWords } from '../../platform/http/standing.ts';
import { Received } from '../prompt/received.ts';
import { answeredBy } from '../runs/chain.ts';
import { type Ending, fault, problemOf, receive } from '../runs/receive.ts';
import { NOTHING_USED } from '../runs/runs.ts';
import { endCall, endStubbornly } from '../runs/settle.ts';
import type { TurnDeps } from '../runs/turn.ts';
import type { Piece } from '../stream.ts';
import type { AdmittedCall } from './admitCall.ts';

/** How many calls without a client a node reads to their end at once. */
const MAX_DRAINING = 64;

const UNENDED = 'Perigee could not end this answer. Look at your credits before you send it again.';

/** The way back to the client of a call. Each dialect has its own. */
export interface Reply {
  /** Aborts when the client has closed its connection. */
  readonly gone: AbortSignal;
  /** The client has the last of the answer, and only the usage may follow. */
  readonly isFinished: boolean;
  /** Another model answers than the one that was asked for. Told before its first chunk. */
  answeredBy(model: string): void;
  /** Passes on what arrived together. The service waits while a promise is pending. */
  pass(piece: Piece): void | Promise<void>;
  /** Ends an answer that is whole and settled. */
  end(ending: Ending): void;
  /** Ends a call that failed: never as if it was whole. `mayBeCharged`: clients must not send it again by themselves. */
  fail(problem: Problem, mayBeCharged?: boolean): void;
}

export interface CallDeps extends TurnDeps {
  /** How many calls go on without their client. */
  drains: { calls: number };
}

/**
 * Answers an admitted call: streams it to the client, then settles or voids the hold, and only then tells the client the
 * end. Never throws: recovery ends a call that this function can't.
 *
 * `onSent`: the service has the request, and it is needed no more. An answer may take half an hour.
 *
 * A client that leaves stops the service's work, and pays for what it has got. An answer in one piece goes on, because
 * what the service bills is known only with it.
 */
export async function runCall(
  deps: CallDeps,
  call: AdmittedCall,
  reply: Reply,
  onSent: () => void = () => {},
): Promise<void> {
  const { log, metrics, drains } = deps;
  const { run } = call;
  const live = deps.live.open(run.id, NOTHING_USED, run.lease_until);
  const received = new Received(call.inputEstimate);
  const faulty = (error: unknown) => fault(deps, call, received, error);
  let isDraining = false;
  const leave = () => {
    if (reply.isFinished) return;
    if (call.request.isStream || drains.calls >= MAX_DRAINING) return live.abort('left');
    isDraining = true;
    drains.calls++;
  };
  reply.gone.addEventListener('abort', leave, { once: true });
  if (reply.gone.aborted) leave();
  call.request.isAbandoned = () => reply.gone.aborted;
  call.request.notes = call.notes;
  let told: Problem | Ending | null = null;
  try {
    const source = deps.upstream.call(call.request, live.signal);
    const pass = (piece: Piece) => {
      onSent();
      return reply.pass(piece);
    };
    const by = async (model: string) => {
      await answeredBy(deps, call, model);
      reply.answeredBy(model);
    };
    const ending = await receive(deps, call, live, received, source, { pass, answeredBy: by }).catch(faulty);
    // No tick renews it from here on.
    live.ending = true;
    if (!ending || live.abortReason === 'lost') {
      told = problemOf(call, 'unavailable', 'The server lost its database for a while. Nothing was charged.', false);
      return;
    }
    const settled = await endStubbornly(deps, call, ending, faulty, (tx, end) => endCall(tx, deps, run, end));
    const isStopped = ending.state === 'stopped' && !reply.gone.aborted;
    if (settled) told = ending.problem ?? (isStopped ? await whyStopped(deps, call) : ending);
  } catch (error) {
    metrics.faulted('run');
    log.error({ runId: run.id, err: error }, 'a call could not be ended; recovery will');
  } finally {
    deps.live.close(live);
    onSent();
    if (isDraining) drains.calls--;
    reply.gone.removeEventListener('abort', leave);
    if (told) tell(call, reply, told);
    else reply.fail(problemOf(call, 'internal', UNENDED, false), true);
  }
}

function tell(call: AdmittedCall, reply: Reply, told: Problem | Ending): void {
  if ('code' in told) reply.fail(told);
  else if (told.state === 'complete') reply.end(told);
  else reply.fail(problemOf(call, 'shutting_down', 'The server is restarting. Nothing was charged; try again.', false));
}

/** A call is stopped by its client, who is gone, or with its account: an operator suspends it, or its owner ends it. */
async function whyStopped({ db, clock }: TurnDeps, call: AdmittedCall): Promise<Problem> {
  const end = 'This answer was stopped; what came of it was charged.';
  const suspended = await readSuspension(db.read, call.run.account_id, clock.now());
  if (!suspended) return problemOf(call, 'account_closing', `The account is being deleted. ${end}`, false);
  const told = `${suspensionInWords(suspended)} ${end} ${howToAppeal(call.accountPage)}`;
  return problemOf(call, 'suspended', told.trim(), false);
}
