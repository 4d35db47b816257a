import { APPEAL_DAYS, type DecisionKind } from '../../../shared/decisions.ts';
import type { Dossier } from '../../../shared/risk.ts';
import { iso } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { DecisionRow } from '../../platform/db/schema.ts';
import { AppError } from '../../platform/errors.ts';
import { endFlag, lockFlag, openEndedFlag } from '../../risk/flags/store.ts';
import { recordAct } from '../reviewers/acts.ts';
import { noSuchCase } from '../reviewers/guard.ts';
import { findReviewer } from '../reviewers/store.ts';
import { type EffectDeps, endEarlier, type Made, takeEffect } from './effects.ts';
import { mayDecide, RULES } from './rules.ts';
import { deciderOf, findDecisions, insertDecision } from './store.ts';

const DAY_MS = 24 * 3_600_000;
/** The longest suspension: a year, which may be a leap year. */
const LONGEST_MS = 366 * DAY_MS;

/** What a reviewer wants to decide. */
export interface Wish {
  /** The case. */
  number: number;
  /** How many decisions in it the reviewer has seen. */
  step: number;
  kind: DecisionKind;
  why: string;
  /** Epoch ms; only for a suspension, which needs it. */
  until: number | null;
  reviewerId: string;
  at: number;
}

/**
 * Decides a case, with all that follows: the end of the flag (but for a question), the effect on the account, the word
 * to its owner. Of two reviewers at once, the second is refused (`already_decided`) with what the first decided.
 */
export async function decide(tx: Tx, deps: EffectDeps, wish: Wish): Promise<DecisionRow> {
  const { number, step, kind, why, reviewerId, at } = wish;
  await requireReviewer(tx, reviewerId, at);
  const flag = await lockFlag(tx, number);
  if (!flag) throw noSuchCase();
  const { accountId } = flag;
  const decisions = await findDecisions(tx, number);
  const last = decisions.at(-1);
  if (last && step < decisions.length && accountId !== reviewerId) throw await decidedBefore(tx, last);
  const state = {
    ...{ kind: flag.kind, accountId, endedAt: flag.endedAt, reviewerId },
    ...{ lastKind: last?.kind ?? null, isAnswered: last?.answer != null },
  };
  const { may, whyNot } = mayDecide(state);
  if (whyNot) throw new AppError(whyNot.code, whyNot.text);
  if (step > decisions.length)
    throw new AppError('invalid_request', `step: this case has ${decisions.length} decisions. Read it again.`);
  if (!may.includes(kind))
    throw new AppError('not_to_decide', `Here you can decide: ${may.join(', ')}. Nothing was decided.`);
  const made = await make(tx, deps, {
    ...{ id: deps.ids.next(), flag_number: number, step, account_id: accountId!, kind, why, rule: RULES[flag.kind] },
    ...{ until_at: untilOf(wish), delete_at: kind === 'close' ? at + APPEAL_DAYS * DAY_MS : null },
    ...{ taken_micro: null, reviewer_id: reviewerId, is_operators: 0, at },
  });
  if (kind !== 'ask') await endFlag(tx, number, at);
  await recordAct(tx, { at, by: { reviewerId }, act: 'decided', flag: number, detail: kind });
  return made;
}

/** Stores a decision and carries it out. The owner's editor and page are told on every node. */
async function make(tx: Tx, deps: EffectDeps, made: Made): Promise<DecisionRow> {
  // First: what it takes back is known afterwards.
  const taken_micro = await takeEffect(tx, deps, made);
  const row = { ...made, taken_micro };
  await insertDecision(tx, row);
  changed(tx, made.account_id, 'account', made.account_id);
  return { ...row, answer: null, answered_at: null };
}

/** The end of a suspension, epoch ms. Null for other decisions. Throws if it is none, over, or too far away. */
function untilOf({ kind, until, at }: Wish): number | null {
  const refused = (text: string) =>
    new AppError('invalid_request', `until: ${text} Nothing was decided.`, {
      issues: [{ path: 'until', message: text }],
    });
  if (kind !== 'suspend') {
    if (until === null) return null;
    throw refused('only a suspension has an end.');
  }
  if (until === null) throw refused('a suspension needs an end. To end the account, close it.');
  if (until <= at) throw refused(`${iso(until)} is over already.`);
  if (until > at + LONGEST_MS) throw refused('a suspension lasts at most a year.');
  return until;
}

async function decidedBefore(tx: Tx, last: DecisionRow): Promise<AppError> {
  const text = `${await deciderOf(tx, last)} decided "${last.kind}" in this case on ${iso(last.at)}. Nothing was decided now; read the case again.`;
  return new AppError('already_decided', text);
}

/** The role may have ended since the request came. */
export async function requireReviewer(tx: Tx, accountId: string, at: number): Promise<void> {
  if (!(await findReviewer(tx, accountId, at))) throw noSuchCase();
}

/**
 * The operator's suspension, as a case that is opened and decided at once, so that its owner can appeal. It takes the
 * place of earlier ones. Returns the number of the case.
 */
export async function suspendByOperator(
  tx: Tx,
  deps: EffectDeps,
  { accountId, why, until, at }: { accountId: string; why: string; until: number | null; at: number },
): Promise<number> {
  const number = await openEndedFlag(tx, accountId, nothingSeen(at), at);
  await endEarlier(tx, accountId, at);
  await make(tx, deps, {
    ...{ id: deps.ids.next(), flag_number: number, step: 0, account_id: accountId, kind: 'suspend', why },
    ...{ rule: RULES.operator, until_at: until, delete_at: null, taken_micro: null, reviewer_id: null },
    ...{ is_operators: 1, at },
  });
  await recordAct(tx, { at, by: 'operator', act: 'decided', flag: number, detail: 'suspend' });
  return number;
}

/** The dossier of a decision that no signals led to. */
const nothingSeen = (at: number): Dossier => ({
  kind: 'operator',
  madeAt: iso(at),
  observedSince: iso(at),
  nats: { all: 0, persons: 0, transport: 0, identity: 0, against: 0 },
  probability: 0,
  rule: 'The operator decided this by a command.',
  rulesVersion: 0,
  thresholdVersion: 0,
  lines: [],
});
