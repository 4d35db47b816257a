import type { FreeReason } from '../../../shared/constants.ts';
import type { Thinking } from '../../../shared/conversations.ts';
import type { Model } from '../../../shared/models.ts';
import { PROBLEMS, type Problem, type ProblemCode } from '../../../shared/problems.ts';
import type { RunState, Usage } from '../../../shared/runs.ts';
import { type Clock, iso } from '../../platform/clock.ts';
import type { RunRow } from '../../platform/db/schema.ts';
import type { RequestNotes } from '../../platform/http/env.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { clampUsage, type Received, type ShownEvent } from '../prompt/received.ts';
import { type Piece, UpstreamError } from '../stream.ts';
import type { Link } from './chain.ts';
import type { LiveRun } from './live.ts';
import { NOTHING_USED } from './runs.ts';

/** Longer than any model thinks and writes. A stream that trickles for ever must not block its conversation. */
const MAX_ANSWER_MS = 30 * 60_000;

export interface ReceiveDeps {
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

/** A run that was admitted and whose hold is placed. */
export interface Admitted {
  run: RunRow;
  model: Model;
  /** The prompt's tokens: an estimate, and the most that they can be. */
  inputEstimate: number;
  inputBound: number;
  /** Who may answer if the model fails before its answer begins. */
  fallbacks: readonly Link[];
  /** The names of the pictures in the prompt. */
  pictures?: readonly string[];
  /** Undefined where the request is not recorded. */
  notes?: RequestNotes | undefined;
}

/** How an answer ended, before anybody is told. */
export interface Ending {
  state: RunState;
  usage: Usage;
  /** The charged part of an impossible usage. We bear what the service bills beyond it. */
  charged?: Usage;
  text: string;
  thinking?: Thinking;
  /**
   * Text was written, a tool was called, the answer was withheld as prohibited, or a tool's limit was used up by
   * thoughts: a flat price is due.
   */
  produced: boolean;
  /** It ended at its length limit. */
  cutShort?: true;
  /** Set if nothing is charged. */
  free?: FreeReason;
  problem?: Problem;
}

/** Where an answer goes while it is received. */
export interface Receiver {
  /** A fallback answers. Told before anything of its answer. */
  answeredBy(model: string): Promise<void>;
  /** New text or thoughts, or earlier text that is withdrawn. */
  show?(event: ShownEvent): void;
  /** What arrived together, as the service sent it. The source waits while a promise is pending. */
  pass?(piece: Piece): void | Promise<void>;
}

/**
 * Reads an answer to its end and says how it ended. Never throws for what the service or the account owner does; returns
 * null if the run now belongs to another node.
 */
export async function receive(
  deps: ReceiveDeps,
  turn: Admitted,
  live: LiveRun,
  received: Received,
  source: AsyncIterable<Piece>,
  to: Receiver,
): Promise<Ending | null> {
  const { metrics } = deps;
  const began = performance.now();
  const elapsedMs = () => Math.round(performance.now() - began);
  const elapsed = () => (performance.now() - began) / 1000;
  const show = (events: readonly ShownEvent[]) => {
    if (to.show) for (const event of events) to.show(event);
  };
  let why: 'stop' | 'length' | 'refusal' | null = null;
  let hasBegun = false;
  const lost: Usage[] = [];
  const deadline = setTimeout(() => live.abort('overdue'), MAX_ANSWER_MS);
  try {
    for await (const piece of source) {
      if (piece.model !== undefined) await to.answeredBy(piece.model);
      if (piece.lost) lost.push(...piece.lost);
      for (const event of piece.events) {
        if (event.type === 'finish') why = event.why;
        else if (event.type === 'usage') {
          if (event.isMended) metrics.usageCorrected('parts');
        } else if (!hasBegun) {
          hasBegun = true;
          metrics.upstreamBegan(turn.model.id, elapsed());
          turn.notes?.begins();
        }
        show(received.take(event, elapsedMs()));
      }
      live.usage = received.usage;
      const passed = to.pass?.(piece);
      if (passed) await untilAborted(passed, live.signal);
      if (!why && received.isBeyond(turn.run.max_output_tokens)) {
        why = 'length';
        break;
      }
    }
    if (live.abortReason) throw live.abortReason;
    if (!why) throw new UpstreamError('upstream_failed', 'The model service stopped in the middle of the answer.');
  } catch (error) {
    show(received.end(elapsedMs()));
    return withLost(endingOfFailure(deps, turn, live, received, error), lost);
  } finally {
    clearTimeout(deadline);
    turn.notes?.thought(received.thinkingTokens);
  }
  metrics.upstreamCompleted(turn.model.id, elapsed());
  show(received.end(elapsedMs()));
  const billed = billedUsage(deps, turn, received, received.usageOfWhole);
  // A tool chooses its limit. Thoughts that use it up are what it asked for, and the service bills them.
  const isUsedUp = turn.run.kind === 'call' && why === 'length' && billed.usage.outputTokens > 0;
  const produced = received.hasResult || why === 'refusal' || isUsedUp;
  const free = produced ? undefined : ('empty_answer' as const);
  const cutShort = why === 'length' || undefined;
  return withLost({ state: 'complete', ...billed, text: received.text, produced, cutShort, free }, lost);
}

/** Adds what failed attempts have used. The house pays it: the account is charged for the answer that it has. */
function withLost<E extends Ending | null>(ending: E, lost: readonly Usage[]): E {
  if (!ending || lost.length === 0) return ending;
  const usage = lost.reduce(
    (sum, one) => ({
      inputTokens: sum.inputTokens + one.inputTokens,
      cachedInputTokens: sum.cachedInputTokens + one.cachedInputTokens,
      outputTokens: sum.outputTokens + one.outputTokens,
      estimated: sum.estimated || one.estimated,
    }),
    ending.usage,
  );
  return { ...ending, usage, charged: ending.charged ?? ending.usage };
}

/** Waits for a slow reader, but not beyond an abort. */
function untilAborted(passed: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const stop = () => resolve();
    signal.addEventListener('abort', stop, { once: true });
    passed.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** The usage to bill: never more than this prompt and this limit allow. */
function billedUsage(
  { log, metrics }: ReceiveDeps,
  { run, inputBound }: Admitted,
  received: Received,
  reported: Usage,
): Pick<Ending, 'usage' | 'charged'> {
  const { usage: charged, wrong } = clampUsage(reported, received.boundUsage(inputBound, run.max_output_tokens));
  if (wrong.length === 0) return { usage: reported };
  for (const side of wrong) metrics.usageCorrected(side);
  log.error({ runId: run.id, model: run.model, reported, charged }, 'a model service reported impossible usage');
  return { usage: reported, charged };
}

function endingOfFailure(
  deps: ReceiveDeps,
  turn: Admitted,
  live: LiveRun,
  received: Received,
  error: unknown,
): Ending | null {
  const { log, clock, metrics } = deps;
  const { text, hasResult: produced } = received;
  switch (live.abortReason) {
    case 'lost':
      return null;
    case 'left':
    case 'stopped': {
      // Reasoning is charged too.
      const isFree = !received.hasOutput;
      return {
        state: 'stopped',
        ...billedUsage(deps, turn, received, received.usageOfPart),
        text,
        produced: !isFree,
        ...(isFree ? { free: 'stopped_before_output' as const } : {}),
      };
    }
  }
  const billed = billedUsage(deps, turn, received, received.usageOfPart);
  if (live.abortReason === 'shutdown') return { state: 'interrupted', ...billed, text, produced, free: 'interrupted' };
  const overdue = new UpstreamError('upstream_timeout', 'The model service took longer than half an hour.');
  const upstream = live.abortReason === 'overdue' ? overdue : error instanceof UpstreamError ? error : null;
  if (!upstream) return fault(deps, turn, received, error);
  const { logDetail: detail, retryAfterMs, isRequests, isModels } = upstream.options;
  const isCall = turn.run.kind === 'call';
  // A tool writes its requests itself and chooses its model, and must not send this one again.
  const code = isCall && isRequests ? 'request_refused' : isCall && isModels ? 'model_unknown' : upstream.code;
  metrics.upstreamFailed(upstream.code);
  log.warn({ runId: turn.run.id, code, detail, err: upstream }, 'an answer failed');
  const problem: Problem = {
    ...problemOf(turn, code, upstream.message + (isRequests ? tellPictures(turn) : ''), produced),
    ...(retryAfterMs === undefined ? {} : { retryAt: iso(clock.now() + retryAfterMs) }),
  };
  // A tool's mistake costs nobody anything, and must not count with the failures that the house pays for.
  if (isCall && !produced && (isRequests || isModels || code === 'context_too_long'))
    return { state: 'failed', usage: NOTHING_USED, text, produced, free: 'request_refused', problem };
  return { state: 'failed', ...billed, text, produced, free: 'upstream_failed', problem };
}

/** A service may refuse a request over a picture, and then refuses each later one that has it. */
function tellPictures({ pictures = [] }: Admitted): string {
  if (pictures.length === 0) return '';
  const names = [...new Set(pictures)].map((name) => `“${name.slice(0, 60)}”`);
  const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
  return ` It may be because of a picture: ${names.slice(0, 4).join(', ')}${more}. Edit that message, or remove the picture from it.`;
}

/** The ending of a run in which Perigee itself failed. Only the text in it comes from outside. */
export function fault({ log, metrics }: ReceiveDeps, turn: Admitted, received: Received, error: unknown): Ending {
  metrics.faulted('run');
  log.error({ runId: turn.run.id, err: error }, 'an answer failed by a fault of ours');
  const { text, hasResult: produced } = received;
  const problem = problemOf(turn, 'internal', 'Perigee failed in the middle of the answer.', produced);
  return { state: 'failed', usage: NOTHING_USED, text, produced, free: 'our_failure', problem };
}

export function problemOf({ run }: Admitted, code: ProblemCode, message: string, produced: boolean): Problem {
  // A failed edit leaves nothing in the file, as the editor says. A tool has what it was sent.
  const kept = produced && run.kind === 'chat' ? ' What came so far is kept.' : '';
  const detail = `${message}${kept}`;
  return { type: `urn:perigee:problem:${code}`, ...PROBLEMS[code], detail, code, requestId: run.request_id ?? run.id };
}
