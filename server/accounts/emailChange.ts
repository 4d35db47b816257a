import { randomInt } from 'node:crypto';
import { changed } from '../platform/changes.ts';
import type { Tx } from '../platform/db/database.ts';
import { AppError } from '../platform/errors.ts';
import { hashKeyed } from '../platform/secrets.ts';
import { insertCode, redeemCode } from './codes.ts';
import { mailboxOf } from './emails.ts';

/** How long a code that was mailed can be typed. */
export const EMAIL_CODE_MS = 10 * 60_000;

/**
 * Keeps a code of 6 digits by which this account alone, and for this mailbox alone, shows that it has it; one that was asked
 * for before is worth nothing from then on. Returns the digits, which are to be mailed and are stored nowhere.
 */
export async function offerEmail(
  tx: Tx,
  secret: string,
  { accountId, email, at }: { accountId: string; email: string; at: number },
): Promise<string> {
  const digits = String(randomInt(1_000_000)).padStart(6, '0');
  await tx.deleteFrom('one_time_code').where('purpose', '=', 'email').where('account_id', '=', accountId).execute();
  await insertCode(tx, {
    code: codeOf(secret, accountId, email, digits),
    purpose: 'email',
    accountId,
    data: {},
    expiresAt: at + EMAIL_CODE_MS,
  });
  return digits;
}

/**
 * Makes an address the account's, and a way to sign in to it, in place of the one before. Returns the one before, which
 * should hear of it. Throws `invalid_grant` for a wrong or used code, `email_taken` if another account has the mailbox.
 */
export async function confirmEmail(
  tx: Tx,
  secret: string,
  { accountId, email, digits, at }: { accountId: string; email: string; digits: string; at: number },
): Promise<string | null> {
  if (!(await redeemCode(tx, 'email', codeOf(secret, accountId, email, digits), at)))
    throw new AppError(
      'invalid_grant',
      'This code is wrong, was used, or is older than 10 minutes. Ask for another one.',
    );
  const mailbox = mailboxOf(email)!;
  // Nobody else signs up by it, or takes it, from here on: a no-op update, because it locks the row on both engines alike.
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
      'Another account signs in by this address. Sign in to that one, or choose another.',
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

/** Of an account, a mailbox and the digits: none of them does without the others, or without the server's secret. */
function codeOf(secret: string, accountId: string, email: string, digits: string): string {
  return hashKeyed(secret, 'email-change', `${accountId}\0${mailboxOf(email)}\0${digits}`);
}
