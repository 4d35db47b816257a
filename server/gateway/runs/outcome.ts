import type { NotRefunded, Outcome, OutcomeAnswer } from '../../../shared/runs.ts';
import { balanceOf } from '../../accounts/people/store.ts';
import { refundMessage } from '../../conversations/store.ts';
import { type Charge, lockCharge, refundRun } from '../../credits/holds/refunds.ts';
import { countRefunds } from '../../credits/log/log.ts';
import { total } from '../../credits/rules/ledger.ts';
import { DAY_MS, whyNotRefunded } from '../../credits/rules/refundRule.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { AnswerRow } from '../../platform/db/schema.ts';
import { AppError } from '../../platform/errors.ts';
import { refundRequest } from '../../requests/store.ts';
import { lockRun, storeOutcome } from './runs.ts';
import type { TurnDeps } from './turn.ts';

const REASON = 'nothing_applied';

/** An outcome as the run stores it: the client's report and the resulting refund. */
interface StoredOutcome extends Outcome {
  refundedMicro?: number;
  notRefunded?: NotRefunded;
}

/**
 * Stores an edit's outcome, once. Refunds the charge if nothing could be applied and the rule allows it. The same
 * outcome again gets the same answer; another one throws `outcome_already_told`.
 */
export async function tellOutcome(
  { db, clock, policy, metrics, recorder }: Pick<TurnDeps, 'db' | 'clock' | 'policy' | 'metrics' | 'recorder'>,
  runId: string,
  outcome: Outcome,
): Promise<OutcomeAnswer> {
  // A refund is taken off what its record says.
  await recorder.flush();
  const { answer, isFirst } = await db.write(async (tx) => {
    const run = await lockRun(tx, runId);
    if (run.kind !== 'edit' || run.ended_at === null)
      throw new AppError('invalid_request', 'Only an edit that has ended has an outcome.');
    const before = run.outcome === null ? null : (JSON.parse(run.outcome) as StoredOutcome);
    if (before && (before.applied !== outcome.applied || before.refused !== outcome.refused))
      throw new AppError('outcome_already_told', 'Another outcome was sent before, and it counts.');
    // This locks the account's wallet: outcomes of its other edits wait, so the refund count is right.
    const charge = await lockCharge(tx, run.account_id, run.id);
    const stored = before ?? (await decide(tx, { clock, policy }, run, charge, outcome));
    const refundedMicro = stored.refundedMicro ?? 0;
    const answer: OutcomeAnswer = {
      chargedMicro: total(charge.charged) - refundedMicro,
      refundedMicro,
      notRefunded: stored.notRefunded,
      balance: await balanceOf(tx, policy, run.account_id, clock.now()),
    };
    return { answer, isFirst: !before };
  });
  if (isFirst) metrics.outcomeTold(answer.notRefunded ?? 'refunded', answer.refundedMicro);
  return answer;
}

/** Decides on the refund, makes it, and stores the outcome with the result. */
async function decide(
  tx: Tx,
  { clock, policy }: Pick<TurnDeps, 'clock' | 'policy'>,
  run: AnswerRow,
  charge: Charge,
  outcome: Outcome,
): Promise<StoredOutcome> {
  const at = clock.now();
  const notRefunded = whyNotRefunded(
    {
      applied: outcome.applied,
      state: run.state,
      chargedMicro: total(charge.charged),
      afterMs: at - (run.ended_at ?? at),
      refundedToday: await countRefunds(tx, run.account_id, REASON, at - DAY_MS),
    },
    policy.refunds,
  );
  const refundedMicro = notRefunded ? 0 : await refund(tx, run, charge, at);
  const stored: StoredOutcome = { ...outcome, refundedMicro, ...(notRefunded ? { notRefunded } : {}) };
  await storeOutcome(tx, run.id, JSON.stringify(stored));
  return stored;
}

async function refund(tx: Tx, run: AnswerRow, charge: Charge, at: number): Promise<number> {
  const use = { conversationId: run.conversation_id, model: run.model, tool: run.device };
  const refunded = await refundRun(tx, charge, use, REASON, at);
  if (refunded.kind !== 'refund') throw new Error(`a run whose outcome is new, and ${refunded.kind}`);
  await refundMessage(tx, run.message_id, REASON);
  await refundRequest(tx, { accountId: run.account_id, runId: run.id }, refunded.refundedMicro);
  changed(tx, run.account_id, 'balance', run.account_id);
  changed(tx, run.account_id, 'conversation', run.conversation_id);
  return refunded.refundedMicro;
}
