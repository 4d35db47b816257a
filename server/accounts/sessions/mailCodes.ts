import { randomInt } from 'node:crypto';
import type { Tx } from '../../platform/db/database.ts';
import { hashKeyed } from '../../platform/secrets.ts';
import { type AttemptKeys, type Attempts, mailShares } from './attempts.ts';

/** How long a mailed code is valid. */
export const MAIL_CODE_MS = 10 * 60_000;
/** After this many wrong codes, the codes mailed before are void. */
export const MAIL_CODE_TRIES = 5;

/** The requester of a code and the mailbox that it goes to. `holder` is a secret of one browser or account. */
export interface MailCodeOf {
  holder: string;
  mailbox: string;
}

/**
 * Stores a 6-digit code that only its requester can use. Earlier codes stay valid. Returns the digits, which are mailed
 * and never stored.
 *
 * A stranger's chance to guess: only the browser that requested a code can try it, and only until `MAIL_CODE_TRIES`
 * wrong ones. Browsers that never signed in to a mailbox get at most 20 codes a day mailed to it (see `attempts.ts`),
 * so their chance is at most 20 × 5 in 1,000,000: 1 in 10,000 a day, and the mailbox's owner sees every mail. One
 * network gets 200 mails a day for all mailboxes: 1 in 1,000 for any of them.
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
 * Whether `digits` is an open code of this holder; if so, all the holder's codes are used up. A try counts against each
 * open code, on any node, before it is compared.
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

/** Counts a code mail against the requester's limits; throws `too_many_attempts` above one. */
export function countMail(attempts: Attempts, keys: AttemptKeys): Promise<void> {
  return attempts.countAll(mailShares(keys));
}

export async function purgeMailCodes(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('mail_code').where('expires_at', '<=', now).execute();
}

const holderOf = (secret: string, { holder, mailbox }: MailCodeOf) =>
  hashKeyed(secret, 'mail-code-holder', `${holder}\0${mailbox}`);

/** Hashes holder, mailbox and digits together: none is valid without the others or without the server's secret. */
const hashOf = (secret: string, { holder, mailbox }: MailCodeOf, digits: string) =>
  hashKeyed(secret, 'mail-code', `${holder}\0${mailbox}\0${digits}`);
