import type { DecisionKind } from '../../../shared/decisions.ts';
import type { CaseKind } from '../../../shared/desk.ts';

// What the terms say, and what can be decided. Pure.

const SHARING =
  'Fair use: an account and its access are not resold or passed on, and the service is not repackaged for others.';

/** The rule of the terms that a decision follows from. Its owner reads it with the decision. */
export const RULES: Record<CaseKind, string> = {
  sharing: SHARING,
  not_enough: SHARING,
  referrals: 'Invitations: a second account of one person and automated sign-ups earn nothing.',
  operator:
    'Fair use: no reselling, no repackaging, no hiding or forging which client calls, no training of other models on the answers, no getting round the limits, no automated sign-ups for credits.',
};

/** A case as far as it decides what can be decided in it. */
export interface CaseState {
  kind: CaseKind;
  /** Null: the account was deleted. */
  accountId: string | null;
  /** Null: the case is open. */
  endedAt: number | null;
  /** The newest decision; null: there is none. */
  lastKind: DecisionKind | null;
  /** The owner has answered the newest decision, a question. */
  isAnswered: boolean;
  /** The reviewer who looks. */
  reviewerId: string;
}

export type WhyNot = { code: 'own_case' | 'not_to_decide'; text: string };

/** What this reviewer can decide now. If it is nothing, `whyNot` says why. */
export function mayDecide(state: CaseState): { may: DecisionKind[]; whyNot: WhyNot | null } {
  const { kind, accountId, endedAt, lastKind, isAnswered, reviewerId } = state;
  const none = (text: string, code: WhyNot['code'] = 'not_to_decide') => ({ may: [], whyNot: { code, text } });
  if (accountId === null) return none('The account was deleted: there is nothing to decide.');
  if (accountId === reviewerId)
    return none('This case is about your own account: another reviewer decides it.', 'own_case');
  if (endedAt !== null || kind === 'operator') return none('This case has been decided.');
  const isAsked = lastKind === 'ask';
  // What was not enough to act on becomes a reason to act by what the owner says, not by being looked at.
  if (kind === 'not_enough' && !isAnswered)
    return { may: isAsked ? ['nothing', 'warn'] : ['nothing', 'ask', 'warn'], whyNot: null };
  const final = ['nothing', 'warn', 'reset', 'referrals', 'suspend', 'close'] as const;
  return { may: isAsked && !isAnswered ? [...final] : ['nothing', 'ask', ...final.slice(1)], whyNot: null };
}

/** Decisions that an owner can appeal against. */
export const APPEALABLE: readonly DecisionKind[] = ['warn', 'reset', 'referrals', 'suspend', 'close'];

/** An appeal as far as it decides who can hear it. */
export interface AppealState {
  /** Null: the account was deleted. */
  accountId: string | null;
  /** Who has decided first; null: the operator, or a reviewer who is gone. */
  decidedBy: string | null;
  isDecided: boolean;
  reviewerId: string;
}

/** Why this reviewer can't hear an appeal; null: they can. */
export function whyNotHear({
  accountId,
  decidedBy,
  isDecided,
  reviewerId,
}: AppealState): (Omit<WhyNot, 'code'> & { code: WhyNot['code'] | 'own_decision' | 'already_decided' }) | null {
  if (accountId === null)
    return { code: 'not_to_decide', text: 'The account was deleted: there is nothing to decide.' };
  if (isDecided) return { code: 'already_decided', text: 'This appeal has been decided.' };
  if (accountId === reviewerId)
    return { code: 'own_case', text: 'This appeal is your own: another reviewer hears it.' };
  if (decidedBy === reviewerId)
    return { code: 'own_decision', text: 'The appeal is against your own decision: another reviewer hears it.' };
  return null;
}
