import type { Referral, ReferralsAnswer, Reward, RewardReason } from '../../../shared/credits.ts';
import { iso } from '../../platform/clock.ts';
import type { Reader } from '../../platform/db/database.ts';
import type { ReferralRewardRow } from '../../platform/db/schema.ts';
import { AppError } from '../../platform/errors.ts';
import { deedsOf, REFUSALS, type ReferralRow } from './referrals.ts';

/** The people who joined by an account's link, newest first; `before` comes from the previous page. */
export async function referralsOf(
  db: Reader,
  accountId: string,
  before: string | undefined,
  limit: number,
): Promise<Pick<ReferralsAnswer, 'referrals' | 'before'>> {
  let query = db
    .selectFrom('referral')
    .selectAll()
    .where('referrer_id', '=', accountId)
    .orderBy('joined_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (before !== undefined) {
    const [, at, id] = /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(before) ?? [];
    if (!at || !id) throw new AppError('invalid_request', 'before must be what the page before this one gave.');
    query = query.where((eb) =>
      eb.or([eb('joined_at', '<', Number(at)), eb.and([eb('joined_at', '=', Number(at)), eb('id', '<', id)])]),
    );
  }
  const rows = await query.execute();
  const shown = rows.slice(0, limit);
  const rewards = await rewardsOf(db, shown, 'referrer');
  const last = shown.at(-1);
  return {
    referrals: shown.map((row) => toReferral(row, rewards.get(row.id) ?? [])),
    before: rows.length > limit && last ? `${last.joined_at}.${last.id}` : null,
  };
}

async function rewardsOf(
  db: Reader,
  rows: readonly Pick<ReferralRow, 'id'>[],
  side: ReferralRewardRow['side'],
): Promise<Map<string, Reward[]>> {
  const rewards = new Map<string, Reward[]>();
  if (rows.length === 0) return rewards;
  const ids = rows.map(({ id }) => id);
  const found = await db
    .selectFrom('referral_reward')
    .selectAll()
    .where('referral_id', 'in', ids)
    .where('side', '=', side)
    .execute();
  const order: RewardReason[] = ['spent', 'first_payment', 'used'];
  for (const reason of order)
    for (const row of found.filter((reward) => reward.reason === reason))
      rewards.set(row.referral_id, [...(rewards.get(row.referral_id) ?? []), toReward(row)]);
  return rewards;
}

const toReward = (row: ReferralRewardRow): Reward => ({
  reason: row.reason,
  state: row.state,
  amountMicro: Number(row.amount),
  paidAt: row.paid_at === null ? null : iso(Number(row.paid_at)),
});

const toReferral = (row: ReferralRow, rewards: Reward[]): Referral => ({
  id: row.id,
  joinedAt: iso(Number(row.joined_at)),
  rewards,
  refused: row.refused && REFUSALS.referrer[row.refused],
});

/** How many people joined by an account's link, and what the account has earned from them. */
export async function totalsOf(
  db: Reader,
  accountId: string,
): Promise<Pick<ReferralsAnswer, 'earnedMicro' | 'joined'>> {
  const { joined } = await db
    .selectFrom('referral')
    .select((eb) => eb.fn.countAll<number | string>().as('joined'))
    .where('referrer_id', '=', accountId)
    .executeTakeFirstOrThrow();
  const { earned } = await db
    .selectFrom('referral_reward')
    .innerJoin('referral', 'referral.id', 'referral_reward.referral_id')
    .select((eb) => eb.fn.sum<number | string | null>('referral_reward.amount').as('earned'))
    .where('referral.referrer_id', '=', accountId)
    .where('referral_reward.side', '=', 'referrer')
    .where('referral_reward.state', '=', 'paid')
    .executeTakeFirstOrThrow();
  return { joined: Number(joined), earnedMicro: Number(earned ?? 0) };
}

/** What this account gets because it joined by a link itself. */
export async function invitationOf(db: Reader, accountId: string): Promise<ReferralsAnswer['invited']> {
  const row = await db.selectFrom('referral').selectAll().where('referred_id', '=', accountId).executeTakeFirst();
  const reward = row && (await rewardsOf(db, [row], 'referred')).get(row.id)?.[0];
  if (!reward) return null;
  const { tokens } = await deedsOf(db, accountId);
  return { reward, tokensUsed: tokens, refused: row.refused && REFUSALS.referred[row.refused] };
}

/** All referrals, for the operator: newest first, with the amount earned or the reason for earning nothing. */
export async function allReferrals(db: Reader, { refusedOnly, limit }: { refusedOnly: boolean; limit: number }) {
  let query = db
    .selectFrom('referral')
    .innerJoin('account as referrer', 'referrer.id', 'referral.referrer_id')
    .innerJoin('account as referred', 'referred.id', 'referral.referred_id')
    .select(['referral.joined_at', 'referral.refused', 'referrer.id as referrerId', 'referred.id as referredId'])
    .select(['referrer.email as referrerEmail', 'referred.email as referredEmail'])
    .select((eb) =>
      eb
        .selectFrom('referral_reward')
        .select((e) => e.fn.sum<number | string | null>('amount').as('sum'))
        .whereRef('referral_reward.referral_id', '=', 'referral.id')
        .where('referral_reward.state', '=', 'paid')
        .as('paidMicro'),
    )
    // A reward for a payment that was refunded later: the operator must look at it.
    .select((eb) =>
      eb
        .exists(
          eb
            .selectFrom('referral_reward')
            .innerJoin('wallet', 'wallet.account_id', 'referral.referred_id')
            .innerJoin('payment', 'payment.ledger_id', 'wallet.ledger_id')
            .innerJoin('payment_reversal', 'payment_reversal.payment_id', 'payment.id')
            .select('payment.id')
            .whereRef('referral_reward.referral_id', '=', 'referral.id')
            .where('referral_reward.reason', '=', 'first_payment')
            .where('referral_reward.state', '=', 'paid')
            .where('payment_reversal.state', '=', 'taken'),
        )
        .as('wentBack'),
    )
    .orderBy('referral.joined_at', 'desc')
    .limit(limit);
  if (refusedOnly) query = query.where('referral.refused', 'is not', null);
  const rows = await query.execute();
  return rows.map((row) => ({
    joinedAt: iso(Number(row.joined_at)),
    referrer: row.referrerEmail ?? row.referrerId,
    joined: row.referredEmail ?? row.referredId,
    paidMicro: Number(row.paidMicro ?? 0),
    note: row.refused
      ? REFUSALS.referrer[row.refused]
      : row.wentBack
        ? 'Their payment went back after its reward.'
        : '',
  }));
}
