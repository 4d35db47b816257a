import type { DecisionKind } from '../../../shared/decisions.ts';
import { inCredits } from '../../../shared/money/amounts.ts';
import { dayOf, instant, zoned } from './format.ts';

/** What an owner is shown of a decision, before it is taken (at the desk) and after. */
export interface ToldDecision {
  kind: DecisionKind;
  until: string | null;
  deletedAt: string | null;
  takenMicro: number | null;
  why: string;
  rule: string | null;
  /** An appeal was won. */
  isUndone?: boolean;
}

const FAR_MS = 300 * 86_400_000;
/** With the year where it is not clear. */
const untilOf = (iso: string) => (Math.abs(Date.parse(iso) - Date.now()) < FAR_MS ? zoned(iso) : instant(iso));

/** A decision as its owner reads it, in a heading. */
export function titleOf({ kind, until }: Pick<ToldDecision, 'kind' | 'until'>): string {
  switch (kind) {
    case 'nothing':
      return 'Looked at: all is well';
    case 'ask':
      return 'A question about your account';
    case 'warn':
      return 'A warning';
    case 'reset':
      return 'Promotional credits taken back';
    case 'referrals':
      return 'Your referral link has ended';
    case 'suspend':
      return until === null ? 'Suspended until further notice' : `Suspended until ${untilOf(until)}`;
    case 'close':
      return 'Account closed';
  }
}

/** What it means for the account, in sentences to its owner. */
export function effectOf({ kind, until, deletedAt, takenMicro, isUndone }: Omit<ToldDecision, 'why' | 'rule'>): string {
  if (isUndone) return 'It was undone after your appeal.';
  switch (kind) {
    case 'nothing':
      return 'Nothing changes for you.';
    case 'ask':
      return 'Nothing changes for you now. Your answer is read before anything is decided.';
    case 'warn':
      return 'Nothing was taken from you.';
    case 'reset':
      return `${takenMicro === null ? 'What is left of your promotional credits is' : `${inCredits(takenMicro)} were`} taken back. Credits that you bought and your plan stay.`;
    case 'referrals':
      return 'Nobody can join by your link any more, and rewards that were pending are not paid. What you have earned stays.';
    case 'suspend':
      if (until !== null && Date.parse(until) < Date.now()) return 'It is over: you get answers again.';
      return `You get no answers${until === null ? '' : ' until then'}. You can still read, export and delete everything.`;
    case 'close':
      return `You get no answers any more. The account is deleted on ${deletedAt ? dayOf(deletedAt) : 'the day after 30 days for an appeal'}, unless an appeal is open. Until then you can read and export everything, or delete it sooner.`;
  }
}

/** A decision with its reason and rule, as its owner reads it. */
export function Told({ told }: { told: ToldDecision }) {
  return (
    <>
      <p>{effectOf(told)}</p>
      <dl class="facts">
        <dt>{told.kind === 'ask' ? 'Question' : 'Why'}</dt>
        <dd class="plain">{told.why}</dd>
        {told.rule !== null && (
          <>
            <dt>Rule</dt>
            <dd>{told.rule}</dd>
          </>
        )}
      </dl>
    </>
  );
}
