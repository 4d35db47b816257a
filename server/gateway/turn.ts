import type { FreeReason } from '../../shared/constants.ts';
import type { Model } from '../../shared/models.ts';
import { PROBLEMS, type Problem, type ProblemCode } from '../../shared/problems.ts';
import { type RunEvent, type RunState, storable, type Usage } from '../../shared/runs.ts';
import { balanceOf } from '../accounts/store.ts';
import { finishMessage } from '../conversations/store.ts';
import { correctUse } from '../credits/limits.ts';
import { cost } from '../credits/pricing.ts';
import { settleHold, voidHold } from '../credits/store.ts';
import { changed } from '../platform/changes.ts';
import type { Clock, Ids } from '../platform/clock.ts';
import { iso } from '../platform/clock.ts';
import type { Policy } from '../platform/config.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { RunRow } from '../platform/db/schema.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { LiveRun, LiveRuns } from './live.ts';
import type { Catalog } from './models.ts';
import { turnSize } from './prompt.ts';
import {
  checkpointOf,
  closeRun,
  deleteEvents,
  insertEvents,
  type NumberedEvent,
  priceOf,
  takeOverRun,
} from './runs.ts';
import { estimateTokens } from './tokens.ts';
import { type PromptMessage, type Upstream, UpstreamError } from './upstreams/stream.ts';

/** A service that ignores the output limit is cut off: no tokenizer makes one token of more UTF-16 units on average. */
const MAX_TOKEN_LENGTH = 16;
/** Longer than any model thinks and writes; a stream that drips for ever holds its conversation no longer. */
const MAX_ANSWER_MS = 30 * 60_000;

export interface TurnDeps {
  db: Database;
  clock: Clock;
  ids: Ids;
  log: Log;
  metrics: Metrics;
  node: string;
  leaseMs: number;
  upstream: Upstream;
  catalog: Catalog;
  live: LiveRuns;
  policy: Policy;
  /** Whether guests can become more than that here. */
  signInOffered: boolean;
  /** Aborts when the server shuts down: nothing is admitted any more. */
  draining: AbortSignal;
}

/** A run that was admitted and whose hold is placed: all that is needed to answer it. */
export interface AdmittedTurn {
  run: RunRow;
  model: Model;
  messages: PromptMessage[];
  inputEstimate: number;
}

/** How an answer ended, before anybody is told. */
interface Ending {
  state: RunState;
  usage: Usage;
  text: string;
  /** Something was written, or withheld as prohibited: a flat price is due. */
  produced: boolean;
  /** It ended at its length limit. */
  cutShort?: true;
  /** Set where nothing is charged. */
  free?: FreeReason;
  problem?: Problem;
}

/**
 * Answers an admitted run: stream, then one transaction with settle or void, final text, terminal event and run state,
 * and only then the readers are told. Never throws; what can't be ended here is ended by recovery.
 */
export async function runTurn(deps: TurnDeps, turn: AdmittedTurn): Promise<void> {
  const { live, log, metrics } = deps;
  const nothing: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, estimated: true };
  const run = live.open(turn.run.id, nothing, turn.run.lease_until);
  const ending = await streamAnswer(deps, turn, run);
  await live.quiesce(run);
  if (!ending || run.abortReason === 'lost') {
    // Another node took the run over after this one's lease had passed: it decides, and it has told the readers.
    live.close(run);
    return;
  }
  for (let wait = 100; ; wait *= 2) {
    try {
      await deps.db.write((tx) => endRun(tx, deps, turn.run, ending, run.unstored(), run.lastSeq + 1));
      live.close(run);
      metrics.runEnded(ending.state, ending.usage);
      return;
    } catch (error) {
      log.error({ runId: turn.run.id, err: error }, 'an answer could not be ended; trying again');
      if (wait > deps.leaseMs) break;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  live.close(run);
}

async function streamAnswer(deps: TurnDeps, turn: AdmittedTurn, run: LiveRun): Promise<Ending | null> {
  const { upstream, live } = deps;
  const estimate = (): Usage => ({
    inputTokens: turn.inputEstimate,
    cachedInputTokens: 0,
    outputTokens: estimateTokens(run.text),
    estimated: true,
  });
  let reported: Usage | null = null;
  let outputTokens = 0;
  let half = '';
  const request = {
    model: turn.model.id,
    messages: turn.messages,
    maxOutputTokens: turn.run.max_output_tokens,
    cacheKey: turn.run.conversation_id,
  };
  let why: 'stop' | 'length' | 'refusal' | null = null;
  const longest = turn.run.max_output_tokens * MAX_TOKEN_LENGTH;
  const deadline = setTimeout(() => run.abort('overdue'), MAX_ANSWER_MS);
  try {
    for await (const event of upstream.stream(request, run.signal)) {
      if (event.type === 'text' && event.text !== '') {
        const at = run.text.length;
        // A service may cut between the halves of a pair: the first waits for the second.
        const [, whole = '', rest = ''] = /^(.*?)([\uD800-\uDBFF]?)$/s.exec(half + event.text) ?? [];
        half = rest;
        const text = storable(whole);
        if (text === '') continue;
        run.text += text;
        outputTokens += estimateTokens(text);
        run.usage = { inputTokens: turn.inputEstimate, cachedInputTokens: 0, outputTokens, estimated: true };
        live.append(run, { type: 'text', data: { text, at } });
        if (run.text.length > longest) {
          why = 'length';
          break;
        }
      } else if (event.type === 'usage') {
        reported = event.usage;
        run.usage = event.usage;
      } else if (event.type === 'finish') why = event.why;
    }
    if (run.abortReason) throw run.abortReason;
    if (!why) throw new UpstreamError('upstream_failed', 'The model service stopped in the middle of the answer.');
  } catch (error) {
    return endingOfFailure(deps, turn, run, error, reported ?? estimate());
  } finally {
    clearTimeout(deadline);
  }
  const usage = reported ?? estimate();
  live.append(run, { type: 'usage', data: usage });
  const produced = run.text.trim() !== '' || why === 'refusal';
  const free = produced ? undefined : ('empty_answer' as const);
  return { state: 'complete', usage, text: run.text, produced, cutShort: why === 'length' || undefined, free };
}

function endingOfFailure(
  { log, clock }: TurnDeps,
  turn: AdmittedTurn,
  run: LiveRun,
  error: unknown,
  usage: Usage,
): Ending | null {
  const { text } = run;
  const produced = text.trim() !== '';
  switch (run.abortReason) {
    case 'lost':
      return null;
    case 'stopped':
      return {
        state: 'stopped',
        usage,
        text,
        produced,
        ...(produced ? {} : { free: 'stopped_before_output' as const }),
      };
    case 'shutdown':
      return { state: 'interrupted', usage, text, produced, free: 'interrupted' };
  }
  const overdue = new UpstreamError('upstream_timeout', 'The model service took longer than half an hour.');
  const upstream = run.abortReason === 'overdue' ? overdue : error instanceof UpstreamError ? error : null;
  log.warn(
    {
      runId: turn.run.id,
      code: upstream?.code ?? 'internal',
      detail: upstream?.options.logDetail,
      err: upstream ?? error,
    },
    'an answer failed',
  );
  const code: ProblemCode = upstream?.code ?? 'internal';
  // Of an edit that failed nothing stays in the file: the editor says so.
  const kept = produced && turn.run.kind === 'chat' ? ' What came so far is kept.' : '';
  const problem: Problem = {
    type: `urn:perigee:problem:${code}`,
    ...PROBLEMS[code],
    detail: `${upstream?.message ?? 'Perigee failed while it answered.'}${kept}`,
    code,
    requestId: turn.run.id,
    ...(upstream?.options.retryAfterMs !== undefined
      ? { retryAt: iso(clock.now() + upstream.options.retryAfterMs) }
      : {}),
  };
  return { state: 'failed', usage, text, produced, free: upstream ? 'upstream_failed' : 'our_failure', problem };
}

/**
 * The one transaction that ends a run: money, text, terminal event and state stand or fall together. False if
 * somebody else ended the run first.
 */
async function endRun(
  tx: Tx,
  deps: Pick<TurnDeps, 'clock' | 'node' | 'policy' | 'log'>,
  run: RunRow,
  ending: Ending,
  unstored: readonly NumberedEvent[],
  terminalSeq: number,
): Promise<boolean> {
  const { clock, node, policy, log } = deps;
  const at = clock.now();
  const { state, usage, text, produced, cutShort, problem } = ending;
  const owned = { id: run.id, node, state, usage, lastSeq: terminalSeq, at };
  const accountId = await closeRun(tx, owned);
  if (accountId === null) return false;
  const use = { runId: run.id, conversationId: run.conversation_id, model: run.model, tool: run.device, usage };
  const costMicro = cost(priceOf(run), usage, produced);
  const resolution = ending.free
    ? await voidHold(tx, use, ending.free, costMicro, at)
    : await settleHold(tx, use, costMicro, at);
  if (resolution.kind === 'resolved_before') throw new Error('an open run whose hold was resolved');
  await correctUse(tx, run.id, ending.free ? 0 : usage.inputTokens + usage.outputTokens);
  const chargedMicro = resolution.kind === 'posted' ? resolution.chargedMicro : 0;
  const beyond = resolution.kind === 'posted' && resolution.absorbedMicro > 0;
  if (beyond) log.error({ runId: run.id, absorbedMicro: resolution.absorbedMicro }, 'a run cost more than its hold');
  const reason = ending.free ?? (beyond ? 'beyond_hold' : undefined);
  const size = turnSize({ role: 'assistant', text }, []);
  await finishMessage(tx, run.message_id, { text, size, state, usage, chargedMicro, cutShort, reason, problem });
  const balance = await balanceOf(tx, policy, accountId, at);
  const terminal: RunEvent = problem
    ? { type: 'error', data: { ...problem, chargedMicro, balance } }
    : { type: 'done', data: { state: state as 'complete', cutShort, chargedMicro, reason, balance } };
  const numbered = { seq: terminalSeq, type: terminal.type, json: JSON.stringify(terminal.data) };
  await insertEvents(tx, run.id, [...unstored, numbered]);
  const conversation = await tx
    .updateTable('conversation')
    .set({ updated_at: at })
    .where('id', '=', run.conversation_id)
    .executeTakeFirst();
  // Deleted while it was being answered: nothing of its text stays.
  if (conversation.numUpdatedRows === 0n) await deleteEvents(tx, run.id);
  changed(tx, `run:${run.id}`, 'events', run.id);
  changed(tx, accountId, 'balance', accountId);
  changed(tx, accountId, 'conversation', run.conversation_id);
  return true;
}

/**
 * Ends a run whose node died: marked interrupted, not charged, what was stored of its text is kept. False if it was
 * ended or taken over meanwhile.
 */
export async function endAbandonedRun(
  deps: Pick<TurnDeps, 'db' | 'clock' | 'node' | 'policy' | 'log'>,
  run: RunRow,
  stored: { text: string; nextSeq: number },
): Promise<boolean> {
  const ending: Ending = {
    state: 'interrupted',
    usage: checkpointOf(run),
    text: stored.text,
    produced: stored.text.trim() !== '',
    free: 'interrupted',
  };
  return deps.db.write(async (tx) => {
    if (!(await takeOverRun(tx, run, deps.node))) return false;
    return endRun(tx, deps, run, ending, [], stored.nextSeq);
  });
}
