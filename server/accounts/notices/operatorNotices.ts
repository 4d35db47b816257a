import type { Notice } from '../../../shared/account.ts';
import { iso } from '../../platform/clock.ts';
import { changed, EVERYONE } from '../../platform/db/changes.ts';
import type { Reader, Tx } from '../../platform/db/database.ts';
import { prepared } from '../../platform/db/prepared.ts';
import type { OperatorNoticeRow } from '../../platform/db/schema.ts';

// The operator's notices to every account, such as about an incident. A notice ends at its `until`, without a job.

/** The most characters of a notice, because the editor shows it as one line. */
export const MAX_NOTICE_CHARS = 500;
const MOST_LISTED = 100;

/** Adds a notice; running editors and pages show it at once. */
export async function addNotice(tx: Tx, notice: OperatorNoticeRow): Promise<void> {
  await tx.insertInto('operator_notice').values(notice).execute();
  changed(tx, EVERYONE, 'account', '');
}

/** Ends a notice now. `over`: it had ended before, at that time. */
export async function endNotice(
  tx: Tx,
  id: string,
  at: number,
): Promise<{ kind: 'ended' } | { kind: 'over'; until: number } | { kind: 'unknown' }> {
  const notice = await tx.selectFrom('operator_notice').select('until').where('id', '=', id).executeTakeFirst();
  if (!notice) return { kind: 'unknown' };
  if (notice.until <= at) return { kind: 'over', until: notice.until };
  await tx.updateTable('operator_notice').set({ until: at }).where('id', '=', id).execute();
  changed(tx, EVERYONE, 'account', '');
  return { kind: 'ended' };
}

/** All notices, ended ones too, newest first. */
export function listNotices(db: Reader): Promise<OperatorNoticeRow[]> {
  return db.selectFrom('operator_notice').selectAll().orderBy('at', 'desc').limit(MOST_LISTED).execute();
}

/** The notices that every account sees now, oldest first. */
export function currentNotices(db: Reader, now: number): Promise<OperatorNoticeRow[]> {
  return selectCurrent.all(db, { now });
}

const selectCurrent = prepared((db, p: { now: number }) =>
  db.selectFrom('operator_notice').selectAll().where('until', '>', p.now).orderBy('at').orderBy('id'),
);

export const toNotice = ({ id, text, at, until }: OperatorNoticeRow): Notice => ({
  id: `operator:${id}`,
  kind: 'operator',
  text,
  at: iso(at),
  until: iso(until),
});
