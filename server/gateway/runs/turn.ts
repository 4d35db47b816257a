import type { FreeReason } from '../../../shared/constants.ts';
import type { Model } from '../../../shared/models.ts';
import { PROBLEMS, type Problem, type ProblemCode } from '../../../shared/problems.ts';
import type { Reason, RunEvent, RunState, Usage } from '../../../shared/runs.ts';
import { balanceOf } from '../../accounts/people/store.ts';
import { finishMessage } from '../../conversations/store.ts';
import { settleHold, voidHold } from '../../credits/holds/store.ts';
import { correctUse } from '../../credits/limits/limits.ts';
import { cost } from '../../credits/rules/pricing.ts';
import { type Clock, type Ids, iso } from '../../platform/clock.ts';
import type { Policy } from '../../platform/config/config.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { RunRow } from '../../platform/db/schema.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { turnSize } from '../prompt/prompt.ts';
import { clampUsage, type NewText, Received } from '../prompt/received.ts';
import { type PromptMessage, type Upstream, UpstreamError } from '../stream.ts';
import type { Catalog } from './catalog.ts';
import type { LiveRun, LiveRuns } from './live.ts';
import {
  checkpointOf,
  closeRun,
  deleteEvents,
  insertEvents,
  NOTHING_USED,
  type NumberedEvent,
  priceOf,
  takeOverRun,
} from './runs.ts';

/** Cuts off a service that ignores the output limit: no tokenizer averages more UTF-16 units a token. */
const MAX_TOKEN_LENGTH = 16;
/** Allowance for thoughts beyond the output limit: some services don't count them. */
const MAX_THINKING_LENGTH = 4_000_000;
/** Longer than any model thinks and writes. A stream that trickles for ever must not block its conversation. */
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
  /** Whether guests can sign in here. */
  signInOffered: boolean;
  /** Aborts when the server shuts down: no more runs are admitted. */
  draining: AbortSignal;
}

/** A run that was admitted and whose hold is placed, with everything needed to answer it. */
export interface AdmittedTurn {
  run: RunRow;
  model: Model;
  messages: PromptMessage[];
  inputEstimate: number;
}

/** How an answer ended, before readers are told. */
interface Ending {
  state: RunState;
  usage: Usage;
  /** The charged part of an impossible usage. We bear what the service bills beyond it. */
  charged?: Usage;
  text: string;
  /** Text was written, or withheld as prohibited: a flat price is due. */
  produced: boolean;
  /** It ended at its length limit. */
  cutShort?: true;
  /** Set if nothing is charged. */
  free?: FreeReason;
  problem?: Problem;
}

/**
 * Answers an admitted run: streams it, then settles or voids the hold and stores the final text, terminal event and run
 * state in one transaction. Readers are told only after that. Never throws: a fault of ours ends only this run,
 * uncharged, and recovery ends a run that this function can't.
 */
export async function runTurn(deps: TurnDeps, turn: AdmittedTurn): Promise<void> {
  const { live, log, metrics } = deps;
  const run = live.open(turn.run.id, NOTHING_USED, turn.run.lease_until);
  const received = new Received(turn.inputEstimate);
  try {
    let ending: Ending | null;
    try {
      ending = await streamAnswer(deps, turn, run, received);
    } catch (error) {
      ending = fault(deps, turn, received, error);
    }
    await live.quiesce(run);
    // If this run's lease had expired, another node may have taken it over; that node ends it and tells the readers.
    if (ending && run.abortReason !== 'lost') await endStubbornly(deps, turn, run, received, ending);
  } catch (error) {
    metrics.faulted('run');
    log.error({ runId: turn.run.id, err: error }, 'an answer could not be ended; recovery will');
  } finally {
    live.close(run);
  }
}

/** Ends a run, retrying while the database has trouble. Recovery takes over if this gives up. */
async function endStubbornly(
  deps: TurnDeps,
  turn: AdmittedTurn,
  run: LiveRun,
  received: Received,
  planned: Ending,
): Promise<void> {
  const { log, metrics } = deps;
  let ending = planned;
  for (let wait = 100; ; wait *= 2) {
    try {
      const ended = await deps.db.write((tx) => endRun(tx, deps, turn.run, ending, run.unstored(), run.lastSeq + 1));
      // Null: recovery has already ended and counted it.
      if (!ended) return;
      metrics.runEnded(ending.state, ending.usage);
      if (ended.reason) metrics.absorbed(ended.reason, ended.absorbedMicro);
      return;
    } catch (error) {
      log.error({ runId: turn.run.id, err: error }, 'an answer could not be ended; trying again');
      // The database is fine, but this ending can't be stored: retrying it would fail for ever.
      if (ending === planned && isMisfit(error)) {
        ending = fault(deps, turn, received, error);
        continue;
      }
      if (wait > deps.leaseMs) return;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Whether the values caused the error: PostgreSQL's data exceptions, SQLite's mismatch, and JavaScript's own. */
function isMisfit(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  const isData = typeof code === 'string' && /^(22...|SQLITE_MISMATCH)$/.test(code);
  return isData || error instanceof RangeError || error instanceof TypeError;
}

/** The ending of a run in which Perigee itself failed. Only the text in it comes from outside. */
function fault({ log, metrics }: TurnDeps, turn: AdmittedTurn, received: Received, error: unknown): Ending {
  metrics.faulted('run');
  log.error({ runId: turn.run.id, err: error }, 'an answer failed by a fault of ours');
  const { text, hasText: produced } = received;
  const problem = problemOf(turn, 'internal', 'Perigee failed in the middle of the answer.', produced);
  return { state: 'failed', usage: NOTHING_USED, text, produced, free: 'our_failure', problem };
}

async function streamAnswer(
  deps: TurnDeps,
  turn: AdmittedTurn,
  run: LiveRun,
  received: Received,
): Promise<Ending | null> {
  const { upstream, live, metrics } = deps;
  const { max_output_tokens: maxOutputTokens, conversation_id: cacheKey } = turn.run;
  const request = { model: turn.model.id, messages: turn.messages, maxOutputTokens, cacheKey };
  let why: 'stop' | 'length' | 'refusal' | null = null;
  const longest = maxOutputTokens * MAX_TOKEN_LENGTH;
  let shownLength = 0;
  const show = (fresh: NewText | null) => {
    if (!fresh) return;
    const { text, at } = fresh;
    // Withdraw in an event of its own: readers could mistake new text for the withdrawn text if both begin alike.
    if (at < shownLength) live.append(run, { type: 'text', data: { text: '', at } });
    if (text !== '') live.append(run, { type: 'text', data: fresh });
    shownLength = at + text.length;
  };
  const model = turn.model.id;
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  let hasBegun = false;
  const deadline = setTimeout(() => run.abort('overdue'), MAX_ANSWER_MS);
  try {
    for await (const event of upstream.stream(request, run.signal)) {
      if (!hasBegun && (event.type === 'text' || event.type === 'thinking')) {
        hasBegun = true;
        metrics.upstreamBegan(model, elapsed());
      }
      if (event.type === 'finish') why = event.why;
      if (event.type === 'usage' && event.isMended) metrics.usageCorrected('parts');
      show(received.take(event));
      run.usage = received.usage;
      if (received.text.length > longest || received.thinkingLength > longest + MAX_THINKING_LENGTH) {
        why = 'length';
        break;
      }
    }
    if (run.abortReason) throw run.abortReason;
    if (!why) throw new UpstreamError('upstream_failed', 'The model service stopped in the middle of the answer.');
  } catch (error) {
    show(received.end());
    return endingOfFailure(deps, turn, run, received, error);
  } finally {
    clearTimeout(deadline);
  }
  metrics.upstreamCompleted(model, elapsed());
  show(received.end());
  const billed = billedUsage(deps, turn, received, received.usageOfWhole);
  live.append(run, { type: 'usage', data: billed.usage });
  const { text } = received;
  const produced = received.hasText || why === 'refusal';
  const free = produced ? undefined : ('empty_answer' as const);
  return { state: 'complete', ...billed, text, produced, cutShort: why === 'length' || undefined, free };
}

/** The usage to bill: never more than this prompt and this limit allow. */
function billedUsage(
  { log, metrics }: TurnDeps,
  turn: AdmittedTurn,
  received: Received,
  reported: Usage,
): Pick<Ending, 'usage' | 'charged'> {
  const { usage: charged, wrong } = clampUsage(
    reported,
    received.boundUsage(turn.messages, turn.run.max_output_tokens),
  );
  if (wrong.length === 0) return { usage: reported };
  for (const side of wrong) metrics.usageCorrected(side);
  log.error(
    { runId: turn.run.id, model: turn.run.model, reported, charged },
    'a model service reported impossible usage',
  );
  return { usage: reported, charged };
}

function endingOfFailure(
  deps: TurnDeps,
  turn: AdmittedTurn,
  run: LiveRun,
  received: Received,
  error: unknown,
): Ending | null {
  const { log, clock, metrics } = deps;
  const { text, hasText: produced } = received;
  switch (run.abortReason) {
    case 'lost':
      return null;
    case 'stopped': {
      // Reasoning is charged too, though no reader has seen it.
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
  if (run.abortReason === 'shutdown') return { state: 'interrupted', ...billed, text, produced, free: 'interrupted' };
  const overdue = new UpstreamError('upstream_timeout', 'The model service took longer than half an hour.');
  const upstream = run.abortReason === 'overdue' ? overdue : error instanceof UpstreamError ? error : null;
  if (!upstream) return fault(deps, turn, received, error);
  const { code } = upstream;
  const { logDetail: detail, retryAfterMs } = upstream.options;
  metrics.upstreamFailed(code);
  log.warn({ runId: turn.run.id, code, detail, err: upstream }, 'an answer failed');
  const problem: Problem = {
    ...problemOf(turn, code, upstream.message, produced),
    ...(retryAfterMs === undefined ? {} : { retryAt: iso(clock.now() + retryAfterMs) }),
  };
  return { state: 'failed', ...billed, text, produced, free: 'upstream_failed', problem };
}

function problemOf(turn: AdmittedTurn, code: ProblemCode, message: string, produced: boolean): Problem {
  // A failed edit leaves nothing in the file, as the editor says.
  const kept = produced && turn.run.kind === 'chat' ? ' What came so far is kept.' : '';
  const detail = `${message}${kept}`;
  return { type: `urn:perigee:problem:${code}`, ...PROBLEMS[code], detail, code, requestId: turn.run.id };
}

/**
 * The one transaction that ends a run: money, text, terminal event and state are stored together. Returns the cost that
 * nobody was charged for, and why; null if the run had already been ended.
 */
async function endRun(
  tx: Tx,
  deps: Pick<TurnDeps, 'clock' | 'node' | 'policy' | 'log'>,
  run: RunRow,
  ending: Ending,
  unstored: readonly NumberedEvent[],
  terminalSeq: number,
): Promise<{ absorbedMicro: number; reason: Reason | undefined } | null> {
  const { clock, node, policy, log } = deps;
  const at = clock.now();
  const { state, usage, text, produced, cutShort, problem } = ending;
  const owned = { id: run.id, node, state, usage, lastSeq: terminalSeq, at };
  const accountId = await closeRun(tx, owned);
  if (accountId === null) return null;
  const use = { runId: run.id, conversationId: run.conversation_id, model: run.model, tool: run.device, usage };
  const price = priceOf(run);
  // Impossible usage counts neither for the price nor for the limits.
  const counted = ending.charged ?? usage;
  const costMicro = cost(price, counted, produced);
  const billedMicro = Math.max(costMicro, cost(price, usage, produced));
  const resolution = ending.free
    ? await voidHold(tx, use, ending.free, billedMicro, at)
    : await settleHold(tx, use, costMicro, at, billedMicro - costMicro);
  if (resolution.kind === 'resolved_before') throw new Error('an open run whose hold was resolved');
  await correctUse(tx, run.id, ending.free ? 0 : counted.inputTokens + counted.outputTokens);
  const chargedMicro = resolution.kind === 'posted' ? resolution.chargedMicro : 0;
  const absorbedMicro = resolution.kind === 'posted' ? resolution.absorbedMicro : billedMicro;
  const beyond = resolution.kind === 'posted' && absorbedMicro > 0;
  if (beyond) log.error({ runId: run.id, absorbedMicro }, 'a run cost more than its hold');
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
  // The conversation was deleted during the answer: keep none of its text.
  if (conversation.numUpdatedRows === 0n) await deleteEvents(tx, run.id);
  changed(tx, `run:${run.id}`, 'events', run.id);
  changed(tx, accountId, 'balance', accountId);
  changed(tx, accountId, 'conversation', run.conversation_id);
  return { absorbedMicro, reason };
}

/**
 * Ends a run whose node died: interrupted, not charged, its stored text kept. Returns the same as `endRun`; null if it
 * was ended or taken over meanwhile.
 */
export async function endAbandonedRun(
  deps: Pick<TurnDeps, 'db' | 'clock' | 'node' | 'policy' | 'log'>,
  run: RunRow,
  stored: { text: string; nextSeq: number },
): ReturnType<typeof endRun> {
  const ending: Ending = {
    state: 'interrupted',
    usage: checkpointOf(run),
    text: stored.text,
    produced: stored.text.trim() !== '',
    free: 'interrupted',
  };
  return deps.db.write(async (tx) => {
    if (!(await takeOverRun(tx, run, deps.node))) return null;
    return endRun(tx, deps, run, ending, [], stored.nextSeq);
  });
}
