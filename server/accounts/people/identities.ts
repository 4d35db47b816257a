import { grant, openWallet } from '../../credits/holds/store.ts';
import type { Ids } from '../../platform/clock.ts';
import type { Policy } from '../../platform/config/config.ts';
import { changed } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import { hashKeyed } from '../../platform/secrets.ts';
import type { CodeData } from '../sessions/codes.ts';
import { mailboxOf, personOf } from './emails.ts';
import { giveToSignUp } from './promotions.ts';
import { acceptTerms } from './rights.ts';

/** The identified person: a provider's subject, and what the provider says about the address. */
export type Identified = CodeData['identified'];

/** The single user of a local server. */
export const LOCAL_OWNER: Identified = {
  provider: 'local',
  subject: 'owner',
  email: null,
  emailVerified: false,
  name: null,
};

export interface SignUpDeps {
  ids: Ids;
  policy: Policy;
  /** Keys the hashes that make a bonus one-time. */
  secret: string;
}

/** The account that this identity signs in to, if any: found by the subject, else by the verified mailbox. */
export async function findAccountOf(db: Reader, who: Identified): Promise<string | null> {
  const bySubject = await findIdentity(db, who.provider, who.subject);
  if (bySubject) return bySubject;
  const mailbox = verifiedMailbox(who);
  return mailbox === null ? null : findAccountByMailbox(db, mailbox);
}

/**
 * The account of the person who signs in, created the first time: one for each provider's subject and each verified
 * mailbox. If the same person signs in concurrently, only one account is made. `terms` is the accepted version: a new
 * account requires it; an existing account is asked again later. `isFirst`: the person has never had an account.
 */
export async function signIn(
  tx: Tx,
  deps: SignUpDeps,
  who: Identified,
  { terms, at }: { terms: string | null; at: number },
): Promise<{ accountId: string; isNew: boolean; isFirst: boolean } | { accountId: null }> {
  const known = await findAccountOf(tx, who);
  if (known) {
    if (terms) await acceptTerms(tx, known, terms, at);
    return { accountId: await remember(tx, known, who, at), isNew: false, isFirst: false };
  }
  // From here on there are no concurrent sign-ups. A no-op update, because it locks the row on both engines.
  await tx.updateTable('gate').set({ name: 'sign-up' }).where('name', '=', 'sign-up').execute();
  const meanwhile = await findAccountOf(tx, who);
  if (meanwhile) return { accountId: await remember(tx, meanwhile, who, at), isNew: false, isFirst: false };
  if (terms === null) return { accountId: null };
  const accountId = deps.ids.next();
  await tx
    .insertInto('account')
    .values({
      id: accountId,
      kind: 'member',
      created_at: at,
      last_active_at: at,
      name: who.name,
      email: who.email,
      tier: 0,
      is_local: who.provider === 'local' ? 1 : 0,
      terms_version: terms,
      terms_at: at,
    })
    .execute();
  await openWallet(tx, accountId, deps.ids.next());
  await remember(tx, accountId, who, at);
  const isFirst = await claimBonus(tx, deps, who, at);
  if (isFirst) {
    await giveBonus(tx, deps, accountId, at);
    await giveToSignUp(tx, accountId, at);
  }
  return { accountId, isNew: true, isFirst };
}

/** The mailboxes whose codes open this account: only those proven to be its owner's. */
export async function mailboxesOf(db: Reader, accountId: string): Promise<string[]> {
  const query = db.selectFrom('identity').select('subject').where('provider', '=', 'email');
  const rows = await query.where('account_id', '=', accountId).execute();
  return rows.map(({ subject }) => subject);
}

/** The account's ways to sign in, by provider. */
export async function providersOf(db: Reader, accountId: string): Promise<string[]> {
  const rows = await selectProviders.all(db, { accountId });
  return rows.map((row) => row.provider);
}

const selectProviders = prepared((db, p: { accountId: string }) =>
  db.selectFrom('identity').select('provider').distinct().where('account_id', '=', p.accountId).orderBy('provider'),
);

export function verifiedMailbox(who: Identified): string | null {
  return who.emailVerified && who.email !== null ? mailboxOf(who.email) : null;
}

/** The account that this mailbox signs in to. */
export function findAccountByMailbox(db: Reader, mailbox: string): Promise<string | null> {
  return findIdentity(db, 'email', mailbox);
}

async function findIdentity(db: Reader, provider: string, subject: string): Promise<string | null> {
  const row = await db
    .selectFrom('identity')
    .select('account_id')
    .where('provider', '=', provider)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return row?.account_id ?? null;
}

/** Stores this way to sign in, and its verified mailbox unless another account has it. Returns the account. */
async function remember(tx: Tx, accountId: string, who: Identified, at: number): Promise<string> {
  const mailbox = verifiedMailbox(who);
  const ways = [{ provider: who.provider, subject: who.subject }];
  if (mailbox !== null && who.provider !== 'email') ways.push({ provider: 'email', subject: mailbox });
  for (const way of ways) {
    const made = await tx
      .insertInto('identity')
      .values({ ...way, account_id: accountId, email: who.email, created_at: at, last_used_at: at })
      .onConflict((conflict) => conflict.columns(['provider', 'subject']).doNothing())
      .executeTakeFirst();
    if (made.numInsertedOrUpdatedRows === 1n) changed(tx, accountId, 'account', accountId);
  }
  await tx
    .updateTable('identity')
    .set({ email: who.email, last_used_at: at })
    .where('provider', '=', who.provider)
    .where('subject', '=', who.subject)
    .execute();
  return accountId;
}

/** True once for each verified mailbox and each subject, for ever: their hashes outlive a deleted account. */
async function claimBonus(tx: Tx, { secret }: SignUpDeps, who: Identified, at: number): Promise<boolean> {
  if (who.provider === 'local') return false;
  const mailbox = verifiedMailbox(who);
  const claims = [`${who.provider}:${who.subject}`, ...(mailbox === null ? [] : [`mailbox:${personOf(mailbox)}`])];
  let isFirst = true;
  for (const claim of claims) {
    const made = await tx
      .insertInto('bonus_claim')
      .values({ key: hashKeyed(secret, 'bonus', claim), at })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .executeTakeFirst();
    isFirst &&= made.numInsertedOrUpdatedRows === 1n;
  }
  return isFirst;
}

async function giveBonus(tx: Tx, { policy }: SignUpDeps, accountId: string, at: number): Promise<void> {
  const amountMicro = policy.accounts.bonusMicro;
  if (amountMicro === 0) return;
  const reason = 'Welcome to Perigee';
  await grant(tx, { accountId, amountMicro, requestId: `sign-up:${accountId}`, reason, at });
}
