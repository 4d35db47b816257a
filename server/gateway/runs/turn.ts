import type { RunEvent } from '../../../shared/runs.ts';
import { balanceOf } from '../../accounts/people/store.ts';
import { finishMessage } from '../../conversations/store.ts';
import { useSummary } from '../../conversations/summaries.ts';
import type { Clock, Ids } from '../../platform/clock.ts';
import type { Policy } from '../../platform/config/config.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import type { AnswerRow } from '../../platform/db/schema.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { RequestRecorder } from '../../requests/recorder.ts';
import { summaryTurn } from '../prompt/compact.ts';
import { turnSize } from '../prompt/prompt.ts';
import { Received, type ShownEvent } from '../prompt/received.ts';
import type { PromptMessage, Upstream } from '../stream.ts';
import type { WaitingBytes } from '../waitingBytes.ts';
import type { Catalog } from './catalog.ts';
import { answeredBy, namesOf } from './chain.ts';
import { EventFlow } from './eventFlow.ts';
import type { LiveRun, LiveRuns } from './live.ts';
import { type Admitted, type Ending, fault, receive } from './receive.ts';
import { deleteEvents, insertEvents, NOTHING_USED, type NumberedEvent } from './runs.ts';
import { endStubbornly, type SettleDeps, type Settled, settleRun } from './settle.ts';

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
  recorder: RequestRecorder;
  policy: Policy;
  /** The memory of requests that no service has answered yet. */
  waiting: WaitingBytes;
  /** Whether guests can sign in here. */
  signInOffered: boolean;
  /** Aborts when the server shuts down: no more runs are admitted. */
  draining: AbortSignal;
}

/** A run of a conversation, with everything needed to answer it. */
export interface AdmittedTurn extends Admitted {
  run: AnswerRow;
  /** Without their pictures once a service has them: an answer may take half an hour. */
  messages: PromptMessage[];
  /** Gives back the room that its pictures take in memory. */
  leave: () => void;
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
  const faulty = (error: unknown) => fault(deps, turn, received, error);
  try {
    const ending = await streamAnswer(deps, turn, run, received).catch(faulty);
    await live.quiesce(run);
    // If this run's lease had expired, another node may have taken it over; that node ends it and tells the readers.
    if (ending && run.abortReason !== 'lost')
      await endStubbornly(deps, turn, ending, faulty, (tx, end) =>
        endRun(tx, deps, turn.run, { ...end, thinking: thinkingOf(turn, received) }, run.unstored(), run.lastSeq + 1),
      );
  } catch (error) {
    metrics.faulted('run');
    log.error({ runId: turn.run.id, err: error }, 'an answer could not be ended; recovery will');
  } finally {
    sent(turn);
    live.close(run);
  }
}

async function streamAnswer(
  deps: TurnDeps,
  turn: AdmittedTurn,
  run: LiveRun,
  received: Received,
): Promise<Ending | null> {
  const { upstream, live } = deps;
  const { max_output_tokens: maxOutputTokens, conversation_id: cacheKey } = turn.run;
  const thinking = (model: string) => deps.catalog.thinking(model, turn.run.effort);
  const fallbacks = namesOf(turn.fallbacks).map((one) => ({ ...one, thinking: thinking(one.model) }));
  const request = {
    model: turn.model.id,
    messages: turn.messages,
    maxOutputTokens,
    cacheKey,
    fallbacks,
    thinking: thinking(turn.model.id),
    notes: turn.notes,
  };
  const events = new EventFlow((event) => live.append(run, event));
  // The thoughts behind an edit are counted, but nobody reads them.
  const show = (event: ShownEvent) => (event.type === 'text' || turn.run.kind === 'chat') && events.add(event);
  const to = { show, answeredBy: (model: string) => answeredBy(deps, turn, model), pass: () => sent(turn) };
  const source = upstream.stream(request, run.signal);
  const ending = await receive(deps, turn, run, received, source, to).finally(() => events.flush());
  if (ending?.state === 'complete') live.append(run, { type: 'usage', data: ending.usage });
  return ending;
}

/** A service has the request: once an answer has begun, it is sent to no other. */
function sent({ messages, leave }: AdmittedTurn): void {
  for (const message of messages) delete message.images;
  leave();
}

const thinkingOf = ({ run }: AdmittedTurn, received: Received) => (run.kind === 'chat' ? received.thinking : undefined);

/**
 * The one transaction that ends a run: money, text, terminal event and state are stored together. Returns null if the
 * run had already been ended.
 */
export async function endRun(
  tx: Tx,
  deps: SettleDeps & { policy: Policy; db: Pick<Database, 'engine'> },
  run: AnswerRow,
  ending: Ending,
  unstored: readonly NumberedEvent[],
  terminalSeq: number,
): Promise<Settled | null> {
  const settled = await settleRun(tx, deps, run, ending, terminalSeq);
  if (!settled) return null;
  const { accountId, at, chargedMicro, reason } = settled;
  const { state, usage, text, thinking, cutShort, problem } = ending;
  const size = turnSize(run.compacts ? summaryTurn(text) : { role: 'assistant', text }, []);
  const end = { text, thinking, size, state, usage, chargedMicro, cutShort, reason, problem };
  await finishMessage(tx, { id: run.message_id, conversationId: run.conversation_id }, end);
  // Half a summary would lose the other half of the conversation.
  if (run.compacts && state === 'complete' && !cutShort && text.trim() !== '')
    await useSummary.run(tx, { id: run.conversation_id, summaryId: run.message_id });
  const balance = await balanceOf(tx, deps.policy, accountId, at);
  const terminal: RunEvent = problem
    ? { type: 'error', data: { ...problem, chargedMicro, balance } }
    : { type: 'done', data: { state: state as 'complete', cutShort, chargedMicro, reason, balance } };
  const numbered = { seq: terminalSeq, type: terminal.type, json: JSON.stringify(terminal.data) };
  await insertEvents(tx, deps.db.engine, [{ id: run.id, events: [...unstored, numbered] }]);
  const isThere = await touchConversation.run(tx, { id: run.conversation_id, accountId, at });
  // The conversation was deleted during the answer: keep none of its text.
  if (isThere === 0n) await deleteEvents(tx, run.id);
  changed(tx, `run:${run.id}`, 'events', run.id);
  changed(tx, accountId, 'balance', accountId);
  changed(tx, accountId, 'conversation', run.conversation_id);
  return settled;
}

const touchConversation = prepared((db, p: { id: string; accountId: string; at: number }) =>
  db.updateTable('conversation').set({ updated_at: p.at }).where('id', '=', p.id).where('account_id', '=', p.accountId),
);
