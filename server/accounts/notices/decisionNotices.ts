import type { Account, Notice } from '../../../shared/account.ts';
import { APPEAL_DAYS, type OwnDecision } from '../../../shared/decisions.ts';
import { iso } from '../../platform/clock.ts';
import type { Reader } from '../../platform/db/database.ts';
import { ownDecisions } from '../cases/ownDecisions.ts';
import { appealText, decisionText } from './decisionWords.ts';

const DAY_MS = 24 * 3_600_000;
/** How long a decision that has no appeal, or a decided appeal, is told. */
const TOLD_MS = APPEAL_DAYS * DAY_MS;

/**
 * The notices of an account's owner about decisions, newest first. A suspension that is in force is told as such: see
 * `noticesOf`.
 */
export async function decisionNotices(
  db: Reader,
  { id, suspended }: Pick<Account, 'id' | 'suspended'>,
  now: number,
): Promise<Notice[]> {
  const all = await ownDecisions(db, id, now);
  return all.flatMap((decision) => {
    const isToldAlready = decision.kind === 'suspend' && decision.at === suspended?.since && !decision.appeal;
    return (isToldAlready ? null : noticeOf(decision, all, now)) ?? [];
  });
}

/** A question is told until it is answered, a decision while one can appeal, and how an appeal ended for a month. */
function noticeOf(decision: OwnDecision, all: readonly OwnDecision[], now: number): Notice | null {
  const { id, kind, at, answer, appeal, mayAppealUntil } = decision;
  if (appeal) {
    if (appeal.outcome === null || appeal.decidedAt === null) return null;
    const end = Date.parse(appeal.decidedAt) + TOLD_MS;
    if (end <= now) return null;
    const text = appealText(decision, all, now);
    return { id: `decision:${id}:${appeal.outcome}`, kind: 'decision', text, at: appeal.decidedAt, until: iso(end) };
  }
  const notice = { id: `decision:${id}`, kind: 'decision' as const, at };
  if (kind === 'ask') {
    const end = Date.parse(at) + TOLD_MS;
    return answer !== null || end <= now ? null : { ...notice, text: decisionText(decision, now), until: iso(end) };
  }
  return mayAppealUntil === null ? null : { ...notice, text: decisionText(decision, now), until: mayAppealUntil };
}
