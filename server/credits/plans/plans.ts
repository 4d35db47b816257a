import type { Reader, Tx } from '../../platform/db/database.ts';
import { fixed, prepared } from '../../platform/db/prepared.ts';
import type { SubscriptionRow } from '../../platform/db/schema.ts';
import { assertOne, lockWallet } from '../journal/journal.ts';
import { type PlanWindow, type WindowState, windowStart, windowState } from '../rules/planWindows.ts';

/** How long a plan still counts when its renewal is late: payment services charge some time after a period's end. */
const GRACE_MS = 24 * 3_600_000;

/** What decides whether a plan counts, and how much of it can be used. */
export type Period = Pick<SubscriptionRow, 'windows' | 'period_start' | 'period_end' | 'is_cancelled'>;

/** The windows of a plan that was already read. Empty without a plan, or outside its period. */
export async function windowsOf(
  db: Reader,
  ledgerId: string,
  plan: Period | undefined,
  now: number,
): Promise<WindowState[]> {
  if (!plan || !counts(plan, now)) return [];
  const windows = JSON.parse(plan.windows) as PlanWindow[];
  return Promise.all(
    windows.map(async (window) => {
      const from = windowStart(window, now);
      const use = await sumUse.first(db, { ledgerId, from });
      const firstAt = use?.first_at ?? null;
      const first = firstAt === null ? undefined : await sumUseAt.first(db, { ledgerId, at: firstAt });
      return windowState(window, {
        usedMicro: Number(use?.used ?? 0),
        firstAt,
        firstMicro: Number(first?.used ?? 0),
        lastAt: use?.last_at ?? null,
      });
    }),
  );
}

/** The plan that is valid at `now`. */
export async function findPlan(db: Reader, ledgerId: string, now: number): Promise<SubscriptionRow | undefined> {
  const plan = await selectPlan.first(db, { ledgerId });
  return plan && counts(plan, now) ? plan : undefined;
}

const counts = (plan: Period, now: number) =>
  now >= plan.period_start && now < plan.period_end + (plan.is_cancelled ? 0 : GRACE_MS);

const selectPlan = prepared((db, p: { ledgerId: string }) =>
  db.selectFrom('subscription').selectAll().where('ledger_id', '=', p.ledgerId).where('state', '=', fixed('active')),
);

const sumUse = prepared((db, p: { ledgerId: string; from: number }) =>
  db
    .selectFrom('plan_use')
    .select((eb) => [
      eb.fn.sum<number | string | null>('amount').as('used'),
      eb.fn.min('at').as('first_at'),
      eb.fn.max('at').as('last_at'),
    ])
    .where('ledger_id', '=', p.ledgerId)
    .where('at', '>', p.from)
    .where('amount', '>', 0),
);

const sumUseAt = prepared((db, p: { ledgerId: string; at: number }) =>
  db
    .selectFrom('plan_use')
    .select((eb) => eb.fn.sum<number | string | null>('amount').as('used'))
    .where('ledger_id', '=', p.ledgerId)
    .where('at', '=', p.at),
);

/** Counts a hold's share of the plan in its windows, from the hold's instant on. */
export async function beginPlanUse(
  tx: Tx,
  use: { holdId: string; ledgerId: string; amountMicro: number; at: number },
): Promise<void> {
  await insertUse.run(tx, use);
}

const insertUse = prepared((db, p: { holdId: string; ledgerId: string; amountMicro: number; at: number }) =>
  db.insertInto('plan_use').values({ hold_id: p.holdId, ledger_id: p.ledgerId, amount: p.amountMicro, at: p.at }),
);

/** Stores what a resolved hold used of the plan; the rest is free again. */
export async function usePlan(tx: Tx, holdId: string, amountMicro: number): Promise<void> {
  assertOne(await updateUse.run(tx, { holdId, amountMicro }), 'a hold without its use of the plan');
}

const updateUse = prepared((db, p: { holdId: string; amountMicro: number }) =>
  db.updateTable('plan_use').set({ amount: p.amountMicro }).where('hold_id', '=', p.holdId),
);

/** A plan as it is sold, for one paid period. Times are epoch milliseconds. */
export interface PlanPeriod {
  plan: string;
  windows: readonly PlanWindow[];
  interval: 'month' | 'year';
  from: number;
  to: number;
}

/**
 * Starts a plan of an account. A paid plan replaces a given one. False, and nothing changes, if the account has another
 * plan that goes on.
 */
export async function startPlan(
  tx: Tx,
  started: PlanPeriod & { id: string; accountId: string; paymentRef: string | null; at: number },
): Promise<boolean> {
  const ledgerId = await lockWallet(tx, started.accountId);
  // Mark plans whose time is over as ended; no event does.
  await tx
    .updateTable('subscription')
    .set({ state: 'ended' })
    .where('ledger_id', '=', ledgerId)
    .where('state', '=', 'active')
    .where((eb) =>
      eb.or([
        eb('period_end', '<=', started.at - GRACE_MS),
        eb.and([eb('period_end', '<=', started.at), eb('is_cancelled', '=', 1)]),
        ...(started.paymentRef === null ? [] : [eb('payment_ref', 'is', null)]),
      ]),
    )
    .execute();
  const made = await tx
    .insertInto('subscription')
    .values({
      id: started.id,
      ledger_id: ledgerId,
      plan: started.plan,
      windows: JSON.stringify(started.windows),
      interval: started.interval,
      state: 'active',
      period_start: started.from,
      period_end: started.to,
      is_cancelled: 0,
      payment_ref: started.paymentRef,
      created_at: started.at,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return made.numInsertedOrUpdatedRows === 1n;
}

/** Moves a plan to its next paid period. A repeated or late call changes nothing. False if no such plan is active. */
export async function renewPlan(tx: Tx, id: string, next: PlanPeriod): Promise<boolean> {
  const row = await tx
    .updateTable('subscription')
    .set((eb) => ({
      plan: eb.case().when('period_end', '<', next.to).then(next.plan).else(eb.ref('plan')).end(),
      windows: eb
        .case()
        .when('period_end', '<', next.to)
        .then(JSON.stringify(next.windows))
        .else(eb.ref('windows'))
        .end(),
      interval: next.interval,
      period_end: eb.case().when('period_end', '<', next.to).then(next.to).else(eb.ref('period_end')).end(),
    }))
    .where('id', '=', id)
    .where('state', '=', 'active')
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Ends a plan with its paid period, or lets it renew after all. False if no such plan is active. */
export async function cancelPlan(tx: Tx, id: string, isCancelled: boolean): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('subscription')
    .set({ is_cancelled: isCancelled ? 1 : 0 })
    .where('id', '=', id)
    .where('state', '=', 'active')
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Ends a plan at once. Running answers keep what they hold of it. */
export async function endPlan(tx: Tx, id: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('subscription')
    .set({ state: 'ended' })
    .where('id', '=', id)
    .where('state', '=', 'active')
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
