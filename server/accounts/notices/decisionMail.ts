import { APPEAL_DAYS } from '../../../shared/decisions.ts';
import type { Database } from '../../platform/db/database.ts';
import { ownDecisions } from '../cases/ownDecisions.ts';
import { appealMail, decisionMail } from './decisionWords.ts';
import { claimFor, inUtc, type NoticeMailDeps, sendLetter } from './noticeMail.ts';

const DAY_MS = 24 * 3_600_000;
/** Older decisions are not mailed any more: a server that gets mail later writes to nobody about last week. */
const RECENT_MS = 3 * DAY_MS;
/** What ends an account's answers is worth a mail as long as one can appeal against it. */
const GRAVE_MS = APPEAL_DAYS * DAY_MS;

interface Due {
  accountId: string;
  email: string;
  decisionId: string;
  what: 'decision' | 'appeal';
  noticeId: string;
}

/**
 * Mails owners what was decided about their account, and how their appeal ended: once each, also from an operator's
 * command, which sends no mail itself. What is not sent is tried again. Returns how many were sent.
 */
export async function mailDecisions(deps: Omit<NoticeMailDeps, 'terms' | 'priceNotice'>): Promise<number> {
  const { db, clock, publicUrl } = deps;
  const now = clock.now();
  const page = publicUrl === null ? 'your account page' : `${publicUrl}/account#decisions`;
  let sent = 0;
  for (const { accountId, email, decisionId, what, noticeId } of await findDue(db, now)) {
    const all = await ownDecisions(db.read, accountId, now);
    const decision = all.find(({ id }) => id === decisionId);
    if (!decision || !(await db.write((tx) => claimFor(tx, accountId, noticeId, now)))) continue;
    const { subject, text } =
      what === 'decision' ? decisionMail(decision, page, now) : appealMail(decision, all, page, now);
    const failure = await sendLetter(deps, { id: noticeId, subject, text: inUtc(text) }, accountId, email);
    if (failure === 'unavailable') return sent;
    if (!failure) sent++;
  }
  return sent;
}

/** The recent decisions and decided appeals of owners with a verified address that were not mailed yet. */
async function findDue(db: Database, now: number): Promise<Due[]> {
  const since = now - RECENT_MS;
  const oldest = now - GRAVE_MS;
  const decided = await db.read
    .selectFrom('decision')
    .leftJoin('appeal', 'appeal.decision_id', 'decision.id')
    .select(['decision.id', 'decision.account_id', 'decision.kind', 'decision.at', 'appeal.decided_at'])
    .select('appeal.at as appealed_at')
    .where('decision.account_id', 'is not', null)
    .where((eb) => eb.or([eb('decision.at', '>', oldest), eb('appeal.decided_at', '>', since)]))
    .orderBy('decision.at')
    .execute();
  const due = decided.flatMap(({ id, account_id, kind, at, decided_at, appealed_at }) => {
    const one = { accountId: account_id!, decisionId: id };
    // Whoever has appealed has read it.
    const isGrave = (kind === 'suspend' || kind === 'close') && appealed_at === null;
    const isTold = kind !== 'nothing' && Number(at) > (isGrave ? oldest : since);
    return [
      ...(isTold ? [{ ...one, what: 'decision' as const, noticeId: `decision:${id}` }] : []),
      ...(Number(decided_at ?? 0) > since ? [{ ...one, what: 'appeal' as const, noticeId: `appeal:${id}` }] : []),
    ];
  });
  if (due.length === 0) return [];
  const sent = await db.read
    .selectFrom('notice_mail')
    .select('notice_id')
    .where(
      'notice_id',
      'in',
      due.map(({ noticeId }) => noticeId),
    )
    .where('sent_at', 'is not', null)
    .execute();
  const addresses = await db.read
    .selectFrom('identity')
    .innerJoin('account', 'account.id', 'identity.account_id')
    // Verified addresses only: the subject of this provider is a verified address.
    .where('identity.provider', '=', 'email')
    .where('identity.email', 'is not', null)
    .where('account.is_local', '=', 0)
    .where(
      'account.id',
      'in',
      due.map(({ accountId }) => accountId),
    )
    .select((eb) => ['account.id', eb.fn.min<string>('identity.email').as('email')])
    .groupBy('account.id')
    .execute();
  const emailOf = new Map(addresses.map(({ id, email }) => [id, email]));
  const isSent = new Set(sent.map(({ notice_id }) => notice_id));
  return due.flatMap((one) => {
    const email = emailOf.get(one.accountId);
    return email === undefined || isSent.has(one.noticeId) ? [] : [{ ...one, email }];
  });
}
