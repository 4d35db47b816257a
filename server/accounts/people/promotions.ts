import type { Selectable } from 'kysely';
import { MOST_PROMOTIONAL_MICRO } from '../../credits/holds/promotions.ts';
import { grant } from '../../credits/holds/store.ts';
import { readFunds, tryLockWallet } from '../../credits/journal/journal.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { PromotionRow } from '../../platform/db/schema.ts';
import { hashKeyed, hashSecret } from '../../platform/secrets.ts';
import { personOf } from './emails.ts';

// Promotions: credits for everybody who signs up, or who asks by a code, within a period, once each, out of a budget.

export type Promotion = Selectable<PromotionRow>;

const MOST_LISTED = 1000;

/** A promotion's name as it is stored, from what somebody typed; null if it can be none. */
export function readPromotionName(typed: string): string | null {
  const name = typed.normalize('NFKC').replace(/\s/g, '');
  return /^[A-Za-z0-9][A-Za-z0-9-]{2,39}$/.test(name) ? name.toUpperCase() : null;
}

/** False if there is, or was, a promotion of that name. */
export async function addPromotion(tx: Tx, promotion: Omit<Promotion, 'given'>): Promise<boolean> {
  const made = await tx
    .insertInto('promotion')
    .values(promotion)
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst();
  return made.numInsertedOrUpdatedRows === 1n;
}

/** Ends a promotion now. `over`: it ended before, at that time. What was given stays given. */
export async function endPromotion(
  tx: Tx,
  name: string,
  at: number,
): Promise<{ kind: 'ended'; promotion: Promotion } | { kind: 'over'; endsAt: number } | { kind: 'unknown' }> {
  const promotion = await lockPromotion(tx, name);
  if (!promotion) return { kind: 'unknown' };
  if (promotion.ends_at <= at) return { kind: 'over', endsAt: promotion.ends_at };
  await tx.updateTable('promotion').set({ ends_at: at }).where('name', '=', name).execute();
  return { kind: 'ended', promotion };
}

/** The newest first, those that are over too. */
export function listPromotions(db: Reader): Promise<Promotion[]> {
  return db.selectFrom('promotion').selectAll().orderBy('created_at', 'desc').limit(MOST_LISTED).execute();
}

export const isUsedUp = ({ amount, given, budget }: Promotion) => given + amount > budget;

/** Gives a new account what is promised to those who sign up now. The caller sees to it that a person signs up once. */
export async function giveToSignUp(tx: Tx, accountId: string, at: number): Promise<void> {
  const open = await openNow(tx, 'signups', at);
  for (const { name } of open) {
    const promotion = await lockPromotion(tx, name);
    if (!promotion || promotion.ends_at <= at || isUsedUp(promotion)) continue;
    await give(tx, promotion, accountId, at);
  }
}

/** Whether there is a promotion that this account can still ask for. */
export async function canClaim(db: Reader, secret: string, accountId: string, at: number): Promise<boolean> {
  const open = (await openNow(db, 'members', at)).filter((promotion) => !isUsedUp(promotion));
  if (open.length === 0) return false;
  const keys = open.map(({ name }) => claimKey(secret, name, ofAccount(accountId)));
  const claimed = await db.selectFrom('bonus_claim').select('key').where('key', 'in', keys).execute();
  return claimed.length < open.length;
}

export type Claimed =
  | { kind: 'given'; promotion: Promotion }
  | { kind: 'unknown' }
  | { kind: 'not_begun'; startsAt: number }
  | { kind: 'ended'; endsAt: number }
  | { kind: 'claimed' }
  | { kind: 'used_up' }
  /** The account has as many promotional credits as an account may have. */
  | { kind: 'too_much' }
  /** Merged or deleted meanwhile. */
  | { kind: 'closed' };

/**
 * Gives a member what a code promises: once for each person, never more than the budget. All who ask by one code wait here
 * for one another. A person is known by the ways to sign in, so a deleted and a second account get nothing again.
 */
export async function claimByCode(
  tx: Tx,
  secret: string,
  { accountId, code, at }: { accountId: string; code: string; at: number },
): Promise<Claimed> {
  const name = readPromotionName(code);
  const promotion = name === null ? undefined : await lockPromotion(tx, name);
  if (promotion?.audience !== 'members') return { kind: 'unknown' };
  if (promotion.starts_at > at) return { kind: 'not_begun', startsAt: promotion.starts_at };
  const keys = (await personsKeys(tx, accountId)).map((one) => claimKey(secret, promotion.name, one));
  const before = await tx.selectFrom('bonus_claim').select('key').where('key', 'in', keys).execute();
  if (before.length > 0) {
    // A way to sign in that came since then is the same person's.
    await noteClaim(tx, keys, at);
    return { kind: 'claimed' };
  }
  if (promotion.ends_at <= at) return { kind: 'ended', endsAt: promotion.ends_at };
  if (isUsedUp(promotion)) return { kind: 'used_up' };
  const given = await give(tx, promotion, accountId, at);
  if (given !== 'given') return { kind: given };
  await noteClaim(tx, keys, at);
  return { kind: 'given', promotion };
}

/** Takes one share out of the budget of a locked promotion, and gives it to an account. */
async function give(
  tx: Tx,
  { name, amount, why }: Promotion,
  accountId: string,
  at: number,
): Promise<'given' | 'closed' | 'too_much'> {
  const ledgerId = await tryLockWallet(tx, accountId);
  if (ledgerId === null) return 'closed';
  const { promotional } = await readFunds(tx, ledgerId);
  if (promotional.posted + amount > MOST_PROMOTIONAL_MICRO) return 'too_much';
  // From here it must succeed: the table refuses what is beyond the budget.
  await tx
    .updateTable('promotion')
    .set((eb) => ({ given: eb('given', '+', eb.ref('amount')) }))
    .where('name', '=', name)
    .execute();
  // Hashed: a name could name somebody, and the journal is kept when people are deleted.
  const requestId = `promotion:${hashSecret(`${name}\0${accountId}`)}`;
  await grant(tx, { accountId, amountMicro: amount, requestId, reason: why, at });
  changed(tx, accountId, 'balance', accountId);
  return 'given';
}

/** A no-op update, because it locks the row on both engines alike. */
function lockPromotion(tx: Tx, name: string): Promise<Promotion | undefined> {
  return tx.updateTable('promotion').set({ name }).where('name', '=', name).returningAll().executeTakeFirst();
}

/** In the order of their names, in which they are locked. */
function openNow(db: Reader, audience: Promotion['audience'], at: number): Promise<Promotion[]> {
  return db
    .selectFrom('promotion')
    .selectAll()
    .where('audience', '=', audience)
    .where('starts_at', '<=', at)
    .where('ends_at', '>', at)
    .orderBy('name')
    .execute();
}

const ofAccount = (accountId: string) => `account:${accountId}`;

/** What a person is known by: the account, and each way to sign in to it. */
async function personsKeys(db: Reader, accountId: string): Promise<string[]> {
  const query = db.selectFrom('identity').select(['provider', 'subject']).where('account_id', '=', accountId);
  const ways = (await query.execute()).map(({ provider, subject }) =>
    provider === 'email' ? `mailbox:${personOf(subject)}` : `${provider}:${subject}`,
  );
  return [...new Set([ofAccount(accountId), ...ways])].sort();
}

const claimKey = (secret: string, name: string, person: string) => hashKeyed(secret, 'promotion', `${name}\0${person}`);

async function noteClaim(tx: Tx, keys: readonly string[], at: number): Promise<void> {
  await tx
    .insertInto('bonus_claim')
    .values(keys.map((key) => ({ key, at })))
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
}
