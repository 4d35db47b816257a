import { type Clock, type Ids, iso } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import { addNotice, endNotice, listNotices, MAX_NOTICE_CHARS } from '../notices/operatorNotices.ts';
import { columns, Refused, readText } from './commandText.ts';

// The operator's commands for notices to every account.

interface Deps {
  db: Database;
  clock: Clock;
  ids: Ids;
  /** Whether the server has a mail service. Without one, `--mail` is refused. */
  sendsMail: boolean;
}

/** Shows a notice to every account until `until` (epoch ms). Returns the command's output lines. */
export async function tellEveryone(
  { db, clock, ids, sendsMail }: Deps,
  typed: string,
  { until, byMail }: { until: number; byMail: boolean },
): Promise<string[]> {
  const text = readText(typed, 'The notice', MAX_NOTICE_CHARS);
  if (byMail && !sendsMail) throw new Refused(1, 'This server sends no mail: set MAIL_URL, or leave --mail out.');
  const id = ids
    .secret()
    .replace(/[^a-z0-9]/g, '')
    .slice(0, 8);
  const notice = { id, text, at: clock.now(), until, by_mail: byMail ? 1 : 0 };
  await db.write((tx) => addNotice(tx, notice));
  return [
    `Every account is told until ${iso(until)}:`,
    `  ${text}`,
    ...(byMail ? ['It is mailed within 10 minutes.'] : []),
    `"npm run admin -- notice --end ${id}" ends it sooner.`,
  ];
}

export async function endOneNotice({ db, clock }: Deps, id: string): Promise<string> {
  const ended = await db.write((tx) => endNotice(tx, id, clock.now()));
  if (ended.kind === 'ended') return `The notice ${id} is over.`;
  if (ended.kind === 'over') throw new Refused(1, `The notice ${id} is over since ${iso(ended.until)}.`);
  throw new Refused(1, `There is no notice "${id}". "npm run admin -- notices" lists them.`);
}

export async function noticeTable({ db, clock }: Deps): Promise<string[]> {
  const notices = await listNotices(db.read);
  if (notices.length === 0) return ['There is none.'];
  const now = clock.now();
  const rows = notices.map(({ id, text, at, until, by_mail }) => [
    id,
    iso(at),
    iso(until),
    until > now ? 'shown' : 'over',
    by_mail ? 'yes' : '',
    text,
  ]);
  return columns([['notice', 'from', 'until', 'state', 'mail', 'text'], ...rows]);
}
