import { randomUUID } from 'node:crypto';
import type { Database } from '../../server/platform/db/database.ts';
import type { AppealRow, DecisionRow } from '../../server/platform/db/schema.ts';

/** Rows of a case as if it had been decided, and appealed against unless `appeal` is null. */
export async function decided(
  db: Database,
  flagNumber: number,
  kind: DecisionRow['kind'],
  appeal: Pick<AppealRow, 'numbers_may_be_used' | 'outcome'> | null,
  { step = 1, at = 1_800_000_000_000 } = {},
): Promise<void> {
  const id = randomUUID();
  const { account_id } = await db.read
    .selectFrom('risk_flag')
    .select('account_id')
    .where('number', '=', flagNumber)
    .executeTakeFirstOrThrow();
  const by = { reviewer_id: null, is_operators: 1, at };
  const nothing = { until_at: null, delete_at: null, taken_micro: null, answer: null, answered_at: null };
  const words = { why: 'A secret reason.', rule: 'A secret rule.' };
  await db.write(async (tx) => {
    await tx
      .insertInto('decision')
      .values({ id, flag_number: flagNumber, step, account_id, kind, ...words, ...nothing, ...by })
      .execute();
    if (appeal)
      await tx
        .insertInto('appeal')
        .values({
          ...{ decision_id: id, account_id, time: 'A secret week.', use_case: 'A secret use.', why: 'A secret why.' },
          ...{ decided_at: appeal.outcome === null ? null : at, ...by, ...appeal },
        })
        .execute();
  });
}
