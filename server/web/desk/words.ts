import type { DecisionKind } from '../../../shared/decisions.ts';
import type { Act, CaseKind, List } from '../../../shared/desk.ts';

export const KIND_TITLES: Record<CaseKind, string> = {
  sharing: 'One account, several people?',
  not_enough: 'Several people, perhaps: not enough to act on',
  referrals: 'Repeated sign-ups by one link?',
  operator: 'Decided by the operator’s command',
};

/** In a filter and in tables. */
export const KIND_NAMES: Record<CaseKind, string> = {
  sharing: 'Sharing',
  not_enough: 'Not enough to act on',
  referrals: 'Referrals',
  operator: 'Operator',
};

export const LIST_NAMES: Record<List, string> = {
  open: 'Open',
  asked: 'Asked',
  appeals: 'Appeals',
  seconds: 'Second looks',
  decided: 'Decided',
};

/** What an empty list says. */
export const NOTHING: Record<List, string> = {
  open: 'Nothing waits. New flags appear here; looking away costs nobody anything.',
  asked: 'Nothing waits. Cases in which an owner was asked appear here, first those with an answer.',
  appeals: 'Nothing waits. Appeals appear here, the oldest first.',
  seconds: 'Nothing waits. While two reviewers or more are active, every fifth case is judged twice.',
  decided: 'Nothing was decided yet.',
};

interface Words {
  name: string;
  /** What it does, to the reviewer. */
  does: string;
  /** As part of "decided to …" in lists. */
  done: string;
}

export const DECISION_WORDS: Record<DecisionKind, Words> = {
  nothing: {
    name: 'Nothing',
    does: 'All is well. The owner gets no notice; the case stands in the list on their page.',
    done: 'nothing',
  },
  ask: {
    name: 'Ask',
    does: 'The owner reads your question and can answer on their page. The case stays open.',
    done: 'asked',
  },
  warn: { name: 'Warn', does: 'The owner is told what has to change. Nothing is taken.', done: 'warned' },
  reset: {
    name: 'Reset credits',
    does: 'Takes back what is left of the promotional credits. Bought credits and plans stay.',
    done: 'credits reset',
  },
  referrals: {
    name: 'End the referral link',
    does: 'Nobody joins by it any more, and pending rewards are not paid. What was earned stays.',
    done: 'link ended',
  },
  suspend: {
    name: 'Suspend until …',
    does: 'No answers until that day, on every node and in every tool. Reading, export and deletion stay possible.',
    done: 'suspended',
  },
  close: {
    name: 'Close the account',
    does: 'No answers any more. After 30 days for an appeal, the account is deleted.',
    done: 'closed',
  },
};

export const ACT_WORDS: Record<Act, string> = {
  factor_set: 'set up a second factor',
  opened_desk: 'opened the desk',
  wrong_code: 'entered a wrong code',
  closed_desk: 'left the desk',
  opened_case: 'opened a case',
  decided: 'decided',
  saw_picture: 'looked at a picture',
  heard_appeal: 'heard an appeal',
  second_look: 'gave a second look',
  paused: 'stopped flagging',
  resumed: 'went on with flagging',
  added_reviewer: 'added a reviewer',
  ended_reviewer: 'ended a reviewer’s role',
  new_setup_code: 'made a new setup code',
};
