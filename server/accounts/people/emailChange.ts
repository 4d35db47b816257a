import { changed } from '../../platform/db/changes.ts';
import type { Tx } from '../../platform/db/database.ts';
import { AppError } from '../../platform/errors.ts';
import { mailboxOf } from './emails.ts';

/** The holder of the codes for a change of an account's address. */
export const holderOfChange = (accountId: string) => `account:${accountId}`;

/**
 * Replaces the account's address, which is also a way to sign in. Call it only after the code was redeemed. Returns the
 * old address, which should be notified; null if the mailbox is the same. Throws `email_taken` if another account has
 * the mailbox.
 */
export async function confirmEmail(
  tx: Tx,
  { accountId, email, at }: { accountId: string; email: string; at: number },
): Promise<string | null> {
  const mailbox = mailboxOf(email)!;
  // From here on no other sign-up can take this address. A no-op update, because it locks the row on both engines.
  await tx.updateTable('gate').set({ name: 'sign-up' }).where('name', '=', 'sign-up').execute();
  const owner = await tx
    .selectFrom('identity')
    .select('account_id')
    .where('provider', '=', 'email')
    .where('subject', '=', mailbox)
    .executeTakeFirst();
  if (owner && owner.account_id !== accountId)
    throw new AppError(
      'email_taken',
      'Another account uses this address. Sign in to that account, or choose another address.',
    );
  const account = await tx.selectFrom('account').select('email').where('id', '=', accountId).executeTakeFirstOrThrow();
  const before = account.email === null ? null : mailboxOf(account.email);
  if (before !== null && before !== mailbox)
    await tx
      .deleteFrom('identity')
      .where('provider', '=', 'email')
      .where('subject', '=', before)
      .where('account_id', '=', accountId)
      .execute();
  await tx
    .insertInto('identity')
    .values({ provider: 'email', subject: mailbox, account_id: accountId, email, created_at: at, last_used_at: at })
    .onConflict((conflict) => conflict.columns(['provider', 'subject']).doUpdateSet({ email }))
    .execute();
  await tx.updateTable('account').set({ email }).where('id', '=', accountId).execute();
  changed(tx, accountId, 'account', accountId);
  return before === mailbox ? null : account.email;
}
