import type { Notice } from '../../../shared/account.ts';
import { type Clock, iso } from '../../platform/clock.ts';
import type { Database, Tx } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log.ts';
import { failureOf, type Mailer } from '../../platform/mail.ts';
import { currentNotices } from './operatorNotices.ts';

const AT_ONCE = 50;
/** After this time another round takes over a mail that a node had claimed. */
const CLAIM_MS = 15 * 60_000;
const HOUR = 3_600_000;
/** When to try an address again. The mail server may have refused it by mistake. */
const AGAIN_MS = { refused: 24 * HOUR, 'put off': HOUR };
/** After this many failures in a row the mail server is at fault, whatever it says about each address. */
const MAX_FAILURES_IN_A_ROW = 5;

export interface NoticeMailDeps {
  db: Database;
  clock: Clock;
  log: Log;
  mailer: Mailer;
  /** Null: only this machine reaches the server. */
  publicUrl: string | null;
  terms: { version: string; url?: string | undefined };
  /** The current notice to members about prices. */
  priceNotice: () => Notice | null;
}

/** A mail and its recipients: members with a verified address whose account is not closed, limited by these fields. */
interface Letter {
  id: string;
  subject: string;
  text: string;
  /** Only for those who have accepted terms other than these. */
  beyondTerms: string | null;
  /** Suspended accounts get mail about terms and prices only, because these are part of their contract. */
  toSuspended: boolean;
  /** Whether it must still be sent. Checked before each batch. */
  isDue: () => Promise<boolean>;
}

const always = async () => true;

/**
 * Mails each member the notices that must go by mail, once each: changed prices, changed terms, and the operator's
 * notices. A node claims a row before it sends the mail, so that no two nodes send it, and sends it again later if that
 * failed. A node that dies in between may cause a second mail, which is better than none. Returns how many were sent.
 * Ends early if the mail server accepts none. A refused address does not stop the mail to other members.
 */
export async function mailNotices(deps: NoticeMailDeps): Promise<number> {
  let sent = 0;
  let failures = 0;
  for (const letter of await lettersOf(deps)) {
    while (await letter.isDue()) {
      const due = await claim(deps, letter);
      for (const [n, { accountId, email }] of due.entries()) {
        const failure = await sendLetter(deps, letter, accountId, email);
        failures = failure ? failures + 1 : 0;
        if (!failure) sent++;
        if (failure === 'unavailable' || failures >= MAX_FAILURES_IN_A_ROW) {
          await release(deps, letter, due.slice(n + 1));
          return sent;
        }
      }
      if (due.length < AT_ONCE) break;
    }
  }
  return sent;
}

/** Sends what was claimed for this account. Returns null if it was sent. */
export async function sendLetter(
  deps: Pick<NoticeMailDeps, 'db' | 'clock' | 'log' | 'mailer'>,
  letter: Pick<Letter, 'id' | 'subject' | 'text'>,
  accountId: string,
  email: string,
) {
  const { db, clock, log, mailer } = deps;
  const note = (columns: { sent_at: number } | { claimed_at: number }) =>
    db.write((tx) =>
      tx
        .updateTable('notice_mail')
        .set(columns)
        .where('account_id', '=', accountId)
        .where('notice_id', '=', letter.id)
        .execute(),
    );
  try {
    await mailer.send({ to: email, subject: letter.subject, text: letter.text });
  } catch (error) {
    const failure = failureOf(error);
    log.warn(
      { err: error, notice: letter.id, account: accountId, failure },
      'a notice was not mailed; it is tried again',
    );
    // A claim in the future expires when the address is to be tried again.
    if (failure !== 'unavailable') await note({ claimed_at: clock.now() + AGAIN_MS[failure] - CLAIM_MS });
    return failure;
  }
  await note({ sent_at: clock.now() });
  return null;
}

/** Releases claimed rows that were not tried, for the next round of any node. */
async function release(
  { db }: NoticeMailDeps,
  letter: Letter,
  claimed: readonly { accountId: string }[],
): Promise<void> {
  if (claimed.length === 0) return;
  const ids = claimed.map(({ accountId }) => accountId);
  await db.write((tx) =>
    tx
      .deleteFrom('notice_mail')
      .where('notice_id', '=', letter.id)
      .where('account_id', 'in', ids)
      .where('sent_at', 'is', null)
      .execute(),
  );
}

async function lettersOf(deps: NoticeMailDeps): Promise<Letter[]> {
  const { db, clock, priceNotice, terms, publicUrl } = deps;
  const page = publicUrl === null ? 'your account page' : `${publicUrl}/account`;
  const foot = `\n\nThis is no advertisement: it is sent to every member, whatever you have chosen about news.\n`;
  const price = priceNotice();
  const letters: Letter[] = [];
  // Without a page of terms there is nothing to read, and nobody has to accept anything.
  if (terms.url)
    letters.push({
      id: `terms:${terms.version}`,
      subject: 'The terms of Perigee have changed',
      text: `The terms of use of Perigee have changed. You find them at ${terms.url}.\n\nRead and accept them at ${page} to go on. Until then you get no answers. You can still read, export and delete your data.${foot}`,
      beyondTerms: terms.version,
      toSuspended: true,
      isDue: always,
    });
  if (price)
    letters.push({
      id: price.id,
      subject: 'Prices of Perigee will change',
      text: `${inUtc(price.text)}\n\nYour balance stands at ${page}.${foot}`,
      beyondTerms: null,
      toSuspended: true,
      isDue: always,
    });
  const current = async () => (await currentNotices(db.read, clock.now())).filter(({ by_mail }) => by_mail === 1);
  for (const { id, text, until } of await current())
    letters.push({
      id: `operator:${id}`,
      subject: 'A notice about Perigee',
      text: `${text}\n\nThis counts until ${inUtc(iso(until))}. Your account stands at ${page}.${foot}`,
      beyondTerms: null,
      toSuspended: false,
      // The operator may end the notice while it is being sent.
      isDue: async () => (await current()).some((notice) => notice.id === id),
    });
  return letters;
}

/** Formats times in UTC, because a mail does not know its reader's time zone. */
export const inUtc = (text: string) => text.replaceAll(/(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\.\d{3}Z/g, '$1, $2 UTC');

/** Claims the next accounts to mail, for this node alone. */
async function claim({ db, clock }: NoticeMailDeps, letter: Letter): Promise<{ accountId: string; email: string }[]> {
  const now = clock.now();
  let query = db.read
    .selectFrom('account')
    // Verified addresses only: the subject of this provider is a verified address.
    .innerJoin('identity', (join) =>
      join.onRef('identity.account_id', '=', 'account.id').on('identity.provider', '=', 'email'),
    )
    .leftJoin('notice_mail', (join) =>
      join.onRef('notice_mail.account_id', '=', 'account.id').on('notice_mail.notice_id', '=', letter.id),
    )
    .select((eb) => ['account.id as accountId', eb.fn.min<string | null>('identity.email').as('email')])
    .where('account.kind', '=', 'member')
    .where('account.is_local', '=', 0)
    .where('account.gone_at', 'is', null)
    .where('identity.email', 'is not', null)
    .where((eb) =>
      eb.or([
        eb('notice_mail.account_id', 'is', null),
        eb.and([eb('notice_mail.sent_at', 'is', null), eb('notice_mail.claimed_at', '<=', now - CLAIM_MS)]),
      ]),
    )
    .groupBy('account.id')
    .orderBy('account.id')
    .limit(AT_ONCE);
  // An account that the operator created has accepted no terms yet. Its owner is asked at the first sign-in.
  if (letter.beyondTerms !== null) query = query.where('account.terms_version', 'not in', ['', letter.beyondTerms]);
  if (!letter.toSuspended)
    query = query.where((eb) =>
      eb.or([eb('account.suspended_at', 'is', null), eb('account.suspended_until', '<=', now)]),
    );
  const found = await query.execute();
  if (found.length === 0) return [];
  return db.write(async (tx) => {
    const mine: { accountId: string; email: string }[] = [];
    for (const { accountId, email } of found) {
      if ((await claimFor(tx, accountId, letter.id, now)) && email) mine.push({ accountId, email });
    }
    return mine;
  });
}

/** Claims the mail of one notice to one account for this node. False if it was sent, or another node is about to. */
export async function claimFor(tx: Tx, accountId: string, noticeId: string, now: number): Promise<boolean> {
  const claimed = await tx
    .insertInto('notice_mail')
    .values({ account_id: accountId, notice_id: noticeId, claimed_at: now, sent_at: null })
    .onConflict((conflict) =>
      conflict
        .columns(['notice_id', 'account_id'])
        .doUpdateSet({ claimed_at: now })
        .where('notice_mail.sent_at', 'is', null)
        .where('notice_mail.claimed_at', '<=', now - CLAIM_MS),
    )
    .executeTakeFirst();
  return claimed.numInsertedOrUpdatedRows === 1n;
}
