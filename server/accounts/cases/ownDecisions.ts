import type { OwnAppeal, OwnDecision, Picture } from '../../../shared/decisions.ts';
import { iso } from '../../platform/clock.ts';
import type { Reader } from '../../platform/db/database.ts';
import type { AppealRow, DecisionRow } from '../../platform/db/schema.ts';
import { appealEnd } from './appeals.ts';
import { findAppeals, findCounted, findDecisionsAbout, findPictures, hasOtherReviewer } from './store.ts';

const when = (at: number | null) => (at === null ? null : iso(at));
const bare = ({ id, width, height, bytes }: Picture): Picture => ({ id, width, height, bytes });

/** What people have decided about an account, as its owner sees it, newest first. */
export async function ownDecisions(db: Reader, accountId: string, now: number): Promise<OwnDecision[]> {
  const rows = await findDecisionsAbout(db, accountId);
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const appeals = await findAppeals(db, ids);
  const pictures = await findPictures(db, ids);
  const counted = await findCounted(
    db,
    rows.map(({ flag_number }) => flag_number),
  );
  const decisions: OwnDecision[] = [];
  for (const row of rows) {
    const appeal = appeals.get(row.id);
    const [sent, waiting] = [true, false].map((isSent) =>
      (pictures.get(row.id) ?? []).filter((picture) => picture.isSent === isSent).map(bare),
    );
    const end = appealEnd(row);
    decisions.push({
      id: row.id,
      case: row.flag_number,
      hasNumbers: counted.has(row.flag_number),
      kind: row.kind,
      at: iso(row.at),
      until: when(row.until_at),
      deletedAt: when(row.delete_at),
      takenMicro: row.taken_micro,
      why: row.why ?? '',
      rule: row.rule,
      answer: row.answer,
      mayAppealUntil: appeal || end === null || end <= now ? null : iso(end),
      appeal: appeal ? await ownAppeal(db, row, appeal, sent!, now) : null,
      waiting: waiting!,
    });
  }
  return decisions;
}

/** An appeal as its owner sees it. Until it is decided, `heardBy` is who can decide it now. */
export async function ownAppeal(
  db: Reader,
  { reviewer_id: decidedBy, account_id }: DecisionRow,
  appeal: AppealRow,
  pictures: Picture[],
  now: number,
): Promise<OwnAppeal> {
  const byReviewer =
    appeal.outcome === null
      ? await hasOtherReviewer(db, { decidedBy, accountId: account_id ?? '' }, now)
      : appeal.is_operators === 0;
  return {
    at: iso(appeal.at),
    time: appeal.time ?? '',
    useCase: appeal.use_case ?? '',
    pictures: pictures.map(bare),
    numbersMayBeUsed: appeal.numbers_may_be_used === 1,
    heardBy: byReviewer ? 'another reviewer' : 'operator',
    outcome: appeal.outcome,
    decidedAt: when(appeal.decided_at),
    why: appeal.why,
  };
}
