import { randomInt } from 'node:crypto';
import type { Tx } from '../../platform/db/database.ts';
import { hashKeyed } from '../../platform/secrets.ts';
import { type AttemptKeys, type Attempts, mailShares } from './attempts.ts';

/** How long a code that was mailed can be typed. */
export const MAIL_CODE_MS = 10 * 60_000;
/** Wrong codes after which those that were mailed before are worth nothing. */
export const MAIL_CODE_TRIES = 5;

/** Who asked for a code, and to which mailbox it goes. `holder` is a secret of one browser, or one account. */
export interface MailCodeOf {
  holder: string;
  mailbox: string;
}

/**
 * Keeps a code of 6 digits, which only the one who asked for it can use; those that were asked for before stay good. Returns
 * the digits, which are to be mailed and are stored nowhere.
 *
 * What a stranger's guesses are worth: a code is open to `MAIL_CODE_TRIES` wrong ones of the browser that asked, and to none
 * of any other. Browsers that never signed in to a mailbox have at most 20 codes a day mailed to it (see `attempts.ts`), so
 * their chance is at most 20 × 5 in 1,000,000: 1 in 10,000 a day, of which the mailbox's owner sees every mail. A network has
 * 200 mails a day, to whomever: 1 in 1,000 for any of those mailboxes.
 */
export async function offerMailCode(tx: Tx, secret: string, of: MailCodeOf, at: number): Promise<string> {
  const digits = String(randomInt(1_000_000)).padStart(6, '0');
  const row = { holder: holderOf(secret, of), tries: MAIL_CODE_TRIES, expires_at: at + MAIL_CODE_MS };
  await tx
    .insertInto('mail_code')
    .values({ hash: hashOf(secret, of, digits), ...row })
    .onConflict((conflict) => conflict.column('hash').doUpdateSet(row))
    .execute();
  return digits;
}

/**
 * Whether that is a code which was mailed for this; then all of them are used up. A wrong one is counted against each that is
 * open, on any node, before it is compared.
 */
export async function redeemMailCode(
  tx: Tx,
  secret: string,
  of: MailCodeOf,
  digits: string,
  at: number,
): Promise<boolean> {
  const holder = holderOf(secret, of);
  const open = await tx
    .updateTable('mail_code')
    .set((eb) => ({ tries: eb('tries', '-', 1) }))
    .where('holder', '=', holder)
    .where('tries', '>', 0)
    .where('expires_at', '>', at)
    .returning('hash')
    .execute();
  const hash = hashOf(secret, of, digits);
  if (!open.some((code) => code.hash === hash)) return false;
  await tx.deleteFrom('mail_code').where('holder', '=', holder).execute();
  return true;
}

/** Counts a mail with a code against the shares of those who may have it; throws `too_many_attempts` beyond one. */
export function countMail(attempts: Attempts, keys: AttemptKeys): Promise<void> {
  return attempts.countAll(mailShares(keys));
}

export async function purgeMailCodes(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('mail_code').where('expires_at', '<=', now).execute();
}

const holderOf = (secret: string, { holder, mailbox }: MailCodeOf) =>
  hashKeyed(secret, 'mail-code-holder', `${holder}\0${mailbox}`);

/** Of the holder, the mailbox and the digits: none of them does without the others, or without the server's secret. */
const hashOf = (secret: string, { holder, mailbox }: MailCodeOf, digits: string) =>
  hashKeyed(secret, 'mail-code', `${holder}\0${mailbox}\0${digits}`);
