import { iso } from '../../platform/clock.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Tx } from '../../platform/db/database.ts';
import { postedOf, readFunds, tryLockWallet, writeLog } from '../journal/journal.ts';
import type { PlanWindow } from '../rules/planWindows.ts';
import { cancelPlan, endPlan, findPlan, startPlan } from './plans.ts';

// Plans that the operator gives and ends. They cost nothing, never renew, and are replaced by a paid plan.

export type PlanGiven =
  | { kind: 'given' }
  | { kind: 'as_before' }
  | { kind: 'paid_for'; plan: string; until: number }
  | { kind: 'closed' };

/**
 * Gives an account a plan until `until` (epoch ms), replacing a given one. The owner sees `reason` in the token log.
 * Giving it again with the same end changes nothing. `closed`: the account was merged or deleted meanwhile.
 */
export async function givePlan(
  tx: Tx,
  given: {
    accountId: string;
    id: string;
    plan: { id: string; name: string; windows: readonly PlanWindow[] };
    until: number;
    reason: string;
    at: number;
  },
): Promise<PlanGiven> {
  const { accountId, id, plan, until, reason, at } = given;
  const ledgerId = await tryLockWallet(tx, accountId);
  if (ledgerId === null) return { kind: 'closed' };
  const before = await findPlan(tx, ledgerId, at);
  if (before && before.payment_ref !== null) return { kind: 'paid_for', plan: before.plan, until: before.period_end };
  if (before?.plan === plan.id && before.period_end === until) return { kind: 'as_before' };
  if (before) await endPlan(tx, before.id);
  const period = { plan: plan.id, windows: plan.windows, interval: 'month' as const, from: at, to: until };
  const hasStarted = await startPlan(tx, { ...period, id, accountId, paymentRef: null, at });
  if (!hasStarted) throw new Error('credits: a plan beside another, under a lock');
  await cancelPlan(tx, id, true);
  const told = `The plan ${plan.name} was given to you until ${iso(until).slice(0, 10)}: ${reason}`;
  await tell(tx, { accountId, ledgerId, id: `plan:${id}:begun`, reason: told, at });
  return { kind: 'given' };
}

export type PlanEnded = { kind: 'ended' } | { kind: 'none' } | Extract<PlanGiven, { kind: 'paid_for' | 'closed' }>;

/** Ends a given plan at once; running answers keep what they hold of it. The owner sees `reason`. */
export async function endGivenPlan(
  tx: Tx,
  { accountId, reason, at }: { accountId: string; reason: string; at: number },
): Promise<PlanEnded> {
  const ledgerId = await tryLockWallet(tx, accountId);
  if (ledgerId === null) return { kind: 'closed' };
  const plan = await findPlan(tx, ledgerId, at);
  if (!plan) return { kind: 'none' };
  if (plan.payment_ref !== null) return { kind: 'paid_for', plan: plan.plan, until: plan.period_end };
  await endPlan(tx, plan.id);
  const told = `The plan that was given to you was ended: ${reason}`;
  await tell(tx, { accountId, ledgerId, id: `plan:${plan.id}:over`, reason: told, at });
  return { kind: 'ended' };
}

async function tell(
  tx: Tx,
  { accountId, ledgerId, ...line }: { accountId: string; ledgerId: string; id: string; reason: string; at: number },
): Promise<void> {
  const balance = postedOf(await readFunds(tx, ledgerId));
  await writeLog(tx, ledgerId, { ...line, kind: 'plan', amount: 0, balance });
  changed(tx, accountId, 'balance', accountId);
}
