import { grant } from '../../credits/holds/store.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ReferralConfig } from '../../platform/config/signInConfig.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { ReferralRewardRow } from '../../platform/db/schema.ts';
import { isRevoked } from './links.ts';
import { deedsOf, dueReasons, lockReferrer, NETWORK_DAYS, REWARD_TEXTS, sharesDevice } from './referrals.ts';

/** Referrals read at a time, so that one turn of the job is short. */
const AT_ONCE = 200;
const DAY_MS = 24 * 3_600_000;

export interface RewardDeps {
  db: Database;
  clock: Clock;
  policy: ReferralConfig;
}

/**
 * Checks every referred account that was active since the last check, and pays due rewards: `pending` becomes
 * `verified` by what the account did, and `verified` becomes `paid` in one transaction with the credits. Several nodes
 * may run this at once. Returns how many rewards were paid.
 */
export async function payRewards(deps: RewardDeps): Promise<number> {
  if (!deps.policy.enabled) return 0;
  let paid = 0;
  for (let after = ''; ; ) {
    const open = await openReferrals(deps.db, after);
    for (const referral of open) {
      if (referral.newest > referral.seen) await verify(deps, referral);
      paid += await payVerified(deps, referral);
    }
    if (open.length < AT_ONCE) return paid;
    after = open.at(-1)!.id;
  }
}

interface OpenReferral {
  id: string;
  referrerId: string;
  referredId: string;
  /** The newest line of the referred account's token log, and the newest one that was checked. */
  newest: number;
  seen: number;
}

async function openReferrals(db: Database, after: string): Promise<OpenReferral[]> {
  const rows = await db.read
    .selectFrom('referral')
    .innerJoin('wallet', (join) =>
      join.onRef('wallet.account_id', '=', 'referral.referred_id').on('wallet.is_own', '=', 1),
    )
    .select((eb) => [
      'referral.id',
      'referral.referrer_id',
      'referral.referred_id',
      'referral.seen_seq',
      eb
        .selectFrom('log_entry')
        .select((e) => e.fn.max('seq').as('newest'))
        .whereRef('log_entry.ledger_id', '=', 'wallet.ledger_id')
        .as('newest'),
    ])
    .where('referral.id', '>', after)
    .where('referral.refused', 'is', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('referral_link')
            .select('code')
            .whereRef('referral_link.account_id', '=', 'referral.referrer_id')
            .where('referral_link.revoked_at', 'is not', null),
        ),
      ),
    )
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('referral_reward')
          .select('reason')
          .whereRef('referral_reward.referral_id', '=', 'referral.id')
          .where('referral_reward.state', '<>', 'paid'),
      ),
    )
    .orderBy('referral.id')
    .limit(AT_ONCE)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    referrerId: row.referrer_id,
    referredId: row.referred_id,
    newest: Number(row.newest ?? 0),
    seen: Number(row.seen_seq),
  }));
}

/** Marks due rewards as verified, or refuses all if another account uses the same device. */
async function verify({ db, policy }: RewardDeps, { id, referrerId, referredId, newest }: OpenReferral): Promise<void> {
  await db.write(async (tx) => {
    const refused = (await sharesDevice(tx, referredId)) ? ('same_device' as const) : null;
    await tx.updateTable('referral').set({ seen_seq: newest, refused }).where('id', '=', id).execute();
    if (refused) return changed(tx, referrerId, 'balance', referrerId);
    const due = dueReasons(policy, await deedsOf(tx, referredId));
    if (due.length === 0) return;
    await tx
      .updateTable('referral_reward')
      .set({ state: 'verified' })
      .where('referral_id', '=', id)
      .where('reason', 'in', due)
      .where('state', '=', 'pending')
      .execute();
  });
}

async function payVerified({ db, clock, policy }: RewardDeps, referral: OpenReferral): Promise<number> {
  const due = await db.read
    .selectFrom('referral_reward')
    .selectAll()
    .where('referral_id', '=', referral.id)
    .where('state', '=', 'verified')
    .execute();
  let paid = 0;
  for (const reward of due) if (await db.write((tx) => pay(tx, policy, referral, reward, clock.now()))) paid++;
  return paid;
}

/** False if another node has paid it, if the monthly maximum of its kind is reached, or if the link was revoked. */
async function pay(
  tx: Tx,
  policy: ReferralConfig,
  referral: OpenReferral,
  { reason, side, amount }: ReferralRewardRow,
  at: number,
): Promise<boolean> {
  await lockReferrer(tx, referral.referrerId);
  if (await isRevoked(tx, referral.referrerId)) return false;
  if (reason === 'spent' && (await paidThisMonth(tx, referral.referrerId, at)) >= policy.spentPerMonth) return false;
  const { numUpdatedRows } = await tx
    .updateTable('referral_reward')
    .set({ state: 'paid', paid_at: at })
    .where('referral_id', '=', referral.id)
    .where('reason', '=', reason)
    .where('side', '=', side)
    .where('state', '=', 'verified')
    .where((eb) =>
      eb.exists(eb.selectFrom('referral').select('id').where('id', '=', referral.id).where('refused', 'is', null)),
    )
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return false;
  const accountId = side === 'referrer' ? referral.referrerId : referral.referredId;
  const requestId = `referral:${referral.id}:${reason}:${side}`;
  await grant(tx, { accountId, amountMicro: Number(amount), requestId, reason: REWARD_TEXTS[side][reason], at });
  changed(tx, accountId, 'balance', accountId);
  return true;
}

async function paidThisMonth(tx: Tx, referrerId: string, at: number): Promise<number> {
  const now = new Date(at);
  const { count } = await tx
    .selectFrom('referral_reward')
    .innerJoin('referral', 'referral.id', 'referral_reward.referral_id')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .where('referral.referrer_id', '=', referrerId)
    .where('referral_reward.reason', '=', 'spent')
    .where('referral_reward.paid_at', '>=', Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Deletes the networks of referred people after a month. */
export async function purgeNetworks(tx: Tx, now: number): Promise<void> {
  await tx
    .updateTable('referral')
    .set({ network: null })
    .where('network', 'is not', null)
    .where('joined_at', '<', now - NETWORK_DAYS * DAY_MS)
    .execute();
}
