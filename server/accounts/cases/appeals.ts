import { APPEAL_DAYS, type AppealRequest } from '../../../shared/decisions.ts';
import { iso } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { AppealRow, DecisionRow } from '../../platform/db/schema.ts';
import { AppError, notFound } from '../../platform/errors.ts';
import { endFlag, lockFlag } from '../../risk/flags/store.ts';
import { recordAct } from '../reviewers/acts.ts';
import { noSuchCase } from '../reviewers/guard.ts';
import { requireReviewer } from './decide.ts';
import { keepAtLeast, undo } from './effects.ts';
import { APPEALABLE, whyNotHear } from './rules.ts';
import { lockAccount } from './sanctions.ts';
import {
  deciderOf,
  findAppeal,
  findAppeals,
  findDecision,
  findDecisions,
  hasOtherReviewer,
  lockDecision,
} from './store.ts';

const DAY_MS = 24 * 3_600_000;
/** After a lost appeal a closed account stays at least that long, for an export. */
const GRACE_MS = 7 * DAY_MS;

/** An appeal that no reviewer has heard by then can be heard by the operator: somebody has to. */
const HEARD_WITHIN_MS = 14 * DAY_MS;

/** Until when an owner can appeal against a decision, epoch ms. Null: it is nothing to appeal against. */
export const appealEnd = ({ kind, at, delete_at }: Pick<DecisionRow, 'kind' | 'at' | 'delete_at'>): number | null =>
  // After a restore, a closed account waits for longer.
  APPEALABLE.includes(kind) ? Math.max(at + APPEAL_DAYS * DAY_MS, delete_at ?? 0) : null;

/** Throws `appeal_closed` unless the decision can be appealed against at `at`. */
export async function requireAppealable(db: Reader, decision: DecisionRow, at: number): Promise<void> {
  const end = appealEnd(decision);
  if (end === null)
    throw new AppError('appeal_closed', 'There is nothing to appeal against: nothing follows from this.');
  if (await findAppeal(db, decision.id))
    throw new AppError(
      'appeal_closed',
      'You have appealed against this decision, and one can do so once. Nothing was sent.',
    );
  if (at >= end) throw new AppError('appeal_closed', `One could appeal until ${iso(end)}. Nothing was sent.`);
}

/** Answers a question of the desk, once. */
export async function answerQuestion(
  tx: Tx,
  { decisionId, accountId, text, at }: { decisionId: string; accountId: string; text: string; at: number },
): Promise<void> {
  const found = await findDecision(tx, decisionId, accountId);
  // A decision that is being made waits for the answer, or the answer for it.
  if (found) await lockFlag(tx, found.flag_number);
  const decision = await lockDecision(tx, decisionId, accountId);
  if (!decision) throw notFound('decision');
  if (decision.kind !== 'ask') throw new AppError('not_to_decide', 'This is no question. Nothing was sent.');
  if (decision.answered_at !== null)
    throw new AppError('not_to_decide', 'You have answered this question. Nothing more was sent.');
  const newest = (await findDecisions(tx, decision.flag_number)).at(-1);
  if (newest?.id !== decision.id)
    throw new AppError(
      'not_to_decide',
      'Something was decided meanwhile: an answer would not be read. Nothing was sent.',
    );
  await tx.updateTable('decision').set({ answer: text, answered_at: at }).where('id', '=', decisionId).execute();
  changed(tx, accountId, 'account', accountId);
}

/** Appeals against a decision, once, with the pictures that were sent ahead. Others that wait are dropped. */
export async function appeal(
  tx: Tx,
  { decisionId, accountId, at, ...request }: AppealRequest & { decisionId: string; accountId: string; at: number },
): Promise<void> {
  const decision = await lockDecision(tx, decisionId, accountId);
  if (!decision) throw notFound('decision');
  await requireAppealable(tx, decision, at);
  const pictures = [...new Set(request.pictures)];
  if (pictures.length > 0) {
    const { numUpdatedRows } = await tx
      .updateTable('appeal_picture')
      .set({ is_sent: 1 })
      .where('decision_id', '=', decisionId)
      .where('account_id', '=', accountId)
      .where('id', 'in', pictures)
      .executeTakeFirst();
    if (Number(numUpdatedRows) !== pictures.length)
      throw new AppError(
        'not_found',
        'A picture is not there: one that waits for more than a day is deleted. Send it again. Nothing was sent.',
      );
  }
  await tx.deleteFrom('appeal_picture').where('decision_id', '=', decisionId).where('is_sent', '=', 0).execute();
  await tx
    .insertInto('appeal')
    .values({
      ...{ decision_id: decisionId, account_id: accountId, at, time: request.time, use_case: request.useCase },
      ...{ numbers_may_be_used: request.numbersMayBeUsed ? 1 : 0, outcome: null, decided_at: null },
      ...{ reviewer_id: null, is_operators: 0, why: null },
    })
    .execute();
  changed(tx, accountId, 'account', accountId);
}

/** What is decided about an appeal. */
export interface Hearing {
  /** The case. */
  number: number;
  outcome: 'upheld' | 'reversed';
  why: string;
  by: { reviewerId: string } | 'operator';
  at: number;
}

/** An appeal with the decision that it is against. */
export interface Heard {
  decision: DecisionRow;
  appeal: AppealRow;
}

/** The appeal in a case; null: there is none. A case has one at most: it ends with the decision that is appealed against. */
export async function appealInCase(db: Reader, number: number): Promise<Heard | null> {
  const decisions = await findDecisions(db, number);
  const appeals = await findAppeals(
    db,
    decisions.map(({ id }) => id),
  );
  const decision = decisions.find(({ id }) => appeals.has(id));
  return decision ? { decision, appeal: appeals.get(decision.id)! } : null;
}

/**
 * Decides an appeal. Reversed: what the decision did to the account is undone, once. The retention of the case begins
 * anew. The operator hears only what no other reviewer can hear.
 */
export async function hear(tx: Tx, { number, outcome, why, by, at }: Hearing): Promise<Heard> {
  if (by !== 'operator') await requireReviewer(tx, by.reviewerId, at);
  const flag = await lockFlag(tx, number);
  if (!flag) throw noSuchCase();
  const found = await appealInCase(tx, number);
  if (!found) throw new AppError('not_to_decide', 'There is no appeal in this case.');
  await refuse(tx, found, by, at);
  const decision = { ...found.decision, account_id: found.decision.account_id! };
  await lockAccount(tx, decision.account_id);
  const { account_id: accountId } = decision;
  const columns = {
    ...{ outcome, why, decided_at: at, reviewer_id: by === 'operator' ? null : by.reviewerId },
    is_operators: by === 'operator' ? 1 : 0,
  };
  // Before its effect: then this decision counts no more.
  await tx.updateTable('appeal').set(columns).where('decision_id', '=', decision.id).execute();
  if (outcome === 'reversed') await undo(tx, decision, at);
  // The open appeal has held up the deletion, also that by a decision in another case.
  await keepAtLeast(tx, accountId, at + GRACE_MS);
  await endFlag(tx, number, at);
  await recordAct(tx, { at, by, act: 'heard_appeal', flag: number, detail: outcome });
  changed(tx, accountId, 'account', accountId);
  return { decision: found.decision, appeal: { ...found.appeal, ...columns } };
}

async function refuse(tx: Tx, { decision, appeal }: Heard, by: Hearing['by'], at: number): Promise<void> {
  const { account_id: accountId, reviewer_id: decidedBy } = decision;
  const isDecided = appeal.outcome !== null;
  const reviewerId = by === 'operator' ? '' : by.reviewerId;
  const whyNot = whyNotHear({ accountId, decidedBy, isDecided, reviewerId });
  if (whyNot?.code === 'already_decided')
    throw new AppError(
      'already_decided',
      `${await deciderOf(tx, appeal)} has decided this appeal on ${iso(appeal.decided_at ?? at)}: ${appeal.outcome}. Nothing was decided now.`,
    );
  if (whyNot) throw new AppError(whyNot.code, whyNot.text);
  const isLate = at - appeal.at >= HEARD_WITHIN_MS;
  if (by === 'operator' && !isLate && (await hasOtherReviewer(tx, { decidedBy, accountId: accountId! }, at)))
    throw new AppError(
      'not_to_decide',
      `Another reviewer hears this appeal: it waits at the desk. If nobody has by ${iso(appeal.at + HEARD_WITHIN_MS)}, you can. Nothing was decided.`,
    );
}
