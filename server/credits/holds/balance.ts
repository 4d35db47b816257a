import type { Balance } from '../../../shared/account.ts';
import type { Reader } from '../../platform/db/database.ts';
import { fixed, prepared } from '../../platform/db/prepared.ts';
import type { SubscriptionRow } from '../../platform/db/schema.ts';
import { type Period, windowsOf } from '../plans/plans.ts';
import { available, CREDITS, type Credit } from '../rules/ledger.ts';
import { tightestOf } from '../rules/planWindows.ts';

/**
 * Everything that balances are made of, one row per ledger. Callers narrow it to one account and join more to it,
 * because on PostgreSQL each statement costs a round trip.
 */
export const selectBalances = (db: Reader) =>
  db
    .selectFrom('wallet')
    .innerJoin('balance as given', (join) =>
      join.onRef('given.ledger_id', '=', 'wallet.ledger_id').on('given.kind', '=', fixed('promotional')),
    )
    .innerJoin('balance as bought', (join) =>
      join.onRef('bought.ledger_id', '=', 'wallet.ledger_id').on('bought.kind', '=', fixed('purchased')),
    )
    .leftJoin('subscription', (join) =>
      join.onRef('subscription.ledger_id', '=', 'wallet.ledger_id').on('subscription.state', '=', fixed('active')),
    )
    .select(['wallet.ledger_id', 'wallet.of_micro', 'wallet.is_own'])
    .select(['given.posted as given_posted', 'given.pending as given_pending'])
    .select(['bought.posted as bought_posted', 'bought.pending as bought_pending'])
    .select(['subscription.windows', 'subscription.period_start', 'subscription.period_end'])
    .select('subscription.is_cancelled')
    // The sum of the plan that open holds take.
    .select((eb) =>
      eb
        .selectFrom('hold')
        .select((sum) => sum.fn.sum<number | string | null>('hold.plan').as('pending'))
        .whereRef('hold.ledger_id', '=', 'wallet.ledger_id')
        .where('hold.state', '=', fixed('pending'))
        .as('plan_pending'),
    );

export type BalanceRow = Awaited<ReturnType<ReturnType<typeof selectBalances>['execute']>>[number];

/**
 * An account's balance at `now`, in its wire format: the plan's windows and the credits. `rows` are all rows of the
 * account; `guestRunMicro` is the flat price of a guest's run.
 */
export async function toBalance(
  db: Reader,
  rows: readonly BalanceRow[],
  guestRunMicro: number | null,
  now: number,
): Promise<Balance> {
  const own = rows.find((row) => row.is_own === 1);
  const windows = own ? await windowsOf(db, own.ledger_id, planOf(own), now) : [];
  const tightest = tightestOf(windows);
  const sum = (column: 'given_posted' | 'given_pending' | 'bought_posted' | 'bought_pending') =>
    rows.reduce((total, row) => total + row[column], 0);
  const funds = {
    promotional: { posted: sum('given_posted'), pending: sum('given_pending') },
    purchased: { posted: sum('bought_posted'), pending: sum('bought_pending') },
  };
  const creditsMicro = available(funds);
  const left = (credit: Credit) => funds[credit].posted - funds[credit].pending;
  return {
    availableMicro: (tightest?.leftMicro ?? 0) + creditsMicro,
    pendingMicro: CREDITS.reduce((sum, credit) => sum + funds[credit].pending, 0) + Number(own?.plan_pending ?? 0),
    ofMicro: (tightest?.limitMicro ?? 0) + (own?.of_micro ?? 0),
    promotionalMicro: left('promotional'),
    purchasedMicro: left('purchased'),
    ...(guestRunMicro ? { guestMessagesLeft: Math.floor(creditsMicro / guestRunMicro) } : {}),
    windows: windows.map(({ leftMicro: _, ...window }) => window),
  };
}

/** Like `toBalance`, by the account's id. */
export async function readBalance(
  db: Reader,
  accountId: string,
  guestRunMicro: number | null,
  now: number,
): Promise<Balance> {
  return toBalance(db, await selectBalance.all(db, { accountId }), guestRunMicro, now);
}

const selectBalance = prepared((db, p: { accountId: string }) =>
  selectBalances(db).where('wallet.account_id', '=', p.accountId),
);

type PlanRow = { [K in keyof Period]: SubscriptionRow[K] | null };

/** The plan in the row, if the ledger has one. */
export function planOf(row: PlanRow): Period | undefined {
  const { windows, period_start, period_end, is_cancelled } = row;
  if (windows === null || period_start === null || period_end === null || is_cancelled === null) return undefined;
  return { windows, period_start, period_end, is_cancelled };
}
