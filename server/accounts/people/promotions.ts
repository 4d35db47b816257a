import type { Selectable } from 'kysely';
import { MOST_PROMOTIONAL_MICRO } from '../../credits/holds/promotions.ts';
import { grant } from '../../credits/holds/store.ts';
import { readFunds, tryLockWallet } from '../../credits/journal/journal.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import type { PromotionRow } from '../../platform/db/schema.ts';
import { hashKeyed, hashSecret } from '../../platform/secrets.ts';
import { personOf } from './emails.ts';

// Promotions: credits, within a period and a budget, once per person: for each sign-up, or for each person with a code.

export type Promotion = Selectable<PromotionRow>;

const MOST_LISTED = 1000;

/** Normalises a typed promotion name; null if it can't be one. */
export function readPromotionName(typed: string): string | null {
  const name = typed.normalize('NFKC').replace(/\s/g, '');
  return /^[A-Za-z0-9][A-Za-z0-9-]{2,39}$/.test(name) ? name.toUpperCase() : null;
}

/** False if a promotion of that name exists or existed. */
export async function addPromotion(tx: Tx, promotion: Omit<Promotion, 'given'>): Promise<boolean> {
  const made = await tx
    .insertInto('promotion')
    .values(promotion)
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst();
  return made.numInsertedOrUpdatedRows === 1n;
}

/** Ends a promotion now. `over`: it had ended before, at that time. Credits already given stay. */
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

/** All promotions, newest first, including ended ones. */
export function listPromotions(db: Reader): Promise<Promotion[]> {
  return db.selectFrom('promotion').selectAll().orderBy('created_at', 'desc').limit(MOST_LISTED).execute();
}

export const isUsedUp = ({ amount, given, budget }: Promotion) => given + amount > budget;

/** Gives a new account the open sign-up promotions. The caller makes sure that a person signs up once. */
export async function giveToSignUp(tx: Tx, accountId: string, at: number): Promise<void> {
  const open = await openNow(tx, 'signups', at);
  for (const { name } of open) {
    const promotion = await lockPromotion(tx, name);
    if (!promotion || promotion.ends_at <= at || isUsedUp(promotion)) continue;
    await give(tx, promotion, accountId, at);
  }
}

/** Whether this account can still claim any promotion. */
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
  /** The account holds the maximum of promotional credits. */
  | { kind: 'too_much' }
  /** The account was merged or deleted meanwhile. */
  | { kind: 'closed' };

/**
 * Gives a member the credits of a code: once per person, never above the budget. Concurrent claims of one code are
 * serial. A person is known by the ways to sign in, so a deleted or second account gets nothing again.
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
    // Ways to sign in that were added since then belong to the same person.
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

/** Takes one share from a locked promotion's budget and gives it to an account. */
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
  // From here it must succeed: the table refuses anything above the budget.
  await tx
    .updateTable('promotion')
    .set((eb) => ({ given: eb('given', '+', eb.ref('amount')) }))
    .where('name', '=', name)
    .execute();
  // Hashed: the name could name a person, and the journal outlives deleted accounts.
  const requestId = `promotion:${hashSecret(`${name}\0${accountId}`)}`;
  await grant(tx, { accountId, amountMicro: amount, requestId, reason: why, at });
  changed(tx, accountId, 'balance', accountId);
  return 'given';
}

/** A no-op update, because it locks the row on both engines. */
function lockPromotion(tx: Tx, name: string): Promise<Promotion | undefined> {
  return tx.updateTable('promotion').set({ name }).where('name', '=', name).returningAll().executeTakeFirst();
}

/** Sorted by name, the order in which they are locked. */
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

/** The keys that identify a person: the account, and each way to sign in to it. */
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
