import { type Kysely, type Migration, sql } from 'kysely';

/** Who joined by whose link, and the rewards. The rows are deleted with either account. */
export const referrals: Migration = {
  async up(db: Kysely<unknown>) {
    const statements = [
      sql`create table referral_link (
        account_id text primary key references account(id) on delete cascade, code text not null unique,
        created_at bigint not null)`,
      sql`create table referral (
        id text primary key, referred_id text not null unique references account(id) on delete cascade,
        referrer_id text not null references account(id) on delete cascade, joined_at bigint not null,
        network text, refused text, seen_seq bigint not null default 0, check (referred_id <> referrer_id))`,
      sql`create index referral_referrer on referral (referrer_id, joined_at)`,
      sql`create index referral_network on referral (joined_at) where network is not null`,
      // One reward for each pair, reason and side, ever.
      sql`create table referral_reward (
        referral_id text not null references referral(id) on delete cascade,
        reason text not null check (reason in ('spent','first_payment','used')),
        side text not null check (side in ('referrer','referred')),
        state text not null check (state in ('pending','verified','paid')), amount bigint not null check (amount > 0),
        paid_at bigint, primary key (referral_id, reason, side), check ((state = 'paid') = (paid_at is not null)))`,
      sql`create index referral_reward_open on referral_reward (referral_id) where state <> 'paid'`,
    ];
    for (const statement of statements) await statement.execute(db);
  },
};
