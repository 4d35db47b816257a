import type { Selectable } from 'kysely';
import type { ReferralsAnswer, Reward, RewardReason } from '../../../shared/credits.ts';
import type { Ids } from '../../platform/clock.ts';
import type { AccountConfig, ReferralConfig, SignInConfig } from '../../platform/config/signInConfig.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { ReferralRewardRow, ReferralTable } from '../../platform/db/schema.ts';
import { ownerOfLink } from './links.ts';

export type ReferralRow = Selectable<ReferralTable>;
export type Refusal = NonNullable<ReferralRow['refused']>;

const DAY_MS = 24 * 3_600_000;
/** How long the network of a referred person is stored. */
export const NETWORK_DAYS = 30;

/** Why a referral earns nothing, in the words for each side. */
export const REFUSALS: Record<ReferralRewardRow['side'], Record<Refusal, string>> = {
  referrer: {
    own_browser: 'They joined in a browser where you were signed in.',
    same_device: 'They use an editor that another account uses, too.',
    same_person: 'They had an account here before.',
    same_network: 'Too many joined from one network on one day.',
  },
  referred: {
    own_browser: 'You joined in a browser where the owner of the link was signed in.',
    same_device: 'You use an editor that another account uses, too.',
    same_person: 'You had an account here before.',
    same_network: 'Too many joined from your network on that day.',
  },
};

interface ReferralDeps {
  policy: { accounts: AccountConfig };
  signIn: SignInConfig;
  /** Whether anything is on sale here. */
  isSelling: boolean;
}

/** Whether people can join by a link here: sign-up must be open, and something must be there to earn. */
export function areReferralsOn(deps: ReferralDeps): boolean {
  const { providers, mail } = deps.signIn;
  const brings = Object.values(referralTerms(deps)).some(({ amountMicro }) => amountMicro > 0);
  return deps.policy.accounts.referrals.enabled && brings && (providers.length > 0 || mail !== null);
}

/** The rewards that can be earned here; 0 for those that can't. */
export function referralTerms({ policy, isSelling }: Omit<ReferralDeps, 'signIn'>): ReferralsAnswer['terms'] {
  const { referrals } = policy.accounts;
  return {
    spent: {
      spentMicro: referrals.spentMicro,
      amountMicro: referrals.spentRewardMicro,
      perMonth: referrals.spentPerMonth,
    },
    firstPayment: { amountMicro: isSelling ? referrals.firstPaymentRewardMicro : 0 },
    used: { tokens: referrals.usedTokens, amountMicro: referrals.usedRewardMicro },
  };
}

/** Whether this reward can still be earned: if nothing is on sale, there is no first payment. */
export const mayBeEarned = ({ isSelling }: Pick<ReferralDeps, 'isSelling'>, { reason, state }: Reward): boolean =>
  isSelling || reason !== 'first_payment' || state !== 'pending';

/** A new account whose owner came by a link. */
export interface Joined {
  code: string;
  accountId: string;
  /** The same person has never had an account here. */
  isFirst: boolean;
  /** The account that was signed in in the same browser. */
  signedInHere: string | null;
  /** Keyed hash of the network; null for this machine itself. */
  network: string | null;
  at: number;
}

/**
 * Stores a referral and its possible rewards. If both sides look like one person, it earns nothing and stores the
 * reason.
 */
export async function join(tx: Tx, deps: { ids: Ids; policy: ReferralConfig }, joined: Joined): Promise<void> {
  const { policy } = deps;
  const referrer = await ownerOfLink(tx, joined.code);
  if (referrer === null || referrer === joined.accountId || !policy.enabled) return;
  // People who join by one link at the same time must count each other.
  await lockReferrer(tx, referrer);
  const id = deps.ids.next();
  const refused = await refusalAtJoin(tx, policy, referrer, joined);
  const { network, at } = joined;
  await tx
    .insertInto('referral')
    .values({ id, referred_id: joined.accountId, referrer_id: referrer, joined_at: at, network, refused })
    .execute();
  const rewards = [
    { reason: 'spent', side: 'referrer', amount: policy.spentRewardMicro },
    { reason: 'first_payment', side: 'referrer', amount: policy.firstPaymentRewardMicro },
    { reason: 'used', side: 'referrer', amount: policy.usedRewardMicro },
    { reason: 'used', side: 'referred', amount: policy.usedRewardMicro },
  ] as const;
  const due = rewards.filter(({ amount }) => amount > 0);
  if (due.length > 0)
    await tx
      .insertInto('referral_reward')
      .values(due.map((reward) => ({ referral_id: id, ...reward, state: 'pending' as const, paid_at: null })))
      .execute();
  changed(tx, referrer, 'balance', referrer);
}

async function refusalAtJoin(
  tx: Tx,
  policy: ReferralConfig,
  referrer: string,
  { isFirst, signedInHere, network, at }: Joined,
): Promise<Refusal | null> {
  if (signedInHere === referrer) return 'own_browser';
  if (!isFirst) return 'same_person';
  if (network === null) return null;
  const { count } = await tx
    .selectFrom('referral')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .where('referrer_id', '=', referrer)
    .where('network', '=', network)
    .where('joined_at', '>', at - DAY_MS)
    .executeTakeFirstOrThrow();
  return Number(count) >= policy.perNetworkDay ? 'same_network' : null;
}

/** Locks a referrer, so that counting and paying its rewards is serial. A no-op update locks on both engines. */
export async function lockReferrer(tx: Tx, referrerId: string): Promise<void> {
  await tx
    .updateTable('referral_link')
    .set((eb) => ({ code: eb.ref('code') }))
    .where('account_id', '=', referrerId)
    .execute();
}

/** Whether another account uses a device of this account, or did within the last weeks. */
export async function sharesDevice(db: Reader, accountId: string): Promise<boolean> {
  const row = await db
    .selectFrom('session as own')
    .innerJoin('session as other', 'other.jkt', 'own.jkt')
    .select('other.id')
    .where('own.account_id', '=', accountId)
    .where('own.jkt', 'is not', null)
    .where('other.account_id', '<>', accountId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** What decides about rewards: the account's own spending and usage, without what it used as a guest. */
export interface Deeds {
  spentMicro: number;
  tokens: number;
  hasPaid: boolean;
}

export async function deedsOf(db: Reader, accountId: string): Promise<Deeds> {
  const sums = await db
    .selectFrom('log_entry')
    .innerJoin('wallet', 'wallet.ledger_id', 'log_entry.ledger_id')
    .select((eb) => [
      eb.fn.sum<number | string | null>('amount').as('micro'),
      eb.fn.sum<number | string | null>('input_tokens').as('input'),
      eb.fn.sum<number | string | null>('output_tokens').as('output'),
    ])
    .where('wallet.account_id', '=', accountId)
    .where('wallet.is_own', '=', 1)
    .where('log_entry.kind', 'in', ['charge', 'refund'])
    .executeTakeFirstOrThrow();
  // A refunded or disputed payment doesn't count.
  const payment = await db
    .selectFrom('payment')
    .innerJoin('wallet', 'wallet.ledger_id', 'payment.ledger_id')
    .select('payment.id')
    .where('wallet.account_id', '=', accountId)
    .where('payment.state', '=', 'paid')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('payment_reversal')
            .select('payment_reversal.id')
            .whereRef('payment_reversal.payment_id', '=', 'payment.id')
            .where('payment_reversal.state', '=', 'taken'),
        ),
      ),
    )
    .limit(1)
    .executeTakeFirst();
  return {
    spentMicro: -Number(sums.micro ?? 0),
    tokens: Number(sums.input ?? 0) + Number(sums.output ?? 0),
    hasPaid: payment !== undefined,
  };
}

/** The rewards that these deeds make due. */
export function dueReasons(policy: ReferralConfig, deeds: Deeds): RewardReason[] {
  const isDue: Record<RewardReason, boolean> = {
    spent: deeds.spentMicro >= policy.spentMicro,
    first_payment: deeds.hasPaid,
    used: deeds.tokens >= policy.usedTokens,
  };
  return (Object.keys(isDue) as RewardReason[]).filter((reason) => isDue[reason]);
}

export const REWARD_TEXTS: Record<ReferralRewardRow['side'], Record<RewardReason, string>> = {
  referrer: {
    spent: 'Somebody joined by your link and uses Perigee',
    first_payment: 'Somebody who joined by your link paid for the first time',
    used: 'Somebody who joined by your link has used much',
  },
  referred: {
    spent: 'You joined by a link',
    first_payment: 'You joined by a link',
    used: 'You joined by a link and have used much',
  },
};
